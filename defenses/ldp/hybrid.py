"""The hybrid mechanism: the piecewise one for some people, Duchi's bit for the others, drawn by a public coin."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from defenses.ldp.bounds import check_epsilon
from defenses.ldp.duchi import Duchi
from defenses.ldp.piecewise import Piecewise

__all__ = ["Hybrid"]

Floats = NDArray[np.float64]

# ln((-5 + 2 (6353 - 405 sqrt(241))^(1/3) + 2 (6353 + 405 sqrt(241))^(1/3)) / 27)
_THRESHOLD = 0.6093524930273093
_BIT = 3.0  # beyond every report of the piecewise mechanism


@dataclass(frozen=True)
class Hybrid:
    r"""Use `Piecewise` with probability alpha, else `Duchi`, each with the whole budget: the smallest worst variance.

    .. math:: \alpha = 1 - e^{-\epsilon / 2} \text{ if } \epsilon > \epsilon^* = .609..., \text{ else } 0

    Which of the two was used does not depend on the number, and the collector sees it: a piecewise report lies within
    [-2, 2], a bit is reported as -3 or 3, in single precision.

    Parameters
    ----------
    low, high : float
        Public bounds of the numbers, both included.
    epsilon : float
        Local budget of one report, positive.

    Raises
    ------
    InputError
        If the bounds are not finite and in order, or epsilon is not a positive number.

    References
    ----------
    N. Wang et al., "Collecting and Analyzing Multidimensional Data with Local Differential Privacy", ICDE 2019.
    """

    low: float
    high: float
    epsilon: float

    def __post_init__(self) -> None:
        check_epsilon("hybrid", self.epsilon)
        self.duchi  # noqa: B018 - refuses bad bounds

    @property
    def alpha(self) -> float:
        """Probability of a piecewise report."""
        return -math.expm1(-self.epsilon / 2) if self.epsilon > _THRESHOLD else 0.0

    @property
    def piecewise(self) -> Piecewise:
        """The one mechanism."""
        return Piecewise(self.low, self.high, self.epsilon)

    @property
    def duchi(self) -> Duchi:
        """The other one."""
        return Duchi(self.low, self.high, self.epsilon)

    def randomise(self, values: Floats, *, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return one report for each of `n` numbers.

        Raises
        ------
        InputError
            If a number is NaN or out of bounds.
        """
        values = np.asarray(values, dtype=np.float64)
        bits = rng.random(len(values)) >= self.alpha
        reports = np.empty(len(values), dtype=np.float32)
        reports[bits] = _BIT * (2.0 * self.duchi.randomise(values[bits], rng=rng) - 1)
        reports[~bits] = self.piecewise.randomise(values[~bits], rng=rng)
        return reports

    def debias(self, reports: NDArray[np.float32]) -> Floats:
        """Return the unbiased estimate of each number, ``(n,)``."""
        bits = self._bits(reports)
        return np.where(bits, self.duchi.debias((reports > 0).astype(np.uint8)), self.piecewise.debias(reports))

    def log_likelihood(self, reports: NDArray[np.float32], at: Floats) -> Floats:
        """Return log P[report | number] up to a constant a report for g candidate numbers, ``(n, g)``."""
        bits = self._bits(reports)
        found = np.empty((len(reports), len(at)))
        found[bits] = self.duchi.log_likelihood((reports[bits] > 0).astype(np.uint8), at)
        found[~bits] = self.piecewise.log_likelihood(reports[~bits], at)
        return found

    def likeliest(self, reports: NDArray[np.float32]) -> Floats:
        """Return the number under which each report is likeliest, by the mechanism that made it, ``(n,)``."""
        bits = self._bits(reports)
        by_bit = self.duchi.likeliest((reports > 0).astype(np.uint8))
        return np.where(bits, by_bit, self.piecewise.likeliest(reports))

    def estimate(self, reports: NDArray[np.float32]) -> float:
        """Return the unbiased estimate of the mean; the middle of the bounds without a report."""
        bits = self._bits(reports)
        share = float(bits.mean()) if len(bits) else 0.0
        by_bit = self.duchi.estimate((reports[bits] > 0).astype(np.uint8))
        return share * by_bit + (1 - share) * self.piecewise.estimate(reports[~bits])

    def variance(self, values: Floats) -> Floats:
        """Return the variance of the debiased report of each of these numbers, in their unit squared."""
        return self.alpha * self.piecewise.variance(values) + (1 - self.alpha) * self.duchi.variance(values)

    @staticmethod
    def _bits(reports: NDArray[np.float32]) -> NDArray[np.bool_]:
        return np.asarray(np.abs(reports) == _BIT)
