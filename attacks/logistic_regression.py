"""Logistic regression of the secret on the known columns of the released rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attacks.learner import learn, skip_without_rows
from privbench.contracts import Guess, View
from privbench.errors import InputError

__all__ = ["LogisticRegression"]


@dataclass(frozen=True)
class LogisticRegression:
    """Fit a logistic regression (ridge regression for a continuous secret) to the synthetic rows.

    Features are standardised in the release.

    Parameters
    ----------
    inverse_penalty : float
        C: the larger, the closer the fit; positive.
    iterations : int
        Most steps of the solver.

    References
    ----------
    T. Hastie, R. Tibshirani and J. Friedman, "The Elements of Statistical Learning", 2nd ed., Springer 2009, ch. 4.
    """

    inverse_penalty: float = 1.0
    iterations: int = 200

    def __post_init__(self) -> None:
        if not self.inverse_penalty > 0 or self.iterations < 1:
            raise InputError(
                "inverse_penalty must be positive and iterations at least 1; "
                f"got {self.inverse_penalty} and {self.iterations}"
            )

    def skip(self, view: View) -> str | None:
        """Return a reason unless the release is a table with at least one row."""
        return skip_without_rows(view, "a logistic regression")

    def infer(self, view: View, *, rng: np.random.Generator) -> Guess:
        """Return the model's probabilities; for a continuous secret the fitted mean, with the error on the release."""
        return learn(
            view,
            classifier=(
                "sklearn.linear_model:LogisticRegression",
                {"C": self.inverse_penalty, "max_iter": self.iterations},
            ),
            regressor=("sklearn.linear_model:Ridge", {"alpha": 1 / self.inverse_penalty}),
            rng=rng,
            standard=True,
        )
