"""Planted bugs of trainings with noisy gradients are caught in one run each; the honest training passes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from defenses.synthetic.dp_autoregressive import DpAutoregressive
from privbench.rng import stream
from privbench.verifying.one_run import test_one_run as refute
from tests.people import people as everybody
from tests.verifying.planted.deep import DEEP_CASES, ReadSteps, Training, people

pytestmark = pytest.mark.slow

_TESTS = 60
_HONEST_TESTS = 300


@pytest.mark.parametrize("case", DEEP_CASES, ids=lambda case: case.name)
def test_a_bug_of_the_stated_size_is_caught(case):
    """In 95 % of the tests; the claim that is refuted is the honest version's."""
    assert case.buggy.defense.release(people(20).records, rng=stream(0, "bug")).claim == case.claim
    caught = sum(case.test(case.buggy, seed=seed)["p_value"] < 0.05 for seed in range(_TESTS))
    assert caught >= 0.95 * _TESTS


def test_the_honest_training_passes():
    """False alarms within three standard errors of 5 %, and yet the test learns something of the secrets."""
    case = DEEP_CASES[0]
    found = [case.test(None, seed=1_000 + seed) for seed in range(_HONEST_TESTS)]
    alarms = sum(one["p_value"] < 0.05 for one in found)
    assert alarms <= 0.05 * _HONEST_TESTS + 3 * math.sqrt(0.05 * 0.95 * _HONEST_TESTS)
    bounds = np.array([one["epsilon_lower_bound"] for one in found])
    assert np.median(bounds) > 0.2
    assert (bounds > case.claim.as_replace_one().epsilon).mean() <= 0.05


def test_honest_steps_have_the_noise_that_was_planned():
    """Where nobody is in a batch a gradient is noise alone, of the planned deviation; a canary moves it by its norm."""
    steps = Training(rate=0.1, batches=40).release(people(400).records, rng=stream(3, "steps")).steps
    d = steps[:, :, 0] - steps[:, :, 1]
    from defenses.synthetic.accountant import plan

    noise = plan(epsilon=1.0, delta=1e-6, rate=0.1, steps=40).noise
    # a canary adds sqrt(2) to the difference in a tenth of the steps
    assert d.var() == pytest.approx(2 * noise**2 + 0.1 * 2, rel=0.05)
    side = np.where(people(400).records["ill"] == 1, 1, -1)
    assert (d * side).mean() == pytest.approx(0.1 * math.sqrt(2), abs=5 * noise / math.sqrt(d.size) * math.sqrt(2))


def test_rows_of_an_honest_deep_generator_do_not_alarm():
    """Black box, with the general attacks on synthetic rows: weak, but never a false accusation here."""
    generator = DpAutoregressive(epsilon=1.0, epochs=5, batch_size=40)
    data = everybody(400)
    claim = generator.release(data.records, rng=stream(0, "claim")).claim
    found = refute(generator, data, claim, runs=2, targets=150, records=300, power=False)
    assert found.p_value > 0.05
    assert "guessed right by" in found.event


def test_the_attack_refuses_what_is_no_training():
    view = type("View", (), {"release": object()})()
    assert ReadSteps().skip(view) is not None
