"""One result row: a figure with everything needed to read it, or the reason why there is none."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from privbench.errors import DoesNotApplyError, MissingExtraError, PrivbenchError, TimeLimitError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["SCHEMA_VERSION", "Row", "Status", "failure", "to_arrow", "to_frame"]

SCHEMA_VERSION = 1
Status = Literal["ok", "skipped", "failed", "timeout", "unavailable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One flat row of results.

    Attributes
    ----------
    key : str
        Of the cell that the row belongs to.
    known, defense_params, attack_params : str
        Canonical JSON.
    epsilon, delta : float or None
        The budget actually spent, None where nothing is claimed.
    metric : str or None
        None in a row that only states a status.
    group : str or None
        None for everyone, ``sex=Female`` for one group, ``sex`` for a comparison of groups.
    n : int or None
        Number of people, records or rows behind `value`.
    value, low, high : float or None
        The figure and its 95 % interval.
    baseline, control, advantage : float or None
        What is scored without individual leakage (of stated confidence: what was stated), the score on people outside
        the training data, and the difference.
    seconds : float or None
        Spent in the plugin.
    """

    schema_version: int = SCHEMA_VERSION
    key: str
    code_version: str
    dataset: str
    dataset_sha256: str
    secret: str | None = None
    known: str
    game: str
    defense: str
    defense_params: str
    epsilon: float | None = None
    delta: float | None = None
    attack: str | None = None
    attack_params: str | None = None
    model: str | None = None
    seed: int
    metric: str | None = None
    group: str | None = None
    n: int | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    baseline: float | None = None
    control: float | None = None
    advantage: float | None = None
    status: Status = "ok"
    reason: str | None = None
    seconds: float | None = None


_DTYPES = {"int": "int64", "float": "float64", "str": "string"}


def to_arrow(rows: Iterable[Row]) -> pa.Table:
    """Return rows as an Arrow table with one fixed schema, also where there is no row."""
    import pyarrow as pa

    kinds = {"int": pa.int64(), "float": pa.float64(), "str": pa.string()}
    listed = list(rows)
    columns = {}
    for field in fields(Row):
        kind = kinds.get(str(field.type).split(" ")[0], pa.string())
        columns[field.name] = pa.array([getattr(row, field.name) for row in listed], type=kind)
    return pa.table(columns)


def to_frame(rows: Iterable[Row]) -> pd.DataFrame:
    """Return rows as a table with one fixed set of typed columns, also where there is no row.

    Counts that may be absent (`n`) are nullable integers; absent numbers are NaN, absent text is NA.
    """
    import pandas as pd

    listed = list(rows)
    columns = {}
    for field in fields(Row):
        base = str(field.type).split(" ")[0]
        dtype = "Int64" if field.name == "n" else _DTYPES.get(base, "string")
        columns[field.name] = pd.Series([getattr(row, field.name) for row in listed], dtype=dtype)
    return pd.DataFrame(columns)


def failure(error: BaseException) -> tuple[Status, str]:
    """Return what is recorded of an attack or a defense that raised: a status, and the reason in a sentence.

    Parameters
    ----------
    error : BaseException
        What it raised. Of an error that nobody meant to raise, the reason has its kind and the line that raised it too.
    """
    status: Status = "failed"
    if isinstance(error, DoesNotApplyError):
        status = "skipped"
    elif isinstance(error, TimeLimitError):
        status = "timeout"
    elif isinstance(error, MissingExtraError):
        status = "unavailable"
    text = " ".join(str(error).split()) or "no message"
    if isinstance(error, PrivbenchError):
        return status, text
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return status, f"{type(error).__name__}: {text}{where}"
