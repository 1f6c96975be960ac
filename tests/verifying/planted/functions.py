"""A user's function that draws its noise from a generator of its module: honest, unless anybody can know the seed."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pandas as pd

__all__ = ["DOMAINS", "EPSILON", "seeded", "unseeded"]

EPSILON = 0.5
DOMAINS = {"sex": ("sex0", "sex1"), "work": ("work0", "work1", "work2")}

UNSEEDED = np.random.default_rng()
SEEDED = np.random.default_rng(7)


def unseeded(train: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Publish the joint histogram with two-sided geometric noise for the exchange of a record."""
    return _published(train, UNSEEDED)


def seeded(train: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Do the same with the noise of a constant seed."""
    return _published(train, SEEDED)


def _published(train: pd.DataFrame, own: np.random.Generator) -> pd.DataFrame:
    cells = list(product(*(DOMAINS[name] for name in train.columns)))
    counts = pd.Series(list(train.itertuples(index=False, name=None))).value_counts().reindex(cells, fill_value=0)
    success = -math.expm1(-EPSILON / 2)
    noisy = counts.to_numpy() + own.geometric(success, len(cells)) - own.geometric(success, len(cells))
    return pd.DataFrame(
        [cell for cell, rows in zip(cells, noisy, strict=True) for _ in range(rows)], columns=train.columns
    )
