"""The largest ratio of two records' likelihoods under a local mechanism, from the channel that its oracles state.

At small domains every output occurs among some thousand reports, so that the ratio is exact: the largest over all
outputs and all pairs of values. It says what the mechanism would do if its code drew from the channel stated; whether
it does is for sampling to say.

References
----------
S. Kasiviswanathan, H. Lee, K. Nissim, S. Raskhodnikova and A. Smith, "What Can We Learn Privately?", SIAM J. Computing
40, 2011 (the definition).
W. Dinkelbach, "On Nonlinear Fractional Programming", Management Science 13, 1967 (the largest ratio of two sums).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from privbench.oracles import FakedOracle, FrequencyOracle, NumericOracle
from privbench.reported_column import ReportedColumn
from privbench.reports import Reports, Together

__all__ = ["largest_log_ratio"]

Floats = NDArray[np.float64]

# candidate numbers within the bounds of a continuous column
_NUMBERS = 65


def largest_log_ratio(release: Reports) -> float:
    """Return the largest log ratio of two records' likelihoods, over all pairs of records and all outputs seen.

    Parameters
    ----------
    release : Reports
        Of enough people for every output of a column to occur, each value of the domain among them.

    Returns
    -------
    float
        In the worst case over people, where a survey asks them for different columns.
    """
    total = np.zeros(release.private_records)
    for survey in release.surveys:
        if release.together is Together.JOINT:
            total += release.joint_epsilon
        elif release.together is Together.ONE_GENUINE:
            total += _one_genuine(survey)
        else:
            for one in survey:
                people = slice(None) if one.people is None else one.people
                total[people] += _of_column(one)
    return float(total.max(initial=0.0))


def _of_column(one: ReportedColumn) -> float:
    """Return the largest log ratio of one column's report, by its likelihood and by the p and q that it states."""
    if len(one.reports) == 0:
        return 0.0
    if isinstance(one.oracle, NumericOracle):
        told = one.oracle.log_likelihood(one.reports, np.linspace(one.column.low, one.column.high, _NUMBERS))
        return _widest(told)
    return max(_widest(one.oracle.log_likelihood(one.reports)), _of_support(one.oracle))


def _widest(told: Floats) -> float:
    """Return the largest difference within a row of log-likelihoods; infinite where only one of two is possible."""
    return float((told.max(axis=1) - told.min(axis=1)).max(initial=0.0))


def _of_support(oracle: FrequencyOracle) -> float:
    """Return the log ratio that p and q alone imply: of "supports this value" and of its opposite."""
    p, q = np.broadcast_arrays(np.asarray(oracle.p, dtype=np.float64), np.asarray(oracle.q, dtype=np.float64))
    if oracle.size == 1 or isinstance(oracle, FakedOracle):
        return 0.0
    with np.errstate(divide="ignore"):
        supported, not_supported = np.log(p) - np.log(q), np.log1p(-q) - np.log1p(-p)
    # for the support of a subset or of a hash cell p is 1 only where nothing is hidden
    return float(max(supported.max(), not_supported.max()))


def _one_genuine(survey: Sequence[ReportedColumn]) -> float:
    """Return the log ratio where one column is genuine, drawn at random and kept secret.

    A record's likelihood is the mean over columns of the odds that its report is genuine, so that the ratio is one of
    two sums, in which every column's output adds a pair of numbers of its own: its largest odds and its smallest.
    """
    pairs = []
    for one in survey:
        assert isinstance(one.oracle, FakedOracle), "reports of which one is genuine have oracles with fakes"
        odds = np.unique(np.exp(one.oracle.log_odds(one.reports)), axis=0)
        pairs.append((odds.max(axis=1), odds.min(axis=1)))
    ratio = 1.0
    for _ in range(100):
        places = [int(np.argmax(most - ratio * least)) for most, least in pairs]
        above = sum(float(most[place]) for place, (most, _) in zip(places, pairs, strict=True))
        below = sum(float(least[place]) for place, (_, least) in zip(places, pairs, strict=True))
        if below <= 0:
            return math.inf
        if above / below <= ratio * (1 + 1e-13):
            break
        ratio = above / below
    return math.log(ratio)
