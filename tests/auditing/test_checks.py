"""All checks of the three files together: honest files are fine, odd ones are answered, order is irrelevant."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from privbench.auditing.checks import check_files
from privbench.auditing.links import find_links
from privbench.datasets.alike import Identifier
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table
from tests.auditing.three_files import SCHEMA, both, checked, held, loud, people

SPLITS = 200
"""Of the slow study."""


def test_honest_files_are_fine_and_every_check_has_its_figure():
    found, by_name = checked(people(3000, "t"), people(3000, "s"), people(2000, "c"))
    assert set(by_name) == {
        "control-in-training", "control-differs", "copies", "near-copies", "exact-values", "closeness", "linked-rows",
        "repeated-row",
    }  # fmt: skip
    assert not loud(found)
    assert found.members.all()
    assert found.controls.all()
    assert not found.copied.any()
    assert not found.near.any()
    for check in found.checks:
        assert check.low <= check.value <= check.high
        assert not check.sentence[0].islower()
        assert check.sentence.endswith(".")


@pytest.mark.parametrize("how", ["copied", "followed"])
def test_a_release_made_from_the_control_file_is_no_good_news(how):
    train, control = people(2000, "t"), people(1500, "c")
    rows = control.take(np.arange(1000))
    if how == "followed":
        rows = Table(SCHEMA, dict(rows.arrays) | {"c0": (rows["c0"] + 1) % 8, "c1": (rows["c1"] + 1) % 8}, 1000)
    found, by_name = checked(train, rows, control)
    assert by_name["control-in-release"].level == "alarm"
    assert "swapped" in by_name["control-in-release"].sentence
    assert not found.copied.any()
    assert "control-in-release" not in checked(control, rows, train)[1]


def test_repeated_row_and_sizes_are_said():
    train, control = people(3000, "t"), people(1000, "c")
    synthetic = people(400, "s")
    _, by_name = checked(train, both(synthetic, synthetic.take(np.zeros(100, int))), control)
    assert by_name["repeated-row"].level == "warning"
    assert "101 times" in by_name["repeated-row"].sentence
    assert by_name["repeated-row"].value == pytest.approx(101 / 500)
    assert "few-rows" not in by_name
    _, by_name = checked(train, synthetic.take(np.arange(50)), control)
    assert by_name["few-rows"].level == by_name["small-release"].level == "warning"
    assert "the synthetic file has 50 rows" in by_name["few-rows"].sentence.lower()
    assert by_name["small-release"].value == pytest.approx(50 / 3000)


def test_order_of_rows_and_columns_is_irrelevant():
    tables = people(4500, "t"), people(2500, "s"), people(2500, "c")
    found, by_name = checked(*tables)
    orders = [stream(7, str(place)).permutation(len(table)) for place, table in enumerate(tables)]
    names = SCHEMA.names[::-1]
    turned = [table.take(order).select(names) for table, order in zip(tables, orders, strict=True)]
    again, other = checked(*turned)
    for name, check in by_name.items():
        assert (other[name].sentence, other[name].n) == (check.sentence, check.n), name
        assert (other[name].value, other[name].low) == pytest.approx((check.value, check.low)), name
    assert np.array_equal(again.copied, found.copied[orders[0]])
    part = both(tables[1], tables[0].take(np.arange(100)))
    found, again = checked(tables[0], part, tables[2])[0], checked(turned[0], part.select(names), turned[2])[0]
    assert np.array_equal(again.copied, found.copied[orders[0]])


@pytest.mark.parametrize("control", [2, None])
@pytest.mark.parametrize(("n", "r"), [(2, 2), (2, 0), (50, 1)])
def test_tiny_files_and_constant_columns_are_answered(n, r, control):
    schema = Schema((Column("k", Kind.CATEGORICAL, ("only",)), Column("x", Kind.CONTINUOUS, low=3.0, high=3.0)))

    def constant(rows):
        return Table(schema, {"k": np.zeros(rows, int), "x": np.full(rows, 3.0)}, rows)

    for make in (constant, lambda rows: people(rows, "tiny", rows), lambda rows: constant(rows).select(["k"])):
        found, by_name = checked(make(n), make(r), None if control is None else make(control))
        assert "few-rows" in by_name
        assert not any(
            check.level == "alarm" for check in found.checks if check.name not in ("control-in-training", "copies")
        )
        assert all(check.value is None or np.isfinite(check.value) for check in found.checks)
        assert found.copied.shape == found.near.shape == found.members.shape == (n,)


def test_one_row_of_a_tiny_release_is_no_repetition():
    _, by_name = checked(people(600, "t"), people(3, "s"))
    assert "stands there once, in the training file of 600 not at all." in by_name["repeated-row"].sentence
    assert by_name["repeated-row"].level == "fine"


@pytest.mark.slow
def test_rates_of_false_alarms_over_splits_of_adult():
    """At most .5 % a check by design; printed with -s are the counts of the splits, with controls and without."""
    from privbench.datasets.adult import load

    data = load()
    records = both(data.records, data.test.with_schema(data.records.schema))
    low = records.select(["age", "sex", "race", "education", "income"])
    for table in (records, low):
        for many in (3, 2):
            counts: dict[str, int] = {}
            for seed in range(SPLITS):
                order = stream(seed, "split").permutation(len(table))
                parts = [table.take(order[start : start + 6000]) for start in (0, 6000, 12_000)][:many]
                found = {one.name: one for one in check_files(held(*parts), rng=stream(seed, "checks")).checks}
                found.pop("no-control", None)
                numbers = Identifier("number", 6000, 0, 6000, row=stream(seed, "row").permutation(6000))
                links = find_links(*parts[:2], (numbers,), rng=stream(seed, "links"))
                found["linked by numbers"] = max((link.check for link in links), key=lambda check: check.low)
                for name, check in found.items():
                    counts[name] = counts.get(name, 0) + (check.level != "fine")
            print(counts)  # noqa: T201 - a study, whose figures are its purpose
            assert all(count <= binom.ppf(0.999, SPLITS, 0.005) for count in counts.values()), counts
