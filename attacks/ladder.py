"""Columns of several tables on common scales, from equal values to any two. Not an attack itself.

A number may have come about as a copy of another one, as a draw from the same fine or coarse cell, or as a draw from
all: these are the rungs of its column. A category has two, the same value and any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privbench.release import AlteredRows, SyntheticTable
from privbench.schema import Column, Kind
from privbench.table import Table, bin_count, to_bins

__all__ = ["Ladder", "blank_cells", "canonical", "evenly_spaced"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# cells into which a column is cut; those of a coarser cut are unions of those of a finer one
_CUTS = (64, 16, 4)


@dataclass(frozen=True, slots=True, eq=False)
class Ladder:
    """One column of several tables.

    Parameters
    ----------
    codes : tuple of array of int, shape (L, n)
        For each table and rung, finest first, numbers that are the same where two values are alike on it; -1 where a
        cell is blank, which is like no other.
    mass : tuple of array, shape (L + 1, n)
        For each table and rung the probability of this very value among all that are alike on the rung; in the last
        row among all values.
    """

    codes: tuple[Ints, ...]
    mass: tuple[Floats, ...]

    @property
    def rungs(self) -> int:
        """L, the number of rungs below "any two values"."""
        return len(self.codes[0])

    @classmethod
    def of(
        cls, column: Column, tables: Sequence[NDArray[Any]], blank: Sequence[NDArray[np.bool_] | None] = ()
    ) -> Ladder:
        """Put a column of several tables on common scales.

        Parameters
        ----------
        column : Column
            Kind and domain.
        tables : sequence of array
            The column's values in each table, in codes or numbers; at least one value in all.
        blank : sequence of array of bool or None
            For each table which cells are blank; none without.
        """
        values = np.concatenate(tables)
        return cls._of_scales([values, *_cells(column, values)], [len(table) for table in tables], blank)

    @classmethod
    def of_codes(cls, tables: Sequence[Ints]) -> Ladder:
        """Put codes without an order on common scales: the same, and any."""
        return cls._of_scales([np.concatenate(tables)], [len(table) for table in tables], ())

    @classmethod
    def _of_scales(
        cls, given: Sequence[NDArray[Any]], lengths: Sequence[int], blank: Sequence[NDArray[np.bool_] | None]
    ) -> Ladder:
        exact = np.unique(given[0], return_inverse=True)[1].astype(np.int64).ravel()
        scales = [exact]
        for cells in given[1:]:
            coarser = np.unique(cells, return_inverse=True)[1].astype(np.int64).ravel()
            if 0 < coarser.max() < scales[-1].max():
                scales.append(coarser)
        common = np.bincount(exact)[exact] / len(exact)
        shares = [common / (np.bincount(scale)[scale] / len(scale)) for scale in scales]
        edges = np.cumsum(lengths)[:-1]
        codes = np.split(np.stack(scales), edges, axis=1)
        for own, gone in zip(codes, blank, strict=False):
            if gone is not None:
                own[:, gone] = -1
        return cls(tuple(codes), tuple(np.split(np.stack([*shares, common]), edges, axis=1)))


def _cells(column: Column, values: NDArray[Any]) -> list[Ints]:
    """Return the cells of a number or an ordinal value, finer ones first; none for a category."""
    if column.kind is Kind.CATEGORICAL:
        return []
    if column.discrete:
        present = np.array([value is not None for value in column.values])
        rank = np.where(present, np.cumsum(present) - 1, -1)[values]
        # a missing value is alike to none but another missing one
        return [np.where(rank < 0, -1, rank * cut // present.sum()) for cut in _CUTS if cut < present.sum()]
    fine = bin_count(column, _CUTS[0])
    cells = to_bins(column, values, bins=_CUTS[0])
    return [cells * cut // fine for cut in _CUTS if cut <= fine]


def blank_cells(release: SyntheticTable, name: str) -> NDArray[np.bool_] | None:
    """Return which cells of a released column are blank, or None if all are filled."""
    return release.suppressed.get(name) if isinstance(release, AlteredRows) else None


def canonical(table: Table, *ties: NDArray[Any]) -> Ints:
    """Return an order of the records that depends on what they hold, not on how they come; then on `ties`."""
    keys = [*ties[::-1], *(table[name] for name in table.schema.names)]
    return np.lexsort(keys).astype(np.int64) if keys else np.arange(len(table))


def evenly_spaced(order: Ints, most: int) -> Ints:
    """Return at most so many members of an order, from its whole length."""
    return order if len(order) <= most else order[np.arange(most) * len(order) // most]
