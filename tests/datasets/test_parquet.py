"""Parquet files: types are kept, odd ones read or refused in one sentence."""

import datetime as dt
import decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privbench.datasets.files import read_frame
from privbench.errors import InputError
from tests.datasets.small_file import load


def test_parquet_keeps_its_types(tmp_path):
    path = tmp_path / "typed.parquet"
    frame = pd.DataFrame(
        {"b": [True, False], "s": ["1", None], "i": [1, 2], "c": pd.Categorical(["u", "v"])}, index=[7, 9]
    )
    frame.to_parquet(path)
    dataset = load(path, test=str(path))
    schema = dataset.records.schema
    assert schema["b"].values == (False, True)
    assert schema["s"].values == ("1", None)
    assert schema["i"].values == (1, 2)
    assert schema["c"].values == ("u", "v")
    assert any("row index" in note for note in dataset.notes)


def test_parquet_without_records_or_with_a_name_twice_is_refused(tmp_path):
    path = tmp_path / "f.parquet"
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), path)
    with pytest.raises(InputError, match=r"f\.parquet: has columns but no record"):
        read_frame(path)
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), path)
    with pytest.raises(InputError, match=r"f\.parquet: column 'a' occurs twice"):
        read_frame(path)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ([[1, 2], None], ["[1, 2]", "list<element: int64>", "take it apart"]),
        ([list(range(5000))], ["...", "take it apart"]),
        ([None, {"a": 1}], ["{'a': 1}", "row 2", "struct"]),
        ([b"a", b"b"], ["b'a'", "binary"]),
        (pa.array([b"aa", b"bb"], pa.binary(2)), ["b'aa'", "binary"]),
        ([dt.datetime(2020, 1, 2), None], ["2020-01-02", "row 1", "datetime64", "`categorical`"]),
        ([dt.date(2020, 1, 2)], ["2020, 1, 2", "date", "`categorical`"]),
        (pa.array([10**8], pa.date32()), ["date32", "out of range"]),
        ([dt.time(3)], ["time(3", "`categorical`"]),
        ([dt.timedelta(3)], ["3 days", "timedelta"]),
        (["2020-01-02", None], ["'2020-01-02'", "is a date"]),
        ([1.5, float("nan")], ["row 2", "NaN"]),
        ([decimal.Decimal("1.5"), None], ["row 2", "empty"]),
    ],
)
def test_odd_types_of_parquet_are_refused_in_one_sentence(tmp_path, cells, words):
    path = tmp_path / "f.parquet"
    cells = pa.array(cells).to_pylist() * 2 if isinstance(cells, list) else pa.concat_arrays([cells, cells])
    pq.write_table(pa.table({"x": cells}), path)
    with pytest.raises(InputError) as caught:
        load(path)
    for word in (str(path), "'x'", *words):
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) - len(str(path)) < 320


@pytest.mark.parametrize(
    ("cells", "values", "note"),
    [
        (pa.array([1, None, 3], pa.int8()), (1, 3, None), "ordinal, 3 values"),
        (pa.array(["u", None, "v"]).dictionary_encode(), ("u", "v", None), "categorical"),
        (pa.DictionaryArray.from_arrays(pa.array([0, 1, 2]), ["u", "u", "v"]), ("u", "v"), "categorical"),
        (pa.array([2, None, 1]).dictionary_encode(), (1, 2, None), "ordinal"),
        (pa.array(["u", None, "v"], pa.string_view()), ("u", "v", None), "categorical"),
        (pa.array([decimal.Decimal(2), None, decimal.Decimal(1)]), (1, 2, None), "all whole are read as whole"),
        (pa.array([decimal.Decimal("1.5"), decimal.Decimal(2)]), (), "exact decimal numbers are read as 64-bit floats"),
        (pa.array([True, None, False]), (False, True, None), "categorical"),
        (pa.nulls(3), (None,), "3 empty cells read as the missing value"),
    ],
)
def test_odd_types_of_parquet_are_read_and_noted(tmp_path, cells, values, note):
    pq.write_table(pa.table({" x ": cells, "__index_level_0__": cells}), tmp_path / "f.parquet")
    dataset = load(tmp_path / "f.parquet")
    assert dataset.records.schema["x"].values == values
    for said in (note, "column 'x': blanks around its name removed", "row index"):
        assert any(said in line for line in dataset.notes)


@pytest.mark.parametrize(
    ("columns", "word"),
    [({"x": [1, 2], " x": [1, 2]}, "'x' occurs twice"), ({" ": [1, 2]}, "column 1 has no name"), ({}, "has no column")],
)
def test_bad_names_in_parquet_are_refused(tmp_path, columns, word):
    pq.write_table(pa.table(columns), tmp_path / "f.parquet")
    with pytest.raises(InputError, match=rf"f\.parquet: .*{word}"):
        read_frame(tmp_path / "f.parquet")
