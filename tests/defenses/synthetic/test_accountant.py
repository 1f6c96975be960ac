"""What the accountant says of a training: known cases, and the noise that it finds for a budget."""

from __future__ import annotations

import math
from importlib.util import find_spec

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defenses.synthetic import accountant
from defenses.synthetic.accountant import Plan, plan, spent_epsilon
from defenses.synthetic.dp_sgd import undisturbed
from privbench.errors import InputError
from privbench.rng import stream

pytestmark = pytest.mark.skipif(find_spec("opacus") is None, reason="the extra `generators` is not installed")


def test_a_known_case():
    """Sigma 1, rate .0256, 200 steps, delta 1e-5: 2.34 to 2.39 by PRV, 2.73 to 2.79 by RDP, never below."""
    with undisturbed(stream(0)):
        steps = Plan(noise=1.0, start=1e9, rate=0.0256, steps=200)
        tight, loose = spent_epsilon(steps, 1e-5, close=0.01), accountant._rdp(steps, 1e-5)
    assert 2.34 < tight < 2.39 + 0.01  # an upper bound, within .01
    assert 2.73 < loose < 2.79


def test_one_full_batch_is_the_gaussian_mechanism():
    from scipy.stats import norm

    with undisturbed(stream(0)):
        spent = spent_epsilon(Plan(noise=2.0, start=1e9, rate=1.0, steps=1), 1e-5, close=0.01)
    # its exact delta at that epsilon: Balle and Wang 2018, theorem 8
    mu = 1 / 2.0
    exact = norm.cdf(mu / 2 - spent / mu) - math.exp(spent) * norm.cdf(-mu / 2 - spent / mu)
    assert 0.8e-5 < exact <= 1e-5


def test_the_start_costs_too():
    with undisturbed(stream(0)):
        without, with_ = (spent_epsilon(Plan(1.0, start, 0.01, 100), 1e-5, close=0.01) for start in (1e9, 2.0))
    assert with_ > 1.2 * without


@settings(max_examples=5, deadline=None)
@given(
    epsilon=st.floats(0.1, 20),
    rate=st.sampled_from([0.003, 0.05, 1.0]),
    steps=st.sampled_from([1, 30, 1000]),
)
def test_the_noise_found_spends_nearly_all_and_never_more(epsilon, rate, steps):
    with undisturbed(stream(0)):
        found = plan(epsilon=epsilon, delta=1e-6, rate=rate, steps=steps)
        spent = spent_epsilon(found, 1e-6, close=epsilon / 200)
    assert spent <= epsilon
    assert steps == 1 or spent > 0.9 * epsilon  # one step is accounted by RDP, which is loose there


@pytest.mark.parametrize("epsilon", [0.001, 0.01, 0.04])
def test_a_budget_too_small_is_refused_and_a_small_one_is_kept(epsilon):
    with undisturbed(stream(0)):
        if epsilon == 0.001:
            with pytest.raises(InputError, match="no amount of noise is known to keep to it"):
                plan(epsilon=epsilon, delta=1e-6, rate=0.1, steps=600)
            return
        found = plan(epsilon=epsilon, delta=1e-6, rate=0.1, steps=600)
        assert 0.9 * epsilon < spent_epsilon(found, 1e-6, close=epsilon / 200) <= epsilon


def test_less_budget_or_more_steps_need_more_noise():
    with undisturbed(stream(0)):
        noises = [plan(epsilon=e, delta=1e-6, rate=0.05, steps=s).noise for e, s in ((8, 50), (1, 50), (1, 1000))]
    assert noises == sorted(noises)
    assert noises[0] < 0.8 * noises[1]
