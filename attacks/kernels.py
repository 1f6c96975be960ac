"""Weights of released rows for people, a column's kernel at a time, and their sums. Not an attack itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from attacks.ladder import Ladder

__all__ = ["Held", "Kernel", "Profiles", "totals", "weights"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# pairs of a person and a profile that are held at once: 8 MB of weights
_BLOCK = 1_000_000


class Kernel(Protocol):
    """How likely a column's value came from another one."""

    def between(self, people: Ints, rows: Ints) -> Floats:
        """Return K(x | r) for the values of some people and of some rows, ``(people, rows)``."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Profiles:
    """The different combinations of known values that the rows of a table have.

    Parameters
    ----------
    part : int
        Which of the ladders' tables.
    first : array of int, shape (p,)
        A row of each profile.
    of_row : array of int, shape (n,)
        The profile of each row.
    size : array of int, shape (p,)
        How many rows count for each profile.
    """

    part: int
    first: Ints
    of_row: Ints
    size: Ints

    @classmethod
    def of(cls, ladders: Sequence[Ladder], part: int, rows: int, *, among: Ints | None = None) -> Profiles:
        """Collapse the rows of one of the tables; all of them count, or some."""
        key = np.zeros(rows, dtype=np.int64)
        for ladder in ladders:
            own = ladder.codes[part][0] + 1
            key = np.unique(key * (int(own.max(initial=0)) + 1) + own, return_inverse=True)[1].ravel()
        first, of_row = np.unique(key, return_index=True, return_inverse=True)[1:]
        of_row = of_row.ravel()
        size = np.bincount(of_row if among is None else of_row[among], minlength=len(first))
        return cls(part, first, of_row, size)

    def held(self, cells: Ints, rows: Ints | None = None, amount: Floats | None = None) -> Held:
        """Return what some rows hold, profile by profile: how many of them, or how much in all.

        Parameters
        ----------
        cells : array of int, shape (m,)
            What is held by each of the rows.
        rows : array of int, shape (m,)
            Positions; None for all.
        amount : array, shape (m,)
            What each of them counts; 1 without.
        """
        own = self.of_row if rows is None else self.of_row[rows]
        key, inverse = np.unique(cells * len(self.first) + own, return_inverse=True)
        number = np.bincount(inverse.ravel(), weights=amount, minlength=len(key)).astype(np.float64)
        return Held(key % len(self.first), key // len(self.first), number)


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """What the rows of each profile hold.

    Parameters
    ----------
    profile, cell : array of int, shape (e,)
        Pairs that occur, by ascending cell.
    number : array of shape (e,)
        How often.
    """

    profile: Ints
    cell: Ints
    number: Floats


def weights(
    kernels: Sequence[Kernel], codes: Sequence[Ints], people: Ints, rows: Ints
) -> Iterator[tuple[slice, Floats]]:
    """Yield blocks of people with the product of all columns' kernels.

    Parameters
    ----------
    kernels : sequence of Kernel
        One a column.
    codes : sequence of array of int
        For each column numbers that are the same where two people's values are.
    people, rows : array of int
        Who, and from which rows.

    Yields
    ------
    block : slice
        Of `people`.
    weight : array of shape (b, rows)
        The caller may write to it.
    """
    step = max(1, _BLOCK // max(1, len(rows)))
    for start in range(0, len(people), step):
        some = people[start : start + step]
        weight = np.ones((len(some), len(rows)))
        for kernel, code in zip(kernels, codes, strict=True):
            # what people have in common is worked out once
            first, inverse = np.unique(code[some], return_index=True, return_inverse=True)[1:]
            weight *= kernel.between(some[first], rows)[inverse.ravel()]
        yield slice(start, start + len(some)), weight


def totals(weight: Floats, held: Held, cells: int) -> Floats:
    """Add up the weights of pairs of a profile and a cell, ``(b, e)``, by cell: ``(b, cells)``."""
    sums = np.zeros((len(weight), cells))
    if len(held.cell):
        starts = np.flatnonzero(np.diff(held.cell, prepend=-1))
        sums[:, held.cell[starts]] = np.add.reduceat(weight * held.number, starts, axis=1)
    return sums
