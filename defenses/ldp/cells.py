"""A keyed hash of values to cells: every seed maps each value to one of g cells, as if drawn for it alone.

Seed and value are each spread over 64 bits; the product of the two, mixed once more, is a number whose upper half is
uniform over the seeds. The cell is its place among g equal parts. No adversary chooses the values: the hash has
to be uniform and free of patterns between values, not secret.

References
----------
G. Steele, D. Lea and C. Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
M. Dietzfelbinger, T. Hagerup, J. Katajainen and M. Penttonen, "A Reliable Randomized Algorithm for the Closest-Pair
Problem", Journal of Algorithms 25, 1997.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_CELLS", "cells_of", "in_cell"]

Words = NDArray[np.uint32]
Wide = NDArray[np.uint64]

MOST_CELLS = 1 << 24
"""With more cells their widths, in units of 2^-32, would differ from one another by more than 1 in 256."""

_HALF = np.uint64(32)
_ODD = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xD1B54A32D192ED03), np.uint64(0xAEF17502108EF2D9))


def _spread(numbers: NDArray[Any], shift: int) -> Wide:
    """Return 64 mixed bits of each number; the shift tells seeds from values."""
    word = (numbers.astype(np.uint64) + np.uint64(shift)) * _ODD
    for multiplier in _MIX:
        word ^= word >> _HALF
        word *= multiplier
    word ^= word >> _HALF
    return word


def _of_seeds(seeds: Words) -> Wide:
    return _spread(seeds, 1)


def _of_values(values: NDArray[np.integer]) -> Wide:
    # odd, so that no bit of the seed is lost in the product
    return _spread(values, 1 << 32) | np.uint64(1)


def _mixed(product: Wide) -> Wide:
    product ^= product >> _HALF
    product *= _ODD
    return product


def cells_of(seeds: Words, values: NDArray[np.integer], *, cells: int) -> Words:
    """Return the cell of each value under the seed beside it, ``(n,)``.

    Parameters
    ----------
    seeds : array of uint32, shape (n,)
        One a person.
    values : array of int, shape (n,)
        Codes from 0.
    cells : int
        Number of cells, g, from 2 to `MOST_CELLS`.
    """
    upper = _mixed(_of_seeds(seeds) * _of_values(values)) >> _HALF
    return ((upper * np.uint64(cells)) >> _HALF).astype(np.uint32)


def in_cell(seeds: Words, reported: Words, *, size: int, cells: int) -> Iterator[NDArray[np.bool_]]:
    """Yield for each of `size` values which seeds map it to the reported cell, ``(n,)``; the array is used again."""
    spread = _of_seeds(seeds)
    # the cell's bounds in the upper half: rounded up, as the division in `cells_of` rounds down
    start, end = ((reported + np.uint64(more) << _HALF) + np.uint64(cells - 1) for more in (0, 1))
    low, high = start // np.uint64(cells), end // np.uint64(cells)
    low, width = low << _HALF, (high - low) << _HALF
    word, shifted, inside = np.empty_like(spread), np.empty_like(spread), np.empty(len(spread), dtype=np.bool_)
    for value in _of_values(np.arange(size)):
        np.multiply(spread, value, out=word)
        np.right_shift(word, _HALF, out=shifted)
        np.bitwise_xor(word, shifted, out=word)
        np.multiply(word, _ODD, out=word)
        np.subtract(word, low, out=word)
        np.less(word, width, out=inside)
        yield inside
