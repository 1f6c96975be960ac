"""Whether the layout of dates that was given is one that a file's columns are written in.

A column of dates that is read as text is a list of codes, so that a guess of the next day counts as wrong.

References
----------
Python, "strftime() and strptime() Format Codes".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

import pandas as pd

from privbench.datasets.dates import looks_like_dates
from privbench.datasets.texts import shown
from privbench.errors import InputError

__all__ = ["LAYOUTS", "refuse_misdated"]

_DAYS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%m.%d.%Y",
         "%d.%m.%y", "%d/%m/%y", "%m/%d/%y")  # fmt: skip
_TIMES = ("", " %H:%M:%S", " %H:%M", "T%H:%M:%S", " %I:%M %p")
LAYOUTS = tuple(day + time for time, day in product(_TIMES, _DAYS))
"""The usual layouts; where a column fits several, the first is meant."""

SOME = 200
"""Different texts looked at before all are."""


def refuse_misdated(
    columns: Mapping[str, pd.Series[Any]], layout: str, where: str, *, text: Iterable[str]
) -> list[str]:
    """Refuse a file with dates none of which is written as was said.

    Parameters
    ----------
    columns : mapping of str to Series
        The file's columns.
    layout : str
        As `strptime` takes it.
    where : str
        How to begin an error: the file.
    text : iterable of str
        Columns that are no dates, whatever they look like.

    Returns
    -------
    list of str
        Where a column is written as said, a note on each other one that looks like dates.

    Raises
    ------
    InputError
        Naming a column, a value and the layout that it is written in.
    """
    fits, others = False, dict[str, tuple[str, str]]()
    for name, series in columns.items():
        texts = [] if name in {*text} else _texts(series)
        if _fits(texts, layout):
            fits = True
        elif other := next((one for one in LAYOUTS if _fits(texts, one)), ""):
            others[name] = next(one for one in texts if looks_like_dates([one], other)), other
    if not others or fits:
        return [
            f"column {name!r}: looks like dates written as {other!r}, not as {layout!r}; read as text."
            for name, (_, other) in others.items()
        ]
    name, (value, other) = next(iter(others.items()))
    raise InputError(
        f"{where}, column {name!r}: value {shown(value)} is not written as dates = {layout!r}, and no other column of "
        f"the file is; pass --dates {other!r}, or leave it out, as the usual layouts are known"
    )


def _texts(series: pd.Series[Any]) -> list[str]:
    if isinstance(series.dtype, pd.CategoricalDtype):
        distinct = series.cat.categories
    elif pd.api.types.is_object_dtype(series.dtype) or pd.api.types.is_string_dtype(series.dtype):
        distinct = pd.Index(series.map(lambda value: value if isinstance(value, str) else "").unique())
    else:
        return []
    return [bare for one in distinct if isinstance(one, str) and (bare := one.strip())]


def _fits(texts: list[str], layout: str) -> bool:
    return looks_like_dates(texts[:SOME], layout) and (len(texts) <= SOME or looks_like_dates(texts, layout))
