"""What can be read off a tiny release: one row of numbers a run, and a fingerprint of the whole.

The numbers are the statistics in which a violation shows: how often each value occurs, how many rows look like the
record in question, edges of columns, what a person's own reports support.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privbench.errors import ContractError
from privbench.release import AlteredRows, Release, SyntheticTable
from privbench.reports import Reports, Together
from privbench.schema import Column
from privbench.table import Table, bin_count, to_bins
from privbench.verifying.neighbours import Pair
from privbench.verifying.outcomes import Outcomes
from privbench.verifying.reported import contrast, contrast_of_odds, told_by

__all__ = ["fingerprint", "look"]

_BINS = 16
# a column's values are counted one by one up to so many
_VALUES = 64


def look(releases: Sequence[Release | None], pair: Pair) -> Outcomes:
    """Return what can be read off releases.

    Parameters
    ----------
    releases : sequence of Release or None
        All of one kind; None where the mechanism failed, which is an outcome too.
    pair : Pair
        The neighbours of which they were made.

    Raises
    ------
    ContractError
        If a release is neither rows nor reports.
    """
    made = [release for release in releases if release is not None]
    there = np.array([release is not None for release in releases])
    if not made:
        return Outcomes(("the mechanism fails",), np.ones((len(releases), 1)), np.zeros(len(releases), dtype=np.uint64))
    found = _Numbers(len(made))
    if all(isinstance(release, Reports) for release in made):
        clear = [release.clear for release in made if isinstance(release, Reports)]
        if clear[0].schema.names:
            _read_rows(found, clear, pair)
        _read_reports(found, [release for release in made if isinstance(release, Reports)], pair)
    elif all(isinstance(release, SyntheticTable) for release in made):
        rows = [release for release in made if isinstance(release, SyntheticTable)]
        _read_rows(found, [release.table for release in rows], pair)
        if all(isinstance(release, AlteredRows) for release in made):
            _read_own_row(found, [release.table for release in rows], pair)
    else:
        raise ContractError(f"cannot be tested: a release of rows or reports is needed; got {type(made[0]).__name__}")
    numbers = np.zeros((len(releases), len(found.names) + 1))
    numbers[there, 1:] = np.column_stack(found.columns)
    numbers[:, 0] = ~there
    prints = np.zeros(len(releases), dtype=np.uint64)
    prints[there] = [fingerprint(release) for release in made]
    return Outcomes(("the mechanism fails", *found.names), numbers, prints)


@dataclass(slots=True)
class _Numbers:
    """Columns of numbers, one entry a run, as they are read."""

    runs: int
    names: list[str] = field(default_factory=list)
    columns: list[NDArray[Any]] = field(default_factory=list)

    def add(self, name: str, values: Any) -> None:
        self.names.append(name)
        self.columns.append(np.asarray(values, dtype=np.float64))


def _read_rows(found: _Numbers, tables: Sequence[Table], pair: Pair) -> None:
    """Count values, rows like either record, rows that are distinct, and what lies at the edges."""
    lengths = np.array([len(table) for table in tables])
    run = np.repeat(np.arange(found.runs), lengths)
    found.add("rows", lengths)
    like: dict[str, dict[str, NDArray[np.bool_]]] = {"the record": {}, "the record in its place": {}}
    row_id = np.zeros(len(run), dtype=np.uint64)
    domain = pair.first.schema
    for name in tables[0].schema.names:
        if name not in domain or not all(name in table.schema for table in tables):
            continue
        column = domain[name]
        values = np.concatenate([_values(table, column) for table in tables])
        cells = to_bins(column, values, bins=_BINS)
        size = bin_count(column, _BINS)
        row_id = row_id * np.uint64(1_000_003) + cells.astype(np.uint64)
        if size <= _VALUES:
            counts = np.bincount(run * size + cells, minlength=found.runs * size).reshape(found.runs, size)
            for cell in range(size):
                label = column.label(cell) if column.discrete else f"part {cell + 1} of {size} of its range"
                found.add(f"rows with {name} = {label}", counts[:, cell])
        if not column.discrete:
            for what, extreme, start in (("lowest", np.minimum, np.inf), ("highest", np.maximum, -np.inf)):
                edge = np.full(found.runs, start)
                extreme.at(edge, run, values)
                found.add(f"{what} {name}", np.where(np.isfinite(edge), edge, 0))
        for whose, record in (("the record", pair.record), ("the record in its place", pair.other)):
            like[whose][name] = cells == to_bins(column, record[name], bins=_BINS)[0]
            if size > _VALUES:
                found.add(f"rows like {whose} in {name}", _per_run(like[whose][name], run, found.runs))
            if not column.discrete:
                exact = values == record[name][0]
                found.add(f"rows with {name} exactly that of {whose}", _per_run(exact, run, found.runs))
    for whose, masks in like.items():
        for one, two in combinations(masks, 2):
            found.add(f"rows like {whose} in {one} and {two}", _per_run(masks[one] & masks[two], run, found.runs))
        if len(masks) > 2:
            whole = np.logical_and.reduce(list(masks.values()))
            found.add(f"rows like {whose}", _per_run(whole, run, found.runs))
    distinct = np.unique(np.column_stack([run.astype(np.uint64), row_id]), axis=0)
    found.add("distinct rows", np.bincount(distinct[:, 0].astype(np.intp), minlength=found.runs))


def _values(table: Table, column: Column) -> NDArray[Any]:
    """Return a column's values in the terms of the data set's own domain: a release may have learnt another one."""
    own = table.schema[column.name]
    if own == column:
        return table[column.name]
    if own.discrete != column.discrete:
        raise ContractError(
            f"cannot be tested: {column.name!r} is {column.kind} in the data set, {own.kind} as released"
        )
    if not column.discrete:
        return np.clip(table[column.name], column.low, column.high)
    return np.array([column.code(value) for value in own.values], dtype=np.int64)[table[column.name]]


def _per_run(mask: NDArray[np.bool_], run: NDArray[np.intp], runs: int) -> NDArray[np.intp]:
    return np.bincount(run[mask], minlength=runs)


def _read_own_row(found: _Numbers, tables: Sequence[Table], pair: Pair) -> None:
    """Read the row that became of the record in question; rows stand in the order of the records."""
    for name in tables[0].schema.names:
        column = pair.first.schema[name]
        own = np.array([_values(table, column)[-1] for table in tables])
        if not column.discrete:
            found.add(f"the record's own {name}", own)
            continue
        for record in dict.fromkeys((int(pair.record[name][0]), int(pair.other[name][0]))):
            found.add(f"the record's own row has {name} = {column.label(record)}", own == record)


def _read_reports(found: _Numbers, releases: Sequence[Reports], pair: Pair) -> None:
    """Read what the record's own reports support and how much likelier they are of the record than of the other."""
    who = np.array([len(pair.first) - 1])  # in every table the record is the last one
    faked = any(release.together is Together.ONE_GENUINE for release in releases)
    surveys = 1 + max((one.survey for release in releases for one in release.reported), default=0)
    likelier = np.zeros(found.runs)
    genuine = np.zeros((surveys, found.runs, 2))
    for column in dict.fromkeys(column for release in releases for column in release.randomised):
        support = np.zeros((found.runs, 2))
        told = np.zeros((surveys, found.runs, 2))
        for run, release in enumerate(releases):
            for one in (one for one in release.reported if one.column == column):
                _, mine = one.of(who)
                if len(mine):
                    read = told_by(one, mine, pair.record, pair.other, faked=faked)
                    support[run] += read.support[0]
                    told[one.survey, run] = read.log_likelihood[0]
                    genuine[one.survey, run] += read.odds[0]
        if column.discrete:
            for which, record in enumerate((pair.record, pair.other)):
                value = column.label(record[column.name][0])
                found.add(f"the record's own report supports {column.name} = {value}", support[:, which])
        else:
            found.add(f"the record's own report of {column.name}", support[:, 0])
        likelier += sum(contrast(part) for part in told)
    if faked:
        likelier = np.sum([contrast_of_odds(part) for part in genuine], axis=0)
    found.add("how much likelier the record's own reports are of it than of the other record", likelier)


def fingerprint(release: Release) -> int:
    """Return a number for a whole release, of equal ones the same; never 0."""
    digest = hashlib.blake2b(digest_size=8)
    if isinstance(release, Reports):
        for one in release.reported:
            digest.update(one.column.name.encode() + one.reports.tobytes())
            digest.update(b"" if one.people is None else one.people.tobytes())
        arrays = release.clear.arrays
    else:
        arrays = release.table.arrays if isinstance(release, SyntheticTable) else {}
    for name, array in arrays.items():
        digest.update(name.encode() + array.tobytes())
    return int.from_bytes(digest.digest(), "little") | 1
