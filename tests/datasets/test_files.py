"""Users' files: what survives reading, what is refused and how, and the fixed split."""

import datetime as dt
import decimal
import gzip
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from privbench.datasets import csvfile
from privbench.datasets.files import FileOptions, conform_frame, fingerprint, load_file, read_frame
from privbench.datasets.infer import check_secret
from privbench.errors import InputError
from privbench.schema import Kind
from privbench.table import Table

PEOPLE = "age,job,kids\n" + "".join(f"{20 + i},{'clerk' if i % 3 else 'cook'},{i % 4}\n" for i in range(50))


@pytest.fixture
def write(tmp_path):
    def write(content, name="people.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def load(path, **options):
    return load_file(FileOptions(path=str(path), **options))


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
    ("cells", "read"),
    [
        (["1", "2"], [1, 2]),
        (["1.5", "-2e3"], [1.5, -2000.0]),
        ([" 1", "2 "], [1, 2]),
        (["1", ""], [1, None]),
        (["1", "  "], [1, None]),
        (["NA", "None"], ["NA", "None"]),
        (["nan", "inf"], ["nan", "inf"]),
        (["null", ""], ["null", None]),
        (["007", "12"], ["007", "12"]),
        (["0x1F", "0x2F"], ["0x1F", "0x2F"]),
        (["1,000,0", "2,000,0"], ["1,000,0", "2,000,0"]),
        (["True", "False"], ["True", "False"]),
        (["007", "1.5"], ["007", "1.5"]),
        ([f"0{10**30}", f"0{10**30 + 1}"], [f"0{10**30}", f"0{10**30 + 1}"]),
        (["1.2.10", "1.2.11"], ["1.2.10", "1.2.11"]),
        (["2020", "2021"], [2020, 2021]),
        ([str(2**53 - 1), ""], [2**53 - 1, None]),
        (["1e30", "2.5"], [1e30, 2.5]),
        (['say "x"', "two\nlines"], ['say "x"', "two\nlines"]),
        (["Zoë", "日本"], ["Zoë", "日本"]),
        ([" a", "a"], ["a", "a"]),
    ],
)
def test_cells_of_a_csv_are_read_as_they_stand(write, cells, read):
    lines = ['"' + cell.replace('"', '""') + '",z' for cell in cells]
    path = write("\ufeffx,y\r\n" + "\r\n".join(lines) + "\r\n")
    frame, _ = read_frame(path)
    dataset = load(path, test=str(path))
    assert dataset.records.to_frame()["x"].tolist() == read
    assert dataset.records.sha256 == dataset.test.sha256
    assert list(frame.columns) == ["x", "y"]


def test_categorical_keeps_the_text_of_numbers(write):
    path = write("zip,y\n10,a\n3.50,b\n")
    assert load(path, categorical=("zip",), test=str(path)).records.schema["zip"].values == ("10", "3.50")


def test_declared_truths_match_the_text_of_a_csv(write):
    path = write("flag,y\nTrue,a\nFalse,b\n")
    column = load(path, domains={"flag": (True, False)}, test=str(path)).records.schema["flag"]
    assert (column.kind, column.values) == (Kind.CATEGORICAL, ("True", "False"))


def test_a_quoted_line_break_may_fall_between_two_blocks(write, monkeypatch):
    monkeypatch.setattr(csvfile, "BLOCK", 64)
    path = write("x,y\n" + '"one\ntwo",3\n' * 100)
    assert read_frame(path)[0]["x"].tolist() == ["one\ntwo"] * 100


