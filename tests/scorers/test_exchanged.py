"""Differences beyond what an exchange of rows gives: coverage, size, and the effect of unequal sets."""

from __future__ import annotations

import numpy as np
import pytest

from privbench.rng import stream
from privbench.scorers.exchanged import exchanged_interval, exchanged_p_value


@pytest.mark.parametrize("shift", [0.0, 0.03])
def test_one_more_difference_like_the_others_is_covered_and_rejected_as_stated(shift):
    rng, repeats = stream(0, "exchanged", str(shift)), 4000
    seen = rng.normal(0.2, 0.05, size=(repeats, 13))  # 0.2 is what the sizes of the sets do
    slack = 3 * np.sqrt(0.05 * 0.95 / repeats)
    limits = [exchanged_interval(one[0] + shift, one[1:], people=10**6, level=0.95) for one in seen]
    assert np.mean([low <= shift <= high for low, high in limits]) == pytest.approx(0.95, abs=slack)
    if shift == 0:
        p = [exchanged_p_value(one[0], one[1:], people=10**6) for one in seen]
        assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=slack)


def test_limits_are_those_of_students_prediction_interval():
    drawn = np.array([-0.01, 0.01, 0.03, -0.03])
    low, high = exchanged_interval(0.2, drawn, people=1000, level=0.95)
    # s = sqrt(0.002 / 3), times sqrt(5 / 4), times 3.182446
    half = 3.182446 * np.sqrt(0.002 / 3 * 5 / 4)
    assert (low, high) == (pytest.approx(0.2 - half, abs=1e-6), pytest.approx(0.2 + half, abs=1e-6))
    assert exchanged_interval(0.99, drawn, people=1000, level=0.95)[1] == 1
    assert exchanged_p_value(0.2, drawn, people=1000) < 0.01 < exchanged_p_value(0.0, drawn, people=1000)
    assert exchanged_p_value(0.0, drawn, people=1000) == pytest.approx(0.5)


@pytest.mark.parametrize("people", [20, 100])
@pytest.mark.parametrize("wrong", [0.0005, 0.005])
def test_one_person_is_no_finding_where_hardly_anybody_is_guessed_wrong(people, wrong):
    rng, repeats, level = stream(0, "exchanged", str(people), str(wrong)), 4000, 0.999
    seen = (rng.binomial(people, wrong, (repeats, 13, 2)) @ [1, -1]) / people
    found = [exchanged_interval(one[0], one[1:], people=people, level=level)[0] > 0 for one in seen]
    assert np.mean(found) <= (1 - level) / 2 + 3 * np.sqrt((1 - level) / 2 / repeats)
    assert exchanged_p_value(1 / people, np.zeros(12), people=people) > 0.1
    assert exchanged_interval(0.5, np.zeros(12), people=people, level=level)[0] > 0  # half of the people are
