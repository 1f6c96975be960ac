"""Numbers that are nearly one person's own: found where the release carries them over, and never printed."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy.stats import binom

from privbench.auditing.exact_values import judge_lone_values, judge_values, own_columns
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table
from tests.auditing.three_files import both, checked, people

SCHEMA = Schema(
    (
        *(Column(f"c{j}", Kind.CATEGORICAL, tuple("abcdefgh")) for j in range(3)),
        Column("wealth", Kind.CONTINUOUS, low=0.0, high=1e9),
        Column("age", Kind.CONTINUOUS, low=0.0, high=100.0, integer=True),
    )
)


def rich(n, *key, digits=2):
    """People with a wealth of their own: most small beside the range, some equal where it is rounded."""
    table = people(n, *key, schema=SCHEMA)
    wealth = np.exp(stream(0, "wealth", *map(str, key)).normal(10, 2, n))
    return table.replace({"wealth": np.round(wealth, digits)})


def carried(train, rows, part):
    """Give some rows the wealth of people of the training file, nothing else of them."""
    count = int(part * len(rows))
    return rows.replace(
        {"wealth": np.where(np.arange(len(rows)) < count, train["wealth"][: len(rows)], rows["wealth"])}
    )


@pytest.mark.parametrize("part", [1.0, 0.05])
def test_values_of_training_records_are_found_though_rows_are_nobodys(part):
    train, control = rich(1000, "t"), rich(800, "c")
    _, by_name = checked(train, carried(train, rich(1000, "s"), part), control)
    check = by_name["exact-values"]
    assert check.level == "alarm"
    assert check.value == pytest.approx(part, abs=0.01)
    assert check.sentence.startswith(
        f"Column wealth: the exact numbers of {1000 * part:,.0f} of 1,000 training records"
    )
    assert by_name["copies"].level == by_name["near-copies"].level == "fine"


@pytest.mark.parametrize(("part", "level"), [(1.0, "alarm"), (0.05, "warning")])
def test_without_controls_a_small_surplus_is_a_warning(part, level):
    train = rich(1000, "t")
    _, by_name = checked(train, carried(train, rich(1000, "s"), part))
    assert by_name["exact-values"].level == level
    assert ("without a control file that cannot be told" in by_name["exact-values"].sentence) == (level == "warning")


@pytest.mark.parametrize("digits", [2, -2])
def test_people_with_equal_numbers_are_seldom_said_to_be_carried_over(digits):
    runs, said, lone = 300, 0, 0
    everybody = {"members": np.ones(150, bool), "controls": np.ones(100, bool)}
    for seed in range(runs):
        train, rows, control = (rich(n, role, seed, digits=digits) for n, role in ((150, "t"), (200, "s"), (100, "c")))
        said += judge_values(["wealth"], train, control, rows, **everybody)[0].level != "fine"
        (check,) = judge_lone_values(["wealth"], train, rows, rows=np.ones(200, bool), lacking="with none")
        lone += check.level != "fine"
    assert max(said, lone) <= binom.ppf(0.999, runs, 0.005)


def test_only_columns_of_own_values_are_judged():
    train = rich(300, "t")
    assert own_columns(train) == ("wealth",)
    assert own_columns(train.replace({"wealth": np.round(train["wealth"], -5)})) == ()
    assert own_columns(train.take(np.arange(10))) == ()
    assert "exact-values" not in checked(train.select(["c0", "age"]), train.select(["c0", "age"]))[1]


def test_records_copied_whole_are_left_to_that_check():
    train = rich(1000, "t")
    _, by_name = checked(train, both(rich(900, "s"), train.take(np.arange(100))), rich(800, "c"))
    assert by_name["copies"].level == "alarm"
    assert by_name["exact-values"].level == "fine"


def test_controls_of_another_population_are_no_yardstick():
    train = rich(2000, "t")
    control = people(2000, "c", schema=SCHEMA, tilt=0.6)
    control = control.replace({"wealth": rich(2000, "c")["wealth"], "c0": np.zeros(2000, int)})
    _, by_name = checked(train, carried(train, rich(2000, "s"), 1.0), control)
    assert by_name["control-differs"].level == "alarm"
    assert by_name["exact-values"].level == "alarm"
    assert "controls (" not in by_name["exact-values"].sentence


def test_no_number_of_a_person_is_printed():
    train = rich(500, "t", digits=3)
    for control in (rich(400, "c"), None):
        found, _ = checked(train, carried(train, rich(500, "s"), 1.0), control)
        said = {
            float(text.replace(",", "")) for one in found.checks for text in re.findall(r"[\d,]*\.?\d+", one.sentence)
        }
        assert not said & set(np.unique(train["wealth"]))


def test_several_columns_share_the_error_and_are_named():
    schema = Schema((*SCHEMA.columns, Column("weight", Kind.CONTINUOUS, low=0.0, high=1.0)))

    def person(n, *key):
        table = rich(n, *key)
        return Table(schema, dict(table.arrays) | {"weight": stream(0, "weight", *key).random(n)}, n)

    train = person(1000, "t")
    rows = person(1000, "s").replace({"wealth": train["wealth"], "weight": train["weight"]})
    _, by_name = checked(train, rows, person(1000, "c"))
    assert "(in wealth and weight)" in by_name["exact-values"].sentence