def test_blank_lines_hold_no_record(write):
    assert len(read_frame(write("x,y\n1,a\n\n2,b\n\n"))[0]) == 2


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


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        ("", "f.csv", ["is empty"]),
        ("\n\n", "f.csv", ["first line is blank"]),
        ("a,b\n", "f.csv", ["no record"]),
        ("a,b", "f.csv", ["no record"]),
        ("a,b\n\n\n", "f.csv", ["no record"]),
        ("a,b\n1,2\n", "f.csv", ["one record", "at least two"]),
        ("a,b,a\n1,2,3\n4,5,6\n", "f.csv", ["'a' occurs twice", "1 and 3"]),
        ("a, a\n1,2\n4,5\n", "f.csv", ["'a' occurs twice"]),
        (",b\n1,2\n4,5\n", "f.csv", ["column 1 has no name", "index"]),
        ("a;b\n1;2\n4;5\n", "f.csv", ["'a;b'", "';'", "commas"]),
        ("a,  \n1,2\n4,5\n", "f.csv", ["column 2 has no name"]),
        ("a,b\n1e400,x\n2,y\n", "f.csv", ["'a'", "row 1", "not finite"]),
        ("a,b\n1e308,x\n-1.5e308,y\n2.5,z\n", "f.csv", ["'a'", "too wide"]),
        ("a,b\ntrue,x\nfalse,y\n0,z\n", "f.csv", ["'a'", "'0'", "row 3", "`categorical`"]),
        ("Zo\xeb,b\n1,x\n2,y\n".encode("latin-1"), "f.csv", ["line 1", "UTF-8"]),
        ("a,b\n1,2\n3\n4,5\n", "f.csv", ["line 3", "cells: 1, columns: 2"]),
        ("a,b\n1,2\n\n3,4,5\n", "f.csv", ["line 4", "cells: 3, columns: 2"]),
        ('a,b\n"x\ny",2\n3\n', "f.csv", ["line 4", "cells: 1"]),
        ('a,b\n1,x\n2,"y\n3,z\n', "f.csv", ["line 3", "quotes"]),
        (b"a,b\n1,x\n2,\xff\n", "f.csv", ["line 3", "UTF-8"]),
        ("a,b\n1,x\n".encode("utf-16"), "f.csv", ["line 1", "UTF-8"]),
        (gzip.compress(b"a,b\n1,x\n2,\xff\n", mtime=0), "f.csv.gz", ["line 3", "UTF-8"]),
        (gzip.compress(PEOPLE.encode() * 99, mtime=0)[:-50], "f.csv.gz", ["cannot be read"]),
        (b"a,b\n1,2\n", "f.csv.gz", ["cannot be read"]),
        (b"no parquet at all", "f.parquet", ["no Parquet file"]),
        ("a,b\n1,2\n", "f.txt", ["ending", ".csv, .csv.gz, .parquet"]),
        ("a,b\n1.5,x\nNaN,y\n", "f.csv", ["'a'", "row 2", "NaN"]),
        ("a,b\n1.5,x\n,y\n", "f.csv", ["'a'", "row 2", "empty"]),
        ("a,b\n1.5,x\ninf,y\n", "f.csv", ["'a'", "row 2", "inf"]),
        ("a,b\n1,x\n2,y\nabc,y\n", "f.csv", ["'a'", "row 3", "'abc'", "`categorical`"]),
        ("a,b\n1,x\n2,y\nNA,y\n", "f.csv", ["'a'", "row 3", "'NA'", "leave it empty"]),
    ],
)
def test_bad_files_are_refused_in_one_sentence(write, content, name, words):
    path = write(content, name)
    with pytest.raises(InputError) as caught:
        load(path)
    for word in (str(path), *words):
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "word"), [("none.csv", "does not exist"), ("folder.csv", "is a folder"), ("", "is a folder")]
)
def test_what_is_no_file_is_refused(tmp_path, name, word):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match=word):
        read_frame(tmp_path / name)


def test_parquet_without_records_or_with_a_name_twice_is_refused(tmp_path):
    path = tmp_path / "f.parquet"
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), path)
    with pytest.raises(InputError, match=r"f\.parquet: has columns but no record"):
        read_frame(path)
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), path)
    with pytest.raises(InputError, match=r"f\.parquet: column 'a' occurs twice"):
        read_frame(path)


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


def test_missing_header_is_noted(write):
    notes = load(write("39,Private\n50,Private\n38,Gov\n")).notes
    assert "column '39': its name is a number; does the file lack a header?" in notes


