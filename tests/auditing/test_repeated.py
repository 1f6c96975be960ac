"""People who stand in a real file several times are found and count once; people who are alike are left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from privbench.auditing.checks import check_files
from privbench.auditing.people import draw_people
from privbench.auditing.repeated import find_repeats
from privbench.auditing.twins import row_keys
from privbench.datasets import adult
from privbench.datasets.alike import Identifier
from privbench.rng import stream
from tests.auditing.three_files import SCHEMA, SMALL, both, checked, held, loud, people

FEW = SCHEMA.select(["c0", "c1", "c2", "c3"])


def again(table, n, *key):
    """Draw people of a table with replacement."""
    return table.take(stream(0, "again", *key).integers(0, len(table), n))


@pytest.mark.parametrize("role", ["training", "control"])
def test_people_who_repeat_count_once_and_it_is_said_how_many_they_are(role):
    files = {"training": people(1500, "t"), "synthetic": people(1500, "s"), "control": people(1500, "c")}
    files[role] = again(files[role].take(np.arange(150)), 1500)
    found, by_name = checked(*files.values())
    kept = found.members if role == "training" else found.controls
    assert loud(found) == {f"{role}-repeats"}
    check = by_name[f"{role}-repeats"]
    assert check.sentence.startswith(f"Most of the {role} file is repetition: it holds about 150 people, not 1,500.")
    assert (check.level, check.n, check.value) == ("warning", 1500, 0.9)
    assert len(np.unique(row_keys(files[role].take(kept)))) == kept.sum() == 150
    assert (found.controls if role == "training" else found.members).all()


def test_a_control_of_few_people_is_no_leak():
    """The repeated ones of few controls lie nearer to the release, or farther: by luck, which counted many times."""
    alarms = 0
    for seed in range(8):
        control = again(people(100, "c", seed, schema=FEW), 600)
        found, _ = checked(people(600, "t", seed, schema=FEW), people(600, "s", seed, schema=FEW), control)
        alarms += any(check.level == "alarm" for check in found.checks)
        assert found.controls.sum() < 200
    assert alarms <= binom.ppf(0.999, 8, 0.02)


def test_where_many_twins_are_natural_each_value_keeps_its_share():
    table = people(400, "t", schema=FEW)
    train = both(table, table, table)
    found, by_name = checked(train, people(500, "s", schema=FEW), people(1500, "c", schema=FEW))
    assert "twin in their own file" in by_name["training-repeats"].sentence
    assert found.members.sum() == pytest.approx(400, rel=0.2)
    assert loud(found) == {"training-repeats"}
    for name in FEW.names:
        shares = [np.bincount(part[name], minlength=8) / len(part) for part in (table, train.take(found.members))]
        assert np.abs(shares[0] - shares[1]).max() < 0.06


@pytest.mark.parametrize("schema", [SCHEMA, SMALL, FEW, SCHEMA.select(["weight"])], ids=["ten", "three", "four", "one"])
def test_people_who_are_alike_do_not_repeat(schema):
    said = 0
    for seed in range(20):
        tables = [people(n, role, seed, schema=schema) for n, role in ((600, "t"), (300, "s"), (350, "c"))]
        for control in (tables[2], None):
            repeats = find_repeats(held(*tables[:2], control), rng=stream(seed, "x"))
            said += bool(repeats.checks)
            assert repeats.train.all() or repeats.checks
    assert said <= binom.ppf(0.999, 40, 0.01)


@pytest.mark.parametrize(
    "names",
    [
        None,
        ["age", "workclass", "education", "occupation", "relationship", "race", "sex", "hours-per-week", "income"],
        ["age", "sex", "race", "education", "income"],
        ["education", "education-num"],
    ],
    ids=["all", "nine", "five", "two that say the same"],
)
def test_twins_of_real_people_are_left_alone(names):
    records = adult.load().records
    records = records.select(names or records.schema.names)
    for seed in range(3):
        order = stream(seed, "split").permutation(len(records))
        parts = [records.take(order[start : start + 3000]) for start in (0, 3000, 6000)]
        for tables in (parts, parts[:2]):
            repeats = find_repeats(held(*tables), rng=stream(seed, "x"))
            assert not repeats.checks
            assert repeats.train.all()
            assert repeats.control.all()


def test_controls_of_another_population_are_not_said_to_repeat():
    train, control = (people(3000, role, schema=FEW, tilt=tilt) for role, tilt in (("t", -0.4), ("c", 0.6)))
    found, by_name = checked(train, people(100, "s", schema=FEW), control)
    assert by_name["control-differs"].level == "alarm"
    assert not any(name.endswith("-repeats") for name in by_name)
    assert found.members.all()


def test_identifiers_that_repeat_are_the_same_people_however_few_columns_there_are():
    train = people(900, "t", schema=SMALL)
    alike = held(train, people(300, "s", schema=SMALL), identifiers=(Identifier("id", 0, 0, 300),))
    whole = dict(alike.whole) | {"training": np.arange(900, dtype=np.uint64) // np.uint64(3)}
    repeats = find_repeats(replace(alike, whole=whole), rng=stream(0, "x"))
    assert "identifiers and all" in repeats.checks[0].sentence
    assert (repeats.train.sum(), repeats.natural) == (300, None)
    assert not find_repeats(alike, rng=stream(0, "x")).train.all()  # there whole rows are those of the schema
    numbered = dict(alike.whole) | {"training": np.arange(900, dtype=np.uint64)}
    assert not find_repeats(replace(alike, whole=numbered), rng=stream(0, "x")).checks


def test_people_in_both_files_are_found_although_both_repeat_them():
    some = people(150, "t")
    found, by_name = checked(again(some, 1000, "a"), people(500, "s"), again(some, 1000, "b"))
    assert by_name["control-in-training"].level == "alarm"
    assert not found.controls.any()


def test_without_controls_nobody_stands_among_the_others_who_is_attacked():
    train = both(*[people(300, "t")] * 3)
    found, _ = checked(train, people(500, "s"))
    drawn = draw_people(train, None, members=found.members, controls=found.controls, targets=1000, seed=0)
    keys, others = row_keys(drawn.table), row_keys(drawn.others)
    assert len(drawn.table) == 60
    assert len(drawn.others) == 240
    assert not np.isin(keys, others).any()
    everybody = draw_people(train, None, members=np.ones(900, bool), controls=found.controls, targets=1000, seed=0)
    assert (len(everybody.table), len(everybody.others)) == (180, 720)


def test_order_of_rows_and_columns_is_irrelevant():
    tables = [again(people(150, "t"), 1000), people(500, "s"), people(700, "c")]
    orders = [stream(7, str(place)).permutation(len(table)) for place, table in enumerate(tables)]
    turned = [table.take(order).select(SCHEMA.names[::-1]) for table, order in zip(tables, orders, strict=True)]
    first, second = (find_repeats(held(*files), rng=stream(0, "x")) for files in (tables, turned))
    assert first.checks == second.checks
    assert np.array_equal(*(np.sort(row_keys(one.alike.train)) for one in (first, second)))


def test_everybody_is_looked_up_in_files_that_are_empty():
    found = check_files(held(people(3, "t").take(np.zeros(0, int)), people(3, "s")), rng=stream(0, "x"))
    assert found.members.shape == (0,)
