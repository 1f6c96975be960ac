"""SDV's Gaussian copula: one-way distributions tied together by a correlation matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from defenses.synthetic.sdv_bridge import synthesize
from privbench.errors import InputError
from privbench.release import SyntheticTable
from privbench.table import Table

__all__ = ["GaussianCopula"]


@dataclass(frozen=True)
class GaussianCopula:
    """Fit a distribution to each column and a Gaussian copula to their ranks (SDV): no guarantee is claimed.

    Needs the extra `generators`.

    Parameters
    ----------
    distribution : str
        Of the numbers: beta, norm, truncnorm, uniform, gamma or gaussian_kde (slow).
    rows : int or None
        How many rows are released; None for as many as there are records.

    References
    ----------
    N. Patki, R. Wedge and K. Veeramachaneni, "The Synthetic Data Vault", DSAA 2016.
    """

    distribution: str = "beta"
    rows: int | None = None

    def __post_init__(self) -> None:
        allowed = ("beta", "norm", "truncnorm", "uniform", "gamma", "gaussian_kde")
        if self.distribution not in allowed:
            raise InputError(f"distribution: got {self.distribution!r}; allowed: {', '.join(allowed)}")
        if self.rows is not None and self.rows < 1:
            raise InputError(f"rows must be at least 1, got {self.rows}")

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        """Return rows drawn from the fitted copula."""
        options = {"default_distribution": self.distribution}
        table = synthesize("GaussianCopulaSynthesizer", train, rows=self.rows, options=options, rng=rng)
        return SyntheticTable(table, private_records=len(train))
