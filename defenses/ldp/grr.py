"""Generalised randomised response: report the true value with probability p, any other one equally likely."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privbench.errors import InputError

__all__ = ["Grr"]


@dataclass(frozen=True)
class Grr:
    r"""Generalised randomised response over k values.

    .. math:: p = e^\epsilon / (e^\epsilon + k - 1), \quad q = 1 / (e^\epsilon + k - 1)

    Parameters
    ----------
    size : int
        Number of values, k, at least 1.
    epsilon : float
        Local budget of one report, positive.

    References
    ----------
    P. Kairouz, K. Bonawitz and D. Ramage, "Discrete Distribution Estimation under Local Privacy", ICML 2016.
    """

    size: int
    epsilon: float

    def __post_init__(self) -> None:
        if self.size < 1 or not (self.epsilon > 0 and math.isfinite(self.epsilon)):
            raise InputError(f"GRR needs at least one value and epsilon > 0; got k={self.size}, epsilon={self.epsilon}")

    @property
    def p(self) -> float:
        """Probability of the true value: 1 / (1 + (k - 1) e^-epsilon), which cannot overflow."""
        return 1 / (1 + (self.size - 1) * math.exp(-self.epsilon))

    @property
    def q(self) -> float:
        """Probability of a given other value."""
        return math.exp(-self.epsilon) * self.p

    def randomise(self, codes: NDArray[np.integer], *, rng: np.random.Generator) -> NDArray[np.int32]:
        """Return one reported code for each of `n` codes."""
        reports = np.array(codes, dtype=np.int32)
        lies = np.flatnonzero(rng.random(len(reports)) >= self.p)
        if self.size > 1:
            reports[lies] = (reports[lies] + rng.integers(1, self.size, size=len(lies))) % self.size
        return reports

    def support(self, reports: NDArray[Any]) -> NDArray[np.bool_]:
        """Return the ``(n, k)`` indicators of the reported values."""
        return reports[:, None] == np.arange(self.size)

    def log_likelihood(self, reports: NDArray[Any]) -> NDArray[np.float64]:
        """Return log P[report | value] up to a constant, ``(n, k)``: epsilon for the reported value, else 0."""
        return np.where(self.support(reports), self.epsilon, 0.0)

    def estimate(self, reports: NDArray[Any]) -> NDArray[np.float64]:
        """Return the unbiased estimate (C_v / n - q) / (p - q) of the values' shares."""
        shares = np.bincount(reports, minlength=self.size) / max(1, len(reports))
        if self.size > 1:
            shares = (shares - self.q) / (self.p - self.q)
        return np.asarray(shares, dtype=np.float64)

    def variance(self, shares: NDArray[np.float64], *, reports: int) -> NDArray[np.float64]:
        r"""Return the variance of the estimate of each value.

        .. math:: \frac{q (1 - q)}{n (p - q)^2} + \frac{f_v (1 - p - q)}{n (p - q)}
        """
        if self.size == 1:
            return np.zeros(1)
        gap, share = self.p - self.q, np.clip(shares, 0, 1)
        return (self.q * (1 - self.q) / gap**2 + share * (1 - self.p - self.q) / gap) / reports
