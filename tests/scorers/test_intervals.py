"""Known answers, reference implementations and simulated coverage of the intervals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from privbench.scorers.gaps import bootstrap_gap, bootstrap_ratio, largest_gap
from privbench.scorers.intervals import (
    delong,
    mean_of_proportions,
    mover,
    paired_correlation,
    t_interval,
    wilson,
    wilson_effective,
)


def newcombe(a, m, b, n, level=0.95):
    (low_a, high_a), (low_b, high_b) = wilson(a, n=m, level=level), wilson(b, n=n, level=level)
    return mover((1, -1), estimates=(a / m, b / n), lows=(low_a, low_b), highs=(high_a, high_b))


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


# Newcombe, Stat. Med. 17:873-890, 1998, table II, method 10
@pytest.mark.parametrize(
    ("table", "limits"),
    [((56, 70, 48, 80), (0.0524, 0.3339)), ((9, 10, 3, 10), (0.1705, 0.8090)), ((6, 7, 2, 7), (0.0582, 0.8062))],
)
def test_difference_of_independent_proportions_as_published(table, limits):
    np.testing.assert_allclose(newcombe(*table), limits, atol=6e-5)


# Newcombe, Stat. Med. 17:2635-2650, 1998, method 10: both, first only, second only, neither
@pytest.mark.parametrize(
    ("table", "limits"),
    [
        ((36, 12, 2, 0), (0.0569, 0.3404)),
        ((18, 12, 2, 18), (0.0562, 0.3290)),
        ((53, 0, 0, 1), (-0.0729, 0.0729)),
        ((0, 30, 0, 0), (0.8395, 1.0)),
    ],
)
def test_difference_of_paired_proportions_as_published(table, limits):
    first = np.repeat([1.0, 1.0, 0.0, 0.0], table)
    second = np.repeat([1.0, 0.0, 1.0, 0.0], table)
    n = len(first)
    rho = paired_correlation(first - first.mean(), second=second - second.mean())
    lows, highs = wilson([first.sum(), second.sum()], n=n)
    got = mover((1, -1), estimates=(first.mean(), second.mean()), lows=lows, highs=highs, correlation=rho)
    np.testing.assert_allclose(got, limits, atol=6e-5)


def test_mover_of_one_part_and_of_a_negative_coefficient():
    assert mover((2,), estimates=(0.3,), lows=(0.2,), highs=(0.5,)) == pytest.approx((0.4, 1.0))
    assert mover((-1,), estimates=(0.3,), lows=(0.2,), highs=(0.5,)) == pytest.approx((-0.5, -0.2))


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


def direct_delong(score, positive):
    """Every pair of a positive and a negative, as in the paper."""
    x, y = score[positive], score[~positive]
    psi = (x[:, None] > y) + 0.5 * (x[:, None] == y)
    area = psi.mean()
    s10 = ((psi.mean(axis=1) - area) ** 2).sum() / (len(x) - 1)
    s01 = ((psi.mean(axis=0) - area) ** 2).sum() / (len(y) - 1)
    return area, s10 / len(x) + s01 / len(y)


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


@pytest.mark.parametrize(("p", "q"), [(0.5, 0.4), (0.02, 0.01), (0.98, 0.99), (0.1, 0.9), (0.01, 0.3)])
def test_coverage_of_a_difference_of_proportions(p, q):
    rng = np.random.default_rng(5)
    a, b = rng.binomial(150, p, 4000), rng.binomial(100, q, 4000)
    low, high = newcombe(a, 150, b, 100)
    missed = ((low > p - q) | (high < p - q)).sum()
    assert missed <= stats.binom.ppf(0.999, 4000, 0.05)


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


def gap_of(x, n):
    limits = [
        lambda level, a=a, m=m: tuple(float(v) for v in wilson(a, n=m, level=level)) for a, m in zip(x, n, strict=True)
    ]
    return largest_gap([a / m for a, m in zip(x, n, strict=True)], limits=limits)


def test_gap_of_two_groups_is_the_difference_and_of_one_is_none():
    low, high = newcombe(56, 70, 48, 80)
    assert gap_of([48, 56], [80, 70]) == pytest.approx((0.2, low, high))
    assert gap_of([5], [10]) is None
    gap, low, high = gap_of([5, 5], [10, 10])
    assert (gap, low) == (0, 0)
    assert high > 0.3


@pytest.mark.parametrize("rates", [[0.3] * 5, [0.02] * 5, [0.1, 0.3, 0.3, 0.5, 0.9], [0.99, 1, 1, 1, 1]])
def test_coverage_of_the_largest_gap(rates):
    rng = np.random.default_rng(7)
    n, true, missed = [300, 100, 60, 30, 10], max(rates) - min(rates), 0
    for x in rng.binomial(n, rates, size=(400, 5)):
        _, low, high = gap_of(x, n)
        missed += not low - 1e-12 <= true <= high + 1e-12
    assert missed <= stats.binom.ppf(0.999, 400, 0.05)


def test_bootstrap_gap_and_ratio_by_hand():
    draws = np.column_stack([np.full(201, 0.5), np.linspace(0.1, 0.3, 201)])
    estimates = np.array([0.5, 0.2])
    assert bootstrap_gap(draws, estimates=estimates, level=0.9) == pytest.approx((0.3, 0.21, 0.39))
    assert bootstrap_ratio(draws, estimates=estimates, level=0.9) == pytest.approx((0.4, 0.22, 0.58))
    assert bootstrap_gap(draws[:, :1], estimates=estimates[:1]) is None
    assert bootstrap_ratio(np.zeros((9, 2)), estimates=np.zeros(2)) is None


def test_undefined_draws_are_left_out_and_infinite_ratios_survive():
    draws = np.array([[0.5, 0.5], [np.nan, 0.1], [0.5, 0.0]])
    assert bootstrap_gap(draws, estimates=np.array([0.5, 0.5])) == (0.0, 0.0, 0.5)
    assert bootstrap_ratio(draws, estimates=np.array([0.5, 0.5]))[1:] == (0.0, 1.0)


def test_t_interval():
    x = [0.4, 0.5, 0.55, 0.61]
    expected = stats.t.interval(0.95, 3, loc=np.mean(x), scale=stats.sem(x))
    assert t_interval(x) == pytest.approx(expected)
    assert t_interval([0.4]) is None
    assert t_interval([0.1 + 0.2, 0.3, 0.3]) is None
