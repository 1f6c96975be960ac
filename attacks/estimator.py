"""Any estimator with scikit-learn's interface, named in the config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from attacks.learner import learn, skip_without_rows
from privbench.contracts import Guess, View
from privbench.errors import InputError

__all__ = ["Estimator"]


@dataclass(frozen=True)
class Estimator:
    """Train an estimator of yours on the synthetic rows to predict each secret from the known columns.

    Whatever has `fit`, `predict` and, for probabilities, `predict_proba` and `classes_`. It gets a seed as
    `random_state` if it takes one. A classifier guesses discrete secrets, a regressor continuous ones.

    Parameters
    ----------
    classifier, regressor : str or class
        ``module:name``, as ``sklearn.ensemble:ExtraTreesClassifier``, or ``file.py:name``; in Python also the class.
        Empty for none: secrets of the other kind are then not attacked.
    options : mapping
        Arguments of both.
    standard : bool
        Standardise the features in the release first.

    References
    ----------
    None: the method is the user's own.
    """

    references: ClassVar[tuple[str, ...]] = ("classifier", "regressor")

    classifier: Any = ""
    regressor: Any = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    standard: bool = False

    def __post_init__(self) -> None:
        if not self.classifier and not self.regressor:
            raise InputError(
                "a classifier or a regressor is needed, for instance "
                "classifier: 'sklearn.ensemble:ExtraTreesClassifier'"
            )

    def skip(self, view: View) -> str | None:
        """Return a reason unless the release is a table with a row and each secret's kind has its estimator."""
        if any(secret.discrete and not self.classifier for secret in view.secrets):
            return "no classifier is given, and a secret is discrete"
        if any(not secret.discrete and not self.regressor for secret in view.secrets):
            return "no regressor is given, and a secret is continuous"
        return skip_without_rows(view, "an estimator")

    def infer(self, view: View, *, rng: np.random.Generator) -> Guess:
        """Return what the estimator answers."""
        return learn(
            view,
            classifier=(self.classifier, self.options),
            regressor=(self.regressor, self.options),
            rng=rng,
            standard=self.standard,
        )
