"""Neighbours: tiny, and different in exactly one record."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from privbench.claim import Adjacency
from privbench.datasets.adult import SCHEMA
from privbench.schema import Column, Kind, Schema
from privbench.verifying.neighbours import column_sets, neighbours, single_records

NARROW = SCHEMA.select(["sex", "workclass", "age"])


def records(table):
    return Counter(zip(*(table[name].tolist() for name in table.schema.names), strict=True))


@pytest.mark.parametrize("names", [("sex",), ("age",), ("sex", "workclass", "age")])
def test_one_record_is_exchanged_and_nothing_else(names):
    pairs = list(neighbours(SCHEMA.select(names), adjacency=Adjacency.REPLACE_ONE))
    assert len({pair.name for pair in pairs}) == len(pairs) >= 4
    for pair in pairs:
        first, second = records(pair.first), records(pair.second)
        assert len(pair.first) == len(pair.second) <= 400
        assert (first - second).total() == (second - first).total() == 1, pair.name
        assert records(pair.record) == first - second
        assert records(pair.other) == second - first


def test_one_record_more_is_one_record_more():
    pairs = list(neighbours(NARROW, adjacency=Adjacency.ADD_REMOVE))
    for pair in pairs:
        assert records(pair.first) - records(pair.second) == records(pair.record)
        assert (records(pair.second) - records(pair.first)).total() == 0
    assert any(records(pair.record).keys() <= records(pair.second).keys() for pair in pairs), "a full cell gets fuller"
    assert any(not records(pair.record).keys() & records(pair.second).keys() for pair in pairs), (
        "an empty cell is filled"
    )


def test_the_kinds_of_worst_cases_are_there():
    pairs = list(neighbours(NARROW, adjacency=Adjacency.REPLACE_ONE))
    differing = [sum(pair.record[name][0] != pair.other[name][0] for name in NARROW.names) for pair in pairs]
    assert max(differing) == 3, "all columns differ"
    assert min(differing) == 1, "one column differs"
    assert min(len(pair.first) for pair in pairs) == 1
    alone = [pair for pair in pairs if all(pair.record[n][0] not in pair.second[n] for n in NARROW.names)]
    assert alone, "a value that one record alone has, in every column"
    edges = [p for p in pairs if p.record["age"][0] == 90 and p.other["age"][0] == 17 and 53 in p.first["age"]]
    assert edges, "the bounds of a column are reached by one record alone"


def test_missing_is_not_the_value_at_the_edge():
    column = Column("job", Kind.CATEGORICAL, (None, "a", "b", "c"))
    for pair in neighbours(Schema((column,)), adjacency=Adjacency.REPLACE_ONE):
        if "missing" not in pair.name:
            assert 0 not in np.concatenate([pair.first["job"], pair.second["job"]])


def test_a_missing_value_is_somebodys_own():
    """A path of its own in many a mechanism, and one that may skip the noise."""
    whole = Schema((Column("job", Kind.CATEGORICAL, ("a", None, "b")), Column("sex", Kind.CATEGORICAL, ("f", "m"))))
    for pairs in (neighbours(whole, adjacency=Adjacency.REPLACE_ONE), single_records(whole)):
        (pair,) = (pair for pair in pairs if "missing" in pair.name)
        assert (pair.first["job"] == 1).sum() == 1
        assert (pair.second["job"] == 1).sum() == 0
        assert (pair.first["sex"] == pair.second["sex"]).all()
    full = whole.select(["sex"])
    assert not any("missing" in pair.name for pair in neighbours(full, adjacency=Adjacency.REPLACE_ONE))


def test_every_column_is_a_secret():
    assert all(pair.first.schema.secrets == NARROW.names for pair in single_records(NARROW))
    assert all(p.first.schema.secrets == NARROW.names for p in neighbours(NARROW, adjacency=Adjacency.REPLACE_ONE))


def test_single_records_differ_in_every_column_and_in_each_alone():
    pairs = list(single_records(NARROW))
    assert all(len(pair.first) == len(pair.second) == 1 and pair.adjacency is Adjacency.LOCAL for pair in pairs)
    differing = [tuple(n for n in NARROW.names if pair.record[n][0] != pair.other[n][0]) for pair in pairs]
    assert {("sex",), ("workclass",), ("age",), ("sex", "workclass", "age")} <= set(differing)


def test_sets_of_columns_are_few_and_narrow():
    # workclass is the narrowest with missing values
    assert column_sets(SCHEMA) == (("sex",), ("age", "sex"), ("age", "workclass", "sex", "income"))
    whole = SCHEMA.without(["workclass", "occupation", "native-country"])
    assert column_sets(whole)[-1] == ("age", "race", "sex", "income")
    assert column_sets(SCHEMA, ["workclass", "race"]) == (("workclass", "race"),)
    one = Schema((Column("x", Kind.CONTINUOUS, low=0, high=1), Column("same", Kind.CATEGORICAL, ("a",))))
    assert column_sets(one) == (("x",),)
    nothing = one.select(["same"])
    assert column_sets(nothing) == (("same",),), "what tells nothing is taken where there is nothing else"
