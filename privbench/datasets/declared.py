"""The domain of a column: what a user declared, else what the records hold; and a line that says which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from privbench.datasets.options import FileOptions
from privbench.datasets.texts import count, plain_text
from privbench.errors import InputError
from privbench.schema import Column, Kind, Value

__all__ = ["build_column", "describe", "discrete_column"]


def discrete_column(
    name: str, kind: Kind, seen: Sequence[Value], missing: NDArray[np.bool_], options: FileOptions, where: str
) -> tuple[Column, list[str]]:
    """Return a discrete column: its declared values, or those seen, with None for empty cells."""
    said = []
    if missing.any():
        said = [f"{count(missing.sum(), 'empty cell')} read as the missing value, a value of its own"]
    if name not in options.domains:
        return build_column(where, name, kind, (*seen, *([None] if missing.any() else [])), declared=False), said
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
    return build_column(where, name, kind, values), said


def build_column(
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


def describe(column: Column) -> str:
    """Say in a line what kind of column it is, where its domain is from, and what that holds."""
    origin = "declared" if column.declared else "read off the records"
    if not column.discrete:
        sort = "whole numbers" if column.integer else "numbers"
        return f"continuous, {sort} from {column.low:.15g} to {column.high:.15g}, {origin}"
    shown = ", ".join(column.label(code) for code in range(min(8, column.size)))
    more = ", ..." if column.size > 8 else ""
    return f"{column.kind.value}, {count(column.size, 'value')}, {origin}: {shown}{more}"
