"""People in both real files: they are found, left out, and hide nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from privbench.auditing.checks import check_files
from privbench.auditing.twins import find_twins, row_keys, stands_in
from privbench.rng import stream
from privbench.table import Table
from tests.auditing.three_files import SCHEMA, both, checked, held, people


def test_contamination_is_found_and_its_people_left_out():
    train, synthetic, control = people(3000, "t"), people(2000, "s"), people(1000, "c")
    twins = np.flatnonzero(find_twins(row_keys(train)).train)
    mixed = both(control, train.take(np.arange(50, 90)))
    found, by_name = checked(train, synthetic, mixed)
    check = by_name["control-in-training"]
    assert not found.controls.all()
    assert check.level == "warning"
    assert check.sentence.startswith("40 of 1,040 control records")
    assert not found.controls[1000:].any()
    assert np.array_equal(found.controls, ~stands_in(row_keys(mixed), row_keys(train)))
    assert np.array_equal(np.flatnonzero(~found.members), twins)
    assert f"{found.members.sum():,} training and {found.controls.sum():,} control records are left" in check.sentence
    found, by_name = checked(train, synthetic, train.take(np.arange(900)))
    assert by_name["control-in-training"].level == "alarm"
    assert not found.controls.any()
    assert by_name["copies"].level == "fine"
    assert by_name["copies"].value is None


def test_contamination_found_by_rounded_numbers_leaves_the_same_people_out():
    """Hashes of whole rows round numbers, those of the schema's columns do not: who is found by either is left out."""
    train, control = people(1000, "t"), people(500, "c")
    alike = held(train, people(800, "s"), both(control, train.take(np.arange(300))))
    moved = dict(alike.control.arrays) | {"weight": alike.control["weight"] * (1 + 1e-14)}
    assert not stands_in(row_keys(Table(SCHEMA, moved, 800)), row_keys(train)).any()
    found = check_files(replace(alike, control=Table(SCHEMA, moved, 800)), rng=stream(0, "x"))
    assert not found.controls.all()
    assert found.controls[:500].all()
    assert not found.controls[500:].any()


def test_contamination_is_found_although_numbers_were_written_with_fewer_digits():
    train, control = people(1000, "t"), people(500, "c")
    mixed = both(control, train.take(np.arange(400)))
    rounded = Table(SCHEMA, dict(mixed.arrays) | {"weight": np.round(mixed["weight"], 4)}, 900)
    assert not stands_in(row_keys(rounded), row_keys(train)).any()
    found, by_name = checked(train, people(800, "s"), rounded)
    assert not found.controls.all()
    assert by_name["control-in-training"].level == "warning"
    assert "but for small differences of numbers" in by_name["control-in-training"].sentence
    assert found.controls[:500].mean() > 0.95
    assert found.controls[500:].mean() < 0.05


def test_contamination_does_not_hide_copies():
    train = people(3000, "t")
    control = both(people(1500, "c"), train.take(np.arange(1500)))
    found, by_name = checked(train, both(people(2000, "s"), train.take(np.arange(30))), control)
    assert not found.controls.all()
    assert by_name["copies"].level == "alarm"
    assert "0 of 1,500 controls" in by_name["copies"].sentence


def test_a_contaminated_control_of_few_columns_is_compared_with_members_without_twins():
    """Who has no twin is rare: compared with all training records such controls would be another population."""
    schema = SCHEMA.select(["c0", "c1", "c2", "c3"])
    for seed in range(5):
        train = people(1500, "t", seed, schema=schema)
        control = both(people(1500, "c", seed, schema=schema), train.take(np.arange(700)))
        found, by_name = checked(train, people(100, "s", seed, schema=schema), control)
        assert not found.controls.all()
        assert found.controls.sum() > 100
        assert by_name["control-differs"].level == "fine"
