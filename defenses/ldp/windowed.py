"""A mechanism that reports a number from a window around the true one, in the column's own unit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from defenses.ldp.bounds import Bounds, check_epsilon
from defenses.ldp.window import Window

__all__ = ["Windowed"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Windowed(ABC):
    """What mechanisms have alike whose report is likelier within a window, whatever its width.

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
    """

    low: float
    high: float
    epsilon: float

    def __post_init__(self) -> None:
        self._bounds  # noqa: B018 - refuses bad ones
        check_epsilon(self._name, self.epsilon)

    @property
    @abstractmethod
    def _name(self) -> str:
        """For messages."""

    @property
    def _bounds(self) -> Bounds:
        return Bounds(self.low, self.high)

    @property
    @abstractmethod
    def window(self) -> Window:
        """The mechanism on [-1, 1]."""

    def randomise(self, values: Floats, *, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return one report in [-2, 2] for each of `n` numbers.

        Raises
        ------
        InputError
            If a number is NaN or out of bounds.
        """
        return self.window.randomise(self._bounds.inward(values), rng=rng)

    def debias(self, reports: NDArray[np.float32]) -> Floats:
        """Return the unbiased estimate of each number, ``(n,)``."""
        return self._bounds.outward(self.window.debias(reports))

    def log_likelihood(self, reports: NDArray[np.float32], at: Floats) -> Floats:
        """Return log P[report | number] up to a constant a report for g candidate numbers, ``(n, g)``."""
        return self.window.log_likelihood(reports, self._bounds.inward(at))

    def likeliest(self, reports: NDArray[np.float32]) -> Floats:
        """Return the number under which each report is likeliest, its own place within the bounds, ``(n,)``."""
        return np.clip(self._bounds.outward(reports.astype(np.float64)), self.low, self.high)

    def estimate(self, reports: NDArray[np.float32]) -> float:
        """Return the unbiased estimate of the mean; the middle of the bounds without a report."""
        return self._bounds.middle + self._bounds.half * self.window.mean(reports)

    def variance(self, values: Floats) -> Floats:
        """Return the variance of the debiased report of each of these numbers, in their unit squared."""
        return self._bounds.half**2 * self.window.variance(self._bounds.inward(values))
