"""Released rows and targets by their known columns, and how dense rows lie around each target. Not an attack itself.

The density is a kernel sum over all rows, whose widths are found by leaving each row out of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from attacks.copying import Copied, fit, looked_at
from attacks.kernels import Held, Kernel, Profiles, totals, weights
from attacks.ladder import Ladder, blank_cells, canonical
from attacks.secret_cells import SecretCells
from privbench.contracts import View
from privbench.release import SyntheticTable
from privbench.schema import Column

__all__ = ["ROWS", "TARGETS", "KnownRows"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# the tables that the ladders of known columns have
ROWS, TARGETS = range(2)


class KnownRows:
    """Rows and targets by their known columns.

    Parameters
    ----------
    view : View
        A release of rows, at least one; the targets in an order of their own.
    secrets : mapping of Column to SecretCells
        What is looked for.
    """

    def __init__(self, view: View, secrets: Mapping[Column, SecretCells]) -> None:
        if not isinstance(view.release, SyntheticTable):
            raise TypeError("skip() refuses a release that is not a table")
        release, self.release, self.targets = view.release, view.release, view.targets
        self.secrets, self.columns = secrets, view.targets.schema.columns
        self.number, self.people = len(release.table), np.arange(len(view.targets))
        self.ladders = [
            Ladder.of(
                column,
                [release.values(column.name), view.targets[column.name]],
                [blank_cells(release, column.name)],
            )
            for column in self.columns
        ]
        self.rows = Profiles.of(self.ladders, ROWS, self.number)
        self.cells = {secret: own.code(release.values(secret.name)) for secret, own in secrets.items()}
        self.shown = {}
        for secret in secrets:
            blank = blank_cells(release, secret.name)
            self.shown[secret] = np.ones(self.number, dtype=bool) if blank is None else ~blank

    def kernels(self, shares: Sequence[Floats], part: int = TARGETS) -> list[Kernel]:
        """Return the columns' kernels with these probabilities of the rungs, for the targets or other people."""
        return [Copied(ladder, own, part, ROWS) for ladder, own in zip(self.ladders, shares, strict=True)]

    def codes(self, part: int = TARGETS) -> list[Ints]:
        """Return numbers that are the same where two people's values are."""
        return [ladder.codes[part][0] for ladder in self.ladders]

    def held(self, secret: Column, values: Floats | None = None) -> Held:
        """Return what the rows that show a secret hold of it: how many of them, or the sum of their values."""
        shown = np.flatnonzero(self.shown[secret])
        return self.rows.held(self.cells[secret][shown], shown, None if values is None else values[shown])

    def marginal(self, secret: Column) -> Floats:
        """Return how common each cell of a secret is among the rows that show it; none is 0."""
        counts = np.bincount(self.cells[secret][self.shown[secret]], minlength=self.secrets[secret].size) + 0.5
        return np.asarray(counts / counts.sum(), dtype=np.float64)

    @cached_property
    def _alike(self) -> tuple[list[Floats], Floats]:
        """How probable each known column's rungs are among people who are alike, and the secrets' on average."""
        if self.number < 2:
            return [np.full(ladder.rungs + 1, 1 / (ladder.rungs + 1)) for ladder in self.ladders], np.full(2, 0.5)
        hidden = [Ladder.of_codes([cells, cells[:0]]) for cells in self.cells.values()]
        together = [*self.ladders, *hidden]
        # rows alike in every column are copies of one record, or its class: nobody came from those either
        table, order = self.release.table, canonical(self.release.table)
        other = [np.diff(table[name][order].astype(np.float64), prepend=np.nan) != 0 for name in table.schema.names]
        order = order[np.any(other, axis=0)]
        rows = Profiles.of(together, ROWS, self.number, among=order)
        shares = fit(together, (ROWS, order[looked_at(order, together, rows)]), rows, itself=True).shares
        known = len(self.ladders)
        return list(shares[:known]), np.mean(shares[known:], axis=0)

    def around(self) -> Iterator[tuple[slice, Floats]]:
        """Yield blocks of targets with the weights of the rows in the density."""
        yield from weights(self.kernels(self._alike[0]), self.codes(), self.people, self.rows.first)

    @cached_property
    def usual(self) -> dict[Column, Floats]:
        """The density of all rows at every target and cell of each secret, ``(T, cells)``; none is 0."""
        found = {secret: np.empty((len(self.people), own.size)) for secret, own in self.secrets.items()}
        held = {secret: self.held(secret) for secret in self.secrets}
        kept, anew = self._alike[1]
        for block, weight in self.around():
            every = weight @ self.rows.size / self.number
            for secret, own in self.secrets.items():
                near = totals(weight[:, held[secret].profile], held[secret], own.size)
                near /= max(1, int(self.shown[secret].sum()))
                found[secret][block] = kept * near + anew * every[:, None] * self.marginal(secret)
        return found

    def without_one(self, secret: Column, held: Held, block: slice, weight: Floats) -> Floats:
        """Return the density, at pairs of a profile and a cell, of all rows but one that holds the pair, ``(b, e)``."""
        kept, anew = self._alike[1]
        at = self.usual[secret][block][:, held.cell]
        share = (kept + anew * self.marginal(secret)[held.cell]) / max(1, int(self.shown[secret].sum()))
        # of a row that is alone at least this much is left, so that the others' density is not 0
        return np.maximum(at - weight[:, held.profile] * share, 1e-3 * at)
