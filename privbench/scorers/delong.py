"""DeLong's area under the ROC curve, averaged over classes, with what each subject adds to its error.

References
----------
E. DeLong, D. DeLong and D. Clarke-Pearson, "Comparing the areas under two or more correlated ROC curves",
Biometrics 44, 1988.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from privbench.scorers.intervals import Floats

__all__ = ["delong"]


def delong(scores: Floats, *, positive: NDArray[np.bool_]) -> tuple[float, Floats, float]:
    """Return the AUC, macro-averaged over classes, with DeLong's influence values.

    For class c with m positives, n negatives and area A, a positive's influence is (V10 - A) / m and a
    negative's (V01 - A) / n, times the number of subjects; V10 (V01) is the share of the other side ranked
    below (above), ties half. A subject's influence on the mean area is its mean over the classes, so the
    classes' correlation is in it. For one class, or two that mirror each other, the variance is DeLong's. A
    class with a single positive shows no spread on that side; there the largest possible variance A (1 - A)
    is put in its place.

    Parameters
    ----------
    scores : ndarray, shape (K, N)
        Score of every subject for every class.
    positive : ndarray of bool, shape (K, N)
        Who has the class; every row must have both kinds.

    Returns
    -------
    auc : float
    influence : ndarray, shape (N,)
        ``sum(influence**2) / N**2`` estimates the variance of `auc`.
    size : float
        Trials to count where the variance says nothing (perfect ranking): max(K - 1, 1) times the harmonic
        mean of the classes' smaller sides.
    """
    classes, total = scores.shape
    order = np.argsort(scores, axis=1) + total * np.arange(classes)[:, None]  # places in the flattened arrays
    ranked, mine = scores.ravel()[order], positive.ravel()[order]
    seen = np.zeros((classes, total + 1))
    np.cumsum(mine, axis=1, out=seen[:, 1:])
    m = seen[:, -1:]
    n = total - m
    new = np.ones((classes, total), bool)
    np.not_equal(ranked[:, 1:], ranked[:, :-1], out=new[:, 1:])
    if new.all():
        positives_below = (seen[:, :-1] + seen[:, 1:]) / 2
        rank = np.arange(total) + 0.5
    else:  # everyone in a block of ties has the middle of the block
        start = np.flatnonzero(new)
        length = np.diff(start, append=new.size)
        row, first = np.divmod(start, total)
        block = (seen[row, first] + seen[row, first + length]) / 2
        positives_below = np.repeat(block, length).reshape(classes, total)
        rank = np.repeat(first + length / 2, length).reshape(classes, total)
    share = np.where(mine, (rank - positives_below) / n, 1 - positives_below / m)
    area = np.where(mine, share, 0).sum(axis=1, keepdims=True) / m
    for_positives, for_negatives = (np.sqrt(side / np.maximum(side - 1, 1)) * (total / side) for side in (m, n))
    spread = (share - area) * np.where(mine, for_positives, for_negatives)
    if min(m.min(), n.min()) == 1:  # a lone one shows no spread: the largest possible
        spread = np.where(np.where(mine, m, n) == 1, np.sqrt(area * (1 - area)) * total, spread)
    influence = np.empty(classes * total)
    influence[order] = spread
    size = max(classes - 1, 1) / float(np.mean(1 / np.minimum(m, n)))
    return float(area.mean()), influence.reshape(classes, total).mean(axis=0), size
