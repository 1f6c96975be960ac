"""What is wrong with a CSV file that a fast reader refused, and in which line.

The fast reader says little of where it stopped. A second, slow reading finds the line.

References
----------
Y. Shafranovich, "Common Format and MIME Type for Comma-Separated Values (CSV) Files", RFC 4180, 2005.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from pathlib import Path
from typing import IO

from privbench.datasets.dialect import Dialect
from privbench.errors import InputError

__all__ = ["BROKEN", "broken", "one_line", "open_text", "refuse_ragged", "undecodable"]

BROKEN = (OSError, EOFError, zlib.error, csv.Error)
"""What reading a damaged file raises."""


def open_text(path: str, dialect: Dialect) -> IO[str]:
    """Open a CSV file, plain or compressed with gzip, as text with its line ends as they are."""
    if path.lower().endswith(".gz"):
        return gzip.open(path, "rt", encoding=dialect.reading, newline="")
    return Path(path).open(encoding=dialect.reading, newline="")


def broken(path: str, error: object) -> InputError:
    """Build the error for a file that ends too early, or whose compression is damaged."""
    return InputError(f"{path}: cannot be read ({one_line(error)}); check that the file is complete")


def one_line(error: object) -> str:
    """Return a library's message as one short line."""
    return " ".join(str(error).split())[:200]


def refuse_ragged(path: str, width: int, dialect: Dialect) -> None:
    """Name the first line that has more or fewer cells than the header, or a quote left open.

    Raises
    ------
    InputError
        If there is such a line.
    """
    with open_text(path, dialect) as file:
        reader = csv.reader(file, delimiter=dialect.delimiter, strict=True)
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
                    f"the line, and quote a cell that holds the delimiter {dialect.delimiter!r}"
                )


def undecodable(path: str, dialect: Dialect) -> InputError:
    """Build the error for bytes that are no text, with the first such line."""
    number, encoding = 1, "UTF-8" if dialect.utf8 else dialect.encoding
    if dialect.utf8:
        try:
            with gzip.open(path) if path.lower().endswith(".gz") else Path(path).open("rb") as file:
                number += next((before for before, line in enumerate(file) if not _decodes(line)), 0)
        except BROKEN as error:
            return broken(path, error)
    return InputError(
        f"{path}: line {number} is not {encoding}; give the option --encoding (`encoding` in Python or a config), such "
        "as latin-1, or save the file as UTF-8"
    )


def _decodes(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
