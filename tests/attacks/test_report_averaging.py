"""Averaging over rounds: right by Bayes' rule, undone by memoisation, and blind to what it cannot count."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from attacks.averaging import Averaging
from attacks.report_bayes import ReportBayes
from defenses.ldp.grr import Grr
from defenses.ldp.memoised import Memoised
from defenses.ldp.piecewise import Piecewise
from defenses.ldp.rounds import Fresh
from defenses.ldp.unary import Oue, Sue
from privbench.errors import InputError
from privbench.release import SyntheticTable
from privbench.reported_column import ReportedColumn
from privbench.reports import Reports
from privbench.rng import stream
from privbench.schema import Column, Kind
from tests.attacks.reported import collect, table_of, view_of

SIZE = 4
SHARES = np.array([0.4, 0.3, 0.2, 0.1])


def repeated(oracle, *, people: int = 4_000, seed: int = 0):
    """Return people and their reports over the rounds of an oracle."""
    codes = stream(seed, "people").choice(SIZE, size=people, p=SHARES)
    table = table_of({"secret": codes}, {"secret": SIZE})
    reported = ReportedColumn(table.schema["secret"], oracle, oracle.randomise(codes, rng=stream(seed, repr(oracle))))
    return table, Reports(table.schema, table.select(()), (reported,), people, None)


def success(attack, table, release) -> float:
    rows = np.arange(len(table))
    guess = attack.infer(view_of(release, table, rows, secrets=("secret",)), rng=stream(0))
    return float((guess.answers["secret"].argmax(axis=1) == table["secret"]).mean())


@pytest.mark.parametrize("protocol", [Sue, Oue])
def test_of_fresh_bits_it_is_the_bayes_attack_by_enumeration(protocol):
    oracle = Fresh(protocol(SIZE, 0.8), 5)
    table, release = repeated(oracle, people=200)
    rows = np.arange(200)
    view = view_of(release, table, rows, secrets=("secret",))
    assert Averaging().skip(view) is None
    guess = Averaging().infer(view, rng=stream(0))
    guess.check(view)
    shares, p, q = release.marginal("secret"), oracle.p, oracle.q
    bits = np.stack([oracle.oracle.support(release.reported[0].reports[:, place]) for place in range(5)], axis=1)
    for person in range(200):
        weight = shares.copy()
        for value in range(SIZE):
            for said in bits[person]:
                for place in range(SIZE):
                    chance = p if place == value else q
                    weight[value] *= chance if said[place] else 1 - chance
        np.testing.assert_allclose(guess.answers["secret"][person], weight / weight.sum(), rtol=1e-8)


@pytest.mark.parametrize("rounds", [1, 3, 6])
def test_the_first_rounds_are_those_of_a_shorter_collection(rounds):
    table, release = repeated(Fresh(Grr(SIZE, 1.0), 6), people=300)
    whole = release.reported[0]
    shorter = replace(whole, oracle=Fresh(Grr(SIZE, 1.0), rounds), reports=whole.reports[:, :rounds])
    cut = replace(release, reported=(shorter,))
    rows = np.arange(300)
    some = Averaging(rounds=rounds).infer(view_of(release, table, rows, secrets=("secret",)), rng=stream(0))
    all_ = Averaging().infer(view_of(cut, table, rows, secrets=("secret",)), rng=stream(0))
    # the shares are estimated from all rounds, so only what the reports say is alike
    said = [answer.answers["secret"] / prior.marginal("secret") for answer, prior in ((some, release), (all_, cut))]
    ratios = [own / own.sum(axis=1, keepdims=True) for own in said]
    np.testing.assert_allclose(ratios[0], ratios[1], rtol=1e-9)


@pytest.mark.parametrize("step", [Grr, Oue, Sue])
def test_fresh_noise_averages_out_and_a_remembered_answer_does_not(step):
    rounds = (1, 5, 40)
    fresh, memoised = {}, {}
    table, release = repeated(Fresh(step(SIZE, 1.0), 40))
    for number in rounds:
        fresh[number] = success(Averaging(rounds=number), table, release)
    remembered = Memoised(step(SIZE, 1.0), step(SIZE, 3.0), 40)
    table, release = repeated(remembered)
    for number in rounds:
        memoised[number] = success(Averaging(rounds=number), table, release)
    bound = step(SIZE, 1.0).success(SHARES)
    deviation = 4 * 0.5 / math.sqrt(4_000)
    assert fresh[1] < fresh[5] < fresh[40]
    assert fresh[40] > 0.95
    # what the permanent answer alone tells is never exceeded
    assert max(memoised.values()) < bound + deviation


def test_one_round_of_grr_is_nearly_the_bayes_attack():
    table, release = repeated(Fresh(Grr(SIZE, 2.0), 4))
    first = replace(release.reported[0], oracle=Grr(SIZE, 2.0), reports=release.reported[0].reports[:, 0])
    alone = success(ReportBayes(), table, replace(release, reported=(first,)))
    assert success(Averaging(rounds=1), table, release) == pytest.approx(alone, abs=0.02)


def test_surveys_count_as_rounds():
    codes = stream(0, "people").choice(SIZE, size=2_000, p=SHARES)
    table = table_of({"secret": codes}, {"secret": SIZE})
    release = collect(table, ("secret",), epsilon=1.0, surveys=5)
    rows = np.arange(2_000)
    view = view_of(release, table, rows, secrets=("secret",))
    assert Averaging().skip(view) is None
    right = [success(Averaging(rounds=number), table, release) for number in (1, 3, 5)]
    assert right[0] < right[1] < right[2]
    single = view_of(collect(table, ("secret",), epsilon=1.0), table, rows, secrets=("secret",))
    assert "nothing to average" in Averaging().skip(single)


@pytest.mark.parametrize("epsilon", [1e-3, 50.0, 200.0])
@pytest.mark.parametrize("step", [Grr, Sue, Oue])
def test_extreme_budgets(epsilon, step):
    table, release = repeated(Fresh(step(SIZE, epsilon), 3), people=300)
    view = view_of(release, table, np.arange(300), secrets=("secret",))
    guess, without = (Averaging().infer(seen, rng=stream(0)) for seen in (view, replace(view, rows=None)))
    guess.check(view)
    np.testing.assert_allclose(without.answers["secret"], np.tile(release.marginal("secret"), (300, 1)))
    if epsilon < 1:
        np.testing.assert_allclose(guess.answers["secret"], without.answers["secret"], atol=5e-3)
    elif step is not Oue:  # half of its true bits are lost whatever epsilon is
        assert (guess.answers["secret"].argmax(axis=1) == table["secret"]).all()


def test_who_sent_no_report_and_a_column_of_one_value():
    oracle = Fresh(Grr(SIZE, 2.0), 3)
    table, release = repeated(oracle, people=60)
    asked = np.arange(0, 60, 2)
    half = replace(release.reported[0], people=asked, reports=release.reported[0].reports[asked])
    view = view_of(replace(release, reported=(half,)), table, np.arange(60), secrets=("secret",))
    guess, without = (Averaging().infer(seen, rng=stream(0)) for seen in (view, replace(view, rows=None)))
    np.testing.assert_allclose(guess.answers["secret"][1::2], without.answers["secret"][1::2])
    one = table_of({"one": np.zeros(10, dtype=int)}, {"one": 1})
    single = ReportedColumn(one.schema["one"], Fresh(Grr(1, 1.0), 3), np.zeros((10, 3), dtype=int))
    view = view_of(Reports(one.schema, one.select(()), (single,), 10, None), one, np.arange(10), secrets=("one",))
    assert (Averaging().infer(view, rng=stream(0)).answers["one"] == 1).all()


def test_it_says_why_it_does_not_apply():
    table, release = repeated(Fresh(Grr(SIZE, 1.0), 3), people=30)
    view = view_of(release, table, np.arange(5), secrets=("secret",))
    assert "does not tell" in Averaging().skip(replace(view, rows=None))
    assert "has none" in Averaging().skip(replace(view, release=SyntheticTable(table, 30)))
    other = replace(view, secrets=(Column("other", Kind.CATEGORICAL, ("x",)),))
    assert "no column 'other'" in Averaging().skip(other)
    column = Column("age", Kind.CONTINUOUS, low=0, high=1)
    number = ReportedColumn(column, Piecewise(0, 1, 1.0), np.zeros(30, dtype=np.float32))
    schema = replace(release.schema, columns=(*release.schema.columns, column))
    asked = replace(view, release=replace(release, schema=schema, reported=(number,)), secrets=(column,))
    assert "is a number" in Averaging().skip(asked)
    with pytest.raises(InputError, match="rounds must be at least 1"):
        Averaging(rounds=0)
