"""The downstream models by name, and the one way to train one on a release and ask it about real records.

References
----------
G. Ke et al., "LightGBM: A Highly Efficient Gradient Boosting Decision Tree", NeurIPS 2017.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privbench.downstream.calibration import calibrated_features
from privbench.downstream.naive_bayes import naive_bayes
from privbench.errors import InputError, unknown
from privbench.release import Release
from privbench.table import Table

__all__ = ["MODELS", "check_label", "predict"]

Floats = NDArray[np.float64]
Model = Callable[[Release, Table, str, int], Floats]


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


def _on_features(make: Callable[[int], Any]) -> Model:
    """Return the model that fits a scikit-learn classifier on the release's own features."""

    def model(release: Release, records: Table, label: str, seed: int) -> Floats:
        names = _known(release, label)
        asked = release.encode(records, names)
        return _fitted(make(seed), release.features(names), asked, release=release, label=label)

    return model


def _debiased_logistic_regression(release: Release, records: Table, label: str, seed: int) -> Floats:
    from sklearn.linear_model import LogisticRegression

    known, asked = calibrated_features(release, records, _known(release, label))
    # not standardised: the penalty is on log odds, so columns of which the reports tell little have little say
    return _fitted(LogisticRegression(max_iter=2000, random_state=seed), known, asked, release=release, label=label)


def _debiased_naive_bayes(release: Release, records: Table, label: str, seed: int) -> Floats:
    return naive_bayes(release, records, label=label)


def _known(release: Release, label: str) -> list[str]:
    return [name for name in release.schema.names if name != label]


def _fitted(classifier: Any, known: NDArray[Any], asked: NDArray[Any], *, release: Release, label: str) -> Floats:
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # that a solver stopped early is no reason to distrust a model: its score is measured
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit(known, release.values(label))
    probability = np.zeros((len(asked), release.schema[label].size))
    probability[:, classifier.classes_] = classifier.predict_proba(asked)
    return probability


MODELS: dict[str, Model] = {
    "lightgbm": _on_features(_lightgbm),
    "logistic-regression": _on_features(_logistic_regression),
    "random-forest": _on_features(_random_forest),
    "debiased-logistic-regression": _debiased_logistic_regression,
    "debiased-naive-bayes": _debiased_naive_bayes,
}
"""Downstream models by name; each takes a release, records, the label and a seed, and returns probabilities."""


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

    Every column but the label is used. Test records stay clean. How a model reads randomised columns:

    - `lightgbm`, `logistic-regression` and `random-forest` take a report's support bits where a clean record has the
      indicators of its value. What they learn of such a column is attenuated, the more the smaller the budget.
    - `debiased-logistic-regression` takes what the reports let one expect of the true indicators (see `calibration`).
    - `debiased-naive-bayes` takes the unbiased estimate of a column's shares in each class (see `naive_bayes`).

    On a release without reports the debiased ones are an ordinary logistic regression and naive Bayes, so that a
    collection, a synthesiser and the real data can be compared under one model.

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
    present = np.unique(release.values(label))
    if len(present) == 1:
        probability = np.zeros((len(test), release.schema[label].size))
        probability[:, present] = 1.0
        return probability
    return MODELS[model](release, test, label, seed)
