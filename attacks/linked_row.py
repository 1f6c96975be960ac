"""The altered row that a target's record became, where it is known or can be found, and the secret that it tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from attacks.even import drawn_evenly
from attacks.known_rows import KnownRows
from attacks.ladder import canonical
from attacks.learner import left, skip_without_rows
from attacks.links import Linked, Links
from attacks.rehearsal import Moves, rehearse, transitions
from attacks.secret_cells import SecretCells
from privbench.contracts import Guess, View
from privbench.release import AlteredRows
from privbench.schema import Column

__all__ = ["LinkedRow"]

Floats = NDArray[np.float64]

# a rehearsal in which values are kept so much oftener than those of known rows does not show what the mechanism does
_OFTENER = 0.1
_STEPS = 10


@dataclass(frozen=True)
class LinkedRow:
    r"""Find a target's row among altered ones by the known columns, and undo what was done to its secret.

    Where the game grants the row it is that one. Else every row is the target's with a probability by how likely the
    mechanism makes its values of the target's (columns that it does not alter must match), against the chance that the
    target is in none. What the mechanism does to a value is learnt by applying it to rows of one's own: the roster or
    the population filled in, or the released rows. A mechanism that does nothing to rows already altered, and a missing
    roster, leave that to how targets and rows agree. A blank cell says nothing. The secret v then has

    .. math:: P(v) \propto \pi(v \mid x) \, \left[1 - q + \frac{q}{n} \sum_i
        \frac{K(x \mid i) \, M(v, r_i)}{f(x, r_i)}\right],

    K being the density of the known columns x given that row i is the target's, M the probability that v became the
    released r, f the density of x and r among all rows, and q the share of the targets who have a row.

    Parameters
    ----------
    prior : str
        What pi is. conditional: how common the value is in rows like x; uniform: every value alike; auto: uniform if
        the mix of secrets in the targets' rows is beyond doubt more even than in other people's, else conditional.

    References
    ----------
    I. Fellegi and A. Sunter, "A Theory for Record Linkage", JASA 1969; W. Winkler, "Masking and Re-identification
    Methods for Public-Use Microdata", PSD 2004; A. Kerckhoffs, "La cryptographie militaire", 1883 (the mechanism is
    known).
    """

    prior: Literal["auto", "conditional", "uniform"] = "auto"

    def skip(self, view: View) -> str | None:
        """Return a reason unless the release is altered rows, and the target's is granted or something is known."""
        if not isinstance(view.release, AlteredRows):
            return "it looks for the row that a record became, and this release is not the records' own rows"
        if view.rows is None and not view.targets.schema.names:
            return "it finds a target's row by the known columns, and none is known"
        return skip_without_rows(view, "a row that was altered")

    def infer(self, view: View, *, rng: np.random.Generator) -> Guess:
        """Return the posterior of every secret; for a continuous one its mean and spread."""
        # everything is done in an order of the targets' own: rounding then does not depend on how they come
        order = canonical(view.targets, *(() if view.rows is None else (view.rows,)))
        rows = None if view.rows is None else view.rows[order]
        asked = replace(view, targets=view.targets.take(order), rows=rows)
        secrets = {
            secret: SecretCells.of(secret, view.release.values(secret.name)[left(view, secret)])
            for secret in view.secrets
        }
        moves = rehearse(asked, rng=rng)
        links = Links(KnownRows(asked, secrets), moves)
        known = self._search(links, moves) if rows is None else self._look_up(asked, rows, links, moves)
        answers: dict[str, Floats] = {}
        spread: dict[str, Floats] = {}
        place = np.argsort(order)
        for secret, cells in secrets.items():
            answer, apart = cells.answer(*_posterior(asked, cells, known, links.known.usual[secret]))
            answers[secret.name] = answer[place]
            if apart is not None:
                spread[secret.name] = apart[place]
        return Guess(answers, spread)

    def _search(self, links: Links, moves: Mapping[str, Moves] | None) -> _Known:
        """Find the rows that may be the targets'."""
        even = {secret: self._even(partial(links.mixes, secret)) for secret in links.known.usual}
        behind, linked = links.follow(even)
        return _Known(
            linked, even, behind / links.known.number, 1 - behind, moves if links.rehearsed else None, links.same
        )

    def _look_up(self, view: View, rows: NDArray[np.int64], links: Links, moves: Mapping[str, Moves] | None) -> _Known:
        """Take the rows that the game grants."""
        release = view.release
        assert isinstance(release, AlteredRows), "skip() refuses others"
        linked = {secret: links.at(secret, rows) for secret in links.known.usual}
        everyone = np.arange(links.known.number)
        even = {secret: self._even(partial(_ratios, links, secret, (rows, everyone))) for secret in links.known.usual}
        altered = [name for name in view.targets.schema.names if name in release.altered]
        same = [(view.targets[name] == release.values(name)[rows]).mean() for name in altered]
        kept = float(np.mean(same)) if same else 1.0
        if moves is not None and same:
            rehearsed = [(moves[name][0] == moves[name][1]).mean() for name in altered]
            moves = None if np.mean(rehearsed) > kept + _OFTENER else moves
        return _Known(linked, even, 1.0, 0.0, moves, kept)

    def _even(self, mixes: Callable[[], tuple[Floats, Floats]]) -> bool:
        return self.prior == "uniform" or (self.prior == "auto" and drawn_evenly(*mixes()))


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """What is known of the targets' rows.

    Parameters
    ----------
    linked : mapping
        What they hold, for each secret.
    even : mapping
        Whether the targets' own values of each secret are taken to be drawn evenly.
    weight, absent : float
        What a row counts, and that there is none.
    moves : mapping or None
        What the mechanism does to a column, where the rehearsal is believed.
    kept : float
        How often it keeps a value, else.
    """

    linked: Mapping[Column, Linked]
    even: Mapping[Column, bool]
    weight: float
    absent: float
    moves: Mapping[str, Moves] | None
    kept: float


