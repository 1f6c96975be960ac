"""Columns randomised as one: a column's part of the joint channel against its enumeration."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from defenses.ldp.combined import LARGEST_DOMAIN, CombinedColumn, joint_size, randomise_jointly
from defenses.ldp.grr import Grr
from privbench.errors import InputError
from privbench.oracles import FrequencyOracle
from privbench.rng import stream


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 5.0])
@pytest.mark.parametrize("sizes", [(2, 2), (2, 3), (3, 4, 2), (5, 1)])
def test_a_columns_part_is_the_marginal_of_the_joint_channel(sizes, epsilon):
    domain = math.prod(sizes)
    joint = Grr(size=domain, epsilon=epsilon)
    values = np.array(list(itertools.product(*(range(size) for size in sizes))))
    law = np.where(np.eye(domain, dtype=bool), joint.p, joint.q)
    for place, size in enumerate(sizes):
        oracle = CombinedColumn(size=size, domain=domain, joint_epsilon=epsilon)
        assert isinstance(oracle, FrequencyOracle)
        marginal = law @ (values[:, [place]] == np.arange(size))
        expected = np.where(values[:, [place]] == np.arange(size), oracle.p, oracle.q)
        assert marginal == pytest.approx(expected, rel=1e-12)
        # the closed forms
        share = domain // size
        assert oracle.p == pytest.approx(joint.p + (share - 1) * joint.q, rel=1e-12)
        if size > 1:
            assert oracle.q == pytest.approx(share * joint.q, rel=1e-12)
            assert oracle.epsilon == pytest.approx(math.log(oracle.p / oracle.q), rel=1e-12)
        prior = np.arange(1, size + 1) / (size * (size + 1) / 2)
        channel = np.where(np.eye(size, dtype=bool), oracle.p, oracle.q)
        assert oracle.success(prior) == pytest.approx((prior[:, None] * channel).max(axis=0).sum(), rel=1e-12)
        reports = np.arange(size, dtype=np.uint8)
        likelihood = oracle.log_likelihood(reports)
        if size > 1:
            exact = np.log(channel)
            assert likelihood - likelihood[:, :1] == pytest.approx(exact - exact[:, :1], abs=1e-12)


def test_a_persons_columns_are_true_together_or_drawn_together():
    n, sizes, record = 300_000, (2, 3), (1, 2)
    reports = randomise_jointly(
        [np.full(n, value) for value in record], sizes=sizes, epsilon=1.0, rng=stream(0, "joint")
    )
    joint = Grr(size=6, epsilon=1.0)
    exact = np.full(6, joint.q)
    exact[record[0] * 3 + record[1]] = joint.p
    drawn = np.bincount(reports[0].astype(int) * 3 + reports[1], minlength=6) / n
    assert (np.abs(drawn - exact) <= 4 * np.sqrt(exact * (1 - exact) / n)).all()


def test_estimates_from_joint_reports_are_unbiased_with_their_stated_variance():
    repeats, n, sizes = 400, 300, (3, 4)
    rng = stream(1, "columns")
    columns = [rng.integers(0, size, n) for size in sizes]
    reports = randomise_jointly(
        [np.tile(codes, repeats) for codes in columns], sizes=sizes, epsilon=2.0, rng=stream(2, "joint")
    )
    for codes, own, size in zip(columns, reports, sizes, strict=True):
        oracle = CombinedColumn(size=size, domain=12, joint_epsilon=2.0)
        shares = np.bincount(codes, minlength=size) / n
        found = np.array([oracle.estimate(part) for part in np.split(own, repeats)])
        variance = oracle.variance(shares, reports=n)
        assert (np.abs(found.mean(axis=0) - shares) <= 4 * np.sqrt(variance / repeats)).all()
        assert (np.abs(found.var(axis=0, ddof=1) / variance - 1) <= 4 * np.sqrt(2 / repeats)).all()


def test_a_column_alone_is_randomised_as_its_part_is():
    oracle = CombinedColumn(size=3, domain=12, joint_epsilon=2.0)
    reports = oracle.randomise(np.full(200_000, 2), rng=stream(3, "alone"))
    exact = np.array([oracle.q, oracle.q, oracle.p])
    drawn = oracle.counts(reports) / len(reports)
    assert (np.abs(drawn - exact) <= 4 * np.sqrt(exact * (1 - exact) / len(reports))).all()
    assert oracle.support(reports).sum(axis=0) == pytest.approx(oracle.counts(reports))


@pytest.mark.parametrize("epsilon", [1e-3, 50.0, 200.0, 700.0])
def test_extreme_budgets_and_domains(epsilon):
    for size, domain in ((1, 1), (1, 6), (2, 2), (2, 6), (10, LARGEST_DOMAIN)):
        oracle = CombinedColumn(size=size, domain=domain, joint_epsilon=epsilon)
        assert 0 < oracle.epsilon <= epsilon * (1 + 1e-12)
        assert oracle.epsilon == pytest.approx(
            epsilon if size == domain else math.log1p(math.expm1(epsilon) * size / domain), rel=1e-9
        )
        assert 0 <= oracle.q <= oracle.p <= 1
        assert 1 / size - 1e-12 <= oracle.success(np.full(size, 1 / size)) <= 1
    one = randomise_jointly([np.zeros(5, int), np.zeros(5, int)], sizes=(1, 1), epsilon=epsilon, rng=stream(4, "one"))
    assert not np.any(one)


def test_what_cannot_be_combined_is_refused():
    assert joint_size([1000, 1000]) == LARGEST_DOMAIN
    with pytest.raises(InputError, match="name fewer columns"):
        joint_size([1000, 1001])
    with pytest.raises(InputError, match="no column"):
        joint_size([])
    with pytest.raises(InputError, match="one size a column"):
        randomise_jointly([np.zeros(3, int)], sizes=(2, 2), epsilon=1.0, rng=stream(5, "wrong"))
    with pytest.raises(InputError, match="codes must be"):
        randomise_jointly([np.zeros(3, int), np.full(3, 2)], sizes=(2, 2), epsilon=1.0, rng=stream(5, "wrong"))
    with pytest.raises(InputError, match="multiple"):
        CombinedColumn(size=4, domain=6, joint_epsilon=1.0)
    with pytest.raises(InputError, match="size is the number of values"):
        CombinedColumn(size=0, domain=6, joint_epsilon=1.0)
    for epsilon in (0.0, math.nan, math.inf):
        with pytest.raises(InputError, match="epsilon must be a positive number"):
            CombinedColumn(size=2, domain=6, joint_epsilon=epsilon)
