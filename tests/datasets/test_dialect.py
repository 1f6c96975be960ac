"""CSV files with other delimiters, encodings and signs of numbers."""

import ast
import gzip

import pytest

from privbench.datasets.dialect import Dialect
from privbench.datasets.files import FileOptions, load_file, read_frame
from privbench.errors import InputError


@pytest.fixture
def write(tmp_path):
    def write(text, encoding="utf-8", name="f.csv"):
        path = tmp_path / name
        content = text.encode(encoding)
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return write


@pytest.mark.parametrize("name", ["f.csv", "f.csv.gz"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " "])
def test_the_same_cells_in_every_dialect(write, delimiter, encoding, name):
    lines = [["naïve", "n"], ["Zoë", "1"], [f"a{delimiter}b", "2"], ["", "3"]]
    text = "\n".join(delimiter.join(f'"{cell}"' for cell in line) for line in lines)
    frame, notes = read_frame(write(text, encoding, name), dialect=Dialect(delimiter, encoding))
    assert frame.columns.tolist() == ["naïve", "n"]
    assert frame["n"].tolist() == [1, 2, 3]
    assert frame["naïve"].astype(object).where(frame["naïve"].notna(), None).tolist() == ["Zoë", f"a{delimiter}b", None]
    assert not notes


@pytest.mark.parametrize(
    ("decimal", "thousands", "cells", "read"),
    [
        (",", ".", ["1.234,5", "-0,5", "1234"], [1234.5, -0.5, 1234]),
        (",", ".", ["1.234.567", "1", "+7"], [1234567, 1, 7]),
        (",", "", ["1,5", ",5", "2,"], [1.5, 0.5, 2]),
        (".", ",", ["1,234.5", "12,345", "1e3"], [1234.5, 12345, 1000]),
        (".", "'", ["1'234.5", "2", "3"], [1234.5, 2, 3]),
        (".", " ", ["1 234", " 2 ", ""], [1234, 2, None]),
        (".", "\u202f", ["1\u202f234", "2", ""], [1234, 2, None]),
        # no numbers in this dialect: they stay text
        (",", ".", ["001.234", "1", "2"], ["001.234", "1", "2"]),
    ],
)
def test_signs_of_numbers(write, decimal, thousands, cells, read):
    path = write("x;y\n" + "".join(f"{cell};a\n" for cell in cells))
    frame, _ = read_frame(path, dialect=Dialect(";", decimal=decimal, thousands=thousands))
    series = frame["x"].astype(object)
    assert series.where(series.notna(), None).tolist() == read


@pytest.mark.parametrize(
    ("signs", "cells", "value", "options"),
    [
        (".", ["1,5", "-,25", "3"], "1,5", "--decimal ','"),
        (".", ["49079,87", "50000", "1234,5"], "49079,87", "--decimal ','"),
        (".", ["1.234,5", "2", ""], "1.234,5", "--decimal ',' --thousands '.'"),
        (".", ["12", "1.234.567", " 1.234"], "1.234.567", "--decimal ',' --thousands '.'"),
        (".", ["1,234", "12,345,678", "1"], "1,234", "--thousands ','"),
        (".", ["1,234", "2", "3"], "1,234", "--thousands ',' or --decimal ','"),
        (".", ["1 234", "2", "3"], "1 234", "--thousands ' '"),
        (".", ["1'234.5", "2", "3"], "1'234.5", '--thousands "\'"'),
        (".", ["1\u202f234,5", "2", "3"], "1\\u202f234,5", "--decimal ',' --thousands '\\u202f'"),
        (".", [*[f"{n},5" for n in range(19)], "unknown"], "0,5", "--decimal ','"),
        (",", ["1.5", "2.25"], "1.5", "--decimal '.'"),
        (",.", ["1.23", "1", "2"], "1.23", "--decimal '.' and no --thousands"),
        (".,", ["1,23", "1", "2"], "1,23", "--decimal ',' and no --thousands"),
        (".,", [",123", "1", "2"], ",123", "--decimal ',' and no --thousands"),
    ],
)
def test_numbers_with_other_signs_are_refused_with_the_options_to_pass(write, signs, cells, value, options):
    path = write("x;y\n" + "".join(f"{cell};a\n" for cell in cells))
    dialect = Dialect(";", "utf-8", *signs)
    with pytest.raises(InputError) as caught:
        read_frame(path, dialect=dialect)
    got, said = repr(value).replace("\\\\", "\\"), str(caught.value)
    assert said.startswith(f"{path}, column 'x': value {got} is no number where the decimal sign is {signs[0]!r}")
    assert f"; pass {options} (`decimal`" in said
    assert "`categorical`" in said
    # what is said helps: the options read numbers, or the text stays
    passed = dict(zip(("--decimal", "--thousands"), (signs[0], ""), strict=True))
    words = options.split(" or ")[0].replace(" and no --thousands", "").split("--")[1:]
    passed |= {f"--{word.split(' ', 1)[0]}": ast.literal_eval(word.split(" ", 1)[1].strip()) for word in words}
    frame, _ = read_frame(path, dialect=Dialect(";", "utf-8", passed["--decimal"], passed["--thousands"]))
    assert frame["x"].dtype.kind in "if" or str(frame["x"].dtype) == "Int64" or "unknown" in cells
    frame, _ = read_frame(path, text=("x",), dialect=dialect)
    assert {*frame["x"].dropna()} == {*cells} - {""}


