"""Known answers, sklearn's and pandas' values, and coverage of the utility scorers."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import accuracy_score, roc_auc_score

from privbench.errors import InputError
from privbench.scorers import score_downstream, score_marginals, score_reported_marginals, utility
from privbench.scorers.intervals import wilson


@pytest.mark.parametrize("k", [2, 4])
def test_downstream_values_are_sklearns(k):
    rng = np.random.default_rng(k)
    truth, p, q = rng.integers(0, k, 300), rng.dirichlet(np.ones(k), 300), rng.dirichlet(np.ones(k), 300)
    accuracy, auc = score_downstream(truth, p, reference_probability=q)
    assert accuracy.value == pytest.approx(accuracy_score(truth, p.argmax(axis=1)))
    assert accuracy.baseline == pytest.approx(accuracy_score(truth, q.argmax(axis=1)))
    assert (accuracy.low, accuracy.high) == pytest.approx(tuple(float(x) for x in wilson(accuracy.value * 300, n=300)))
    own, other = (
        roc_auc_score(truth, x[:, 1]) if k == 2 else roc_auc_score(truth, x, multi_class="ovr") for x in (p, q)
    )
    assert (auc.value, auc.baseline) == pytest.approx((own, other))
    assert auc.low < auc.value < auc.high
    assert (accuracy.n, accuracy.group, auc.n) == (300, None, 300)


def test_downstream_perfect_constant_and_one_class():
    truth = np.arange(60) % 3
    accuracy, auc = score_downstream(truth, np.eye(3)[truth])
    assert (accuracy.value, auc.value, accuracy.baseline) == (1, 1, None)
    assert auc.low < 1 == auc.high
    accuracy, auc = score_downstream(truth, np.full((60, 3), 1 / 3))
    assert (accuracy.value, auc.value) == (pytest.approx(1 / 3), 0.5)
    assert [row.metric for row in score_downstream(np.zeros(5, int), np.full((5, 2), 0.5))] == ["downstream_accuracy"]


@pytest.mark.parametrize(
    ("truth", "probability"),
    [([], np.zeros((0, 2))), ([0, 2], np.zeros((2, 2))), ([0, 1], [[np.nan, 1], [0, 1]]), ([0, 1], [0.2, 0.3])],
)
def test_downstream_bad_input_is_refused(truth, probability):
    with pytest.raises(InputError):
        score_downstream(np.array(truth, int), probability)


def tables(seed=0, sizes=(3, 2, 4, 5), m=400, n=300):
    rng = np.random.default_rng(seed)
    return [np.column_stack([rng.integers(0, size, rows) for size in sizes]) for rows in (m, n)], list(sizes)


def by_hand(released, train, order):
    total = []
    for columns in combinations(range(train.shape[1]), order):
        p, q = (pd.DataFrame(x[:, columns]).value_counts(normalize=True) for x in (released, train))
        total.append(p.sub(q, fill_value=0).abs().sum() / 2)
    return np.mean(total)


@pytest.mark.parametrize("most", [4_000_000, 1])
def test_marginal_distances_are_pandas(most, monkeypatch):
    monkeypatch.setattr(utility, "_MOST_CELLS", most)  # 1: every table goes by the cells that occur
    (released, train), sizes = tables()
    rows = score_marginals(released, train, sizes)
    assert [row.metric for row in rows] == ["tvd_1way", "tvd_2way", "tvd_3way"]
    for order, row in enumerate(rows, start=1):
        assert row.value == pytest.approx(by_hand(released, train, order))
        assert row.low < row.value < row.high
        assert row.n == 400


def test_identical_and_disjoint_tables():
    (released, _), sizes = tables()
    for row in score_marginals(released, np.tile(released, (3, 1)), sizes):
        assert (row.value, row.low, row.high) == (0, 0, 0)
    zeros = np.zeros((9, 2), int)
    assert [row.value for row in score_marginals(zeros, zeros + 1, [2, 2])] == [1, 1]  # and no triple


def test_marginals_ignore_the_order_of_rows_and_columns():
    (released, train), sizes = tables()
    order = np.random.default_rng(1).permutation(400)
    columns = [2, 0, 3, 1]
    one = score_marginals(released, train, sizes)
    two = score_marginals(released[order][:, columns], train[:, columns], [sizes[c] for c in columns])
    for a, b in zip(one, two, strict=True):
        assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high))


def test_coverage_of_the_distance():
    rng = np.random.default_rng(2)
    train = np.repeat(np.arange(3), [500, 300, 200])[:, None]
    p, missed = np.array([0.35, 0.3, 0.35]), 0
    true = np.abs(p - [0.5, 0.3, 0.2]).sum() / 2
    for _ in range(500):
        row = score_marginals(rng.choice(3, (900, 1), p=p), train, [3])[0]
        missed += not row.low <= true <= row.high
    assert missed <= stats.binom.ppf(0.9995, 500, 0.07)  # |p - q| has a kink where p = q, here in one cell


@pytest.mark.parametrize("bad", [np.zeros((0, 2), int), np.full((3, 2), 2), np.zeros((3, 3), int), np.zeros((3, 2))])
def test_marginals_bad_input_is_refused(bad):
    with pytest.raises(InputError):
        score_marginals(bad, np.zeros((3, 2), int), [2, 2])


def test_reported_marginals():
    truth = [[0.5, 0.5], [0.2, 0.3, 0.5]]
    (same,) = score_reported_marginals(truth, truth, n=10)
    assert (same.metric, same.value, same.low, same.high, same.n) == ("tvd_1way", 0, None, None, 10)
    off = [[0.6, 0.4], [0.2, 0.1, 0.7]]
    (row,) = score_reported_marginals(off, truth, n=10, variances=[[0.01, 0.01], [0.02, 0.02, 0.02]])
    assert row.value == pytest.approx(0.15)
    assert row.high - row.value == pytest.approx(1.959964 * np.sqrt(0.08 / 4) / 2, rel=1e-5)
    assert row.value - row.low == pytest.approx(row.high - row.value)
    (far,) = score_reported_marginals([[40.0, -39.0]], [[0.5, 0.5]], n=10, variances=[[1.0, 1.0]])
    assert (far.value, far.high) == (1, 1)
    with pytest.raises(InputError):
        score_reported_marginals(off, truth[:1], n=10)
    with pytest.raises(InputError):
        score_reported_marginals(off, truth, n=10, variances=[[0.01, 0.01]])
