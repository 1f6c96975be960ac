"""A planted bug, the sizes it can have, its honest version, and the test that has to tell them apart."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from privbench.contracts import Defense
from privbench.dataset import Dataset
from privbench.rng import stream
from privbench.schema import Column, Schema
from privbench.table import Table
from privbench.verifying.verify import verify

__all__ = ["Case", "Size"]


@dataclass(frozen=True)
class Size:
    """One size of a bug.

    Parameters
    ----------
    label : str
        The true epsilon, or delta, for the one claimed; where none is finite, how often or when it leaks.
    defense : Defense
        The mechanism that has it.
    data : tuple of Column
        Of the data set; none for the case's own.
    """

    label: str
    defense: Defense
    data: tuple[Column, ...] = ()


@dataclass(frozen=True)
class Case:
    """A planted bug.

    Parameters
    ----------
    name : str
        For the command line and the table.
    family : str
        histogram, marginals, deep or ldp.
    sizes : tuple of Size
        From the smallest violation to the largest.
    stated : str
        Label of the size that has to be caught, in 95 % of all tests, with `runs`.
    honest : Defense
        The mechanism without the bug, which has to pass.
    data : tuple of Column
        Of the data set; neighbours are made of them.
    method : str
        Of `privbench.verify`.
    runs : int
        Releases that a test may make.
    """

    name: str
    family: str
    sizes: tuple[Size, ...]
    stated: str
    honest: Defense
    data: tuple[Column, ...]
    method: str = "many-runs"
    runs: int = 4000

    @property
    def buggy(self) -> Size:
        """The bug of the stated size."""
        return next(size for size in self.sizes if size.label == self.stated)

    def dataset(self, size: Size | None = None) -> Dataset:
        """Return the data set for the honest version, or for a size of the bug."""
        return _dataset(self.data if size is None or not size.data else size.data)

    def test(self, size: Size | None, *, seed: int) -> dict[str, Any]:
        """Return the p-value of one test of the honest version, or of a size of the bug, and what the test took."""
        defense = self.honest if size is None else size.defense
        found = verify(
            defense,
            dataset=self.dataset(size),
            method=self.method,
            runs=self.runs,
            seed=seed,
            workers=1,
            power=False,
        )
        test = found.strongest
        return {
            "p_value": found.p_value,
            "epsilon_lower_bound": found.epsilon_lower_bound,
            "claimed": test.claimed,
            "runs": test.runs,
            "seconds": test.seconds,
            "event": test.event,
        }


@lru_cache
def _dataset(columns: tuple[Column, ...]) -> Dataset:
    """Return uniform and independent records: a test needs little but their schema."""
    rng, n = stream(0, "planted"), 400
    arrays = {
        column.name: rng.integers(column.size, size=n)
        if column.discrete
        else np.round(rng.uniform(column.low, column.high, size=n))
        for column in columns
    }
    table = Table(Schema(columns), arrays)
    return Dataset("planted", table.take(np.arange(n // 2)), table.take(np.arange(n // 2, n)), source="made up")
