"""Users' files: one data set whatever the format, the fixed split, a second file, and errors that name the path."""

import decimal
import gzip
import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privbench.datasets.files import FileOptions, conform_frame, fingerprint, load_file, read_frame
from privbench.datasets.infer import check_secret
from privbench.errors import InputError
from privbench.schema import Kind
from privbench.table import Table
from tests.datasets.small_file import PEOPLE, load


def test_csv_compressed_csv_and_parquet_give_the_same_records(write, tmp_path):
    plain, packed = write(PEOPLE), write(gzip.compress(PEOPLE.encode()), "people.csv.gz")
    pd.read_csv(plain).to_parquet(tmp_path / "people.parquet")
    everyone = [load(path, name="one") for path in (plain, packed, tmp_path / "people.parquet")]
    assert len({dataset.sha256 for dataset in everyone}) == 1
    assert [column.kind for column in everyone[0].records.schema.columns] == [
        Kind.CONTINUOUS, Kind.CATEGORICAL, Kind.ORDINAL,
    ]  # fmt: skip
    assert everyone[0].source == "file people.csv"


@pytest.mark.parametrize(
    ("name", "word"), [("none.csv", "does not exist"), ("folder.csv", "is a folder"), ("", "is a folder")]
)
def test_what_is_no_file_is_refused(tmp_path, name, word):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match=word):
        read_frame(tmp_path / name)


def test_split_is_fixed_and_keeps_the_order(write):
    path = write(PEOPLE)
    one, again, renamed = load(path), load(path), load(path, name="other")
    assert (one.name, renamed.name) == ("people.csv", "other")
    assert one.sha256 == again.sha256
    assert one.test.sha256 != renamed.test.sha256
    ages = [part["age"] for part in (one.records, one.test)]
    assert [len(part) for part in ages] == [40, 10]
    assert sorted(np.concatenate(ages)) == list(range(20, 70))
    assert all((np.diff(part) > 0).all() for part in ages)
    assert (np.diff(ages[1]) > 1).any()  # drawn, not cut off
    assert any("10 of 50 records are set aside" in note for note in one.notes)


@pytest.mark.parametrize(("share", "held"), [(0.5, 25), (0.001, 1), (0.999, 49)])
def test_both_parts_hold_a_record(write, share, held):
    dataset = load(write(PEOPLE), test=share)
    assert (len(dataset.test), len(dataset.records)) == (held, 50 - held)


def test_test_file_is_held_to_the_first_files_schema(write):
    first = write(PEOPLE)
    dataset = load(first, test=str(write("kids,age,job\n1,30, cook\n", "test.csv")))
    assert dataset.test.to_frame().iloc[0].tolist() == [30, "cook", 1]
    assert len(dataset.records) == 50
    assert any(note.startswith("test file: column 'job': blanks") for note in dataset.notes)
    with pytest.raises(InputError, match=r"test\.csv, column 'job': value 'king' \(row 1\)"):
        load(first, test=str(write("kids,age,job\n1,30,king\n", "test.csv")))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("age,job\n30,cook\n", ["lacks column 'kids'", "age, job, kids"]),
        ("age,job,kids,pets\n30,cook,1,2\n", ["unknown column 'pets'"]),
        ("age,job,kids\n30,cook,1\n31,king,1\n", ["'job'", "'king'", "row 2", "clerk, cook", "`domains`"]),
        ("age,job,kids\n30,,1\n", ["'job'", "None", "row 1", "clerk, cook"]),
        ("age,job,kids\n30,cook,9\n", ["'kids'", "9", "row 1", "0, 1, 2, 3"]),
        ("age,job,kids\n300,cook,1\n", ["'age'", "value 300 ", "row 1", "20 to 69", "`bounds`"]),
        ("age,job,kids\n30.5,cook,1\n", ["'age'", "30.5", "row 1", "whole numbers"]),
        ("age,job,kids\n30,cook,1\n,cook,1\n", ["'age'", "row 2", "no missing"]),
        ("age,job,kids\n30,cook,1\nold,cook,1\n", ["'age'", "'old'", "row 2"]),
        ("age,job,age\n30,cook,1\n", ["'age' occurs twice"]),
    ],
)
def test_second_file_that_does_not_conform_is_refused(write, content, words):
    first = write(PEOPLE)
    with pytest.raises(InputError) as caught:
        load(first, test=str(write(content, "second.csv")))
    for word in ("second.csv", *words):
        assert word in str(caught.value)
    if "column 'kids'" in words[0] or "pets" in words[0]:
        assert "`domains`" not in str(caught.value)


def test_second_file_may_write_the_same_values_otherwise(write, tmp_path):
    frame = pd.DataFrame({"flag": [True, False], "zip": ["010", "20"], "n": [1.0, None]})
    frame.to_parquet(tmp_path / "first.parquet")
    second = write("n,zip,flag\n,20,True\n1, 010,False\n", "second.csv")
    dataset = load(tmp_path / "first.parquet", test=str(second))
    assert dataset.test.to_frame().values.tolist() == [[True, "20", None], [False, "010", 1]]
    assert "test file: column 'zip': blanks around the text removed in 1 cell, as in ' 010'." in dataset.notes
    pd.DataFrame({"flag": [True], "zip": [20], "n": [1]}).to_parquet(tmp_path / "third.parquet")
    third = load(tmp_path / "first.parquet", test=str(tmp_path / "third.parquet")).test
    assert third.to_frame().values.tolist() == [[True, "20", 1]]


