"""Stated confidence: honest adversaries are not flagged, overconfident ones are, and intervals hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from privbench.errors import InputError
from privbench.scorers.calibration import BINS, COVERED, calibration_error, score_calibration, score_coverage
from privbench.scorers.metrics import METRICS, metric


def honest(rng, people, *, k=3, sharp=1.0):
    """Return a posterior, and truths drawn from it."""
    posterior = rng.dirichlet(np.full(k, 1 / sharp), people)
    truth = (posterior.cumsum(axis=1) < rng.random(people)[:, None]).sum(axis=1).clip(max=k - 1)
    return posterior, truth


def overconfident(posterior, *, power=2.0):
    sharper = posterior**power
    return sharper / sharper.sum(axis=1, keepdims=True)


def by_name(rows):
    return {row.metric: row for row in rows}


def score(posterior, truth, member=None):
    return by_name(score_calibration(posterior, truth, member=np.ones(len(truth), bool) if member is None else member))


def test_bins_by_hand():
    # two people of .6, one right; three of .95, all right; one tie of .5, half right
    top = np.array([0.6, 0.6, 0.95, 0.95, 0.95, 0.5])
    posterior = np.column_stack([top, 1 - top])
    rows = score(posterior, np.array([0, 1, 0, 0, 0, 1]))
    assert set(rows) == {"reliability_50_60", "reliability_60_70", "reliability_90_100", "calibration_error"}
    assert [rows[name].value for name in ("reliability_50_60", "reliability_60_70", "reliability_90_100")] == [
        0.5,
        0.5,
        1,
    ]
    assert [rows[name].n for name in ("reliability_50_60", "reliability_60_70", "reliability_90_100")] == [1, 2, 3]
    assert rows["reliability_90_100"].baseline == pytest.approx(0.95)
    assert rows["reliability_60_70"].advantage is None
    assert rows["reliability_60_70"].control is None
    assert all(row.low <= row.value <= row.high for row in rows.values())


def test_an_edge_belongs_to_the_bin_above_it_whatever_the_rounding():
    top = np.array([0.3, 0.1 + 0.2, 0.7, 1 - 0.3, 1.0])
    posterior = np.column_stack([top, *(np.tile((1 - top) / 9, (9, 1)))])
    posterior[:2, 1:] = 0.7 / 9
    rows = score(posterior, np.zeros(5, int))
    assert {name: rows[name].n for name in rows if name in BINS} == {
        "reliability_30_40": 2, "reliability_70_80": 2, "reliability_90_100": 1,
    }  # fmt: skip


def test_members_count_and_controls_stand_beside():
    rng = np.random.default_rng(0)
    posterior, truth = honest(rng, 400)
    member = np.arange(400) < 150
    rows, alone, others = (
        score(posterior, truth, member),
        score(posterior[member], truth[member]),
        score(posterior[~member], truth[~member]),
    )
    for name, row in rows.items():
        assert (row.value, row.low, row.high, row.n) == pytest.approx(
            (alone[name].value, alone[name].low, alone[name].high, alone[name].n)
        )
        assert row.control == pytest.approx(others[name].value)
    assert sum(rows[name].n for name in rows if name in BINS) == 150


@given(seed=st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_the_order_of_people_and_of_values_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    posterior, truth = honest(rng, 90, k=4)
    member, order, values = rng.random(90) < 0.6, rng.permutation(90), rng.permutation(4)
    rows = score(posterior, truth, member)
    again = score(posterior[order][:, values], np.argsort(values)[truth[order]], member[order])
    assert set(rows) == set(again)
    for name, row in rows.items():
        assert (row.value, row.low, row.high) == pytest.approx((again[name].value, again[name].low, again[name].high))


@pytest.mark.parametrize(("people", "sharp"), [(60, 1.0), (60, 4.0), (500, 1.0), (2000, 4.0)])
def test_an_honest_adversary_has_no_error_on_average_and_is_rarely_flagged(people, sharp):
    rng = np.random.default_rng(1)
    errors = [score(*honest(rng, people, sharp=sharp))["calibration_error"] for _ in range(300)]
    values = np.array([row.value for row in errors])
    assert abs(values.mean()) < 4 * values.std() / np.sqrt(300) + 1e-3
    assert sum(row.low > 0 for row in errors) <= stats.binom.ppf(0.999, 300, 0.05)
    assert all(row.low <= row.value <= row.high for row in errors)


def test_overconfidence_is_flagged_and_its_size_is_right():
    rng = np.random.default_rng(2)
    for _ in range(20):
        posterior, truth = honest(rng, 1000)
        boastful = score(overconfident(posterior), truth)
        row = boastful["calibration_error"]
        assert row.low > 0
        assert boastful["reliability_90_100"].high < boastful["reliability_90_100"].baseline
        plain = sum(abs(r.value - r.baseline) * r.n for name, r in boastful.items() if name in BINS) / 1000
        assert plain - 0.02 < row.value <= plain


@pytest.mark.parametrize("power", [1.0, 1.3, 2.0, 0.7])
@pytest.mark.parametrize("people", [80, 800])
def test_intervals_hold_the_true_distance(people, power):
    rng, missed = np.random.default_rng(3), {"error": 0, "bins": 0, "all": 0}
    for _ in range(200):
        chances, truth = honest(rng, people)
        posterior = overconfident(chances, power=power)
        rows = score(posterior, truth)
        top, rows_ = posterior.argmax(axis=1), np.arange(people)
        stated, real = posterior[rows_, top], chances[rows_, top]
        bins = np.minimum((stated * 10 + 1e-9).astype(int), 9)
        total = 0.0
        for code, name in enumerate(BINS):
            if name in rows:
                expected = real[bins == code].mean()
                missed["bins"] += not rows[name].low <= expected <= rows[name].high
                missed["all"] += 1
                total += abs(expected - stated[bins == code].mean()) * rows[name].n / people
        missed["error"] += not rows["calibration_error"].low <= total <= rows["calibration_error"].high
    assert missed["error"] <= stats.binom.ppf(0.999, 200, 0.05)
    assert missed["bins"] <= stats.binom.ppf(0.999, missed["all"], 0.05)


def test_certainty_without_a_miss_is_no_error_and_with_misses_is_all_of_them():
    assert calibration_error([50], [50], [50])[0] == pytest.approx(0, abs=1e-6)
    value, low, high = calibration_error([0, 200], [0, 150], [0, 200])
    assert value == pytest.approx(0.25)
    assert low > 0.15
    assert high < 0.35


def test_ranges_of_an_honest_spread_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(4)
    truth = rng.normal(50, 20, 4000)
    spread = rng.uniform(1, 10, 4000)
    guess = truth + spread * rng.normal(size=4000)
    member = np.arange(4000) < 3000
    rows = by_name(score_coverage(guess, spread, truth, member=member))
    assert set(rows) == set(COVERED)
    for name, level in COVERED.items():
        assert rows[name].low <= level <= rows[name].high
        assert rows[name].baseline == level
        assert rows[name].n == 3000
        assert rows[name].control == pytest.approx(level, abs=0.05)
    boastful = by_name(score_coverage(guess, spread / 3, truth, member=member))
    assert all(boastful[name].high < level for name, level in COVERED.items())


def test_a_spread_of_nothing_claims_certainty():
    truth = np.array([10.0, 1e9, -3.0, 0.1 + 0.2])
    rows = by_name(score_coverage(truth + np.array([0, 0, 1, 0]), np.zeros(4), truth, member=np.ones(4, bool)))
    assert {row.value for row in rows.values()} == {0.75}


@pytest.mark.parametrize("spread", [[1.0, -1.0], [1.0, np.nan], [1.0]])
def test_a_spread_that_is_none_is_refused(spread):
    with pytest.raises(InputError, match="spread"):
        score_coverage([1.0, 2.0], spread, [1.0, 2.0], member=np.ones(2, bool))


def test_every_name_is_a_metric_and_none_is_an_advantage():
    for name in (*BINS, *COVERED, "calibration_error"):
        assert metric(name).family == "calibration"
    listed = {row.name for row in METRICS}
    assert {"reliability", "interval_coverage", "calibration_error"} <= listed
    for name in ("reliability_advantage", "reliability_90", "calibration_error_gap", "interval_coverage_x"):
        with pytest.raises(InputError):
            metric(name)
