"""CSV files read without guessing: UTF-8, commas, a header, and every line as long as it.

A CSV file has no types, so it is read as text first. A column becomes numbers only if each cell that is not empty is a
plain number; one with a leading zero (a postcode) stays text. A whole number that no float holds exactly is refused.
Only an empty cell is missing: a category called "NA" or "None" survives. Blank lines hold no record. Ragged lines are
refused, where pandas would fill short ones in silence.

References
----------
Y. Shafranovich, "Common Format and MIME Type for Comma-Separated Values (CSV) Files", RFC 4180, 2005.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import IO, Any

import pandas as pd

from privbench.datasets.columns import EXACT, NUMBER, shown, too_large
from privbench.errors import InputError

__all__ = ["blanks_noted", "check_names", "one_line", "read_csv", "to_series"]

BLOCK = 1 << 24
"""Bytes that Arrow parses at a time; a single line may not be longer."""


def read_csv(path: str, *, text: Collection[str] = ()) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read a CSV file, plain or compressed with gzip.

    Parameters
    ----------
    path : str
        A file that exists and is not empty.
    text : collection of str
        Columns to leave as text even if all their cells are numbers.

    Returns
    -------
    frame : DataFrame of shape (n, d)
        Text is categorical, numbers are numbers, an empty cell is NA.
    notes : tuple of str
        What was changed.

    Raises
    ------
    InputError
        Naming the file, and the line where it is known.
    """
    try:
        return _read(path, text)
    except UnicodeDecodeError:
        raise InputError(f"{path}: line {_undecodable(path)} is not UTF-8; save the file as UTF-8") from None
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        raise InputError(f"{path}: cannot be read ({one_line(error)}); check that the file is complete") from None


def check_names(path: str, names: Sequence[str]) -> None:
    """Refuse a column without a name, or two of the same name."""
    for place, name in enumerate(names):
        if not name:
            raise InputError(
                f"{path}: column {place + 1} has no name, as when pandas writes its row index; name every column, or "
                "write the file without the index"
            )
        if name in names[:place]:
            raise InputError(
                f"{path}: column {name!r} occurs twice (columns {names.index(name) + 1} and {place + 1}); every column "
                "needs a name of its own, rename or remove one"
            )


def blanks_noted(names: Sequence[str]) -> list[str]:
    """Return a note for every name that has blanks around it."""
    return [f"column {name.strip()!r}: blanks around its name removed." for name in names if name != name.strip()]


def to_series(column: Any) -> pd.Series[Any]:
    """Return a column of Arrow in pandas, where whole numbers beside an empty cell stay whole, too."""
    import pyarrow as pa

    if not (pa.types.is_integer(column.type) and column.null_count):
        return pd.Series(column.to_pandas())
    whole = pd.UInt64Dtype() if pa.types.is_unsigned_integer(column.type) else pd.Int64Dtype()
    return pd.Series(column.to_pandas(types_mapper=lambda _: whole))


def one_line(error: object) -> str:
    """Return a library's message as one short line."""
    return " ".join(str(error).split())[:200]


def _read(path: str, text: Collection[str]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    import pyarrow as pa
    import pyarrow.csv

    given = _header(path)
    names = [name.strip() for name in given]
    check_names(path, names)
    try:
        compression = "gzip" if path.lower().endswith(".gz") else None
        with pa.input_stream(path, compression=compression) as source:
            file = pyarrow.csv.read_csv(
                source,
                # the header is read as a row: told to skip it, Arrow may skip a record, too (a zero byte in a name)
                read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=BLOCK),
                parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types={name: pa.string() for name in names}, null_values=[""], strings_can_be_null=True
                ),
            )
    except pa.ArrowInvalid as error:
        if "UTF8" in str(error):
            raise InputError(f"{path}: line {_undecodable(path)} is not UTF-8; save the file as UTF-8") from None
        _refuse_ragged(path, len(names))
        raise InputError(f"{path}: cannot be read ({one_line(error)}); check its quotes and line ends") from None
    if len(file) < 2 or [str(cell) for cell in file.slice(0, 1).to_pylist()[0].values()] != given:
        raise InputError(f"{path}: its header {shown(','.join(given))} cannot be read for certain; simplify its quotes")
    file = file.slice(1)
    if any("\n" in str(value) for value in file.slice(len(file) - 1).to_pylist()[0].values()):
        _refuse_ragged(path, len(names))  # a quote left open swallows the rest of the file without an error
    notes = blanks_noted(given)
    notes += [
        f"column {name!r}: its name is a number; does the file lack a header?"
        for name in names
        if NUMBER.fullmatch(name)
    ]
    notes += [
        f"column {name!r}: its name holds {mark!r}; is the file separated by it?"
        for name in names
        for mark in ";\t|"
        if mark in name
    ]
    columns = {}
    for name in names:
        series, said = _typed(file[name], as_it_is=name in text, where=f"{path}, column {name!r}")
        columns[name] = series.rename(name)
        notes += [f"column {name!r}: {sentence}." for sentence in said]
    return pd.DataFrame(columns, copy=False), tuple(notes)


