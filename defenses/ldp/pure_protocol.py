"""A randomiser whose report supports a value with one probability if it is the true one, with another if it is not.

References
----------
T. Wang, J. Blocki, N. Li and S. Jha, "Locally Differentially Private Protocols for Frequency Estimation", USENIX
Security 2017 (where such protocols are called pure).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defenses.ldp import frequency
from defenses.ldp.domain import check_parameters

__all__ = ["PureProtocol"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PureProtocol(ABC):
    """What the randomisers of one of k values have alike: what is learnt from which values a report supports.

    Parameters
    ----------
    size : int
        Number of values, k, at least 1.
    epsilon : float
        Local budget of one report, positive.

    Raises
    ------
    InputError
        If either is out of range.
    """

    size: int
    epsilon: float

    def __post_init__(self) -> None:
        check_parameters(self._name, size=self.size, epsilon=self.epsilon)

    @property
    def _name(self) -> str:
        """For messages."""
        return type(self).__name__.upper()

    @property
    @abstractmethod
    def p(self) -> float:
        """Probability that a report supports the true value."""

    @property
    @abstractmethod
    def q(self) -> float:
        """Probability that a report supports a given other value."""

    @property
    def log_ratio(self) -> float:
        """Log likelihood ratio of a value that a report supports to one that it does not."""
        return self.epsilon

    @abstractmethod
    def randomise(self, codes: NDArray[np.integer], *, rng: np.random.Generator) -> NDArray[Any]:
        """Return one report for each of `n` codes.

        Raises
        ------
        InputError
            If a code is none of 0..k-1.
        """

    @abstractmethod
    def support(self, reports: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which values each report supports, ``(n, k)``."""

    @abstractmethod
    def counts(self, reports: NDArray[Any]) -> Floats:
        """Return how many reports support each value, ``(k,)``."""

    def log_likelihood(self, reports: NDArray[Any]) -> Floats:
        """Return log P[report | value] up to a constant a report, ``(n, k)``: `log_ratio` where supported, else 0."""
        return np.where(self.support(reports), self.log_ratio, 0.0)

    def estimate(self, reports: NDArray[Any]) -> Floats:
        """Return the unbiased estimate of the values' shares, ``(k,)``; see `frequency.estimate`."""
        return frequency.estimate(self.counts(reports), reports=len(reports), p=self.p, q=self.q)

    def variance(self, shares: Floats, *, reports: int) -> Floats:
        """Return the variance of the estimate, ``(k,)``, given the shares of those who report; `frequency.variance`."""
        return frequency.variance(shares, reports=reports, p=self.p, q=self.q)

    @abstractmethod
    def success(self, prior: Floats) -> float:
        """Return how often the likeliest value given one report is the true one, values drawn from `prior`."""
