"""Users' files: CSV and Parquet read without guessing, split, and held to a schema.

How CSV is read, which has no types of its own, stands in privbench/datasets/csvfile.py. Errors name the path as it was
given; a data set and its notes name the file alone, so that no report shows where somebody keeps their data.

References
----------
Apache Parquet, "Logical Types".
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from privbench.dataset import Dataset
from privbench.datasets.csv_faults import one_line
from privbench.datasets.csvfile import blanks_noted, check_names, read_csv, to_series
from privbench.datasets.dialect import Dialect
from privbench.datasets.infer import infer_schema
from privbench.datasets.options import FileOptions
from privbench.datasets.texts import as_text, shown
from privbench.errors import InputError
from privbench.rng import stream
from privbench.schema import Column, Schema
from privbench.table import Table

__all__ = ["FileOptions", "conform_frame", "fingerprint", "load_file", "read_frame"]

ENDINGS = (".csv", ".csv.gz", ".parquet")
_PLAIN = Dialect()


def fingerprint(spec: str | Mapping[str, Any]) -> str:
    """Return a digest of what stands behind a data set's spec, so that a cache notices a file that was rewritten.

    It goes beside the text of the spec into a cache's key; it tells nothing about the spec's other keys.

    Parameters
    ----------
    spec : str or mapping
        What stands under `dataset` in a config: the name of a data set, or a mapping with the `path` of a file.

    Returns
    -------
    str
        For a file, a SHA-256 in hexadecimal over the resolved path and the SHA-256 of the bytes, of the file under
        `path` and of the one under `test` if that is a path; for a name the constant "built-in".

    Raises
    ------
    InputError
        If a file cannot be read, as `read_frame` says it; if there is no `path`, as `FileOptions.from_mapping` does.
    """
    if isinstance(spec, str):
        return "built-in"
    options = FileOptions.from_mapping(spec)
    digest = hashlib.sha256()
    for given in (options.path, *([options.test] if isinstance(options.test, str) else [])):
        path = _checked_path(given)
        try:
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise _unreadable(given, error) from None
        digest.update(f"{path.resolve()}\0{content}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


def load_file(options: FileOptions) -> Dataset:
    """Read a user's file as a data set: infer its schema, and set a test set aside.

    The test records are the first ``test`` share of one fixed permutation, drawn from the data set's name alone: no
    run's seed moves a record between the two. Records keep their order otherwise.

    Raises
    ------
    InputError
        Naming file, column, value and row.
    """
    path = options.path
    frame, read = read_frame(path, text=options.text, dialect=options.dialect)
    schema, clean, inferred = infer_schema(frame, source=path, overrides=options)
    everyone = Table.from_frame(clean, schema, source=path)
    file = Path(path).name
    name = options.name or file
    if isinstance(options.test, str):
        records, (test, said) = everyone, _conform(options.test, schema, options.dialect)
        split = f"the test records are those of {Path(options.test).name}."
        more = tuple(f"test file: {note}" for note in said)
    else:
        count = min(len(everyone) - 1, max(1, round(options.test * len(everyone))))
        held = np.zeros(len(everyone), dtype=np.bool_)
        held[stream(0, "test split", name).permutation(len(everyone))[:count]] = True
        records, test, more = everyone.take(~held), everyone.take(held), ()
        split = f"{count:,} of {len(everyone):,} records are set aside as the test set, by a fixed permutation."
    return Dataset(
        name=name,
        records=records,
        test=test,
        source=f"file {file}",
        notes=(*read, *inferred, split, *more),
        path=path,
    )


def conform_frame(frame: pd.DataFrame, schema: Schema, *, source: str) -> tuple[Table, tuple[str, ...]]:
    """Hold a frame to a schema, and say what was changed: text columns are read as text, true/false as such.

    Raises
    ------
    InputError
        If a column is missing or extra, or a value lies outside its domain, naming source, column, value and row.
    """
    if frame.columns.has_duplicates:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise InputError(f"{source}: column {twice!r} occurs twice; give each column a name of its own")
    clean: dict[str, pd.Series[Any]] = {}
    notes: list[str] = []
    for name in frame.columns:
        series = frame[name]
        if name in schema and schema[name].discrete and _wants_text(schema[name]):
            series, said = as_text(series)
            truths = {str(value): value for value in schema[name].values if isinstance(value, bool)}
            if truths:
                series, said = series.cat.rename_categories(truths), ()
            notes += [f"column {name!r}: {sentence}." for sentence in said]
        clean[name] = series
    try:
        return Table.from_frame(pd.DataFrame(clean, copy=False), schema, source=source), tuple(notes)
    except InputError as error:
        if not schema.undeclared() or {*frame.columns} != {*schema.names}:
            raise
        hint = "domains were read off the first file; `bounds` and `domains` declare wider ones"
        raise InputError(f"{error}; {hint}") from None


def read_frame(
    path: str | Path, *, text: Collection[str] = (), dialect: Dialect = _PLAIN
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read a CSV or Parquet file; an empty cell is missing.

    Parameters
    ----------
    path : str or Path
        A file ending in .csv, .csv.gz or .parquet; CSV has a header.
    text : collection of str
        Columns of a CSV file to leave as text even if all their cells are numbers.
    dialect : Dialect
        How a CSV file is written; UTF-8 with commas if not given.

    Returns
    -------
    frame : DataFrame of shape (n, d)
        At least one record. Text is categorical, numbers are numbers.
    notes : tuple of str
        What was changed or left out.

    Raises
    ------
    InputError
        If the file cannot be read as it stands; names the file, and the line where known.
    """
    given = str(path)
    if _checked_path(given).name.lower().endswith(".parquet"):
        return _read_parquet(given)
    return read_csv(given, text=text, dialect=dialect)


