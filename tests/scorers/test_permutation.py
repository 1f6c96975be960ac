"""Exact answers, uniformity without a difference, and power of the permutation p-values."""

from collections import Counter

import numpy as np
import pytest
from scipy import stats

from privbench.errors import InputError
from privbench.scorers import score_categorical, score_continuous, score_fairness
from privbench.scorers.metrics import METRICS, metric
from privbench.scorers.permutation import _tables, advantage_gap_p_value, rate_gap_p_value

LEVELS = np.array([0.01, 0.05, 0.1, 0.3, 0.5])
ALL = np.ones(4, bool)


def too_small(p_values, level):
    """How surely there are more p-values up to this level than uniform ones would be."""
    return stats.binomtest(int((np.array(p_values) <= level).sum()), len(p_values), level, "greater").pvalue


def test_tables_are_those_of_a_permutation_of_labels():
    rng = np.random.default_rng(0)
    rows, columns = np.array([3, 2, 1]), np.array([2, 3, 1])
    drawn = _tables(rows, columns, draws=20_000, rng=rng)
    assert (drawn.sum(axis=1) == columns).all()
    assert (drawn.sum(axis=2) == rows).all()
    labels, values = np.repeat(np.arange(3), columns), np.repeat(np.arange(3), rows)
    shuffled = rng.permuted(np.tile(labels, (20_000, 1)), axis=1)
    direct = Counter(map(tuple, np.sort(values * 3 + shuffled, axis=1).tolist()))
    cells = np.arange(9)
    ours = Counter(tuple(np.repeat(cells, table.ravel()).tolist()) for table in drawn)
    assert set(ours) == set(direct)
    kinds = sorted(direct)
    assert stats.chi2_contingency([[x[kind] for kind in kinds] for x in (ours, direct)]).pvalue > 1e-3


def test_rates_agree_with_fishers_exact_test():
    p = rate_gap_p_value([9, 3], sizes=[12, 12], rng=np.random.default_rng(1), draws=100_000)
    assert p == pytest.approx(stats.fisher_exact([[9, 3], [3, 9]]).pvalue, abs=2e-3)


def test_limits_of_a_p_value():
    rng = np.random.default_rng(2)
    assert rate_gap_p_value([0, 500], sizes=[500, 500], rng=rng) == 1 / 1000
    assert rate_gap_p_value([5, 10, 0], sizes=[10, 20, 7], rng=rng) > 0.01
    assert rate_gap_p_value([0, 0], sizes=[3, 4], rng=rng) == 1
    for member in (ALL, np.array([True, False, True, False])):
        assert advantage_gap_p_value(np.ones(4), codes=np.array([0, 0, 1, 1]), member=member, rng=rng) == 1
        assert advantage_gap_p_value(np.ones(4), codes=np.zeros(4, int), member=member, rng=rng) is None
    no_control = np.array([True, False, True, True])
    assert advantage_gap_p_value(np.ones(4), codes=np.array([0, 0, 1, 1]), member=no_control, rng=rng) is None


@pytest.mark.parametrize("rates", [[0.3, 0.3], [0.1] * 6])
def test_rates_without_a_difference_are_not_rejected_too_often(rates):
    rng, sizes = np.random.default_rng(3), np.r_[200, np.full(len(rates) - 1, 15)]
    p_values = [rate_gap_p_value(rng.binomial(sizes, rates), sizes=sizes, rng=rng, draws=199) for _ in range(1000)]
    assert min(too_small(p_values, level) for level in LEVELS) > 1e-3
    assert np.mean(np.array(p_values) <= 0.5) > 0.25  # few distinct gaps: the test is discrete, but not idle


# hits of the controls, advantage, shares of the groups
NULLS = {
    "alike": ([0.6, 0.6], 0, [0.5, 0.5]),
    "one group easier to guess": ([0.9, 0.5], 0, [0.9, 0.1]),
    "tiny groups easier to guess": ([0.5, 0.95, 0.9], 0, [0.94, 0.03, 0.03]),
    "a tiny group harder to guess": ([0.95, 0.5], 0, [0.97, 0.03]),
    "five groups": ([0.9, 0.5, 0.5, 0.7, 0.7], 0, [0.85, 0.1, 0.03, 0.01, 0.01]),
    "equal advantage": ([0.5, 0.5], 0.3, [0.8, 0.2]),
    "equal advantage, one easier": ([0.5, 0.2], 0.4, [0.9, 0.1]),
    "equal advantage, five groups": ([0.6, 0.2, 0.2, 0.3, 0.3], 0.4, [0.85, 0.1, 0.03, 0.01, 0.01]),
}


def people(rng, base, advantage, share, n=1000):
    codes, member = rng.choice(len(share), n, p=share), np.arange(n) < n // 2
    rate = np.array(base)[codes] + member * np.broadcast_to(advantage, len(share))[codes]
    return (rng.random(n) < rate).astype(float), codes, member


