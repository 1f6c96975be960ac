"""Numbers that were randomised, seen as one of finitely many cells. Not an attack itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privbench.oracles import NumericOracle
from privbench.reports import Reports
from privbench.schema import Column
from privbench.table import bin_count, to_bins

__all__ = ["NumberCells", "Seen", "smoothed_shares"]

Floats = NDArray[np.float64]

# points of each cell at which everybody's likelihood is taken
_EACH = 8
# in the cell that a report points to: evenly, and at distances of a cell's width over powers of two from the number
# pointed to, as close as the narrowest window of a mechanism that reports in single precision
_EVEN = 32
_CLOSER = 2.0 ** -np.arange(1, 25)
_BLOCK = 16


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What people's reports say of a number, cell by cell.

    Parameters
    ----------
    log_likelihood : array of shape (T, g)
        Logarithm of the mean likelihood of each cell's numbers, up to a constant a person.
    mean, square : array of shape (T or 1, g)
        Mean of the number, and of its square, if it is in a cell: by the likelihood of the cell's numbers.
    """

    log_likelihood: Floats
    mean: Floats
    square: Floats


@dataclass(frozen=True)
class NumberCells:
    """Equal parts of a continuous column's domain; where that has few whole numbers, the numbers themselves.

    Parameters
    ----------
    column : Column
        The column.
    most : int
        Greatest number of cells.
    """

    column: Column
    most: int

    @property
    def size(self) -> int:
        """Number of cells, g."""
        return bin_count(self.column, self.most) if self.column.range > 0 else 1

    @property
    def exact(self) -> bool:
        """Whether every cell is one number."""
        return self.column.range == 0 or (self.column.integer and self.size == int(self.column.range) + 1)

    def codes(self, values: NDArray[Any]) -> NDArray[np.int64]:
        """Return the cells of numbers."""
        if self.exact or not self.column.integer:
            return to_bins(self.column, values, bins=self.size)
        share = (values.astype(np.float64) - self.column.low) / self.column.range
        return np.minimum((share * self.size).astype(np.int64), self.size - 1)

    def moments(self) -> tuple[Floats, Floats]:
        """Return the mean of the numbers of each cell, and of their squares, ``(1, g)``."""
        if self.exact:
            numbers: Floats = self.column.low + np.arange(self.size, dtype=np.float64)[None]
            return numbers, np.square(numbers)
        width = self.column.range / self.size
        middle: Floats = (self.column.low + (np.arange(self.size, dtype=np.float64) + 0.5) * width)[None]
        return middle, np.square(middle) + width**2 / 12

    def see(self, release: Reports, rows: NDArray[np.integer]) -> Seen:
        """Return what the reports of some people say; of who sent none, nothing."""
        name, low = self.column.name, self.column.low
        middles = self.moments()
        if self.exact:
            return Seen(release.log_likelihood(name, rows, middles[0][0]), *middles)
        width = self.column.range / self.size
        # a point in the middle of each part of a cell; a report's likelihood is even, or bends little, within
        at = low + (np.arange(self.size * _EACH) + 0.5) / _EACH * width
        logs = release.log_likelihood(name, rows, at).reshape(len(rows), self.size, _EACH)
        top = logs.max(axis=(1, 2), keepdims=True)
        weight = np.exp(logs - top)
        sums = np.stack([(weight * np.power(at, power).reshape(self.size, _EACH)).mean(axis=2) for power in range(3)])
        for one in release.of(name):
            if isinstance(one.oracle, NumericOracle):
                places, reports = one.of(rows)
                points = np.clip(one.oracle.likeliest(reports), low, self.column.high)
                self._look_closer(release, rows, places, points, sums, top[:, 0, 0])
        total = np.maximum(sums[0], np.finfo(float).tiny)
        mean, square = (
            np.where(sums[0] > 0, part / total, middle) for part, middle in zip(sums[1:], middles, strict=True)
        )
        return Seen(np.log(total) + top[:, :, 0], mean, square)

    def _look_closer(
        self,
        release: Reports,
        rows: NDArray[np.integer],
        places: NDArray[np.intp],
        points: Floats,
        sums: Floats,
        top: Floats,
    ) -> None:
        """Take the cell that a report points to anew, at points that crowd around the one pointed to."""
        width = self.column.range / self.size
        cells = np.minimum(((points - self.column.low) / width).astype(np.int64), self.size - 1)
        # the last cell ends at the upper bound, which start + width may exceed by rounding
        ends_at = np.where(cells == self.size - 1, self.column.high, self.column.low + (cells + 1) * width)
        start, end = self.column.low + cells * width, np.minimum(ends_at, self.column.high)
        steps = np.concatenate([-_CLOSER, [0.0], _CLOSER[::-1]]) * width
        even = start[:, None] + (np.arange(_EVEN) + 0.5) / _EVEN * width
        crowd = np.concatenate([points[:, None] + steps, even], axis=1)
        around = np.sort(np.clip(crowd, start[:, None], end[:, None]), axis=1)
        # each point stands for what is nearer to it than to the others
        ends = np.column_stack([start, (around[:, :-1] + around[:, 1:]) / 2, end])
        shares = np.diff(ends, axis=1) / width
        logs = np.empty_like(around)
        for first in range(0, len(places), _BLOCK):
            some = slice(first, first + _BLOCK)
            asked = around[some]
            count, each = asked.shape
            found = release.log_likelihood(self.column.name, rows[places[some]], asked.ravel())
            logs[some] = found.reshape(count, count, each)[np.arange(count), np.arange(count)]
        weight = shares * np.exp(logs - top[places][:, None])
        for power in range(3):
            sums[power, places, cells] = (weight * around**power).sum(axis=1)


def smoothed_shares(likelihood: Floats, *, rounds: int = 200) -> Floats:
    """Return the cells' shares by expectation maximisation with smoothing, ``(g,)``.

    Parameters
    ----------
    likelihood : array of shape (n, g)
        Of each cell, up to a factor a person.
    rounds : int
        Most rounds; it ends earlier where nothing moves any more.

    References
    ----------
    Z. Li, T. Wang, M. Lopuhaa-Zwakenberg, N. Li and B. Skoric, "Estimating Numerical Distributions under Local
    Differential Privacy", SIGMOD 2020 (EMS).
    """
    size = likelihood.shape[1]
    shares = np.full(size, 1 / size)
    if not len(likelihood) or size < 3:
        return shares
    for _ in range(rounds):
        posterior = likelihood * shares
        posterior /= np.maximum(posterior.sum(axis=1, keepdims=True), np.finfo(float).tiny)
        ends = np.pad(posterior.mean(axis=0), 1, mode="edge")
        moved = (ends[:-2] + 2 * ends[1:-1] + ends[2:]) / 4
        moved /= moved.sum()
        still = np.abs(moved - shares).sum() < 1e-4
        shares = moved
        if still:
            break
    return shares