def _checked_path(given: str) -> Path:
    """Return the path of a file that can be looked at, has a known ending and is not empty."""
    path = Path(given)
    try:
        if not path.name.lower().endswith(ENDINGS):
            what = "is a folder" if path.is_dir() else "has an unknown ending"
            raise InputError(f"{given}: {what}; allowed: a file that ends in {', '.join(ENDINGS)}")
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "is no regular file" if path.exists() else "does not exist"
            raise InputError(f"{given}: {what}; check the path")
        if path.stat().st_size == 0:
            raise InputError(f"{given}: is empty; give a file with a header and at least two records")
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        raise _unreadable(given, error) from None
    return path


def _unreadable(given: str, error: Exception) -> InputError:
    reason = (error.strerror if isinstance(error, OSError) else None) or one_line(error)
    check = "the path and its permissions" if getattr(error, "errno", None) else "that the file is complete"
    return InputError(f"{given}: cannot be read ({reason}); check {check}")


def _conform(path: str, schema: Schema, dialect: Dialect) -> tuple[Table, tuple[str, ...]]:
    text = [column.name for column in schema.columns if column.discrete and _wants_text(column)]
    frame, read = read_frame(path, text=text, dialect=dialect)
    table, notes = conform_frame(frame, schema, source=path)
    return table, (*read, *notes)


def _wants_text(column: Column) -> bool:
    return any(isinstance(value, (str, bool)) for value in column.values)


def _read_parquet(path: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    import pyarrow as pa
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as source:
            file = source.read()
        given = [str(name) for name in file.column_names]
    except OSError as error:
        raise _unreadable(path, error) from None
    except (pa.ArrowException, UnicodeError) as error:  # UnicodeError: a name is no text
        raise InputError(f"{path}: is no Parquet file ({one_line(error)}); check how it was written") from None
    kept = [name for name in given if not name.startswith("__index_level_")]
    notes = [f"{name!r} is a row index that pandas wrote; it is left out." for name in given if name not in kept]
    columns = [(name, column) for name, column in zip(given, file.columns, strict=True) if name in kept]
    if not kept:
        raise InputError(f"{path}: has no column; check how it was written")
    notes += blanks_noted(kept)
    names = [name.strip() for name in kept]
    check_names(path, names)
    if len(file) == 0:
        raise InputError(f"{path}: has columns but no record; give at least one")
    series = {
        name: _to_pandas(column, where=f"{path}, column {name!r}").rename(name)
        for name, (_, column) in zip(names, columns, strict=True)
    }
    return pd.DataFrame(series, copy=False), tuple(notes)


def _to_pandas(column: Any, *, where: str) -> pd.Series[Any]:
    """Return a column of Parquet: text coded by Arrow, so that no Python object is made of a cell; integers exact."""
    import pyarrow as pa

    kind = column.type
    text = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    binary = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary)
    if pa.types.is_nested(kind) or any(test(kind) for test in binary):
        row = next((row for row, cell in enumerate(column) if cell.is_valid), 0)
        raise InputError(
            f"{where}: value {shown(column[row].as_py())} (row {row + 1}) is of the type {one_line(kind)}; allowed: "
            "numbers, text, true/false; take it apart, or leave the column out of the file"
        )
    try:
        if pa.types.is_dictionary(kind):  # pandas refuses a dictionary with a null or a value twice
            column = column.cast(kind.value_type)
        if any(test(column.type) for test in text):
            column = column.cast(pa.large_string()).dictionary_encode()
        return to_series(column)
    except (pa.ArrowException, ValueError, OverflowError, UnicodeDecodeError) as error:
        raise InputError(
            f"{where}: cannot be read as {one_line(kind)} ({one_line(error)}); write it as numbers or text"
        ) from None
