"""Duchi's mechanism: one bit, whose probability is linear in the number."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from defenses.ldp.bounds import Bounds, check_epsilon

__all__ = ["Duchi"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Duchi:
    r"""Report one of two numbers, +C or -C, so that the expectation is the number itself.

    On numbers t in [-1, 1], with the report as a bit (1 stands for +C),

    .. math:: P[1 \mid t] = \frac{1}{2} + \frac{t}{2} \frac{e^\epsilon - 1}{e^\epsilon + 1},
        \quad C = \frac{e^\epsilon + 1}{e^\epsilon - 1}, \quad \mathrm{Var} = C^2 - t^2.

    It is drawn as a fair rounding of t to one end, which is then flipped with probability 1 / (e^epsilon + 1); in
    floating point that probability is rounded up to a multiple of 2^-53, so the guarantee holds exactly.

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
    J. Duchi, M. Jordan and M. Wainwright, "Minimax Optimal Procedures for Locally Private Estimation", JASA 113, 2018.
    """

    low: float
    high: float
    epsilon: float

    def __post_init__(self) -> None:
        self._bounds  # noqa: B018 - refuses bad ones
        check_epsilon("duchi", self.epsilon)

    @property
    def _bounds(self) -> Bounds:
        return Bounds(self.low, self.high)

    @property
    def flip(self) -> float:
        """Probability that the end reported is not the one rounded to, 1 / (e^epsilon + 1)."""
        small = math.exp(-min(self.epsilon, 700.0))  # never 0: its logarithm is needed
        return small / (1 + small)

    @property
    def spread(self) -> float:
        """The size C of a debiased report on [-1, 1]."""
        return 1 / math.tanh(self.epsilon / 2)

    def randomise(self, values: Floats, *, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Return one bit for each of `n` numbers.

        Raises
        ------
        InputError
            If a number is NaN or out of bounds.
        """
        upper = rng.random(len(values)) < (1 + self._bounds.inward(values)) / 2
        return (upper ^ (rng.random(len(values)) < self.flip)).astype(np.uint8)

    def debias(self, reports: NDArray[np.uint8]) -> Floats:
        """Return the unbiased estimate of each number, always outside the bounds, ``(n,)``."""
        return self._bounds.outward(self.spread * (2 * reports.astype(np.float64) - 1))

    def log_likelihood(self, reports: NDArray[np.uint8], at: Floats) -> Floats:
        """Return log P[report | number] for g candidate numbers, ``(n, g)``."""
        above = (1 + self._bounds.inward(at)) / 2
        by_bit = [(1 - above) * (1 - self.flip) + above * self.flip, above * (1 - self.flip) + (1 - above) * self.flip]
        return np.asarray(np.log(by_bit)[reports])

    def likeliest(self, reports: NDArray[np.uint8]) -> Floats:
        """Return the number under which each report is likeliest, the bound that it stands for, ``(n,)``."""
        return np.where(reports, self.high, self.low)

    def estimate(self, reports: NDArray[np.uint8]) -> float:
        """Return the unbiased estimate of the mean; the middle of the bounds without a report."""
        share = float(reports.mean(dtype=np.float64)) if len(reports) else 0.5
        return self._bounds.middle + self._bounds.half * self.spread * (2 * share - 1)

    def variance(self, values: Floats) -> Floats:
        """Return the variance of the debiased report of each of these numbers, in their unit squared."""
        number = self._bounds.inward(values)
        # C^2 - t^2 = (C^2 - 1) + (1 - t^2), both exact where C is near 1
        excess = 1 / math.sinh(min(self.epsilon, 700.0) / 2) ** 2
        return self._bounds.half**2 * (excess + (1 - number) * (1 + number))
