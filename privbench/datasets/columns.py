"""One column of a user's records: its kind, domain and clean values, and a sentence for each thing changed.

Work is done on distinct values, so a million records cost no loop over cells. Rows are counted from 1, without the
header. The rules are those listed in privbench/datasets/infer.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from privbench.datasets.declared import describe, discrete_column
from privbench.datasets.number_column import CONTINUOUS_ABOVE, NUMERIC_TYPES, read_numbers, type_of
from privbench.datasets.options import FileOptions
from privbench.datasets.texts import DATE, NUMBER, as_text, shown
from privbench.errors import InputError
from privbench.schema import Column, Kind

__all__ = ["read_column"]


def read_column(
    series: pd.Series[Any], options: FileOptions, *, where: str
) -> tuple[Column, pd.Series[Any], list[str]]:
    """Read the schema of one column off its values.

    Parameters
    ----------
    series : Series of length n
        A column of text, true/false or numbers.
    options : FileOptions
        What is not to be inferred.
    where : str
        How to begin an error: the source and the column.

    Returns
    -------
    column : Column
        Kind and domain.
    clean : Series of length n
        The values in the domain's terms; missing is NA.
    said : list of str
        What was changed or decided, the last one describing the column.

    Raises
    ------
    InputError
        Naming the value and its row.
    """
    name = str(series.name)
    holds = type_of(series)
    as_numbers = name in {*options.continuous, *options.bounds}
    _refuse_nested(series, holds, where)
    listed = name in options.categorical or (name in options.text and holds != "boolean")
    if listed or (series.isna().all() and not as_numbers):
        column, clean, said = _categories(*as_text(series), options, where)
    elif holds in NUMERIC_TYPES:
        column, clean, said = read_numbers(series, options, where)
    elif holds in {"string", "boolean", "mixed", "mixed-integer"}:
        notes = _one_sort(series, holds, where)
        if as_numbers or (name in options.ordinal and name not in options.domains):
            raise InputError(
                f"{where}: value {_first(series)} is no number; `continuous`, `bounds` and `ordinal` take numbers; "
                "give an order of texts under `domains`, or take the column out of that list"
            )
        text, more = (series.astype(object), ()) if holds == "boolean" else as_text(series)
        _refuse_dates(text, where)
        column, clean, said = _categories(text, (*notes, *more), options, where)
    else:
        raise InputError(
            f"{where}: value {_first(series)} is of the type {holds}; allowed: numbers, text, true/false; turn it "
            "into a number (a date into its year, say) or list the column under `categorical` to read it as text"
        )
    return column, clean, [*said, describe(column)]


def _refuse_nested(series: pd.Series[Any], holds: str, where: str) -> None:
    """Refuse lists and other values that cannot be compared."""
    if holds.startswith("mixed"):
        try:
            pd.factorize(series)
        except TypeError:
            raise InputError(
                f"{where}: value {_first(series)} is no single value; allowed: numbers, text, true/false; take it "
                "apart, or leave the column out of the file"
            ) from None


def _refuse_dates(series: pd.Series[Any], where: str) -> None:
    """Refuse text whose different values are dates, a tenth of them (or one) excepted, such as "unknown"."""
    distinct = [value for value in pd.unique(series.dropna()) if isinstance(value, str)]
    dates = {value for value in distinct if DATE.fullmatch(value)}
    others = len(distinct) - len(dates)
    if len(dates) > others and others <= max(1, len(distinct) // 10):
        row = int(series.isin(dates).to_numpy().argmax())
        raise InputError(
            f"{where}: value {shown(series.iloc[row])} (row {row + 1}) is a date, which has no order here; list the "
            "column under `categorical` to read it as text, or convert it to a number such as the year"
        )


def _one_sort(series: pd.Series[Any], holds: str, where: str) -> list[str]:
    """Refuse a mixture such as text and numbers, naming the first value of the rarest sort."""
    # True == 1 in Python: in a mixture each value goes with its type while values are compared
    typed = series.map(lambda value: (type(value), value), na_action="ignore") if holds.startswith("mixed") else series
    codes, distinct = pd.factorize(typed)
    values = [value[1] if isinstance(value, tuple) else value for value in distinct]
    native = any(not isinstance(value, str) for value in values)
    sorts = np.array([_sort(value, native) for value in values], dtype=object)
    counts = np.bincount(codes[codes >= 0], minlength=len(distinct))
    totals = {sort: int(counts[sorts == sort].sum()) for sort in sorted({*sorts} - {"blank"})}
    if len(totals) < 2:
        return ["numbers written as text stay text"] if "numbers" in totals and not native else []
    rarest, *others = sorted(totals, key=totals.__getitem__)
    odd = {"numbers": "a number", "objects": "an object"}.get(rarest, rarest)
    row = int(np.append(sorts == rarest, False)[codes].argmax())
    raise InputError(
        f"{where}: value {shown(series.iloc[row])} (row {row + 1}) is {odd} among {' and '.join(others)}; allowed: one "
        "sort in a column; correct the cell, leave it empty if it is missing, or list the column under `categorical` "
        "to read all of it as text"
    )


def _sort(value: object, native: bool) -> str:
    """Return what a value is; text in a file may be a number, text beside Python's own numbers is text."""
    if isinstance(value, str):
        if not value.strip():
            return "blank"
        return "numbers" if not native and NUMBER.fullmatch(value.strip()) else "text"
    return "true/false" if isinstance(value, (bool, np.bool_)) else "numbers" if np.isscalar(value) else "objects"


def _categories(
    series: pd.Series[Any], said: Iterable[str], options: FileOptions, where: str
) -> tuple[Column, pd.Series[Any], list[str]]:
    name = str(series.name)
    values = sorted(series.dropna().unique())
    if len(values) > max(CONTINUOUS_ABOVE, len(series) / 2):
        many = f"{len(values):,} values in {len(series):,} records"
        said = [*said, f"{many} look like an identifier; leave the column out of the file if it is one"]
    kind = Kind.ORDINAL if name in options.ordinal else Kind.CATEGORICAL
    column, more = discrete_column(name, kind, values, series.isna().to_numpy(), options, where)
    return column, series, [*said, *more]


def _first(series: pd.Series[Any]) -> str:
    row = int(series.notna().to_numpy().argmax())
    return f"{shown(series.iloc[row])} (row {row + 1})"
