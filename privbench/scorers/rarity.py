"""What makes a person rare: the one or two known values that the fewest records share with them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

__all__ = ["rarest"]

Codes = NDArray[np.integer]
_TABLE = 2**16  # cells of a table of two columns that are counted directly, or four times the records if that is more


def rarest(
    records: Sequence[Codes], people: Sequence[Codes], *, sizes: Sequence[int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each person the one or two columns in which the fewest records have the same values.

    Parameters
    ----------
    records, people : sequence of array of int
        Codes of each column, at least one, ``(n,)`` of the records and ``(T,)`` of the people, who may be among them.
    sizes : sequence of int
        How many values a column may take.

    Returns
    -------
    columns : ndarray, shape (T, 2)
        Places of the columns; the second is -1 where a single value is as rare as any pair. Of equally rare ones the
        first counts.
    count : ndarray, shape (T,)
        How many records share the values.
    """
    columns = np.full((len(people[0]), 2), -1)
    count = np.full(len(people[0]), np.iinfo(np.int64).max)

    def consider(first: int, second: int, shared: Codes) -> None:
        rarer = shared < count
        count[rarer], columns[rarer] = shared[rarer], (first, second)

    for place, size in enumerate(sizes):
        consider(place, -1, _shared(records[place], people[place], size))
    for first, second in combinations(range(len(sizes)), 2):
        theirs, mine = (side[first].astype(np.int64) * sizes[second] + side[second] for side in (records, people))
        consider(first, second, _shared(theirs, mine, sizes[first] * sizes[second]))
    return columns, count


def _shared(records: Codes, people: Codes, size: int) -> NDArray[np.int64]:
    """Return how many records have each person's code."""
    if size <= max(_TABLE, 4 * len(records)):
        return np.bincount(records, minlength=size)[people]
    ranked = np.sort(records)
    return np.searchsorted(ranked, people, "right") - np.searchsorted(ranked, people, "left")
