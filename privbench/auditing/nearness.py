"""Records that nearly stand in the release: some released row agrees with them in all columns but one.

Agreement has three degrees. Numbers agree if they are equal; or if they fall into one cell of a grid with cells .2 %,
or 2 %, of the column's range wide. Two grids are tried of each, half a cell apart, so that two numbers less than half a
cell apart agree in one of them at least, and none more than a cell apart do. Per grid and column left out, records and
rows are compared by one 64-bit sum of hashes of their cells: no pair is ever looked at.

Where one column is nearly a person's own (a weight, an income), many records of one population agree in all others, and
copies would drown among them. So degrees and columns left out are taken together whose agreement is equally rare, in
training and control records pooled, which knows nothing of who is which: six sets, the rarest first, share the error.

References
----------
M. Giomi et al., "A Unified Framework for Quantifying Privacy Risk in Synthetic Data", PoPETs 2023: controls beside
every such count, as people of one population are alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privbench.auditing.excess import LEVEL, Excess, share
from privbench.auditing.findings import Check
from privbench.auditing.twins import bits, mixed, stands_in
from privbench.report.words import percent
from privbench.schema import Column
from privbench.table import Table

__all__ = ["have_neighbours", "judge_near", "near_keys", "stand_nearly"]

Keys = NDArray[np.uint64]
Mask = NDArray[np.bool_]

WIDTHS = (0.0, 0.002, 0.02)
"""Widths of a cell, as parts of a column's range; 0: numbers must be equal."""
RARE = (0.001, 0.003, 0.01, 0.03, 0.1, 1.0)
"""At most this share of all records agrees with a row, in each set of degrees and columns left out."""
LOOKED_AT = 20_000
"""Records at most that show which column determines another."""


def stand_nearly(records: Sequence[Table], rows: Table) -> list[Mask]:
    """Return for each record, degree and column left out, whether some row agrees with it in all other columns.

    Parameters
    ----------
    records : sequence of Table
    rows : Table
        Of the same schema, with d columns. With less than two columns nothing is near, as any row would be.

    Returns
    -------
    list of array of bool, shape (3, d, n), one a table
    """
    columns = rows.schema.columns
    found = [np.zeros((len(WIDTHS), len(columns), len(table)), bool) for table in records]
    if len(columns) < 2 or not len(rows):
        return found
    numeric = any(not column.discrete and column.range > 0 for column in columns)
    grids = [(degree, shift) for degree, width in enumerate(WIDTHS) for shift in ((0.0, 0.5) if width else (0.0,))]
    for degree, shift in grids if numeric else grids[:1]:
        grid = _Grid(WIDTHS[degree], shift)
        sums = [grid.sums(table) for table in (*records, rows)]
        for place, column in enumerate(columns):
            *lefts, right = [
                total - grid.cells(column, table[column.name], place)
                for total, table in zip(sums, (*records, rows), strict=True)
            ]
            # two looks, so that the table that is looked up is never that of a large release
            hit = right[stands_in(right, np.concatenate(lefts))]
            for masks, left in zip(found, lefts, strict=True):
                masks[degree, place] |= stands_in(left, hit)
    return found


def near_keys(table: Table) -> Keys:
    """Return a key a record, by cells of the finer grid: most records that are nearly alike have the same."""
    return _Grid(WIDTHS[1], 0.0).sums(table)


def have_neighbours(table: Table) -> Mask:
    """Return which of some records, all different, agree with another one in all columns but one.

    Columns that determine that one may differ, too: a degree in words and in years, or a number of everybody's own.
    """
    from pandas import Series

    found = np.zeros(len(table), bool)
    grid = _Grid(0.0, 0.0)
    cells = [grid.cells(column, table[column.name], place) for place, column in enumerate(table.schema.columns)]
    total = grid.sums(table)
    for others in _determining([one[:LOOKED_AT] for one in cells]):
        left = total.copy()
        for place in others:
            left -= cells[place]
        found |= Series(left).duplicated(keep=False).to_numpy()
    return found