def _ratios(links: Links, secret: Column, rows: tuple[NDArray[np.int64], NDArray[np.int64]]) -> tuple[Floats, Floats]:
    """Return the mixes of secrets in two sets of rows."""
    targets, others = (links.at(secret, some).ratio for some in rows)
    return targets, others


def _posterior(view: View, cells: SecretCells, known: _Known, usual: Floats) -> tuple[Floats, Floats | None]:
    """Return the probabilities of a secret's cells, and the mean numbers in them of a continuous one."""
    secret = cells.column
    linked, channel = known.linked[secret], _channel(view, cells, known)
    prior = usual / usual.sum(axis=1, keepdims=True)
    if channel is None:
        told = known.kept * (linked.ratio + linked.blank[:, None]) + (1 - known.kept) * linked.every[:, None]
    else:
        told = linked.ratio @ channel.T + linked.blank[:, None]
        prior = _undone(prior, channel)
    if known.even[secret]:
        prior = np.full_like(usual, 1 / cells.size)
    posterior = prior * (known.absent + known.weight * told)
    total = posterior.sum(axis=1, keepdims=True)
    middles = None if secret.discrete else linked.middles
    return np.where(total > 0, posterior / np.where(total > 0, total, 1), prior), middles


def _channel(view: View, cells: SecretCells, known: _Known) -> Floats | None:
    """Return P[released cell | true cell] of a secret, or None if nothing but how often it is kept is known of it."""
    release, name = view.release, cells.column.name
    assert isinstance(release, AlteredRows), "skip() refuses others"
    if name not in release.altered:
        return np.eye(cells.size)
    if known.moves is None:
        return None
    before, after = known.moves[name]
    return transitions(cells.code(before), cells.code(after), _shares(view, cells))


def _shares(view: View, cells: SecretCells) -> Floats:
    """Return how common each cell is in the rows that show the secret."""
    shown = left(view, cells.column)
    counts = np.bincount(cells.code(view.release.values(cells.column.name)[shown]), minlength=cells.size)
    return np.asarray(counts / counts.sum(), dtype=np.float64)


def _undone(usual: Floats, channel: Floats) -> Floats:
    """Return how common true cells are where released ones are as common as `usual` says, by steps of EM."""
    prior = usual
    for _ in range(0 if (channel == np.eye(len(channel))).all() else _STEPS):
        prior = prior * ((usual / np.maximum(prior @ channel, 1e-12)) @ channel.T)
        prior = prior / prior.sum(axis=1, keepdims=True)
    return prior
