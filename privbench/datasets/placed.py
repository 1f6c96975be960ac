"""What became of a column that several files share: a column of the schema, an identifier, or nothing.

References
----------
M. Giomi et al., "A Unified Framework for Quantifying Privacy Risk in Synthetic Data", PoPETs 2023: direct identifiers
are no attribute to infer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privbench.datasets.cells import Codes, files
from privbench.datasets.texts import count
from privbench.schema import Column, Kind, Value

__all__ = ["MANY", "Identifier", "Placed", "identified", "left_out", "listed", "own_values"]

MANY = 200
"""A discrete column has at most this many values, and one more for others, and one for missing."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """A column that has a value of its own for nearly everybody, left out of the schema.

    Attributes
    ----------
    name : str
    train_in_synthetic, control_in_synthetic : int
        How many training and control records have a value that stands in the synthetic file, too.
    synthetic : int
        Rows of the synthetic file.
    counted : bool
        Whether the synthetic file numbers its own rows, from 0 or 1 in their order.
    words : bool
        Whether it holds free text: sentences of everybody's own.
    row : array of int, shape (n,), or None
        For each training record the row of the synthetic file that alone has its value, where the record alone has it
        in its own file; -1 where there is none.
    """

    name: str
    train_in_synthetic: int
    control_in_synthetic: int
    synthetic: int
    counted: bool = False
    words: bool = False
    row: NDArray[np.intp] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """What became of a column: one of the schema, an identifier, or nothing.

    Attributes
    ----------
    column : Column or None
    arrays : mapping of str to array
        For each role codes or numbers in the column's domain; empty without a column.
    identifier : Identifier or None
    said : tuple of str
        Sentences without their points.
    """

    column: Column | None
    arrays: Mapping[str, NDArray[Any]]
    identifier: Identifier | None
    said: tuple[str, ...]


def left_out(said: tuple[str, ...], why: str, identifier: Identifier | None = None) -> Placed:
    """Return a column that is no part of the schema, and why."""
    return Placed(None, {}, identifier, (*said, f"{why}; left out"))


def identified(
    name: str, found: Mapping[str, NDArray[np.bool_]], parts: Mapping[str, NDArray[Any]], said: tuple[str, ...], *,
    counted: bool = False, words: bool = False,
) -> Placed:  # fmt: skip
    """Return an identifier of these values; `found` says for each real record whether the release has its value."""
    train, control = int(found["training"].sum()), int(found["control"].sum()) if "control" in found else 0
    if words:
        why = f"text of its own for nearly everybody, left unasked ({train:,} of them stand in the release)"
    else:
        why = (
            f"a value of its own for nearly every training record, so an identifier ({train:,} of them in the release)"
        )
    row = np.where(found["training"], _row(parts["training"], parts["synthetic"]), -1)
    return left_out(said, why, Identifier(name, train, control, len(parts["synthetic"]), counted, words, row))


def _row(train: NDArray[Any], synthetic: NDArray[Any]) -> NDArray[np.intp]:
    """Return for each training value the place of the only synthetic one that equals it, -1 where it is not alone."""
    values, first, counts = np.unique(synthetic, return_index=True, return_counts=True)
    spots = np.minimum(np.searchsorted(values, train), len(values) - 1)
    _, place, times = np.unique(train, return_inverse=True, return_counts=True)
    alone = (values[spots] == train) & (counts[spots] == 1) & (times[place] == 1)
    return np.where(alone, first[spots], -1)


def listed(
    name: str, kind: Kind, values: list[Value], codes: dict[str, Codes], missing: Mapping[str, NDArray[np.bool_]],
    said: tuple[str, ...],
) -> Placed:  # fmt: skip
    """Return a discrete column; missing cells, whatever their codes, get a value of their own."""
    gaps = [key for key, mask in missing.items() if mask.any()]
    if gaps:
        codes = {key: np.where(missing[key], np.int32(len(values)), part) for key, part in codes.items()}
        values = [*values, None]
        said = (*said, f"missing in {files(gaps)}, a value of its own")
    return Placed(Column(name, kind, tuple(values), declared=False), codes, None, said)


def own_values(examples: list[str], new: int, lost: int) -> list[str]:
    """Say what only one of release and training file has."""
    dots = ", ..." if new > len(examples) else ""
    said = (
        [f"{count(new, 'value')} of the synthetic file never seen in training: {', '.join(examples)}{dots}"]
        if new
        else []
    )
    return [*said, f"{count(lost, 'value')} of the training file absent from the synthetic one"] if lost else said
