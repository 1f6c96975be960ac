"""The best guess of a value from its own randomised report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from privbench.contracts import Guess, View, each_secret
from privbench.release import Reports
from privbench.schema import Column
from privbench.table import one_hot

__all__ = ["ReportBayes"]


@dataclass(frozen=True)
class ReportBayes:
    """Weigh every value by how likely it makes the target's report, and by how common it is.

    Without the target's report (a game that withholds it) the answer is the prior alone. A secret that is collected in
    the clear is read off.

    Parameters
    ----------
    prior : str
        marginal: the shares estimated from all reports; uniform: every value alike, then the success on uniform
        values under GRR is e^epsilon / (e^epsilon + k - 1).

    References
    ----------
    M. Gursoy, L. Liu, K.-H. Chow, S. Truex and W. Wei, "An Adversarial Approach to Protocol Analysis and Selection in
    Local Differential Privacy", IEEE TIFS 2022; H. Arcolezi, S. Gambs, J.-F. Couchot and C. Palamidessi, "On the Risks
    of Collecting Multidimensional Data Under Local Differential Privacy", VLDB 2023.
    """

    prior: Literal["marginal", "uniform"] = "marginal"

    def skip(self, view: View) -> str | None:
        """Return a reason unless the release is reports and the target's own is known."""
        if not isinstance(view.release, Reports):
            return "it needs randomised reports, and this release has none"
        if view.rows is None:
            return "it needs to know which report is the target's, and this game does not tell"
        return None

    def infer(self, view: View, *, rng: np.random.Generator) -> Guess:
        """Return the posterior of every secret given the target's report."""
        return each_secret(view, lambda secret: self._posterior(view, secret))

    def _posterior(self, view: View, secret: Column) -> NDArray[np.float64]:
        release, people = view.release, len(view.targets)
        if not isinstance(release, Reports):
            raise TypeError("skip() refuses a release without reports")
        if secret.name not in release:
            values = release.values(secret.name)
            if view.rows is None:
                return _without_report(release, secret, people)
            return one_hot(values[view.rows], secret.size).astype(np.float64) if secret.discrete else values[view.rows]
        prior = np.full(secret.size, 1 / secret.size) if self.prior == "uniform" else release.marginal(secret.name)
        if view.rows is None:
            return np.tile(prior, (people, 1))
        own = release[secret.name]
        weight = own.oracle.log_likelihood(own.reports[view.rows])
        posterior = prior * np.exp(weight - weight.max(axis=1, keepdims=True))
        total = posterior.sum(axis=1, keepdims=True)
        # a report of a value that the estimate holds impossible: the report itself remains
        likelihood = np.exp(weight - weight.max(axis=1, keepdims=True))
        posterior = np.where(total > 0, posterior, likelihood)
        return np.asarray(posterior / posterior.sum(axis=1, keepdims=True), dtype=np.float64)


def _without_report(release: Reports, secret: Column, people: int) -> NDArray[np.float64]:
    if secret.discrete:
        return np.tile(release.marginal(secret.name), (people, 1))
    return np.full(people, release.values(secret.name).mean())
