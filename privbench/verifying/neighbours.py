"""Worst-case neighbouring data sets of a schema: two tiny tables that differ in one record.

Noise hides one record among many or few alike, so that tiny tables of 1 to 20 records lose nothing, run fast, and bring
out what a mechanism may get wrong: an empty cell beside a full one, a value that one record alone has, the edges of a
column's domain, a record that differs from the others in every column, and in one. One pair has 400 records, for
mechanisms whose noise is wider than 20.

References
----------
Z. Ding, Y. Wang, G. Wang, D. Zhang and D. Kifer, "Detecting Violations of Differential Privacy", CCS 2018.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privbench.claim import Adjacency
from privbench.schema import Column, Schema
from privbench.table import Table

__all__ = ["Pair", "column_sets", "neighbours", "single_records"]

_RECORDS = 10
_MORE_RECORDS = 20
# where the noise is wider than a few records, only a larger cell keeps it from being cut at zero
_MANY_RECORDS = 400


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two neighbouring data sets.

    Parameters
    ----------
    name : str
        What sets them apart, in words.
    first, second : Table
        They differ in the last record: it is exchanged, or the first table has it in addition.
    adjacency : Adjacency
        In which sense they are neighbours; `local` where each is a single person's record.
    """

    name: str
    first: Table
    second: Table
    adjacency: Adjacency = Adjacency.REPLACE_ONE

    @property
    def record(self) -> Table:
        """The record that the first table has and the second has not."""
        return self.first.take(np.array([len(self.first) - 1]))

    @property
    def other(self) -> Table:
        """What the second table has in its place; its last record where it has none."""
        return self.second.take(np.array([len(self.second) - 1]))


def low(column: Column) -> float:
    """Return the lower bound, or the first value of the domain that is not the missing one."""
    return float(_present(column)[0]) if column.discrete else column.low


def high(column: Column) -> float:
    """Return the upper bound, or the last value of the domain that is not the missing one."""
    return float(_present(column)[-1]) if column.discrete else column.high


def middle(column: Column) -> float:
    """Return the middle of the domain."""
    if column.discrete:
        present = _present(column)
        return float(present[(len(present) - 1) // 2])
    centre = column.low + column.range / 2
    return float(np.floor(centre)) if column.integer and np.floor(centre) >= column.low else centre


def missing(column: Column) -> float:
    """Return the missing value where the domain has one, else what `low` does."""
    if column.discrete and None in column.values:
        return float(column.values.index(None))
    return low(column)


def _present(column: Column) -> list[int]:
    codes = [code for code, value in enumerate(column.values) if value is not None]
    return codes or list(range(column.size))


def column_sets(schema: Schema, fixed: Iterable[str] = ()) -> tuple[tuple[str, ...], ...]:
    """Return the sets of columns that neighbours are made of: one column, two, and up to four.

    Few and narrow columns are fastest and lose least in a release's own sampling; a number of them shows a budget that
    is not split. One with missing values is among them, if there is one. A column of a single value tells nothing and
    is left out.

    Parameters
    ----------
    schema : Schema
        Of the data set.
    fixed : iterable of str
        Columns that the mechanism is set to protect: these alone are taken, as a claim says nothing about others.
    """
    kept = {name for name in fixed if name in schema}
    if kept:
        return (tuple(name for name in schema.names if name in kept),)
    discrete = sorted((c for c in schema.columns if c.discrete and c.size > 1), key=lambda c: c.size)
    numbers = [c for c in schema.columns if not c.discrete and c.range > 0]
    names, others = [c.name for c in discrete], [c.name for c in numbers]
    few = names[:3]
    empty = [c.name for c in discrete if None in c.values]
    if empty and not {*few} & {*empty}:  # what becomes of a missing value is worth a look
        few = [*few[:2], empty[0]]
    wanted = [
        (names or others)[:1],
        [*names[:1], *others[:1]] if names and others else (names or others)[:2],
        [*few, *others[: 4 - len(few)]],
    ]
    found = [tuple(name for name in schema.names if name in one) for one in wanted]
    return tuple(dict.fromkeys(one for one in found if one)) or (schema.names,)


def neighbours(schema: Schema, *, adjacency: Adjacency) -> Iterator[Pair]:
    """Yield worst-case neighbours over all columns of a schema.

    Parameters
    ----------
    schema : Schema
        Few columns; all of them are made secrets, so that a mechanism for secrets alone covers them.
    adjacency : Adjacency
        replace-one: one record is exchanged; add-remove: the first table has one record more.
    """
    schema = schema.with_secrets(schema.names)
    columns = schema.columns
    where = ", ".join(schema.names)

    def pair(what: str, base: list[list[float]], record: list[float], other: list[float] | None) -> Pair:
        second = base if other is None else [*base, other]
        return Pair(f"{what} ({where})", _table(schema, [*base, record]), _table(schema, second), adjacency)

    lows, highs, middles, none = ([corner(column) for column in columns] for corner in (low, high, middle, missing))
    one_changed = [*lows[:-1], highs[-1]]
    edged = any(column.kind != "categorical" for column in columns)
    if adjacency is Adjacency.ADD_REMOVE:
        yield pair("one record more, with values that no other has", [lows] * _RECORDS, highs, None)
        yield pair("one record more like all others", [lows] * _RECORDS, lows, None)
        yield pair("a second record, with other values", [lows], highs, None)
        yield pair("one record more at the edges of the domain", [middles] * _RECORDS, highs, None)
        return
    yield pair("all records alike but one, which has values of its own", [lows] * (_RECORDS - 1), highs, lows)
    for records in (_MORE_RECORDS, _MANY_RECORDS):
        half = records // 2
        base = [lows] * (half - 1) + [highs] * (records - half)
        yield pair(f"half of {records} records of either kind, one changes sides", base, highs, lows)
    yield pair("a single record", [], highs, lows)
    if len(columns) > 1:
        yield pair(f"all records alike but for {columns[-1].name} of one", [lows] * (_RECORDS - 1), one_changed, lows)
    if none != lows:
        yield pair("all records alike but one, whose values are missing", [lows] * (_RECORDS - 1), none, lows)
    if edged:
        yield pair(
            "one record at the upper or the lower edge of the domain, all others in the middle",
            [middles] * (_RECORDS - 1), highs, lows,
        )  # fmt: skip


def single_records(schema: Schema) -> Iterator[Pair]:
    """Yield pairs of single persons' records, for a mechanism that each person runs: all columns differ, or one."""
    schema = schema.with_secrets(schema.names)
    columns = schema.columns
    lows, highs, middles, none = ([corner(column) for column in columns] for corner in (low, high, middle, missing))
    changes = [("every column", highs, lows)]
    if len(columns) > 1:
        changes += [
            (column.name, [*lows[:place], highs[place], *lows[place + 1 :]], lows)
            for place, column in enumerate(columns)
        ]
    if middles not in (lows, highs):
        changes.append(("every column, to the middle of its domain", middles, lows))
    if none != lows:
        changes.append(("every column, to a missing value where there is one", none, lows))
    for what, record, other in changes:
        name = f"one person's record, which differs in {what} ({', '.join(schema.names)})"
        yield Pair(name, _table(schema, [record]), _table(schema, [other]), Adjacency.LOCAL)


def _table(schema: Schema, records: list[list[float]]) -> Table:
    arrays: dict[str, NDArray[Any]] = {}
    for place, column in enumerate(schema.columns):
        values = np.array([record[place] for record in records], dtype=np.float64)
        arrays[column.name] = values.astype(np.int32) if column.discrete else values
    return Table(schema, arrays, len(records))
