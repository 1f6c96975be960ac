"""Twins within a file: how many there are by nature, and that leaving them out treats both files alike."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from privbench.auditing.twins import find_twins, row_keys, stands_in
from tests.auditing.three_files import SCHEMA, SMALL, both, checked, people


def test_natural_twins_are_no_copies_and_no_contamination():
    """In low dimensions nearly everybody has a twin everywhere: at most the stated share of splits is flagged."""
    counts = dict.fromkeys(("copies", "near-copies", "control-in-training", "closeness"), 0)
    runs = 40
    for seed in range(runs):
        tables = (people(n, role, seed, schema=SMALL) for n, role in ((400, "t"), (300, "s"), (350, "c")))
        _, by_name = checked(*tables)
        assert by_name["copies"].sentence.split(" ")[0] != "0"
        for name in counts:
            counts[name] += by_name[name].level != "fine"
    assert all(count <= binom.ppf(0.999, runs, 0.005) for count in counts.values()), counts


def test_members_and_controls_without_twins_are_exchangeable():
    """Among those left, any trait is as frequent in members as in controls, contaminated or not."""
    traits, schema = [], SCHEMA.select(["c0", "c1", "c2"])
    for seed in range(150):
        train, control = people(500, "t", seed, schema=schema), people(500, "c", seed, schema=schema)
        control = both(control, train.take(np.arange(100)))
        keys, others = row_keys(train), row_keys(control)
        members, controls = ~find_twins(keys).train, ~stands_in(others, keys)
        rare = [table["c0"] <= 1 for table in (train, control)]
        traits.append([(rare[0] & members).sum(), members.sum(), (rare[1] & controls).sum(), controls.sum()])
    one, n, other, m = np.sum(traits, axis=0)
    assert 300 < min(one, other) < max(one, other) < min(n, m) / 2
    spread = np.sqrt((one + other) / (n + m) * (1 / n + 1 / m))
    assert abs(one / n - other / m) < 4 * spread
    # a control has as often no twin among n records as a member among n - 1
    assert n == pytest.approx(m, rel=0.1)


def test_coverage_is_that_of_new_people_within_its_limits():
    missed = np.zeros(2)
    for seed in range(200):
        train, new = people(300, "t", seed, schema=SMALL), people(4000, "n", schema=SMALL)
        twins, keys = find_twins(row_keys(train)), row_keys(train)
        inside = stands_in(row_keys(new), keys).mean()
        single = stands_in(row_keys(new), keys[~twins.train]).mean()
        for place, (share, truth) in enumerate(((twins.coverage, inside), (twins.singles, single))):
            missed[place] += not share.low - 0.01 <= truth <= share.high + 0.01
        assert twins.train.sum() == sum(count for count in np.unique(keys, return_counts=True)[1] if count > 1)
    assert (missed <= binom.ppf(0.999, 200, 0.01)).all()
