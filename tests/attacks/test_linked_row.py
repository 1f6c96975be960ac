"""The search for a target's altered row, and what the row tells once it is known."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from attacks.reconstruction import Reconstruction
from attacks.rehearsal import Channel, rehearse, transitions
from privbench.contracts import View
from privbench.release import AlteredRows
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table
from tests.attacks.granted import (
    QUESTIONS,
    WHY,
    adult,
    answers_or_says_why,
    brier,
    keeps_its_contract,
    make,
    odd_views,
    play,
    right,
    see,
)

ATTACK = make("attacks", "linked-row")
MECHANISMS = ("k-anonymity", "microaggregation", "pram", "rank-swap", "suppress-cells")


def infer(view, **params):
    return make("attacks", "linked-row", **params).infer(view, rng=stream(0, "attack"))


def untouched(view) -> View:
    """Return the view with its rows as they are, as altered ones of which no column was altered."""
    return replace(view, release=AlteredRows(view.release.table, len(view.release.table)))


@pytest.mark.parametrize("grant", [{}, {"roster": True}, {"population": 100}, {"rows": True}], ids=str)
@pytest.mark.parametrize("defense", MECHANISMS)
def test_the_contract(defense, grant):
    game = "randomised" if "rows" in grant else "holdout"
    keeps_its_contract(ATTACK, see(play(game, secrets=("ill", "wage"), **{"roster": False, **grant}), defense))


@pytest.mark.parametrize(("secrets", "known"), QUESTIONS)
def test_the_contract_whatever_is_asked(secrets, known):
    view = see(play("randomised", secrets=secrets, known=known, rows=True), "suppress-cells", share=0.3)
    keeps_its_contract(ATTACK, view)
    hidden = replace(view, rows=None, defense=None)
    if known == ():
        assert "none is known" in ATTACK.skip(hidden)
    else:
        keeps_its_contract(ATTACK, hidden)


@pytest.mark.parametrize("secret", ["ill", "wage"])
@pytest.mark.parametrize("what", ["one row", "one row many times", "a constant secret", "a column all missing",
                                  "a known column less", "no row"])  # fmt: skip
@pytest.mark.parametrize("defense", ["suppress-cells", "rank-swap"])
def test_odd_releases(what, secret, defense):
    round_ = play("randomised", secrets=(secret,), rows=True, roster=False)
    for view in (see(round_, defense), replace(see(round_, defense), rows=None)):
        answers_or_says_why(ATTACK, odd_views(view)[what], WHY.get(what))


def test_what_is_not_the_records_own_rows_is_refused_in_a_sentence():
    assert "not the records' own rows" in ATTACK.skip(see(play(), "resample"))
    assert "not the records' own rows" in ATTACK.skip(see(play(), "ldp"))


@pytest.mark.parametrize("secret", ["ill", "wage"])
def test_a_granted_row_that_was_not_altered_is_read_off(secret):
    round_ = play("randomised", secrets=(secret,), rows=True)
    # the training records in their order
    guess = infer(replace(see(round_), release=AlteredRows(round_.train, len(round_.train))))
    if secret == "ill":
        assert right(guess, round_).all()
        assert guess.answers["ill"].max(axis=1) == pytest.approx(1)
    else:
        np.testing.assert_allclose(guess.answers["wage"], round_.truth["wage"], rtol=1e-12)
        np.testing.assert_allclose(guess.spread["wage"], 0, atol=1e-9)


@pytest.mark.parametrize("secret", ["ill", "grade"])
def test_the_only_row_with_the_known_values_is_the_targets(secret):
    round_ = play(secrets=(secret,))
    # a wage identifies a person
    guess = infer(untouched(see(round_)))
    assert right(guess, round_, secret)[round_.member].all()
    assert not right(guess, round_, secret)[~round_.member].all()


def test_the_posterior_of_a_granted_row_is_bayes_rule():
    keep, rng = 0.7, stream(0, "pram")
    column = Column("secret", Kind.CATEGORICAL, ("a", "b", "c"))
    schema = Schema((column,), secrets=("secret",))
    train = Table(schema, {"secret": rng.choice(3, size=20_000, p=[0.6, 0.3, 0.1])})
    defense = make("defenses", "pram", keep=keep)
    release = defense.release(train, rng=rng)
    rows = np.arange(200)
    view = View(release, train.take(rows).select(()), (column,), rows=rows, defense=defense)
    shares = release.marginal("secret")
    matrix = keep * np.eye(3) + (1 - keep) * shares
    for prior, pi in (("uniform", np.full(3, 1 / 3)), ("conditional", np.array([0.6, 0.3, 0.1]))):
        answer = infer(view, prior=prior).answers["secret"]
        expected = pi * matrix[:, release.values("secret")[rows]].T
        np.testing.assert_allclose(answer, expected / expected.sum(axis=1, keepdims=True), atol=0.03)


def test_a_blank_secret_leaves_what_other_rows_tell():
    round_ = play("randomised", rows=True, records=400, targets=100)
    view = see(round_, "suppress-cells", share=0.4)
    blank = view.release.suppressed["ill"][view.rows]
    guess = infer(view)
    assert right(guess, round_)[~blank].all()
    assert guess.answers["ill"][blank].max(axis=1).mean() < 0.8


def test_rows_granted_tell_more_than_rows_to_be_found_and_those_more_than_a_forest():
    round_ = adult("randomised", records=3000, targets=300, rows=True)
    for defense in ("suppress-cells", "pram"):
        view = see(round_, defense)
        granted = right(infer(view), round_, "marital-status").mean()
        found = right(infer(replace(view, rows=None)), round_, "marital-status").mean()
        forest = make("attacks", "random-forest").infer(replace(view, rows=None), rng=stream(0))
        assert granted > found + 0.1
        assert found > right(forest, round_, "marital-status").mean() + 0.1


def test_what_the_mechanism_does_is_learnt_by_applying_it():
    round_ = play("randomised", records=800, roster=False)
    view = see(round_, "pram", keep=0.6)
    before, after = rehearse(view, rng=stream(0))["sex"]
    assert (before == after).mean() == pytest.approx(0.6 + 0.4 / 2, abs=0.05)
    matrix = transitions(before, after, np.bincount(after) / len(after))
    np.testing.assert_allclose(matrix, 0.6 * np.eye(2) + 0.2, atol=0.06)
    assert rehearse(replace(view, defense=None), rng=stream(0)) is None
    assert rehearse(replace(view, defense=make("defenses", "resample")), rng=stream(0)) is None


@pytest.mark.parametrize("values", [40, 2000])
def test_a_channel_is_a_distribution_over_the_values_that_a_person_may_have(values):
    rng = stream(0, "channel")
    column = Column("x", Kind.CONTINUOUS, low=0.0, high=1.0)
    numbers = rng.random(values)
    rows = rng.choice(numbers, size=300)
    moves = rng.choice(numbers, size=1000), rng.choice(numbers, size=1000)
    moves[1][:500] = moves[0][:500]
    people = np.unique(np.concatenate([numbers, rows]))
    channel = Channel.of(column, moves, people=people, rows=rows, blank=np.arange(300) < 20, altered=True)
    total = channel.between(np.arange(len(people)), np.arange(300)).sum(axis=0)
    np.testing.assert_allclose(total, 1, atol=1e-9)
    exact = Channel.of(column, moves, people=people, rows=rows, blank=None, altered=False)
    np.testing.assert_array_equal(exact.between(np.arange(len(people)), np.arange(300)), people[:, None] == rows)


def test_a_reconstruction_has_the_rosters_columns_and_the_targets_in_their_places():
    round_ = play(roster=True, known=("age", "grade", "sex"))
    view = see(round_)
    records = Reconstruction.of(view, rng=stream(0))
    table, places = records.draw(rng=stream(1))
    assert len(table) == 200
    assert table.select(("age", "grade", "sex")).sha256 == round_.roster.sha256
    assert len(set(places[places >= 0])) == (places >= 0).sum()
    assert (places[round_.member] >= 0).sum() >= 28  # a control may have taken the place of one like it
    assert (places[~round_.member] >= 0).mean() < 0.5
    for name in ("age", "grade", "sex"):
        assert (table[name][places[places >= 0]] == view.targets[name][places >= 0]).all()


@pytest.mark.parametrize("population", [0, 50, 300])
def test_without_a_roster_half_of_the_targets_are_among_the_records(population):
    view = see(play(population=population, targets=60))
    records = Reconstruction.of(view, rng=stream(0))
    table, places = records.draw(rng=stream(1))
    assert len(table) == 200
    assert 35 < (places >= 0).sum() < 85
    assert (table["wage"][places[places >= 0]] == view.targets["wage"][places >= 0]).all()
    assert table.sha256 == records.draw(rng=stream(1))[0].sha256


@pytest.mark.parametrize("defense", MECHANISMS)
def test_answers_are_no_less_sure_than_they_may_be(defense):
    """Score members and controls: the posterior is no worse than the release's shares, by the Brier score."""
    better = []
    for seed in range(3):
        round_ = play(seed=seed, known=("age", "grade", "sex", "work"), records=300, targets=100)
        view = see(round_, defense, seed=seed)
        truth = round_.truth["ill"]
        prior = np.tile(view.release.marginal("ill"), (len(truth), 1))
        better.append(brier(prior, truth) - brier(infer(view).answers["ill"], truth))
    assert np.mean(better) > 0


def test_rows_of_other_people_leave_chance():
    hits = asked = 0
    for seed in range(4):
        round_ = play("randomised", seed=seed, targets=100, known=("age", "grade", "sex", "work"))
        other = play("randomised", seed=100 + seed).train.with_schema(round_.train.schema)
        release = make("defenses", "rank-swap").release(other, rng=stream(seed))
        view = replace(see(round_, "rank-swap"), release=release)
        hits, asked = hits + right(infer(view), round_).sum(), asked + 100
    assert stats.binomtest(int(hits), asked, 1 / 3).pvalue > 0.001


@pytest.mark.slow
@pytest.mark.parametrize("defense", MECHANISMS)
def test_ten_thousand_rows_and_a_thousand_targets_take_about_a_second(defense):
    round_ = adult("holdout", records=10_000, targets=500)
    view = see(round_, defense)
    began = time.perf_counter()
    infer(view)
    assert time.perf_counter() - began < 4
