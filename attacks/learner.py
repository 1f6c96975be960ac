"""Any scikit-learn estimator as an attack: learn each secret from the known columns of the released rows.

Not an attack itself: those that are give it their estimator. Known columns are encoded by kind: a number or an ordinal
value stays one number, a category becomes indicators of all values of its domain, so that one never released has a
place, and a missing value is a value.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attacks.cells import Cells
from privbench.contracts import Guess, View
from privbench.errors import InputError
from privbench.given import find
from privbench.release import AlteredRows, SyntheticTable
from privbench.rng import seeded_globals
from privbench.schema import Column

__all__ = ["Recipe", "build", "features", "learn", "left", "part", "skip_without_rows"]

Floats = NDArray[np.float64]
Recipe = tuple[Any, Mapping[str, Any]]
"""A class or its reference, and the arguments to call it with."""


def skip_without_rows(view: View, method: str) -> str | None:
    """Return a sentence unless the release is a table with at least one row, and has the known and secret columns.

    Parameters
    ----------
    view : View
        What the adversary has.
    method : str
        With its article, to begin the sentence.
    """
    if not isinstance(view.release, SyntheticTable):
        return f"{method} learns from released rows, and this release is not a table"
    if not len(view.release.table):
        return "the release has no row to learn from"
    for name in (*view.targets.schema.names, *(secret.name for secret in view.secrets)):
        if name not in view.release.schema:
            return f"the release has no column {name!r}, which is known of the targets or sought"
    for secret in view.secrets:
        if not len(left(view, secret)):
            return f"every cell of {secret.name!r} is blank in the release: there is nothing to learn"
    return None


def left(view: View, secret: Column) -> NDArray[np.intp]:
    """Return the positions of the released rows that show a secret."""
    release = view.release
    number = len(release.values(secret.name))
    if isinstance(release, AlteredRows) and secret.name in release.suppressed:
        return np.flatnonzero(~release.suppressed[secret.name])
    return np.arange(number)


def part(release: SyntheticTable, rows: NDArray[np.intp]) -> SyntheticTable:
    """Return some rows of a release, as one of its kind."""
    table = release.table.take(rows)
    if not isinstance(release, AlteredRows):
        return SyntheticTable(table, release.private_records, release.claim)
    suppressed = {name: mask[rows] for name, mask in release.suppressed.items()}
    return AlteredRows(table, len(rows), release.claim, release.altered, suppressed)


def features(view: View, *, standard: bool = False) -> tuple[NDArray[np.float32], NDArray[np.floating]]:
    """Return the known columns of the released rows ``(n, p)`` and of the targets ``(T, p)``.

    Standardised ones of the targets are in double precision: in a product of single-precision matrices the last digits
    of a person's answer depend on who stands beside them.

    Parameters
    ----------
    view : View
        What the adversary has.
    standard : bool
        Shift and scale every feature to mean 0 and standard deviation 1 in the release.
    """
    names = view.targets.schema.names
    rows, people = view.release.features(names), view.release.encode(view.targets, names)
    if not names:  # nothing is known: a learner needs one column, a constant says nothing
        return np.zeros((len(rows), 1), np.float32), np.zeros((len(people), 1), np.float32)
    if standard:
        centre = rows.mean(axis=0, dtype=np.float64)
        spread = rows.std(axis=0, dtype=np.float64)
        # a category that the release lacks is as far away as one that a single row has
        spread = np.where(spread > 0, spread, 1 / np.sqrt(len(rows)))
        rows, people = ((rows - centre) / spread).astype(np.float32), (people - centre) / spread
    return rows, people


def learn(
    view: View,
    *,
    classifier: Recipe,
    regressor: Recipe,
    rng: np.random.Generator,
    standard: bool = False,
    deviation: Callable[[Any, NDArray[np.floating]], Floats] | None = None,
    most: int = 100,
) -> Guess:
    """Guess every secret with an estimator of its own.

    Parameters
    ----------
    view : View
        A release of rows, at least one.
    classifier, regressor : Recipe
        A class, or where it stands (``module:name``), and its arguments; ``random_state`` is added where it is taken. A
        classifier has `classes_` once fitted, and `predict_proba` unless it can only decide.
    rng : Generator
        Where the seeds come from, also those of the global generators for as long as this lasts.
    standard : bool
        As in `features`.
    deviation : callable, optional
        From a fitted regressor and the targets' features to the standard deviation of each of its answers; without it
        that is the error on the rows that it learnt from, the same for everyone. Both in units of the domain's range.
    most : int
        Of a secret with more values than this in the release, those that are rare are learnt in cells of several.

    Raises
    ------
    InputError
        If a class cannot be found, or does not take these arguments.
    """
    rows, people = features(view, standard=standard)
    answers: dict[str, Floats] = {}
    spread: dict[str, Floats] = {}
    # to import scikit-learn draws from a global generator, and so may an estimator of the user's
    with seeded_globals(rng), warnings.catch_warnings():
        # that a solver stopped early is no reason to distrust a guess: its score is measured
        warnings.simplefilter("ignore")
        for secret in view.secrets:
            seed = int(rng.integers(2**31 - 1))
            shown = left(view, secret)
            values = view.release.values(secret.name)[shown]
            if secret.discrete:
                answers[secret.name] = _classify(
                    build(classifier, seed), rows[shown], values, people, Cells.of(values, secret.size, most=most)
                )
            elif (values == values[0]).all():
                answers[secret.name] = np.full(len(people), float(values[0]))
                spread[secret.name] = np.zeros(len(people))
            else:
                made = build(regressor, seed).fit(rows[shown], _unit(secret, values))
                answers[secret.name] = secret.low + np.clip(_predict(made, people), 0, 1) * secret.range
                if deviation is not None:
                    apart = deviation(made, people)
                else:
                    missed = _unit(secret, values) - _predict(made, rows[shown])
                    apart = np.full(len(people), np.sqrt(np.mean(np.square(missed))))
                spread[secret.name] = apart * secret.range
    return Guess(answers, spread)


def build(recipe: Recipe, seed: int) -> Any:
    """Return a new estimator."""
    wanted, options = recipe
    kind = find(wanted) if isinstance(wanted, str) else wanted
    if not callable(kind) or not hasattr(kind, "fit") or not hasattr(kind, "predict"):
        raise InputError(f"{wanted!r} is no estimator; it must be a class with fit and predict")
    seeded = {"random_state": seed} if "random_state" in inspect.signature(kind).parameters else {}
    try:
        return kind(**{**seeded, **options})
    except TypeError as error:
        raise InputError(f"{getattr(kind, '__name__', wanted)} does not take these options: {error}") from None


def _classify(
    estimator: Any, rows: NDArray[np.float32], values: NDArray[Any], people: NDArray[np.floating], cells: Cells
) -> Floats:
    sought = cells.of_value[values]
    posterior = np.zeros((len(people), cells.size))
    seen = np.unique(sought)
    if len(seen) == 1:  # most estimators refuse to learn a constant
        posterior[:, seen[0]] = 1
        return cells.spread(posterior)
    estimator.fit(rows, sought)
    if hasattr(estimator, "predict_proba"):
        found = np.asarray(estimator.predict_proba(people), dtype=np.float64)
        found = np.where(np.isfinite(found), found, 0)
        posterior[:, np.asarray(estimator.classes_, dtype=np.intp)] = found
    else:
        posterior[np.arange(len(people)), np.asarray(estimator.predict(people), dtype=np.intp)] = 1
    total = posterior.sum(axis=1, keepdims=True)
    shares = np.bincount(sought, minlength=cells.size) / len(sought)
    return cells.spread(np.where(total > 0, posterior / np.where(total > 0, total, 1), shares))


def _predict(made: Any, rows: NDArray[np.floating]) -> Floats:
    """Return a regressor's answers; the middle of the domain where it has none."""
    return np.nan_to_num(np.asarray(made.predict(rows), dtype=np.float64).ravel(), nan=0.5, posinf=1, neginf=0)


def _unit(secret: Column, values: NDArray[Any]) -> Floats:
    """Return numbers as places in their domain, 0 to 1."""
    return np.asarray((values - secret.low) / (secret.range or 1.0), dtype=np.float64)
