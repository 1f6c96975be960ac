"""Microaggregation: groups have k records, are made of near ones, and show their own averages."""

from __future__ import annotations

import numpy as np
import pytest

from defenses.rows.microaggregation import Microaggregation
from privbench.errors import InputError
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table
from tests.defenses.rows.odd_tables import TABLES, adult_records, table


def sizes(released: Table) -> np.ndarray:
    rows = np.column_stack([released[name] for name in released.schema.names])
    return np.unique(rows, axis=0, return_counts=True)[1]


@pytest.mark.parametrize("k", [1, 2, 5, 50])
@pytest.mark.parametrize("name", TABLES)
def test_every_released_row_occurs_k_times(name, k):
    train = table(name)
    if k > len(train):
        with pytest.raises(InputError, match=f"k {k} cannot be had with {len(train)} records"):
            Microaggregation(k=k).release(train, rng=stream(0))
        return
    released = Microaggregation(k=k).release(train, rng=stream(0)).table
    assert sizes(released).min() >= k


def test_adult_falls_into_groups_of_k():
    counts = sizes(Microaggregation(k=7).release(adult_records(), rng=stream(0)).table)
    assert counts.min() >= 7
    assert len(counts) > 1400  # 1,428 groups, of which a few may look alike


def test_groups_of_one_change_nothing():
    train = table("people")
    released = Microaggregation(k=1).release(train, rng=stream(0)).table
    for name in train.schema.names:
        np.testing.assert_allclose(released[name], train[name], rtol=1e-12)


def test_clusters_are_found_and_averaged():
    rng = stream(0, "clusters")
    schema = Schema(
        (
            Column("x", Kind.CONTINUOUS, low=0.0, high=100.0),
            Column("n", Kind.CONTINUOUS, low=0, high=100, integer=True),
            Column("c", Kind.CATEGORICAL, ("a", "b", "c")),
        )
    )
    order = rng.permutation(12)
    arrays = {
        "x": np.array([1.0, 2.0, 3.5, 50.0, 51.0, 52.0, 97.0, 98.0, 99.0, 10.0, 10.0, 10.1])[order],
        "n": np.array([1, 1, 2, 9, 9, 9, 90, 90, 91, 55, 55, 55])[order],
        "c": np.array([0, 0, 1, 1, 1, 1, 2, 2, 0, 2, 2, 2])[order],
    }
    released = Microaggregation(k=3).release(Table(schema, arrays), rng=rng).table
    place = np.argsort(order)
    np.testing.assert_allclose(released["x"][place], np.repeat([6.5 / 3, 51.0, 98.0, 30.1 / 3], 3))
    assert released["n"][place].tolist() == np.repeat([1, 9, 90, 55], 3).tolist()
    assert released["c"][place].tolist() == np.repeat([0, 1, 2, 2], 3).tolist()


def test_means_of_numbers_are_kept():
    train = table("people")
    released = Microaggregation().release(train, rng=stream(0)).table
    assert released["wage"].mean() == pytest.approx(train["wage"].mean())
    assert released["wage"].std() < train["wage"].std()


def test_groups_are_nearer_than_chance():
    # the spread within groups, as a share of all, against groups drawn by lot
    train = adult_records()
    near = Microaggregation().release(train, rng=stream(0)).table
    lost = {name: ((near[name] - train[name]) ** 2).mean() / train[name].var() for name in ("age", "hours-per-week")}
    assert max(lost.values()) < 0.3  # by lot .8


def test_k_is_checked():
    with pytest.raises(InputError):
        Microaggregation(k=0)
