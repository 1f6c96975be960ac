"""Gradient-boosted trees that learn the secret from the known columns of the released rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attacks.learner import learn, skip_without_rows
from privbench.contracts import Guess, View
from privbench.errors import InputError

__all__ = ["LightGbm"]

# one row in so many is set aside
_ASIDE = 10


@dataclass(frozen=True)
class LightGbm:
    """Train gradient-boosted trees (LightGBM) on the synthetic rows to predict each secret from the known columns.

    How many rounds are good for the rows is found first, on a tenth of them that is set aside: boosting ends when their
    loss has not fallen for ten rounds. Then all rows are learnt from.

    Parameters
    ----------
    trees : int
        Most rounds of boosting; a secret with k > 2 values has k trees a round.
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
            classifier=(_Boosted, {"kind": "LGBMClassifier", "settings": settings}),
            regressor=(_Boosted, {"kind": "LGBMRegressor", "settings": settings}),
            rng=rng,
            # every value has a tree in each round
            most=32,
        )


class _Boosted:
    """An estimator of LightGBM that stops when rows set aside gain no more, and is fitted again to all of them."""

    def __init__(self, *, kind: str, settings: dict[str, Any], random_state: int) -> None:
        self.kind, self.settings = kind, {**settings, "random_state": random_state}

    def fit(self, rows: NDArray[np.float32], values: NDArray[Any]) -> _Boosted:
        """Fit the trees."""
        import lightgbm

        kind = getattr(lightgbm, self.kind)
        aside = np.arange(len(values)) % _ASIDE == _ASIDE - 1
        if self.kind == "LGBMClassifier":  # it refuses to judge a value that it has not learnt
            aside &= np.isin(values, values[~aside])
        settings = self.settings
        if aside.sum() >= _ASIDE:
            stop = lightgbm.early_stopping(10, verbose=False)
            tried = kind(**settings).fit(
                rows[~aside], values[~aside], eval_set=[(rows[aside], values[aside])], callbacks=[stop]
            )
            settings = {**settings, "n_estimators": max(1, tried.best_iteration_)}
        self.model = kind(**settings).fit(rows, values)
        if self.kind == "LGBMClassifier":
            self.classes_ = self.model.classes_
            self.predict_proba = self.model.predict_proba
        return self

    def predict(self, rows: NDArray[np.float32]) -> NDArray[Any]:
        """Return a number or a value for every row."""
        return np.asarray(self.model.predict(rows))
