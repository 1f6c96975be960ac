"""Who stands out of many people: more exposed than luck explains, as people about whom nothing can leak show it.

The share of the latter who reach a person's figure gives that person a p-value; people stand out whom the procedure of
Benjamini and Hochberg selects: on average at most `FALSE` of them are there by luck.

References
----------
Y. Benjamini and Y. Hochberg, "Controlling the False Discovery Rate", JRSS B 57, 1995.
S. Bates, E. Candès, L. Lei, Y. Romano and M. Sesia, "Testing for Outliers with Conformal p-values", Annals of
Statistics 51, 2023 (p-values from people about whom nothing leaks).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from privbench.scorers.intervals import Floats

__all__ = ["FALSE", "beside_luck"]

FALSE = 0.1
"""Share of the people who stand out that may be there by luck, on average."""


def beside_luck(own: Floats, nothing: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Compare figures with those of people about whom nothing can leak.

    Parameters
    ----------
    own : ndarray, shape (n,)
        High is exposed.
    nothing : ndarray, shape (m,)
        Finite; at least one.

    Returns
    -------
    reached : ndarray of int, shape (n,)
        How many of `own` are at least as high as each.
    as_high : ndarray of int, shape (n,)
        How many of `nothing` are.
    false_share : ndarray, shape (n,)
        The smallest share of luck at which each is selected: the p-value adjusted after Benjamini and Hochberg.
    """
    reached = len(own) - np.searchsorted(np.sort(own), own)
    as_high = len(nothing) - np.searchsorted(np.sort(nothing), own)
    p = (1 + as_high) / (1 + len(nothing))
    falling = np.argsort(-reached, kind="stable")
    share = np.minimum.accumulate(p[falling] * len(p) / reached[falling])
    adjusted = np.empty(len(p))
    adjusted[falling] = np.minimum(share, 1.0)
    return reached, as_high, adjusted
