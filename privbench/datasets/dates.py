"""Dates as numbers: days since 1970-01-01, a time of day being a part of a day.

A date has no order as text, but one as a number of days, and distances. Texts are read in the layouts that
privbench/datasets/texts.py knows as dates; whether the day or the month comes first is decided by all values of
a column in all files together, and where they leave it open, by what is usual: the month before a slash, else the day.
Either reading tells the same dates apart. A time zone is left aside.

References
----------
H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2013: days and the proleptic Gregorian calendar, as numpy
counts them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from privbench.datasets.texts import DATE
from privbench.errors import InputError

__all__ = ["check_format", "days_of", "days_of_texts", "looks_like_dates"]

_TIME = r"(?:[T ]+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d(?:[.,]\d+)?))?(?: ?(?P<half>[AaPp])[Mm])?)?"
_YEAR_FIRST = rf"^(?P<year>\d{{4}})[-/.](?P<first>\d\d?)[-/.](?P<second_>\d\d?){_TIME}"
_YEAR_LAST = rf"^(?P<first>\d\d?)[-/.](?P<second_>\d\d?)[-/.](?P<year>\d{{2,4}}){_TIME}"

Floats = NDArray[np.float64]


def check_format(layout: str) -> None:
    """Refuse a layout that `strptime` does not know or that gives no date.

    Raises
    ------
    InputError
        Naming the layout.
    """
    try:
        good = "%" in layout and bool(
            pd.notna(pd.to_datetime(pd.Timestamp(2001, 2, 3).strftime(layout), format=layout))
        )
    except (ValueError, TypeError):
        good = False
    if not good:
        raise InputError(
            f"dates = {layout!r} is no layout of dates; allowed: one such as '%d.%m.%Y' or '%Y-%m-%d %H:%M'"
        )


def looks_like_dates(texts: Collection[str], layout: str | None) -> bool:
    """Whether different texts are dates, a tenth of them (or one) excepted, such as "unknown"."""
    if not len(texts):
        return False
    if layout is None:
        dates = sum(DATE.fullmatch(text) is not None for text in texts)
    else:
        dates = int(np.isfinite(_by_layout(texts, layout)).sum())
    others = len(texts) - dates
    return dates > others and others <= max(1, len(texts) // 10)


def days_of(moments: Any) -> Floats:
    """Return days since 1970-01-01 of what pandas, numpy and Python hold as dates; NaN where there is none."""
    values = pd.Series(moments)
    if not pd.api.types.is_datetime64_any_dtype(values.dtype):  # Python's own dates and times
        plain = [value.replace(tzinfo=None) if hasattr(value, "tzinfo") else value for value in values]
        values = pd.Series(np.array(plain, dtype="datetime64[us]"))
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_localize(None)
    micro = values.to_numpy().astype("datetime64[us]")
    days: Floats = micro.astype(np.int64) / 86_400_000_000
    days[np.isnat(micro)] = np.nan
    return days


def days_of_texts(parts: Sequence[Collection[str]], layout: str | None) -> tuple[list[Floats], str]:
    """Read the different texts of one column in several files as days.

    Parameters
    ----------
    parts : sequence of collections of str
        The different texts of each file.
    layout : str or None
        As `strptime` takes it; None: the usual ones.

    Returns
    -------
    days : list of array
        For each file and text days since 1970-01-01, NaN where the text is no date.
    order : str
        ``"month first"`` or ``"day first"`` where the texts leave that open, else empty.
    """
    if layout is not None or not parts:
        return [_by_layout(part, layout or "") for part in parts], ""
    fields = [_fields(part) for part in parts]
    last = pd.concat([field[field["last"] & field["first"].notna()] for field in fields])
    day_first = bool((last["first"] > 12).any())
    month_first = bool((last["second_"] > 12).any())
    order = ""
    if day_first == month_first:  # open, or different in different rows
        month_first = bool(last["slash"].mean() > 0.5) if len(last) else False
        order = ("month first" if month_first else "day first") if len(last) else ""
    return [_days(field, month_first=month_first) for field in fields], order


def _fields(texts: Collection[str]) -> pd.DataFrame:
    """Take dates apart: a row a text, numbers or NaN."""
    series = pd.Series(list(texts), dtype=object)
    known = series.where(series.map(lambda text: DATE.fullmatch(text) is not None).astype(bool), "")
    front, back = known.str.extract(_YEAR_FIRST), known.str.extract(_YEAR_LAST)
    fields = front.where(front["year"].notna(), back)
    afternoon = fields.pop("half").str.lower()
    numbers = fields.apply(lambda field: pd.to_numeric(field.str.replace(",", ".", regex=False)))
    hours = numbers["hour"] % 12 + np.where(afternoon == "p", 12, 0)
    numbers["hour"] = numbers["hour"].where(afternoon.isna(), hours)
    numbers["last"] = back["year"].notna() & front["year"].isna()
    numbers["slash"] = known.str.contains("/", regex=False)
    # two digits: the century is POSIX's, 1969 to 2068
    short = numbers["year"] < 100
    numbers["year"] = numbers["year"].where(~short, numbers["year"] + np.where(numbers["year"] < 69, 2000, 1900))
    return numbers


def _days(fields: pd.DataFrame, *, month_first: bool) -> Floats:
    swapped = fields["last"] & (fields["second_"].le(12) if not month_first else fields["first"].gt(12))
    month = fields["second_"].where(swapped, fields["first"])
    day = fields["first"].where(swapped, fields["second_"])
    there = fields["year"].notna() & month.between(1, 12) & day.between(1, 31)
    months = ((fields["year"] - 1970) * 12 + month - 1)[there].to_numpy(dtype=np.int64).astype("datetime64[M]")
    dates = months.astype("datetime64[D]") + (day[there].to_numpy(dtype=np.int64) - 1)
    count = dates.astype(np.int64).astype(np.float64)
    count[dates.astype("datetime64[M]") != months] = np.nan  # 31 February
    hours = fields["hour"].fillna(0) + fields["minute"].fillna(0) / 60 + fields["second"].fillna(0) / 3600
    days = np.full(len(fields), np.nan)
    days[there.to_numpy()] = count + hours[there].to_numpy() / 24
    return days


def _by_layout(texts: Collection[str], layout: str) -> Floats:
    read = pd.to_datetime(pd.Series(list(texts), dtype=object), format=layout, errors="coerce")
    return days_of(read)
