"""Noisy one-way histograms, every column drawn on its own."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from defenses.synthetic.ancestral import draw_given
from defenses.synthetic.coding import Coding, count
from defenses.synthetic.noise import geometric, stated_assumptions
from privbench.claim import Adjacency, Claim
from privbench.errors import InputError
from privbench.release import SyntheticTable
from privbench.table import Table

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
        coding = Coding(train.schema, self.bins)
        codes = coding.encode(train)
        rate = self.epsilon / len(codes) / _SENSITIVITY
        drawn: list[NDArray[np.integer]] = []
        together = np.zeros(rows, dtype=np.int64)
        for place, size in enumerate(coding.sizes):
            counts = count(codes, (place,), coding.sizes)
            noisy = np.maximum(counts + geometric(size, rate=rate, rng=rng), 0)
            drawn.append(draw_given(together, noisy[None, :].astype(np.float64), rng=rng))
        claim = Claim(self.epsilon, 0.0, Adjacency.REPLACE_ONE, stated_assumptions(train.schema))
        return SyntheticTable(coding.decode(np.stack(drawn), rng=rng), private_records=len(train), claim=claim)
