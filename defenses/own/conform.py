"""From a DataFrame that somebody else's program made to records of the training schema, and the claim made for it.

Values are matched by meaning, not by type: ``39.0`` is ``39``, ``"1"`` is ``1``, blanks around a text do not count, an
empty cell or NA is a missing value where the domain has one. What is left over is refused by name; numbers are rounded
and moved into their bounds where that is asked for.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from privbench.claim import Adjacency, Claim
from privbench.errors import InputError
from privbench.schema import Column, Schema, Value
from privbench.table import Table

__all__ = ["check_claim", "conform", "stated_claim"]

# how programs write that a value is missing
_MISSING = ("", "NA", "NaN", "nan", "None", "null", "<NA>")


def conform(frame: object, schema: Schema, *, source: str, repair: bool = False) -> Table:
    """Return the frame's rows as records of the schema.

    Parameters
    ----------
    frame : object
        Must be a DataFrame with every column of the schema and at least one row. Column names that a program changed
        where they are no plain words (``marital.status``) are recognised; an unnamed column of row numbers is dropped.
    schema : Schema
        What to conform to.
    source : str
        Whose frame it is, for errors.
    repair : bool
        Round numbers of a column of whole numbers, and move numbers beyond its bounds to them, instead of refusing.

    Raises
    ------
    InputError
        If it is no DataFrame, has no row, lacks a column or has another, or a value is not in its domain.
    """
    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"{source} must give a DataFrame; got {type(frame).__name__}")
    if len(frame) == 0:
        raise InputError(f"{source} gave no row; at least one is needed")
    frame = _named(frame, schema)
    lacking = [name for name in schema.names if name not in frame.columns]
    odd = [str(name) for name in frame.columns if name not in schema]
    if lacking or odd:
        said = [f"{what} {', '.join(map(repr, names))}" for what, names in (("lacks", lacking), ("has", odd)) if names]
        raise InputError(f"{source} gave other columns: it {' and '.join(said)}; needed: {', '.join(schema.names)}")
    if frame.columns.duplicated().any():
        twice = frame.columns[frame.columns.duplicated()][0]
        raise InputError(f"{source} gave column {twice!r} twice; give each once")
    arrays: dict[str, NDArray[Any]] = {
        column.name: _codes(column, frame[column.name], source)
        if column.discrete
        else _numbers(column, frame[column.name], source, repair=repair)
        for column in schema.columns
    }
    return Table(schema, arrays, len(frame))


def _named(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Return the frame with the schema's own names, and without an unnamed column of row numbers."""
    plain: dict[str, list[str]] = {}
    for name in schema.names:
        plain.setdefault(re.sub(r"\W", ".", name), []).append(name)
    renamed: dict[Any, Any] = {}
    for name in frame.columns:
        text = str(name)
        if name in schema:
            continue
        if text in ("", "Unnamed: 0"):
            frame = frame.drop(columns=name)
        elif len(alike := plain.get(re.sub(r"\W", ".", text), [])) == 1 and alike[0] not in frame.columns:
            renamed[name] = alike[0]
    return frame.rename(columns=renamed)


def _codes(column: Column, series: pd.Series, source: str) -> NDArray[np.int64]:
    try:
        codes, distinct = pd.factorize(series.astype(object), use_na_sentinel=False)
    except TypeError:
        raise InputError(
            f"{source}, column {column.name!r}: holds values that are no texts, numbers or true/false, lists for "
            f"instance; allowed: {', '.join(column.label(c) for c in range(min(10, column.size)))}"
        ) from None
    exact = {(type(value), value): code for code, value in enumerate(column.values)}
    alike: dict[str | None, int] = {}
    for position, known in enumerate(column.values):
        alike.setdefault(_meaning(known), position)
    found = np.empty(len(distinct), dtype=np.int64)
    for place, raw in enumerate(distinct):
        value = None if pd.isna(raw) else raw.item() if isinstance(raw, np.generic) else raw
        code: int | None = exact.get((type(value), value), alike.get(_meaning(value)))
        if code is None and isinstance(value, str) and value.strip() in _MISSING:
            code = alike.get(None)
        if code is None:
            row = int((codes == place).argmax()) + 1
            shown = ", ".join(column.label(c) for c in range(min(10, column.size)))
            more = f" ... ({column.size} in all)" if column.size > 10 else ""
            raise InputError(
                f"{source}, column {column.name!r}: value {value!r} (row {row}) is not in the domain; "
                f"allowed: {shown}{more}"
            )
        found[place] = code
    return found[codes]


def _meaning(value: Value) -> str | None:
    """Return one text for all ways of writing a value; None for a missing one."""
    if value is None:
        return None
    text = str(value).strip()
    if text.lower() in ("true", "false"):
        return text.lower()
    try:
        return str(int(text))  # exact, however long
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return text
    if number.is_integer():
        return str(int(number))
    return f"{number:.15g}" if np.isfinite(number) else text


def _numbers(column: Column, series: pd.Series, source: str, *, repair: bool) -> NDArray[np.float64]:
    numbers = pd.to_numeric(series, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    if series.dtype == object:
        # pandas is a few last bits off in texts; numpy reads them to the nearest float
        text = np.isfinite(numbers) & series.map(lambda value: isinstance(value, str)).to_numpy(dtype=bool)
        numbers = numbers.copy()
        numbers[text] = [float(value) for value in series[text]]
    wrong = ~np.isfinite(numbers)
    if wrong.any():
        raise InputError(
            f"{source}, column {column.name!r}: value {series[wrong].tolist()[0]!r} (row {int(wrong.argmax()) + 1}) is "
            f"no finite number; allowed: numbers from {column.low:g} to {column.high:g}, no missing ones"
        )
    clean = np.clip(np.round(numbers) if column.integer else numbers, column.low, column.high)
    # a number written to fifteen digits is no other number, however large it is
    last_digits = min(1e-14 * max(abs(column.low), abs(column.high)), 1e-3 if column.integer else np.inf)
    other = np.abs(clean - numbers) > last_digits
    if other.any() and not repair:
        row = int(other.argmax())
        raise InputError(
            f"{source}, column {column.name!r}: value {numbers[row]:g} (row {row + 1}) is not in the domain; allowed: "
            f"{'whole ' if column.integer else ''}numbers from {column.low:g} to {column.high:g}; with 'repair: true' "
            "numbers are rounded and moved there"
        )
    return clean


def check_claim(*, epsilon: float | None, delta: float, adjacency: Adjacency) -> None:
    """Refuse a guarantee that cannot be one.

    Raises
    ------
    InputError
        If epsilon is not positive and finite, or delta not in [0, 1).
    """
    if epsilon is None and delta != 0:
        raise InputError(f"delta is part of a guarantee, which needs an epsilon too; got delta {delta} alone")
    if epsilon is not None and not (epsilon > 0 and np.isfinite(epsilon)):
        raise InputError(f"epsilon must be a positive number or left out, got {epsilon}")
    if not 0 <= delta < 1:
        raise InputError(f"delta must be at least 0 and below 1, got {delta}")
    if adjacency not in tuple(Adjacency):
        raise InputError(f"adjacency: got {adjacency!r}; allowed: {', '.join(Adjacency)}")


def stated_claim(*, epsilon: float | None, delta: float, adjacency: Adjacency) -> Claim | None:
    """Return what the user says the program guarantees, marked as such; None without an epsilon."""
    if epsilon is None:
        return None
    said = "the guarantee is the word of whoever configured this generator: nothing here checked it"
    return Claim(epsilon, delta, Adjacency(adjacency), (said,))
