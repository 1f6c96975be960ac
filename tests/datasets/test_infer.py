"""Inference: each kind by its rule, each coercion listed, each bad column refused in one sentence."""

import datetime as dt
import decimal

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from privbench.dataset import Dataset
from privbench.datasets.infer import CONTINUOUS_ABOVE, FileOptions, check_secret, infer_schema
from privbench.errors import InputError
from privbench.schema import Kind
from privbench.table import Table


def infer(values, **options):
    """Infer one column `x` beside a column `other`, and return its schema, clean values and notes."""
    frame = pd.DataFrame({"x": values, "other": "same"})
    schema, clean, notes = infer_schema(frame, source="f.csv", overrides=FileOptions(path="f.csv", **options))
    table = Table.from_frame(clean, schema, source="f.csv")
    return schema["x"], table.to_frame()["x"].tolist(), [note for note in notes if note.startswith("column 'x'")]


@pytest.mark.parametrize(
    ("values", "kind", "domain"),
    [
        (["b", "a", "b"], Kind.CATEGORICAL, ("a", "b")),
        ([True, False, True], Kind.CATEGORICAL, (False, True)),
        ([3, 1, 3], Kind.ORDINAL, (1, 3)),
        (pd.Categorical([3, 1, 3]), Kind.ORDINAL, (1, 3)),
        (pd.array([3, None, 1], dtype="Int64"), Kind.ORDINAL, (1, 3, None)),
        (pd.Series([3, pd.NA, 1], dtype=object), Kind.ORDINAL, (1, 3, None)),
        ([2.0, 1.0, np.nan], Kind.ORDINAL, (1, 2, None)),
        ([decimal.Decimal(2), decimal.Decimal(1)], Kind.ORDINAL, (1, 2)),
        (["b", None, "a"], Kind.CATEGORICAL, ("a", "b", None)),
        ([True, None, True], Kind.CATEGORICAL, (True, None)),
        (pd.array(["b", None], dtype="string"), Kind.CATEGORICAL, ("b", None)),
        ([None, None], Kind.CATEGORICAL, (None,)),
        ([np.nan, np.nan], Kind.CATEGORICAL, (None,)),
        (["\u0661", "b"], Kind.CATEGORICAL, ("b", "\u0661")),  # an Arabic-Indic digit is no number of a CSV file
        (["NA", "None", "nan", ""], Kind.CATEGORICAL, ("NA", "None", "nan", None)),
    ],
)
def test_discrete_columns(values, kind, domain):
    column, clean, _ = infer(values)
    assert (column.kind, column.values, column.declared) == (kind, domain, False)
    assert [type(value) for value in column.values] == [type(value) for value in domain]
    assert clean == [None if pd.isna(value) or value == "" else value for value in values]


def test_whole_numbers_turn_continuous_above_the_threshold():
    few, many = list(range(CONTINUOUS_ABOVE)) * 2, list(range(CONTINUOUS_ABOVE + 1)) * 2
    assert infer(few)[0].kind is Kind.ORDINAL
    column = infer(many)[0]
    assert (column.kind, column.low, column.high, column.integer) == (Kind.CONTINUOUS, 0, CONTINUOUS_ABOVE, True)
    assert not column.declared


def test_decimals_are_continuous_however_few():
    column, clean, notes = infer([0.5, 2.0, 0.5])
    assert (column.kind, column.low, column.high, column.integer) == (Kind.CONTINUOUS, 0.5, 2.0, False)
    assert clean == [0.5, 2.0, 0.5]
    assert notes == ["column 'x': continuous, numbers from 0.5 to 2, read off the records."]


