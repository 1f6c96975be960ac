"""Identifiers: which columns are, how many of real people stand in the release, and what only looks like one."""

import numpy as np
import pandas as pd
import pytest

from privbench.datasets.alike import Identifier, read_alike
from tests.datasets.one_column import read, said


def test_free_text_is_no_identifier_in_a_note_and_names_are_no_free_text():
    rng = np.random.default_rng(0)
    notes = [" ".join(rng.choice(["pain", "in", "the", "left", "knee", "since", "May"], 12)) for _ in range(99)]
    alike = read(notes, [*notes[:30], *["none at all"] * 9], notes[20:])
    (one,) = alike.identifiers
    assert (one.words, one.train_in_synthetic, one.control_in_synthetic) == (True, 30, 10)
    assert said(alike, "text of its own for nearly everybody", "30 of them stand in the release", "left out")
    assert not said(alike, "identifier")
    streets = [f"{n} Long Meadow Street, 12345 Springfield Falls" for n in range(99)]
    assert not read(streets, streets).identifiers[0].words


@pytest.mark.parametrize(
    ("made", "counted"),
    [
        (np.arange(60), True),
        (np.arange(60) + 1, True),
        (np.arange(60)[::-1], False),  # the training file's own, in another order
        (np.arange(60) + 2, False),
        (np.append(np.arange(59), 70), False),
    ],
)
def test_a_release_that_numbers_its_own_rows_is_told_from_one_with_numbers_of_people(made, counted):
    files = [pd.DataFrame({"id": ids, "a": np.arange(60) % 3}) for ids in (np.arange(60), made, np.arange(60) + 60)]
    (one,) = read_alike(*files).identifiers
    assert (one.name, one.counted) == ("id", counted)


def test_text_identifiers_are_left_out_and_counted():
    ids = [f"p{n}" for n in range(100)]
    alike = read(ids, [*ids[:30], *[f"q{n}" for n in range(90)]], [*ids[25:29], *[f"c{n}" for n in range(46)]])
    assert alike.identifiers == (Identifier("x", train_in_synthetic=30, control_in_synthetic=4, synthetic=120),)
    assert alike.train.schema.names == ("beside",)
    assert said(alike, "value of its own for nearly every training record", "30 of them in the release", "left out")


@pytest.mark.parametrize(
    ("train", "is_one"),
    [
        (range(1000, 1100), True),
        (np.random.default_rng(0).permutation(400)[:100], True),
        (np.random.default_rng(0).permutation(10**6)[:100], False),  # all different by chance
        ([*range(99), 5], False),
        (np.arange(100) / 8, False),
        ([10**17 + 7 * n for n in range(100)], True),
        ([f"p{n % 89}" for n in range(100)], False),
        ([f"p{n % 90}" for n in range(100)], True),
        ([f"p{n}" for n in range(20)], False),
        ([*[f"p{n}" for n in range(25)], *[None] * 75], True),
    ],
)
def test_what_is_an_identifier(train, is_one):
    train = list(train)
    alike = read(train, train[::-1])
    assert [one.name for one in alike.identifiers] == ["x"] * is_one
    assert ("x" in alike.train.schema) != is_one
    filled = sum(cell is not None for cell in train)
    assert not is_one or alike.identifiers[0].train_in_synthetic == filled


@pytest.mark.parametrize("write", [int, "p{}".format])
def test_records_and_rows_of_one_identifier_are_found_where_neither_is_among_several(write):
    train, made = [*range(60)], [*range(70, 130)]
    made[3], made[4], made[5], made[9] = 7, 20, 20, 0
    (one,) = read([write(n) for n in train], [write(n) for n in made]).identifiers
    assert np.flatnonzero(one.row >= 0).tolist() == [0, 7]
    assert one.row[[0, 7]].tolist() == [9, 3]
    assert one.train_in_synthetic == 3
