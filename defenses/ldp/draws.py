"""Random bits, coins and parts of a wheel, many at a time, from 16 random bits each.

Sixteen bits settle nearly every draw. Those that they leave open are drawn on, so a probability is met to the precision
of a floating-point number, not of 16 bits.

References
----------
D. Knuth and A. Yao, "The Complexity of Nonuniform Random Number Generation", in Algorithms and Complexity, 1976.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["WIDEST", "coins", "parts", "random_words"]

_LARGEST = 2**64 - 1

WIDEST = 1 << 12
"""The widest wheel: of a wider one 16 bits would leave too many draws open."""


def random_words(count: int, *, rng: np.random.Generator) -> NDArray[np.uint64]:
    """Return `count` words of 64 random bits."""
    return rng.integers(0, _LARGEST, size=count, dtype=np.uint64, endpoint=True)


def _digits(count: int, rng: np.random.Generator) -> NDArray[np.uint16]:
    return random_words(-(-count // 4), rng=rng).view(np.uint16)[:count]


def coins(count: int, probability: float, *, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return `count` booleans that are true with this probability, independently.

    A coin is true if a uniform number is below the probability: their digits to the base 2^16 are compared one by one,
    and no further than to the first that differ.

    Parameters
    ----------
    count : int
        How many, 0 or more.
    probability : float
        In [0, 1].
    """
    if probability == 1:
        return np.ones(count, dtype=np.bool_)
    # a power of two moves no digit of a float: the rest is exact
    digit, rest = divmod(probability * 65536, 1)
    draw = _digits(count, rng)
    true = draw < np.uint16(digit)
    if rest:
        still_open = np.flatnonzero(draw == np.uint16(digit))
        if still_open.size:
            true[still_open] = coins(still_open.size, rest, rng=rng)
    return true


def parts(count: int, width: float, *, rng: np.random.Generator) -> NDArray[np.unsignedinteger[Any]]:
    """Return where `count` turns of a wheel of this width come to rest: uniform numbers in [0, width), rounded down.

    Parameters
    ----------
    count : int
        How many, 0 or more.
    width : float
        From 1 to `WIDEST`; the part at the end is smaller than the others unless it is a whole number.

    Returns
    -------
    array of shape (count,)
        In the smallest unsigned integer that holds the last part.
    """
    draw = _digits(count, rng)
    # turns in units of 2^-below, rounded down; with all 16 bits of the draw they fill 32
    below = 32 - math.ceil(math.log2(width))
    unit = math.floor(width * 2.0 ** (below - 16))
    turns = draw * np.uint32(unit)
    part = (turns >> np.uint32(below)).astype(np.min_scalar_type(math.ceil(width) - 1))
    # what further bits, and the rounding of the unit, may add is less than a unit and 2^16
    turns &= np.uint32((1 << below) - 1)
    still_open = np.flatnonzero(turns >= np.uint32((1 << below) - unit - 65536))
    if still_open.size:
        exact = (draw[still_open] + rng.random(still_open.size)) * (width / 65536)
        part[still_open] = np.minimum(exact, math.ceil(width) - 1)
    return part