def test_table_survives_a_trip_through_a_file(write, tmp_path):
    path = write(PEOPLE.replace("30,clerk", "30,"))
    records = load(path).records
    records.to_frame().to_csv(tmp_path / "out.csv", index=False)
    records.to_frame().to_parquet(tmp_path / "out.parquet")
    for name in ("out.csv", "out.parquet"):
        assert load(path, test=str(tmp_path / name)).test.sha256 == records.sha256


def test_a_long_file_is_read_fast(tmp_path):
    rng, rows = np.random.default_rng(0), 100_000
    columns = {f"n{i}": rng.integers(0, 10**6, rows) for i in range(5)}
    columns |= {f"t{i}": pa.array(np.array(["one", "two", "six"])[rng.integers(0, 3, rows)]) for i in range(5)}
    pa.csv.write_csv(pa.table(columns), tmp_path / "long.csv")
    start = time.process_time()
    frame, _ = read_frame(tmp_path / "long.csv")
    assert time.process_time() - start < 2  # about 0.2 s, with room for a slow host
    assert (frame["n0"].to_numpy() == columns["n0"]).all()
    assert frame["t0"].astype(object).tolist() == columns["t0"].to_pylist()


FULL = {
    "path": "p.csv", "label": "a", "positive": 1, "groups": ["g"], "continuous": ["c"], "categorical": ["d"],
    "ordinal": ["o"], "bounds": {"b": [0, 1.5]}, "domains": {"e": ["x", None]}, "test": 0.3, "name": "n",
}  # fmt: skip


def test_options_from_a_config():
    options = FileOptions.from_mapping(FULL)
    assert options == FileOptions(
        path="p.csv", label="a", positive=1, groups=("g",), continuous=("c",), categorical=("d",), ordinal=("o",),
        bounds={"b": (0, 1.5)}, domains={"e": ("x", None)}, test=0.3, name="n",
    )  # fmt: skip
    assert options.text == {"d", "e"}
    assert FileOptions.from_mapping({"path": "p.csv", "test": "q.csv"}).test == "q.csv"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lable": "a"}, ["'lable'", "did you mean 'label'"]),
        ({"groups": "sex"}, ["groups = 'sex'", "list of columns"]),
        ({"path": 3}, ["path = 3", "a path"]),
        ({"test": 1.5}, ["test = 1.5", "between 0 and 1"]),
        ({"test": True}, ["test = True", "a share"]),
        ({"bounds": {"b": [1]}}, ["bounds", "[low, high]"]),
        ({"bounds": {"b": [None, 1]}}, ["bounds", "[low, high]"]),
        ({"domains": {"e": []}}, ["domains", "lists of values"]),
        ({"continuous": ["d"]}, ["'d'", "`categorical`", "keep one"]),
        ({"ordinal": ["d"]}, ["'d'", "`ordinal`", "keep one"]),
        ({"bounds": {"e": [0, 1]}}, ["'e'", "`domains`", "keep one"]),
        ({"positive": [1]}, ["positive = [1]"]),
        ({"label": None}, ["positive = 1", "without a label"]),
        ({"bounds": {"b": [0, float("inf")]}}, ["bounds", "finite"]),
    ],
)
def test_bad_options_are_refused(change, words):
    with pytest.raises(InputError) as caught:
        FileOptions.from_mapping({**FULL, **change})
    for word in (*words, *([] if "path" in change else ["p.csv"])):
        assert word in str(caught.value)


def test_options_without_a_path_are_refused():
    with pytest.raises(InputError, match="'path'"):
        FileOptions.from_mapping({"label": "a"})


def test_a_table_is_what_load_file_holds(write):
    dataset = load(write(PEOPLE), label="job", groups=("kids",))
    assert isinstance(dataset.records, Table)
    assert (dataset.records.schema.label, dataset.records.schema.positive) == ("job", "cook")
    assert dataset.records.schema.groups == ("kids",)
    assert dataset.records.schema == dataset.test.schema


