"""The best guess of a value from its own randomised reports."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attacks.report_answer import as_guess, bayes
from attacks.report_evidence import column_log_likelihood, column_size
from attacks.report_parts import learnt_from_others
from attacks.report_prior import LearntFrom, Prior, ReportPrior, reports_of
from privbench.contracts import Guess, View

__all__ = ["ReportBayes"]


@dataclass(frozen=True)
class ReportBayes:
    r"""Weigh every value by how likely it makes the target's reports of that column, and by how common it is.

    .. math:: P(v | y) \propto f(v) P(y | v)

    Without the target's reports (a game that withholds them) the answer is the prior f alone, which is learnt from the
    reports of others. A secret that is
    collected in the clear is read off. Of a continuous secret the guess is the posterior's mean, and its spread the
    standard deviation.

    Parameters
    ----------
    prior : str
        marginal: the likeliest shares given the reports of others, one more person of each value added (of a continuous
        column by expectation maximisation with smoothing); model: the shares given the target's known columns;
        uniform: every value alike, then the success on uniform values under GRR is e^epsilon / (e^epsilon + k - 1).
    model : str
        What the prior `model` is learnt from: released: the reports and the known columns of all people, in the clear;
        public: public records, where the game grants them; auto: both, as far as there are.
    penalty : float
        Precision of the normal prior of the model's weights: the larger, the more alike all people.
    cells : int
        Parts into which a continuous secret's domain is cut; one of few whole numbers is taken number by number.

    References
    ----------
    M. Gursoy, L. Liu, K.-H. Chow, S. Truex and W. Wei, "An Adversarial Approach to Protocol Analysis and Selection in
    Local Differential Privacy", IEEE TIFS 2022; H. Arcolezi, S. Gambs, J.-F. Couchot and C. Palamidessi, "On the Risks
    of Collecting Multidimensional Data Under Local Differential Privacy", VLDB 2023.
    """

    prior: Prior = "marginal"
    model: LearntFrom = "auto"
    penalty: float = 3.0
    cells: int = 100

    def __post_init__(self) -> None:
        self._prior  # noqa: B018 - refuses what is out of range

    @property
    def _prior(self) -> ReportPrior:
        # without a model the shares are those of the reports
        model = self.model if self.prior == "model" else "released"
        return ReportPrior(self.prior, model, self.penalty, self.cells)

    def skip(self, view: View) -> str | None:
        """Return a reason unless the release is reports and the target's own are known."""
        return self._prior.skip(view, learns=self.prior == "model")

    def infer(self, view: View, *, rng: np.random.Generator) -> Guess:
        """Return the posterior of every secret given the target's reports of it."""
        release = reports_of(view)
        secrets = [secret for secret in view.secrets if secret.name in release]
        posterior = {one.name: np.empty((len(view.targets), column_size(one, self.cells))) for one in secrets}
        for places, others in learnt_from_others(view):
            expected = self._prior.expected(others, secrets, rng=rng)
            for secret in secrets:
                found = expected.of_targets(secret)
                if view.rows is not None:
                    found = bayes(found, column_log_likelihood(release, secret, view.rows[places], self.cells))
                posterior[secret.name][places] = found
        return as_guess(view, posterior, cells=self.cells)
