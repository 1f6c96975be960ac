"""Confidence intervals of proportions, of other statistics in [0, 1], and of means over seeds.

A statistic is known by its estimate and by its *limits*: a function of the confidence level that returns the
lower and the upper limit. No interval is ever normal at 0 or 1. A statistic's *influence* values are one
number a subject, mean zero, such that the estimate's error is about their mean; its sampling variance is their
sum of squares over n^2.

References
----------
E. Wilson, "Probable inference", JASA 22, 1927.
C. Clopper and E. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
Biometrika 26, 1934.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "LEVEL",
    "Floats",
    "Limits",
    "clopper_pearson",
    "mean_of_proportions",
    "t_interval",
    "t_value",
    "wilson",
    "wilson_effective",
    "wilson_one",
    "z_value",
]

LEVEL = 0.95
Floats = NDArray[np.float64]
Limits = Callable[[float], tuple[float, float]]


@lru_cache(maxsize=256)
def z_value(level: float) -> float:
    """Return the two-sided standard normal quantile of a confidence level in (0, 1)."""
    return NormalDist().inv_cdf(0.5 + level / 2)


def wilson(successes: ArrayLike, *, n: ArrayLike, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Return Wilson's score limits of a proportion, for arrays.

    Parameters
    ----------
    successes : array_like
        In [0, n]; need not be whole (a tie among several guesses counts as its share).
    n : array_like
        Number of trials, broadcast against `successes`; need not be whole. 0 trials give (0, 1).
    level : float
        Confidence, in (0, 1).

    Returns
    -------
    low, high : ndarray of float
        In [0, 1], exactly 0 at 0 successes and exactly 1 at n; never equal to each other.
    """
    x, m = np.broadcast_arrays(np.asarray(successes, float), np.asarray(n, float))
    safe = np.where(m > 0, m, 1.0)
    low, high = _wilson_roots(np.minimum(np.maximum(x, 0.0), safe), safe, z_value(level) ** 2, np.sqrt)
    return np.where(m > 0, low, 0.0), np.where(m > 0, high, 1.0)


def wilson_one(successes: float, *, n: float, level: float = LEVEL) -> tuple[float, float]:
    """Return `wilson` of one proportion: the same formula without the cost of arrays."""
    if n <= 0:
        return 0.0, 1.0
    return _wilson_roots(min(max(successes, 0.0), n), n, z_value(level) ** 2, math.sqrt)


def _wilson_roots(x: Any, m: Any, z2: float, sqrt: Callable[[Any], Any]) -> tuple[Any, Any]:
    # Roots of (m + z2) p^2 - (2 x + z2) p + x^2 / m; their product gives the small one without cancellation.
    root = sqrt(z2 * (z2 + 4 * x * (m - x) / m))
    return 2 * x * x / m / (2 * x + z2 + root), 1 - 2 * (m - x) * (m - x) / m / (2 * (m - x) + z2 + root)


def clopper_pearson(hits: ArrayLike, *, n: ArrayLike, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Return Clopper and Pearson's exact limits of a proportion, for arrays: each misses with at most (1 - level) / 2.

    Parameters
    ----------
    hits : array_like
        In [0, n]; need not be whole, as the limits are quantiles of beta distributions.
    n : array_like
        Number of trials, broadcast against `hits`; need not be whole. 0 trials give (0, 1).
    level : float
        Confidence of both limits together, in (0, 1); one of them alone has (1 + level) / 2.

    Returns
    -------
    low, high : ndarray of float
        In [0, 1], exactly 0 at no hit and exactly 1 at n.
    """
    from scipy.special import betaincinv

    x, m = np.broadcast_arrays(np.asarray(hits, float), np.asarray(n, float))
    misses, tail = m - x, (1 - level) / 2
    low = np.where(x > 0, betaincinv(np.maximum(x, 1e-9), misses + 1, tail), 0.0)
    high = np.where(misses > 0, betaincinv(x + 1, np.maximum(misses, 1e-9), 1 - tail), 1.0)
    return low, high


def wilson_effective(
    mean: float, *, variance: float, n: float, freedom: int | None = None, level: float = LEVEL
) -> tuple[float, float]:
    """Return Wilson limits of a statistic in [0, 1] at its effective sample size.

    The statistic counts as a proportion of ``mean (1 - mean) / variance`` trials. Where that says nothing
    (variance zero but for rounding, or the mean at 0 or 1) it counts as one of `n` trials, so the width is
    never zero.

    Parameters
    ----------
    mean : float
        The estimate, in [0, 1].
    variance : float
        The estimated sampling variance of `mean`, not negative.
    n : float
        Positive.
    freedom : int, optional
        Degrees of freedom of `variance`, where it is a mean's: it is then enlarged by the square of Student's
        quantile over the normal one.
    level : float
        Confidence, in (0, 1).
    """
    if freedom:
        variance *= (t_value(freedom, level) / z_value(level)) ** 2
    p = min(max(float(mean), 0.0), 1.0)
    unit = p * (1 - p)
    size = unit / variance if variance > 1e-9 * unit / n and unit > 0 else n
    return wilson_one(p * size, n=size, level=level)


@lru_cache(maxsize=4096)
def t_value(freedom: int, level: float) -> float:
    """Return the two-sided quantile of Student's distribution of a confidence level in (0, 1)."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.5 + level / 2))


def mean_of_proportions(successes: ArrayLike, *, n: ArrayLike) -> tuple[float, float, float]:
    """Return the unweighted mean of K independent proportions with what `wilson_effective` needs for its limits.

    Each proportion's variance is taken at a value shrunk towards the mean by four trials: a class of two with
    no success is not known to have no variance. MOVER over K Wilson intervals is not used here because it
    misses on one side where many small proportions are averaged, as they are near chance: with 15 classes of
    33 trials at .07 its 95 % lower limit exceeds the truth in 8 % of samples, its 99.5 % limit in 5 %; this
    one's in 3 % and .3 %.

    Parameters
    ----------
    successes, n : array_like, shape (K,)
        Successes, not necessarily whole, and trials, each at least 1.

    Returns
    -------
    mean, variance, size : float
        `size` is what K equal proportions would weigh together: K^2 over the sum of 1/n.

    References
    ----------
    A. Agresti and B. Coull, "Approximate is better than exact", The American Statistician 52, 1998 (four trials).
    """
    x, m = np.asarray(successes, float), np.asarray(n, float)
    mean = float((x / m).mean())
    shrunk = (x + 4 * mean) / (m + 4)
    return mean, float((shrunk * (1 - shrunk) / m).sum()) / m.size**2, m.size**2 / float((1 / m).sum())


def t_interval(values: ArrayLike, *, level: float = LEVEL) -> tuple[float, float] | None:
    """Return Student's t limits of the mean over seeds.

    Parameters
    ----------
    values : array_like, shape (S,)
        One figure a seed.
    level : float
        Confidence, in (0, 1).

    Returns
    -------
    low, high : float, or None
        None with one value, and where all values are equal: seeds that never differ say nothing about the
        spread, and a width of zero would claim certainty.
    """
    x = np.asarray(values, float)
    if x.size < 2 or np.ptp(x) <= 1e-12 * np.abs(x).max():
        return None
    half = t_value(x.size - 1, level) * float(x.std(ddof=1)) / np.sqrt(x.size)
    return float(x.mean() - half), float(x.mean() + half)
