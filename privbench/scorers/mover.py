"""Limits of linear combinations of estimates, as differences are, from the limits of the parts (MOVER).

So no interval of a difference is normal at 0 or 1. Parts are independent, or estimated on the same subjects.

References
----------
R. Newcombe, "Interval estimation for the difference between independent proportions", Stat. Med. 17,
1998, 873-890 (hybrid score).
R. Newcombe, "Improved confidence intervals for the difference between binomial proportions based on paired
data", Stat. Med. 17, 1998, 2635-2650 (method 10).
G. Zou and A. Donner, "Construction of confidence limits about effect measures: a general approach",
Stat. Med. 27, 2008, 1693-1702 (MOVER).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from privbench.scorers.intervals import Floats

__all__ = ["mover", "paired_correlation"]


def mover(
    coefficients: Sequence[float],
    *,
    estimates: Sequence[Any] | Floats,
    lows: Sequence[Any] | Floats,
    highs: Sequence[Any] | Floats,
    correlation: float = 0.0,
) -> tuple[Any, Any]:
    """Return the limits of a linear combination from the limits of its parts, after Zou and Donner.

    With coefficients (1, -1) and Wilson limits this is Newcombe's hybrid score interval.

    Parameters
    ----------
    coefficients : sequence of float, length m
        One a part.
    estimates, lows, highs : sequence of float, length m, or ndarray, shape (m, ...)
        Estimates of the parts and their limits; further axes are separate combinations.
    correlation : float
        In [-1, 1], between the estimates of every two parts; 0 for independent ones.

    Returns
    -------
    low, high : float, or ndarray of the further axes' shape
    """
    largest: Callable[[Any, Any], Any]
    smallest: Callable[[Any, Any], Any]
    root: Callable[[Any], Any]
    if np.ndim(estimates[0]):
        largest, smallest, root = np.maximum, np.minimum, np.sqrt
    else:  # the same without the cost of arrays
        largest, smallest, root = max, min, math.sqrt
    total: Any = 0.0
    sums: list[Any] = [0.0, 0.0]
    squares: list[Any] = [0.0, 0.0]
    for c, estimate, low, high in zip(coefficients, estimates, lows, highs, strict=True):
        down, up = c * (estimate - low), c * (estimate - high)
        total += c * estimate
        for side, part in enumerate((largest(down, up), smallest(down, up))):  # to the limits of c * estimate, signed
            sums[side] += math.copysign(1.0, c) * part
            squares[side] += part * part
    below, above = (
        root(largest(square + correlation * (whole * whole - square), 0.0))
        for whole, square in zip(sums, squares, strict=True)
    )
    return total - below, total + above


def paired_correlation(first: Floats, *, second: Floats) -> float:
    """Return the correlation of two estimates on the same subjects from their influences, shrunk to be safe.

    Newcombe's method 10 subtracts n/2 from a positive numerator ad - bc of phi; in the same units that is
    1/(2n) off a positive covariance. For proportions the result is exactly his, for other statistics its
    analogue.

    Parameters
    ----------
    first, second : ndarray, shape (n,)
        Influence values, mean zero.
    """
    n = len(first)
    scale = float(np.sqrt(np.mean(first**2) * np.mean(second**2)))
    if scale < 1e-12:
        return 0.0
    covariance = float(np.mean(first * second))
    shrunk = max(covariance - 1 / (2 * n), 0.0) if covariance > 0 else covariance
    return min(max(shrunk / scale, -1.0), 1.0)
