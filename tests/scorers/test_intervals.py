"""Known answers, reference implementations and simulated coverage of the intervals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from privbench.scorers.intervals import (
    clopper_pearson,
    mean_of_proportions,
    t_interval,
    wilson,
    wilson_effective,
)


@given(n=st.integers(1, 3000), share=st.floats(0, 1), level=st.floats(0.5, 0.999))
def test_wilson_is_scipys(n, share, level):
    x = round(share * n)
    reference = stats.binomtest(x, n).proportion_ci(confidence_level=level, method="wilson")
    low, high = wilson(x, n=n, level=level)
    np.testing.assert_allclose((low, high), (reference.low, reference.high), atol=1e-10)
    assert low < high
    assert low <= x / n <= high
    assert (low == 0) == (x == 0)
    assert (high == 1) == (x == n)


def test_wilson_takes_shares_of_a_success_arrays_and_no_trials():
    low, high = wilson([0.5, 0.0, 1.0], n=[1, 0, 10])
    np.testing.assert_allclose(low + high, [1, 1, 0.0178762 + 0.4041500], atol=1e-6)
    assert (low[1], high[1]) == (0, 1)


@given(n=st.integers(1, 3000), share=st.floats(0, 1), level=st.floats(0.5, 0.9999))
def test_clopper_pearson_is_scipys(n, share, level):
    x = round(share * n)
    reference = stats.binomtest(x, n).proportion_ci(confidence_level=level, method="exact")
    low, high = clopper_pearson(x, n=n, level=level)
    np.testing.assert_allclose((low, high), (reference.low, reference.high), atol=1e-10)
    assert (low == 0) == (x == 0)
    assert (high == 1) == (x == n)
    alone = stats.binomtest(x, n, alternative="greater").proportion_ci(confidence_level=(1 + level) / 2)
    assert low == pytest.approx(alone.low, abs=1e-10)


def test_clopper_pearson_takes_shares_of_a_hit_arrays_and_no_trials():
    low, high = clopper_pearson([0, 2.5, 3, 3.5, 3], n=[0, 7, 7, 7, 3])
    assert (low[0], high[0]) == (0, 1)
    assert (np.diff(low[1:4]) > 0).all()
    assert (np.diff(high[1:4]) > 0).all()
    np.testing.assert_allclose(low[1], stats.beta.ppf(0.025, 2.5, 5.5))
    np.testing.assert_allclose(high[3], stats.beta.ppf(0.975, 4.5, 3.5))
    # whoever hits always has no upper limit but 1, and the lower one solves p^3 = 0.025
    assert (low[4], high[4]) == (pytest.approx(0.025 ** (1 / 3)), 1)


@given(mean=st.floats(0, 1), variance=st.floats(0, 0.3), n=st.floats(0.5, 1e6))
def test_effective_wilson_never_has_zero_width_and_holds_the_mean(mean, variance, n):
    low, high = wilson_effective(mean, variance=variance, n=n)
    assert 0 <= low <= mean + 1e-12
    assert mean - 1e-12 <= high <= 1
    assert low < high


def test_effective_wilson_of_a_proportion_is_wilson():
    np.testing.assert_allclose(wilson_effective(0.3, variance=0.3 * 0.7 / 50, n=9), wilson(15, n=50))
    np.testing.assert_allclose(wilson_effective(1.0, variance=0.0, n=20), wilson(20, n=20))
    assert wilson_effective(0.3, variance=0.01, n=9, freedom=3)[0] < wilson_effective(0.3, variance=0.01, n=9)[0]


@pytest.mark.parametrize(
    ("trials", "rates"),
    [
        ([33] * 15, [1 / 15] * 15),  # near chance, where MOVER over the classes fails on the low side
        ([200, 50, 20, 5, 3, 1], [0.9, 0.7, 0.4, 0.3, 0.2, 0.1]),
        ([10] * 4, [1.0, 0.0, 0.0, 0.0]),
        ([1] * 7, [0.2] * 7),
    ],
)
def test_coverage_of_a_mean_of_proportions(trials, rates):
    rng = np.random.default_rng(6)
    for level, allowed in ((0.95, 0.05), (0.99, 0.01)):
        above = below = 0
        for x in rng.binomial(trials, rates, size=(1000, len(trials))):
            mean, variance, size = mean_of_proportions(x, n=trials)
            low, high = wilson_effective(mean, variance=variance, n=size, level=level)
            above, below = above + (low > np.mean(rates)), below + (high < np.mean(rates))
        assert above + below <= stats.binom.ppf(0.999, 1000, allowed)


def test_t_interval():
    x = [0.4, 0.5, 0.55, 0.61]
    expected = stats.t.interval(0.95, 3, loc=np.mean(x), scale=stats.sem(x))
    assert t_interval(x) == pytest.approx(expected)
    assert t_interval([0.4]) is None
    assert t_interval([0.1 + 0.2, 0.3, 0.3]) is None
