"""Noisy one-way histograms, every column drawn on its own."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privbench.claim import Adjacency, Claim
from privbench.errors import InputError
from privbench.release import SyntheticTable
from privbench.schema import Schema
from privbench.table import Table, bin_count, from_bins, to_bins

__all__ = ["IndependentHistogram"]

# exchanging one record lowers one count of a column by one and raises another by one
_SENSITIVITY = 2


@dataclass(frozen=True)
class IndependentHistogram:
    """Draw every column on its own from a histogram with geometric noise: epsilon-DP, and no relation is kept.

    The budget is split evenly over the columns. Counts get integer noise from the two-sided geometric distribution,
    negative ones become zero. Domains and bounds come from the schema; the number of records is public.

    Parameters
    ----------
    epsilon : float
        Total budget for exchanging one record, positive.
    bins : int
        Cells into which the domain of a continuous column is cut, equal in width.
    rows : int or None
        How many rows are released; None for as many as there are records.

    References
    ----------
    A. Ghosh, T. Roughgarden and M. Sundararajan, "Universally Utility-Maximizing Privacy Mechanisms", STOC 2009.
    """

    epsilon: float = 1.0
    bins: int = 32
    rows: int | None = None

    def __post_init__(self) -> None:
        if not (self.epsilon > 0 and math.isfinite(self.epsilon)):
            raise InputError(f"epsilon must be a positive number, got {self.epsilon}")
        if self.bins < 1 or (self.rows is not None and self.rows < 1):
            raise InputError(f"bins and rows must be at least 1, got {self.bins} and {self.rows}")

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        """Return rows drawn from the noisy histograms."""
        rows = self.rows or len(train)
        share = self.epsilon / len(train.schema.columns)
        arrays = {}
        for column in train.schema.columns:
            cells = to_bins(column, train[column.name], bins=self.bins)
            counts = np.bincount(cells, minlength=bin_count(column, self.bins))
            noisy = np.maximum(counts + _geometric_noise(len(counts), share / _SENSITIVITY, rng), 0)
            weights = noisy / noisy.sum() if noisy.any() else np.full(len(noisy), 1 / len(noisy))
            drawn = rng.choice(len(weights), size=rows, p=weights)
            arrays[column.name] = from_bins(column, drawn, bins=self.bins, rng=rng)
        claim = Claim(self.epsilon, 0.0, Adjacency.REPLACE_ONE, _assumptions(train.schema))
        return SyntheticTable(Table(train.schema, arrays), private_records=len(train), claim=claim)


def _geometric_noise(size: int, rate: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw integers with P[x] proportional to exp(-rate |x|), as the difference of two geometric counts."""
    success = -math.expm1(-rate)
    return rng.geometric(success, size=size) - rng.geometric(success, size=size)


def _assumptions(schema: Schema) -> tuple[str, ...]:
    said = [
        "the number of records is public",
        "the noise is integer, but drawn with double-precision arithmetic: probabilities are exact to about 1e-16",
    ]
    if undeclared := schema.undeclared():
        said.append(f"the domains of {', '.join(undeclared)} are public, though they were read off the file")
    return tuple(said)
