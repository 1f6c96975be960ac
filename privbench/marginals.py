"""How near a release's marginals are to the records', how precise those of reports are, and what attacks can reach."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from privbench.oracles import FrequencyOracle, NumericOracle
from privbench.release import Release
from privbench.reports import Reports
from privbench.scorers.score import Score
from privbench.scorers.utility import score_marginals, score_reported_marginals, score_reported_means
from privbench.table import Table, bin_count, to_bins

__all__ = ["score_exact_success", "score_release_marginals", "variance_of_mean", "variance_of_shares"]

Floats = NDArray[np.float64]

# cells into which a continuous column is cut when marginals are compared
_BINS = 20


def score_release_marginals(release: Release, train: Table) -> list[Score]:
    """Return the distance of a release's marginals from those of the training records.

    Parameters
    ----------
    release : Release
        Rows, or reports: then only the randomised columns count, by their unbiased estimates from all surveys. A
        continuous column that nobody reported has no error; a discrete one is estimated as uniform, which may be off
        by anything.
    train : Table
        The records behind it.
    """
    if isinstance(release, Reports):
        return _reported(release, train)
    columns = train.schema.columns
    sizes = [bin_count(column, _BINS) for column in columns]
    real, published = (
        np.column_stack([to_bins(column, rows(column.name), bins=_BINS) for column in columns])
        for rows in (train.__getitem__, release.values)
    )
    return score_marginals(published, real, sizes)


def _reported(release: Reports, train: Table) -> list[Score]:
    discrete = [column.name for column in release.randomised if column.discrete]
    # without a report there is no mean to judge
    continuous = [
        column for column in release.randomised if not column.discrete and release.reports_of(column.name) > 0
    ]
    rows: list[Score] = []
    if discrete:
        estimates = [release.estimate(name) for name in discrete]
        rows += score_reported_marginals(
            estimates,
            [train.marginal(name) for name in discrete],
            n=release.private_records,
            variances=[variance_of_shares(release, name) for name in discrete],
        )
    if continuous:
        rows += score_reported_means(
            [release.estimate_mean(column.name) for column in continuous],
            [float(train[column.name].mean()) for column in continuous],
            variances=[variance_of_mean(release, column.name, train[column.name]) for column in continuous],
            ranges=[column.range for column in continuous],
            n=release.private_records,
        )
    return rows


def variance_of_shares(release: Reports, name: str) -> Floats:
    """Return the variance of `Reports.estimate`, ``(k,)``, with its own shares in place of the true ones.

    Where a survey asked only some of the people, at random, their being drawn is part of it. Where nobody reported
    it is infinite, but for a column of one value.

    Parameters
    ----------
    release : Reports
        The reports.
    name : str
        A randomised discrete column.
    """
    shares, reports = release.estimate(name), release.reports_of(name)
    if len(shares) > 1 and not reports:
        return np.full(len(shares), np.inf)
    spread = np.clip(shares, 0, 1) * (1 - np.clip(shares, 0, 1))
    total = np.zeros(len(shares))
    for one in release.of(name):
        count = len(one.reports)
        if count and isinstance(one.oracle, FrequencyOracle):
            drawn = spread / count * (1 - count / release.private_records)
            total += (count / reports) ** 2 * (one.oracle.variance(shares, reports=count) + drawn)
    return total


def variance_of_mean(release: Reports, name: str, numbers: Floats) -> float:
    """Return the variance of `Reports.estimate_mean` for people with these numbers; infinite where nobody reported.

    Where a survey asked only some of the people, at random, their being drawn is part of it.

    Parameters
    ----------
    release : Reports
        The reports.
    name : str
        A randomised continuous column.
    numbers : array of float, shape (private_records,)
        The true numbers, or others that are distributed like them.
    """
    total, reports = 0.0, release.reports_of(name)
    for one in release.of(name):
        count = len(one.reports)
        if count and isinstance(one.oracle, NumericOracle):
            drawn = float(np.var(numbers)) * (1 - count / release.private_records)
            total += count * (float(one.oracle.variance(numbers).mean()) + drawn)
    return total / reports**2 if reports else np.inf


def score_exact_success(release: Release, train: Table) -> dict[str, list[Score]]:
    """Return, for each randomised column, how often theory expects the Bayes attack on one report to be right.

    Parameters
    ----------
    release : Release
        Only reports have such figures, of columns that one survey asked for and whose protocol has a closed form.
    train : Table
        The records: the true shares are one of the two priors, equal shares the other.

    Returns
    -------
    dict of str to list of Score
        `exact_accuracy_uniform` and `exact_accuracy_marginal` by column. The former is left out where some values are
        hidden better than others (fakes from a prior that is not uniform): it would be the success on values that are
        uniform, while the one measured is on those that people have.
    """
    found: dict[str, list[Score]] = {}
    if not isinstance(release, Reports):
        return found
    for column in release.randomised:
        surveys = release.of(column.name)
        oracle = surveys[0].oracle
        if len(surveys) > 1 or not isinstance(oracle, FrequencyOracle):
            continue
        asked = len(surveys[0].reports) / release.private_records
        priors = {"marginal": train.marginal(column.name)}
        if _hides_alike(oracle):
            # a guess with equal priors is then right equally often for every value, however the values are distributed
            priors = {"uniform": np.full(column.size, 1 / column.size), **priors}
        for name, prior in priors.items():
            reached = oracle.success(prior)
            if reached is not None:
                # who was not asked is guessed by the prior alone
                value = asked * reached + (1 - asked) * float(prior.max())
                score = Score(f"exact_accuracy_{name}", value, None, None, release.private_records, None)
                found.setdefault(column.name, []).append(score)
    return found


def _hides_alike(oracle: FrequencyOracle) -> bool:
    """Return whether the chances of being supported are the same for every value."""
    return bool(np.ptp(oracle.p) <= 1e-12 and np.ptp(oracle.q) <= 1e-12)
