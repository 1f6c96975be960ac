"""Queries on a release: how many rows share some known values and a secret one, wherever the roster has those values.

A query is a set of known columns, a combination of their values and a value of the secret. The records with one
combination are a *group*: for each column set every record is in exactly one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, islice
from math import comb

import numpy as np
from numpy.typing import NDArray

from attacks.known_values import Coding, Rows, Whole, smallest

__all__ = ["Grouping", "count", "draw_groupings"]

# combinations that are counted with those that the roster lacks, which is quicker than to look up each row's group
_DENSE = 1 << 16
# entries of a table that leads from combinations to groups; where more are needed, groups are found by bisection
_TABLE = 1 << 20
# column sets that are listed before some are drawn; of more, so many are drawn at random
_SETS = 1 << 14
_FEWEST = 16


@dataclass(frozen=True)
class _Present:
    """The whole numbers below `width` that occur, and the way from each to its position among them."""

    keys: Whole
    width: int

    @cached_property
    def _table(self) -> Whole | None:
        if self.width > max(_TABLE, 64 * len(self.keys)):
            return None
        table = np.full(self.width, len(self.keys), dtype=smallest(len(self.keys) + 1))
        table[self.keys] = np.arange(len(self.keys))
        return table

    def find(self, numbers: Whole) -> Whole:
        """Return the position of each number; that of one which does not occur is how many do."""
        if self._table is not None:
            return self._table.take(numbers)
        near = np.minimum(np.searchsorted(self.keys, numbers), len(self.keys) - 1)
        return np.where(self.keys[near] == numbers, near, len(self.keys)).astype(smallest(len(self.keys) + 1))


@dataclass(frozen=True)
class Grouping:
    """The groups that one column set makes of the roster.

    Parameters
    ----------
    columns : tuple of int
        The columns, in the order in which they are joined.
    sizes : tuple of int
        How many numbers each of them has.
    squeezed : tuple
        Before each column but the first is joined: which combinations so far occur, or None if all are kept.
    present : _Present
        Which combinations occur.
    group : array of int, shape (n,)
        The group of each record.
    """

    columns: tuple[int, ...]
    sizes: tuple[int, ...]
    squeezed: tuple[_Present | None, ...]
    present: _Present
    group: Whole

    @cached_property
    def records(self) -> NDArray[np.int64]:
        """How many records of the roster each group has."""
        return np.bincount(self.group, minlength=len(self.present.keys))

    def key(self, codes: Whole) -> Whole:
        """Return the combination that each of some records has, as one number."""
        return _join(codes, self.columns, self.sizes, self.squeezed)

    def find(self, codes: Whole) -> Whole:
        """Return the group of each of some records; the number of groups where the roster has none like it."""
        return self.present.find(self.key(codes))

    @classmethod
    def of(cls, codes: Whole, columns: Sequence[int], sizes: Sequence[int]) -> Grouping:
        """Group the records of the roster."""
        # the largest first: what is joined later makes the tables wide
        order = tuple(sorted(columns, key=lambda column: -sizes[column]))
        squeezed: list[_Present | None] = []
        width = sizes[order[0]]
        for place, column in enumerate(order[1:], start=1):
            wide = width * sizes[column] > _TABLE
            if wide:
                so_far = np.unique(_join(codes, order[:place], [sizes[c] for c in order[:place]], squeezed))
                squeezed.append(_Present(so_far, width))
                width = len(so_far) + 1
            else:
                squeezed.append(None)
            width *= sizes[column]
        own = tuple(sizes[column] for column in order)
        keys, group = np.unique(_join(codes, order, own, squeezed), return_inverse=True)
        return cls(order, own, tuple(squeezed), _Present(keys, width), group.astype(np.int32))


def _join(codes: Whole, columns: Sequence[int], sizes: Sequence[int], squeezed: Sequence[_Present | None]) -> Whole:
    key: Whole = codes[columns[0]]
    width = sizes[0]
    for column, size, squeeze in zip(columns[1:], sizes[1:], squeezed, strict=True):
        if squeeze is not None:
            key, width = squeeze.find(key), len(squeeze.keys) + 1
        width *= size
        # every number is below the width, so that none is cut
        key = np.multiply(key, size, dtype=smallest(width), casting="unsafe")
        np.add(key, codes[column], out=key, casting="unsafe")
    return key


def draw_groupings(
    coding: Coding, columns: int, *, groups: int, places: int, rng: np.random.Generator
) -> list[Grouping]:
    """Group the roster by sets of so many known columns: by all sets, or by random ones until there are enough.

    Parameters
    ----------
    coding : Coding
        The known columns.
    columns : int
        Size of a set; where fewer are known, all of them are one set.
    groups : int
        No set is added once there are so many groups.
    places : int
        Nor once there are so many records times sets; sixteen sets are taken in any case.
    rng : Generator
        Where the order of the sets comes from.
    """
    codes, sizes = coding.encode_table(coding.roster), coding.sizes
    spread = np.array([_entropy(row) for row in codes])
    drawn: list[Grouping] = []
    for members in islice(
        _sets(spread, min(columns, len(sizes)), codes.shape[1], rng), max(_FEWEST, places // codes.shape[1])
    ):
        drawn.append(Grouping.of(codes, members, sizes))
        groups -= len(drawn[-1].records)
        if groups <= 0:
            break
    return drawn


def _sets(spread: NDArray[np.float64], size: int, records: int, rng: np.random.Generator) -> Iterator[tuple[int, ...]]:
    """Yield column sets in random order, none twice: the sooner the more groups a set may make."""
    if comb(len(spread), size) <= _SETS:
        every = list(combinations(range(len(spread)), size))
        # drawn without replacement, with chances in proportion to the groups of columns that are independent
        likely = np.minimum(spread[np.array(every)].sum(axis=1), np.log(records))
        for place in np.argsort(-(likely + rng.gumbel(size=len(every)))):
            yield every[place]
        return
    seen: set[tuple[int, ...]] = set()
    while len(seen) < _SETS:
        members = tuple(sorted(rng.choice(len(spread), size=size, replace=False).tolist()))
        if members not in seen:
            seen.add(members)
            yield members


def _entropy(codes: Whole) -> float:
    """Return the entropy of a column in nats: the logarithm of how many equally common values would tell as much."""
    shares = np.bincount(codes) / len(codes)
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())


def count(coding: Coding, groupings: Sequence[Grouping], rows: Rows, values: int) -> NDArray[np.int64]:
    """Return how many rows each group has with each value of the secret, all groupings one below the other.

    Parameters
    ----------
    coding : Coding
        The known columns.
    groupings : sequence of Grouping
        Which groups.
    rows : Rows
        What is counted, in blocks.
    values : int
        How many values the secret has, k.

    Returns
    -------
    array of shape (groups, k)
    """
    dense = [grouping.present.width * values <= _DENSE for grouping in groupings]
    widths = [
        grouping.present.width if whole else len(grouping.records) + 1
        for grouping, whole in zip(groupings, dense, strict=True)
    ]
    totals = [np.zeros(width * values, dtype=np.int64) for width in widths]
    for codes, secret in rows.blocks(coding):
        for grouping, whole, total in zip(groupings, dense, totals, strict=True):
            cell = grouping.key(codes) if whole else grouping.find(codes)
            cell = np.multiply(cell, values, dtype=smallest(len(total)), casting="unsafe")
            np.add(cell, secret, out=cell, casting="unsafe")
            total += np.bincount(cell, minlength=len(total))
    tables = [total.reshape(width, values) for total, width in zip(totals, widths, strict=True)]
    return np.concatenate(
        [
            table[grouping.present.keys] if whole else table[:-1]
            for grouping, whole, table in zip(groupings, dense, tables, strict=True)
        ]
    )
