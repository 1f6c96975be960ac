"""Known columns as small whole numbers: those of a roster, of released rows block by block, and of targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attacks.learner import left
from privbench.contracts import View
from privbench.release import AlteredRows
from privbench.schema import Column
from privbench.table import Table, bin_count, to_bins

__all__ = ["Coding", "Rows", "Whole", "same_known", "smallest"]

Whole = NDArray[np.integer[Any]]

# rows coded at a time: their numbers stay in the processor's cache
_BLOCK = 1 << 17


@dataclass(frozen=True)
class Coding:
    """Known columns as small whole numbers: one for each value that the roster has, and the last for all others.

    Parameters
    ----------
    roster : Table
        Known columns of the n training records.
    bins : int
        Cells into which the domain of a continuous column is cut.
    """

    roster: Table
    bins: int

    @cached_property
    def _places(self) -> list[tuple[Whole, int]]:
        """For each column the number of every cell, and how many numbers there are."""
        places: list[tuple[Whole, int]] = []
        for column in self.roster.schema.columns:
            seen = np.unique(to_bins(column, self.roster[column.name], bins=self.bins))
            place = np.full(bin_count(column, self.bins), len(seen), dtype=np.int32)
            place[seen] = np.arange(len(seen))
            places.append((place, len(seen) + 1))
        return places

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many numbers each of the d columns has."""
        return tuple(size for _, size in self._places)

    def encode(self, arrays: Sequence[NDArray[Any]]) -> Whole:
        """Return the numbers of records that are given column by column: ``(d, records)``."""
        codes = np.empty((len(arrays), len(arrays[0])), dtype=smallest(max(self.sizes)))
        for row, column, (place, _), values in zip(
            codes, self.roster.schema.columns, self._places, arrays, strict=True
        ):
            row[:] = place.take(to_bins(column, values, bins=self.bins), mode="clip")
        return codes

    def encode_table(self, records: Table) -> Whole:
        """Return the numbers of records that have the roster's columns: ``(d, records)``."""
        return self.encode([records[name] for name in self.roster.schema.names])


@dataclass(frozen=True)
class Rows:
    """The released rows that show a secret, block by block.

    Parameters
    ----------
    view : View
        What the adversary has; the release is a table with a row.
    secret : Column
        The secret.
    cells : int
        Into how many a continuous secret is cut.
    positions : array of int or None
        Rows to take; None for all that show the secret.
    """

    view: View
    secret: Column
    cells: int
    positions: NDArray[np.intp] | None = None

    @cached_property
    def _taken(self) -> NDArray[np.intp] | None:
        """Positions of the rows, or None for every row of the release."""
        if self.positions is not None:
            return self.positions
        shown = left(self.view, self.secret)
        return None if len(shown) == len(self.view.release.values(self.secret.name)) else shown

    def __len__(self) -> int:
        taken = self._taken
        return len(self.view.release.values(self.secret.name)) if taken is None else len(taken)

    def sample(self, most: int, *, rng: np.random.Generator) -> Rows:
        """Return at most so many of the rows, drawn without replacement."""
        number = len(self)
        if number <= most:
            return self
        drawn = np.sort(rng.choice(number, size=most, replace=False))
        taken = self._taken
        return replace(self, positions=drawn if taken is None else taken[drawn])

    def secrets(self, where: slice = slice(None)) -> tuple[NDArray[Any], Whole]:
        """Return the secret's released values, and the numbers of their cells."""
        taken = self._taken
        values = self.view.release.values(self.secret.name)[where if taken is None else taken[where]]
        kind = smallest(bin_count(self.secret, self.cells))
        return values, to_bins(self.secret, values, bins=self.cells).astype(kind)

    def blocks(self, coding: Coding) -> Iterator[tuple[Whole, Whole]]:
        """Yield the numbers of the known columns, ``(d, block)``, and of the secret, ``(block,)``."""
        release, taken = self.view.release, self._taken
        names = coding.roster.schema.names
        columns = [release.values(name) for name in names]
        # a placeholder stands where a cell is blank: it is nobody's value
        blank = release.suppressed if isinstance(release, AlteredRows) else {}
        for start in range(0, len(self), _BLOCK):
            block = slice(start, start + _BLOCK)
            rows = block if taken is None else taken[block]
            codes = coding.encode([column[rows] for column in columns])
            for row, name, size in zip(codes, names, coding.sizes, strict=True):
                if name in blank:
                    row[blank[name][rows]] = size - 1
            yield codes, self.secrets(block)[1]


def same_known(roster: Table, targets: Table) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return a number for each record, equal ones for equal known columns.

    Returns
    -------
    array of shape (n,), array of shape (T,)
        Of the roster's records and of the targets.
    """
    label = np.zeros(len(roster) + len(targets), dtype=np.intp)
    for name in roster.schema.names:
        values, place = np.unique(np.concatenate([roster[name], targets[name]]), return_inverse=True)
        label = np.unique(label * len(values) + place, return_inverse=True)[1]
    return label[: len(roster)], label[len(roster) :]


def smallest(width: int) -> type[np.integer]:
    """Return the smallest of three types that holds the numbers below `width`: smaller ones are joined faster."""
    return np.uint16 if width <= 1 << 16 else np.int32 if width <= 1 << 31 else np.int64
