"""The re-identification game: find whose reports these are among the people of a roster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from privbench.contracts import Round
from privbench.dataset import Dataset
from privbench.errors import InputError
from privbench.games.draw import draw, known_columns
from privbench.release import Release
from privbench.reports import Reports
from privbench.schema import Column, Kind, Schema
from privbench.table import Table

__all__ = ["IDENTITY", "Reidentify"]

IDENTITY = "identity"
"""Name of the column that is guessed: the person's place in the roster."""


@dataclass(frozen=True)
class Reidentify:
    """Link the randomised reports of T people, whose names are withheld, to a roster: the baseline is chance, 1/N.

    The adversary holds a roster of N people with their true values in the randomised columns (the secrets), and for
    each target all reports of one or several surveys under a pseudonym. What is guessed is the person's place in
    the roster; `top_10_accuracy` is the share found among the ten likeliest. Columns that a collection leaves in the
    clear are not used: with them people could be found without any report.

    Parameters
    ----------
    targets : int
        T, the number of people attacked.
    records : int or None
        How many people report; None for all.
    candidates : int or None
        N, the number of people in the roster, targets included; None for everyone who reports.

    References
    ----------
    H. Arcolezi, S. Gambs, J.-F. Couchot and C. Palamidessi, "On the Risks of Collecting Multidimensional Data Under
    Local Differential Privacy", VLDB 2023.
    """

    # the records are left as they are, but the report game judges the same models
    natural: ClassVar[bool] = False

    targets: int = 500
    records: int | None = None
    candidates: int | None = None

    def __post_init__(self) -> None:
        if self.targets < 1 or (self.candidates is not None and self.candidates < max(2, self.targets)):
            raise InputError(
                f"targets must be at least 1, and candidates as many as targets and at least 2; got {self.targets} and "
                f"{self.candidates}"
            )

    def play(self, dataset: Dataset, secrets: tuple[str, ...], *, rng: np.random.Generator) -> Round:
        """Draw the people who report, T of them as targets, and the roster in an order of its own."""
        known_columns(dataset.records.schema, secrets, ())
        drawn = draw(dataset, secrets, records=self.records, targets=self.targets, controls=0, population=0, rng=rng)
        number = len(drawn.train) if self.candidates is None else self.candidates
        if number > len(drawn.train):
            raise InputError(f"candidates: got {number}; allowed: up to the {len(drawn.train)} people who report")
        others = np.setdiff1d(np.arange(len(drawn.train)), drawn.targets)
        listed = np.concatenate([drawn.targets, rng.permutation(others)[: number - self.targets]])
        order = rng.permutation(number)
        place = np.empty(number, dtype=np.int64)
        place[order] = np.arange(number)
        people = drawn.train.take(drawn.targets)
        identity = Column(IDENTITY, Kind.CATEGORICAL, tuple(range(number)))
        schema = Schema((identity,), secrets=(IDENTITY,))
        return Round(
            train=drawn.train,
            targets=people.select(()),
            truth=Table(schema, {IDENTITY: place[: self.targets]}),
            groups=people.select(people.schema.groups),
            member=np.ones(self.targets, dtype=bool),
            reference="chance",
            roster=drawn.train.select(secrets).take(listed[order]),
            rows=drawn.targets,
        )

    def skip(self, release: Release) -> str | None:
        """Return why the game cannot be played on this release: it has no report a person."""
        if isinstance(release, Reports):
            return None
        return "the reidentify game needs randomised reports under pseudonyms, and this release has none"
