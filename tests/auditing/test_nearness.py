"""Records that nearly stand in the release: near-copies are found, and every pair says the same."""

from __future__ import annotations

import numpy as np
import pytest

from privbench.auditing.distances import closest
from privbench.auditing.nearness import have_neighbours, stand_nearly
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table
from tests.auditing.three_files import SCHEMA, SMALL, both, changed, checked, people


@pytest.mark.parametrize("kind", ["category", "number", "jitter", "any"])
def test_near_copies_are_found(kind):
    train, control = people(4000, "t"), people(3000, "c")
    rng, copies = stream(0, "near", kind), np.arange(200)
    part = train.take(copies)
    if kind == "category":
        part = changed(part, "c3", (part["c3"] + 1 + rng.integers(0, 7, 200)) % 8)
    elif kind == "number":
        part = changed(part, "weight", rng.uniform(-1, 3, 200))
    elif kind == "jitter":
        part = changed(part, "weight", np.clip(part["weight"] + rng.uniform(-0.004, 0.004, 200), -1, 3))
        part = changed(part, "age", np.clip(part["age"] + rng.integers(-1, 2, 200), 0, 100))
    else:
        for place in range(8):
            some = np.arange(200) % 8 == place
            part = changed(part, f"c{place}", np.where(some, (part[f"c{place}"] + 1) % 8, part[f"c{place}"]))
    found, by_name = checked(train, both(people(3000, "s"), part), control)
    check = by_name["near-copies"]
    assert check.level == "alarm"
    assert by_name["copies"].level == "fine"
    assert found.near[:200].mean() > (0.8 if kind == "jitter" else 0.99)
    assert found.near[200:].mean() < 0.02
    assert check.value == pytest.approx(0.05, abs=0.015)
    assert not (found.near & found.copied).any()


def test_standing_nearly_is_what_comparing_every_pair_says():
    records, rows = people(150, "t", schema=SMALL), people(12, "s", schema=SMALL)
    (masks,) = stand_nearly([records], rows)
    for place, left in enumerate(SMALL.names):
        same = np.ones((150, 12), bool)
        for name in SMALL.names:
            if name != left:
                same &= records[name][:, None] == rows[name]
        assert np.array_equal(masks[0, place], same.any(axis=1))
    one = Schema((Column("x", Kind.CONTINUOUS, low=0.0, high=10.0), Column("z", Kind.CATEGORICAL, ("k", "l"))))
    near = Table(one, {"x": np.array([0.0, 5.0]), "z": np.array([0, 0])})
    for gap in np.linspace(0, 0.6, 61):
        (masks,) = stand_nearly([Table(one, {"x": np.array([5.0 + gap]), "z": np.array([0])})], near)
        for degree, width in ((1, 0.02), (2, 0.2)):  # cells as wide as that
            if gap < width / 2 - 1e-9:
                assert masks[degree, 1, 0]
            if gap > width + 1e-9:
                assert not masks[degree, 1, 0]
        assert masks[0, 1, 0] == (gap == 0)


def test_closest_is_what_comparing_every_pair_says():
    records, rows = people(70, "t"), people(5000, "s")
    pairs = sum(
        (records[c.name][:, None] != rows[c.name]).astype(float)
        if c.discrete
        else np.abs(records[c.name][:, None] - rows[c.name]) / c.range
        for c in SCHEMA.columns
    )
    assert closest(records, rows) == pytest.approx(pairs.min(axis=1), abs=1e-5)


def test_where_nobody_is_left_to_compare_no_figure_is_given():
    train, control = people(200, "t"), people(100, "c")
    _, by_name = checked(train, both(control, people(100, "s")), control)
    check = by_name["near-copies"]
    assert (check.level, check.value) == ("fine", None)
    assert "0 (0 of 0" not in check.sentence
    assert "all controls stand there whole" in check.sentence
    _, by_name = checked(train, train, control)
    assert by_name["near-copies"].sentence == "Every training record compared is copied whole."
    assert by_name["near-copies"].value is None


def test_neighbours_differ_in_one_column_or_in_those_that_determine_it():
    schema = Schema(tuple(Column(name, Kind.CATEGORICAL, tuple(range(9))) for name in "abcd"))

    def neighbours(*rows):
        return have_neighbours(Table(schema, dict(zip("abcd", np.array(rows).T, strict=True)), len(rows))).tolist()

    far = [(0, 0, 0, 0), (0, 0, 1, 1), (1, 1, 0, 0), (1, 1, 1, 1)]  # b repeats a, and d repeats c
    assert neighbours(*far) == [True] * 4
    assert neighbours(*far, (0, 1, 0, 0), (0, 0, 0, 1)) == [True, True, True, False, True, True]
    assert neighbours((0, 0, 0, 0)) == [False]
