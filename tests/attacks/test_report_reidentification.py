"""Reports matched with a roster: by enumeration, over several surveys, and with records that are alike."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from attacks.reidentification import Reidentification, found_among, record_scores
from defenses.ldp.piecewise import Piecewise
from privbench.contracts import View
from privbench.dataset import Dataset
from privbench.errors import InputError
from privbench.games.reidentify import Reidentify
from privbench.release import SyntheticTable
from privbench.reported_column import ReportedColumn
from privbench.reports import Reports, Together
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table
from tests.attacks.reported import collect, law, table_of, view_of

SIZES = {"a": 2, "b": 3, "c": 5}
NAMES = tuple(SIZES)


def people(count: int, *, seed: int = 0) -> Table:
    rng = stream(seed, "roster")
    return table_of({name: rng.integers(size, size=count) for name, size in SIZES.items()}, SIZES)


def place_of(number: int) -> Column:
    return Column("place", Kind.CATEGORICAL, tuple(range(number)))


def seen(release: Reports, table: Table, rows, roster: Table) -> View:
    return View(release, table.take(rows).select(()), (place_of(len(roster)),), roster=roster, rows=rows)


@pytest.mark.parametrize("together", list(Together))
@pytest.mark.parametrize("surveys", [1, 3])
@pytest.mark.parametrize("epsilon", [0.8, 4.0])
def test_the_posterior_equals_bayes_rule_by_enumeration(together, surveys, epsilon):
    table = people(50)
    release = collect(table, NAMES, epsilon=epsilon, together=together, surveys=surveys)
    rows, roster = np.arange(0, 50, 3), table.take(stream(1).permutation(50))
    view = seen(release, table, rows, roster)
    assert Reidentification().skip(view) is None
    guess = Reidentification().infer(view, rng=stream(0))
    guess.check(view)
    for place, row in enumerate(rows):
        weight = np.ones(50)
        for survey in release.surveys:
            own = [int(one.reports[row]) for one in survey]
            for record in range(50):
                vector = [int(roster[name][record]) for name in NAMES]
                weight[record] *= law(vector, own, sizes=SIZES.values(), epsilon=epsilon, together=together)
        np.testing.assert_allclose(guess.answers["place"][place], weight / weight.sum(), rtol=1e-9)


@pytest.mark.parametrize("together", list(Together))
def test_the_success_is_that_of_bayes_rule_in_closed_form(together):
    """With one record of each vector of values the best guess is right with probability E[max posterior], exactly."""
    vectors = np.array(list(itertools.product(*(range(size) for size in SIZES.values()))))
    epsilon, repeats = 3.0, 1_000
    law_of = {
        tuple(y): np.array([law(x, y, sizes=SIZES.values(), epsilon=epsilon, together=together) for x in vectors])
        for y in vectors
    }
    exact = sum(chances.max() for chances in law_of.values()) / len(vectors)
    truth = np.repeat(np.arange(len(vectors)), repeats)
    table = table_of({name: vectors[truth, place] for place, name in enumerate(NAMES)}, SIZES)
    roster = table_of({name: vectors[:, place] for place, name in enumerate(NAMES)}, SIZES)
    release = collect(table, NAMES, epsilon=epsilon, together=together)
    scores = record_scores(release, np.arange(len(table)), roster)
    found = found_among(scores, truth, best=1).mean()
    assert abs(found - exact) < 4 * math.sqrt(exact * (1 - exact) / len(table))


def test_more_surveys_find_more_people_and_ten_more_than_one():
    table = people(600)
    rates = []
    for surveys in (1, 3, 6):
        release = collect(table, NAMES, epsilon=2.0, surveys=surveys)
        scores = record_scores(release, np.arange(600), table)
        rates.append([found_among(scores, np.arange(600), best=best).mean() for best in (1, 10)])
    rates = np.array(rates)
    assert (np.diff(rates[:, 0]) > 0).all()
    assert (rates[:, 1] > rates[:, 0]).all()
    # 30 different records among 600 people: however many surveys, one of about 20 alike is found
    assert rates[-1, 0] < 1.3 * 30 / 600


def test_ties_count_as_shares():
    scores = np.array([[3.0, 1, 1, 0], [1, 1, 1, 1], [0, 2, 2, 2]])
    assert found_among(scores, np.array([1, 2, 0]), best=1).tolist() == [0, 0.25, 0]
    assert found_among(scores, np.array([1, 2, 0]), best=2).tolist() == [0.5, 0.5, 0]
    assert found_among(scores, np.array([0, 2, 1]), best=3).tolist() == [1, 0.75, 1]
    assert found_among(scores, np.array([3, 0, 0]), best=9).tolist() == [1, 1, 1]


def test_surveys_of_different_columns_and_people_without_a_report():
    table = people(40)
    whole = collect(table, NAMES, epsilon=2.0, surveys=2)
    asked = np.arange(0, 40, 2)
    parts = tuple(
        replace(one, people=asked, reports=one.reports[asked]) if one.survey else one
        for one in whole.reported
        if (one.survey, one.column.name) not in ((0, "a"), (1, "c"))
    )
    release = replace(whole, reported=parts)
    scores = record_scores(release, np.arange(40), table)
    for person in (3, 4):
        expected = np.zeros(40)
        for one in parts:
            if one.people is None or person in asked:
                own = one.reports[person if one.people is None else person // 2]
                expected += np.where(table[one.column.name] == own, 2.0, 0.0)
        np.testing.assert_allclose(scores[person] - scores[person].max(), expected - expected.max(), atol=1e-9)


@pytest.mark.parametrize("together", list(Together))
@pytest.mark.parametrize("epsilon", [1e-3, 50.0, 200.0])
def test_extreme_budgets(together, epsilon):
    table = people(300)
    release = collect(table, NAMES, epsilon=epsilon, together=together, surveys=2)
    view = seen(release, table, np.arange(100), table)
    guess = Reidentification().infer(view, rng=stream(0))
    guess.check(view)
    answer = guess.answers["place"]
    if epsilon < 1:
        np.testing.assert_allclose(answer, 1 / 300, rtol=0.05)
    elif together is not Together.ONE_GENUINE:
        alike = np.all([table[name][:100, None] == table[name] for name in NAMES], axis=0)
        np.testing.assert_allclose(answer, alike / alike.sum(axis=1, keepdims=True), atol=1e-9)


def test_numbers_are_matched_too_and_a_column_of_one_value_says_nothing():
    age = stream(0).uniform(0, 100, size=200)
    schema = Schema((Column("age", Kind.CONTINUOUS, low=0, high=100), Column("one", Kind.CATEGORICAL, ("x",))))
    table = Table(schema, {"age": age, "one": np.zeros(200, dtype=int)})
    whole = collect(table, ("one",), epsilon=1.0)
    oracle = Piecewise(0, 100, 12.0)
    number = ReportedColumn(schema["age"], oracle, oracle.randomise(age, rng=stream(1)))
    release = Reports(schema, table.select(()), (number, *whole.reported), 200, None)
    scores = record_scores(release, np.arange(200), table)
    said = oracle.log_likelihood(number.reports, age)
    np.testing.assert_allclose(scores - scores[0, 0], said - said[0, 0], atol=1e-9)
    assert found_among(scores, np.arange(200), best=1).mean() > 0.5


def test_without_rows_every_record_is_as_likely():
    table = people(30)
    view = replace(seen(collect(table, NAMES, epsilon=2.0), table, np.arange(5), table), rows=None)
    np.testing.assert_allclose(Reidentification().infer(view, rng=stream(0)).answers["place"], 1 / 30)


def test_it_says_why_it_does_not_apply():
    table = people(30)
    view = seen(collect(table, NAMES, epsilon=2.0), table, np.arange(5), table)
    attack = Reidentification()
    asked = view_of(view.release, table, np.arange(5), secrets=("a",), roster=table)
    assert "asks for a column of the records" in attack.skip(asked)
    assert "does not tell" in attack.skip(replace(view, rows=None))
    assert "grants none" in attack.skip(replace(view, roster=None))
    assert "not a place among the 30" in attack.skip(replace(view, secrets=(place_of(29),)))
    assert "does not have 'c'" in attack.skip(replace(view, roster=table.without(["c"])))
    assert "has none" in attack.skip(replace(view, release=SyntheticTable(table, 30)))
    with pytest.raises(InputError, match="needs the true values of 'c'"):
        record_scores(view.release, np.arange(5), table.without(["c"]))


def test_it_plays_the_game():
    table = people(400)
    dataset = Dataset("made up", table, table.take(np.arange(1)))
    game = Reidentify(targets=200, candidates=300)
    round_ = game.play(dataset, NAMES, rng=stream(0))
    release = collect(round_.train, NAMES, epsilon=8.0)
    view = round_.view(release)
    assert Reidentification().skip(view) is None
    guess = Reidentification().infer(view, rng=stream(0))
    guess.check(view)
    (secret,) = view.secrets
    hits = found_among(guess.answers[secret.name], round_.truth[secret.name], best=1)
    # 30 vectors of values in 300 records
    assert stats.ttest_1samp(hits, 1 / 300).pvalue < 1e-6