@pytest.mark.parametrize(
    ("values", "options", "note"),
    [
        ([" a", "b ", "b"], {}, "blanks around the text removed in 2 cells, as in ' a'"),
        (["a", "  ", None], {}, "2 empty cells read as the missing value"),
        ([1.0, 2.0], {}, "decimal numbers that are all whole are read as whole numbers"),
        ([1.0, np.nan], {}, "decimal numbers that are all whole are read as whole numbers"),
        ([1.0, np.nan], {}, "1 empty cell read as the missing value"),
        ([float(i) for i in range(30)], {}, "decimal numbers that are all whole are read as whole numbers"),
        (["1", "2"], {}, "numbers written as text stay text"),
        ([1, 2], {"categorical": ("x",)}, "read as text"),
        ([f"id{i}" for i in range(30)], {}, "30 values in 30 records look like an identifier"),
        (["b", "a"], {}, "categorical, 2 values, read off the records: a, b"),
        ([1, 2], {"domains": {"x": (1, 2, 3)}}, "ordinal, 3 values, declared: 1, 2, 3"),
        ([1, 2], {"bounds": {"x": (0, 9)}}, "continuous, whole numbers from 0 to 9, declared"),
        (["n", "y"], {"label": "x"}, "the favourable value is 'y', the last; `positive` overrides it"),
    ],
)
def test_every_decision_is_listed(values, options, note):
    said = infer(values, **options)[2]
    assert any(note in line for line in said), said


def test_nothing_is_listed_that_was_not_done():
    assert infer(["a", "b"])[2] == ["column 'x': categorical, 2 values, read off the records: a, b."]
    assert infer([1, 2])[2] == ["column 'x': ordinal, 2 values, read off the records: 1, 2."]


@pytest.mark.parametrize(
    ("values", "options", "kind", "domain"),
    [
        ([1, 2], {"categorical": ("x",)}, Kind.CATEGORICAL, ("1", "2")),
        ([1.0, np.nan], {"categorical": ("x",)}, Kind.CATEGORICAL, ("1", None)),
        ([1.5, np.inf], {"categorical": ("x",)}, Kind.CATEGORICAL, ("1.5", "inf")),
        ([1, "a"], {"categorical": ("x",)}, Kind.CATEGORICAL, ("1", "a")),
        ([dt.date(2020, 1, 2)] * 2, {"categorical": ("x",)}, Kind.CATEGORICAL, ("2020-01-02",)),
        (list(range(30)), {"ordinal": ("x",)}, Kind.ORDINAL, tuple(range(30))),
        ([0.5, 1.5], {"ordinal": ("x",)}, Kind.ORDINAL, (0.5, 1.5)),
        (["lo", "hi"], {"ordinal": ("x",), "domains": {"x": ("lo", "hi")}}, Kind.ORDINAL, ("lo", "hi")),
        (["lo", "hi"], {"domains": {"x": ("lo", "mid", "hi")}}, Kind.CATEGORICAL, ("lo", "mid", "hi")),
        ([1, 2], {"domains": {"x": (3, 2, 1)}}, Kind.ORDINAL, (3, 2, 1)),
        ([1, 2], {"domains": {"x": (1, 2)}, "categorical": ("x",)}, Kind.CATEGORICAL, ("1", "2")),
        ([True, False], {"domains": {"x": (True, False)}}, Kind.CATEGORICAL, (True, False)),
        ([1, None], {"domains": {"x": (1, 2, None)}}, Kind.ORDINAL, (1, 2, None)),
    ],
)
def test_overrides_of_discrete_columns(values, options, kind, domain):
    column = infer(values, **options)[0]
    assert (column.kind, column.values, column.declared) == (kind, domain, "domains" in options)


@pytest.mark.parametrize("options", [{"continuous": ("x",)}, {"bounds": {"x": (1, 2)}}])
def test_few_whole_numbers_may_be_continuous(options):
    column = infer([1, 2, 1], **options)[0]
    assert (column.kind, column.low, column.high, column.integer) == (Kind.CONTINUOUS, 1, 2, True)
    assert column.declared is ("bounds" in options)


