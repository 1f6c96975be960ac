"""Least squares: the distribution, or the single value, of each record that together miss the answers by least."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from attacks.group_sums import Floats, Singles, Sums, both, project

__all__ = ["squares", "whole"]


def squares(
    sums: Sums, answers: Floats, weights: Floats, *, start: Floats, pull: float = 1e-2, steps: int = 150
) -> Floats:
    """Minimise the weighted squares of A x - b, with every row of x a distribution, by first-order steps.

    The problem is ``sum_jv w_jv ((A x)_jv - b_jv)^2 + pull sum_iv (x_iv - start_v)^2``: the second term settles what no
    query tells.

    Parameters
    ----------
    sums : Sums
        A.
    answers, weights : array of shape (J, k)
        b and w; a weight of 0 leaves a query out.
    start : array of shape (k,)
        A distribution.
    pull : float
        Positive.
    steps : int
        Most steps; there are fewer where x has stopped moving.

    Returns
    -------
    array of shape (n, k)
    """
    found = np.zeros(0, dtype=np.float32)
    for x, step in _descend(sums, answers, weights, start, pull, np.zeros(steps)):
        found = x
        if np.abs(step).max() < 1e-4:
            break
    return both(found)


def whole(
    sums: Sums, answers: Floats, weights: Floats, *, start: Floats, pull: float = 1e-2, steps: int = 100
) -> Floats:
    """Minimise the weighted squares of A x - b while every row of x is led to a single value.

    To the problem of `squares` is added ``-s sum_iv d_iv x_iv^2``, where d is the diagonal of A'WA and s grows: from 1
    on, nothing but single values is a minimum. The records that the queries tell most of are decided first, and what
    they explain is no longer left to the others. The answer is the mean over the steps in which s grows: who is
    decided late stays open. Nothing says that it is the best of all assignments, which are too many to search.

    Parameters
    ----------
    sums, answers, weights, start, pull
        As in `squares`.
    steps : int
        Steps in which s grows to 1.5. Slower is not better: it follows the noise more closely.

    Returns
    -------
    array of shape (n, k)
    """
    first, last = np.zeros(60), np.full(20, 1.5)
    grows = np.concatenate([first, np.linspace(0, 1.5, steps), last])
    path = islice(_descend(sums, answers, weights, start, pull, grows), len(first), None)
    mean: float | Singles = 0.0
    for x, _ in path:
        mean = mean + x
    return both(np.asarray(mean / np.float32(steps + len(last))))


def _descend(
    sums: Sums, answers: Floats, weights: Floats, start: Floats, pull: float, sharper: Floats
) -> Iterator[tuple[Singles, Singles]]:
    """Yield x after each step and the step, one for each factor of the term that leads to single values.

    Projected gradient steps, a size for every record, are accelerated and restarted where they overshoot.

    References
    ----------
    A. Beck and M. Teboulle, "A Fast Iterative Shrinkage-Thresholding Algorithm for Linear Inverse Problems", SIAM
    Journal on Imaging Sciences 2009; B. O'Donoghue and E. Candès, "Adaptive Restart for Accelerated Gradient Schemes",
    Foundations of Computational Mathematics 2015.
    """
    people = sums.records[:, None]
    if answers.shape[1] == 2:
        # both answers speak of x_1, and their weighted mean is all that they say
        other, total = people - answers[:, :1], weights.sum(axis=1, keepdims=True)
        told = weights[:, :1] * other + weights[:, 1:] * answers[:, 1:]
        answers, weights, start = told / np.where(total > 0, total, 1), total, start[1:]
    b, w, middle = (array.astype(np.float32) for array in (answers, weights, start))
    # A'WA is at most the diagonal matrix of its row sums, as no entry is negative
    size = sums.back((weights * people).astype(np.float32)).max(axis=1, keepdims=True) + np.float32(pull)
    diagonal = sums.back(w) if sharper.any() else size
    even = np.float32(1 / max(2, w.shape[1]))
    x = np.tile(middle, (sums.groups.shape[1], 1))
    ahead, momentum = x, 1.0
    for factor in sharper:
        slope = sums.back(w * (sums.over(ahead) - b)) + np.float32(pull) * (ahead - middle)
        if factor > 0:
            slope -= np.float32(factor) * diagonal * (ahead - even)
        moved = project(ahead - slope / size)
        step = moved - x
        if float((slope * step).sum()) > 0:
            momentum = 1.0
        faster = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        ahead = moved + np.float32((momentum - 1) / faster) * step
        x, momentum = moved, faster
        yield x, step
