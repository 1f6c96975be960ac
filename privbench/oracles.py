"""The randomisers of single values, as everybody knows them: their public parameters, and what these say of reports.

A report supports a set of values: `p` is the probability that it supports the true one, `q` that it supports a given
other one.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

__all__ = ["FakedOracle", "FrequencyOracle", "NumericOracle"]

Floats = NDArray[np.float64]


@runtime_checkable
class FrequencyOracle(Protocol):
    """A randomiser of one discrete value of k, and what its public parameters say about its reports."""

    @property
    def size(self) -> int:
        """Number of values, k."""
        ...

    @property
    def epsilon(self) -> float:
        """Local budget of one report."""
        ...

    @property
    def p(self) -> float | Floats:
        """Probability that a report supports the true value; one a value, ``(k,)``, where it depends on the value."""
        ...

    @property
    def q(self) -> float | Floats:
        """Probability that a report supports a given other value; as `p`."""
        ...

    def randomise(self, codes: NDArray[np.integer], *, rng: np.random.Generator) -> NDArray[Any]:
        """Return one report for each of `n` codes: an array whose first axis has length `n`."""
        ...

    def support(self, reports: NDArray[Any]) -> NDArray[Any]:
        """Return which of the k values each report supports, ``(n, k)``: booleans, or shares of its rounds."""
        ...

    def counts(self, reports: NDArray[Any]) -> Floats:
        """Return how many reports support each value, ``(k,)``, in memory bounded by blocks."""
        ...

    def log_likelihood(self, reports: NDArray[Any]) -> Floats:
        """Return log P[report | value] up to a constant a report, ``(n, k)``."""
        ...

    def estimate(self, reports: NDArray[Any]) -> Floats:
        """Return the unbiased estimate of the k values' shares; it may leave [0, 1]."""
        ...

    def variance(self, shares: Floats, *, reports: int) -> Floats:
        """Return the variance of the estimate of k values with these shares, from that many reports."""
        ...

    def success(self, prior: Floats) -> float | None:
        """Return how often the likeliest value given one report is the true one, where values are drawn from `prior`.

        Exact, with equally likely values counted as their share; None where no closed form is known.
        """
        ...


@runtime_checkable
class FakedOracle(FrequencyOracle, Protocol):
    """A frequency oracle whose report is genuine with a known probability, else a fake that does not see the value."""

    @property
    def genuine(self) -> FrequencyOracle:
        """The randomiser of a genuine report."""
        ...

    @property
    def share(self) -> float:
        """Probability that a report is genuine."""
        ...

    def log_odds(self, reports: NDArray[Any]) -> Floats:
        """Return log P[report | value, genuine] - log P[report | fake], ``(n, k)``."""
        ...


@runtime_checkable
class NumericOracle(Protocol):
    """A randomiser of one number within public bounds."""

    @property
    def low(self) -> float:
        """Lower bound of the numbers."""
        ...

    @property
    def high(self) -> float:
        """Upper bound of the numbers."""
        ...

    @property
    def epsilon(self) -> float:
        """Local budget of one report."""
        ...

    def randomise(self, values: Floats, *, rng: np.random.Generator) -> NDArray[Any]:
        """Return one report for each of `n` numbers."""
        ...

    def debias(self, reports: NDArray[Any]) -> Floats:
        """Return an unbiased estimate of each person's number, ``(n,)``, in its own unit; it may leave the bounds."""
        ...

    def log_likelihood(self, reports: NDArray[Any], at: Floats) -> Floats:
        """Return log P[report | number] up to a constant a report for g candidate numbers, ``(n, g)``."""
        ...

    def likeliest(self, reports: NDArray[Any]) -> Floats:
        """Return the number within the bounds under which each report is likeliest, ``(n,)``."""
        ...

    def estimate(self, reports: NDArray[Any]) -> float:
        """Return the unbiased estimate of the mean."""
        ...

    def variance(self, values: Floats) -> Floats:
        """Return the variance of the debiased report of each of these numbers."""
        ...
