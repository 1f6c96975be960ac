"""The report game: the collector of randomised reports wants a person's true value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from privbench.contracts import Round
from privbench.dataset import Dataset
from privbench.games.draw import check_people, draw, known_columns
from privbench.release import Release
from privbench.reports import Reports

__all__ = ["Report"]


@dataclass(frozen=True)
class Report:
    """Attack T people whose own randomised report the collector sees: the baseline is the same attack without it.

    Without means that the report does not exist: the attack then learns from the reports of others.

    Parameters
    ----------
    targets : int
        T, the number of people attacked.
    records : int or None
        How many people report; None for all.
    known : tuple of str or None
        Columns that the collector knows of a person; None for every column that is not a secret.
    population : int
        Number of public reference records granted, secrets included.

    References
    ----------
    M. Gursoy, L. Liu, K.-H. Chow, S. Truex and W. Wei, "An Adversarial Approach to Protocol Analysis and Selection in
    Local Differential Privacy", IEEE TIFS 2022.
    """

    natural: ClassVar[bool] = True

    targets: int = 500
    records: int | None = None
    known: tuple[str, ...] | None = None
    population: int = 0

    def __post_init__(self) -> None:
        check_people(self.targets, self.population)

    def play(self, dataset: Dataset, secrets: tuple[str, ...], *, rng: np.random.Generator) -> Round:
        """Draw the people who report, and T of them as targets."""
        known = known_columns(dataset.records.schema, secrets, self.known)
        drawn = draw(
            dataset,
            secrets,
            records=self.records,
            targets=self.targets,
            controls=0,
            population=self.population,
            rng=rng,
        )
        people = drawn.train.take(drawn.targets)
        return Round(
            train=drawn.train,
            targets=people.select(known),
            truth=people.select(secrets),
            groups=people.select(people.schema.groups),
            member=np.ones(self.targets, dtype=bool),
            reference="no-report",
            rows=drawn.targets,
            population=drawn.population if self.population else None,
        )

    def skip(self, release: Release) -> str | None:
        """Return why the game cannot be played on this release: it has no report a person."""
        if isinstance(release, Reports):
            return None
        return "the report game needs one randomised report a person, and this release has none"
