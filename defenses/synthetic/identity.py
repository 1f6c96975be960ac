"""The training rows themselves: the ceiling of leakage and of usefulness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from privbench.release import SyntheticTable
from privbench.table import Table

__all__ = ["Identity"]


@dataclass(frozen=True)
class Identity:
    """Publish the training rows as they are, in shuffled order: the ceiling that no defense can exceed.

    References
    ----------
    None: the control of every comparison.
    """

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        """Return the training rows in random order."""
        return SyntheticTable(train.take(rng.permutation(len(train))), private_records=len(train))
