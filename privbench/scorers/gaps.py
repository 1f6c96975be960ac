"""The largest difference, or ratio, between groups, with an interval that holds for all pairs at once.

References
----------
C. Bonferroni, "Teoria statistica delle classi e calcolo delle probabilità", 1936; O. Dunn, "Multiple Comparisons among
Means", JASA 56, 1961.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from privbench.scorers.intervals import LEVEL, Floats, Limits
from privbench.scorers.mover import mover

__all__ = ["bootstrap_gap", "bootstrap_ratio", "largest_gap"]


@lru_cache(maxsize=64)
def _pairs(groups: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the two places of every pair of groups."""
    first, second = np.triu_indices(groups, 1)
    return first, second


def largest_gap(
    estimates: Sequence[float], *, limits: Sequence[Limits], level: float = LEVEL
) -> tuple[float, float, float] | None:
    """Return the largest difference between groups with a simultaneous interval.

    Every pairwise difference gets a MOVER interval at level ``1 - (1 - level) / pairs``. Where all of them
    cover, which by Bonferroni happens with probability `level`, so does the result. The estimate itself is
    biased up where the groups are alike: read the lower limit.

    Parameters
    ----------
    estimates : sequence of float, length G
        One an independent group.
    limits : sequence of callables, length G
        Limits of every estimate as a function of the level.
    level : float
        Simultaneous confidence.

    Returns
    -------
    gap, low, high : float, or None with fewer than two groups
    """
    if len(estimates) < 2:
        return None
    first, second = _pairs(len(estimates))
    each = 1 - (1 - level) / len(first)
    lows, highs = np.array([limit(each) for limit in limits]).T
    values = np.asarray(estimates, float)
    low, high = mover(
        (1, -1),
        estimates=(values[first], values[second]),
        lows=(lows[first], lows[second]),
        highs=(highs[first], highs[second]),
    )
    gap = float(values.max() - values.min())
    return gap, max(float(low.max()), -float(high.min()), 0.0), max(-float(low.min()), float(high.max()))


def _percentiles(draws: Floats, level: float) -> tuple[Floats, Floats]:
    """Return outer order statistics a column, NaN left out; no interpolation, so infinite draws are fine."""
    ranked = np.sort(draws, axis=0)  # NaN last
    count = (~np.isnan(draws)).sum(axis=0)
    tail = (1 - level) / 2
    last = np.maximum(count - 1, 0)
    low = np.floor(tail * last + 1e-9).astype(int)
    high = last - low
    columns = np.arange(draws.shape[1])
    return ranked[low, columns], ranked[high, columns]


def bootstrap_gap(
    draws: Floats, *, estimates: Floats, comparisons: int | None = None, level: float = LEVEL
) -> tuple[float, float, float] | None:
    """Return the largest difference between groups with a simultaneous bootstrap percentile interval.

    Parameters
    ----------
    draws : ndarray, shape (B, G)
        Bootstrap draws of the groups' rates; NaN where a draw left a rate undefined.
    estimates : ndarray, shape (G,)
        The rates themselves.
    comparisons : int, optional
        How many differences share the level; default all pairs. Tails beyond 1/B end at the extreme draw.
    level : float
        Simultaneous confidence.

    Returns
    -------
    gap, low, high : float, or None with fewer than two groups
    """
    first, second = np.triu_indices(len(estimates), 1)
    if not len(first):
        return None
    each = 1 - (1 - level) / (comparisons or len(first))
    low, high = _percentiles(draws[:, first] - draws[:, second], each)
    gap = float(np.abs(estimates[first] - estimates[second]).max())
    floor, ceiling = np.nanmax(np.maximum(low, -high)), np.nanmax(np.maximum(-low, high))
    return gap, float(min(max(floor, 0.0), gap)), float(max(ceiling, gap))


def bootstrap_ratio(draws: Floats, *, estimates: Floats, level: float = LEVEL) -> tuple[float, float, float] | None:
    """Return the smallest ratio between groups with a simultaneous bootstrap percentile interval.

    As `bootstrap_gap`, over ordered pairs; None also where every rate is 0, since 0/0 is not a ratio.
    """
    if len(estimates) < 2 or estimates.max() <= 0:
        return None
    first, second = np.nonzero(~np.eye(len(estimates), dtype=bool))
    top, bottom = draws[:, first], draws[:, second]
    ratios = np.full(top.shape, np.nan)
    np.divide(top, bottom, out=ratios, where=bottom > 0)
    ratios[(bottom == 0) & (top > 0)] = np.inf
    low, high = _percentiles(ratios, 1 - (1 - level) / (len(first) / 2))
    ratio = float(estimates.min() / estimates.max())
    return ratio, float(min(np.nanmin(low), ratio)), float(min(max(np.nanmin(high), ratio), 1.0))
