"""The bootstrap: rows of the training data drawn with replacement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from privbench.errors import InputError
from privbench.release import SyntheticTable
from privbench.table import Table

__all__ = ["Resample"]


@dataclass(frozen=True)
class Resample:
    """Publish rows drawn from the training data with replacement: a generator that only copies.

    With as many rows as records a person is left out with probability 1/e, so with unique known columns no attack
    on a uniform binary secret is right more often than 1 - 1/(2e) = .816.

    Parameters
    ----------
    rows : int or None
        How many rows are released; None for as many as there are records.

    References
    ----------
    B. Efron, "Bootstrap Methods: Another Look at the Jackknife", Annals of Statistics 1979.
    """

    rows: int | None = None

    def __post_init__(self) -> None:
        if self.rows is not None and self.rows < 1:
            raise InputError(f"rows must be at least 1, got {self.rows}")

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        """Return the drawn rows."""
        drawn = rng.integers(len(train), size=self.rows or len(train))
        return SyntheticTable(train.take(drawn), private_records=len(train))
