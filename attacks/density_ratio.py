"""Where the release is denser than the population, and with which secret: what a release tells of its own people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from attacks.copying import Copied, Fit, fit, looked_at, same_share
from attacks.even import drawn_evenly
from attacks.kernels import Profiles, totals, weights
from attacks.ladder import Ladder, blank_cells, canonical, evenly_spaced
from attacks.learner import left, skip_without_rows
from attacks.secret_cells import SecretCells
from privbench.contracts import Guess, View
from privbench.release import SyntheticTable
from privbench.schema import Column

__all__ = ["DensityRatio"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# the tables that the ladders of known columns have
_RELEASE, _POPULATION, _TARGETS = range(3)
# people of the population who are looked at, at least
_MOST = 200
# how many released rows each private record may have left, as shares of as many as there are to each
_LEFT = (1.0, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05)
_STEPS = 100
# how seldom known values may have been drawn anew for rows to pass for copies of records
_COPIES = 0.8
# a likelihood ratio beyond e to this is as good as certain
_FAR = 300.0
_TINY = 1e-12


@dataclass(frozen=True)
class DensityRatio:
    r"""Weigh each value of the secret by how much denser the release is there than a public population.

    Near the known columns x of a target and the value v the release has :math:`c_v = m \, p_{release}(x, v)` of its m
    rows, and :math:`e_v = m \, p_{population}(x, v)` are to be expected of people who are not the target. If the
    target's own record left :math:`\kappa` rows there more, these are Poisson with mean :math:`e_v + \kappa`, so

    .. math:: P(v) \propto \pi(v \mid x) \, \left[1 - \rho + \rho \, e^{-\kappa}
        \left(1 + \kappa / e_v\right)^{c_v}\right],

    rho being the share of the targets whose records are behind the release. If every record left exactly one row, the
    ratio of densities itself, :math:`c_v / e_v`, stands for the last term; elsewhere it counts the more the more rows
    it rests on. Kappa, rho and how closely rows resemble the records that they came from are those that make the
    targets' known columns most probable; no secret is needed for them. Densities are kernel sums over all rows, with
    widths found by EM; a continuous secret is cut into cells.

    Parameters
    ----------
    prior : str
        What pi is. conditional: how common the value is in the population beside x; uniform: every value alike;
        auto: uniform if the mix of secrets near the targets is beyond doubt more even than near other people, so
        that somebody must have drawn theirs, else conditional.

    References
    ----------
    B. van Breugel, H. Sun, Z. Qian and M. van der Schaar, "Membership Inference Attacks against Synthetic Data through
    Overfitting Detection", AISTATS 2023 (the ratio, with a neural density, for membership).
    """

    prior: Literal["auto", "conditional", "uniform"] = "auto"

    def skip(self, view: View) -> str | None:
        """Return a reason unless the release is a table with a row and the game grants a population."""
        if view.population is None or not len(view.population):
            return "it compares the release with a public population, and this game grants none"
        return skip_without_rows(view, "a density")

    def infer(self, view: View, *, rng: np.random.Generator) -> Guess:
        """Return the posterior of every secret; for a continuous one its mean and spread."""
        # everything is done in an order of the targets' own: rounding then does not depend on how they come
        order = canonical(view.targets)
        asked = replace(view, targets=view.targets.take(order))
        place = np.argsort(order)
        answers: dict[str, Floats] = {}
        spread: dict[str, Floats] = {}
        for secret in view.secrets:
            answer, apart = self._posterior(asked, secret)
            answers[secret.name] = answer[place]
            if apart is not None:
                spread[secret.name] = apart[place]
        return Guess(answers, spread)

    def _posterior(self, view: View, secret: Column) -> tuple[Floats, Floats | None]:
        from scipy.special import softmax

        space = _Space(view, secret)
        cells, rows = space.cells, len(space.released)
        usual = space.background()
        found = space.fitted(usual.sum(axis=1))
        close, count = space.near(found, _TARGETS, space.people)
        even = self.prior == "uniform"
        if self.prior == "auto":
            even = drawn_evenly(count, space.near(found, _POPULATION, space.public)[1])
        # what a row tells of the secret of the record that it came from is taken to be what it tells of known columns
        kept, shares = same_share(found.shares), np.bincount(space.released, minlength=cells.size) / rows
        count = kept * count + (1 - kept) * count.sum(axis=1, keepdims=True) * shares
        expected = rows * usual / close[:, None]
        most = rows / view.release.private_records
        near = count.sum(axis=1), expected.sum(axis=1)
        rows_left, behind = _rows_left(*near, most, exactly=most == 1 and kept > _COPIES)
        prior = np.full_like(usual, 1 / cells.size) if even else usual / usual.sum(axis=1, keepdims=True)
        logs = np.log(prior) + np.logaddexp(np.log1p(-behind), np.log(behind) + _log_ratio(count, expected, rows_left))
        return cells.answer(softmax(logs, axis=1))


class _Space:
    """Released rows that show a secret, population and targets by their known columns."""

    def __init__(self, view: View, secret: Column) -> None:
        release, targets, population = view.release, view.targets, view.population
        if population is None or not isinstance(release, SyntheticTable):
            raise TypeError("skip() refuses a view without a population or a table")
        shown = left(view, secret)
        values = release.values(secret.name)[shown]
        self.cells = SecretCells.of(secret, np.concatenate([values, population[secret.name]]))
        self.released, self.held = self.cells.code(values), self.cells.code(population[secret.name])
        self.ladders = []
        for column in targets.schema.columns:
            tables = [release.values(column.name)[shown], population[column.name], targets[column.name]]
            gone = blank_cells(release, column.name)
            self.ladders.append(Ladder.of(column, tables, [None if gone is None else gone[shown]]))
        self.people = np.arange(len(targets))
        self.public = evenly_spaced(canonical(population), max(len(targets), _MOST))
        self.rows = Profiles.of(self.ladders, _RELEASE, len(shown))

    def background(self) -> Floats:
        """Return the population's density at every target and cell, ``(T, cells)``; none is 0."""
        together = [*self.ladders, Ladder.of_codes([self.released, self.held])]
        rows = Profiles.of(together, _POPULATION, len(self.held))
        who = self.public[looked_at(self.public, together, rows)]
        *shares, (kept, anew) = fit(together, (_POPULATION, who), rows, itself=True).shares
        rows = Profiles.of(self.ladders, _POPULATION, len(self.held))
        near = self._sums(shares, _TARGETS, self.people, rows, self.held) / len(self.held)
        both = np.bincount(np.concatenate([self.released, self.held]), minlength=self.cells.size) + 0.5
        return kept * near + anew * near.sum(axis=1, keepdims=True) * both / both.sum()

    def fitted(self, usual: Floats) -> Fit:
        """Return how rows resemble the records that they came from, as the targets' known columns have it."""
        who = looked_at(self.people, self.ladders, self.rows)
        return fit(self.ladders, (_TARGETS, self.people[who]), self.rows, background=usual[who])

    def near(self, found: Fit, part: int, people: Ints) -> tuple[Floats, Floats]:
        """Return what a row with a person's very values weighs, and in that unit the rows near, ``(p, cells)``."""
        unit = np.ones(len(people))
        for ladder, shares in zip(self.ladders, found.shares, strict=True):
            unit *= Copied(ladder, shares, part, _RELEASE).itself(people)
        return unit, self._sums(found.shares, part, people, self.rows, self.released) / unit[:, None]

    def _sums(self, shares: Sequence[Floats], part: int, people: Ints, rows: Profiles, cells: Ints) -> Floats:
        """Add up the weights of rows for people of one of the tables by the cells that the rows hold."""
        kernels = [Copied(ladder, own, part, rows.part) for ladder, own in zip(self.ladders, shares, strict=True)]
        codes = [ladder.codes[part][0] for ladder in self.ladders]
        held = rows.held(cells)
        sums = np.empty((len(people), self.cells.size))
        for block, weight in weights(kernels, codes, people, rows.first):
            sums[block] = totals(weight[:, held.profile], held, self.cells.size)
        return sums


