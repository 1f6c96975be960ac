"""Records as small whole numbers, cut by the schema alone, and how often their combinations occur.

Bounds and values come from the schema: bins between the records' own smallest and largest value would tell both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

from privbench.schema import Schema
from privbench.table import Table, bin_count, from_bins, to_bins

__all__ = ["Codes", "Coding", "count", "count_each"]

Codes = NDArray[np.unsignedinteger]
"""One row a column, one entry a record: ``(d, n)``, of the smallest unsigned type that holds every column's values."""

# records counted at a time: their cell numbers stay in the processor's cache
_BLOCK = 1 << 17


@dataclass(frozen=True)
class Coding:
    """How records become codes: discrete columns keep theirs, continuous ones are cut into bins of equal width.

    Parameters
    ----------
    schema : Schema
        The columns.
    bins : int
        Cells into which the domain of a continuous column is cut.
    """

    schema: Schema
    bins: int

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Number of values of each column."""
        return tuple(bin_count(column, self.bins) for column in self.schema.columns)

    def encode(self, table: Table) -> Codes:
        """Return the records' codes."""
        codes = np.empty((len(self.sizes), len(table)), dtype=np.min_scalar_type(max(self.sizes, default=1) - 1))
        for row, column in zip(codes, self.schema.columns, strict=True):
            row[:] = to_bins(column, table[column.name], bins=self.bins)
        return codes

    def decode(self, codes: Codes, *, rng: np.random.Generator) -> Table:
        """Return records with these codes; a continuous value is drawn uniformly within its bin."""
        columns = zip(self.schema.columns, codes, strict=True)
        arrays = {column.name: from_bins(column, row, bins=self.bins, rng=rng) for column, row in columns}
        return Table(self.schema, arrays, codes.shape[1])


def count(codes: Codes, columns: Sequence[int], sizes: Sequence[int]) -> NDArray[np.int64]:
    """Return how often each combination of these columns' values occurs, one axis a column.

    Parameters
    ----------
    codes : array of int, shape (d, n)
        The records.
    columns : sequence of int
        Which columns, in the order of the axes.
    sizes : sequence of int
        Number of values of all d columns.
    """
    shape = tuple(sizes[column] for column in columns)
    total = np.zeros(prod(shape), dtype=np.int64)
    for start in range(0, codes.shape[1], _BLOCK):
        cell = codes[columns[0], start : start + _BLOCK].astype(np.intp)
        for column in columns[1:]:
            cell *= sizes[column]
            cell += codes[column, start : start + _BLOCK]
        total += np.bincount(cell, minlength=len(total))
    return total.reshape(shape)


def count_each(
    codes: Codes, given: Sequence[int], columns: Sequence[int], sizes: Sequence[int]
) -> list[NDArray[np.int64]]:
    """Return, for each of several columns, how often its values occur with each combination of the given columns.

    Parameters
    ----------
    codes : array of int, shape (d, n)
        The records.
    given : sequence of int
        Columns whose c combinations are the rows of every table.
    columns : sequence of int
        One table of shape (c, sizes[column]) for each.
    sizes : sequence of int
        Number of values of all d columns.
    """
    combinations = prod(sizes[column] for column in given)
    tables = [np.zeros(combinations * sizes[column], dtype=np.int64) for column in columns]
    block = max([_BLOCK, *map(len, tables)])
    cell = np.empty(min(block, codes.shape[1]), dtype=np.intp)
    for start in range(0, codes.shape[1], block):
        part = codes[:, start : start + block]
        base = np.zeros(part.shape[1], dtype=np.intp)
        for column in given:
            base *= sizes[column]
            base += part[column]
        for column, table in zip(columns, tables, strict=True):
            here = np.multiply(base, sizes[column], out=cell[: len(base)])
            here += part[column]
            table += np.bincount(here, minlength=len(table))
    return [table.reshape(combinations, -1) for table in tables]
