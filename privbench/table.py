"""Records that conform to a schema, held column by column and coded for speed.

A discrete column is an array of codes into its domain, a continuous one an array of numbers. The arrays cannot be
written to, so no plugin can alter what another one sees, and each owns its data: a table holds on to no other one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from privbench.errors import ContractError, InputError
from privbench.schema import Column, Kind, Schema

__all__ = ["Table", "bin_count", "from_bins", "one_hot", "to_bins"]

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Table:
    """Records that conform to a schema.

    Parameters
    ----------
    schema : Schema
        The columns.
    arrays : mapping of str to array
        For each column `n` codes (discrete, ``int32`` in ``[0, k)``) or `n` numbers (continuous, ``float64``).
    length : int or None
        Number of records; needed only where there is no column.

    Raises
    ------
    ContractError
        If a column is missing or extra, lengths differ, or a value lies outside its domain.
    """

    schema: Schema
    arrays: Mapping[str, Array]
    length: int | None = None

    def __post_init__(self) -> None:
        if set(self.arrays) != set(self.schema.names):
            odd = sorted(set(self.arrays) ^ set(self.schema.names))
            raise ContractError(f"a table's arrays must be the schema's columns; missing or extra: {', '.join(odd)}")
        clean = {column.name: _conform(column, self.arrays[column.name]) for column in self.schema.columns}
        lengths = {len(array) for array in clean.values()} | ({self.length} if self.length is not None else set())
        if len(lengths) != 1:
            raise ContractError(
                f"a table's columns must have one length, a table without columns a stated one; got {sorted(lengths)}"
            )
        object.__setattr__(self, "arrays", MappingProxyType(clean))
        object.__setattr__(self, "length", lengths.pop())

    def __reduce__(self) -> tuple[Any, ...]:
        # a read-only mapping cannot be pickled
        return Table, (self.schema, dict(self.arrays), self.length)

    def __len__(self) -> int:
        return self.length or 0

    def __getitem__(self, name: str) -> Array:
        self.schema[name]
        return self.arrays[name]

    def select(self, names: Iterable[str]) -> Table:
        """Return these columns, in the order given."""
        schema = self.schema.select(names)
        return Table(schema, {name: self.arrays[name] for name in schema.names}, len(self))

    def without(self, names: Iterable[str]) -> Table:
        """Return all other columns."""
        return self.select(self.schema.without(names).names)

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> Table:
        """Return these rows: positions (repeats allowed) or a mask."""
        return Table(
            self.schema, {name: array[rows] for name, array in self.arrays.items()}, len(np.arange(len(self))[rows])
        )

    def replace(self, arrays: Mapping[str, Array]) -> Table:
        """Return the table with some columns' values exchanged."""
        return Table(self.schema, {**self.arrays, **arrays}, len(self))

    def with_schema(self, schema: Schema) -> Table:
        """Return the same values under a schema with other roles."""
        return Table(schema, {name: self.arrays[name] for name in schema.names}, len(self))

    @staticmethod
    def concat(tables: Sequence[Table]) -> Table:
        """Return the rows of several tables of one schema, one after the other."""
        schema = tables[0].schema
        arrays = {name: np.concatenate([t.arrays[name] for t in tables]) for name in schema.names}
        return Table(schema, arrays, sum(len(t) for t in tables))

    def marginal(self, name: str) -> NDArray[np.float64]:
        """Return the shares of a discrete column's `k` values."""
        counts = np.bincount(self[name], minlength=self.schema[name].size).astype(np.float64)
        return counts / max(1.0, counts.sum())

    def features(self, names: Iterable[str] | None = None) -> NDArray[np.float32]:
        """Return a matrix for learners: numbers stay numbers, a categorical column becomes `k` indicator columns.

        A number counts from the lower bound of its column, so that single precision holds the differences between large
        numbers; an ordinal value is its rank, and a missing one rank 0 with an indicator column of its own. The width
        depends on the schema alone, so tables of one schema always agree.

        Returns
        -------
        array of shape (n, p)
        """
        blocks = [self._feature(name) for name in (self.schema.names if names is None else names)]
        return np.column_stack(blocks) if blocks else np.empty((len(self), 0), dtype=np.float32)

    def _feature(self, name: str) -> NDArray[np.float32]:
        column, array = self.schema[name], self[name]
        if column.kind is Kind.CATEGORICAL:
            return one_hot(array, column.size)
        if not column.discrete:
            return (array - column.low).astype(np.float32)[:, None]
        if None not in column.values:
            return array.astype(np.float32)[:, None]
        present = np.array([value is not None for value in column.values])
        ranks = np.where(present, np.cumsum(present) - 1, 0)
        return np.column_stack([ranks[array], ~present[array]]).astype(np.float32)

    def to_frame(self) -> pd.DataFrame:
        """Return the records as a DataFrame of plain values; missing is None."""
        return pd.DataFrame({column.name: _values(column, self.arrays[column.name]) for column in self.schema.columns})

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, schema: Schema, *, source: str) -> Table:
        """Code a DataFrame whose columns and values are those of the schema.

        Parameters
        ----------
        frame : DataFrame
            One row a record; the order of columns does not matter.
        schema : Schema
            Kinds and domains to hold it to.
        source : str
            What to call the frame in an error.

        Raises
        ------
        InputError
            Naming source, column and value, at the first column that does not conform.
        """
        for what, names in (
            ("lacks", [name for name in schema.names if name not in frame.columns]),
            ("has the unknown", [str(name) for name in frame.columns if name not in schema]),
        ):
            if names:
                shown = ", ".join(repr(name) for name in names)
                raise InputError(f"{source}: {what} column {shown}; allowed: {', '.join(schema.names)}")
        arrays = {column.name: _codes(column, frame[column.name], source) for column in schema.columns}
        return cls(schema, arrays, len(frame))

    @property
    def sha256(self) -> str:
        """Digest of schema and values."""
        digest = hashlib.sha256(self.schema.sha256.encode())
        for name in self.schema.names:
            digest.update(np.ascontiguousarray(self.arrays[name]).tobytes())
        return digest.hexdigest()


