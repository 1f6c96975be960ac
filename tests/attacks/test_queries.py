"""Queries of linear reconstruction: groups of people, drawn sets of columns, and counts in the release."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from attacks import known_values, queries
from attacks.known_values import Coding, Rows
from attacks.queries import Grouping, count, draw_groupings
from privbench.contracts import View
from privbench.release import SyntheticTable
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table, to_bins
from tests.attacks.identified import KNOWN, SCHEMA, bootstrap, records, view


@pytest.mark.parametrize("limits", [{}, {"_DENSE": 1}, {"_DENSE": 1, "_TABLE": 1}], ids=["dense", "table", "bisection"])
@pytest.mark.parametrize("bins", [7, 5000])
def test_counts_are_those_of_a_data_frame(bins, limits, monkeypatch):
    for name, value in limits.items():
        monkeypatch.setattr(queries, name, value)
    if "_TABLE" in limits:
        monkeypatch.setattr(queries._Present, "_table", None)
    monkeypatch.setattr(known_values, "_BLOCK", 64)
    train, released = records(200), bootstrap(records(300, seed=5), 500)
    released = Table.concat([released, bootstrap(train, 500)])
    asked = view(train, released, secrets=("job",))
    coding = Coding(asked.roster, bins)
    columns = [SCHEMA[name] for name in KNOWN]
    real = pd.DataFrame({c.name: to_bins(c, asked.roster[c.name], bins=bins) for c in columns})
    synthetic = pd.DataFrame({c.name: to_bins(c, released[c.name], bins=bins) for c in columns})
    for size in (1, 2, 3):
        groupings = draw_groupings(coding, size, groups=10**6, places=10**6, rng=stream(0))
        assert len({frozenset(grouping.columns) for grouping in groupings}) == math.comb(4, size) == len(groupings)
        counts = count(coding, groupings, Rows(asked, SCHEMA["job"], 10), 4)
        first = 0
        for grouping in groupings:
            names = [KNOWN[column] for column in grouping.columns]
            own = counts[first : first + len(grouping.records)]
            first += len(grouping.records)
            together = synthetic.groupby([*(synthetic[name] for name in names), released["job"]]).size()
            for place in range(0, 200, 23):
                combination = tuple(real.loc[place, names])
                group = grouping.group[place]
                assert grouping.records[group] == (real[names] == combination).all(axis=1).sum()
                assert list(own[group]) == [together.get((*combination, value), 0) for value in range(4)]
        assert first == len(counts)


def test_a_group_is_found_only_where_the_roster_has_it():
    train = records(100)
    coding = Coding(train.select(KNOWN), 50)
    codes = coding.encode_table(train)
    grouping = Grouping.of(codes, [0, 2, 3], coding.sizes)
    assert (grouping.find(codes) == grouping.group).all()
    foreign = coding.encode_table(records(500, seed=9))
    found = grouping.find(foreign)
    for place in range(500):
        same = (codes[[0, 2, 3]] == foreign[[0, 2, 3], place : place + 1]).all(axis=0)
        # a value that the roster lacks has a number of its own, so that nobody's is equal
        assert found[place] == (grouping.group[same.argmax()] if same.any() else len(grouping.records))


def test_a_column_with_more_values_than_two_bytes_hold():
    many = 70_000
    schema = Schema(
        (
            Column("id", Kind.CATEGORICAL, tuple(range(many))),
            Column("sex", Kind.CATEGORICAL, ("f", "m")),
            Column("town", Kind.CATEGORICAL, ("a", "b")),
            Column("ill", Kind.CATEGORICAL, ("no", "yes")),
        ),
        secrets=("ill",),
    )
    rng = stream(0, "many values")
    arrays = {name: rng.integers(2, size=many) for name in ("sex", "town", "ill")}
    train = Table(schema, {"id": rng.permutation(many), **arrays})
    roster = train.without(["ill"])
    asked = View(SyntheticTable(train, many), roster, (schema["ill"],), roster=roster)
    coding = Coding(roster, 2)
    groupings = draw_groupings(coding, 2, groups=10**6, places=10**6, rng=rng)
    counts = count(coding, groupings, Rows(asked, schema["ill"], 2), 2)
    assert list(np.concatenate([grouping.records for grouping in groupings])) == list(counts.sum(axis=1))


def test_too_many_column_sets_are_drawn_at_random_and_none_twice():
    rng = stream(0, "many columns")
    names = [f"c{i}" for i in range(60)]
    roster = Table(
        Schema(tuple(Column(name, Kind.CATEGORICAL, (0, 1, 2)) for name in names)),
        {name: rng.integers(3, size=50) for name in names},
    )
    drawn = draw_groupings(Coding(roster, 2), 3, groups=300, places=10**9, rng=rng)
    sets = {grouping.columns for grouping in drawn}
    assert len(sets) == len(drawn)
    assert 300 <= sum(len(grouping.records) for grouping in drawn) < 330
    assert len(draw_groupings(Coding(roster, 2), 3, groups=10**9, places=50 * 20, rng=rng)) == 20
