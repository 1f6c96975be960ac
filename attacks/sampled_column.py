"""Which column's report is genuine among fakes, and what it says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attacks.genuine_column import genuine_scores
from attacks.report_answer import as_guess, bayes
from attacks.report_parts import learnt_from_others
from attacks.report_prior import LearntFrom, Prior, ReportPrior, reports_of
from privbench.contracts import Guess, View
from privbench.reports import Together

__all__ = ["SampledColumn"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SampledColumn:
    r"""Find how probable it is that a secret's column was the genuine one, from all reports; then the value.

    .. math:: P(v_j | y) = P[J = j | y] \, P(v_j | y_j, J = j) + (1 - P[J = j | y]) f_j(v_j)

    with the probability that column j is genuine in closed form (`genuine_column`). The columns are taken as
    independent; `report-joint` uses how they hang together. For one survey that is exact; several are multiplied as if
    they told of a secret independently.

    Parameters
    ----------
    prior : str
        What is expected of a value, f: marginal: the shares estimated from all reports; model: the shares given the
        target's known columns; uniform: every value alike.
    model : str
        What the prior `model` is learnt from: released: the reports and the known columns of all people; public: public
        records, where the game grants them; auto: both, as far as there are.
    penalty : float
        Precision of the normal prior of the model's weights.

    References
    ----------
    H. Arcolezi, S. Gambs, J.-F. Couchot and C. Palamidessi, "On the Risks of Collecting Multidimensional Data Under
    Local Differential Privacy", VLDB 2023.
    """

    prior: Prior = "marginal"
    model: LearntFrom = "auto"
    penalty: float = 3.0

    def __post_init__(self) -> None:
        self._prior  # noqa: B018 - refuses what is out of range

    @property
    def _prior(self) -> ReportPrior:
        # without a model the shares are those of the reports
        model = self.model if self.prior == "model" else "released"
        return ReportPrior(self.prior, model, self.penalty, cells=1)

    def skip(self, view: View) -> str | None:
        """Return a reason unless one of each target's reports is genuine and the others fakes."""
        reason = self._prior.skip(view, learns=self.prior == "model")
        if reason is None and reports_of(view).together is not Together.ONE_GENUINE:
            return "every report of this release is genuine: there is no column to find"
        return reason

    def infer(self, view: View, *, rng: np.random.Generator) -> Guess:
        """Return the posterior of every secret given all of the target's reports."""
        release = reports_of(view)
        columns = release.randomised
        prior = {column.name: np.empty((len(view.targets), column.size)) for column in columns}
        for places, others in learnt_from_others(view):
            expected = self._prior.expected(others, columns, rng=rng)
            for column in columns:
                prior[column.name][places] = expected.of_targets(column)
        secrets = [secret.name for secret in view.secrets if secret.name in release]
        if view.rows is None:
            return as_guess(view, {name: prior[name] for name in secrets}, cells=1)
        said = {name: np.zeros_like(prior[name]) for name in secrets}
        for survey in release.surveys:
            scores, own = genuine_scores(survey, view.rows, prior)
            for place, one in enumerate(survey):
                if one.column.name in said:
                    others = np.logaddexp.reduce(np.delete(scores, place, axis=1), axis=1, initial=-np.inf)
                    # genuine with this value, or another column is
                    said[one.column.name] += np.logaddexp(own[place], others[:, None])
        return as_guess(view, {name: bayes(prior[name], said[name]) for name in secrets}, cells=1)