def _log_ratio(count: Floats, expected: Floats, rows: float | None) -> Floats:
    """Return how much likelier counts are if a record left so many rows there on average, or None for exactly one."""
    if rows is None:
        return np.asarray(np.log(np.maximum(count, _TINY) / expected), dtype=np.float64)
    return np.asarray(count * np.log1p(rows / expected) - rows, dtype=np.float64)


def _rows_left(count: Floats, expected: Floats, most: float, *, exactly: bool) -> tuple[float | None, float]:
    """Return how many rows each record left, and the share of the targets who have a record.

    Parameters
    ----------
    count, expected : array of shape (T,)
        Rows near each target, whatever their secrets.
    most : float
        How many rows there are to a record.
    exactly : bool
        Whether every record may have left one, no more and no less.
    """
    found: list[tuple[float, float | None, float]] = []
    for rows in (*(share * most for share in _LEFT), *([None] if exactly else [])):
        ratio, behind = np.exp(np.clip(_log_ratio(count, expected, rows), -_FAR, _FAR)), 0.5
        for _ in range(_STEPS):
            owed = behind * ratio / (1 - behind + behind * ratio)
            behind = float((owed.sum() + 0.5) / (len(owed) + 1))
        found.append((float(np.log(1 - behind + behind * ratio).sum()), rows, behind))
    return max(found, key=lambda one: one[0])[1:]
