"""Gower's distance between targets and released rows, measured only where a row may be near enough. Not an attack.

The distance is a sum over known columns of 0 or 1 for a category, of the difference relative to the domain's range for
a number (in ranks for an ordinal one), and 1 between a missing value and any other. Records that agree in all known
columns are one *point*, points that agree in all categories lie in one *cell*: between two cells the categories add a
whole number, the same for all their points. So cells are visited by that number, and left out once it alone is too far.

References
----------
J. Gower, "A General Coefficient of Similarity and Some of Its Properties", Biometrics 27, 1971.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privbench.contracts import View
from privbench.schema import Column, Kind

__all__ = ["Points", "collapse", "measure", "same", "spans", "split"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# released rows that are collapsed together, which takes some 250 MB with fifteen columns
_ROWS = 1 << 20
# distances measured together, of so many targets at most: they stay in the processor's cache
_BLOCK, _TARGETS = 1 << 14, 32
# joint codes stay below: so many rows times the widest column still fit 64 bits
_CODES = 1 << 62
_WIDEST = 1 << 31
# two sums of that many differences, each at most 1, may be the same and yet differ by so much a term
_ROUNDING = 4 * np.finfo(np.float64).eps
# lies a whole range or more from every number
_MISSING = -1.0


@dataclass(frozen=True, slots=True)
class Points:
    """Records collapsed to the points they are in the known columns, ordered by label, then by cell.

    Parameters
    ----------
    codes : tuple of array, shape (cells,)
        Of every categorical column.
    numbers : tuple of array, shape (points,)
        Of every other column, relative to its range.
    labels : array of int, shape (cells,)
        Points of different labels are never one, even if they agree in all columns.
    cells : array of int, shape (cells + 1,)
        The points of cell ``c`` are those from ``cells[c]`` up to ``cells[c + 1]``.
    starts : array of int, shape (points + 1,)
        The records of point ``p`` are ``order[starts[p]:starts[p + 1]]``.
    order : array of int, shape (records,)
        Positions of the records.
    """

    codes: tuple[NDArray[Any], ...]
    numbers: tuple[Floats, ...]
    labels: Ints
    cells: Ints
    starts: Ints
    order: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def places(self) -> Ints:
        """Which point every record is."""
        places = np.empty(len(self.order), np.int64)
        places[self.order] = np.repeat(np.arange(len(self)), np.diff(self.starts))
        return places


def split(rows: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Yield rows in blocks, each of which may be collapsed in bounded memory."""
    for start in range(0, len(rows), _ROWS):
        yield rows[start : start + _ROWS]


def collapse(view: View, rows: NDArray[np.intp] | None = None, labels: NDArray[Any] | None = None) -> Points:
    """Return the points that released rows, or without `rows` the targets, are in the known columns.

    Parameters
    ----------
    view : View
        A release of rows.
    rows : array of int, shape (r,), optional
        Positions of released rows.
    labels : array of int, shape (r,), optional
        From 0; all are alike without.
    """
    columns = view.targets.schema.columns
    size = len(view.targets) if rows is None else len(rows)
    label = np.zeros(size, np.int64) if labels is None else labels.astype(np.int64)
    categories: list[tuple[Column, NDArray[Any]]] = []
    numbers: list[tuple[Column, NDArray[Any]]] = []
    for column in columns:
        values = view.targets[column.name] if rows is None else view.release.values(column.name)[rows]
        (categories if column.kind is Kind.CATEGORICAL else numbers).append((column, values))
    cell = _joint([(label, 1 + int(label.max(initial=0))), *(_coded(*pair) for pair in categories)])
    point, _ = _joint([cell, *(_coded(*pair) for pair in numbers)])
    order = np.argsort(point, kind="stable")
    starts = _changes(point[order])
    record = order[starts]
    cells = _changes(cell[0][record])
    first = record[cells]
    return Points(
        codes=tuple(codes[first].astype(np.min_scalar_type(column.size)) for column, codes in categories),
        numbers=tuple(_scaled(column, values[record]) for column, values in numbers),
        labels=label[first],
        cells=np.append(cells, len(record)),
        starts=np.append(starts, size),
        order=order,
    )


