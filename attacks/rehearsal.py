"""How a known mechanism alters rows, learnt by applying it to rows that the adversary has. Not an attack itself.

Where every record becomes one row, applying the mechanism to a table shows what becomes of each value: which is kept,
and where the others go. The method is public, so this is the adversary's to do (Kerckhoffs).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attacks.reconstruction import Reconstruction
from privbench.contracts import View
from privbench.release import AlteredRows
from privbench.schema import Column

__all__ = ["Channel", "Moves", "rehearse", "transitions"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Moves = tuple[NDArray[Any], NDArray[Any]]
"""A column's values before and after, cells left blank not counted."""

# times that the mechanism is applied
_TIMES = 2
# a column with more values is cut into so many cells of about equal numbers of rows to count moves in
_CELLS = 64
# moves that are added to those counted, as if a value were kept as often as any, and else went anywhere
_PSEUDO = 5.0


def rehearse(view: View, *, rng: np.random.Generator) -> Mapping[str, Moves] | None:
    """Apply the mechanism to rows of one's own, and return what became of each column.

    These are the training records as the roster or the population has them, else the released rows. None where the
    mechanism is unknown, or makes something else of them.

    Parameters
    ----------
    view : View
        A release of altered rows, at least one.
    rng : Generator
        The mechanism's randomness, too.
    """
    release = view.release
    if view.defense is None or not isinstance(release, AlteredRows):
        return None
    own = release.table.with_schema(release.schema.with_secrets([secret.name for secret in view.secrets]))
    records = None if view.roster is None and view.population is None else Reconstruction.of(view, rng=rng)
    before: dict[str, list[NDArray[Any]]] = {name: [] for name in own.schema.names}
    after: dict[str, list[NDArray[Any]]] = {name: [] for name in own.schema.names}
    for _ in range(_TIMES):
        table = own if records is None else records.draw(rng=rng)[0]
        try:
            made = view.defense.release(table, rng=rng)
        except Exception:  # whatever a mechanism raises: it cannot be rehearsed
            return None
        if not isinstance(made, AlteredRows):
            return None
        for name in before:
            filled = ~made.suppressed[name] if name in made.suppressed else np.ones(len(table), dtype=bool)
            before[name].append(table[name][filled])
            after[name].append(made.table[name][filled])
    return {name: (np.concatenate(before[name]), np.concatenate(after[name])) for name in before}


@dataclass(frozen=True, slots=True, eq=False)
class Channel:
    """How likely a person has a value, given the released one: the kernel of a column that was altered.

    Parameters
    ----------
    kept : array of shape (c,)
        For each cell of released values how often the very value was kept.
    moved : array of shape (c, c)
        From which cell it came else, one released cell a column.
    within : array of shape (T,)
        The share that each person's value has of its cell.
    common : array of shape (T,)
        The share that it has of all values: what is left to say next to a blank cell.
    people, rows : array
        The values themselves.
    cells : pair of array of int
        Those of people and rows.
    blank : array of bool or None
        Which released cells are blank.
    """

    kept: Floats
    moved: Floats
    within: Floats
    common: Floats
    people: NDArray[Any]
    rows: NDArray[Any]
    cells: tuple[Ints, Ints]
    blank: NDArray[np.bool_] | None

    @classmethod
    def of(
        cls,
        column: Column,
        moves: Moves,
        *,
        people: NDArray[Any],
        rows: NDArray[Any],
        blank: NDArray[np.bool_] | None,
        altered: bool,
    ) -> Channel:
        """Count the moves of a column; one that is not altered is kept for certain."""
        values, every = np.unique(np.concatenate([rows, people]), return_inverse=True)
        cut = _cutter(column, values, every.ravel())
        cells = cut(values)
        size = int(cells.max()) + 1
        share = np.bincount(every.ravel()) / len(every)
        mass = np.bincount(cells, weights=share, minlength=size)
        if altered:
            before, after = moves
            same = before == after
            kept = np.bincount(cut(after[same]), minlength=size)[:size]
            pairs = cut(before[~same]) * size + cut(after[~same])
            moved = np.bincount(pairs, minlength=size * size).reshape(size, size).astype(np.float64)
            often = (same.sum() + 1) / (len(same) + 2)
            total = kept + moved.sum(axis=0) + _PSEUDO
            stays = (kept + _PSEUDO * often) / total
            goes = (moved + _PSEUDO * (1 - often) * (mass / mass.sum())[:, None]) / total
        else:
            stays, goes = np.ones(size), np.zeros((size, size))
        mine, theirs = every.ravel()[len(rows) :], every.ravel()[: len(rows)]
        within = share[mine] / mass[cells[mine]]
        return cls(stays, goes, within, share[mine], people, rows, (cells[mine], cells[theirs]), blank)

    def between(self, people: Ints, rows: Ints) -> Floats:
        """Return K(x | r)."""
        theirs = self.cells[1][rows]
        kernel = self.moved[self.cells[0][people]][:, theirs] * self.within[people, None]
        kernel += np.where(self.people[people, None] == self.rows[rows], self.kept[theirs], 0.0)
        if self.blank is not None:
            kernel[:, self.blank[rows]] = self.common[people, None]
        return kernel


def _cutter(column: Column, values: NDArray[Any], every: Ints) -> Callable[[NDArray[Any]], Ints]:
    """Return what puts values into cells: one for each value if there are few, else of about equal numbers of rows."""
    upper = values
    if not column.discrete and len(values) > _CELLS:
        upto = np.cumsum(np.bincount(every)) / len(every)
        last = np.searchsorted(upto, np.linspace(0, 1, _CELLS + 1)[1:])
        upper = values[np.unique(np.minimum(last, len(values) - 1))]
    return lambda asked: np.minimum(np.searchsorted(upper, asked), len(upper) - 1)


def transitions(before: Ints, after: Ints, shares: Floats) -> Floats:
    """Return P[released cell | true cell] of a secret, ``(cells, cells)``.

    Parameters
    ----------
    before, after : array of int
        Cells of the secret before and after.
    shares : array of shape (cells,)
        How common each is in the release.
    """
    size = len(shares)
    counts = np.bincount(before * size + after, minlength=size * size).reshape(size, size).astype(np.float64)
    often = (np.trace(counts) + 1) / (counts.sum() + 2)
    counts += _PSEUDO * (often * np.eye(size) + (1 - often) * shares)
    return np.asarray(counts / counts.sum(axis=1, keepdims=True), dtype=np.float64)
