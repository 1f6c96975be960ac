"""Cell suppression: a random share of all cells is blanked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defenses.rows.columns import check_columns, chosen
from privbench.errors import InputError
from privbench.release import AlteredRows
from privbench.schema import Column
from privbench.table import Table, from_bins

__all__ = ["SuppressCells"]


@dataclass(frozen=True)
class SuppressCells:
    """Blank every cell with the same probability, whatever stands in it; all others are published as they are.

    The blanks are at random and not aimed at rare values, so what is left is a fair sample, and this is the weak end
    of every comparison. In a blank's place the table holds the missing value if the domain has one, else a value drawn
    from the column's cells that are left (the domain if none is); `suppressed` of the release says where.

    Parameters
    ----------
    share : float
        Probability that a cell is blanked, from 0 to 1.
    columns : tuple of str or None
        The columns that are altered; None for all, secrets included.

    References
    ----------
    L. Willenborg and T. de Waal, "Elements of Statistical Disclosure Control", Springer 2001 (local suppression).
    """

    share: float = 0.1
    columns: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise InputError(f"share must be from 0 to 1, got {self.share}")
        check_columns(self.columns)

    def release(self, train: Table, *, rng: np.random.Generator) -> AlteredRows:
        """Return the records with some of their cells blanked."""
        names = chosen(self.columns, train, default=train.schema.names)
        altered, suppressed = {}, {}
        for name in names:
            blank = rng.random(len(train)) < self.share
            if not blank.any():
                continue
            values = np.array(train[name])
            values[blank] = _placeholders(train.schema[name], values[~blank], int(blank.sum()), rng)
            altered[name], suppressed[name] = values, blank
        return AlteredRows(train.replace(altered), private_records=len(train), altered=names, suppressed=suppressed)


def _placeholders(column: Column, left: NDArray[Any], size: int, rng: np.random.Generator) -> NDArray[Any]:
    """Return values to stand where nothing is published; they rest on published cells and the domain alone."""
    if column.discrete and None in column.values:
        return np.full(size, column.code(None))
    if len(left):
        return left[rng.integers(len(left), size=size)]
    if column.discrete:
        return rng.integers(column.size, size=size)
    return from_bins(column, np.zeros(size, dtype=np.int64), bins=1, rng=rng)
