"""What to know about the three files of an audit: roles of columns, kinds not to be inferred, and how CSV is written.

References
----------
The same options of a single file: privbench/datasets/options.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from privbench.datasets.dates import check_format
from privbench.datasets.dialect import Dialect
from privbench.datasets.options import FileOptions
from privbench.schema import Value

__all__ = ["AlikeOptions"]


@dataclass(frozen=True)
class AlikeOptions:
    """Roles of columns, kinds not to be inferred, and how all three files are written.

    Parameters
    ----------
    label : str or None
        The column that a downstream model predicts; it must be discrete.
    positive : Value
        The label's favourable value; None: the last one in sorted order.
    groups : tuple of str
        Protected columns; each must be discrete.
    continuous, categorical, ordinal : tuple of str
        Columns whose kind is not to be inferred. A categorical one is read as text, whatever it holds.
    delimiter, encoding, thousands, decimal : str
        How CSV files are written, as `Dialect` takes it.
    dates : str or None
        The layout of dates written as text, as ``"%d.%m.%Y"``; None: the usual ones are known.

    Raises
    ------
    InputError
        If a column is given two kinds, or a CSV file cannot be written so.
    """

    label: str | None = None
    positive: Value = None
    groups: tuple[str, ...] = ()
    continuous: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    ordinal: tuple[str, ...] = ()
    delimiter: str = ","
    encoding: str = "utf-8"
    thousands: str = ""
    decimal: str = "."
    dates: str | None = None

    def __post_init__(self) -> None:
        self.of_file("options")
        if self.dates is not None:
            check_format(self.dates)

    @property
    def dialect(self) -> Dialect:
        """How CSV files are written."""
        return Dialect(self.delimiter, self.encoding, self.decimal, self.thousands)

    def of_file(self, path: str) -> FileOptions:
        """Return the same of one file."""
        return FileOptions(
            path=path,
            label=self.label,
            positive=self.positive,
            groups=self.groups,
            continuous=self.continuous,
            categorical=self.categorical,
            ordinal=self.ordinal,
            delimiter=self.delimiter,
            encoding=self.encoding,
            thousands=self.thousands,
            decimal=self.decimal,
        )
