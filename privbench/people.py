"""What a results folder keeps of single people: figures of each attack, and who they are by what is known of them.

Two Arrow tables. Of a cell: a row for each target and secret with the figures of `privbench.scorers.persons`. Of a
round, which all defenses of a seed share: a row for each target with the known columns, under ``known.`` and their own
names, and what makes the person rare. A person goes by a number, the place among the round's shuffled targets. Columns
that the adversary does not know are in neither. The secret is no column, but figures tell it (a baseline may be that of
everybody with the true value): the tables are as sensitive as the records.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from privbench.contracts import Round
from privbench.dataset import Dataset
from privbench.schema import Column
from privbench.scorers.persons import Persons
from privbench.scorers.rarity import rarest
from privbench.table import Table, bin_count, to_bins

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FIGURES", "IDENTITY", "KNOWN", "figures_to_arrow", "rarity", "targets_to_arrow"]

FIGURES = ("key", "round", "person", "member", "secret", *Persons.__slots__)
"""Columns of a cell's table; `right` to `decoy` as `privbench.scorers.persons.Persons` says."""
IDENTITY = ("round", "person", "record", "rare_in", "rare_count", "rare_of")
"""Columns of a round's table before the known ones.

`record` is the place of the person's record among those of the data set, by which somebody attacked in several seeds is
recognised; null where another record has the same known values, as twins must not be taken for one another. `rare_in`
names the one or two known columns in which the fewest training records are like the person's, and `rare_count` says how
many those are of the `rare_of` training records. Numbers of a continuous column are alike in the same twentieth of its
domain.
"""
KNOWN = "known."
_BINS = 20  # parts of a continuous column's domain: people in one are alike


def figures_to_arrow(key: str, round_key: str, member: NDArray[np.bool_], figures: Mapping[str, Persons]) -> pa.Table:
    """Return the figures of one attack on every target, secret by secret.

    Parameters
    ----------
    key, round_key : str
        Of the cell, and of the round's table.
    member : array of bool
        Whose record was in the training data.
    figures : mapping of str to Persons
        For each secret.
    """
    import pyarrow as pa

    people, secrets = len(member), list(figures)
    rows = people * len(secrets)
    numbers = {
        name: np.concatenate([getattr(persons, name) for persons in figures.values()]).astype(np.float32)
        for name in Persons.__slots__
    }
    return pa.table(
        {
            "key": _constant(key, rows),
            "round": _constant(round_key, rows),
            "person": np.tile(np.arange(people, dtype=np.int32), len(secrets)),
            "member": np.tile(member, len(secrets)),
            "secret": _coded(np.repeat(np.arange(len(secrets), dtype=np.int32), people), secrets),
            **numbers,
        }
    )


def targets_to_arrow(round_key: str, round_: Round, dataset: Dataset) -> pa.Table:
    """Return who the targets of a round are, as far as the adversary knows, and what makes them rare."""
    import pyarrow as pa

    targets, columns = round_.targets, round_.targets.schema.columns
    people = len(targets)
    # of people of whom nothing is known nothing is rare; of the same type, as rounds stand in one table
    nothing = pa.nulls(people, pa.dictionary(pa.int32(), pa.string()))
    codes, names, count = rarity(targets, round_.train) if columns else (np.zeros(0), [], np.zeros(people, int))
    return pa.table(
        {
            "round": _constant(round_key, people),
            "person": np.arange(people, dtype=np.int32),
            "record": _records(targets, dataset),
            "rare_in": _coded(codes.astype(np.int32), names) if columns else nothing,
            "rare_count": count,
            "rare_of": np.full(people, len(round_.train)),
            **{KNOWN + column.name: _plain(column, targets[column.name]) for column in columns},
        }
    )


def rarity(targets: Table, train: Table) -> tuple[NDArray[np.int64], list[str], NDArray[np.int64]]:
    """Return what makes each person rare among the training records: a code, what codes mean, and how many are alike.

    A name is one or two columns, as ``race x occupation``, in which the fewest training records are like the person's.

    Parameters
    ----------
    targets, train : Table
        With the same columns, at least one.
    """
    columns = targets.schema.columns
    records, people = ([to_bins(c, table[c.name], bins=_BINS) for c in columns] for table in (train, targets))
    places, count = rarest(records, people, sizes=[bin_count(c, _BINS) for c in columns])
    pairs, codes = np.unique(places[:, 0] * (len(columns) + 1) + places[:, 1] + 1, return_inverse=True)
    both = (divmod(int(pair), len(columns) + 1) for pair in pairs)
    names = [
        " x ".join([columns[first].name, *([columns[second - 1].name] if second else [])]) for first, second in both
    ]
    return codes.astype(np.int64).ravel(), names, count


def _records(targets: Table, dataset: Dataset) -> Any:
    """Return the place of each target's record in the data set, null where it is not known."""
    import pyarrow as pa

    ranked, place, count = _distinct(dataset, targets.schema.names)
    if not len(ranked):
        return pa.nulls(len(targets), pa.int64())
    mine = _whole_rows(targets)
    found = np.minimum(np.searchsorted(ranked, mine), len(ranked) - 1)
    return pa.array(place[found], pa.int64(), mask=(count[found] > 1) | (ranked[found] != mine))


@lru_cache(maxsize=4)
def _distinct(dataset: Dataset, names: tuple[str, ...]) -> tuple[NDArray[Any], NDArray[np.intp], NDArray[np.intp]]:
    """Return the distinct known values of a data set's records, the first that has them, and how many do."""
    rows = _whole_rows(dataset.records.select(names))
    ranked, place, count = np.unique(rows, return_index=True, return_counts=True)
    return ranked, place, count


def _whole_rows(table: Table) -> NDArray[Any]:
    """Return each record's values as one value that sorts and compares, none where there is no column."""
    names = table.schema.names
    if not names:
        return np.zeros(0)
    # a negative zero is the same number with other bytes
    values = np.ascontiguousarray(np.column_stack([table[name].astype(np.float64) for name in names]) + 0.0)
    return values.view(np.dtype((np.void, values.itemsize * len(names)))).ravel()


def _plain(column: Column, values: NDArray[Any]) -> Any:
    """Return a column's values as people read them: labels, or numbers."""
    if column.discrete:
        return _coded(values.astype(np.int32), [column.label(code) for code in range(column.size)])
    return values.astype(np.int64) if column.integer else values


def _constant(text: str, rows: int) -> Any:
    return _coded(np.zeros(rows, dtype=np.int32), [text])


def _coded(codes: NDArray[np.int32], labels: list[str]) -> Any:
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(codes, pa.array(labels, pa.string()))
