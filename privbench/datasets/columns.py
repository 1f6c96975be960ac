"""One column of a user's records: its kind, domain and clean values, and a sentence for each thing changed.

Work is done on distinct values, so a million records cost no loop over cells. Rows are counted from 1, without the
header. The rules are those listed in privbench/datasets/infer.py.

References
----------
pandas, "Missing data" and "Nullable integer data type": the types of column that are told apart here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from privbench.datasets.options import FileOptions
from privbench.errors import InputError
from privbench.schema import Column, Kind, Value

__all__ = [
    "CONTINUOUS_ABOVE",
    "DATE",
    "EXACT",
    "NUMBER",
    "as_text",
    "count",
    "plain_text",
    "read_column",
    "shown",
    "too_large",
]

CONTINUOUS_ABOVE = 20
"""Whole numbers with more different values than this are continuous, with at most this many ordinal."""

EXACT = 2.0**53
"""Whole numbers below are held exactly by a 64-bit float, as tables do."""

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DAY, _MONTH = r"(0?[1-9]|[12]\d|3[01])", r"(0?[1-9]|1[0-2])"
DATE = re.compile(
    rf"(\d{{4}}(?P<i>[-/.]){_MONTH}(?P=i){_DAY}|{_DAY}(?P<s>[-/.]){_DAY}(?P=s)\d{{4}}|{_DAY}/{_DAY}/\d\d)"
    r"([T ]+\d{1,2}:\d\d(:\d\d([.,]\d+)?)?( ?[AaPp][Mm])?( ?(Z|UTC|[+-]\d\d(:?\d\d)?))?)?",
    re.ASCII,
)
"""A date written with numbers, in any usual order, and perhaps a time of day."""

NUMERIC_TYPES = {"integer", "floating", "mixed-integer-float", "decimal", "empty"}


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
    holds = pd.api.types.infer_dtype(_inner(series), skipna=True)
    as_numbers = name in {*options.continuous, *options.bounds}
    _refuse_nested(series, holds, where)
    listed = name in options.categorical or (name in options.text and holds != "boolean")
    if listed or (series.isna().all() and not as_numbers):
        column, clean, said = _categories(*as_text(series), options, where)
    elif holds in NUMERIC_TYPES:
        column, clean, said = _numbers(series, options, where)
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
    return column, clean, [*said, _describe(column)]


def as_text(series: pd.Series[Any]) -> tuple[pd.Series[Any], tuple[str, ...]]:
    """Read any column as text: blanks around it removed, the empty text missing; and say what was changed."""
    codes, distinct = pd.factorize(series)
    raw = [value if isinstance(value, str) else plain_text(value) for value in distinct]
    texts = [text.strip() for text in raw]
    counts = np.bincount(codes[codes >= 0], minlength=len(raw))
    padded = [code for code, text in enumerate(raw) if text != texts[code]]
    notes = []
    if padded:
        notes.append(
            f"blanks around the text removed in {count(counts[padded].sum(), 'cell')}, as in {raw[padded[0]]!r}"
        )
    if any(not isinstance(value, str) for value in distinct):
        notes.append("read as text")
    values = sorted({*texts} - {""})
    position = {text: code for code, text in enumerate(values)}
    coded = np.array([*(position.get(text, -1) for text in texts), -1])[codes]  # -1 is missing
    clean = pd.Categorical.from_codes(coded, categories=pd.Index(values, dtype=object))
    return pd.Series(clean, index=series.index, name=series.name), tuple(notes)


def plain_text(value: object) -> str:
    """Write a value as text, a whole decimal number without its point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def shown(value: object) -> str:
    """Write a value for an error: on one line, and not all of a long one."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:76]} ..."


def too_large(where: str, value: object, row: int) -> InputError:
    """Build the error for a whole number that a 64-bit float cannot tell from its neighbours."""
    return InputError(
        f"{where}: value {value} (row {row}) is too large to be held exactly; allowed: whole numbers below 2^53 in "
        "magnitude; list the column under `categorical` if it is an identifier, else scale it down or drop it"
    )


def _inner(series: pd.Series[Any]) -> Any:
    return series.cat.categories if isinstance(series.dtype, pd.CategoricalDtype) else series


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


def _numbers(series: pd.Series[Any], options: FileOptions, where: str) -> tuple[Column, pd.Series[Any], list[str]]:
    name = str(series.name)
    holds = pd.api.types.infer_dtype(_inner(series), skipna=True)
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
        column, more = _domain(name, Kind.ORDINAL, values, missing, options, where)
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
    column = _column(where, name, Kind.CONTINUOUS, low=low, high=high, integer=whole, declared=name in options.bounds)
    if np.isinf(column.range):
        raise InputError(f"{where}: from {low:g} to {high:g} is too wide for a float; scale the column down")
    return column, pd.Series(numbers.astype(np.int64) if whole else numbers, index=series.index), said


def _categories(
    series: pd.Series[Any], said: Iterable[str], options: FileOptions, where: str
) -> tuple[Column, pd.Series[Any], list[str]]:
    name = str(series.name)
    values = sorted(series.dropna().unique())
    if len(values) > max(CONTINUOUS_ABOVE, len(series) / 2):
        many = f"{len(values):,} values in {len(series):,} records"
        said = [*said, f"{many} look like an identifier; leave the column out of the file if it is one"]
    kind = Kind.ORDINAL if name in options.ordinal else Kind.CATEGORICAL
    column, more = _domain(name, kind, values, series.isna().to_numpy(), options, where)
    return column, series, [*said, *more]


def _domain(
    name: str, kind: Kind, seen: Sequence[Value], missing: NDArray[np.bool_], options: FileOptions, where: str
) -> tuple[Column, list[str]]:
    """Return a discrete column: its declared values, or those seen, with None for empty cells."""
    said = []
    if missing.any():
        said = [f"{count(missing.sum(), 'empty cell')} read as the missing value, a value of its own"]
    if name not in options.domains:
        return _column(where, name, kind, (*seen, *([None] if missing.any() else [])), declared=False), said
    values = options.domains[name]
    if seen and all(isinstance(value, str) for value in seen):
        values = tuple(None if value is None else plain_text(value) for value in values)
    if len({*values}) < len(values):  # 1 == 1.0 == True
        raise InputError(f"{where}: its domain {list(values)} repeats a value; declare each value once")
    if missing.any() and None not in values:
        raise InputError(
            f"{where}: row {int(missing.argmax()) + 1} is empty, and the missing value is not in the declared domain; "
            "add null to it under `domains`, or fill the cell"
        )
    return _column(where, name, kind, values), said


def _column(
    where: str,
    name: str,
    kind: Kind,
    values: tuple[Value, ...] = (),
    *,
    low: float = 0.0,
    high: float = 1.0,
    integer: bool = False,
    declared: bool = True,
) -> Column:
    """Build a column; what is wrong with a declared domain is said of the file, too."""
    try:
        return Column(name, kind, values, low=low, high=high, integer=integer, declared=declared)
    except InputError as error:
        raise InputError(f"{where}{str(error).removeprefix(f'column {name!r}')}") from None


def _describe(column: Column) -> str:
    origin = "declared" if column.declared else "read off the records"
    if not column.discrete:
        sort = "whole numbers" if column.integer else "numbers"
        return f"continuous, {sort} from {column.low:.15g} to {column.high:.15g}, {origin}"
    shown = ", ".join(column.label(code) for code in range(min(8, column.size)))
    more = ", ..." if column.size > 8 else ""
    return f"{column.kind.value}, {count(column.size, 'value')}, {origin}: {shown}{more}"


def count(number: int, noun: str) -> str:
    """Write how many there are of a thing, with its plural."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _first(series: pd.Series[Any]) -> str:
    row = int(series.notna().to_numpy().argmax())
    return f"{shown(series.iloc[row])} (row {row + 1})"
