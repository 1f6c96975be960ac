"""Whether the control file is of another population: a shift is found with its column, honest files seldom are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from privbench.auditing.two_sample import judge_control, most_different
from privbench.rng import stream
from tests.auditing.three_files import both, changed, checked, loud, people


def test_shifted_control_is_found_with_its_column():
    train, synthetic, control = people(3000, "t"), people(1000, "s"), people(3000, "c")
    rng = stream(0, "shift")
    other = changed(control, "c5", np.where(rng.random(3000) < 0.4, 0, control["c5"]))
    found, by_name = checked(train, synthetic, other)
    check = by_name["control-differs"]
    assert check.level == "alarm"
    assert check.low > 0.55
    assert "Column c5 differs most" in check.sentence
    name, distance, chance = most_different(train, other)
    shares = [np.bincount(table["c5"], minlength=8) / 3000 for table in (train, other)]
    assert (name, distance) == ("c5", pytest.approx(np.abs(shares[0] - shares[1]).sum() / 2))
    assert distance > 3 * chance
    assert "control-differs" in loud(found)
    _, by_name = checked(train, synthetic, people(3000, "c", tilt=0.35))
    assert by_name["control-differs"].level != "fine"


def test_honest_controls_are_seldom_called_different_and_the_spread_is_the_one_stated():
    runs, called, values, errors = 40, 0, [], []
    for seed in range(runs):
        train, control = people(120, "t", seed), people(100, "c", seed)
        everybody = {"members": np.ones(120, bool), "controls": np.ones(100, bool)}
        check = judge_control(train, control, **everybody, rng=stream(seed, "x"))
        called += check.level != "fine"
        values.append(check.value)
        errors.append((check.high - check.low) / (2 * 2.576))
    assert called <= binom.ppf(0.999, runs, 0.005)
    # of 40 runs a standard deviation is known to within a third; DeLong's alone would be .71 of it
    assert np.std(values, ddof=1) / np.mean(errors) == pytest.approx(1, abs=0.33)


def test_repeated_training_records_do_not_make_a_control_differ():
    """A classifier that saw a record's twin would know it: twins stand in one fold."""
    train = people(600, "t")
    train = both(train, train, train)
    everybody = {"members": np.ones(1800, bool), "controls": np.ones(900, bool)}
    assert judge_control(train, people(900, "c"), **everybody, rng=stream(0, "x")).level == "fine"
