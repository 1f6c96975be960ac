"""A neural network that learns the secret from the known columns of the released rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from attacks.learner import learn, skip_without_rows
from privbench.contracts import Guess, View
from privbench.errors import InputError

__all__ = ["Mlp"]


@dataclass(frozen=True)
class Mlp:
    """Train a multilayer perceptron on the synthetic rows to predict each secret from the known columns.

    Features are standardised in the release.

    Parameters
    ----------
    hidden : tuple of int
        Widths of the hidden layers.
    epochs : int
        Passes over the rows.
    batch_size : int
        Rows in a step.
    learning_rate : float
        Of Adam, positive.
    penalty : float
        Weight of the squared norm of the weights, at least 0.

    References
    ----------
    I. Goodfellow, Y. Bengio and A. Courville, "Deep Learning", MIT Press 2016, ch. 6.
    """

    hidden: tuple[int, ...] = (128,)
    epochs: int = 20
    batch_size: int = 200
    learning_rate: float = 0.001
    penalty: float = 0.0001

    def __post_init__(self) -> None:
        if not self.hidden or min(*self.hidden, self.epochs, self.batch_size) < 1:
            raise InputError(
                f"hidden, epochs and batch_size must be at least 1; got {self.hidden}, {self.epochs}, {self.batch_size}"
            )
        if not self.learning_rate > 0 or self.penalty < 0:
            raise InputError(
                f"learning_rate must be positive and penalty at least 0; got {self.learning_rate} and {self.penalty}"
            )

    def skip(self, view: View) -> str | None:
        """Return a reason unless the release is a table with at least one row."""
        return skip_without_rows(view, "a neural network")

    def infer(self, view: View, *, rng: np.random.Generator) -> Guess:
        """Return the network's probabilities; for a continuous secret its value, with the error on the release."""
        rows = len(view.release.values(view.secrets[0].name))
        settings: dict[str, Any] = {
            "hidden_layer_sizes": tuple(self.hidden),
            "max_iter": self.epochs,
            "batch_size": min(self.batch_size, rows),
            "learning_rate_init": self.learning_rate,
            "alpha": self.penalty,
        }
        return learn(
            view,
            classifier=("sklearn.neural_network:MLPClassifier", settings),
            regressor=("sklearn.neural_network:MLPRegressor", settings),
            rng=rng,
            standard=True,
        )
