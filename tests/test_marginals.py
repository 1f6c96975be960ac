"""How near marginals are, and what theory expects: figures known without running anything."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from privbench import registry
from privbench.errors import InputError
from privbench.marginals import score_exact_success, score_release_marginals, variance_of_mean, variance_of_shares
from privbench.oracles import FrequencyOracle
from privbench.release import SyntheticTable
from privbench.reported_column import ReportedColumn
from privbench.reports import Reports
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.scorers import score_reported_means
from privbench.table import Table
from tests.people import SCHEMA, people


def collected(*secrets, records=3000, **params):
    train = people(records, 1).records.with_schema(SCHEMA.with_secrets(secrets))
    return registry.make("defenses", "ldp", params).release(train, rng=stream(0, "marginals")), train


def by_metric(scores):
    return {score.metric: score for score in scores}


def test_identical_rows_have_no_distance():
    train = people().records
    scores = by_metric(score_release_marginals(SyntheticTable(train, len(train)), train))
    assert [scores[f"tvd_{order}way"].value for order in (1, 2, 3)] == [0, 0, 0]


def test_reports_have_a_distance_of_shares_and_of_means():
    release, train = collected("ill", "wage", epsilon=4)
    scores = by_metric(score_release_marginals(release, train))
    assert set(scores) == {"tvd_1way", "mean_error"}
    assert scores["tvd_1way"].value == pytest.approx(np.abs(release.estimate("ill") - train.marginal("ill")).sum() / 2)
    off = abs(release.of("wage")[0].oracle.estimate(release.of("wage")[0].reports) - train["wage"].mean())
    assert scores["mean_error"].value == pytest.approx(off / 100)
    assert scores["mean_error"].low <= scores["mean_error"].value <= scores["mean_error"].high


def test_the_exact_success_of_grr_is_the_textbook_one():
    release, train = collected("ill", epsilon=1)
    scores = by_metric(score_exact_success(release, train)["ill"])
    assert scores["exact_accuracy_uniform"].value == pytest.approx(math.e / (math.e + 2))
    prior = np.sort(train.marginal("ill"))
    p, q = math.e / (math.e + 2), 1 / (math.e + 2)
    best = sum(max(p * prior[y], q * max(np.delete(prior, y))) for y in range(3))
    assert scores["exact_accuracy_marginal"].value == pytest.approx(best)


def test_who_is_not_asked_is_guessed_by_the_prior():
    release, train = collected("ill", "work", epsilon=1, allocation="sampled")
    asked = len(release.of("ill")[0].reports) / len(train)
    scores = by_metric(score_exact_success(release, train)["ill"])
    expected = asked * math.e / (math.e + 2) + (1 - asked) / 3
    assert scores["exact_accuracy_uniform"].value == pytest.approx(expected)
    assert scores["exact_accuracy_marginal"].value >= train.marginal("ill").max() - 1e-12


def test_tables_numbers_and_several_surveys_have_no_closed_form():
    train = people().records
    assert score_exact_success(SyntheticTable(train, len(train)), train) == {}
    release, train = collected("wage", "ill", epsilon=1)
    assert set(score_exact_success(release, train)) == {"ill"}
    release, train = collected("ill", epsilon=1, surveys=2)
    assert score_exact_success(release, train) == {}


@pytest.mark.parametrize("protocol", ["grr", "sue", "ss"])
def test_fakes_from_a_prior_have_a_closed_form_on_the_people_that_there_are_only(protocol):
    prior = (0.7, 0.2, 0.1)
    release, train = collected(
        "ill", "work", records=40_000, epsilon=2, protocol=protocol, allocation="rs+rfd", priors={"ill": prior}
    )
    scores = by_metric(score_exact_success(release, train)["ill"])
    assert set(scores) == {"exact_accuracy_marginal"}

    def right(guess):
        said = np.log(guess) + release.log_likelihood("ill", np.arange(len(train)))
        best = np.isclose(said, said.max(axis=1, keepdims=True))
        return best[np.arange(len(train)), train["ill"]] / best.sum(axis=1)

    found = right(train.marginal("ill"))
    assert abs(found.mean() - scores["exact_accuracy_marginal"].value) < 4 * found.std() / math.sqrt(len(train))
    # why the other one is left out: with equal priors some values are guessed right more often than others
    equal, own = right(np.full(3, 1 / 3)), train["ill"]
    rates = [equal[own == value] for value in range(3)]
    gap = max(rate.mean() for rate in rates) - min(rate.mean() for rate in rates)
    assert gap > 4 * max(rate.std() / math.sqrt(len(rate)) for rate in rates)


@pytest.mark.parametrize("params", [{"allocation": "rs+fd"}, {"allocation": "combined"}, {"protocol": "olh"},
                                    {"allocation": "rs+rfd", "priors": {"ill": (1 / 3, 1 / 3, 1 / 3)}}])  # fmt: skip
def test_where_every_value_is_hidden_alike_both_priors_have_a_closed_form(params):
    release, train = collected("ill", "work", epsilon=2, **params)
    assert len(score_exact_success(release, train)["ill"]) == 2


def unasked(*names, **params):
    """Return a release without anybody's report of these columns."""
    release, train = collected("ill", "wage", epsilon=2, **params)
    reported = tuple(
        replace(one, reports=one.reports[:0], people=np.empty(0, dtype=np.int64)) if one.column.name in names else one
        for one in release.reported
    )
    return replace(release, reported=reported), train


