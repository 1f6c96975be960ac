"""Rank swapping: values change places with others of about the same rank, column by column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from defenses.rows.columns import check_columns, chosen, ranks
from privbench.errors import InputError
from privbench.release import AlteredRows
from privbench.table import Table

__all__ = ["RankSwap"]


@dataclass(frozen=True)
class RankSwap:
    """Swap each value with one whose rank is at most p percent of the records away, every column on its own.

    From the lowest rank up, a value that has not been swapped changes places with one drawn from those within reach
    above it that have not been either. So every column keeps its values exactly, and the relations between columns
    fade. Equal values stand in random order, an ordinal missing value before all others. Categories are ranked from the
    commonest to the rarest: most swaps within a common category change nothing, and a binary secret is left nearly as
    it was, which is the method's own weakness.

    Parameters
    ----------
    percent : float
        How far apart two swapped ranks may be, in percent of the number of records, more than 0 and at most 100;
        neighbouring ranks are always within reach.
    columns : tuple of str or None
        The columns that are altered; None for all, secrets included.

    References
    ----------
    R. Moore, "Controlled Data-Swapping Techniques for Masking Public Use Microdata Sets", US Bureau of the Census 1996.
    """

    percent: float = 5.0
    columns: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if not 0 < self.percent <= 100:
            raise InputError(f"percent must be more than 0 and at most 100, got {self.percent}")
        check_columns(self.columns)

    def release(self, train: Table, *, rng: np.random.Generator) -> AlteredRows:
        """Return the records with their values swapped."""
        names = chosen(self.columns, train, default=train.schema.names)
        reach = max(1, int(self.percent * len(train) / 100))
        altered = {}
        for name in names:
            values = train[name]
            order = np.lexsort((rng.random(len(values)), ranks(train.schema[name], values)))
            swapped = np.empty_like(values)
            swapped[order] = values[order[_partners(len(values), reach, rng)]]
            altered[name] = swapped
        return AlteredRows(train.replace(altered), private_records=len(train), altered=names)


def _partners(size: int, reach: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return for each rank the one it changes places with, itself where none is left within reach."""
    partner = np.arange(size)
    free = np.ones(size, dtype=bool)
    for rank, chance in enumerate(rng.random(size).tolist()):
        if not free[rank]:
            continue
        above = free[rank + 1 : rank + 1 + reach].nonzero()[0]
        if len(above):
            other = rank + 1 + above[int(chance * len(above))]
            partner[rank], partner[other] = other, rank
            free[other] = False
    return partner
