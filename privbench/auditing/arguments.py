"""What an audit is asked: every argument held to what it may be, before any work is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from privbench import registry
from privbench.auditing.lineup import ATTACKS, ATTACKS_ALONE
from privbench.auditing.people import FEWEST
from privbench.datasets.alike import Alike
from privbench.errors import InputError, unknown

__all__ = ["Arguments", "Names", "listed"]

Names = str | Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Arguments:
    """What an audit is asked, apart from the files.

    Attributes
    ----------
    secrets, known : tuple of str
        Columns named; empty for the default.
    attacks : tuple of str
    targets, seed : int
    workers : int or None
    time_limit : float or None

    Raises
    ------
    InputError
        Naming the argument, what it is and what it may be.
    """

    secrets: tuple[str, ...]
    known: tuple[str, ...]
    attacks: tuple[str, ...]
    targets: int
    seed: int
    workers: int | None
    time_limit: float | None

    def __post_init__(self) -> None:
        for name in self.attacks:
            registry.make("attacks", name, {})
        if both := [name for name in self.secrets if name in self.known]:
            raise InputError(f"known: column {both[0]!r} is a secret too; leave it out of one of the two")
        if not _whole(self.targets) or self.targets < FEWEST:
            raise InputError(
                f"targets: got {self.targets!r}; allowed: whole numbers from {FEWEST}, as fewer people say nothing"
            )
        if not _whole(self.seed):
            raise InputError(f"seed: got {self.seed!r}; allowed: whole numbers")
        if self.workers is not None and (not _whole(self.workers) or self.workers < 1):
            raise InputError(f"workers: got {self.workers!r}; allowed: whole numbers from 1, or none for one a core")
        if self.time_limit is not None and not (_number(self.time_limit) and self.time_limit > 0):
            raise InputError(f"time_limit: got {self.time_limit!r}; allowed: seconds above 0, or none")

    @classmethod
    def of(
        cls,
        *,
        secret: Names,
        known: Names,
        attacks: Names,
        targets: int,
        seed: int,
        workers: int | None,
        time_limit: float | None,
        control: bool,
    ) -> Arguments:
        """Take them as a user gives them: one name, several, or none; `control`: whether there is a control file."""
        secrets, declared = listed("secret", secret), listed("known", known)
        chosen = listed("attacks", attacks) or (ATTACKS if control else ATTACKS_ALONE)
        return cls(secrets, declared, chosen, targets, seed, workers, time_limit)

    def asked(self, alike: Alike) -> tuple[str, ...]:
        """Return the columns to ask: those named, or all that are not known, identifiers last.

        Raises
        ------
        InputError
            If a column is named that the files do not share, or nothing is left to ask.
        """
        schema, identifiers = alike.train.schema, [one.name for one in alike.identifiers]
        for name in self.known:
            if name in identifiers:
                raise InputError(f"known: column {name!r} has a value of its own for nearly everybody; leave it out")
        for key, names in (("secret", self.secrets), ("known", self.known)):
            for name in names:
                if name not in schema and name not in identifiers:
                    allowed = [*schema.names, *identifiers]
                    raise unknown(
                        f"column under {key!r}",
                        name,
                        allowed,
                        hint="It must stand in all files, with two values or more.",
                    )
        if self.secrets:
            return self.secrets
        asked = tuple(name for name in schema.names if name not in self.known)
        if not asked:
            raise InputError("known: all columns are known, so that nothing is left to infer; leave one out")
        return (*asked, *identifiers)


def listed(key: str, value: Names) -> tuple[str, ...]:
    """Return names that a user gave as one text or several, each once.

    Raises
    ------
    InputError
        If one is no text, or stands twice, or there is none though something is given: that is not the default.
    """
    names = () if value is None else (value,) if isinstance(value, str) else tuple(value)
    if value is not None and not names:
        raise InputError(f"{key}: nothing is named; name one at least, or leave it out")
    for name in names:
        if not isinstance(name, str):
            raise InputError(f"{key}: {name!r} is no name; give a text, or a list of texts")
        if names.count(name) > 1:
            raise InputError(f"{key}: {name!r} is listed twice; leave one of the two out")
    return names


def _whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _number(value: object) -> bool:
    return _whole(value) or isinstance(value, float | np.floating)
