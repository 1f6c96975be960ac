"""The three contracts, and what passes between them: games make rounds, defenses releases, attacks guesses.

An attack is handed a `View`: the release and what the game grants. The truth is no part of it, nor of anything that it
refers to; that is proof against mistakes, not against a plugin that searches the interpreter's memory. Plugins are
frozen dataclasses of their parameters; they need not import or inherit anything from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from privbench.dataset import Dataset
from privbench.errors import ContractError
from privbench.release import Release
from privbench.schema import Column
from privbench.table import Table

__all__ = ["Attack", "Defense", "Game", "Guess", "Reference", "Round", "Scratch", "View", "each_secret"]

Reference = Literal["chance", "controls", "no-report"]
"""What a game scores an attack against: exact chance, people outside the training data, the same attack without the
target's own report."""


@runtime_checkable
class Defense(Protocol):
    """Whatever turns records into a release: a frozen dataclass of its parameters.

    A parameter `columns` that is a tuple names columns; a name that the data set lacks is refused before anything runs.
    """

    def release(self, train: Table, *, rng: np.random.Generator) -> Release:
        """Publish something made from `train`.

        Parameters
        ----------
        train : Table
            The private records; its schema has the domains and says which columns are secrets.
        rng : Generator
            The only source of randomness.
        """
        ...


class Scratch(Protocol):
    """Where an attack keeps what took it long, so that a run that was cut short takes up where it stopped.

    It is the attack's own, for one cell of one configuration, and goes when the cell is finished.
    """

    def load(self, name: str) -> bytes | None:
        """Return what was kept under a name, whole, or None."""
        ...

    def save(self, name: str, content: bytes) -> None:
        """Keep bytes under a name: letters, digits, dots and dashes."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """All that an adversary has.

    Parameters
    ----------
    release : Release
        What was published.
    targets : Table
        T rows with the known columns of the people attacked, members and controls in one shuffled batch.
    secrets : tuple of Column
        Guessed together: columns neither known nor given away.
    roster : Table or None
        Known columns of every training record, where the game grants it, in an order of its own.
    rows : array of int or None
        Which released row is the target's own, where granted (under LDP the collector knows).
    population : Table or None
        Public reference records, secrets included, where granted.
    defense : Defense or None
        The mechanism and its parameters are public (Kerckhoffs).
    scratch : Scratch or None
        Where the attack may keep work in progress; no part of what the adversary knows.
    """

    release: Release
    targets: Table
    secrets: tuple[Column, ...]
    roster: Table | None = None
    rows: NDArray[np.int64] | None = None
    population: Table | None = None
    defense: Defense | None = None
    scratch: Scratch | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Guess:
    """An attack's answer.

    Parameters
    ----------
    answers : mapping of str to array
        For each secret: ``(T, k)`` probabilities, rows summing to 1, if it is discrete; ``(T,)`` values if continuous.
    spread : mapping of str to array
        Optional standard deviations ``(T,)`` of continuous answers.
    """

    answers: Mapping[str, NDArray[np.float64]]
    spread: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def check(self, view: View) -> None:
        """Hold the guess to its contract.

        Raises
        ------
        ContractError
            If a secret is missing, a shape is wrong, a number is not finite, or a row does not sum to 1.
        """
        people = len(view.targets)
        if set(self.answers) != {secret.name for secret in view.secrets}:
            raise ContractError(
                f"a guess must answer each secret; asked {[secret.name for secret in view.secrets]}, "
                f"answered {sorted(self.answers)}"
            )
        for secret in view.secrets:
            answer = self.answers[secret.name]
            shape = (people, secret.size) if secret.discrete else (people,)
            if answer.shape != shape:
                raise ContractError(f"guess of {secret.name!r} must have shape {shape}; got {answer.shape}")
            if not np.isfinite(answer).all():
                raise ContractError(f"guess of {secret.name!r} has numbers that are not finite")
            if secret.discrete and ((answer < 0).any() or (np.abs(answer.sum(axis=1) - 1) > 1e-6).any()):
                raise ContractError(f"guess of {secret.name!r} must have rows of probabilities that sum to 1")


@runtime_checkable
class Attack(Protocol):
    """A method that infers secrets from a view: a frozen dataclass of its parameters."""

    def skip(self, view: View) -> str | None:
        """Return one sentence why the attack does not apply to this view, or None if it does."""
        ...

    def infer(self, view: View, *, rng: np.random.Generator) -> Guess:
        """Guess every secret of every target.

        Parameters
        ----------
        view : View
            All that the adversary has.
        rng : Generator
            The only source of randomness.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """One play of a game, truth included: it stays with the runner.

    Parameters
    ----------
    train : Table
        What the defense is given.
    targets : Table
        Known columns of the T people attacked, in shuffled order.
    truth : Table
        Their secrets.
    groups : Table
        Their protected columns as they really are.
    member : array of bool
        Whose record was in the training data.
    reference : Reference
        What the scores are compared with.
    roster, rows, population
        As in `View`.
    """

    train: Table
    targets: Table
    truth: Table
    groups: Table
    member: NDArray[np.bool_]
    reference: Reference
    roster: Table | None = None
    rows: NDArray[np.int64] | None = None
    population: Table | None = None

    def view(
        self,
        release: Release,
        *,
        defense: Defense | None = None,
        scratch: Scratch | None = None,
    ) -> View:
        """Return what an adversary sees of this round."""
        return View(
            release=release,
            targets=self.targets,
            secrets=self.truth.schema.columns,
            roster=self.roster,
            rows=self.rows,
            population=self.population,
            defense=defense,
            scratch=scratch,
        )


@runtime_checkable
class Game(Protocol):
    """The experiment: who is attacked, what is known, and what would be scored without the release.

    Attributes
    ----------
    natural : bool
        Whether the training records are left as they are, so that downstream models may be judged.
    """

    natural: ClassVar[bool]

    def play(self, dataset: Dataset, secrets: tuple[str, ...], *, rng: np.random.Generator) -> Round:
        """Draw training records, targets and whatever the game grants.

        Raises
        ------
        InputError
            If the data set is too small for the game, or does not have the columns.
        """
        ...

    def skip(self, release: Release) -> str | None:
        """Return one sentence why the game cannot be played on this release, or None."""
        ...


def each_secret(
    view: View,
    infer: Callable[[Column], NDArray[np.float64]],
    spread: Mapping[str, NDArray[np.float64]] | None = None,
) -> Guess:
    """Build a guess with a method that takes one secret at a time."""
    return Guess({secret.name: infer(secret) for secret in view.secrets}, spread or {})
