r"""Naive Bayes from counts per class, those of randomised columns debiased.

The naive Bayes model of a label c and columns x needs no more than each column's distribution in each class,

.. math:: \log P[c \mid x] = \log P[c] + \sum_j \log P[x_j \mid c] + \text{const},

and a frequency oracle estimates that without bias from the reports of the people of the class. So, unlike a model
fitted on the reports' bits, it nears the naive Bayes of the clean records as people become many, at any epsilon.

References
----------
E. Yilmaz, M. Al-Rubaie and J. Chang, "Naive Bayes Classification under Local Differential Privacy", DSAA 2020.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from privbench.oracles import NumericOracle
from privbench.release import Release
from privbench.reports import Reports
from privbench.schema import Column
from privbench.table import Table, bin_count, to_bins

__all__ = ["naive_bayes"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

BINS = 20
_ROUNDS = 50


def naive_bayes(release: Release, records: Table, *, label: str) -> Floats:
    """Return the label's probabilities for clean records, learnt from a release of any kind.

    A column in the clear gives counts with half a record more in each cell. A randomised discrete one gives the
    unbiased estimate within the class, clipped at the very end: a share below one standard error of its own is set to
    that standard error (and half a record), which an estimate near 0 cannot be told from, and which vanishes as people
    become many. A continuous column is cut into at most 20 equal cells of its bounds; a randomised one's cells are
    filled by maximum likelihood (50 rounds of expectation maximisation).

    Parameters
    ----------
    release : Release
        What was published; the label in the clear.
    records : Table
        Real records, which hold every column but perhaps the label.
    label : str
        The discrete column to predict.

    Returns
    -------
    array of shape (len(records), k)
        Probabilities of the label's k values; 0 for one that no row has.
    """
    from scipy.special import softmax

    answers = release.values(label)
    present = np.unique(answers)
    score = np.tile(np.log([np.mean(answers == value) for value in present]), (len(records), 1))
    people = [np.flatnonzero(answers == value) for value in present]
    for column in release.schema.columns:
        if column.name == label:
            continue
        cells = to_bins(column, records[column.name], bins=BINS)
        for place, rows in enumerate(people):
            shares = _within(release, column, rows)
            score[:, place] += np.log(shares / shares.sum())[cells]
    probability = np.zeros((len(records), release.schema[label].size))
    probability[:, present] = softmax(score, axis=1)
    return probability


def _within(release: Release, column: Column, rows: Codes) -> Floats:
    """Return positive shares of a column's cells among these people, but for a common factor."""
    if not isinstance(release, Reports) or column.name not in release:
        cells = to_bins(column, release.values(column.name)[rows], bins=BINS)
        return np.bincount(cells, minlength=bin_count(column, BINS)).astype(np.float64) + 0.5
    if not column.discrete:
        return _likeliest(release, column, rows) + 0.5 / len(rows)
    estimate, spread, weight = np.zeros(column.size), np.zeros(column.size), 0
    for one in release.of(column.name):
        _, reports = one.of(rows)
        if len(reports) and not isinstance(one.oracle, NumericOracle):
            shares = one.oracle.estimate(reports)
            estimate += len(reports) * shares
            spread += len(reports) ** 2 * one.oracle.variance(np.clip(shares, 0, 1), reports=len(reports))
            weight += len(reports)
    if not weight:
        return np.ones(column.size)
    return np.asarray(np.maximum(estimate, np.sqrt(spread) + 0.5) / weight)


def _likeliest(release: Reports, column: Column, rows: Codes) -> Floats:
    """Return the shares of a continuous column's cells that make these people's reports likeliest."""
    count = bin_count(column, BINS)
    middles = column.low + (np.arange(count) + 0.5) / count * column.range
    likelihood = release.log_likelihood(column.name, rows, middles)
    likelihood = np.exp(likelihood - likelihood.max(axis=1, keepdims=True))
    shares: Floats = np.full(count, 1 / count)
    for _ in range(_ROUNDS):
        joint = likelihood * shares
        shares = np.asarray((joint / joint.sum(axis=1, keepdims=True)).mean(axis=0))
    return shares
