"""The Bayes attack on a column's own reports: every prior, several surveys, numbers, and extreme budgets."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from attacks.number_cells import NumberCells, smoothed_shares
from attacks.report_bayes import ReportBayes
from attacks.report_evidence import column_log_likelihood
from attacks.report_joint import ReportJoint
from attacks.report_model import Encoder, SoftmaxModel, likely_shares
from defenses.ldp.duchi import Duchi
from defenses.ldp.grr import Grr
from defenses.ldp.hybrid import Hybrid
from defenses.ldp.piecewise import Piecewise
from defenses.ldp.square_wave import SquareWave
from privbench.blind import guess_without_reports
from privbench.errors import InputError
from privbench.release import SyntheticTable
from privbench.reported_column import ReportedColumn
from privbench.reports import Reports, Together
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table, one_hot
from tests.attacks.reported import collect, law, table_of, view_of

NUMERIC = (Duchi, Piecewise, Hybrid, SquareWave)


def people(count: int, *, seed: int = 0) -> Table:
    """Draw people whose illness, of three kinds, depends on a column collected in the clear."""
    rng = stream(seed, "people")
    job = rng.choice(4, size=count, p=[0.4, 0.3, 0.2, 0.1])
    ill = np.where(rng.random(count) < 0.6, np.array([0, 1, 2, 1])[job], rng.integers(3, size=count))
    return table_of({"job": job, "ill": ill}, {"job": 4, "ill": 3})


def given_job() -> np.ndarray:
    """Return P(ill | job)."""
    return 0.6 * one_hot(np.array([0, 1, 2, 1]), 3) + 0.4 / 3


def by_expectation(release: Reports, name: str, *, rounds: int = 20_000) -> np.ndarray:
    """Return the likeliest shares with one more person of each value, by expectation maximisation over everybody."""
    likelihood = np.exp(release.log_likelihood(name, np.arange(release.private_records)))
    size = likelihood.shape[1]
    shares = np.full(size, 1 / size)
    for _ in range(rounds):
        posterior = likelihood * shares
        shares = (1 + (posterior / posterior.sum(axis=1, keepdims=True)).sum(axis=0)) / (len(likelihood) + size)
    return shares


def numbers_collected(values, oracle, column, *, seed: int = 0, surveys: int = 1) -> tuple[Table, Reports]:
    table = Table(Schema((column,)), {column.name: values})
    rng = stream(seed, type(oracle).__name__, str(oracle.epsilon))
    reported = [
        ReportedColumn(column, oracle, oracle.randomise(values, rng=rng), None, survey) for survey in range(surveys)
    ]
    return table, Reports(table.schema, table.select(()), tuple(reported), len(values), None)


@pytest.mark.parametrize("prior", ["uniform", "marginal", "model"])
@pytest.mark.parametrize("together", list(Together))
@pytest.mark.parametrize("surveys", [1, 3])
def test_the_posterior_equals_bayes_rule_by_enumeration(prior, together, surveys):
    table, rows = people(300), np.arange(0, 300, 7)
    release = collect(table, ("ill",), epsilon=1.2, together=together, surveys=surveys)
    attack = ReportBayes(prior=prior)
    view = view_of(release, table, rows, secrets=("ill",), known=("job",))
    found = attack.infer(view, rng=stream(0)).answers["ill"]
    shares = guess_without_reports(attack, view, streams=lambda: stream(0)).answers["ill"]
    if prior == "uniform":
        np.testing.assert_allclose(shares, 1 / 3)
    if prior == "marginal":
        np.testing.assert_allclose(shares, np.tile(release.marginal("ill"), (len(rows), 1)), atol=0.1)
    for place, row in enumerate(rows):
        expected = shares[place].copy()
        for survey in release.surveys:
            said = [int(survey[0].reports[row])]
            expected *= [law([v], said, sizes=[3], epsilon=1.2, together=together) for v in range(3)]
        np.testing.assert_allclose(found[place], expected / expected.sum(), rtol=1e-9)


@pytest.mark.parametrize(
    ("model", "epsilon", "apart"), [("released", 1.0, 0.05), ("public", 0.1, 0.05), ("auto", 0.1, 0.05)]
)
def test_the_model_learns_the_shares_given_the_known_columns(model, epsilon, apart):
    table, rows = people(20_000), np.arange(500)
    release = collect(table, ("ill",), epsilon=epsilon)
    view = view_of(release, table, rows, secrets=("ill",), known=("job",), population=people(4_000, seed=1))
    shares = ReportBayes(prior="model", model=model).infer(replace(view, rows=None), rng=stream(0)).answers["ill"]
    np.testing.assert_allclose(shares, given_job()[table["job"][rows]], atol=apart)


def test_only_columns_in_the_clear_and_known_are_learnt_from():
    table, rows = people(20_000), np.arange(50)
    hidden = collect(table, ("ill", "job"), epsilon=4.0)
    for release, known in ((hidden, ("job",)), (collect(table, ("ill",), epsilon=4.0), ())):
        view = replace(view_of(release, table, rows, secrets=("ill",), known=known), rows=None)
        shares = ReportBayes(prior="model").infer(view, rng=stream(0)).answers["ill"]
        np.testing.assert_allclose(shares, np.tile(shares[:1], (50, 1)))
    # public records have the column whatever the collection does
    view = view_of(hidden, table, rows, secrets=("ill",), known=("job",), population=people(9_000, seed=1))
    shares = ReportBayes(prior="model", model="public").infer(replace(view, rows=None), rng=stream(0)).answers["ill"]
    np.testing.assert_allclose(shares, given_job()[table["job"][rows]], atol=0.05)


def test_with_known_labels_the_model_is_penalised_logistic_regression():
    table = people(2_000)
    # as many of each illness: the shares shift nothing
    table = table.take(np.concatenate([np.flatnonzero(table["ill"] == ill)[:200] for ill in range(3)]))
    features = Encoder.of(table, ("job",))(table)
    learnt = SoftmaxModel.learn(features, one_hot(table["ill"], 3).astype(float), penalty=2.0)
    dense = features.toarray()
    peer = LogisticRegression(C=1 / 2.0, fit_intercept=False, tol=1e-10, max_iter=10_000).fit(dense, table["ill"])
    np.testing.assert_allclose(learnt.probabilities(features), peer.predict_proba(dense), atol=2e-4)


def test_the_likeliest_shares_are_counts_where_values_are_known_and_even_where_nothing_is():
    known = one_hot(np.repeat([0, 1, 2], [6, 3, 0]), 3).astype(float)
    np.testing.assert_allclose(likely_shares(known), np.array([7, 4, 1]) / 12, atol=1e-6)
    np.testing.assert_allclose(likely_shares(known, more=4.0), np.array([10, 7, 4]) / 21, atol=1e-6)
    counted = likely_shares(np.eye(3), np.array([6.0, 3.0, 0.0]))
    np.testing.assert_allclose(counted, likely_shares(known), atol=1e-6)
    np.testing.assert_allclose(likely_shares(np.full((50, 4), 0.3)), 1 / 4)
    np.testing.assert_allclose(likely_shares(np.ones((0, 4))), 1 / 4)


@pytest.mark.parametrize("together", list(Together))
@pytest.mark.parametrize("surveys", [1, 3])
def test_the_shares_without_own_reports_are_the_likeliest_given_all(together, surveys):
    table = people(300)
    for asked in (None, np.arange(0, 300, 2)):
        release = collect(table, ("ill",), epsilon=1.2, together=together, surveys=surveys, people=asked)
        view = replace(view_of(release, table, np.arange(5), secrets=("ill",)), rows=None)
        shares = ReportBayes().infer(view, rng=stream(0)).answers["ill"]
        np.testing.assert_allclose(shares, np.tile(by_expectation(release, "ill"), (5, 1)), atol=1e-5)


@pytest.mark.parametrize("size", [2, 15])
@pytest.mark.parametrize("epsilon", [0.05, 0.3, 1.0, 3.0])
def test_the_likeliest_shares_lose_less_than_the_distribution_nearest_to_the_estimate(size, epsilon):
    shares = np.arange(1, size + 1) / (size * (size + 1) / 2)
    lost = []
    for seed in range(40):
        codes = stream(seed, "lost").choice(size, size=1_000, p=shares)
        table = table_of({"ill": codes}, {"ill": size})
        release = collect(table, ("ill",), epsilon=epsilon, seed=seed)
        guesses = [
            ReportBayes()
            .infer(replace(view_of(release, table, np.arange(1), secrets=("ill",)), rows=None), rng=stream(0))
            .answers["ill"][0],
            release.marginal("ill"),
        ]
        lost.append([-shares @ np.log(np.maximum(guess, 1e-6)) for guess in guesses])
    mine, nearest = np.mean(lost, axis=0)
    assert mine < nearest + 1e-3
    assert mine < math.log(size) + 0.05  # that of equal shares


@pytest.mark.parametrize("epsilon", [0.1, 0.3, 1.0])
def test_known_columns_that_tell_nothing_do_little_harm(epsilon):
    found = []
    for seed in range(3):
        rng = stream(seed, "little")
        ill = rng.choice(6, size=4_000, p=[0.6, 0.2, 0.1, 0.05, 0.03, 0.02])
        table = table_of({"job": rng.integers(30, size=4_000), "ill": ill}, {"job": 30, "ill": 6})
        rows = np.arange(4_000)
        release = collect(table, ("ill",), epsilon=epsilon, seed=seed)
        view = view_of(release, table, rows, secrets=("ill",), known=("job",))
        answers = [ReportBayes(prior=prior).infer(view, rng=rng).answers["ill"] for prior in ("model", "marginal")]
        losses = [-np.log(answer[rows, ill]).mean() for answer in answers]
        found.append(losses + [(answer.argmax(axis=1) == ill).mean() for answer in answers])
    model, shares, right, by_shares = np.mean(found, axis=0)
    assert shares - 1e-3 < model < shares + 0.15
    assert model < math.log(6)  # that of equal shares
    assert right > by_shares - 0.03


def test_a_model_of_nobody_of_one_value_or_of_silent_reports_is_uniform():
    table = people(50)
    features = Encoder.of(table, ("job",))(table)
    for likelihood in (np.ones((50, 3)), np.ones((50, 1))):
        learnt = SoftmaxModel.learn(features, likelihood, penalty=1.0)
        np.testing.assert_allclose(learnt.probabilities(features), likelihood / likelihood.shape[1])
    nobody = SoftmaxModel.learn(features[:0], np.ones((0, 3)), penalty=1.0)
    np.testing.assert_allclose(nobody.probabilities(features), 1 / 3)


@pytest.mark.parametrize("prior", ["uniform", "marginal", "model"])
@pytest.mark.parametrize("epsilon", [1e-3, 50.0, 200.0])
def test_extreme_budgets_give_the_prior_or_the_truth(prior, epsilon):
    table, rows = people(400), np.arange(100)
    release = collect(table, ("ill",), epsilon=epsilon, surveys=2)
    view = view_of(release, table, rows, secrets=("ill",), known=("job",))
    guess, without = (ReportBayes(prior=prior).infer(seen, rng=stream(0)) for seen in (view, replace(view, rows=None)))
    guess.check(view)
    if epsilon < 1:
        np.testing.assert_allclose(guess.answers["ill"], without.answers["ill"], atol=2e-3)
    else:
        np.testing.assert_allclose(guess.answers["ill"], one_hot(table["ill"][rows], 3), atol=1e-9)


def test_who_sent_no_report_is_guessed_by_the_prior():
    table, rows = people(400), np.arange(20)
    release = collect(table, ("ill",), epsilon=3.0, people=np.arange(0, 400, 2))
    found = ReportBayes().infer(view_of(release, table, rows, secrets=("ill",)), rng=stream(0)).answers["ill"]
    np.testing.assert_allclose(found[1::2], np.tile(found[1], (10, 1)))
    np.testing.assert_allclose(found[1], release.marginal("ill"), atol=0.1)
    assert (found[::2].max(axis=1) > found[1::2].max(axis=1)).all()


def test_it_says_why_it_does_not_apply():
    table, rows = people(30), np.arange(5)
    view = view_of(collect(table, ("ill",), epsilon=1.0), table, rows, secrets=("ill",), known=("job",))
    other = replace(view, secrets=(Column("other", Kind.CATEGORICAL, ("x",)),))
    for attack in (ReportBayes(prior="model", model="public"), ReportJoint(model="public")):
        assert attack.skip(replace(view, population=table)) is None
        assert "public records" in attack.skip(view)
        assert "does not tell" in attack.skip(replace(view, rows=None, population=table))
        assert "no column 'other'" in attack.skip(other)
        assert "has none" in attack.skip(replace(view, release=SyntheticTable(table, 30)))
    assert ReportBayes(model="public").skip(view) is None
    for wrong in ({"penalty": 0}, {"penalty": math.nan}, {"cells": 0}):
        with pytest.raises(InputError, match="penalty must be positive and cells at least 1"):
            ReportBayes(**wrong)


@pytest.mark.parametrize("oracle", NUMERIC)
@pytest.mark.parametrize(("epsilon", "surveys"), [(0.5, 1), (2.0, 1), (2.0, 3), (6.0, 1)])
def test_a_number_is_guessed_by_its_posterior_mean(oracle, epsilon, surveys):
    column = Column("wage", Kind.CONTINUOUS, low=-5, high=15)
    values = stream(0, "wages").uniform(-5, 15, size=200)
    made = oracle(-5, 15, epsilon)
    table, release = numbers_collected(values, made, column, surveys=surveys)
    view = view_of(release, table, np.arange(200), secrets=("wage",))
    guess = ReportBayes(prior="uniform").infer(view, rng=stream(0))
    guess.check(view)
    # every number alike: integrate over a fine grid
    at = -5 + (np.arange(40_000) + 0.5) / 2_000
    logs = np.sum([made.log_likelihood(one.reports, at) for one in release.reported], axis=0)
    weight = np.exp(logs - logs.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    mean = weight @ at
    deviation = np.sqrt(np.maximum(weight @ np.square(at) - mean**2, 0))
    assert np.abs(guess.answers["wage"] - mean).max() < 0.15
    assert np.abs(guess.spread["wage"] - deviation).max() < 0.15


@pytest.mark.parametrize("oracle", NUMERIC)
def test_a_column_of_few_whole_numbers_is_taken_number_by_number(oracle):
    column = Column("age", Kind.CONTINUOUS, low=17, high=90, integer=True)
    values = stream(0, "ages").integers(17, 91, size=300).astype(float)
    made = oracle(17, 90, 3.0)
    table, release = numbers_collected(values, made, column)
    assert NumberCells(column, 100).exact
    assert not NumberCells(column, 50).exact
    assert (NumberCells(column, 100).codes(values) == values - 17).all()
    guess = ReportBayes(prior="uniform").infer(view_of(release, table, np.arange(300), secrets=("age",)), rng=stream(0))
    at = np.arange(17.0, 91)
    weight = np.exp(made.log_likelihood(release.reported[0].reports, at))
    mean = weight @ at / weight.sum(axis=1)
    np.testing.assert_allclose(guess.answers["age"], mean, rtol=1e-9)


@pytest.mark.parametrize("oracle", NUMERIC)
@pytest.mark.parametrize("epsilon", [1e-3, 50.0, 200.0])
@pytest.mark.parametrize("prior", ["uniform", "marginal", "model"])
def test_numbers_at_extreme_budgets(oracle, epsilon, prior):
    column = Column("wage", Kind.CONTINUOUS, low=0, high=10)
    values = stream(0, "wages").uniform(0, 10, size=300)
    table, release = numbers_collected(values, oracle(0, 10, epsilon), column)
    view = view_of(release, table, np.arange(300), secrets=("wage",))
    guess = ReportBayes(prior=prior).infer(view, rng=stream(0))
    guess.check(view)
    missed = np.abs(guess.answers["wage"] - values)
    if epsilon < 1:
        without = ReportBayes(prior=prior).infer(replace(view, rows=None), rng=stream(0))
        np.testing.assert_allclose(guess.answers["wage"], without.answers["wage"], atol=0.05)
    elif oracle is Piecewise or oracle is Hybrid:
        assert np.quantile(missed, 0.99) < 1e-4
    elif oracle is SquareWave:
        # a report is from outside its window, and tells nothing, with probability 1 / (1 + epsilon)
        # and the shares, learnt from others, may hold a cell unlikely that the report points at
        assert np.quantile(missed, 0.9) < 8 / (1 + epsilon)


def test_numbers_without_a_range_and_people_without_a_report():
    column = Column("wage", Kind.CONTINUOUS, low=0, high=10)
    values = stream(0, "wages").uniform(0, 10, size=60)
    made = Piecewise(0, 10, 4.0)
    asked = np.arange(0, 60, 2)
    table = Table(Schema((column,)), {"wage": values})
    reported = ReportedColumn(column, made, made.randomise(values[asked], rng=stream(1)), asked)
    release = Reports(table.schema, table.select(()), (reported,), 60, None)
    view = view_of(release, table, np.arange(60), secrets=("wage",))
    guess = ReportBayes().infer(view, rng=stream(0))
    without = guess_without_reports(ReportBayes(), view, streams=lambda: stream(0))
    np.testing.assert_allclose(guess.answers["wage"][1::2], without.answers["wage"][1::2])
    np.testing.assert_allclose(guess.spread["wage"][1::2], without.spread["wage"][1::2], rtol=1e-4)
    one = Column("one", Kind.CONTINUOUS, low=3, high=3)
    assert (NumberCells(one, 100).codes(np.full(4, 3.0)) == 0).all()


def test_smoothed_shares_find_a_distribution_of_numbers():
    values = np.clip(stream(0, "numbers").normal(4, 1, size=20_000), 0, 10)
    column = Column("wage", Kind.CONTINUOUS, low=0, high=10)
    table, release = numbers_collected(values, SquareWave(0, 10, 2.0), column)
    likelihood = np.exp(column_log_likelihood(release, column, np.arange(len(table)), 50))
    shares = smoothed_shares(likelihood)
    true = np.bincount(NumberCells(column, 50).codes(values), minlength=50) / len(values)
    assert shares.sum() == pytest.approx(1)
    assert np.abs(np.cumsum(shares - true)).max() < 0.05


def test_a_model_of_numbers_uses_the_known_columns():
    rng = stream(0, "ages")
    job = rng.integers(3, size=8_000)
    age = np.clip(rng.normal(25 + 20 * job, 5), 17, 90).round()
    schema = Schema(
        (
            table_of({"job": job}, {"job": 3}).schema["job"],
            Column("age", Kind.CONTINUOUS, low=17, high=90, integer=True),
        )
    )
    table = Table(schema, {"job": job, "age": age})
    made = Piecewise(17, 90, 1.0)
    reported = ReportedColumn(schema["age"], made, made.randomise(age, rng=rng))
    release = Reports(schema, table.select(["job"]), (reported,), len(table), None)
    rows = np.arange(1_000)
    view = view_of(release, table, rows, secrets=("age",), known=("job",))
    missed = {}
    for prior in ("marginal", "model"):
        guess = ReportBayes(prior=prior).infer(view, rng=stream(0))
        guess.check(view)
        missed[prior] = np.sqrt(np.mean(np.square(guess.answers["age"] - age[rows])))
    assert missed["model"] < 0.75 * missed["marginal"]


def test_the_oracle_of_the_tests_is_the_one_written_out():
    oracle = Grr(3, 1.2)
    for value in range(3):
        mine = [law([value], [said], sizes=[3], epsilon=1.2, together=Together.INDEPENDENT) for said in range(3)]
        assert mine == pytest.approx([oracle.p if said == value else oracle.q for said in range(3)])


@pytest.mark.parametrize("attack", [ReportBayes(prior="model"), ReportJoint()], ids=["bayes", "joint"])
def test_the_baseline_has_not_learnt_from_the_reports_that_it_goes_without(attack):
    """Of few people with columns that tell them apart a model would find each one's report again in what it learnt."""
    right = {"left out": [], "never asked": [], "all learnt from": []}
    for seed in range(6):
        rng = stream(seed, "few")
        table = table_of({"who": rng.permutation(400) % 200, "ill": rng.integers(3, size=400)}, {"who": 200, "ill": 3})
        asked, others = np.arange(300), np.arange(300, 400)
        release = collect(table, ("ill",), epsilon=6.0, people=asked, seed=seed)
        rows = asked[:100]
        view = view_of(release, table, rows, secrets=("ill",), known=("who",))
        strangers = view_of(release, table, others, secrets=("ill",), known=("who",))
        guesses = {
            "left out": (guess_without_reports(attack, view, streams=lambda: stream(0)), rows),
            "never asked": (attack.infer(replace(strangers, rows=None), rng=stream(0)), others),
            "all learnt from": (attack.infer(replace(view, rows=None), rng=stream(0)), rows),
        }
        for name, (guess, people_) in guesses.items():
            right[name].append((guess.answers["ill"].argmax(axis=1) == table["ill"][people_]).mean())
    left, never, found_again = (np.mean(shares) for shares in right.values())
    # nothing hangs together: chance is 1/3, within 4 standard errors of 600 people
    assert abs(left - 1 / 3) < 4 * math.sqrt(2 / 9 / 600)
    assert abs(never - 1 / 3) < 4 * math.sqrt(2 / 9 / 600)
    assert found_again > 0.5


