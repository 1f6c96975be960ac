"""Views of made-up people in which a game grants whatever is asked for, and what every attack on them must keep."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from privbench import registry
from privbench.contracts import Guess, Round, View
from privbench.datasets.adult import load
from privbench.release import AlteredRows, SyntheticTable
from privbench.rng import stream
from privbench.table import Table
from tests.people import people

# one categorical secret, an ordinal and a continuous one together, nothing known
QUESTIONS = [(("ill",), None), (("grade", "wage"), ("age", "sex")), (("ill",), ())]


def make(kind, name, **params):
    return registry.make(kind, name, params)


def play(game="holdout", secrets=("ill",), known=None, *, seed=0, records=200, targets=30, **params) -> Round:
    given = {"targets": targets, "records": records, "known": known, **params}
    return make("games", game, **given).play(people(900, seed=seed), secrets, rng=stream(seed, "game"))


def adult(game, *, secrets=("marital-status",), seed=0, **params) -> Round:
    """Play a game on Adult, five columns being known."""
    columns = ("age", "sex", "race", "education", "native-country", "marital-status")
    known = tuple(name for name in columns if name not in secrets)[:5]
    return make("games", game, known=known, **params).play(load(), secrets, rng=stream(seed, "game"))


def see(round_: Round, defense="identity", *, seed=0, **params) -> View:
    """Return the view of a round after a defense."""
    made = make("defenses", defense, **params)
    return round_.view(made.release(round_.train, rng=stream(seed, "defense")), defense=made)


def keeps_its_contract(attack, view: View) -> None:
    """Hold an attack to its contract on a view that it does not skip."""
    assert attack.skip(view) is None
    before = [table.sha256 for table in (view.targets, view.release.table)]
    first, again = (attack.infer(view, rng=stream(0, "attack")) for _ in range(2))
    first.check(view)
    assert all(first.answers[name].tobytes() == again.answers[name].tobytes() for name in first.answers)
    assert [table.sha256 for table in (view.targets, view.release.table)] == before
    order = stream(5, "order").permutation(len(view.targets))
    rows = None if view.rows is None else view.rows[order]
    turned = attack.infer(replace(view, targets=view.targets.take(order), rows=rows), rng=stream(0, "attack"))
    for name, answer in first.answers.items():
        np.testing.assert_allclose(answer[order], turned.answers[name], atol=1e-9)
    for name, apart in first.spread.items():
        assert (apart >= 0).all()
        np.testing.assert_allclose(apart[order], turned.spread[name], atol=1e-9)


# by the odd release that it is said of
WHY = {"no row": "no row to learn from"}


def odd_views(view: View) -> dict[str, View]:
    """Return the view with releases that say little: of each a usable guess is to be made, but of no row."""
    table = view.release.table
    name = view.secrets[0].name

    def released(rows: Table) -> SyntheticTable:
        if isinstance(view.release, AlteredRows):
            return AlteredRows(rows, len(rows), altered=view.release.altered)
        return SyntheticTable(rows, view.release.private_records)

    missing = np.full(len(table), table.schema["work"].code(None))
    return {
        "one row": replace(view, release=released(table.take(np.arange(1))), rows=None),
        "one row many times": replace(view, release=released(table.take(np.zeros(50, dtype=int))), rows=None),
        "a constant secret": replace(view, release=released(table.replace({name: np.ones_like(table[name])}))),
        "a column all missing": replace(view, release=released(table.replace({"work": missing}))),
        "a known column less": replace(view, targets=view.targets.without(["age"])),
        "no row": replace(view, release=released(table.take(np.arange(0))), rows=None),
    }


def answers_or_says_why(attack, view: View, why: str | None = None) -> None:
    """Hold an attack to a guess that keeps its shape, made without a warning, or to a sentence with these words."""
    if why is not None:
        assert why in attack.skip(view)
        return
    assert attack.skip(view) is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        attack.infer(view, rng=stream(0, "odd")).check(view)


def right(guess: Guess, round_: Round, name="ill") -> np.ndarray:
    """Return who was guessed right."""
    return guess.answers[name].argmax(axis=1) == round_.truth[name]


def brier(posterior: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean Brier score."""
    return float(np.square(posterior - np.eye(posterior.shape[1])[truth]).sum(axis=1).mean())
