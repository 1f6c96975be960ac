r"""Fairness of a classifier where each test record's group is known only through a randomised report.

A report supports the true group g with probability :math:`p_g` and supports it with :math:`q_g` where another one is
true, whatever the label and the prediction. So the number of records of group g in a cell c (label, prediction) has the
unbiased estimate

.. math:: \hat N_{gc} = \sum_{i \in c} \frac{S_{ig} - q_g}{p_g - q_g},

S being the support bits. Where a report is one category this solves :math:`M^T \hat N = \tilde N` for the transition
matrix :math:`M_{ag} = P[\text{report } g \mid \text{group } a]` and the reported counts; in this form it holds for
every frequency oracle. Ratios of the estimates are the corrected rates.

Left uncorrected, differences shrink towards 0: a group that is reported at random looks like everybody.

The largest of several noisy differences is biased upwards, the more the smaller the groups and the budget: where groups
are alike the corrected figure is all noise, a half-normal one for two groups. Read it with its interval.

References
----------
H. Mozannar, M. Ohannessian and N. Srebro, "Fair Learning with Private Demographic Data", ICML 2020.
J. Chen, N. Kallus, X. Mao, G. Svacha and M. Udell, "Fairness Under Unawareness", FAT* 2019.
D. Rubin, "The Bayesian Bootstrap", Annals of Statistics 9, 1981.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from privbench.errors import InputError
from privbench.scorers.compare import checked_binary
from privbench.scorers.gaps import bootstrap_gap
from privbench.scorers.intervals import LEVEL, Floats
from privbench.scorers.score import Score

__all__ = ["score_reported_groups"]

DRAWS = 1000
_BLOCK = 2_000_000  # weights drawn at once

# A rate is the share of some cells, (label, prediction) flattened, among others.
_RATES = {
    "selection": (np.array([0.0, 1.0, 0.0, 1.0]), np.ones(4)),
    "opportunity": (np.array([0.0, 0.0, 0.0, 1.0]), np.array([0.0, 0.0, 1.0, 1.0])),
    "alarm": (np.array([0.0, 1.0, 0.0, 0.0]), np.array([1.0, 1.0, 0.0, 0.0])),
}
_METRICS = (
    ("demographic_parity_difference", ("selection",)),
    ("equal_opportunity_difference", ("opportunity",)),
    ("equalized_odds_difference", ("opportunity", "alarm")),
)


def score_reported_groups(
    truth: ArrayLike,
    prediction: ArrayLike,
    *,
    support: NDArray[Any],
    p: float | Floats,
    q: float | Floats,
    labels: Sequence[str],
    column: str,
    rng: np.random.Generator,
    reference_prediction: ArrayLike | None = None,
    draws: int = DRAWS,
) -> list[Score]:
    """Score a binary classifier's fairness on n test records of which one randomised report of the group is known.

    Rows of the group column, each with a 95 % interval: `demographic_parity_difference`,
    `equal_opportunity_difference` and `equalized_odds_difference`, as ``..._reported`` (a record counts in the groups
    that its report supports, in equal shares, and nowhere if it supports none) and as ``..._corrected``.

    Intervals are a Bayesian bootstrap over test records with half a record more for every group and cell, as in
    `score_fairness`, that record's report being the mean one of those that support the group. They include what the
    randomisation adds. A group is left out of a rate whose denominator, the group's size or its number of positives
    or negatives, has an interval that reaches 0 at the level of the pairs: it is too small to divide by. With fewer
    than two groups left there is no row. Corrected differences above 1 are given as 1.

    Parameters
    ----------
    truth, prediction : array_like of 0 or 1, shape (n,)
        1 is the favourable label.
    support : array of shape (n, k)
        Which groups each record's report supports: bits, or shares of its rounds.
    p, q : float or array of shape (k,)
        Probability that a report supports the true group, and another given one.
    labels : sequence of str, length k
        The groups.
    column : str
        Name of the group column.
    rng : numpy.random.Generator
        For the bootstrap.
    reference_prediction : array_like of 0 or 1, shape (n,), optional
        Of the same model trained on real data; its figures, from the same reports, become the baselines.
    draws : int
        Bootstrap draws, at least 1.

    Returns
    -------
    list of Score

    Raises
    ------
    InputError
        If there is no record, shapes differ, truth or prediction are not 0 or 1, or p is not above q.
    """
    n, k = np.asarray(truth).size, len(labels)
    if n == 0 or draws < 1:
        raise InputError(f"need at least one test record and one draw; got {n} and {draws}")
    if np.shape(support) != (n, k):
        raise InputError(
            f"`support` must have one row a record and one column a group, ({n}, {k}); got {np.shape(support)}"
        )
    if k < 2:
        return []
    gap = np.broadcast_to(np.asarray(p, float) - q, (k,))
    if not (gap > 0).all():
        raise InputError(f"`p` must exceed `q` for every group, or its reports tell nothing of it; got p={p}, q={q}")
    cell = 2 * checked_binary(truth, n, "truth") + checked_binary(prediction, n, "prediction")
    other = None
    if reference_prediction is not None:
        other = 2 * checked_binary(truth, n, "truth") + checked_binary(reference_prediction, n, "reference_prediction")
    bits = np.asarray(support, float)
    supported = bits.sum(axis=1, keepdims=True)
    shares = np.divide(bits, supported, out=np.zeros_like(bits), where=supported > 0)
    weights = np.stack([shares, (bits - q) / gap])
    extra = _extra_records(weights, shares)
    drawn = _drawn(weights, cell, extra, draws=draws, rng=rng)
    rows = []
    for which, ending in enumerate(("reported", "corrected")):
        counts = _counts(weights[which], cell)
        before = None if other is None else _counts(weights[which], other)
        rows += _rows(ending, counts, drawn[:, which], before, column=column, n=n)
    return rows


def _counts(weight: Floats, cell: NDArray[np.intp]) -> Floats:
    """Return the estimated number of records of every group in every cell, ``(k, 4)``."""
    return np.stack([weight[cell == c].sum(axis=0) for c in range(4)], axis=1)


def _extra_records(weights: Floats, shares: Floats) -> Floats:
    """Return what the mean report that supports a group counts for, ``(2, k, k)``; without one, that group."""
    total = shares.sum(axis=0)
    mean = np.einsum("ig,wih->wgh", shares, weights) / np.where(total > 0, total, 1)[:, None]
    return np.where((total > 0)[:, None], mean, np.eye(len(total)))


def _drawn(weights: Floats, cell: NDArray[np.intp], extra: Floats, *, draws: int, rng: np.random.Generator) -> Floats:
    """Return bootstrap draws of the counts, ``(draws, 2, k, 4)``, but for a common factor."""
    k = weights.shape[2]
    found = np.empty((draws, 2, k, 4))
    # records with the same report and cell are drawn as one
    kinds, kind, size = np.unique(np.column_stack([cell, weights[1]]), axis=0, return_inverse=True, return_counts=True)
    first = np.empty(len(kinds), dtype=np.intp)
    first[kind.ravel()] = np.arange(len(cell))
    for c in range(4):
        mine = np.flatnonzero(kinds[:, 0] == c)
        both = np.concatenate(list(weights[:, first[mine]]), axis=1)
        total = rng.standard_gamma(0.5, size=(draws, k)) @ np.concatenate(list(extra), axis=1)
        for start in range(0, len(mine), max(1, _BLOCK // draws)):
            block = slice(start, start + max(1, _BLOCK // draws))
            total += rng.standard_gamma(size[mine[block]].astype(float), size=(draws, len(mine[block]))) @ both[block]
        found[..., c] = total.reshape(draws, 2, k)
    return found


def _rows(ending: str, counts: Floats, drawn: Floats, before: Floats | None, *, column: str, n: int) -> list[Score]:
    """Return the rows of one way of counting."""
    rates = {name: _rate(name, counts, drawn) for name in _RATES}
    rows = []
    for metric, names in _METRICS:
        parts = [rates[name] for name in names]
        if any(kept.sum() < 2 for _, _, kept in parts):
            continue
        pairs = sum(math.comb(int(kept.sum()), 2) for _, _, kept in parts)
        limits = [bootstrap_gap(sample, estimates=rate, comparisons=pairs) for rate, sample, _ in parts]
        value, low, high = (min(max(part), 1.0) for part in zip(*(x for x in limits if x), strict=True))
        baseline = None if before is None else max(_gap(before, name, rates[name][2]) for name in names)
        rows.append(Score(f"{metric}_{ending}", value, min(low, value), max(high, value), n, column, baseline))
    return rows


def _gap(counts: Floats, name: str, kept: NDArray[np.bool_]) -> float:
    """Return the largest difference in a rate among these groups."""
    hit, base = _RATES[name]
    return min(float(np.ptp(counts[kept] @ hit / (counts[kept] @ base))), 1.0)


def _rate(name: str, counts: Floats, drawn: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Return a rate of the groups that have it, its draws, and which groups those are."""
    hit, base = _RATES[name]
    sizes, trials = drawn @ base, counts @ base
    tail = (1 - LEVEL) / 2 / math.comb(len(counts), 2)
    kept = (np.quantile(sizes, tail, axis=0, method="lower") > 0) & (trials > 0)
    rate = counts[kept] @ hit / trials[kept]
    sample = np.divide(
        drawn[:, kept] @ hit, sizes[:, kept], out=np.full(sizes[:, kept].shape, np.nan), where=sizes[:, kept] > 0
    )
    return rate, sample, kept
