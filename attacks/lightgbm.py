"""Gradient-boosted trees that learn the secret from the known columns of the released rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from attacks.learner import learn, skip_without_rows
from privbench.contracts import Guess, View
from privbench.errors import InputError

__all__ = ["LightGbm"]


@dataclass(frozen=True)
class LightGbm:
    """Train gradient-boosted trees (LightGBM) on the synthetic rows to predict each secret from the known columns.

    Parameters
    ----------
    trees : int
        Rounds of boosting; a secret with k > 2 values has k trees a round.
    leaves : int
        Most leaves of a tree.
    learning_rate : float
        What a tree counts, above 0 and at most 1.

    References
    ----------
    G. Ke et al., "LightGBM: A Highly Efficient Gradient Boosting Decision Tree", NeurIPS 2017.
    """

    trees: int = 100
    leaves: int = 31
    learning_rate: float = 0.1

    def __post_init__(self) -> None:
        if self.trees < 1 or self.leaves < 2 or not 0 < self.learning_rate <= 1:
            raise InputError(
                "trees must be at least 1, leaves at least 2, and learning_rate above 0 and at most 1; "
                f"got {self.trees}, {self.leaves} and {self.learning_rate}"
            )

    def skip(self, view: View) -> str | None:
        """Return a reason unless the release is a table with at least one row."""
        return skip_without_rows(view, "a gradient-boosted model")

    def infer(self, view: View, *, rng: np.random.Generator) -> Guess:
        """Return the trees' probabilities; for a continuous secret their sum, with the error on the release."""
        settings: dict[str, Any] = {
            "n_estimators": self.trees,
            "num_leaves": self.leaves,
            "learning_rate": self.learning_rate,
            "n_jobs": 1,
            "verbose": -1,
            "deterministic": True,
            "force_row_wise": True,
            # rare values are what an attack is after: the default of 20 rows a leaf hides them
            "min_child_samples": 5,
        }
        return learn(
            view,
            classifier=("lightgbm:LGBMClassifier", settings),
            regressor=("lightgbm:LGBMRegressor", settings),
            rng=rng,
            # every value has a tree in each round
            most=32,
        )