@pytest.mark.parametrize("surveys", [1, 2])
def test_what_nobody_reported_has_no_mean_and_an_infinite_variance(surveys):
    release, train = unasked("wage", surveys=surveys)
    assert set(by_metric(score_release_marginals(release, train))) == {"tvd_1way"}
    assert release.mean("wage") == 50
    assert variance_of_mean(release, "wage", train["wage"]) == math.inf
    release, train = unasked("ill", "wage", surveys=surveys)
    assert (variance_of_shares(release, "ill") == math.inf).all()
    (score,) = score_release_marginals(release, train)
    assert (score.low, score.high) == (0, 1)
    assert score.value == pytest.approx(np.abs(1 / 3 - train.marginal("ill")).sum() / 2)


def test_a_column_of_one_value_is_known_without_a_report():
    column = Column("only", Kind.CATEGORICAL, ("x",))
    table = Table(Schema((column,)), {"only": np.zeros(5, dtype=int)})
    made = registry.make("defenses", "ldp", {"columns": ("only",)}).release(table, rng=stream(0))
    (own,) = made.reported
    assert isinstance(own.oracle, FrequencyOracle)
    nobody = ReportedColumn(column, own.oracle, own.reports[:0], np.empty(0, dtype=np.int64))
    assert variance_of_shares(Reports(table.schema, made.clear, (nobody,), 5, None), "only") == pytest.approx([0.0])


@pytest.mark.parametrize("params", [{"surveys": 2}, {"allocation": "sampled"}, {"surveys": 3, "allocation": "sampled"}])
def test_the_mean_of_all_surveys_is_within_its_stated_error(params):
    train = people(400, 1).records.with_schema(SCHEMA.with_secrets(["ill", "wage"]))
    made = registry.make("defenses", "ldp", {"epsilon": 4, **params})
    releases = [made.release(train, rng=stream(seed, "means")) for seed in range(300)]
    errors = np.array([release.estimate_mean("wage") for release in releases]) - train["wage"].mean()
    stated = np.array([variance_of_mean(release, "wage", train["wage"]) for release in releases])
    assert abs(errors.mean()) < 4 * errors.std() / math.sqrt(300)
    # the variance of a normal variance is 2 / n times its square
    assert abs((errors**2 / stated).mean() - 1) < 4 * math.sqrt(2 / 300)
    score = by_metric(score_release_marginals(releases[0], train))["mean_error"]
    assert score.value == pytest.approx(abs(errors[0]) / 100)
    assert score.high - score.value == pytest.approx(1.96 * math.sqrt(stated[0]) / 100, rel=1e-3)


def test_means_are_scored_by_their_ranges():
    (score,) = score_reported_means([3.0, 10.0], [2.0, 10.0], variances=[0.01, 0.0], ranges=[10.0, 0.0], n=5)
    assert score.value == pytest.approx(0.05)
    assert score.high - score.value == pytest.approx(1.96 * 0.1 / 10 / 2, rel=1e-3)
    with pytest.raises(InputError, match="one number a column"):
        score_reported_means([1.0], [1.0, 2.0], variances=[1.0], ranges=[1.0], n=5)
