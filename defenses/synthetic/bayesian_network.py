"""A greedy Bayesian network without a guarantee, or with one: then it is PrivBayes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from defenses.synthetic.bayes_net import draw, fit_exact
from defenses.synthetic.coding import Coding
from defenses.synthetic.privbayes import Privbayes
from privbench.errors import InputError
from privbench.release import SyntheticTable
from privbench.table import Table

__all__ = ["BayesianNetwork"]


@dataclass(frozen=True)
class BayesianNetwork:
    """Give each column the few parents that tell most about it, count, and draw column by column.

    Columns join one by one, each time the column and the parents of greatest mutual information. Without `epsilon`
    counts are exact and no guarantee is claimed; with it this is `privbayes`.

    Parameters
    ----------
    degree : int
        Most parents of a column.
    epsilon : float or None
        Total budget for exchanging one record, positive; None for no privacy.
    bins : int
        Cells into which the domain of a continuous column is cut, equal in width.
    rows : int or None
        How many rows are released; None for as many as there are records.

    References
    ----------
    H. Ping, J. Stoyanovich and B. Howe, "DataSynthesizer: Privacy-Preserving Synthetic Datasets", SSDBM 2017.
    J. Zhang, G. Cormode, C. Procopiuc, D. Srivastava and X. Xiao, "PrivBayes: Private Data Release via Bayesian
    Networks", ACM TODS 42(4), 2017.
    """

    degree: int = 2
    epsilon: float | None = None
    bins: int = 32
    rows: int | None = None

    def __post_init__(self) -> None:
        if self.epsilon is not None:
            self._private()
        if min(self.degree, self.bins) < 1 or (self.rows is not None and self.rows < 1):
            raise InputError(
                f"degree, bins and rows must be at least 1, got {self.degree}, {self.bins} and {self.rows}"
            )

    def _private(self) -> Privbayes:
        return Privbayes(epsilon=self.epsilon or 0.0, degree=self.degree, bins=self.bins, rows=self.rows)

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        """Return rows drawn from the network."""
        if self.epsilon is not None:
            return self._private().release(train, rng=rng)
        coding = Coding(train.schema, self.bins)
        tables = fit_exact(coding.encode(train), coding.sizes, degree=self.degree, rng=rng)
        drawn = draw(tables, coding.sizes, rows=self.rows or len(train), rng=rng)
        return SyntheticTable(coding.decode(drawn, rng=rng), private_records=len(train))
