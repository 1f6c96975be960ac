"""One value for each class of records: a mean, a median or a mode.

References
----------
J. Domingo-Ferrer and V. Torra, "Ordinal, Continuous and Heterogeneous k-Anonymity Through Microaggregation", Data
Mining and Knowledge Discovery 2005 (the mean for numbers, the median for ordinal values, the mode for categories).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from privbench.schema import Column

__all__ = ["class_mean", "class_median", "class_mode"]

Classes = NDArray[np.int64]


def class_mean(column: Column, values: NDArray[np.float64], classes: Classes) -> NDArray[np.float64]:
    """Return for each of `n` records the mean of its class, moved into the domain of a continuous column.

    Parameters
    ----------
    column : Column
        Whole numbers if it says so, then the mean is rounded.
    values : array
        Numbers ``(n,)``.
    classes : array of int
        The class of each record, numbered from 0 without gaps.
    """
    sums = np.bincount(classes, weights=values - column.low)
    mean = sums / np.bincount(classes)
    offset = np.rint(mean) if column.integer else mean
    return np.clip(column.low + offset, column.low, column.high)[classes]


def class_median(
    values: NDArray[Any], order: NDArray[np.float64], classes: Classes, *, rng: np.random.Generator
) -> NDArray[Any]:
    """Return for each of `n` records the value in the middle of its class; of two middle ones either.

    Parameters
    ----------
    values : array
        Codes or numbers ``(n,)``.
    order : array
        Numbers by which the values are ordered.
    classes : array of int
        The class of each record, numbered from 0 without gaps.
    rng : Generator
        Chooses between two middle ones.
    """
    sizes = np.bincount(classes)
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    middle = first + (sizes - 1 + rng.integers(2, size=len(sizes))) // 2
    return values[np.lexsort((order, classes))[middle]][classes]


def class_mode(
    codes: NDArray[np.integer], size: int, classes: Classes, *, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return for each of `n` records the commonest code of its class, any of those that are equally common.

    Parameters
    ----------
    codes : array of int
        In [0, size), ``(n,)``.
    size : int
        Number of codes.
    classes : array of int
        The class of each record, numbered from 0 without gaps.
    rng : Generator
        Breaks ties.
    """
    cells, counts = np.unique(classes * size + codes, return_counts=True)
    owner = cells // size
    order = np.lexsort((rng.random(len(cells)), counts, owner))
    # the last cell of each owner has the highest count
    last = order[np.append(np.flatnonzero(np.diff(owner[order])), len(order) - 1)]
    return np.asarray(cells[last] % size, dtype=np.int64)[classes]
