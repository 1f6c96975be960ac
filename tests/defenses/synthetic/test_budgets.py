"""The two ledgers: what a budget converts to, what a look at the counts costs, and that nothing is overspent."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import norm

from defenses.synthetic.pure import PureLedger
from defenses.synthetic.zcdp import Ledger, epsilon_of, rho_of
from privbench.claim import Adjacency
from privbench.errors import ContractError
from privbench.rng import stream
from tests.people import SCHEMA

ADJACENCIES = [Adjacency.REPLACE_ONE, Adjacency.ADD_REMOVE]


def gaussian_epsilon(rho, delta) -> float:
    """Return the exact epsilon of a Gaussian mechanism of this rho (Balle and Wang 2018)."""
    mu = math.sqrt(2 * rho)

    def excess(epsilon):
        high = norm.cdf(mu / 2 - epsilon / mu)
        return high - math.exp(epsilon + norm.logcdf(-mu / 2 - epsilon / mu)) - delta

    return brentq(excess, 0, 500)


@pytest.mark.parametrize("rho", [1e-4, 0.01, 0.5, 3.0, 40.0])
@pytest.mark.parametrize("delta", [1e-9, 1e-5])
def test_epsilon_lies_between_what_a_gaussian_gives_and_the_loose_bound(rho, delta):
    orders = 1 + np.exp(np.linspace(-8, 30, 400_001))
    brute = (orders * rho + np.log1p(-1 / orders) - np.log(orders * delta) / (orders - 1)).min()
    epsilon = epsilon_of(rho, delta)
    assert epsilon == pytest.approx(brute, rel=1e-6)
    assert gaussian_epsilon(rho, delta) < epsilon < rho + 2 * math.sqrt(rho * math.log(1 / delta))


@given(st.floats(0.001, 500), st.sampled_from([1e-12, 1e-9, 1e-5, 0.01]))
def test_rho_is_the_inverse(epsilon, delta):
    assert epsilon * (1 - 1e-9) <= epsilon_of(rho_of(epsilon, delta), delta) <= epsilon * (1 + 1e-12)


@pytest.mark.parametrize("adjacency", ADJACENCIES)
def test_zcdp_noise_has_the_variance_of_its_sensitivity(adjacency):
    ledger = Ledger(2.0, adjacency, stream(0, "ledger"))
    noise = ledger.measure(np.zeros(40_000, dtype=int), rho=0.02, what="cells")
    squared = 2 if adjacency == Adjacency.REPLACE_ONE else 1
    assert noise.var() == pytest.approx(squared / (2 * 0.02), rel=0.05)
    assert ledger.spent == 0.02


@pytest.mark.parametrize("adjacency", ADJACENCIES)
def test_zcdp_choice_has_the_exponential_mechanisms_probabilities(adjacency):
    rho, scores = 0.5, np.array([0.0, 1.0, 2.0])
    ledger = Ledger(1e9, adjacency, stream(0, "ledger"))
    chosen = np.bincount([ledger.choose(scores, sensitivity=1, rho=rho, what="one") for _ in range(5_000)], minlength=3)
    moved = 2 if adjacency == Adjacency.REPLACE_ONE else 1
    expected = np.exp(math.sqrt(8 * rho) * scores / (2 * moved))
    assert np.abs(chosen / 5_000 - expected / expected.sum()).max() < 5 * 0.5 / math.sqrt(5_000)


def test_pure_choice_has_the_exponential_mechanisms_probabilities():
    ledger = PureLedger(1e9, stream(0, "ledger"))
    scores = np.array([0.0, 0.5, 2.0])
    chosen = np.bincount(
        [ledger.choose(scores, sensitivity=0.5, epsilon=1.0, what="one") for _ in range(5_000)], minlength=3
    )
    expected = np.exp(scores)
    assert np.abs(chosen / 5_000 - expected / expected.sum()).max() < 5 * 0.5 / math.sqrt(5_000)


def test_pure_noise_never_tells_neighbours_apart_by_more_than_epsilon():
    # the noise on a cell is exp(-rate |x|), so the ratio over a table is exp(rate * L1 distance of the counts)
    epsilon = 0.8
    noise = PureLedger(100.0, stream(0, "ledger")).measure(np.zeros(400_000, dtype=int), epsilon=epsilon, what="cells")
    ratios = [math.log((noise == k).mean() / (noise == k + 1).mean()) for k in range(4)]
    assert 2 * np.mean(ratios) == pytest.approx(epsilon, rel=0.05)


@pytest.mark.parametrize("kind", ["zcdp", "pure"])
def test_no_ledger_overspends(kind):
    if kind == "zcdp":
        ledger, part = Ledger(1.0, Adjacency.REPLACE_ONE, stream(0)), {"rho": 0.6}
    else:
        ledger, part = PureLedger(1.0, stream(0)), {"epsilon": 0.6}
    counts = np.zeros(3, dtype=int)
    ledger.measure(counts, what="first", **part)
    with pytest.raises(ContractError, match=r"second asks for .* 0\.6, and 0\.4 of 1 is left"):
        ledger.measure(counts, what="second", **part)
    with pytest.raises(ContractError, match="choice asks for"):
        ledger.choose(np.zeros(2), sensitivity=1, what="choice", **part)
    assert ledger.spent == 0.6


def test_a_claim_is_what_was_spent():
    ledger = Ledger(1.0, Adjacency.ADD_REMOVE, stream(0))
    ledger.measure(np.zeros(2, dtype=int), rho=0.25, what="half")
    claim = ledger.claim(SCHEMA, delta=1e-6)
    assert (claim.epsilon, claim.delta, claim.adjacency) == (epsilon_of(0.25, 1e-6), 1e-6, Adjacency.ADD_REMOVE)
    assert not any("number of records" in sentence for sentence in claim.assumes)
    pure = PureLedger(1.0, stream(0))
    pure.measure(np.zeros(2, dtype=int), epsilon=0.25, what="quarter")
    assert (pure.claim(SCHEMA).epsilon, pure.claim(SCHEMA).adjacency) == (0.25, Adjacency.REPLACE_ONE)
    assert "the number of records is public" in pure.claim(SCHEMA).assumes
