"""A column of numbers: whether it is ordinal or continuous, and which numbers a table holds exactly.

References
----------
pandas, "Missing data" and "Nullable integer data type": the types of column that are told apart here.
"""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from privbench.datasets.declared import build_column, discrete_column
from privbench.datasets.options import FileOptions
from privbench.datasets.texts import shown
from privbench.errors import InputError
from privbench.schema import Column, Kind, Value

__all__ = ["CONTINUOUS_ABOVE", "EXACT", "NUMERIC_TYPES", "read_numbers", "too_large", "type_of"]

CONTINUOUS_ABOVE = 20
"""Whole numbers with more different values than this are continuous, with at most this many ordinal."""

EXACT = 2.0**53
"""Whole numbers below are held exactly by a 64-bit float, as tables do."""

NUMERIC_TYPES = {"integer", "floating", "mixed-integer-float", "decimal", "empty"}


def too_large(where: str, value: object, row: int) -> InputError:
    """Build the error for a whole number that a 64-bit float cannot tell from its neighbours."""
    return InputError(
        f"{where}: value {value} (row {row}) is too large to be held exactly; allowed: whole numbers below 2^53 in "
        "magnitude; list the column under `categorical` if it is an identifier, else scale it down or drop it"
    )


def type_of(series: pd.Series[Any]) -> str:
    """Return what pandas calls the type of a column's values, missing ones left out."""
    inner = series.cat.categories if isinstance(series.dtype, pd.CategoricalDtype) else series
    return pd.api.types.infer_dtype(inner, skipna=True)


def read_numbers(series: pd.Series[Any], options: FileOptions, where: str) -> tuple[Column, pd.Series[Any], list[str]]:
    """Return a column of numbers, ordinal or continuous, its clean values, and what is to be said of them.

    Raises
    ------
    InputError
        Naming the value and its row.
    """
    name = str(series.name)
    holds = type_of(series)
    numpy_type = holds == "decimal" or pd.api.types.is_any_real_numeric_dtype(series.dtype)
    plain: Any = "Float64" if pd.api.types.is_extension_array_dtype(series.dtype) or not numpy_type else np.float64
    try:
        numbers = series.astype(plain).to_numpy(dtype=np.float64, na_value=np.nan)
    except OverflowError:  # Python's own whole numbers have no largest one
        row = next(i for i, value in enumerate(series) if isinstance(value, int) and abs(value) >= EXACT)
        raise too_large(where, shown(series.iloc[row]), row + 1) from None
    missing = np.isnan(numbers)
    if (infinite := np.isinf(numbers)).any():
        row = int(infinite.argmax())
        raise InputError(
            f"{where}: value {series.iloc[row]} (row {row + 1}) is not finite; allowed: finite numbers; correct it, "
            "drop the row, or list the column under `categorical` to read it as text"
        )
    distinct = np.sort(pd.unique(numbers[~missing]))
    whole = bool((distinct == np.floor(distinct)).all())
    large = np.abs(numbers) >= EXACT if whole or holds != "floating" else np.zeros(0)  # else they are measurements
    for row in np.flatnonzero(large).tolist():
        if whole or not isinstance(series.iloc[row], (float, np.floating)):
            raise too_large(where, series.iloc[row], row + 1)
    if holds == "decimal" and not whole:
        said = ["exact decimal numbers are read as 64-bit floats"]
    else:
        decimals = whole and holds != "integer" and len(distinct) > 0
        said = ["decimal numbers that are all whole are read as whole numbers"] if decimals else []
    listed = name in options.ordinal or name in options.domains
    few = whole and len(distinct) <= CONTINUOUS_ABOVE
    if listed or (few and name not in options.continuous and name not in options.bounds):
        values: list[Value] = [int(value) if whole else float(value) for value in distinct]
        column, more = discrete_column(name, Kind.ORDINAL, values, missing, options, where)
        clean = pd.Series(numbers, index=series.index).astype("Int64" if whole else np.float64)
        return column, clean, [*said, *more]
    if missing.any():
        raise InputError(
            f"{where}: row {int(missing.argmax()) + 1} is empty or NaN, the first of {missing.sum():,}; a continuous "
            "column needs a number in every row; fill it, drop the rows, or list the column under `categorical`"
        )
    declared: tuple[Any, Any] | None = options.bounds.get(name)
    low, high = declared or (float(distinct[0]), float(distinct[-1]))
    if declared:  # what is declared must not depend on what one record happens to hold
        declared_whole = all(isinstance(bound, Integral) for bound in declared)
        if declared_whole and not whole:
            row = int((numbers != np.floor(numbers)).argmax())
            raise InputError(
                f"{where}: value {numbers[row]:g} (row {row + 1}) is not whole, but bounds [{low}, {high}] declare "
                f"whole numbers; for fractions write [{low}.0, {high}.0]"
            )
        whole = declared_whole
    column = build_column(
        where, name, Kind.CONTINUOUS, low=low, high=high, integer=whole, declared=name in options.bounds
    )
    if np.isinf(column.range):
        raise InputError(f"{where}: from {low:g} to {high:g} is too wide for a float; scale the column down")
    return column, pd.Series(numbers.astype(np.int64) if whole else numbers, index=series.index), said
