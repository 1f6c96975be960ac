"""What to know about a user's file: its roles, and what to override of what would be read off it.

The same keys stand under `dataset:` in a config file. A column named in `bounds` or `domains` is declared; every
other one is read off the records, and a guarantee that rests on its domain says so.

References
----------
The rules by which the rest is inferred: privbench/datasets/infer.py.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from privbench.datasets.dialect import Dialect
from privbench.errors import InputError, unknown
from privbench.schema import Value

__all__ = ["FileOptions"]

KINDS = ("continuous", "categorical", "ordinal")


@dataclass(frozen=True)
class FileOptions:
    """A file, the roles of its columns, and what to override.

    Parameters
    ----------
    path : str
        A CSV (.csv, .csv.gz) or Parquet (.parquet) file.
    label : str or None
        The column that a downstream model predicts; it must be discrete.
    positive : Value
        The label's favourable value; None: the last one in sorted order, and a note says so. It needs a label.
    groups : tuple of str
        Protected columns; each must be discrete.
    continuous, categorical, ordinal : tuple of str
        Columns whose kind is not to be inferred. A categorical one is read as text, whatever it holds.
    bounds : mapping of str to (low, high)
        Declared bounds, both included; such a column is continuous. ``[0, 90]`` declares whole numbers, ``[0.0, 90.0]``
        any.
    domains : mapping of str to tuple of Value
        Declared values in their order, None (null in YAML) for the missing value. Such a column is ordinal if
        all its values are numbers, else categorical; `categorical` and `ordinal` override that.
    test : float or str
        The share of records kept as the test set, or the path of another file that holds the test records.
    name : str
        The data set's name in results; empty: the file's name.
    delimiter, encoding, decimal, thousands : str
        How a CSV file is written, as `Dialect` takes it.

    Raises
    ------
    InputError
        If a column is given two kinds, the share is not between 0 and 1, or a CSV file cannot be written so.
    """

    path: str
    label: str | None = None
    positive: Value = None
    groups: tuple[str, ...] = ()
    continuous: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    ordinal: tuple[str, ...] = ()
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    domains: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    test: float | str = 0.2
    name: str = ""
    delimiter: str = ","
    encoding: str = "utf-8"
    decimal: str = "."
    thousands: str = ""

    def __post_init__(self) -> None:
        try:
            _ = self.dialect
        except InputError as error:
            raise InputError(f"{self.path}: {error}") from None
        if not isinstance(self.test, str) and not 0 < self.test < 1:
            raise InputError(f"{self.path}: test = {self.test!r}; allowed: a share between 0 and 1, or a path")
        if self.positive is not None and self.label is None:
            raise InputError(f"{self.path}: positive = {self.positive!r} without a label; name the `label`, or drop it")
        continuous, discrete = {*self.continuous, *self.bounds}, {*self.ordinal, *self.domains}
        for first, second in ((continuous, discrete), (continuous, {*self.categorical})):
            if both := sorted(first & second):
                raise InputError(
                    f"{self.path}, column {both[0]!r}: continuous (under `continuous` or `bounds`) as well as "
                    "discrete (under `categorical`, `ordinal` or `domains`); keep one"
                )
        if both := sorted({*self.categorical} & {*self.ordinal}):
            raise InputError(f"{self.path}, column {both[0]!r}: under `categorical` and `ordinal`; keep one")

    @property
    def text(self) -> frozenset[str]:
        """Columns to be read as text: the categorical ones, and those whose declared values are no numbers."""
        return frozenset(self.categorical) | {
            name for name, values in self.domains.items() if not all(map(_is_number, values))
        }

    @property
    def dialect(self) -> Dialect:
        """How a CSV file is written."""
        return Dialect(self.delimiter, self.encoding, self.decimal, self.thousands)

    def named(self) -> list[tuple[str, str]]:
        """Return each (key, column) in which these options name a column."""
        pairs = [("label", self.label)] if self.label is not None else []
        for key in ("groups", *KINDS, "bounds", "domains"):
            pairs += [(key, name) for name in getattr(self, key)]
        return pairs

    @classmethod
    def from_mapping(cls, plain: Mapping[str, Any]) -> FileOptions:
        """Build options from a config's plain values; an unknown key or a wrong type is refused.

        Raises
        ------
        InputError
            Naming the key, what it holds and what it may hold.
        """
        known = [each.name for each in fields(cls)]
        where = f"dataset {plain['path']}" if isinstance(plain.get("path"), str) else "dataset"
        for key in plain:
            if key not in known:
                raise unknown(f"key under '{where}'", key, known)
        if "path" not in plain:
            raise InputError(f"dataset: no 'path' in {dict(plain)!r}; give the path of a CSV or Parquet file")
        return cls(**{key: _checked(key, value, where) for key, value in plain.items()})


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _is_pair(value: object) -> bool:
    if not isinstance(value, (list, tuple)) or len(value) != 2 or None in value or not all(map(_is_number, value)):
        return False
    return all(abs(end) <= sys.float_info.max for end in value)


def _checked(key: str, value: Any, where: str) -> Any:
    """Return one option in its own type."""
    match key, value:
        case (("path" | "name" | "label" | "test" | "delimiter" | "encoding" | "decimal" | "thousands"), str()):
            return value
        case "label", None:
            return value
        case "test", int() | float() if not isinstance(value, bool):
            return value
        case "positive", str() | int() | float() | None:
            return value
        case (("groups" | "continuous" | "categorical" | "ordinal"), list() | tuple()):
            if all(isinstance(name, str) for name in value):
                return tuple(value)
        case "bounds", Mapping():
            if all(map(_is_pair, value.values())):
                return {name: (low, high) for name, (low, high) in value.items()}
        case "domains", Mapping():
            if all(isinstance(values, (list, tuple)) and values for values in value.values()):
                return {name: tuple(values) for name, values in value.items()}
    allowed = {
        "path": "a path",
        "name": "a text",
        "label": "a column",
        "positive": "a value of the label",
        "test": "a share between 0 and 1, or a path",
        "bounds": "a mapping of columns to [low, high], two finite numbers",
        "domains": "a mapping of columns to lists of values",
        **dict.fromkeys(("delimiter", "encoding", "decimal", "thousands"), "a text"),
    }.get(key, "a list of columns")
    raise InputError(f"{where}: {key} = {value!r} is not allowed; allowed: {allowed}")
