"""Rows that stand for one person: found by identifier or place, and not where rows were made without a look at them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from privbench.auditing.links import find_links
from privbench.datasets.alike import Identifier
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table
from tests.auditing.three_files import SCHEMA, SMALL, changed, checked, people


def masked(table, seed=0, part=0.7):
    """Change most of the values of each column, to those of others."""
    rng = stream(seed, "mask")
    for name in table.schema.names:
        values = table[name]
        table = changed(table, name, np.where(rng.random(len(table)) < part, rng.permutation(values), values))
    return table


def numbered(row, **more):
    return Identifier("number", len(row), 0, len(row), row=np.asarray(row), **more)


def test_masked_rows_in_the_order_of_the_training_file_are_told_from_made_ones():
    train = people(600, "t")
    _, by_name = checked(train, masked(train), people(600, "c"))
    check = by_name["linked-rows"]
    assert check.level == "alarm"
    assert check.low > 0.5
    assert "in the same place of its file" in check.sentence
    assert check.n == 600
    _, by_name = checked(train, masked(train).take(stream(0, "order").permutation(600)), people(600, "c"))
    assert by_name["linked-rows"].level == "fine"


@pytest.mark.parametrize("control", [True, False])
@pytest.mark.parametrize("counted", [True, False])
def test_numbers_that_lead_to_people_are_no_mere_row_numbers(control, counted):
    """The release numbers its rows from 1, and so does the training file: by these a masked row is told whose it is."""
    train, order = people(600, "t"), stream(0, "order").permutation(600)
    rows = masked(train).take(np.argsort(order))  # record i stands in row order[i]
    files = train, rows, people(600, "c") if control else None
    _, by_name = checked(*files, identifiers=(replace(numbered(order, counted=counted), control_in_synthetic=600),))
    assert by_name["identifiers"].level == by_name["linked-rows"].level == "alarm"
    assert "they lead to people" in by_name["identifiers"].sentence
    assert "with the same value of number" in by_name["linked-rows"].sentence
    other = stream(1, "order").permutation(600)
    _, by_name = checked(*files, identifiers=(numbered(other, counted=True),))
    assert by_name["identifiers"].level == by_name["linked-rows"].level == "fine"
    assert "no more alike than others" in by_name["identifiers"].sentence


def test_rows_made_without_a_look_at_people_are_seldom_said_to_be_theirs():
    runs, said = 200, 0
    for seed in range(runs):
        schema = (SMALL, SCHEMA)[seed % 2]
        train, rows = (people(200, role, seed, schema=schema) for role in "ts")
        row = stream(seed, "row").permutation(200)
        row[::3] = -1
        links = find_links(train, rows, [numbered(row)], rng=stream(seed, "x"))
        assert len(links) == 2
        said += any(link.found for link in links)
    assert said <= binom.ppf(0.999, runs, 0.01)


def test_two_sorted_files_are_not_linked_for_that():
    said = 0
    for seed in range(60):
        schema = (SCHEMA, Schema((Column("x", Kind.CONTINUOUS, low=0.0, high=1.0), *SMALL.columns)))[seed % 2]
        first = schema.names[0] if seed % 2 else "weight"
        train, rows = (people(400, role, seed, schema=schema) for role in "ts")
        train, rows = (table.take(np.argsort(table[first], kind="stable")) for table in (train, rows))
        said += find_links(train, rows, (), rng=stream(seed, "x"))[0].found
    assert said <= binom.ppf(0.999, 60, 0.01)


def test_a_way_that_joins_nothing_is_not_judged():
    train, rows = people(50, "t"), people(40, "s")
    one = numbered(np.where(np.arange(50) == 3, 7, -1))
    assert find_links(train, rows, [one, Identifier("mail", 3, 0, 40)], rng=stream(0, "x")) == []
    assert len(find_links(train, people(50, "s"), [numbered(np.arange(50))], rng=stream(0, "x"))) == 1


def test_files_without_columns_that_vary_are_answered():
    schema = Schema((Column("k", Kind.CATEGORICAL, ("only",)), Column("x", Kind.CONTINUOUS, low=3.0, high=3.0)))
    table = Table(schema, {"k": np.zeros(9, int), "x": np.full(9, 3.0)}, 9)
    (link,) = find_links(table, table, (), rng=stream(0, "x"))
    assert (link.found, link.check.value, link.check.n) == (False, 0.5, 8)
