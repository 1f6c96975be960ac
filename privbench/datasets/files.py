"""Users' files: CSV and Parquet read without guessing, split, and held to a schema.

How CSV is read, which has no types of its own, stands in privbench/datasets/csvfile.py. Errors name the path as it was
given; a data set and its notes name the file alone, so that no report shows where somebody keeps their data.

References
----------
Apache Parquet, "Logical Types".
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from privbench.dataset import Dataset
from privbench.datasets.columns import as_text
from privbench.datasets.csvfile import check_names, one_line, read_csv
from privbench.datasets.infer import infer_schema
from privbench.datasets.options import FileOptions
from privbench.errors import InputError
from privbench.rng import stream
from privbench.schema import Column, Schema
from privbench.table import Table

__all__ = ["FileOptions", "conform", "conform_frame", "load_file", "read_frame"]

ENDINGS = (".csv", ".csv.gz", ".parquet")

log = logging.getLogger(__name__)


def load_file(options: FileOptions) -> Dataset:
    """Read a user's file as a data set: infer its schema, and set a test set aside.

    The test records are the first ``test`` share of one fixed permutation, drawn from the data set's name alone: no
    run's seed moves a record between the two. Records keep their order otherwise.

    Raises
    ------
    InputError
        Naming file, column, value and row.
    """
    path = Path(options.path)
    frame, read = read_frame(path, text=options.text)
    schema, clean, inferred = infer_schema(frame, source=str(path), overrides=options)
    everyone = Table.from_frame(clean, schema, source=str(path))
    name = options.name or path.name
    if isinstance(options.test, str):
        records, (test, said) = everyone, _conform(Path(options.test), schema)
        split = f"the test records are those of {Path(options.test).name}."
        more = tuple(f"test file: {note}" for note in said)
    else:
        count = min(len(everyone) - 1, max(1, round(options.test * len(everyone))))
        held = np.zeros(len(everyone), dtype=np.bool_)
        held[stream(0, "test split", name).permutation(len(everyone))[:count]] = True
        records, test, more = everyone.take(~held), everyone.take(held), ()
        split = f"{count:,} of {len(everyone):,} records are set aside as the test set, by a fixed permutation."
    return Dataset(
        name=name, records=records, test=test, source=f"file {path.name}", notes=(*read, *inferred, split, *more)
    )


def conform(path: str | Path, schema: Schema) -> Table:
    """Read a second file against the schema of a first one; what is coerced is logged.

    Raises
    ------
    InputError
        If a column is missing or extra, or a value lies outside its domain, naming file, column, value and row.
    """
    table, notes = _conform(Path(path), schema)
    for note in notes:
        log.info("%s: %s", path, note)
    return table


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


def read_frame(path: str | Path, *, text: Collection[str] = ()) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read a CSV or Parquet file; an empty cell is missing.

    Parameters
    ----------
    path : str or Path
        A file ending in .csv, .csv.gz or .parquet; CSV is UTF-8 with commas and a header.
    text : collection of str
        Columns of a CSV file to leave as text even if all their cells are numbers.

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
    path = Path(path)
    if not path.name.lower().endswith(ENDINGS):
        what = "is a folder" if path.is_dir() else "has an unknown ending"
        raise InputError(f"{path}: {what}; allowed: a file that ends in {', '.join(ENDINGS)}")
    if not path.is_file():
        what = "is a folder, no file" if path.is_dir() else "does not exist"
        raise InputError(f"{path}: {what}; check the path")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: is empty; give a file with a header and at least two records")
    if path.name.lower().endswith(".parquet"):
        return _read_parquet(path)
    return read_csv(path, text=text)


def _conform(path: Path, schema: Schema) -> tuple[Table, tuple[str, ...]]:
    text = [column.name for column in schema.columns if column.discrete and _wants_text(column)]
    frame, read = read_frame(path, text=text)
    table, notes = conform_frame(frame, schema, source=str(path))
    return table, (*read, *notes)


def _wants_text(column: Column) -> bool:
    return any(isinstance(value, (str, bool)) for value in column.values)


def _read_parquet(path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    import pyarrow as pa
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(path).read()
    except pa.ArrowInvalid as error:
        raise InputError(f"{path}: is no Parquet file ({one_line(error)}); check how it was written") from None
    notes = []
    for name in [name for name in file.column_names if name.startswith("__index_level_")]:
        file = file.drop_columns([name])
        notes.append(f"{name!r} is a row index that pandas wrote; it is left out.")
    check_names(path, file.column_names)
    if len(file) == 0:
        raise InputError(f"{path}: has columns but no record; give at least one")
    columns = {name: _texts_coded(file[name]).to_pandas().rename(name) for name in file.column_names}
    return pd.DataFrame(columns, copy=False), tuple(notes)


def _texts_coded(column: Any) -> Any:
    """Give a text column Arrow's dictionary, so that no Python object is made of a cell."""
    import pyarrow as pa

    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return column.dictionary_encode() if is_text else column
