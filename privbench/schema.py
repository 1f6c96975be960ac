"""What the columns of a data set are: kind, domain and role of each.

A domain is public knowledge, never learnt from private records inside a defense. Where a schema was read off a user's
file, its columns say so (`declared` is false), and a guarantee that rests on it carries that as an assumption.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np

from privbench.errors import InputError, unknown

__all__ = ["Column", "Kind", "Schema", "Value"]

Value = str | int | float | bool | None
"""One value of a discrete domain; None is the missing value, a value of its own."""


class Kind(StrEnum):
    """How a column's values are to be read."""

    CATEGORICAL = "categorical"
    ORDINAL = "ordinal"
    CONTINUOUS = "continuous"


@dataclass(frozen=True)
class Column:
    """One column: its name, kind and domain.

    Parameters
    ----------
    name : str
        The column's name, unique in its schema.
    kind : Kind
        Categorical (unordered), ordinal (few numbers, in order) or continuous.
    values : tuple of Value
        The domain of a categorical or ordinal column, in a fixed order; None stands for "missing".
    low, high : float
        The bounds of a continuous column, both included.
    integer : bool
        Whether a continuous column holds whole numbers only.
    declared : bool
        False if the domain was read off the records rather than declared.

    Raises
    ------
    InputError
        If the domain is empty, repeats a value, or its bounds are not finite and in order.
    """

    name: str
    kind: Kind
    values: tuple[Value, ...] = ()
    low: float = 0.0
    high: float = 1.0
    integer: bool = False
    declared: bool = True

    def __post_init__(self) -> None:
        if self.kind is Kind.CONTINUOUS:
            if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low <= self.high):
                raise InputError(
                    f"column {self.name!r}: bounds [{self.low}, {self.high}] are not finite numbers in order; "
                    "declare low and high"
                )
        elif not self.values:
            raise InputError(f"column {self.name!r}: its domain is empty; declare its values")
        elif len(self._index) != len(self.values):
            raise InputError(f"column {self.name!r}: its domain repeats a value; declare each value once")

    @property
    def discrete(self) -> bool:
        """Whether the column has a finite list of values."""
        return self.kind is not Kind.CONTINUOUS

    @property
    def size(self) -> int:
        """Number of values of a discrete column.

        Raises
        ------
        InputError
            If the column is continuous.
        """
        if not self.discrete:
            raise InputError(f"column {self.name!r} is continuous and has no list of values")
        return len(self.values)

    @property
    def range(self) -> float:
        """Width of a continuous column's domain, high - low."""
        return float(self.high - self.low)

    @cached_property
    def _index(self) -> dict[tuple[type, Value], int]:
        # True == 1 == 1.0 in Python: the type is part of the value
        return {(type(value), value): code for code, value in enumerate(self.values)}

    def code(self, value: Value) -> int:
        """Return the position of `value` in the domain.

        Raises
        ------
        InputError
            If the value is not in the domain.
        """
        try:
            return self._index[(type(value), value)]
        except KeyError:
            raise unknown(f"value of column {self.name!r}", value, self.values) from None

    def label(self, code: int) -> str:
        """Return the value with this code, as text for people."""
        value = self.values[code]
        return "(missing)" if value is None else str(value)


@dataclass(frozen=True)
class Schema:
    """The columns of a data set in order, and the roles that some of them play.

    Parameters
    ----------
    columns : tuple of Column
        In the order of the file.
    secrets : tuple of str
        Columns that an adversary wants.
    groups : tuple of str
        Protected columns over which leakage and errors are compared.
    label : str or None
        What a downstream model predicts.
    positive : Value
        The label's value that counts as the favourable outcome.

    Raises
    ------
    InputError
        If a name is repeated or a role names no column.
    """

    columns: tuple[Column, ...]
    secrets: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    label: str | None = None
    positive: Value = None

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for name in self.names:
            if name in seen:
                raise InputError(f"column {name!r} occurs twice; every column needs a name of its own")
            seen.add(name)
        for name in (*self.secrets, *self.groups, *([self.label] if self.label is not None else [])):
            self[name]

    @cached_property
    def _columns(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __getitem__(self, name: str) -> Column:
        try:
            return self._columns[name]
        except KeyError:
            raise unknown("column", name, self.names) from None

    def select(self, names: Iterable[str]) -> Schema:
        """Return the schema of these columns, in the order given; roles of absent columns fall away."""
        columns = tuple(self[name] for name in names)
        kept = {column.name for column in columns}
        has_label = self.label in kept
        return Schema(
            columns,
            secrets=tuple(name for name in self.secrets if name in kept),
            groups=tuple(name for name in self.groups if name in kept),
            label=self.label if has_label else None,
            positive=self.positive if has_label else None,
        )

    def without(self, names: Iterable[str]) -> Schema:
        """Return the schema of all other columns."""
        dropped = set(names)
        return self.select(name for name in self.names if name not in dropped)

    def with_secrets(self, secrets: Sequence[str]) -> Schema:
        """Return the same columns with these as the secrets."""
        return replace(self, secrets=tuple(secrets))

    def undeclared(self, names: Iterable[str] | None = None) -> tuple[str, ...]:
        """Return the columns whose domain was read off the records."""
        return tuple(name for name in (self.names if names is None else names) if not self[name].declared)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Schema:
        """Build a schema from what `to_dict` gave, also after a trip through JSON."""
        columns = tuple(
            Column(**{**column, "kind": Kind(column["kind"]), "values": tuple(column["values"])})
            for column in plain["columns"]
        )
        return cls(
            columns,
            secrets=tuple(plain["secrets"]),
            groups=tuple(plain["groups"]),
            label=plain["label"],
            positive=plain["positive"],
        )

    @property
    def sha256(self) -> str:
        """Digest of the whole schema."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()
