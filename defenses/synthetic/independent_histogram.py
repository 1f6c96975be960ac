"""Noisy one-way histograms, every column drawn on its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from defenses.synthetic.ancestral import draw_given
from defenses.synthetic.coding import Coding, count
from defenses.synthetic.pure import PureLedger, check_epsilon
from privbench.errors import InputError
from privbench.release import SyntheticTable
from privbench.simplex import nearest_distribution
from privbench.table import Table

__all__ = ["IndependentHistogram"]


@dataclass(frozen=True)
class IndependentHistogram:
    """Draw every column on its own from a histogram with geometric noise: epsilon-DP, and no relation is kept.

    The budget is split evenly over the columns. Counts get integer noise from the two-sided geometric distribution, and
    rows are drawn from the distribution nearest to them. Domains and bounds come from the schema; the number of records
    is public.

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
        check_epsilon(self.epsilon)
        if self.bins < 1 or (self.rows is not None and self.rows < 1):
            raise InputError(f"bins and rows must be at least 1, got {self.bins} and {self.rows}")

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        """Return rows drawn from the noisy histograms."""
        rows = self.rows or len(train)
        coding = Coding(train.schema, self.bins)
        codes = coding.encode(train)
        ledger = PureLedger(self.epsilon, rng)
        drawn: list[NDArray[np.integer]] = []
        together = np.zeros(rows, dtype=np.int64)
        for place, name in enumerate(train.schema.names):
            counts = count(codes, (place,), coding.sizes)
            noisy = ledger.measure(counts, epsilon=self.epsilon / len(codes), what=name)
            drawn.append(draw_given(together, nearest_distribution(noisy / len(train))[None, :], rng=rng))
        table = coding.decode(np.stack(drawn), rng=rng)
        return SyntheticTable(table, private_records=len(train), claim=ledger.claim(train.schema))