def test_frame_with_a_column_twice_is_refused(write):
    schema = load(write(PEOPLE)).records.schema
    with pytest.raises(InputError, match="mine: column 'age' occurs twice"):
        conform_frame(pd.DataFrame([[1, 2]], columns=["age", "age"]), schema, source="mine")


def test_notes_name_no_folder(write, tmp_path):
    dataset = load(write(PEOPLE.replace("age", " age")))
    assert "column 'age': blanks around its name removed." in dataset.notes
    assert str(tmp_path) not in " ".join((*dataset.notes, dataset.source, dataset.name))
    for name in dataset.records.schema.names:
        assert any(note.startswith(f"column {name!r}: ") and "read off the records" in note for note in dataset.notes)


def test_table_survives_a_trip_through_a_file(write, tmp_path):
    path = write(PEOPLE.replace("30,clerk", "30,"))
    records = load(path).records
    records.to_frame().to_csv(tmp_path / "out.csv", index=False)
    records.to_frame().to_parquet(tmp_path / "out.parquet")
    for name in ("out.csv", "out.parquet"):
        assert load(path, test=str(tmp_path / name)).test.sha256 == records.sha256


def test_a_table_is_what_load_file_holds(write):
    dataset = load(write(PEOPLE), label="job", groups=("kids",))
    assert isinstance(dataset.records, Table)
    assert (dataset.records.schema.label, dataset.records.schema.positive) == ("job", "cook")
    assert dataset.records.schema.groups == ("kids",)
    assert dataset.records.schema == dataset.test.schema


BIG = [10**30 + i for i in range(60)]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize(
    "values", [BIG, [-value for value in BIG], [10**18 + 1, None, 10**18], [2**53, 1], [2.5, 2.0**60], [1e18, None]]
)
def test_whole_numbers_that_no_float_holds_are_refused_or_kept_exactly(tmp_path, ending, values):
    path = tmp_path / f"f.{ending}"
    exact = [value for value in values if isinstance(value, int)]
    if ending == "csv":
        path.write_text("x,y\n" + "".join(f"{'' if value is None else value},a\n" for value in values))
    else:
        cells = [value and decimal.Decimal(value) for value in values] if values[0] in (BIG[0], -BIG[0]) else values
        pq.write_table(pa.table({"x": cells, "y": ["a"] * len(values)}), path)
    if 2.5 in values:  # a measurement beside fractions: it came as a float, 1.15e+18
        assert load(path).records.schema["x"].high == 2.0**60
        return
    with pytest.raises(InputError) as caught:
        load(path)
    for word in (str(path), "'x'", "too large", "2^53", "identifier", "`categorical`"):
        assert word in str(caught.value)
    first = next((value for value in exact if abs(value) >= 2**53), None)
    assert first is None or f"value {first} (row {values.index(first) + 1})" in str(caught.value)
    read = load(path, categorical=("x",)).records.schema["x"].values
    if exact:
        assert {*read} == {None if value is None else str(value) for value in values}


@pytest.mark.parametrize("given", ["./people.csv", "../{}/people.csv", "people.csv"])
def test_errors_name_the_path_as_it_was_given_and_reports_do_not(write, tmp_path, monkeypatch, given):
    write("x,y,z\n1,a,1.5\n2,a,2.5\n3,b,3.5\n")
    monkeypatch.chdir(tmp_path)
    given = given.format(tmp_path.name)
    bad = [
        {"bounds": {"x": (5, 1)}}, {"bounds": {"x": (5, 9)}}, {"domains": {"y": ("a", "a")}}, {"domains": {"y": ()}},
        {"domains": {"x": (1, 1.0, 2, 3)}}, {"label": "q"}, {"groups": ("z",)}, {"test": 2.0}, {"positive": 1},
        {"label": "y", "positive": "c"}, {"continuous": ("y",)},
    ]  # fmt: skip
    for options in bad:
        with pytest.raises(InputError) as caught:
            load_file(FileOptions(path=given, **options))
        assert given in str(caught.value)
        assert str(caught.value).count("column 'x'") <= 1
    with pytest.raises(InputError, match="dataset " + given):
        FileOptions.from_mapping({"path": given, "bounds": {"x": [1]}})
    write("x,y\n1,a\n2,a\n")
    dataset = load_file(FileOptions(path=given, name="mine"))
    with pytest.raises(InputError) as caught:
        check_secret(dataset, "y")
    assert str(caught.value).startswith(f"{given}, column 'y': every record")
    with pytest.raises(InputError) as caught:
        check_secret(dataset, "q")
    assert given in str(caught.value)
    assert (dataset.path, dataset.name, dataset.source) == (given, "mine", "file people.csv")
    assert "path" not in repr(dataset)


def test_capital_endings_are_known(write):
    assert len(read_frame(write(gzip.compress(PEOPLE.encode()), "PEOPLE.CSV.GZ"))[0]) == 50


@pytest.mark.parametrize("name", ["a" * 300 + ".csv", "zero\0.csv"])
def test_paths_that_cannot_exist_are_refused(tmp_path, name):
    with pytest.raises(InputError, match="check the path"):
        read_frame(tmp_path / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("name", ["f.csv", "f.parquet"])
def test_a_file_that_may_not_be_read_is_refused(write, name):
    path = write(PEOPLE, name)
    path.chmod(0)
    with pytest.raises(InputError, match="cannot be read"):
        read_frame(path)
    with pytest.raises(InputError, match="cannot be read"):
        fingerprint({"path": str(path)})
