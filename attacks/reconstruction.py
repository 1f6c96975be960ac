"""What an adversary takes the training records to be: made from the roster, a population or the release. No attack.

Known columns are those of the roster where it is granted; what else a record holds is that of a row which resembles it
in them, drawn anew each time. Without a roster the records are people of the population, or released rows, and the
targets are put among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attacks.copying import Copied, fit, looked_at
from attacks.kernels import Profiles, weights
from attacks.ladder import Ladder, canonical, evenly_spaced
from attacks.secret_cells import SecretCells
from privbench.contracts import View
from privbench.release import SyntheticTable
from privbench.table import Table

__all__ = ["Reconstruction"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# rows that may fill in a record: so many are kept for each, drawn from so many of all
_KEPT, _POOL = 8, 1000
_PEOPLE, _ROWS = 0, 1
# share of the targets in a draw without a roster
_PRESENT = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Reconstruction:
    """Training records as they may have been.

    Parameters
    ----------
    records : Table
        Known columns of the roster's entries, else of the targets.
    places : array of int, shape (T,)
        Where each target is among them; -1 for one who is not on the roster and so no training record.
    pool : Table
        All columns of rows to fill in from.
    near : array of int, shape (len(records), c)
        Rows of the pool that resemble each record, the likelier the more they do.
    number : int
        How many training records there are.
    listed : bool
        Whether there is a roster. Without one nobody knows who was there: each target is in half of the draws, and
        whole rows of the pool are the others.
    """

    records: Table
    places: Ints
    pool: Table
    near: Ints
    number: int
    listed: bool

    @classmethod
    def of(cls, view: View, *, rng: np.random.Generator) -> Reconstruction:
        """Prepare records that a view allows to draw.

        Parameters
        ----------
        view : View
            A release of at least one row.
        rng : Generator
            Which rows resemble a record is drawn once.
        """
        if not isinstance(view.release, SyntheticTable):
            raise TypeError("a release without rows tells nothing to fill in")
        hidden = [secret.name for secret in view.secrets]
        released = view.release.table.with_schema(view.release.schema.with_secrets(hidden))
        if view.roster is not None:
            places = _places(view.targets, view.roster)
            near = _near(view.roster, released, hidden, rng)
            return cls(view.roster, places, released, near, len(view.roster), True)
        pool = released if view.population is None else view.population.with_schema(released.schema)
        people = np.arange(len(view.targets))
        near = _near(view.targets, pool, hidden, rng)
        return cls(view.targets, people, pool, near, max(view.release.private_records, 1), False)

    def draw(self, *, rng: np.random.Generator) -> tuple[Table, Ints]:
        """Return training records, and where each target is among them; -1 for who is not."""
        people = np.arange(len(self.records))
        places = self.places
        if not self.listed:
            people = np.flatnonzero(rng.random(len(people)) < _PRESENT)
            people = np.sort(rng.permutation(people)[: self.number])
            places = np.full(len(self.places), -1)
            places[people] = np.arange(len(people))
        picked = self.near[people, rng.integers(_KEPT, size=len(people))]
        others, size = self.number - len(people), len(self.pool)
        # people of a population large enough stand there once, as in the training data
        rows = rng.permutation(size)[:others] if size >= others else rng.integers(size, size=others)
        filled = self.pool.take(np.concatenate([picked, rows]))
        known = {
            name: np.concatenate([self.records[name][people], filled[name][len(people) :]])
            for name in self.records.schema.names
        }
        return filled.replace(known), places


def _places(targets: Table, roster: Table) -> Ints:
    """Return a place on the roster for each target; of people with equal known columns each has one of its own."""
    key = np.zeros(len(roster) + len(targets), dtype=np.int64)
    for name in targets.schema.names:
        own = np.unique(np.concatenate([roster[name], targets[name]]), return_inverse=True)[1].ravel()
        key = np.unique(key * (int(own.max(initial=0)) + 1) + own, return_inverse=True)[1].ravel()
    listed, asked = key[: len(roster)], key[len(roster) :]
    order = np.argsort(listed, kind="stable")
    # the j-th target with a key is the j-th entry with it
    by_key = np.argsort(asked, kind="stable")
    turn = np.empty(len(asked), dtype=np.int64)
    turn[by_key] = np.arange(len(asked)) - np.searchsorted(asked[by_key], asked[by_key])
    start, end = (np.searchsorted(listed[order], asked, side=side) for side in ("left", "right"))
    return np.where(start + turn < end, order[np.minimum(start + turn, len(roster) - 1)], -1)


def _near(records: Table, pool: Table, hidden: Sequence[str], rng: np.random.Generator) -> Ints:
    """Draw for each record some rows of the pool, by how likely they are to share more than the known columns."""
    rows = evenly_spaced(rng.permutation(len(pool)), _POOL)
    table = pool.take(rows)
    ladders = [Ladder.of(column, [records[column.name], table[column.name]]) for column in records.schema.columns]
    shares = _resemblance(ladders, table, hidden)
    kernels = [Copied(ladder, own, _PEOPLE, _ROWS) for ladder, own in zip(ladders, shares, strict=True)]
    codes = [ladder.codes[_PEOPLE][0] for ladder in ladders]
    near = np.empty((len(records), _KEPT), dtype=np.int64)
    chance = (np.arange(_KEPT) + rng.random((len(records), _KEPT))) / _KEPT
    for block, weight in weights(kernels, codes, np.arange(len(records)), np.arange(len(table))):
        upto = np.cumsum(weight, axis=1)
        upto /= upto[:, -1:]
        # rows of one record lie between whole numbers of their own, so that all are found at once
        line = (upto + np.arange(len(upto))[:, None]).ravel()
        asked = chance[block] + np.arange(len(upto))[:, None]
        place = np.searchsorted(line, asked) - np.arange(len(upto))[:, None] * len(table)
        near[block] = np.clip(place, 0, len(table) - 1)
    return rows[near]


def _resemblance(ladders: Sequence[Ladder], table: Table, hidden: Sequence[str]) -> Sequence[Floats]:
    """Return for each known column how probable its rungs are among rows that are alike, secrets included."""
    if len(table) < 2:
        return [np.full(ladder.rungs + 1, 1 / (ladder.rungs + 1)) for ladder in ladders]
    secrets = []
    for name in hidden:
        codes = SecretCells.of(table.schema[name], table[name]).code(table[name])
        secrets.append(Ladder.of_codes([codes[:0], codes]))
    together = [*ladders, *secrets]
    profiles = Profiles.of(together, _ROWS, len(table))
    order = canonical(table)
    who = order[looked_at(order, together, profiles)]
    return fit(together, (_ROWS, who), profiles, itself=True).shares[: len(ladders)]
