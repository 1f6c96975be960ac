"""A secret of any kind as a few cells, and the answer that their probabilities amount to. Not an attack itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attacks.cells import Cells
from privbench.schema import Column
from privbench.table import bin_count, from_bins, to_bins

__all__ = ["SecretCells"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# cells of a continuous secret, equal in width; and of a discrete one, beyond which values share cells
_BINS, _MOST = 20, 200


@dataclass(frozen=True, slots=True, eq=False)
class SecretCells:
    """The cells of a secret.

    Parameters
    ----------
    column : Column
        The secret.
    groups : Cells or None
        How the values of a discrete one are grouped.
    middles : array of shape (size,)
        Of a continuous one, the mean released number in each cell.
    bins : int
        Of a continuous one.
    """

    column: Column
    groups: Cells | None
    middles: Floats
    bins: int = _BINS

    @classmethod
    def of(cls, column: Column, values: NDArray[Any], *, bins: int = _BINS, most: int = _MOST) -> SecretCells:
        """Cut up a secret.

        Parameters
        ----------
        column : Column
            The secret.
        values : array
            Its released values, at least one.
        bins, most : int
            Cells of a continuous one, and of values of a discrete one that are released.
        """
        if column.discrete:
            return cls(column, Cells.of(values, column.size, most=most), np.empty(0))
        size = bin_count(column, bins)
        cells = to_bins(column, values, bins=bins)
        counts = np.bincount(cells, minlength=size)
        centres = column.low + (np.arange(size) + 0.5) / size * column.range
        means = np.bincount(cells, weights=values, minlength=size) / np.maximum(counts, 1)
        return cls(column, None, np.where(counts > 0, means, centres), bins)

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.groups.size if self.groups is not None else len(self.middles)

    def code(self, values: NDArray[Any]) -> Ints:
        """Return the cell of each value."""
        if self.groups is not None:
            return self.groups.of_value[values].astype(np.int64)
        return to_bins(self.column, values, bins=self.bins)

    def draw(self, cells: Ints, *, rng: np.random.Generator) -> NDArray[Any]:
        """Return a value for each of some cells: one as common as in the release, or any number of the cell."""
        if self.groups is None:
            return from_bins(self.column, cells, bins=self.bins, rng=rng)
        order = np.argsort(self.groups.of_value, kind="stable")
        upto = np.cumsum(self.groups.shares[order])
        # the shares of a cell add up to 1, so that the cells lie between whole numbers
        place = np.searchsorted(upto, cells + rng.random(len(cells)), side="right")
        first = np.searchsorted(self.groups.of_value[order], cells)
        last = np.searchsorted(self.groups.of_value[order], cells, side="right") - 1
        return order[np.clip(place, first, last)]

    def answer(self, posterior: Floats, middles: Floats | None = None) -> tuple[Floats, Floats | None]:
        """Return probabilities of the values; of a continuous secret the mean, and its standard deviation.

        Parameters
        ----------
        posterior : array of shape (T, size)
            Rows sum to 1.
        middles : array of shape (T, size), optional
            What numbers in each cell each person is held to have.
        """
        if self.groups is not None:
            return self.groups.spread(posterior), None
        own = np.broadcast_to(self.middles, posterior.shape) if middles is None else middles
        mean = (posterior * own).sum(axis=1)
        squares = (posterior * np.square(own - mean[:, None])).sum(axis=1)
        return np.clip(mean, self.column.low, self.column.high), np.sqrt(squares)
