"""Least absolute differences: fit a distribution to each record, by first-order steps or as a linear programme."""

from __future__ import annotations

import warnings

import numpy as np

from attacks.group_sums import Floats, Sums, both, project
from privbench.errors import InputError

with warnings.catch_warnings():  # scipy.sparse adds a filter of its own when it is imported
    import scipy.sparse as sp
    from scipy.optimize import linprog

__all__ = ["absolute", "exact"]


def absolute(sums: Sums, answers: Floats, weights: Floats, *, start: Floats, steps: int = 300) -> Floats:
    """Minimise the weighted absolute values of A x - b, with every row of x a distribution, by first-order steps.

    The problem is ``sum_jv w_jv |(A x)_jv - b_jv|``. A primal-dual method with a step size for every record and every
    query; the answer is the mean of its last half.

    Parameters
    ----------
    sums : Sums
        A.
    answers, weights : array of shape (J, k)
        b and w; a weight of 0 leaves a query out.
    start : array of shape (k,)
        A distribution, from which the steps begin.
    steps : int
        Number of steps.

    Returns
    -------
    array of shape (n, k)

    References
    ----------
    T. Pock and A. Chambolle, "Diagonal Preconditioning for First Order Primal-Dual Algorithms in Convex Optimization",
    ICCV 2011.
    """
    two = answers.shape[1] == 2
    people = np.maximum(sums.records[:, None], 1).astype(np.float32)
    b, w, middle = (array.astype(np.float32) for array in (answers, weights, start))
    used = sums.back(w)
    width = used.sum(axis=1, keepdims=True) if two else used.max(axis=1, keepdims=True)
    down = 1 / np.maximum(width, np.float32(1e-12))
    x = np.tile(middle[1:] if two else middle, (sums.groups.shape[1], 1))
    ahead, dual, mean = x, np.zeros_like(b), np.zeros_like(x)
    for step in range(steps):
        total = sums.over(ahead)
        if two:
            total = np.column_stack([people - total, total])
        # rows of A and b count w times: the step of a query is one over w and its records, the dual is within 1
        dual = np.clip(dual + (total - b) / people, -1, 1)
        push = w * dual
        moved = project(x - down * sums.back(push[:, 1:] - push[:, :1] if two else push))
        ahead, x = 2 * moved - x, moved
        if 2 * step >= steps:
            mean += x
    return both(mean / np.float32(steps - (steps + 1) // 2))


def exact(sums: Sums, answers: Floats, weights: Floats) -> Floats:
    """Minimise the weighted absolute values of A x - b, with every row of x a distribution, as a linear programme.

    Parameters
    ----------
    sums, answers, weights
        As in `absolute`.

    Returns
    -------
    array of shape (n, k)

    Raises
    ------
    InputError
        If the solver (HiGHS, by interior points) gives up.
    """
    people, values = sums.groups.shape[1], answers.shape[1]
    used = [weights[:, value] > 0 for value in range(values)]
    told = np.concatenate([answers[mask, value] for value, mask in enumerate(used)])
    cost = np.concatenate([weights[mask, value] for value, mask in enumerate(used)])
    matrix = sums.matrix.astype(np.float64).tocsr()
    lead = sp.block_diag([matrix[mask] for mask in used])
    apart, nothing = sp.eye_array(len(told)), sp.csr_array((people, 2 * len(told)))
    # A x - above + below = b, and the rows of x sum to 1
    equations = [sp.hstack([lead, -apart, apart]), sp.hstack([*[sp.eye_array(people)] * values, nothing])]
    found = linprog(
        np.concatenate([np.zeros(people * values), cost, cost]),
        A_eq=sp.vstack(equations).tocsc(),
        b_eq=np.concatenate([told, np.ones(people)]),
        bounds=(0, None),
        method="highs-ipm",
    )
    if found.x is None:
        raise InputError(
            f"the linear programme of {people} records and {len(told)} queries was not solved ({found.message}); "
            "take another solver or fewer queries"
        )
    x = np.clip(found.x[: people * values].reshape(values, people).T, 0, 1)
    return np.asarray(x / x.sum(axis=1, keepdims=True))