@pytest.mark.parametrize("null", NULLS)
def test_equal_advantages_over_controls_are_not_rejected_too_often(null):
    rng, p_values = np.random.default_rng(4), []
    for _ in range(500):
        values, codes, member = people(rng, *NULLS[null])
        p = advantage_gap_p_value(values, codes=codes, member=member, rng=rng, draws=199)
        p_values += [] if p is None else [p]
    allowed = LEVELS if NULLS[null][1] == 0 else LEVELS * 1.3 + 0.005  # exact without leakage, else nearly
    assert min(too_small(p_values, level) for level in allowed) > 1e-3
    assert np.mean(np.array(p_values) <= 0.5) > 0.35


@pytest.mark.parametrize("paired", [False, True])
def test_equal_advantages_without_controls_are_not_rejected_too_often(paired):
    rng, p_values = np.random.default_rng(5), []
    for _ in range(500):
        codes = rng.choice(3, 500, p=[0.8, 0.17, 0.03])
        values = rng.choice([0, 0.5, 1], 500, p=[0.5, 0.1, 0.4]) - paired * (rng.random(500) < 0.3)
        p_values.append(advantage_gap_p_value(values, codes=codes, member=np.ones(500, bool), rng=rng, draws=199))
    assert min(too_small(p_values, level) for level in LEVELS) > 1e-3
    assert np.mean(np.array(p_values) <= 0.5) > 0.35


@pytest.mark.parametrize("controls", [True, False])
def test_a_planted_gap_is_found(controls):
    rng, p_values = np.random.default_rng(6), []
    for _ in range(50):
        values, codes, member = people(rng, [0.5, 0.5, 0.5], [0.0, 0.35, 0.0], [0.68, 0.3, 0.02])
        keep = np.ones(1000, bool) if controls else member
        p_values.append(advantage_gap_p_value(values[keep], codes=codes[keep], member=member[keep], rng=rng))
    assert np.median(p_values) <= 0.005


def leaking(rng, n=400):
    truth, codes = rng.integers(0, 3, n), rng.integers(0, 2, n)
    member = np.arange(n) < n // 2
    known = member & (codes == 1)  # leaks of one group only
    posterior = np.where(known[:, None], np.eye(3)[truth], 0) * 0.9 + 0.1 * rng.dirichlet(np.ones(3), n)
    return posterior / posterior.sum(axis=1, keepdims=True), truth, codes, member


@pytest.mark.parametrize("reference", ["chance", "controls", "no-report"])
def test_the_row_of_a_categorical_secret(reference):
    posterior, truth, codes, member = leaking(np.random.default_rng(7))
    keep = np.ones(400, bool) if reference == "controls" else member
    arguments = {
        "posterior": posterior[keep],
        "truth": truth[keep],
        "prior": np.ones(3),
        "member": member[keep],
        "groups": {"sex": (codes[keep], ["Female", "Male"]), "g": (np.zeros(keep.sum(), int), ["all"])},
        "reference": reference,
        "reference_posterior": np.full((keep.sum(), 3), 1 / 3),
    }
    before = score_categorical(**arguments)
    rows = score_categorical(**arguments, rng=np.random.default_rng(0))
    assert [row for row in rows if not row.metric.endswith("_p_value")] == before
    assert rows == score_categorical(**arguments, rng=np.random.default_rng(0))
    (row,) = (row for row in rows if row.metric.endswith("_p_value"))
    assert (row.metric, row.group, row.low, row.high) == ("accuracy_advantage_gap_p_value", "sex", None, None)
    assert row.n == 200
    assert row.value == 1 / 1000


def test_the_row_of_a_continuous_secret():
    rng = np.random.default_rng(8)
    codes, truth = rng.integers(0, 2, 200), rng.uniform(0, 100, 200)
    guess = np.where(codes == 1, truth, 50)
    rows = score_continuous(
        guess, truth, low=0, high=100, integer=False, member=np.ones(200, bool), groups={"g": (codes, ["a", "b"])},
        reference="chance", rng=rng,
    )  # fmt: skip
    (row,) = (row for row in rows if row.metric.endswith("_p_value"))
    assert (row.metric, row.group, row.value) == ("within_tolerance_advantage_gap_p_value", "g", 1 / 1000)


def test_rows_of_fairness():
    rng = np.random.default_rng(9)
    sex, race, truth = rng.integers(0, 2, 600), rng.integers(0, 3, 600), rng.integers(0, 2, 600)
    unfair = rng.random(600) < np.where((sex == 1) & (race == 2), 0.8, 0.3)  # at the intersection
    groups = {"sex": (sex, ["Female", "Male"]), "race": (race, ["a", "b", "c"])}
    rows = score_fairness(truth, rng.random(600) < 0.4, groups=groups, rng=rng, reference_prediction=unfair)
    found = {row.group: row for row in rows if row.metric == "demographic_parity_difference_p_value"}
    assert list(found) == ["sex", "race", "sex & race"]
    assert all(row.low is row.high is None and row.n == 600 and row.value > 0.02 for row in found.values())
    assert found["sex & race"].baseline == 1 / 1000


def test_the_table_explains_p_values():
    names = [entry.name for entry in METRICS if entry.name.endswith("_p_value")]
    assert len(names) == 4
    for name in names:
        assert (metric(name).low, metric(name).high, metric(name).higher_is) == (0, 1, "better")
        with pytest.raises(InputError):
            metric(f"{name}_gap")
