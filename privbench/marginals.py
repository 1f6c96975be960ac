"""How near a release's marginals are to the records', and what theory expects an attack on its reports to reach."""

from __future__ import annotations

import numpy as np

from privbench.release import Release
from privbench.reports import FrequencyOracle, NumericOracle, Reports
from privbench.scorers.score import Score
from privbench.scorers.utility import score_marginals, score_reported_marginals, score_reported_means
from privbench.table import Table, bin_count, to_bins

__all__ = ["score_exact_success", "score_release_marginals"]

# cells into which a continuous column is cut when marginals are compared
_BINS = 20


def score_release_marginals(release: Release, train: Table) -> list[Score]:
    """Return the distance of a release's marginals from those of the training records.

    Parameters
    ----------
    release : Release
        Rows, or reports: then only the randomised columns count, by their unbiased estimates.
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
    continuous = [column for column in release.randomised if not column.discrete]
    rows: list[Score] = []
    if discrete:
        estimates = [release.estimate(name) for name in discrete]
        rows += score_reported_marginals(
            estimates,
            [train.marginal(name) for name in discrete],
            n=release.private_records,
            variances=[release.variance(name) for name in discrete],
        )
    if continuous:
        numbers = [
            (one.oracle.estimate(one.reports), float(one.oracle.variance(train[column.name]).mean()) / len(one.reports))
            for column in continuous
            for one in release.of(column.name)[:1]
            if isinstance(one.oracle, NumericOracle)
        ]
        rows += score_reported_means(
            [mean for mean, _ in numbers],
            [float(train[column.name].mean()) for column in continuous],
            variances=[variance for _, variance in numbers],
            ranges=[column.range for column in continuous],
            n=release.private_records,
        )
    return rows


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
        `exact_accuracy_uniform` and `exact_accuracy_marginal` by column.
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
        priors = {"uniform": np.full(column.size, 1 / column.size), "marginal": train.marginal(column.name)}
        for name, prior in priors.items():
            reached = oracle.success(prior)
            if reached is not None:
                # who was not asked is guessed by the prior alone
                value = asked * reached + (1 - asked) * float(prior.max())
                score = Score(f"exact_accuracy_{name}", value, None, None, release.private_records, None)
                found.setdefault(column.name, []).append(score)
    return found