@pytest.mark.parametrize(
    "cells",
    [
        ["1,5", "about 2", "3,5"],
        ["001", "002", "003"],
        ["01,5", "02,5", "03,5"],
        ["1,2,3", "4", "5"],
        ["192.168.1.1", "10.0.0.1", "10.0.0.2"],
        ["1.2.2020", "03.04.2020", "3.5.2020"],
        [*[str(n) for n in range(99)], "3,4", "unknown"],  # whole numbers, and two that are none
        [*[f"{n},5" for n in range(18)], "unknown", "never"],
        ["", " ", ""],
    ],
)
def test_texts_that_are_numbers_in_no_dialect_stay_text(write, cells):
    path = write("x;y\n" + "".join(f"{cell};a\n" for cell in cells))
    frame, notes = read_frame(path, dialect=Dialect(";"))
    assert frame["x"].astype(object).fillna("").tolist() == cells
    assert not notes


def test_numbers_among_a_few_texts_are_written_as_python_writes_them(write):
    cells = ["unknown", "1.000,5", "1000,5", *[f"{n},25" for n in range(25)]]
    frame, _ = read_frame(
        write("x;y\n" + "".join(f"{cell};a\n" for cell in cells)), dialect=Dialect(";", "utf-8", ",", ".")
    )
    assert frame["x"].tolist() == ["unknown", "1000.5", "1000.5", *[f"{n}.25" for n in range(25)]]


def test_whole_numbers_that_no_float_holds_are_refused_with_grouped_digits_too(write):
    path = write("x;y\n1;a\n" + "9.007.199.254.740.993.000;a\n")
    with pytest.raises(InputError, match=r"f\.csv, column 'x': value 9007199254740993000 \(row 2\) is too large"):
        load_file(FileOptions(path=str(path), delimiter=";", decimal=",", thousands="."))


def test_a_data_set_of_a_config_has_a_dialect_too(write):
    path = write("x;name\n1,5;Zoë\n2,5;Al\n3,5;Al\n", "latin-1")
    options = {"delimiter": ";", "encoding": "latin-1", "decimal": ",", "test": str(path)}
    dataset = load_file(FileOptions.from_mapping({"path": str(path), **options}))
    assert dataset.records.to_frame()["x"].tolist() == [1.5, 2.5, 3.5]
    assert dataset.records.schema["name"].values == ("Al", "Zoë")
    assert dataset.test.sha256 == dataset.records.sha256
    with pytest.raises(InputError, match=r"delimiter = 3 is not allowed; allowed: a text"):
        FileOptions.from_mapping({"path": "p.csv", "delimiter": 3})
    with pytest.raises(InputError, match=r"p\.csv: unknown encoding 'latin-77'"):
        FileOptions.from_mapping({"path": "p.csv", "encoding": "latin-77"})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"delimiter": ""}, ["delimiter ''", "one character"]),
        ({"delimiter": ";;"}, ["delimiter ';;'", "one character"]),
        ({"delimiter": '"'}, ["delimiter", "one character"]),
        ({"delimiter": "§"}, ["delimiter", "one character"]),
        ({"encoding": "hex"}, ["'hex'", "latin-1"]),
        ({"encoding": "utf-9"}, ["'utf-9'", "latin-1"]),
        ({"encoding": "a\0"}, ["latin-1"]),
        ({"decimal": ";"}, ["decimal sign ';'", "'.' or ','"]),
        ({"thousands": "."}, ["thousands sign '.'", "decimal sign '.'"]),
        ({"thousands": "x"}, ["thousands sign 'x'"]),
    ],
)
def test_what_is_no_dialect_is_refused(options, words):
    with pytest.raises(InputError) as caught:
        Dialect(**options)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("given", ["\t", "\\t", "tab"])
def test_the_tabulator_may_be_named(given):
    assert Dialect(given).delimiter == "\t"


@pytest.mark.parametrize(
    ("text", "encoding", "dialect", "words"),
    [
        ("a;b\n1;2\n3;4\n", "utf-8", Dialect(), ["'a;b'", "--delimiter ';'"]),
        ("a\tb\n1\t2\n3\t4\n", "utf-8", Dialect(), ["--delimiter '\\t'"]),
        ("a,b\n1,2\n3,4\n", "utf-8", Dialect(";"), ["--delimiter ','"]),
        ("a,b\n1,Zoë\n3,4\n", "latin-1", Dialect(), ["line 2 is not UTF-8", "--encoding", "latin-1"]),
        ("a,b\n1,Zoë\n3,4\n", "utf-8", Dialect(encoding="ascii"), ["not ascii", "--encoding"]),
        ("a,b\n1,2\n3,4\n", "utf-8", Dialect(encoding="utf-16"), ["not utf-16", "--encoding"]),
        ("a;b\n1;2\n3;4;5\n", "utf-8", Dialect(";"), ["line 3", "cells: 3, columns: 2", "';'"]),
    ],
)
def test_the_wrong_dialect_says_what_to_pass(write, text, encoding, dialect, words):
    path = write(text, encoding)
    with pytest.raises(InputError) as caught:
        read_frame(path, dialect=dialect)
    for word in (str(path), *words):
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)
