"""One column of one file as it came: what sort of values it holds, its different texts, or its numbers.

Work is done on distinct values, so a million records cost no loop over cells.

References
----------
pandas, "Missing data" and "Categorical data": what may stand in a column of a frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from privbench.datasets.dates import days_of
from privbench.datasets.number_column import EXACT, NUMERIC_TYPES
from privbench.datasets.texts import plain_text, shown
from privbench.errors import InputError

__all__ = ["Cells", "Sort", "date_text", "files", "take_apart"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int32]
Sort = Literal["numbers", "text", "true/false", "dates", "nothing"]


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """One column of one file.

    Attributes
    ----------
    sort : str
        What it holds; ``nothing`` if every cell is missing.
    numbers : array of shape (n,) or None
        Numbers, or days for dates; NaN where missing. None for text and true/false.
    texts : array of shape (k,) of str
        The different texts, no blanks around them; empty for numbers and dates.
    codes : array of shape (n,)
        Positions in `texts`, -1 where missing; empty for numbers and dates.
    whole : bool
        Whether numbers were stored as whole ones.
    single : bool
        Whether numbers were stored in single precision.
    trimmed : int
        Different texts around which blanks were removed.
    """

    sort: Sort
    numbers: Floats | None = None
    texts: NDArray[np.object_] = field(default_factory=lambda: np.empty(0, dtype=object))
    codes: Codes = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    whole: bool = False
    single: bool = False
    trimmed: int = 0

    def renamed(self, texts: Sequence[str]) -> Cells:
        """Return the same with its different texts written otherwise."""
        return replace(self, texts=np.array(texts, dtype=object))

    def as_text(self) -> Cells:
        """Return the same as text: whole numbers without a point, dates as 2020-01-31."""
        if self.numbers is None:
            return self
        codes, distinct = pd.factorize(self.numbers)
        write = date_text if self.sort == "dates" else plain_text
        texts = np.array([write(value) if np.isfinite(value) else str(value) for value in distinct.tolist()], object)
        return replace(self, numbers=None, texts=texts, codes=codes.astype(np.int32))


def files(roles: Sequence[str]) -> str:
    """Name files by their roles: the training and control files."""
    *first, last = roles
    return f"the {', '.join(first)} and {last} files" if first else f"the {last} file"


def take_apart(series: pd.Series[Any], *, where: str) -> Cells:
    """Find out what a column holds.

    Parameters
    ----------
    series : Series of length n
    where : str
        How to begin an error: the source and the column.

    Raises
    ------
    InputError
        If a cell holds several values, such as a list.
    """
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        inner = take_apart(pd.Series(dtype.categories), where=where)
        return _take(inner, series.cat.codes.to_numpy())
    if pd.api.types.is_bool_dtype(dtype):
        codes = series.astype("Int8").to_numpy(na_value=-1)
        return _seen(Cells("true/false", texts=np.array(["False", "True"], dtype=object), codes=codes.astype(np.int32)))
    if pd.api.types.is_any_real_numeric_dtype(dtype):
        return _numbers(series)
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return _seen(Cells("dates", numbers=days_of(series)))
    if pd.api.types.is_timedelta64_dtype(dtype):
        return _seen(Cells("numbers", numbers=series.dt.total_seconds().to_numpy(dtype=np.float64) / 86_400))
    try:
        codes, distinct = pd.factorize(series)
    except (TypeError, ValueError):
        row = int(series.map(lambda value: hasattr(value, "__len__") and not isinstance(value, str)).argmax())
        raise InputError(
            f"{where}: value {shown(series.iloc[row])} (row {row + 1}) is no single value; allowed: numbers, text, "
            "true/false, dates; take it apart, or leave the column out of the file"
        ) from None
    return _take(_objects(np.asarray(distinct, dtype=object)), codes)


def _objects(values: NDArray[np.object_]) -> Cells:
    """Take different Python values apart, none of them missing."""
    holds = pd.api.types.infer_dtype(values, skipna=False)
    if holds in NUMERIC_TYPES - {"empty"}:
        if not any(_is_beyond(value) for value in values):
            numbers = values.astype(np.float64)
            return Cells("numbers", numbers=numbers, whole=holds == "integer")
    elif holds in {"datetime", "datetime64", "date"}:
        return Cells("dates", numbers=days_of(values))
    texts = [value if isinstance(value, str) else plain_text(value) for value in values]
    return _trimmed(texts, "true/false" if holds == "boolean" else "text")


def _is_beyond(value: Any) -> bool:
    """Whether a whole number is one that no 64-bit float tells from its neighbours."""
    return isinstance(value, (int, np.integer, Decimal)) and bool(value >= EXACT or value <= -EXACT)


def _trimmed(raw: list[str], sort: Sort) -> Cells:
    """Remove blanks around texts; an empty one is missing."""
    bare = [text.strip() for text in raw]
    codes, distinct = pd.factorize(np.array([text or None for text in bare], dtype=object))
    padded = [text for text, one in zip(raw, bare, strict=True) if text != one]
    texts = np.asarray(distinct, dtype=object)
    return Cells(sort, texts=texts, codes=codes.astype(np.int32), trimmed=len(padded))


def _take(inner: Cells, codes: NDArray[Any]) -> Cells:
    """Return the cells of all rows from those of the different values; -1 is missing."""
    codes = codes.astype(np.int64)
    if inner.numbers is not None:
        return _seen(replace(inner, numbers=np.append(inner.numbers, np.nan)[codes]))
    return _seen(replace(inner, codes=np.append(inner.codes, np.int32(-1))[codes]))


def _numbers(series: pd.Series[Any]) -> Cells:
    whole = pd.api.types.is_integer_dtype(series.dtype)
    values = series.to_numpy() if isinstance(series.dtype, np.dtype) else series.array
    if whole and any(bool(abs(float(end)) >= EXACT) for end in (series.max(), series.min()) if pd.notna(end)):
        codes, distinct = pd.factorize(values)
        texts = np.array([str(value) for value in distinct], dtype=object)
        return _seen(Cells("text", texts=texts, codes=codes.astype(np.int32)))
    numbers = pd.Series(values).to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    return _seen(Cells("numbers", numbers=numbers, whole=whole, single=str(series.dtype).lower() == "float32"))


def _seen(cells: Cells) -> Cells:
    """Drop texts that no row has, and say so if nothing is left."""
    if cells.numbers is not None:
        return replace(cells, sort="nothing") if np.isnan(cells.numbers).all() else cells
    used = np.bincount(cells.codes + 1, minlength=len(cells.texts) + 1)[1:] > 0
    if used.all() and len(used):
        return cells
    place = np.append(np.where(used, np.cumsum(used) - 1, -1), -1).astype(np.int32)
    return replace(
        cells, sort=cells.sort if used.any() else "nothing", texts=cells.texts[used], codes=place[cells.codes]
    )


def date_text(days: float) -> str:
    """Write days since 1970-01-01 as 2020-01-31, or as 2020-01-31T12:00:00 if they are not whole."""
    unit = "D" if days == np.floor(days) else "s"
    return str((np.datetime64(0, "s") + np.timedelta64(round(days * 86_400), "s")).astype(f"datetime64[{unit}]"))
