"""Published limits of differences, and simulated coverage of differences and of largest gaps."""

import numpy as np
import pytest
from scipy import stats

from privbench.scorers.gaps import bootstrap_gap, bootstrap_ratio, largest_gap
from privbench.scorers.intervals import wilson
from privbench.scorers.mover import mover, paired_correlation


def newcombe(a, m, b, n, level=0.95):
    (low_a, high_a), (low_b, high_b) = wilson(a, n=m, level=level), wilson(b, n=n, level=level)
    return mover((1, -1), estimates=(a / m, b / n), lows=(low_a, low_b), highs=(high_a, high_b))


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


@pytest.mark.parametrize(("p", "q"), [(0.5, 0.4), (0.02, 0.01), (0.98, 0.99), (0.1, 0.9), (0.01, 0.3)])
def test_coverage_of_a_difference_of_proportions(p, q):
    rng = np.random.default_rng(5)
    a, b = rng.binomial(150, p, 4000), rng.binomial(100, q, 4000)
    low, high = newcombe(a, 150, b, 100)
    missed = ((low > p - q) | (high < p - q)).sum()
    assert missed <= stats.binom.ppf(0.999, 4000, 0.05)


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
