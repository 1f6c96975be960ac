"""Rank swapping: marginals are kept exactly, ranks move no further than promised, values do move."""

from __future__ import annotations

import numpy as np
import pytest

from defenses.rows.rank_swap import RankSwap, _partners
from privbench.errors import InputError
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table
from tests.defenses.rows.odd_tables import TABLES, adult_records, table


@pytest.mark.parametrize("percent", [0.001, 5.0, 100.0])
@pytest.mark.parametrize("name", TABLES)
def test_every_column_keeps_its_values_exactly(name, percent):
    train = table(name)
    release = RankSwap(percent=percent).release(train, rng=stream(0))
    for column in train.schema.names:
        assert (np.sort(release.values(column)) == np.sort(train[column])).all()


def test_adult_keeps_its_values_exactly():
    train = adult_records()
    release = RankSwap().release(train, rng=stream(0))
    assert all((np.sort(release.values(c)) == np.sort(train[c])).all() for c in train.schema.names)
    assert (release.values("fnlwgt") != train["fnlwgt"]).mean() > 0.98


@pytest.mark.parametrize(("percent", "reach"), [(1, 10), (5, 50), (29, 290), (0.01, 1)])
def test_ranks_move_within_reach_and_use_all_of_it(percent, reach):
    n = 1000
    schema = Schema((Column("x", Kind.CONTINUOUS, low=0, high=n), Column("y", Kind.CONTINUOUS, low=0, high=n)))
    order = stream(0, "order").permutation(n).astype(float)
    train = Table(schema, {"x": order, "y": order})
    release = RankSwap(percent=percent).release(train, rng=stream(0))
    moved = np.abs(release.values("x") - train["x"])
    assert moved.max() <= reach
    assert moved.max() > 0.9 * reach
    assert (moved == 0).mean() < 0.02
    if reach > 1:  # each column on its own
        assert (release.values("x") != release.values("y")).mean() > 0.5


@pytest.mark.parametrize(("size", "reach"), [(0, 1), (1, 1), (2, 1), (7, 3), (500, 20)])
def test_partners_are_pairs(size, reach):
    partner = _partners(size, reach, stream(0))
    assert (partner[partner] == np.arange(size)).all()
    # only values that are out of reach of one another may be left
    alone = np.flatnonzero(partner == np.arange(size))
    assert (np.diff(alone) > reach).all()


@pytest.mark.parametrize("percent", [0, -1, 101, float("nan")])
def test_a_bad_percentage_is_one_sentence(percent):
    with pytest.raises(InputError):
        RankSwap(percent=percent)
