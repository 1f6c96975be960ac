"""Which columns a method alters, and the order in which it ranks a column's values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privbench.errors import InputError
from privbench.schema import Column, Kind
from privbench.table import Table

__all__ = ["check_columns", "chosen", "ranks"]


def check_columns(columns: tuple[str, ...] | None) -> None:
    """Refuse a list of columns that is empty or names one twice.

    Raises
    ------
    InputError
        With the list.
    """
    if columns is not None and (not columns or len(set(columns)) != len(columns)):
        raise InputError(f"columns: got {list(columns)}; name at least one column and each once, or leave it out")


def chosen(columns: tuple[str, ...] | None, train: Table, *, default: Iterable[str]) -> tuple[str, ...]:
    """Return the columns to alter in the order of the schema, so that the order of a list changes nothing.

    Raises
    ------
    InputError
        If a name is unknown, or there is no column to alter.
    """
    for name in columns or ():
        train.schema[name]
    wanted = set(default if columns is None else columns)
    names = tuple(name for name in train.schema.names if name in wanted)
    if not names:
        raise InputError("there is no column to alter: every column is a secret; name some in columns")
    return names


def ranks(column: Column, values: NDArray[Any]) -> NDArray[np.float64]:
    """Return `n` numbers that order a column's values, from 0 to 1 over its domain.

    A number stands where it lies between the bounds, an ordinal value by its rank, a missing one before all others. A
    category has no order of its own: the commonest is first, so that neighbours are about as rare as each other.
    """
    if not column.discrete:
        return np.asarray((values - column.low) / (column.range or 1.0), dtype=np.float64)
    if column.kind is Kind.ORDINAL:
        order = np.argsort([value is not None for value in column.values], kind="stable")
    else:
        order = np.argsort(-np.bincount(values, minlength=column.size), kind="stable")
    place = np.empty(column.size)
    place[order] = np.arange(column.size) / max(1, column.size - 1)
    return place[values]
