"""Which row each target's record may have become, and what the rows that it may be hold. Not an attack itself.

A target either is one of the records behind the rows, each alike, or somebody else of the same population. In the first
case the known columns came about as the mechanism alters them, which is learnt by rehearsal, or else from how the
targets and the rows agree (m-probabilities, in the words of record linkage); in the second as in the density of all
rows (u-probabilities).

References
----------
I. Fellegi and A. Sunter, "A Theory for Record Linkage", JASA 1969; M. Jaro, "Advances in Record-Linkage Methodology as
Applied to Matching the 1985 Census of Tampa, Florida", JASA 1989 (EM).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from attacks.copying import fit, looked_at, same_share
from attacks.kernels import Kernel, totals, weights
from attacks.known_rows import ROWS, TARGETS, KnownRows
from attacks.ladder import blank_cells, canonical, evenly_spaced
from attacks.rehearsal import Channel, Moves
from privbench.release import AlteredRows
from privbench.schema import Column

__all__ = ["Linked", "Links"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# people whose rows are looked at for the mix of secrets among them
_MIX = 1000
_STEPS = 100
# a rehearsal is believed if it explains the targets' known columns as well, but for so much a person, in nats
_SLACK = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Linked:
    """What the rows that may be each target's hold.

    Parameters
    ----------
    ratio : array of shape (T, cells)
        For each released cell the rows that have it, by how much likelier the target's known columns are if the row is
        theirs than if it is somebody else's with that cell.
    blank, every : array of shape (T,)
        The same for rows that do not show the secret, and for all rows whatever they show.
    middles : array of shape (T, cells)
        Mean number in the rows of each cell, of a continuous secret.
    """

    ratio: Floats
    blank: Floats
    every: Floats
    middles: Floats

    @classmethod
    def empty(cls, people: int, cells: int) -> Linked:
        """Return arrays to be filled in."""
        wide = (people, cells)
        return cls(np.empty(wide), np.empty(people), np.empty(people), np.empty(wide))


class Links:
    """How the targets may be linked to rows.

    Parameters
    ----------
    known : KnownRows
        Both by their known columns.
    moves : mapping or None
        What the mechanism does to a column, where it was rehearsed.
    """

    def __init__(self, known: KnownRows, moves: Mapping[str, Moves] | None) -> None:
        self.known, self._moves = known, moves
        # rows that are made up altogether may differ from people in every column
        release = known.release
        self._altered = release.altered if isinstance(release, AlteredRows) else release.schema.names

    @cached_property
    def _shares(self) -> list[Floats] | None:
        """How probable each column's rungs are by EM, or None if by the rehearsal the targets are as probable."""
        known = self.known
        who = looked_at(known.people, known.ladders, known.rows)
        usual = next(iter(known.usual.values())).sum(axis=1)[who]
        certain = [column.name not in self._altered for column in known.columns]
        found = fit(known.ladders, (TARGETS, who), known.rows, background=usual, certain=certain)
        if self._moves is None:
            return list(found.shares)
        near = np.empty(len(who))
        for block, weight in weights(self._channels(self._moves), known.codes(), who, known.rows.first):
            near[block] = weight @ known.rows.size / known.number
        behind = _behind(near, usual)
        gain = float(np.log((1 - behind) * usual + behind * near).mean())
        return None if gain >= found.gain - _SLACK else list(found.shares)

    @property
    def rehearsed(self) -> bool:
        """Whether it is the rehearsal by which targets are linked."""
        return self._shares is None

    @property
    def same(self) -> float:
        """How probable it is that a known value was not drawn anew, where no rehearsal tells."""
        return 1.0 if self._shares is None else same_share(self._shares)

    def _channels(self, moves: Mapping[str, Moves], people: Ints | None = None) -> list[Kernel]:
        """Return the rehearsed kernels for the targets, or for some rows taken as people."""
        release, targets = self.known.release, self.known.targets
        return [
            Channel.of(
                column,
                moves[column.name],
                people=targets[column.name] if people is None else release.values(column.name)[people],
                rows=release.values(column.name),
                blank=blank_cells(release, column.name),
                altered=column.name in self._altered,
            )
            for column in self.known.columns
        ]

    def _kernels(self, rows: Ints | None = None) -> tuple[list[Kernel], list[Ints], Ints]:
        """Return kernels, codes and positions of the targets, or of some rows taken as people."""
        known = self.known
        part, people = (TARGETS, known.people) if rows is None else (ROWS, rows)
        if self._shares is not None:
            return known.kernels(self._shares, part), known.codes(part), people
        assert self._moves is not None, "only a rehearsal stands in for shares"
        codes = known.codes(part)
        return self._channels(self._moves, rows), [code[people] for code in codes], np.arange(len(people))

    def mixes(self, secret: Column) -> tuple[Floats, Floats]:
        """Return weights of the secret's cells near some targets, and near other rows' people, the own row left out."""
        known = self.known
        held, size = known.held(secret), known.secrets[secret].size
        kernels, codes, people = self._kernels()
        some = evenly_spaced(people, _MIX)
        near = np.empty((len(some), size))
        for block, weight in weights(kernels, codes, some, known.rows.first):
            near[block] = totals(weight[:, held.profile], held, size)
        rows = evenly_spaced(canonical(known.release.table), _MIX)
        rows = rows[known.shown[secret][rows]]
        kernels, codes, people = self._kernels(rows)
        others = np.empty((len(rows), size))
        for block, weight in weights(kernels, codes, people, known.rows.first):
            others[block] = totals(weight[:, held.profile], held, size)
            own, which = np.arange(len(weight)), rows[block]
            others[block][own, known.cells[secret][which]] -= weight[own, known.rows.of_row[which]]
        return near, np.maximum(others, 0)

    def at(self, secret: Column, rows: Ints) -> Linked:
        """Return what certain rows hold."""
        known = self.known
        shown, cell, cells = known.shown[secret][rows], known.cells[secret][rows], known.secrets[secret]
        found = Linked.empty(len(rows), cells.size)
        found.blank[:], found.every[:], found.ratio[:], found.middles[:] = ~shown, 1.0, 0.0, 0.0
        found.ratio[np.arange(len(rows)), cell] = shown / known.marginal(secret)[cell]
        if not secret.discrete:
            values = known.release.values(secret.name)[rows, None]
            found.middles[:] = np.where(found.ratio > 0, values, cells.middles)
        return found

    def follow(self, even: Mapping[Column, bool]) -> tuple[float, dict[Column, Linked]]:
        """Add up what the rows hold that may be each target's.

        Parameters
        ----------
        even : mapping of Column to bool
            Whether the targets' own values are taken to be drawn evenly: then a row's value counts by how rare it is
            near the target among the other rows.

        Returns
        -------
        behind : float
            Share of the targets whose records are among the rows.
        linked : dict of Column to Linked
            For each secret.
        """
        known = self.known
        held = {secret: known.held(secret) for secret in known.secrets}
        sums = {secret: known.held(secret, known.release.values(secret.name)) for secret in held if not secret.discrete}
        near = np.empty(len(known.people))
        found = {secret: Linked.empty(len(near), cells.size) for secret, cells in known.secrets.items()}
        around = known.around()
        kernels, codes, people = self._kernels()
        for block, weight in weights(kernels, codes, people, known.rows.first):
            every = weight @ known.rows.size
            near[block] = every / known.number
            theirs = next(around)[1] if any(even.values()) else None
            for secret, cells in known.secrets.items():
                own, pairs, at = held[secret], weight[:, held[secret].profile], known.usual[secret][block]
                alone = totals(pairs, own, cells.size)
                found[secret].every[block] = every / at.sum(axis=1)
                found[secret].blank[block] = (every - alone.sum(axis=1)) / at.sum(axis=1)
                found[secret].ratio[block] = alone / at
                if even[secret] and theirs is not None:
                    expected = known.without_one(secret, own, block, theirs)
                    found[secret].ratio[block] = totals(pairs / expected, own, cells.size)
                if not secret.discrete:
                    numbers = totals(weight[:, sums[secret].profile], sums[secret], cells.size)
                    mean = numbers / np.where(alone > 0, alone, 1)
                    found[secret].middles[block] = np.where(alone > 0, mean, cells.middles)
        return _behind(near, next(iter(known.usual.values())).sum(axis=1)), found


def _behind(near: Floats, usual: Floats) -> float:
    """Return the share of people who came from a row, given their densities if they did and if they did not."""
    behind = 0.5
    for _ in range(_STEPS):
        owed = behind * near / ((1 - behind) * usual + behind * near)
        behind = float((owed.sum() + 0.5) / (len(owed) + 1))
    return behind
