"""PrivBayes: a Bayesian network chosen and counted with noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from defenses.synthetic.bayes_net import draw, fit_private
from defenses.synthetic.coding import Coding
from defenses.synthetic.pure import PureLedger, check_epsilon
from privbench.errors import InputError
from privbench.release import SyntheticTable
from privbench.table import Table

__all__ = ["Privbayes"]


@dataclass(frozen=True)
class Privbayes:
    """Choose each column's parents by the exponential mechanism, measure them together, draw column by column: DP.

    Three tenths of the budget go to the choices, the rest to the tables, with two-sided geometric noise. A column has
    as many parents, up to `degree`, as leave a cell's average share at four times its noise. Pure epsilon-DP under
    exchange of one record; domains and bounds come from the schema; the number of records is public.

    Parameters
    ----------
    epsilon : float
        Total budget for exchanging one record, positive.
    degree : int
        Most parents of a column.
    bins : int
        Cells into which the domain of a continuous column is cut, equal in width.
    rows : int or None
        How many rows are released; None for as many as there are records.

    References
    ----------
    J. Zhang, G. Cormode, C. Procopiuc, D. Srivastava and X. Xiao, "PrivBayes: Private Data Release via Bayesian
    Networks", ACM TODS 42(4), 2017.
    """

    epsilon: float = 1.0
    degree: int = 3
    bins: int = 32
    rows: int | None = None

    def __post_init__(self) -> None:
        check_epsilon(self.epsilon)
        if min(self.degree, self.bins) < 1 or (self.rows is not None and self.rows < 1):
            raise InputError(
                f"degree, bins and rows must be at least 1, got {self.degree}, {self.bins} and {self.rows}"
            )

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        """Return rows drawn from the noisy network."""
        coding = Coding(train.schema, self.bins)
        ledger = PureLedger(self.epsilon, rng)
        tables = fit_private(coding.encode(train), coding.sizes, degree=self.degree, ledger=ledger)
        drawn = draw(tables, coding.sizes, rows=self.rows or len(train), rng=rng)
        table = coding.decode(drawn, rng=rng)
        return SyntheticTable(table, private_records=len(train), claim=ledger.claim(train.schema))