@pytest.mark.parametrize(
    ("values", "options", "words"),
    [
        ([1.5, np.nan, 2.5], {}, ["row 2", "NaN", "fill it, drop the rows", "`categorical`"]),
        ([*range(30), None], {}, ["row 31", "NaN", "`categorical`"]),
        ([1.5, 2.5, -np.inf], {}, ["-inf", "row 3", "not finite", "`categorical`"]),
        ([1.0, np.inf], {}, ["inf", "row 2", "not finite"]),
        (["1", "abc", "3"], {}, ["'abc'", "row 2", "text among numbers", "`categorical`"]),
        (["a", "b", "3"], {}, ["'3'", "row 3", "a number among text", "`categorical`"]),
        (["1", "1,000", "3"], {}, ["'1,000'", "row 2", "text among numbers"]),
        ([1, 2, "a"], {}, ["'a'", "row 3", "text among numbers"]),
        ([1, 2, "3"], {}, ["'3'", "row 3", "text among numbers"]),
        (["a", "b", True], {}, ["True", "row 3", "true/false among text"]),
        ([True, 1, 2], {}, ["True", "row 1", "true/false among numbers"]),
        ([[1], [2]], {}, ["[1]", "row 1", "no single value"]),
        ([[1], [2]], {"categorical": ("x",)}, ["[1]", "row 1", "no single value"]),
        (pd.Series([1, 10**400], dtype=object), {}, ["row 2", "2^53"]),
        (["2020-01-02", "2021-01-02"], {}, ["'2020-01-02'", "row 1", "a date", "`categorical`"]),
        (pd.to_datetime(["2020-01-02", "2021-01-02"]), {}, ["2020-01-02", "row 1", "datetime64", "`categorical`"]),
        ([None, dt.date(2020, 1, 2)], {}, ["2020, 1, 2", "row 2", "date", "`categorical`"]),
        ([1, 2**53 + 1], {}, [str(2**53 + 1), "row 2", "2^53"]),
        (["a", "b"], {"continuous": ("x",)}, ["'a'", "row 1", "no number"]),
        (["a", "b"], {"ordinal": ("x",)}, ["'a'", "row 1", "`domains`"]),
        ([True, False], {"bounds": {"x": (0, 1)}}, ["True", "row 1", "no number"]),
        ([None, None], {"continuous": ("x",)}, ["row 1", "fill it"]),
        (["a", "c"], {"domains": {"x": ("a", "b")}}, ["'c'", "row 2", "allowed: a, b"]),
        ([1, 3], {"domains": {"x": (1, 2)}}, ["3", "row 2", "allowed: 1, 2"]),
        (["a", None], {"domains": {"x": ("a", "b")}}, ["row 2", "missing", "add null"]),
        ([1, 12], {"bounds": {"x": (0, 10)}}, ["value 12 ", "row 2", "from 0 to 10"]),
        ([1.5, 2.5], {"groups": ("x",)}, ["continuous", "'groups'", "`ordinal` or `categorical`"]),
        ([1.5, 2.5], {"label": "x"}, ["continuous", "'label'"]),
        (["a", "a"], {"label": "x"}, ["'a'", "two or more"]),
        (["a", "b"], {"label": "x", "positive": "c"}, ["'c'", "a, b"]),
    ],
)
def test_bad_columns_are_refused_in_one_sentence(values, options, words):
    with pytest.raises(InputError) as caught:
        infer(values, **options)
    for word in ("f.csv", "'x'", *words):
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("frame", "options", "words"),
    [
        (pd.DataFrame({"a": []}), {}, ["no record", "at least two"]),
        (pd.DataFrame({"a": [1]}), {}, ["one record", "at least two"]),
        (pd.DataFrame(index=range(3)), {}, ["no column"]),
        (pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]), {}, ["'a' occurs 2 times"]),
        (pd.DataFrame([[1, 2], [3, 4]]), {}, ["column name 0", "give every column a name"]),
        (pd.DataFrame({"age": [1, 2]}), {"label": "agee"}, ["'label'", "'agee'", "did you mean 'age'"]),
        (pd.DataFrame({"age": [1, 2]}), {"bounds": {"agee": (0, 1)}}, ["'bounds'", "did you mean 'age'"]),
    ],
)
def test_bad_frames_are_refused_in_one_sentence(frame, options, words):
    with pytest.raises(InputError) as caught:
        infer_schema(frame, source="f.csv", overrides=FileOptions(path="f.csv", **options))
    for word in ("f.csv", *words):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("values", "options", "positive"),
    [
        (["a", "b"], {}, "b"),
        (["a", None], {}, "a"),
        (["a", "b"], {"positive": "a"}, "a"),
        (["0", "1"], {"positive": 1}, "1"),
        ([0, 1], {"positive": "0"}, 0),
    ],
)
def test_favourable_value(values, options, positive):
    frame = pd.DataFrame({"x": values})
    schema = infer_schema(frame, source="f", overrides=FileOptions(path="f", label="x", **options))[0]
    assert (schema.label, schema.positive) == ("x", positive)
    assert type(schema.positive) is type(positive)


