"""Whether a synthetic row stands for one person: the row with the same identifier, or in the same place of the file.

A file that was masked rather than made has a row for every person, and often its number, or its place. So pairs of
training record and row are taken two at a time, neighbours in the release, and the rows of each two are swapped: if
rows were made without a look at whose number or place they get, the partners are more alike as they stand as often as
they are swapped. Neighbours alone are compared, so that two files that are both sorted are not alike for that. Columns
count alike: equal values for categories, and classes of numbers that hold a tenth of the training records, so that
order within a class says nothing.

References
----------
J. Domingo-Ferrer and V. Torra, "A quantitative comparison of disclosure control methods for microdata", in
Confidentiality, Disclosure and Data Access, 2001: records of a masked file linked by how alike they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privbench.auditing.excess import LEVEL
from privbench.auditing.findings import Check
from privbench.datasets.alike import Identifier
from privbench.report.words import number
from privbench.schema import Column, Kind
from privbench.scorers.intervals import wilson_effective
from privbench.table import Table

__all__ = ["Link", "find_links"]

Places = NDArray[np.intp]

MOST = 100_000
"""Pairs of neighbours that are compared at most."""
_CLASSES = 10


@dataclass(frozen=True, slots=True)
class Link:
    """Whether one way to put records and rows together joins those of one person.

    Attributes
    ----------
    column : str or None
        The identifier; None where the place in the file joins them.
    found : bool
    check : Check
        ``linked-rows``; its value is the share of pairs of neighbours whose rows are more like the records they stand
        beside than if they were swapped, ties half.
    """

    column: str | None
    found: bool
    check: Check


def find_links(
    train: Table, synthetic: Table, identifiers: Sequence[Identifier], *, rng: np.random.Generator
) -> list[Link]:
    """Compare rows with the training records of the same identifier, and of the same place.

    Parameters
    ----------
    train, synthetic : Table
        Of one schema, in the order of their files.
    identifiers : sequence of Identifier
    rng : numpy.random.Generator
        Draws the pairs where there are too many.

    Returns
    -------
    list of Link
        One for each identifier of which two records or more stand in the release, and one for the place where both
        files have as many rows; none otherwise.
    """
    ways: list[tuple[str | None, Places, Places]] = []
    for one in identifiers:
        if one.row is not None and (one.row >= 0).sum() > 1:
            records = np.flatnonzero(one.row >= 0)
            ways.append((one.name, records, one.row[records]))
    if 1 < len(train) == len(synthetic):
        places = np.arange(len(train))
        if not any(np.array_equal(left, right) and len(left) == len(train) for _, left, right in ways):
            ways.append((None, places, places))
    level = 1 - (1 - LEVEL) / max(1, len(ways))
    return [_link(*way, train, synthetic, level=level, rng=rng) for way in ways]


def _link(
    column: str | None, records: Places, rows: Places, train: Table, synthetic: Table, *, level: float,
    rng: np.random.Generator,
) -> Link:  # fmt: skip
    order = np.argsort(rows, kind="stable")
    records, rows = records[order], rows[order]
    firsts = np.arange(0, len(rows) - 1, 2)
    if len(firsts) > MOST:
        firsts = np.sort(rng.choice(firsts, MOST, replace=False))
    first, second = ((train.take(records[at]), synthetic.take(rows[at])) for at in (firsts, firsts + 1))
    gain = np.zeros(len(firsts))
    for one in sorted(train.schema.columns, key=lambda one: one.name):  # by name, as sums of floats depend on the order
        classes = _classes(one, train)
        (a, made), (b, other) = ([_place(classes, part[one.name]) for part in pair] for pair in (first, second))
        gain += _alike(one, a, made) + _alike(one, b, other) - _alike(one, a, other) - _alike(one, b, made)
    gain = np.round(gain, 6)
    wins = (np.sign(gain) + 1) / 2
    value = float(wins.mean())
    low, high = wilson_effective(value, variance=float(wins.var()) / len(wins), n=len(wins), level=level)
    found = low > 0.5
    text = (
        f"synthetic rows are more like the training record {_beside(column)} than like its neighbour's in "
        f"{number(100 * value, places=1)} of 100 comparisons (50 if no row stands for a person; {2 * len(wins):,} rows)"
    )
    if found:
        text += ": rows stand for single people, and it can be told for whom. "
        text += "Shuffle the rows" if column is None else "Leave the column out"
        text += ", and find out whether they were made, or are records that were changed."
    else:
        text += "."
    return Link(
        column, found, Check("linked-rows", "alarm" if found else "fine", text, value, low, high, 2 * len(wins))
    )


def _beside(column: str | None) -> str:
    return "in the same place of its file" if column is None else f"with the same value of {column}"


def _classes(column: Column, train: Table) -> NDArray[np.generic] | None:
    """Return the edges of classes of numbers; None of categories, which are equal or not."""
    if column.kind is Kind.CATEGORICAL:
        return None
    shares = np.arange(1, _CLASSES) / _CLASSES
    return np.unique(np.quantile(train[column.name], shares, method="inverted_cdf"))


def _place(classes: NDArray[np.generic] | None, values: NDArray[np.generic]) -> NDArray[np.generic]:
    return values if classes is None else np.searchsorted(classes, values)


def _alike(column: Column, left: NDArray[np.generic], right: NDArray[np.generic]) -> NDArray[np.float64]:
    if column.kind is Kind.CATEGORICAL:
        return (left == right).astype(np.float64)
    return 1 - np.abs(left.astype(np.float64) - right.astype(np.float64)) / _CLASSES
