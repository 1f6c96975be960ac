"""Which released rows agree with each target in as many of the first known columns as any row does. Not an attack.

Columns are compared one after the other. Targets that agree so far are one *group*, as are the rows that agree with
them, and a row whose group has no target falls out: after a few columns few rows are left to be looked at. A target's
group is the last one on its way that has a row. Groups lie in one another, so a row is noted in the inmost one only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privbench.schema import Column
from privbench.table import bin_count, to_bins

__all__ = ["Agreement", "Key", "blocks"]

Ints = NDArray[np.int64]

# rows looked at together: they stay in the processor's cache
_ROWS = 1 << 16
# codes that are looked up in a table, others by bisection; and numbers that are told apart by a table, not by sorting
_TABLE = 1 << 21


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """A known column as codes that are equal where the values are.

    Parameters
    ----------
    rows : array of int, shape (n,)
        Of the released rows, below `size`.
    people : array of int, shape (T,)
        Of the targets; `size` for a value that no row has.
    size : int
        Number of codes.
    """

    rows: NDArray[Any]
    people: Ints
    size: int

    @classmethod
    def of(cls, column: Column, rows: NDArray[Any], people: NDArray[Any], *, bins: int | None) -> Key:
        """Code released and asked values; numbers in so many cells, or None as they are."""
        if column.discrete:
            return cls(rows, people.astype(np.int64), column.size)
        if bins is not None:
            size = bin_count(column, bins)
            parts = [to_bins(column, rows[block], bins=bins) for block in blocks(len(rows))]
            return cls(_narrow(parts, size), to_bins(column, people, bins=bins), size)
        if column.integer and column.range < _TABLE:
            offsets = _narrow(((rows[block] - column.low).astype(np.int64) for block in blocks(len(rows))), _TABLE)
            asked = (people - column.low).astype(np.int64)
            seen = np.zeros(int(column.range) + 1, bool)
            seen[offsets] = True
            codes = np.cumsum(seen) - 1
            size = int(codes[-1]) + 1
            parts = [codes[offsets[block]] for block in blocks(len(rows))]
            return cls(_narrow(parts, size), np.where(seen[asked], codes[asked], size), size)
        values, inverse = np.unique(rows, return_inverse=True)
        place = np.searchsorted(values, people)
        there = values[np.minimum(place, len(values) - 1)] == people
        return cls(_narrow([inverse], len(values)), np.where(there, place, len(values)), len(values))


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """Groups of rows, each of them before those that lie in it.

    Parameters
    ----------
    targets : array of int, shape (T,)
        The group of every target.
    rows : array of int, shape (n,)
        The inmost group of every row; -1 for none.
    around : array of int, shape (g,)
        The next group that each group lies in; -1 for none.
    columns : array of int, shape (g,)
        In how many columns the rows of each group agree, ascending.
    """

    targets: Ints
    rows: NDArray[np.int32]
    around: Ints
    columns: Ints

    @classmethod
    def of(cls, keys: list[Key], rows: int, people: int) -> Agreement:
        """Compare targets with rows in all columns, the first first."""
        steps = []
        group, groups = np.zeros(people, np.int64), 1
        for key in keys:
            steps.append(_Step.after(group, groups, key))
            group, groups = steps[-1].people, len(steps[-1].wanted)
        # all groups of targets, with and without rows: the first is everybody
        begin = np.cumsum([0, 1, *(len(step.wanted) for step in steps)])
        inmost = _inmost(steps, begin, rows)
        found = np.zeros(begin[-1], bool)
        for block in blocks(rows):
            found[inmost[block]] = True
        above = np.concatenate([[-1], *(begin[i] + step.above for i, step in enumerate(steps))])
        for first, last in zip(begin[-2:0:-1], begin[:1:-1], strict=True):
            found[above[first:last][found[first:last]]] = True
        way = np.stack([np.zeros(people, np.int64), *(begin[i + 1] + step.people for i, step in enumerate(steps))])
        ended, targets = np.unique(way[found[way].sum(axis=0) - 1, np.arange(people)], return_inverse=True)
        # groups at which no target ends are left to those around them
        kept = np.full(begin[-1], -1)
        kept[ended] = np.arange(len(ended))
        around = np.full(len(ended), -1)
        for first, last in pairwise(begin[1:]):
            outer, own = kept[above[first:last]], kept[first:last]
            around[own[own >= 0]] = outer[own >= 0]
            kept[first:last] = np.where(own >= 0, own, outer)
        for block in blocks(rows):
            inmost[block] = kept[inmost[block]]
        return cls(targets, inmost, around, np.searchsorted(begin, ended, side="right") - 1)

    def members(self) -> Iterator[tuple[Ints, Ints]]:
        """Yield positions of rows that are in a group, and their inmost one, in blocks."""
        for block in blocks(len(self.rows)):
            group = self.rows[block]
            inside = np.flatnonzero(group >= 0)
            yield inside + block.start, group[inside].astype(np.int64)

    def inmost_first(self) -> Iterator[tuple[Ints, Ints]]:
        """Yield groups that lie in others, and these; none after the one that it lies in."""
        for number in np.unique(self.columns)[::-1]:
            inner = np.flatnonzero((self.columns == number) & (self.around >= 0))
            yield inner, self.around[inner]


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """One column more in which rows are to agree with targets.

    Parameters
    ----------
    key : Key
        The column.
    wanted : array of int, shape (g,)
        Old group and value together of each new group, ascending.
    people : array of int, shape (T,)
        The new group of every target.
    table : array of int or None
        The new group of everything that may be asked for, -1 for none; None where that would be too much.
    """

    key: Key
    wanted: Ints
    people: Ints
    table: Ints | None

    @classmethod
    def after(cls, group: Ints, groups: int, key: Key) -> _Step:
        wanted, people = np.unique(group * (key.size + 1) + key.people, return_inverse=True)
        table = None
        if groups * (key.size + 1) <= _TABLE:
            table = np.full(groups * (key.size + 1), -1)
            table[wanted] = np.arange(len(wanted))
        return cls(key, wanted, people, table)

    @property
    def above(self) -> Ints:
        """The old group of each new one."""
        return self.wanted // (self.key.size + 1)

    def follow(self, group: Ints, codes: NDArray[Any]) -> tuple[Ints, Ints]:
        """Return which of some rows are in a new group, and in which, given their old groups and values."""
        sought = group * (self.key.size + 1) + codes
        if self.table is not None:
            new = self.table[sought]
            there = np.flatnonzero(new >= 0)
        else:
            new = np.searchsorted(self.wanted, sought)
            there = np.flatnonzero(np.append(self.wanted, -1)[new] == sought)
        return there, new[there]


def _inmost(steps: list[_Step], begin: Ints, rows: int) -> NDArray[np.int32]:
    """Return the last group of targets that each row agrees with, numbered from `begin` on for every step."""
    inmost = np.zeros(rows, np.int32)
    for block in blocks(rows):
        place, group = np.arange(block.stop - block.start), np.zeros(1, np.int64)
        for step, first in zip(steps, begin[1:], strict=False):
            codes = step.key.rows[block]
            there, group = step.follow(group, codes if len(place) == len(codes) else codes[place])
            if not len(there):
                break
            place = place[there]
            inmost[block.start + place] = first + group
    return inmost


def blocks(rows: int) -> Iterator[slice]:
    """Yield stretches of rows."""
    for start in range(0, rows, _ROWS):
        yield slice(start, min(start + _ROWS, rows))


def _narrow(parts: Iterable[NDArray[Any]], size: int) -> NDArray[Any]:
    """Join codes up to `size` in the smallest type that holds them."""
    return np.concatenate([part.astype(np.min_scalar_type(size)) for part in parts])