def test_without_overrides_there_are_no_roles():
    schema = infer_schema(pd.DataFrame({"x": [1, 2]}), source="f")[0]
    assert (schema.label, schema.positive, schema.groups, schema.undeclared()) == (None, None, (), ("x",))


def test_frame_is_left_as_it_was():
    frame = pd.DataFrame({"x": [" a", "b"], "y": [1.0, np.nan]})
    before = frame.copy()
    infer_schema(frame, source="f")
    pd.testing.assert_frame_equal(frame, before)


def _dataset(values, **options):
    frame = pd.DataFrame({"x": values, "y": range(len(values))})
    schema, clean, _ = infer_schema(frame, source="f.csv", overrides=FileOptions(path="f.csv", **options))
    table = Table.from_frame(clean, schema, source="f.csv")
    return Dataset("f.csv", table, table)


@pytest.mark.parametrize(
    ("values", "options", "value"),
    [
        (["a", "a"], {}, "'a'"),
        ([None, None], {}, "missing"),
        ([2.5, 2.5], {}, "'2.5'"),
        (["a", "a"], {"domains": {"x": ("a", "b")}}, "'a'"),
    ],
)
def test_secret_with_one_value_is_refused(values, options, value):
    with pytest.raises(InputError) as caught:
        check_secret(_dataset(values, **options), "x")
    for word in ("f.csv", "'x'", value, "two values"):
        assert word in str(caught.value)


def test_unknown_secret_is_refused_and_a_good_one_passes():
    dataset = _dataset(["a", "b"])
    with pytest.raises(InputError, match=r"secret in f\.csv 'z'"):
        check_secret(dataset, "z")
    check_secret(dataset, "x")
    check_secret(dataset, "y")


COLUMNS = [
    st.sampled_from(["a", " a", "b ", "NA", "None", "", None, "c,d"]),
    st.sampled_from([1, 2, 3]),
    st.integers(-(2**40), 2**40),
    st.sampled_from([1.0, 2.0, np.nan]),
    st.floats(-1e9, 1e9),
    st.booleans(),
    st.sampled_from([True, None]),
]


@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    rows=st.integers(2, 30),
    kinds=st.lists(st.sampled_from(range(len(COLUMNS))), min_size=1, max_size=4),
)
def test_inferred_schema_conforms_to_its_own_frame(data, rows, kinds):
    frame = pd.DataFrame(
        {f"c{i}": data.draw(st.lists(COLUMNS[kind], min_size=rows, max_size=rows)) for i, kind in enumerate(kinds)}
    )
    schema, clean, notes = infer_schema(frame, source="f")
    table = Table.from_frame(clean, schema, source="f")
    assert table.sha256 == Table.from_frame(table.to_frame(), schema, source="again").sha256
    for name in frame:
        for before, after in zip(frame[name], table.to_frame()[name], strict=True):
            gone = pd.isna(before) or before == ""
            assert after is None if gone else after == (before.strip() if isinstance(before, str) else before)
        assert any(note.startswith(f"column {name!r}: ") for note in notes)


def test_whether_declared_numbers_are_whole_does_not_depend_on_the_records():
    assert infer([1.0, 2.0, 3.0], bounds={"x": (0, 9)})[0].integer
    assert not infer([1.0, 2.0, 3.0], bounds={"x": (0.0, 9.0)})[0].integer
    with pytest.raises(InputError, match=r"value 2.5 \(row 2\) is not whole.*write \[0.0, 9.0\]"):
        infer([1.0, 2.5], bounds={"x": (0, 9)})
