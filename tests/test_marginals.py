"""How near marginals are, and what theory expects: figures known without running anything."""

from __future__ import annotations

import math

import numpy as np
import pytest

from privbench import registry
from privbench.errors import InputError
from privbench.marginals import score_exact_success, score_release_marginals
from privbench.release import SyntheticTable
from privbench.rng import stream
from privbench.scorers import score_reported_means
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


def test_means_are_scored_by_their_ranges():
    (score,) = score_reported_means([3.0, 10.0], [2.0, 10.0], variances=[0.01, 0.0], ranges=[10.0, 0.0], n=5)
    assert score.value == pytest.approx(0.05)
    assert score.high - score.value == pytest.approx(1.96 * 0.1 / 10 / 2, rel=1e-3)
    with pytest.raises(InputError, match="one number a column"):
        score_reported_means([1.0], [1.0, 2.0], variances=[1.0], ranges=[1.0], n=5)
