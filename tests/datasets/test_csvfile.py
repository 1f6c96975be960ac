"""CSV files: cells are read as they stand, no record is lost, and what is damaged is refused with its line."""

import gzip
import time

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from privbench.datasets import csvfile
from privbench.datasets.files import read_frame
from privbench.errors import InputError
from privbench.schema import Kind
from tests.datasets.small_file import PEOPLE, load


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


def test_missing_header_is_noted(write):
    notes = load(write("39,Private\n50,Private\n38,Gov\n")).notes
    assert "column '39': its name is a number; does the file lack a header?" in notes


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


def test_no_record_is_lost_behind_an_odd_header(write):
    for header in ("x\0,y", '"x\ny",z', '"x,y",z', 'x"",y'):
        assert len(read_frame(write(header + "\na,1\nb,2\n"))[0]) == 2


def test_a_separator_in_a_name_is_noted(write):
    notes = load(write("x;y,z\n1;a,2\n2;b,3\n")).notes
    assert "column 'x;y': its name holds ';'; is the file separated by it?" in notes