DATES = [
    "2020-01-31", "2020-1-3", "2020/01/31", "31.01.2020", "31-01-2020", "01/31/2020", "1/31/20", "2020-01-31T10:00:00Z",
    "2020-01-31 10:00", "2020-01-31 10:00:00.123456+02:00", "01/31/2020 1:05 PM",
]  # fmt: skip


@pytest.mark.parametrize("value", DATES)
def test_dates_of_a_csv_are_refused_unless_listed(write, value):
    path = write(f"when,y\n,a\n {value},b\n{value},c\n")
    with pytest.raises(InputError) as caught:
        load(path)
    for word in (str(path), "'when'", repr(value), "row 2", "`categorical`", "year"):
        assert word in str(caught.value)
    assert load(path, categorical=("when",)).records.schema["when"].values == (value, None)


def test_dates_beside_few_other_texts_are_dates_and_a_few_dates_among_texts_are_not(write):
    days = [f"2020-01-{day:02}" for day in range(1, 21)]
    with pytest.raises(InputError, match=r"'2020-01-01' \(row 3\) is a date"):
        load(write("when\nunknown\nnever\n" + "\n".join(days)))
    assert load(write("when\n2020-01-01\nnever\nunknown\n")).records.schema["when"].size == 3


def test_dates_may_be_ordinal_in_a_declared_order(write):
    path, order = write("when\n2020-01-31\n2020-02-01\n"), ("2020-01-31", "2020-02-01")
    assert load(path, ordinal=("when",), domains={"when": order}).records.schema["when"].values == order


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


def test_digest_of_a_data_set_covers_schema_records_and_test(write):
    plain = load(write(PEOPLE))
    assert len(plain.sha256) == 64
    digests = {
        plain.sha256,
        load(write(PEOPLE), test=0.5).sha256,
        load(write(PEOPLE), groups=("job",)).sha256,
        load(write(PEOPLE.replace("20,cook", "20,clerk"))).sha256,
    }
    assert len(digests) == 4
    assert not any(digest.startswith(plain.records.sha256[:32]) for digest in digests)
    assert load(write(PEOPLE, "other.csv"), name="people.csv").sha256 == plain.sha256


def test_fingerprint_follows_the_bytes_and_the_place(write, tmp_path, monkeypatch):
    path = write(PEOPLE)
    spec = {"path": str(path), "label": "job"}
    first = fingerprint(spec)
    assert len(first) == 64
    stamp = path.stat()
    path.write_text(PEOPLE.replace("20,cook", "20,cock"))  # as long, and as old
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert fingerprint(spec) != first
    path.write_text(PEOPLE)
    assert fingerprint({"path": str(path)}) == first
    assert fingerprint({"path": str(write(PEOPLE, "copy.csv"))}) != first
    monkeypatch.chdir(tmp_path)
    assert fingerprint({"path": "./people.csv"}) == first


def test_fingerprint_covers_the_test_file(write):
    spec = {"path": str(write(PEOPLE)), "test": str(write(PEOPLE, "test.csv"))}
    first = fingerprint(spec)
    assert first != fingerprint({**spec, "test": 0.2})
    Path(spec["test"]).write_text(PEOPLE + "30,cook,1\n")
    assert fingerprint(spec) != first


def test_fingerprint_of_what_is_no_file(tmp_path):
    assert fingerprint("adult") == fingerprint("other") == "built-in"
    with pytest.raises(InputError, match=r"none\.csv: does not exist"):
        fingerprint({"path": str(tmp_path / "none.csv")})
    with pytest.raises(InputError, match="no 'path'"):
        fingerprint({"label": "job"})


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


def test_no_record_is_lost_behind_an_odd_header(write):
    for header in ("x\0,y", '"x\ny",z', '"x,y",z', 'x"",y'):
        assert len(read_frame(write(header + "\na,1\nb,2\n"))[0]) == 2


def test_a_separator_in_a_name_is_noted(write):
    notes = load(write("x;y,z\n1;a,2\n2;b,3\n")).notes
    assert "column 'x;y': its name holds ';'; is the file separated by it?" in notes


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
