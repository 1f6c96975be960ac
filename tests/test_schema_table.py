"""Schemas and tables: domains are held to, nothing is shared or writable, binning is exact."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privbench.errors import ContractError, InputError
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table, bin_count, from_bins, to_bins

SEX = Column("sex", Kind.CATEGORICAL, ("Female", "Male"))
WORK = Column("work", Kind.CATEGORICAL, ("Private", "State", None))
GRADE = Column("grade", Kind.ORDINAL, (1, 2, 3))
AGE = Column("age", Kind.CONTINUOUS, low=17, high=90, integer=True)
WAGE = Column("wage", Kind.CONTINUOUS, low=0.0, high=10.0)
SCHEMA = Schema((SEX, WORK, GRADE, AGE, WAGE), secrets=("work",), groups=("sex",), label="grade", positive=3)


def table(n: int = 50, seed: int = 0) -> Table:
    rng = stream(seed, "table")
    return Table(
        SCHEMA,
        {
            "sex": rng.integers(2, size=n),
            "work": rng.integers(3, size=n),
            "grade": rng.integers(3, size=n),
            "age": rng.integers(17, 91, size=n).astype(float),
            "wage": rng.uniform(0, 10, size=n),
        },
    )


def test_schema_round_trip_through_json():
    again = Schema.from_dict(json.loads(json.dumps(SCHEMA.to_dict())))
    assert again == SCHEMA
    assert again.sha256 == SCHEMA.sha256


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Schema((SEX, SEX)), ["'sex'", "twice"]),
        (lambda: Schema((SEX,), secrets=("sx",)), ["'sx'", "did you mean 'sex'"]),
        (lambda: Column("a", Kind.CATEGORICAL), ["'a'", "empty"]),
        (lambda: Column("a", Kind.CATEGORICAL, ("x", "x")), ["'a'", "repeats"]),
        (lambda: Column("a", Kind.CONTINUOUS, low=2, high=1), ["'a'", "order"]),
        (lambda: Column("a", Kind.CONTINUOUS, low=0, high=float("inf")), ["'a'", "finite"]),
        (lambda: SEX.code("male"), ["'sex'", "did you mean", "'male'"]),
    ],
)
def test_bad_schema_is_one_sentence_with_the_name(build, words):
    with pytest.raises(InputError) as caught:
        build()
    assert all(word in str(caught.value) for word in words)


def test_values_of_different_types_are_different():
    column = Column("a", Kind.CATEGORICAL, (True, 1, "1"))
    assert [column.code(value) for value in (True, 1, "1")] == [0, 1, 2]


def test_roles_follow_the_columns_selected():
    schema = SCHEMA.select(["age", "sex"])
    assert (schema.secrets, schema.groups, schema.label, schema.positive) == ((), ("sex",), None, None)


def test_frame_round_trip_keeps_missing_as_a_value():
    original = table()
    frame = original.to_frame()
    assert frame["work"].isna().sum() == (original["work"] == 2).sum() > 0
    again = Table.from_frame(frame[list(reversed(frame.columns))], SCHEMA, source="x")
    assert again.sha256 == original.sha256


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sex": "male"}, ["people.csv", "'sex'", "'male'", "Female, Male", "row 1"]),
        ({"age": 16}, ["people.csv", "'age'", "16", "17 to 90"]),
        ({"age": 17.5}, ["people.csv", "'age'", "17.5", "whole numbers"]),
        ({"wage": np.nan}, ["people.csv", "'wage'", "nan", "0 to 10"]),
        ({"sex": None}, ["people.csv", "'sex'", "None"]),
    ],
)
def test_a_value_outside_its_domain_is_named(change, words):
    frame = table(3).to_frame().astype(object)
    for name, value in change.items():
        frame.loc[0, name] = value
    with pytest.raises(InputError) as caught:
        Table.from_frame(frame, SCHEMA, source="people.csv")
    assert all(word in str(caught.value) for word in words), caught.value


@pytest.mark.parametrize("word", ["lacks column 'wage'", "unknown column 'pay'"])
def test_wrong_columns_are_named(word):
    frame = table(3).to_frame()
    frame = frame.drop(columns="wage") if "wage" in word else frame.assign(pay=1)
    with pytest.raises(InputError, match=word):
        Table.from_frame(frame, SCHEMA, source="people.csv")


def test_arrays_are_read_only_and_never_shared_with_the_caller():
    ages = np.array([20.0, 30.0])
    schema = Schema((AGE,))
    held = Table(schema, {"age": ages})
    ages[0] = 90
    assert held["age"][0] == 20
    with pytest.raises(ValueError, match="read-only"):
        held["age"][0] = 1
    assert held.take(np.array([0]))["age"].base is None


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"age": np.array([16.0])}, "numbers outside"),
        ({"age": np.array([np.nan])}, "numbers outside"),
        ({"sex": np.array([0])}, "missing or extra: age, sex"),
        ({}, "missing or extra: age"),
    ],
)
def test_a_table_outside_its_schema_is_refused(arrays, said):
    with pytest.raises(ContractError, match=said):
        Table(Schema((AGE,)), arrays)


def test_features_keep_numbers_and_expand_categories():
    matrix = table(4).features(["sex", "grade", "age"])
    assert matrix.shape == (4, 4)
    assert (matrix[:, :2].sum(axis=1) == 1).all()
    assert (matrix[:, 3] == table(4)["age"] - AGE.low).all()  # numbers count from the lower bound
    assert table(4).features([]).shape == (4, 0)


def test_marginal_counts_every_value_of_the_domain():
    held = Table(Schema((WORK,)), {"work": np.array([0, 0, 2, 0])})
    assert held.marginal("work").tolist() == [0.75, 0, 0.25]


@given(low=st.integers(-50, 50), span=st.integers(0, 200), bins=st.integers(1, 64), integer=st.booleans())
def test_a_drawn_value_falls_back_into_its_cell(low, span, bins, integer):
    column = Column("x", Kind.CONTINUOUS, low=low, high=low + span, integer=integer)
    cells = np.repeat(np.arange(bin_count(column, bins)), 3)
    values = from_bins(column, cells, bins=bins, rng=stream(0, "bins"))
    assert values.min() >= column.low
    assert values.max() <= column.high
    if integer:
        assert (to_bins(column, values, bins=bins) == cells).all()
        assert (values == np.round(values)).all()
    elif span:
        # a float on an edge may fall to either side
        assert np.abs(to_bins(column, values, bins=bins) - cells).max() <= 1


def test_every_whole_number_has_one_cell_and_cells_are_even():
    column = Column("x", Kind.CONTINUOUS, low=0, high=99, integer=True)
    cells = to_bins(column, np.arange(100.0), bins=32)
    counts = np.bincount(cells, minlength=32)
    assert counts.sum() == 100
    assert set(counts) <= {3, 4}


def test_frame_types_are_plain():
    frame = table().to_frame()
    assert pd.api.types.is_integer_dtype(frame["age"])
    assert pd.api.types.is_integer_dtype(frame["grade"])
    assert pd.api.types.is_float_dtype(frame["wage"])
