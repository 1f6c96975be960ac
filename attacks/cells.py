"""A secret with many values as few cells that a learner can tell apart, and the way back. Not an attack itself.

A learner that keeps a number for each value and each leaf or layer needs gigabytes for a secret of thousands of values,
and has a row or two to learn each one from. So values that are common in the release stay alone, and the others share
cells: neighbours in the order of an ordinal column, neighbours in the list of a categorical one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Cells"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Which cell each value of a discrete column is in.

    Parameters
    ----------
    of_value : array of int, shape (k,)
        The cell of every value.
    shares : array of float, shape (k,)
        How the released rows of a cell are shared among its values; they sum to 1 in each cell.
    """

    of_value: NDArray[np.intp]
    shares: Floats

    @classmethod
    def of(cls, values: NDArray[Any], size: int, *, most: int) -> Cells:
        """Put the values of a column into at most `most` cells of about equal numbers of rows.

        Parameters
        ----------
        values : array of int, shape (n,)
            Released codes, at least one.
        size : int
            k, the number of values of the domain.
        most : int
            Most cells that hold a released row, at least 1. Values never released join the cell before them.
        """
        counts = np.bincount(values, minlength=size).astype(np.float64)
        if np.count_nonzero(counts) <= most:
            return cls(np.arange(size), np.ones(size))
        alone = counts * most >= len(values)
        # a row's worth of cells: what common values leave of them is shared out among the other rows
        rest = np.where(alone, 0, counts)
        room = max(1, most - 2 * int(alone.sum()))
        step = np.ceil(rest.sum() / room)
        place = (np.cumsum(rest) - rest) // max(step, 1)
        starts = np.diff(place, prepend=-1.0) > 0
        starts |= alone | np.concatenate([[False], alone[:-1]])
        of_value = np.cumsum(starts) - 1
        total = np.bincount(of_value, weights=counts)[of_value]
        width = np.bincount(of_value)[of_value]
        return cls(of_value, np.where(total > 0, counts / np.where(total > 0, total, 1), 1 / width))

    @property
    def size(self) -> int:
        """Number of cells."""
        return int(self.of_value.max()) + 1

    def spread(self, posterior: Floats) -> Floats:
        """Share the probability of each cell out among its values: ``(T, cells)`` to ``(T, k)``."""
        if self.size == len(self.of_value):
            return posterior
        return posterior[:, self.of_value] * self.shares