def measure(targets: Points, points: Points, limit: Floats) -> Iterator[tuple[slice, Ints, Floats]]:
    """Yield targets and points with their distances, those first that agree in the most categories.

    Parameters
    ----------
    targets, points : Points
        What is measured from and to.
    limit : array of shape (t, labels)
        How far from each target points of each label are asked for. The caller is to lower it between two yields, to
        the distances that it still has a use for; what lies further away may be left out.

    Yields
    ------
    block : slice
        Of the targets, b of them.
    near : array of int, shape (r,)
        Positions of points, ascending.
    distance : array of shape (b, r)
        Between 0 and the number of known columns.
    """
    # only a missing value is further away than the whole range
    missing = [
        min(own.min(initial=0), far.min(initial=0)) < 0
        for own, far in zip(targets.numbers, points.numbers, strict=True)
    ]
    present = points.labels[_changes(points.labels)]
    room = np.empty((2, _BLOCK))
    for block, near, least in _visits(targets, points, present, limit):
        asked = [values[block, None] for values in targets.numbers]
        numbers = [values[near] for values in points.numbers]
        step = _BLOCK // (block.stop - block.start)
        edges = np.arange(0, len(near), step)
        gaps = _gaps(asked, numbers, edges) if len(edges) > 1 else np.zeros(1)
        for which in np.argsort(gaps, kind="stable"):
            if least + gaps[which] > limit[block][:, present].max():
                break
            part = slice(edges[which], edges[which] + step)
            shape = (block.stop - block.start, len(near[part]))
            distance, difference = (space[: shape[0] * shape[1]].reshape(shape) for space in room)
            distance.fill(least)
            for own, far, clip in zip(asked, numbers, missing, strict=True):
                np.abs(np.subtract(own, far[part], out=difference), out=difference)
                distance += np.minimum(difference, 1.0, out=difference) if clip else difference
            yield block, near[part], distance


def _visits(targets: Points, points: Points, present: Ints, limit: Floats) -> Iterator[tuple[slice, Ints, int]]:
    """Yield targets of one cell, points, and in how many categories these differ from them, fewest first."""
    apart = np.empty(len(points.labels), np.min_scalar_type(len(points.codes)))
    differs = np.empty(len(points.labels), bool)
    for cell, (begin, end) in enumerate(zip(targets.cells[:-1], targets.cells[1:], strict=True)):
        apart.fill(0)
        for codes, asked in zip(points.codes, targets.codes, strict=True):
            np.add(apart, np.not_equal(codes, asked[cell], out=differs), out=apart)
        for least in range(apart.min(), len(points.codes) + 1):
            wanted = limit[begin:end].max(axis=0) >= least
            still = wanted[present]
            if not still.any():
                break
            np.equal(apart, least, out=differs)
            if not still.all():
                differs &= wanted[points.labels]
            found = np.flatnonzero(differs)
            near = spans(points.cells[found], points.cells[found + 1])
            for start in range(begin, end if len(near) else begin, _TARGETS):
                yield slice(start, min(start + _TARGETS, end)), near, least


def _gaps(asked: list[Floats], numbers: list[Floats], edges: Ints) -> Floats:
    """Return how far stretches of points that begin at `edges` are from all targets at least, by their numbers."""
    gaps = np.zeros(len(edges))
    for own, far in zip(asked, numbers, strict=True):
        low, high = np.minimum.reduceat(far, edges), np.maximum.reduceat(far, edges)
        gaps += np.clip(np.maximum(low - own.max(), own.min() - high), 0, 1)
    return gaps


def same(distance: Floats, columns: int) -> Floats:
    """Return the largest distance that may be `distance` but for rounding, over so many columns; 0 stays 0."""
    return distance * (1 + _ROUNDING) + (distance > 0) * columns * _ROUNDING


def spans(starts: Ints, stops: Ints) -> Ints:
    """Return all whole numbers from each start up to its stop, one stretch after the other."""
    lengths = stops - starts
    return np.repeat(starts - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())


def _scaled(column: Column, array: NDArray[Any]) -> Floats:
    """Return numbers and ranks relative to the range of their domain."""
    if not column.discrete:
        return np.asarray((array - column.low) / (column.range or 1.0))
    present = np.array([value is not None for value in column.values])
    ranks = np.full(column.size, _MISSING)
    ranks[present] = np.linspace(0, 1, present.sum())
    return ranks[array]


def _coded(column: Column, array: NDArray[Any]) -> tuple[Ints, int]:
    """Return codes in the order of the values, equal where these are equal, and a number that all are below."""
    if column.discrete:
        return array.astype(np.int64), column.size
    if column.integer and column.range < _WIDEST - 1:
        return (array - column.low).astype(np.int64), int(column.range) + 1
    values, codes = np.unique(array, return_inverse=True)
    return codes, len(values)


def _joint(parts: Iterable[tuple[Ints, int]]) -> tuple[Ints, int]:
    """Return codes of several columns together, in the order of the first, then of the second ..."""
    (joint, width), *others = parts
    for codes, size in others:
        if width * size >= _CODES:
            values, joint = np.unique(joint, return_inverse=True)
            width = len(values)
        joint, width = joint * size + codes, width * size
    return joint, width


def _changes(ordered: Ints) -> NDArray[np.intp]:
    """Return where a value differs from the one before it, the first one included."""
    return np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
