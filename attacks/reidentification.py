"""Whose reports these are, among the people of a roster."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attacks.report_prior import reports_of
from privbench.contracts import Guess, View
from privbench.errors import ContractError, InputError
from privbench.oracles import FakedOracle, NumericOracle
from privbench.reported_column import ReportedColumn
from privbench.reports import Reports, Together
from privbench.table import Table

__all__ = ["Reidentification", "found_among", "record_scores"]

Floats = NDArray[np.float64]

# pairs of a person and a record that are scored at once
_BLOCK = 8_000_000


@dataclass(frozen=True)
class Reidentification:
    r"""Score every record of a roster by how likely it makes all of a person's reports, over all surveys.

    .. math:: \log P(y | x) = \sum_s \begin{cases}
        \sum_j \log P(y_{sj} | x_j) & \text{columns randomised on their own} \\
        \log \sum_j s_j e^{r_{sj}(x_j)} & \text{one genuine column among fakes} \\
        \epsilon \, [x = y_s] & \text{one joint value}
        \end{cases}

    The secret is a person's place in the roster, whose records hold the true values of the randomised columns. Records
    that are alike share their probability.

    References
    ----------
    H. Arcolezi, S. Gambs, J.-F. Couchot and C. Palamidessi, "On the Risks of Collecting Multidimensional Data Under
    Local Differential Privacy", VLDB 2023; T. Murakami and K. Takahashi, "Toward Evaluating Re-identification Risks in
    the Local Privacy Model", Transactions on Data Privacy 14, 2021.
    """

    def skip(self, view: View) -> str | None:
        """Return a reason unless the secret is a place in a roster with the true values of what was randomised."""
        if not isinstance(view.release, Reports):
            return "it needs randomised reports, and this release has none"
        if view.roster is None:
            return "it matches reports with a roster of true values, and this game grants none"
        if len(view.secrets) != 1 or view.secrets[0].name in view.release.schema:
            return "it finds a person's place in a roster, and this game asks for a column of the records"
        secret = view.secrets[0]
        if not secret.discrete or secret.size != len(view.roster):
            return f"{secret.name!r} is not a place among the {len(view.roster)} people of the roster"
        missing = [column.name for column in view.release.randomised if column.name not in view.roster.schema]
        if missing:
            return f"the roster does not have {missing[0]!r}, which is randomised: nothing can be matched with it"
        if view.rows is None:
            return "it needs to know which reports are the target's, and this game does not tell"
        return None

    def infer(self, view: View, *, rng: np.random.Generator) -> Guess:
        """Return the probability of every record of the roster."""
        secret, people = view.secrets[0], len(view.targets)
        if view.rows is None or view.roster is None:
            return Guess({secret.name: np.full((people, secret.size), 1 / secret.size)})
        scores = record_scores(reports_of(view), view.rows, view.roster)
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        return Guess({secret.name: scores})


def record_scores(release: Reports, rows: NDArray[np.integer], roster: Table) -> Floats:
    """Return log P[reports of the person | record] up to a constant a person, ``(T, N)``.

    Parameters
    ----------
    release : Reports
        The reports of one or several surveys.
    rows : array of int, shape (T,)
        The people whose reports are matched.
    roster : Table
        N records with the true values of all randomised columns.

    Raises
    ------
    InputError
        If the roster lacks a randomised column.
    """
    for column in release.randomised:
        if column.name not in roster.schema:
            raise InputError(f"the roster needs the true values of {column.name!r}; it has {list(roster.schema.names)}")
    scores = np.zeros((len(rows), len(roster)))
    block = max(1, _BLOCK // max(1, len(roster)))
    for first in range(0, len(rows), block):
        some = slice(first, first + block)
        for survey in release.surveys:
            scores[some] += _of_survey(release, survey, rows[some], roster)
    return scores


def found_among(scores: Floats, truth: NDArray[np.integer], *, best: int) -> Floats:
    """Return the probability that each person's record is among so many best ones, equal ones drawn by lot, ``(T,)``.

    Parameters
    ----------
    scores : array of shape (T, N)
        The larger, the likelier.
    truth : array of int, shape (T,)
        The place of each person's own record.
    best : int
        How many records are kept, at least 1.
    """
    own = scores[np.arange(len(scores)), truth][:, None]
    before, alike = (scores > own).sum(axis=1), (scores == own).sum(axis=1)
    return np.clip((best - before) / alike, 0, 1)


def _of_survey(release: Reports, survey: Sequence[ReportedColumn], rows: NDArray[np.integer], roster: Table) -> Floats:
    shape = len(rows), len(roster)
    if release.together is Together.JOINT:
        alike = np.ones(shape, dtype=bool)
        for one in survey:
            match = np.zeros((len(rows), one.column.size), dtype=bool)
            places, reports = one.of(rows)
            match[places] = one.oracle.support(reports)  # type: ignore[union-attr]
            alike &= match[:, roster[one.column.name]]
        return release.joint_epsilon * alike
    if release.together is Together.ONE_GENUINE:
        said = [_genuine(one, rows) for one in survey]
        top = np.max([logs.max(axis=1) for logs in said], axis=0)[:, None]
        total = np.zeros(shape)
        for one, logs in zip(survey, said, strict=True):
            total += np.exp(logs - top)[:, roster[one.column.name]]
        return np.log(np.maximum(total, np.finfo(float).tiny))
    total = np.zeros(shape)
    for one in survey:
        values = roster[one.column.name]
        places, reports = one.of(rows)
        if isinstance(one.oracle, NumericOracle):
            numbers, values = np.unique(values, return_inverse=True)
            logs = one.oracle.log_likelihood(reports, numbers)
        else:
            logs = one.oracle.log_likelihood(reports)
        total[places] += logs[:, values]
    return total


def _genuine(one: ReportedColumn, rows: NDArray[np.integer]) -> Floats:
    """Return log share and log odds of each value, ``(T, k)``; of who sent no report the share alone."""
    if not isinstance(one.oracle, FakedOracle):
        raise ContractError(f"where one column is genuine, oracles know of fakes; got {one.oracle!r}")
    logs = np.full((len(rows), one.column.size), math.log(one.oracle.share))
    places, reports = one.of(rows)
    logs[places] += one.oracle.log_odds(reports)
    return logs