def one_hot(codes: Array, size: int) -> NDArray[np.float32]:
    """Return the ``(n, size)`` indicators of `n` codes."""
    hot = np.zeros((len(codes), size), dtype=np.float32)
    hot[np.arange(len(codes)), codes] = 1
    return hot


def bin_count(column: Column, bins: int) -> int:
    """Return how many cells a column has once a continuous one is cut into at most `bins` equal parts."""
    if column.discrete:
        return column.size
    return min(bins, int(column.range) + 1) if column.integer else bins


def to_bins(column: Column, values: Array, *, bins: int) -> NDArray[np.int64]:
    """Cut a continuous column into equal parts of its domain; a discrete one keeps its codes."""
    if column.discrete:
        return values.astype(np.int64)
    count = bin_count(column, bins)
    offset = values.astype(np.float64) - column.low
    if column.integer:
        return offset.astype(np.int64) * count // _whole_numbers(column)
    return np.clip(np.floor(offset / (column.range or 1.0) * count).astype(np.int64), 0, count - 1)


def from_bins(
    column: Column, cells: NDArray[np.integer], *, bins: int, rng: np.random.Generator
) -> NDArray[np.float64] | NDArray[np.int64]:
    """Draw a value uniformly within each cell that `to_bins` made; a discrete column keeps its codes."""
    if column.discrete:
        return cells.astype(np.int64)
    count = bin_count(column, bins)
    if not column.integer:
        return column.low + (cells + rng.random(len(cells))) / count * column.range
    # the first whole number of each cell, in exact integer arithmetic (a ceiling division)
    first = -(-np.arange(count + 1) * _whole_numbers(column) // count)
    return np.asarray(column.low + rng.integers(first[cells], first[cells + 1]), dtype=np.float64)


def _whole_numbers(column: Column) -> int:
    return int(column.range) + 1


def _conform(column: Column, array: Array) -> Array:
    """Return a read-only array in the column's type that owns its data, or refuse a value outside the domain."""
    shared = not array.flags.writeable and array.base is None
    if column.discrete:
        codes = np.array(array, dtype=np.int32, copy=None if shared else True)
        if codes.size and (codes.min() < 0 or codes.max() >= column.size):
            raise ContractError(f"column {column.name!r} has codes outside 0..{column.size - 1}")
        clean: Array = codes
    else:
        numbers = np.array(array, dtype=np.float64, copy=None if shared else True)
        if numbers.size and not (numbers.min() >= column.low and numbers.max() <= column.high):
            raise ContractError(f"column {column.name!r} has numbers outside [{column.low:g}, {column.high:g}] or NaN")
        clean = numbers
    clean.flags.writeable = False
    return clean


def _values(column: Column, array: Array) -> object:
    if column.discrete:
        plain = pd.Series(list(column.values), dtype=object).take(array).reset_index(drop=True)
        return plain if None in column.values else plain.infer_objects()
    return array.astype(np.int64) if column.integer else array.copy()


def _codes(column: Column, series: pd.Series, source: str) -> Array:
    """Code one column of a frame, naming the first value that does not conform."""
    where = f"{source}, column {column.name!r}"
    if not column.discrete:
        numbers = pd.to_numeric(series, errors="coerce").to_numpy(dtype=np.float64)
        wrong = ~((numbers >= column.low) & (numbers <= column.high))
        if column.integer:
            wrong |= numbers != np.floor(numbers)
        if wrong.any():
            kind = "whole numbers" if column.integer else "numbers"
            raise InputError(
                f"{where}: value {series[wrong].tolist()[0]!r} (row {int(wrong.argmax()) + 1}) is not allowed; "
                f"allowed: {kind} from {column.low:g} to {column.high:g}, no missing ones"
            )
        return numbers
    missing = series.isna().to_numpy()
    plain = series.astype(object).where(~missing, None)
    values, distinct = pd.factorize(plain, use_na_sentinel=False)
    known = {value: code for code, value in enumerate(column.values)}
    codes = np.array([known.get(None if pd.isna(value) else value, -1) for value in distinct], dtype=np.int32)[values]
    if (codes < 0).any():
        row = int((codes < 0).argmax())
        shown = ", ".join(column.label(code) for code in range(min(10, column.size)))
        more = f" ... ({column.size} in all)" if column.size > 10 else ""
        raise InputError(
            f"{where}: value {plain.iloc[row]!r} (row {row + 1}) is not in the domain; allowed: {shown}{more}"
        )
    return codes
