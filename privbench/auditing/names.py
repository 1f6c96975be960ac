"""Names of columns as people write them on a command line: one at a time, or in a list with commas."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from privbench.datasets.dialect import Dialect

__all__ = ["columns_of", "split_names"]


def split_names(given: Iterable[str], columns: Iterable[str]) -> tuple[str, ...]:
    """Return the names in texts that hold one or several of them.

    Parameters
    ----------
    given : iterable of str
        Each a name, or names with commas between them.
    columns : iterable of str
        The names that exist: a text that is one of them is not cut.

    Examples
    --------
    >>> split_names(["age, sex", "pay, net"], ["age", "sex", "pay, net"])
    ('age', 'sex', 'pay, net')
    """
    known = set(columns)
    found: list[str] = []
    for text in given:
        parts = [text] if text in known or "," not in text else [part.strip() for part in text.split(",")]
        found += [part for part in parts if part]
    return tuple(dict.fromkeys(found))


def columns_of(path: Path, dialect: Dialect) -> tuple[str, ...]:
    """Return the names of a file's columns, or none if it cannot be read: who reads the whole file says why.

    Parameters
    ----------
    path : Path
        A CSV file, plain or compressed, or a Parquet file.
    dialect : Dialect
        How a CSV file is written.
    """
    import csv
    import gzip

    try:
        if path.suffix.lower() == ".parquet":
            from pyarrow import parquet

            return tuple(parquet.read_schema(path).names)
        opened = gzip.open if path.suffix.lower() == ".gz" else open
        with opened(path, "rt", encoding=dialect.reading, newline="") as file:
            return tuple(name.strip() for name in next(csv.reader(file, delimiter=dialect.delimiter), []))
    except (OSError, EOFError, ValueError, csv.Error):  # pyarrow's errors are OSErrors or ValueErrors
        return ()
