"""Models trained on a release and judged on real test records.

References
----------
G. Ke et al., "LightGBM: A Highly Efficient Gradient Boosting Decision Tree", NeurIPS 2017.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privbench.errors import InputError, unknown
from privbench.release import Release
from privbench.table import Table

__all__ = ["MODELS", "check_label", "predict"]


def _lightgbm(seed: int) -> Any:
    from lightgbm import LGBMClassifier

    return LGBMClassifier(
        n_estimators=100, random_state=seed, n_jobs=1, deterministic=True, force_row_wise=True, verbosity=-1
    )


def _logistic_regression(seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, random_state=seed))


def _random_forest(seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(100, min_samples_leaf=5, random_state=seed, n_jobs=1)


MODELS: dict[str, Callable[[int], Any]] = {
    "lightgbm": _lightgbm,
    "logistic-regression": _logistic_regression,
    "random-forest": _random_forest,
}
"""Downstream models by name; each takes a seed and returns a scikit-learn classifier."""


def check_label(release: Release, label: str | None) -> str | None:
    """Return one sentence why no model can be trained on this release to predict the label, or None."""
    if label is None:
        return "the data set has no label; name one in the config to judge downstream models"
    if not release.schema[label].discrete:
        return f"the label {label!r} is continuous; downstream models here are classifiers"
    try:
        values = release.values(label)
    except InputError:
        return f"the label {label!r} is randomised, so a row has no value of it to learn from"
    return None if len(values) else "the release has no row to learn from"


def predict(model: str, release: Release, test: Table, *, label: str, seed: int) -> NDArray[np.float64]:
    """Train a model on a release and return its probabilities for real test records.

    Every column but the label is used. Randomised columns are encoded as support bits, and test records, which stay
    clean, by the indicator of their true value.

    Parameters
    ----------
    model : str
        A name in `MODELS`.
    release : Release
        What was published, or the real training rows wrapped as such.
    test : Table
        Real records.
    label : str
        The discrete column to predict.
    seed : int
        Of the model.

    Returns
    -------
    array of shape (len(test), k)
        Probabilities of the label's k values. If the release has one value of the label, all the mass is on it.

    Raises
    ------
    InputError
        If there is no such model.
    """
    if model not in MODELS:
        raise unknown("downstream model", model, MODELS)
    names = [name for name in release.schema.names if name != label]
    known, answers = release.features(names), release.values(label)
    asked = release.encode(test, names)
    probability = np.zeros((len(test), release.schema[label].size))
    present = np.unique(answers)
    if len(present) == 1:
        probability[:, present] = 1.0
        return probability
    classifier = MODELS[model](seed)
    classifier.fit(known, answers)
    probability[:, classifier.classes_] = classifier.predict_proba(asked)
    return probability
