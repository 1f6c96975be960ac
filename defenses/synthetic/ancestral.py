"""Drawing rows column by column, each given those drawn before, so that counts come out as close as whole numbers can.

Independent draws would add sampling noise to a distribution that was paid for. Here the rows that share a condition
are laid out in random order and cut at the cumulative probabilities, shifted by one uniform number (systematic
sampling): every outcome has exactly its probability for every row, and among 131,072 rows its count is within one of
what is expected.

References
----------
W. Madow, "On the Theory of Systematic Sampling, II", Annals of Mathematical Statistics 20, 1949.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["draw_given"]

# rows drawn at a time: a random order of more would not fit in the processor's cache
_BLOCK = 1 << 17


def draw_given(
    condition: NDArray[np.integer], probability: NDArray[np.float64], *, rng: np.random.Generator
) -> NDArray[np.integer]:
    """Draw one outcome for every row, given the row's condition.

    Parameters
    ----------
    condition : array of int, shape (n,)
        Which of the c conditions a row is under.
    probability : array of float, shape (c, k)
        Weights of the k outcomes under each condition, not negative; a row of zeros stands for equal weights.
    rng : Generator
        The only source of randomness.

    Returns
    -------
    array of int, shape (n,), of the smallest unsigned type
    """
    conditions, outcomes = probability.shape
    cumulative = np.cumsum(probability, axis=1)
    last = cumulative[:, -1:].copy()
    with np.errstate(invalid="ignore", divide="ignore"):
        cumulative /= last
    cumulative[last[:, 0] <= 0] = np.arange(1, outcomes + 1) / outcomes
    smallest = np.min_scalar_type(max(outcomes - 1, 0))
    names = np.tile(np.arange(outcomes, dtype=smallest), conditions)
    drawn = np.empty(len(condition), dtype=smallest)
    for start in range(0, len(condition), _BLOCK):
        given = condition[start : start + _BLOCK]
        rows = np.bincount(given, minlength=conditions)
        cuts = np.ceil(cumulative * rows[:, None] - rng.random((conditions, 1))).astype(np.int64)
        cuts[:, -1] = rows
        np.clip(cuts, 0, rows[:, None], out=cuts)
        counts = np.diff(cuts, axis=1, prepend=0).ravel()
        # in random order within a condition: what was drawn before must not tell which outcome a row gets
        order = rng.permutation(len(given))
        order = order[np.argsort(given[order], kind="stable")]
        drawn[start : start + _BLOCK][order] = np.repeat(names, counts)
    return drawn
