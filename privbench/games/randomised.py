"""The randomised game: targets' secrets are replaced by fresh uniform draws before the defense sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from privbench.contracts import Round
from privbench.dataset import Dataset
from privbench.games.draw import check_people, draw, known_columns
from privbench.release import Release
from privbench.schema import Column

__all__ = ["Randomised"]


@dataclass(frozen=True)
class Randomised:
    """Attack T training records whose secret was replaced by a uniform draw: all above chance is leakage of the record.

    No correlation can help, so the baseline is chance, 1/k, exactly. The T draws are independent coins: one run is
    also a test of a differential-privacy claim. As the records are altered, no downstream model is judged here.

    Parameters
    ----------
    targets : int
        T, the number of training records attacked.
    records : int or None
        How many records the defense sees; None for all.
    known : tuple of str or None
        Columns that the adversary knows; None for every column that is not a secret.
    roster : bool
        Grant the known columns of every training record.
    rows : bool
        Grant the position of each target's record in the release, where rows have one (reports, altered rows).
    population : int
        Number of public reference records granted, secrets included.

    References
    ----------
    M. Annamalai, A. Gadotti and L. Rocher, "A Linear Reconstruction Approach for Attribute Inference Attacks against
    Synthetic Data", USENIX Security 2024; T. Steinke, M. Nasr and M. Jagielski, "Privacy Auditing with One (1)
    Training Run", NeurIPS 2023.
    """

    natural: ClassVar[bool] = False

    targets: int = 500
    records: int | None = None
    known: tuple[str, ...] | None = None
    roster: bool = True
    rows: bool = False
    population: int = 0

    def __post_init__(self) -> None:
        check_people(self.targets, self.population)

    def play(self, dataset: Dataset, secrets: tuple[str, ...], *, rng: np.random.Generator) -> Round:
        """Draw training records and replace the secrets of T of them."""
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
        arrays = {}
        for name in secrets:
            values = np.array(drawn.train[name])
            values[drawn.targets] = _uniform(drawn.train.schema[name], self.targets, rng)
            arrays[name] = values
        train = drawn.train.replace(arrays)
        people = train.take(drawn.targets)
        return Round(
            train=train,
            targets=people.select(known),
            truth=people.select(secrets),
            groups=people.select(people.schema.groups),
            member=np.ones(self.targets, dtype=bool),
            reference="chance",
            roster=train.select(known).take(rng.permutation(len(train))) if self.roster else None,
            rows=drawn.targets if self.rows else None,
            population=drawn.population if self.population else None,
        )

    def skip(self, release: Release) -> str | None:
        """Return None: every release can be attacked."""
        return None


def _uniform(column: Column, size: int, rng: np.random.Generator) -> NDArray[Any]:
    if column.discrete:
        return rng.integers(column.size, size=size)
    if column.integer:
        return rng.integers(int(column.low), int(column.high) + 1, size=size).astype(np.float64)
    return rng.uniform(column.low, column.high, size=size)
