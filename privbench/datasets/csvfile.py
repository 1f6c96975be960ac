"""CSV files read without guessing: UTF-8 and commas if nothing else is said, a header, and every line as long as it.

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
from collections.abc import Collection, Sequence
from typing import Any

import pandas as pd

from privbench.datasets.csv_faults import BROKEN, broken, one_line, open_text, refuse_ragged, undecodable
from privbench.datasets.dialect import DELIMITERS, Dialect
from privbench.datasets.misread import NEARLY, refuse_misread
from privbench.datasets.number_column import EXACT, too_large
from privbench.datasets.texts import NUMBER, shown
from privbench.errors import InputError

__all__ = ["blanks_noted", "check_names", "read_csv", "to_series"]

BLOCK = 1 << 24
"""Bytes that Arrow parses at a time; a single line may not be longer."""

_PLAIN = Dialect()


def read_csv(
    path: str, *, text: Collection[str] = (), dialect: Dialect = _PLAIN
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read a CSV file, plain or compressed with gzip.

    Parameters
    ----------
    path : str
        A file that exists and is not empty.
    text : collection of str
        Columns to leave as text even if all their cells are numbers.
    dialect : Dialect
        Delimiter, encoding, decimal and thousands sign.

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
        return _read(path, text, dialect)
    except UnicodeError:  # not only of decoding: UTF-16 without its mark
        raise undecodable(path, dialect) from None
    except BROKEN as error:
        raise broken(path, error) from None


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


def _read(path: str, text: Collection[str], dialect: Dialect) -> tuple[pd.DataFrame, tuple[str, ...]]:
    import pyarrow as pa
    import pyarrow.csv

    given = _header(path, dialect)
    names = [name.strip() for name in given]
    check_names(path, names)
    try:
        compression = "gzip" if path.lower().endswith(".gz") else None
        with pa.input_stream(path, compression=compression) as source:
            file = pyarrow.csv.read_csv(
                source,
                # the header is read as a row: told to skip it, Arrow may skip a record, too (a zero byte in a name)
                read_options=pyarrow.csv.ReadOptions(
                    column_names=names, block_size=BLOCK, encoding="utf8" if dialect.utf8 else dialect.encoding
                ),
                parse_options=pyarrow.csv.ParseOptions(delimiter=dialect.delimiter, newlines_in_values=True),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types={name: pa.string() for name in names}, null_values=[""], strings_can_be_null=True
                ),
            )
    except pa.ArrowInvalid as error:
        if "UTF8" in str(error):
            raise undecodable(path, dialect) from None
        refuse_ragged(path, len(names), dialect)
        raise InputError(f"{path}: cannot be read ({one_line(error)}); check its quotes and line ends") from None
    if len(file) < 2 or [str(cell) for cell in file.slice(0, 1).to_pylist()[0].values()] != given:
        raise InputError(f"{path}: its header {shown(','.join(given))} cannot be read for certain; simplify its quotes")
    file = file.slice(1)
    if any("\n" in str(value) for value in file.slice(len(file) - 1).to_pylist()[0].values()):
        refuse_ragged(path, len(names), dialect)  # a quote left open swallows the rest of the file without an error
    notes = blanks_noted(given)
    notes += [
        f"column {name!r}: its name is a number; does the file lack a header?"
        for name in names
        if NUMBER.fullmatch(name)
    ]
    notes += [
        f"column {name!r}: its name holds {mark!r}; is the file separated by it?"
        for name in names
        for mark in DELIMITERS
        if mark in name and mark != dialect.delimiter
    ]
    columns = {}
    for name in names:
        where = f"{path}, column {name!r}"
        series, said = _typed(file[name], None if name in text else dialect, where)
        columns[name] = series.rename(name)
        notes += [f"column {name!r}: {sentence}." for sentence in said]
    return pd.DataFrame(columns, copy=False), tuple(notes)


def _typed(column: Any, dialect: Dialect | None, where: str) -> tuple[pd.Series[Any], list[str]]:
    """Return a column of text as numbers if all of it is numbers as this dialect writes them, else as categories."""
    import pyarrow.compute as pc

    plain = None if dialect is None else dialect.plain(column)
    numbers = None if plain is None else _numbers(plain)
    if numbers is not None:
        _refuse_too_large(plain, numbers, where)
        return to_series(numbers), []
    coded = column.combine_chunks().dictionary_encode()
    bare = pc.utf8_trim_whitespace(coded.dictionary)
    if dialect is not None and not bare.equals(coded.dictionary):
        bare = dialect.plain(pc.if_else(pc.equal(bare, ""), None, bare))
        numbers = None if bare is None else _numbers(bare)
        if numbers is not None:
            numbers = numbers.take(coded.indices)
            _refuse_too_large(bare.take(coded.indices), numbers, where)
            return to_series(numbers), ["blanks around numbers removed"]
    if dialect is None:
        return to_series(coded), []
    texts = pc.utf8_trim_whitespace(coded.dictionary)
    refuse_misread(texts, dialect, where)
    return to_series(_plain_numbers(coded, texts, dialect)), []


def _plain_numbers(coded: Any, texts: Any, dialect: Dialect) -> Any:
    """Write numbers among a few other texts, such as "unknown", as Python writes them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = dialect.numbers(texts)
    if dialect.plain_numbers or (pc.sum(numbers).as_py() or 0) < NEARLY * len(texts):
        return coded
    plain = pc.if_else(numbers, dialect.plain(pc.if_else(numbers, texts, None)), coded.dictionary)
    # "1.000" and "1000" are one number
    return pa.DictionaryArray.from_arrays(coded.indices, plain).cast(pa.string()).dictionary_encode()


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


def _header(path: str, dialect: Dialect) -> list[str]:
    """Return the names in the first line, and make sure that a record follows."""
    with open_text(path, dialect) as file:
        reader = csv.reader(file, delimiter=dialect.delimiter)
        names = next(reader, [])
        if not any(name.strip() for name in names):
            raise InputError(f"{path}: its first line is blank; it must be the header, with the columns' names")
        if not any(reader):
            raise InputError(f"{path}: has a header but no record; check that the file is complete")
    others = [mark for mark in (",", *DELIMITERS) if mark != dialect.delimiter and mark in names[0]]
    if len(names) == 1 and others:
        raise InputError(
            f"{path}: its header {shown(names[0])} is separated by {others[0]!r}; give the option --delimiter "
            f"{others[0]!r} (`delimiter` in Python or a config), or write the file with commas"
        )
    return names
