"""What people's own reports tell of two records: which they support, and how much likelier they are of the one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from privbench.oracles import FakedOracle, FrequencyOracle, NumericOracle
from privbench.reported_column import ReportedColumn
from privbench.table import Table

__all__ = ["Told", "contrast", "contrast_of_odds", "told_by"]

Floats = NDArray[np.float64]

# a log-likelihood is not trusted beyond that: its exponential would leave the range of floats
_LARGEST = 700


@dataclass(frozen=True, slots=True)
class Told:
    """What n reports of a column tell of two records.

    Parameters
    ----------
    support : array of shape (n, 2), or (n, 1)
        Whether a report supports either record's value, or what share of its rounds; of a number its unbiased estimate.
    log_likelihood : array of shape (n, 2)
        Of either record, up to a constant a report.
    odds : array of shape (n, 2)
        That the report is genuine, if either were the record; 0 where all are.
    """

    support: Floats
    log_likelihood: Floats
    odds: Floats


def told_by(one: ReportedColumn, reports: NDArray[Any], record: Table, other: Table, *, faked: bool) -> Told:
    """Return what some of a column's reports tell.

    Parameters
    ----------
    one : ReportedColumn
        The column and its randomiser.
    reports : array, first axis n
    record, other : Table
        Of one row each.
    faked : bool
        Whether a report may be a fake.
    """
    pair = [record[one.column.name][0], other[one.column.name][0]]
    odds = np.zeros((len(reports), 2))
    # what kind an oracle is follows from column and release; to look at its methods takes ten times longer
    if not one.column.discrete:
        numeric = cast(NumericOracle, one.oracle)
        told = numeric.log_likelihood(reports, np.asarray(pair, dtype=np.float64))
        return Told(np.asarray(numeric.debias(reports), dtype=np.float64)[:, None], told, odds)
    oracle = cast(FrequencyOracle, one.oracle)
    if faked:
        odds = np.exp(np.clip(cast(FakedOracle, oracle).log_odds(reports)[:, pair], -_LARGEST, _LARGEST))
    return Told(
        np.asarray(oracle.support(reports)[:, pair], dtype=np.float64), oracle.log_likelihood(reports)[:, pair], odds
    )


def contrast(log_likelihood: Floats) -> Floats:
    """Return the log ratio of the first to the second, ``(n,)``; what is impossible under one of them is very large."""
    with np.errstate(invalid="ignore"):
        limited = np.clip(log_likelihood, -_LARGEST, _LARGEST)
        return np.nan_to_num(limited[:, 0] - limited[:, 1])


def contrast_of_odds(odds: Floats) -> Floats:
    """Return the same of a survey of which one report is genuine, from its reports' odds added up; 0 where none is."""
    found = np.zeros(len(odds))
    there = odds.min(axis=1) > 0
    found[there] = np.log(odds[there, 0]) - np.log(odds[there, 1])
    return found
