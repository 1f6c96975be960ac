"""Gower's distance from targets to released rows, a block of targets at a time. Not an attack itself.

References
----------
J. Gower, "A General Coefficient of Similarity and Some of Its Properties", Biometrics 27, 1971.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privbench.contracts import View
from privbench.schema import Column, Kind

__all__ = ["distances", "same"]

Floats = NDArray[np.float64]

# a block of distances: 32 MB
_BLOCK = 4_000_000
# two sums of that many differences, each at most 1, may be the same and yet differ by so much a term
_ROUNDING = 4 * np.finfo(np.float64).eps
# lies a whole range or more from every number
_MISSING = -1.0


def distances(view: View, rows: NDArray[np.intp]) -> Iterator[tuple[slice, Floats]]:
    """Yield blocks of targets with their distances to released rows.

    The distance is a sum over known columns of 0 or 1 for a category, of the difference relative to the domain's range
    for a number (in ranks for an ordinal one), and 1 between a missing value and any other.

    Parameters
    ----------
    view : View
        A release of rows.
    rows : array of int, shape (r,)
        Positions of the rows to measure to, at least one.

    Yields
    ------
    block : slice
        Of the targets.
    distance : array of shape (b, r)
        Between 0 and the number of known columns; the caller may write to it.
    """
    columns = view.targets.schema.columns
    released = [_scaled(column, view.release.values(column.name)[rows]) for column in columns]
    asked = [_scaled(column, view.targets[column.name]) for column in columns]
    step = max(1, _BLOCK // len(rows))
    for start in range(0, len(view.targets), step):
        block = slice(start, min(start + step, len(view.targets)))
        distance = np.zeros((block.stop - block.start, len(rows)))
        for row, target in zip(released, asked, strict=True):
            if np.issubdtype(row.dtype, np.integer):
                distance += target[block, None] != row
            else:
                apart = np.abs(target[block, None] - row)
                # only a missing value is further away than the whole range
                distance += np.minimum(apart, 1.0, out=apart)
        yield block, distance


def same(distance: Floats, columns: int) -> Floats:
    """Return the largest distance that may be `distance` but for rounding, over so many columns; 0 stays 0."""
    return distance * (1 + _ROUNDING) + (distance > 0) * columns * _ROUNDING


def _scaled(column: Column, array: NDArray[Any]) -> NDArray[Any]:
    """Return categories as they are, and numbers relative to the range of their domain."""
    if column.kind is Kind.CATEGORICAL:
        return array
    if not column.discrete:
        return np.asarray((array - column.low) / (column.range or 1.0))
    present = np.array([value is not None for value in column.values])
    ranks = np.full(column.size, _MISSING)
    ranks[present] = np.linspace(0, 1, present.sum())
    return ranks[array]
