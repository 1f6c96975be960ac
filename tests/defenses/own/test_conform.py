"""What somebody else's program made becomes records of the schema, or one sentence that names what is wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from defenses.own.conform import conform
from privbench.errors import InputError
from privbench.schema import Column, Kind, Schema
from tests.people import people

RECORDS = people(50, 1).records


def frame() -> pd.DataFrame:
    return RECORDS.to_frame()


def test_the_records_themselves_conform():
    assert conform(frame(), RECORDS.schema, source="f").sha256 == RECORDS.sha256


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.astype(str),
        lambda f: f.astype(object).where(f.notna(), ""),
        lambda f: f.astype(object).where(f.notna(), np.nan),
        lambda f: f.astype(object).where(f.notna(), " NA "),
        lambda f: f.assign(grade=f["grade"].astype(float), age=f["age"].astype(float)),
        lambda f: f.assign(sex=" " + f["sex"] + " "),
        lambda f: f.assign(**{"Unnamed: 0": range(len(f))}),
        lambda f: f.set_index(pd.Index(range(100, 150))),
        lambda f: f[list(reversed(f.columns))],
        lambda f: f.astype({"sex": "category", "work": "category"}),
        lambda f: f.convert_dtypes(),
    ],
    ids=["text", "empty", "nan", "NA", "floats", "blanks", "row numbers", "index", "order", "category", "nullable"],
)
def test_values_are_matched_by_meaning(change):
    made = conform(change(frame()), RECORDS.schema, source="f")
    for name in RECORDS.schema.names:
        np.testing.assert_allclose(made[name], RECORDS[name])


def test_numbers_are_rounded_and_moved_into_their_bounds():
    odd = frame().assign(age=[16.2, 33.4, *[500] * 48], wage=-1.0)
    made = conform(odd, RECORDS.schema, source="f", repair=True)
    assert made["age"][:3].tolist() == [17, 33, 90]
    assert set(made["wage"]) == {0.0}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"age": 500}, r"value 500 \(row 1\).*whole numbers from 17 to 90"),
        ({"age": 30.5}, "value 30.5"),
        ({"wage": -1}, "-1"),
    ],
)
def test_numbers_outside_their_domain_are_refused_unless_repair_is_asked_for(change, said):
    with pytest.raises(InputError, match=f"{said}.*repair: true"):
        conform(frame().assign(**change), RECORDS.schema, source="f")
    conform(frame().assign(age=lambda f: f["age"] + 1e-13, wage=lambda f: f["wage"]), RECORDS.schema, source="f")


def test_a_large_number_that_is_not_whole_is_refused_like_a_small_one():
    schema = Schema((Column("id", Kind.CONTINUOUS, low=0, high=1e15, integer=True),))
    for wrong in (12.5, 1e15 + 2):
        with pytest.raises(InputError, match="not in the domain"):
            conform(pd.DataFrame({"id": [wrong]}), schema, source="f")


def test_names_that_a_program_made_plain_are_recognised():
    schema = Schema((Column("marital-status", Kind.CATEGORICAL, ("a", "b")),))
    assert len(conform(pd.DataFrame({"marital.status": ["a", "b"]}), schema, source="f")) == 2
    two = Schema((*schema.columns, Column("marital status", Kind.CATEGORICAL, ("a", "b"))))
    with pytest.raises(InputError, match="lacks"):
        conform(pd.DataFrame({"marital.status": ["a"], "marital-status": ["a"]}), two, source="f")


def test_booleans_and_numbers_as_text():
    schema = Schema((Column("b", Kind.CATEGORICAL, (True, False)), Column("n", Kind.CATEGORICAL, ("1", "2"))))
    made = conform(pd.DataFrame({"b": ["TRUE", "false"], "n": [1.0, 2]}), schema, source="f")
    assert (made["b"].tolist(), made["n"].tolist()) == ([0, 1], [0, 1])


def test_values_that_mean_the_same_but_are_two_are_told_apart_by_type():
    schema = Schema((Column("n", Kind.CATEGORICAL, (1, "1")),))
    made = conform(pd.DataFrame({"n": pd.Series([1, "1"], dtype=object)}), schema, source="f")
    assert made["n"].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: [1, 2], "must give a DataFrame; got list"),
        (lambda f: f.iloc[:0], "gave no row"),
        (lambda f: f.drop(columns="sex"), "lacks 'sex'"),
        (lambda f: f.assign(extra=1), "has 'extra'"),
        (lambda f: pd.concat([f, f[["sex"]]], axis=1), "'sex' twice"),
        (lambda f: f.assign(sex="Other"), r"column 'sex': value 'Other' \(row 1\) is not in the domain; allowed: Fem"),
        (lambda f: f.assign(sex=None), "column 'sex': value None"),
        (lambda f: f.assign(wage=[1.0] * 49 + [np.nan]), r"column 'wage': value nan \(row 50\)"),
        (lambda f: f.assign(wage=np.inf), "no finite number"),
        (lambda f: f.assign(age="old"), "value 'old'"),
    ],
)
def test_what_is_left_over_is_one_sentence(change, said):
    with pytest.raises(InputError, match=said):
        conform(change(frame()), RECORDS.schema, source="f")


def test_long_numbers_that_differ_in_the_last_digit_are_two():
    schema = Schema((Column("id", Kind.CATEGORICAL, ("12345678901234567", "12345678901234568")),))
    made = conform(pd.DataFrame({"id": [12345678901234568, 12345678901234567]}), schema, source="f")
    assert made["id"].tolist() == [1, 0]


def test_numbers_as_text_are_read_to_the_last_bit():
    schema = Schema((Column("x", Kind.CONTINUOUS, low=0.0, high=1.0),))
    numbers = np.random.default_rng(0).random(500)
    made = conform(pd.DataFrame({"x": [repr(float(number)) for number in numbers]}), schema, source="f")
    assert (made["x"] == numbers).all()