@pytest.mark.parametrize("mechanism", NUMERIC)
def test_cells_end_at_the_bounds_whatever_rounding_does(mechanism):
    bounds = [(1, 99), (0, 100), (17, 90), (-0.1, 0.2), (0.1, 0.7), (-1 / 3, 1e6), (1e9, 1e9 + 0.3), (1e-9, 3e-9)]
    beyond = 0
    for low, high in bounds:
        for integer in (False, True) if float(low).is_integer() and float(high).is_integer() else (False,):
            column = Column("number", Kind.CONTINUOUS, low=float(low), high=float(high), integer=integer)
            values = np.repeat(np.linspace(low, high, 3), 4)
            values = np.clip(np.round(values), low, high) if integer else np.clip(values, low, high)
            _, release = numbers_collected(values, mechanism(float(low), float(high), 3.0), column)
            for most in (2, 3, 6, 7, 11, 20, 49, 100):
                cells = NumberCells(column, most)
                beyond += low + (cells.size - 1) * (column.range / cells.size) + column.range / cells.size > high
                seen = cells.see(release, np.arange(len(values)))
                assert np.isfinite(seen.log_likelihood.max(axis=1)).all()
                assert (seen.mean >= low).all()
                # a mean is a sum over the points of a cell, so that it may be rounded itself
                assert (seen.mean <= high + 1e-12 * max(abs(low), abs(high))).all()
    assert beyond > 5


def test_hours_a_week_are_guessed_in_cells():
    column = Column("hours", Kind.CONTINUOUS, low=1.0, high=99.0, integer=True)
    values = np.array([1.0, 40.0, 98.0, 99.0] * 50)
    table, release = numbers_collected(values, Piecewise(1.0, 99.0, 8.0), column)
    view = view_of(release, table, np.arange(200), secrets=("hours",), known=())
    found = ReportBayes(cells=20).infer(view, rng=stream(0)).answers["hours"]
    assert np.abs(found - values).mean() < 5
