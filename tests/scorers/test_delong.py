"""The direct formula, scikit-learn's area and simulated coverage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from privbench.scorers.delong import delong
from privbench.scorers.intervals import wilson_effective


def direct_delong(score, positive):
    """Every pair of a positive and a negative, as in the paper."""
    x, y = score[positive], score[~positive]
    psi = (x[:, None] > y) + 0.5 * (x[:, None] == y)
    area = psi.mean()
    s10 = ((psi.mean(axis=1) - area) ** 2).sum() / (len(x) - 1)
    s01 = ((psi.mean(axis=0) - area) ** 2).sum() / (len(y) - 1)
    return area, s10 / len(x) + s01 / len(y)


@settings(deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(6, 60), levels=st.sampled_from([2, 5, 1000]))
def test_delong_is_the_direct_one_ties_included(seed, n, levels):
    rng = np.random.default_rng(seed)
    positive = np.arange(n) < max(2, n // 3)
    score = rng.integers(0, levels, n) / levels
    area, influence, _ = delong(score[None], positive=positive[None])
    expected = direct_delong(score, positive)
    np.testing.assert_allclose((area, (influence**2).sum() / n**2), expected, atol=1e-12)
    both = delong(np.stack([score, 1 - score]), positive=np.stack([positive, ~positive]))
    np.testing.assert_allclose((both[0], (both[1] ** 2).sum() / n**2), expected, atol=1e-12)


def test_macro_auc_is_sklearns():
    rng = np.random.default_rng(2)
    truth, p = rng.integers(0, 4, 200), rng.dirichlet(np.ones(4), 200)
    got, influence, _ = delong(p.T, positive=truth == np.arange(4)[:, None])
    assert got == pytest.approx(roc_auc_score(truth, p, multi_class="ovr"))
    assert influence.mean() == pytest.approx(0, abs=1e-3)


def test_a_single_positive_counts_with_the_largest_variance():
    score = np.array([[0.9, 0.1, 0.2, 0.95]])
    area, influence, size = delong(score, positive=np.array([[True, False, False, False]]))
    assert area == pytest.approx(2 / 3)
    assert (influence**2).sum() / 16 >= area * (1 - area)
    assert size == 1


def test_coverage_of_auc():
    rng = np.random.default_rng(4)
    true, missed = stats.norm.cdf(1 / np.sqrt(2)), 0
    positive = np.arange(120) < 40
    for _ in range(600):
        score = rng.normal(size=120) + positive
        area, influence, size = delong(score[None], positive=positive[None])
        low, high = wilson_effective(area, variance=(influence**2).sum() / 120**2, n=size)
        missed += not low <= true <= high
    assert missed <= stats.binom.ppf(0.999, 600, 0.05)
