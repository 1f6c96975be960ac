"""Public bounds of a number: what every mechanism for continuous columns checks, and the map onto [-1, 1] and back."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privbench.errors import InputError

__all__ = ["Bounds", "check_epsilon"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Bounds:
    """Bounds that are public, both included, of the numbers that a mechanism takes.

    Parameters
    ----------
    low, high : float
        Finite, in order; where they are equal every number is the middle of [-1, 1].

    Raises
    ------
    InputError
        If they are not finite or not in order.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            raise InputError(f"bounds [{self.low}, {self.high}] are not finite numbers in order; declare low and high")

    @property
    def middle(self) -> float:
        """Centre of the bounds."""
        return self.low / 2 + self.high / 2  # halved first: the sum of large bounds would overflow

    @property
    def half(self) -> float:
        """Half their width."""
        return self.high / 2 - self.low / 2

    def inward(self, values: Floats) -> Floats:
        """Map numbers onto [-1, 1].

        Raises
        ------
        InputError
            Naming the first one that is out of bounds or not a number.
        """
        numbers = np.asarray(values, dtype=np.float64)
        outside = ~((numbers >= self.low) & (numbers <= self.high))  # NaN compares false
        if outside.any():
            place = int(outside.argmax())
            raise InputError(
                f"number {numbers.flat[place]} (place {place + 1} of {numbers.size}) is not allowed; allowed: numbers "
                f"from {self.low:.12g} to {self.high:.12g}; widen the bounds or clip the column before"
            )
        if self.half == 0:
            return np.zeros_like(numbers)
        return np.clip((numbers - self.middle) / self.half, -1.0, 1.0)

    def outward(self, numbers: Floats) -> Floats:
        """Map back; what lies beyond [-1, 1] lies beyond the bounds."""
        return self.middle + self.half * numbers


def check_epsilon(mechanism: str, epsilon: float) -> None:
    """Refuse a local budget that is not a positive number.

    Raises
    ------
    InputError
        If it is not.
    """
    if not (epsilon > 0 and math.isfinite(epsilon)):
        raise InputError(f"{mechanism}: epsilon must be a positive number, got {epsilon}")