def _determining(cells: Sequence[Keys]) -> list[list[int]]:
    """Return for each column itself and the columns each of whose values goes with one of its own."""
    from pandas import factorize

    codes, sizes = [], []
    for one in cells:
        code, values = factorize(one)
        codes.append(code.astype(np.int64))
        sizes.append(len(values))

    def pairs(left: int, right: int) -> int:
        return len(np.unique(codes[left] * sizes[right] + codes[right]))

    every = range(len(cells))
    return [[k for k in every if k == j or (sizes[k] >= sizes[j] and pairs(k, j) == sizes[k])] for j in every]


def judge_near(train: Mask, control: Mask) -> tuple[Check, Mask, float]:
    """Compare how many training records and how many controls nearly stand in the release.

    Parameters
    ----------
    train, control : array of bool, shapes (3, d, n) and (3, d, m)
        What `stand_nearly` says of those who do not stand there whole.

    Returns
    -------
    Check
        ``near-copies``; its value is the surplus, one of training records, in the set where it is clearest.
    near : array of bool, shape (n,)
        Training records that nearly stand there, where there is a surplus and most of them are it; else none.
    usual : float
        Share of controls that nearly stand there in the same sense.
    """
    own, other = (masks.reshape(masks.shape[0] * masks.shape[1], masks.shape[2]) for masks in (train, control))
    n, m = own.shape[1], other.shape[1]
    pooled = (own.sum(axis=1) + other.sum(axis=1)) / max(1, n + m)
    level = 1 - (1 - LEVEL) / len(RARE)
    sets = []
    for rare in RARE:
        near, far = (masks[pooled <= rare].any(axis=0) for masks in (own, other))
        sets.append((Excess(share(int(near.sum()), n, level=level), share(int(far.sum()), m, level=level)), near))
    excess, near = max(sets, key=lambda one: one[0].limits[0])
    low, high = excess.limits
    nobody, usual = np.zeros(n, bool), excess.other.value
    if not n:
        return Check("near-copies", "fine", "every training record compared is copied whole."), nobody, usual
    text = (
        f"{excess.own.text} training records that are not copied whole ({percent(excess.own.value)}) stand in the "
        f"release but for one column (numbers to at most {100 * WIDTHS[-1]:g} % of their range)"
    )
    if not m:
        text += "; all controls stand there whole, so that none is left to compare these with."
        return Check("near-copies", "fine", text, n=n), nobody, usual
    would = f"{round(usual * n):,} ({excess.other.text} controls)"
    if not excess.found:
        surely = "no" if excess.value <= 0 else "not surely"
        text += f", {surely} more often than those of people outside: of as many, {would} would."
        return Check("near-copies", "fine", text, excess.value, low, high, n), nobody, usual
    text += (
        f"; of as many people outside, {would} would. The records of about {round(excess.value * n):,} people are "
        "nearly out."
    )
    telling = usual < excess.own.value / 2
    return Check("near-copies", "alarm", text, excess.value, low, high, n), near & telling, usual


@dataclass(frozen=True, slots=True)
class _Grid:
    """Cells of one width, as a part of a column's range, moved by a part of a cell."""

    width: float
    shift: float

    def sums(self, table: Table) -> Keys:
        """Return the sum of a record's hashes over all columns."""
        total = np.zeros(len(table), np.uint64)
        for place, column in enumerate(table.schema.columns):
            total += self.cells(column, table[column.name], place)
        return total

    def cells(self, column: Column, values: NDArray[np.generic], place: int) -> Keys:
        """Return a hash of each value's cell; the place of the column is part of it."""
        if self.width and not column.discrete and column.range > 0:
            values = np.floor((values.astype(np.float64) - column.low) / (self.width * column.range) + self.shift)
        return mixed(bits(values) + mixed(np.array([place + 1], np.uint64)))
