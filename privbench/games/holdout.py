"""The holdout game: members and controls of one population are attacked side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from privbench.contracts import Round
from privbench.dataset import Dataset
from privbench.games.draw import check_people, draw, known_columns
from privbench.release import Release
from privbench.table import Table

__all__ = ["Holdout"]


@dataclass(frozen=True)
class Holdout:
    """Attack T members and T controls in one shuffled batch: the baseline is the same attack's score on the controls.

    A control is of the same population, but was not in the training data: what an attack knows of controls is what
    anyone could learn about the population, so the difference is what the release gives away about its own people.

    Parameters
    ----------
    targets : int
        T, the number of members attacked, and of controls.
    records : int or None
        How many records the defense sees; None for all but the controls and the population.
    known : tuple of str or None
        Columns that the adversary knows; None for every column that is not a secret.
    roster : bool
        Grant the known columns of every training record. It tells members from controls: off by default.
    population : int
        Number of public reference records granted, secrets included.

    References
    ----------
    M. Giomi, F. Boenisch, C. Wehmeyer and B. Tasnádi, "A Unified Framework for Quantifying Privacy Risk in Synthetic
    Data", PoPETs 2023.
    """

    natural: ClassVar[bool] = True

    targets: int = 500
    records: int | None = None
    known: tuple[str, ...] | None = None
    roster: bool = False
    population: int = 0

    def __post_init__(self) -> None:
        check_people(self.targets, self.population)

    def play(self, dataset: Dataset, secrets: tuple[str, ...], *, rng: np.random.Generator) -> Round:
        """Draw training records and controls, and shuffle T of each into one batch."""
        known = known_columns(dataset.records.schema, secrets, self.known)
        drawn = draw(
            dataset,
            secrets,
            records=self.records,
            targets=self.targets,
            controls=self.targets,
            population=self.population,
            rng=rng,
        )
        shuffle = rng.permutation(2 * self.targets)
        people = Table.concat([drawn.train.take(drawn.targets), drawn.controls]).take(shuffle)
        return Round(
            train=drawn.train,
            targets=people.select(known),
            truth=people.select(secrets),
            groups=people.select(people.schema.groups),
            member=shuffle < self.targets,
            reference="controls",
            roster=drawn.train.select(known).take(rng.permutation(len(drawn.train))) if self.roster else None,
            population=drawn.population if self.population else None,
        )

    def skip(self, release: Release) -> str | None:
        """Return None: every release can be attacked."""
        return None
