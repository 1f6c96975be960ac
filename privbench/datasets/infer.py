"""A schema read off a user's records: kinds, domains and bounds, with every decision listed and nothing guessed.

| what a column holds | kind |
| --- | --- |
| text, true/false | categorical; its values, sorted |
| whole numbers, at most `CONTINUOUS_ABOVE` (20) different ones | ordinal; its numbers, in order |
| more different whole numbers | continuous, whole numbers, from the smallest to the largest |
| other numbers | continuous, from the smallest to the largest |
| dates, be they dates of Parquet or text such as 2020-01-31, 31.01.2020, 01/31/2020 12:00 | an error (*) |
| numbers and text together, infinite numbers, whole numbers from 2^53 on, anything else | an error (*) |

(*) unless listed under `categorical`, where everything is kept exactly as text.

Numbers that arrive as decimals but are all whole (as pandas reads whole numbers beside an empty cell) are whole. An
empty cell of a discrete column is the missing value None, a value of its own; in a continuous column it is an error.
Blanks around a text are removed. A date has no order that the games know: give its year or days as a number. Whole
numbers from 2^53 on are told apart neither by a 64-bit float nor by a table.

References
----------
W. McKinney, "Data Structures for Statistical Computing in Python", SciPy 2010: the frame that is read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from privbench.dataset import Dataset
from privbench.datasets.columns import read_column
from privbench.datasets.number_column import CONTINUOUS_ABOVE
from privbench.datasets.options import FileOptions
from privbench.datasets.texts import plain_text
from privbench.errors import InputError, unknown
from privbench.schema import Column, Schema, Value

__all__ = ["CONTINUOUS_ABOVE", "FileOptions", "check_roles", "check_secret", "infer_schema"]


def infer_schema(
    frame: pd.DataFrame, *, source: str, overrides: FileOptions | None = None
) -> tuple[Schema, pd.DataFrame, tuple[str, ...]]:
    """Read a schema off a frame, and the frame in its terms.

    Parameters
    ----------
    frame : DataFrame of shape (n, d)
        At least two records under unique names.
    source : str
        What to call the frame in an error.
    overrides : FileOptions or None
        Roles, kinds, bounds and domains that are not to be inferred.

    Returns
    -------
    schema : Schema
        Columns in the frame's order, `declared` where `overrides` has bounds or a domain.
    clean : DataFrame of shape (n, d)
        The same records without blanks around texts, whole numbers as such, missing as NA.
    notes : tuple of str
        One short sentence for every coercion and every column.

    Raises
    ------
    InputError
        Naming source, column, value and row. That values lie in a declared domain is checked by `Table.from_frame`.
    """
    options = overrides or FileOptions(path=source)
    names = _checked_names(frame, source, options)
    columns: list[Column] = []
    clean: dict[str, pd.Series[Any]] = {}
    notes: list[str] = []
    for name in names:
        column, clean[name], said = read_column(frame[name], options, where=f"{source}, column {name!r}")
        columns.append(column)
        notes += [f"column {name!r}: {sentence}." for sentence in said]
    schema = Schema(tuple(columns), groups=options.groups, label=options.label)
    positive, said = check_roles(schema, options, source)
    return replace(schema, positive=positive), pd.DataFrame(clean, copy=False), (*notes, *said)


def check_roles(schema: Schema, options: FileOptions, source: str) -> tuple[Value, list[str]]:
    """Check groups and label; return the label's favourable value, and a note where that was not given.

    Raises
    ------
    InputError
        If one of them is continuous, the label has one value, or its favourable value does not occur.
    """
    for key, name in options.named():
        if key in {"label", "groups"} and not schema[name].discrete:
            raise InputError(
                f"{source}, column {name!r}: continuous, so it cannot stand under {key!r}; allowed: discrete columns; "
                "list it under `ordinal` or `categorical`, or cut it into classes"
            )
    if options.label is None:
        return None, []
    label = schema[options.label]
    values = [value for value in label.values if value is not None]
    if len(label.values) < 2 or not values:
        raise InputError(
            f"{source}, column {label.name!r}: has the one value {label.label(0)!r}; a label needs two or more, "
            "choose another column"
        )
    if options.positive is None:
        note = f"column {label.name!r}: the favourable value is {values[-1]!r}, the last; `positive` overrides it."
        return values[-1], [note]
    for value in values:
        if plain_text(value) == plain_text(options.positive):
            return value, []
    raise unknown(f"favourable value under 'positive' for {source}, column {label.name!r},", options.positive, values)


def check_secret(dataset: Dataset, name: str) -> None:
    """Refuse a secret that nobody needs to guess.

    Raises
    ------
    InputError
        If the column does not exist, or has a single possible or observed value.
    """
    schema, where = dataset.records.schema, dataset.path or dataset.name
    if name not in schema:
        raise unknown(f"secret in {where}", name, schema.names, hint="A secret is one of the columns.")
    column, seen = schema[name], np.unique(dataset.records[name])
    if len(seen) < 2:
        value = column.label(int(seen[0])) if column.discrete else f"{seen[0]:.15g}"
        raise InputError(
            f"{where}, column {name!r}: every record has the value {value!r}, so there is nothing to infer; a "
            "secret needs two values or more, choose another column"
        )


def _checked_names(frame: pd.DataFrame, source: str, options: FileOptions) -> list[str]:
    names = list(frame.columns)
    for name in names:
        if not isinstance(name, str) or not name:
            raise InputError(f"{source}: column name {name!r} is no text; give every column a name")
        if names.count(name) > 1:
            raise InputError(f"{source}: column {name!r} occurs {names.count(name)} times; give each a name of its own")
    for key, name in options.named():
        if name not in names:
            raise unknown(f"column under {key!r} for {source}", name, names)
    if len(frame) < 2 or not names:
        count = "no record" if len(frame) == 0 else "one record" if names else "no column"
        raise InputError(f"{source}: has {count}; at least two records are needed, check that the file is complete")
    return names