def _typed(column: Any, *, as_it_is: bool, where: str) -> tuple[pd.Series[Any], list[str]]:
    """Return a column of text as numbers if all of it is numbers, else as categories."""
    import pyarrow.compute as pc

    numbers = None if as_it_is else _numbers(column)
    if numbers is not None:
        _refuse_too_large(column, numbers, where)
        return to_series(numbers), []
    coded = column.combine_chunks().dictionary_encode()
    bare = pc.utf8_trim_whitespace(coded.dictionary)
    if not as_it_is and not bare.equals(coded.dictionary):
        numbers = _numbers(pc.if_else(pc.equal(bare, ""), None, bare))
        if numbers is not None:
            numbers = numbers.take(coded.indices)
            _refuse_too_large(column, numbers, where)
            return to_series(numbers), ["blanks around numbers removed"]
    return to_series(coded), []


def _numbers(texts: Any) -> Any:
    """Return Arrow numbers, or None if a text is no number or would not be the same when written again."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        whole = pc.cast(texts, pa.int64())
        same = pc.all(pc.equal(pc.cast(whole, pa.string()), texts)).as_py()
        return whole if same else None  # None where all cells are empty, too
    except pa.ArrowInvalid:
        pass
    try:
        numbers = pc.cast(texts, pa.float64())
    except pa.ArrowInvalid:
        return None
    if pc.any(pc.match_substring_regex(texts, r"^[+-]?0\d")).as_py():
        return None  # leading zeros
    return numbers if pc.any(pc.is_finite(numbers)).as_py() else None  # a column of the word "nan" is text


def _refuse_too_large(texts: Any, numbers: Any, where: str) -> None:
    """Refuse a whole number that lost digits when it became a float; Arrow's integers hold theirs."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(numbers.type):
        large = pc.greater_equal(pc.abs(numbers), EXACT)
        wrong = pc.and_(large, pc.match_substring_regex(texts, r"^\s*[+-]?\d+(\.0*)?\s*$"))
        if (row := pc.index(wrong, True).as_py()) >= 0:
            raise too_large(where, texts[row].as_py().strip(), row + 1)


def _open(path: str) -> IO[str]:
    if path.lower().endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return Path(path).open(encoding="utf-8-sig", newline="")


def _header(path: str) -> list[str]:
    """Return the names in the first line, and make sure that a record follows."""
    with _open(path) as file:
        reader = csv.reader(file)
        names = next(reader, [])
        if not any(name.strip() for name in names):
            raise InputError(f"{path}: its first line is blank; it must be the header, with the columns' names")
        if not any(reader):
            raise InputError(f"{path}: has a header but no record; check that the file is complete")
    if len(names) == 1 and (other := next((mark for mark in ";\t|" if mark in names[0]), "")):
        raise InputError(f"{path}: its header {names[0]!r} is separated by {other!r}; write the file with commas")
    return names


def _refuse_ragged(path: str, width: int) -> None:
    """Name the first line that has more or fewer cells than the header, or a quote left open."""
    with _open(path) as file:
        reader = csv.reader(file, strict=True)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise InputError(
                    f"{path}: the record from line {line} on is broken ({error}); check its quotes"
                ) from None
            if cells and len(cells) != width:
                raise InputError(
                    f"{path}: line {line} does not match the header (cells: {len(cells)}, columns: {width}); correct "
                    "the line, and quote a cell that holds a comma"
                )


def _undecodable(path: str) -> int:
    """Return the first line that is not UTF-8."""
    with gzip.open(path) if path.lower().endswith(".gz") else Path(path).open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return 1
