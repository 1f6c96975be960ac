"""From the probabilities of a secret's values, or of its cells, to a guess. Not an attack itself."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from attacks.number_cells import NumberCells
from privbench.contracts import Guess, View
from privbench.reports import Reports
from privbench.schema import Column
from privbench.table import one_hot

__all__ = ["as_guess", "bayes"]

Floats = NDArray[np.float64]


def bayes(expected: Floats, log_likelihood: Floats) -> Floats:
    """Return the posterior of each person's values, ``(T, k)``.

    Parameters
    ----------
    expected : array of shape (T, k)
        The prior.
    log_likelihood : array of shape (T, k)
        Of the person's reports; where all that it leaves is held impossible, it is believed.
    """
    from scipy.special import softmax

    with np.errstate(divide="ignore"):
        logs = np.log(expected) + log_likelihood
    impossible = ~np.isfinite(logs.max(axis=1, keepdims=True))
    logs = np.where(impossible, log_likelihood, logs)
    return np.asarray(softmax(logs, axis=1))


def as_guess(view: View, posterior: Mapping[str, Floats], *, cells: int) -> Guess:
    """Return the guess; a secret that is collected in the clear is read off.

    Parameters
    ----------
    view : View
        Of a release of reports.
    posterior : mapping of str to array of shape (T, k)
        Of each randomised secret's values, or of the cells of a continuous one: the guess is then the mean, and its
        spread the standard deviation.
    cells : int
        Cells of a continuous column.
    """
    release = view.release
    answers: dict[str, Floats] = {}
    spread: dict[str, Floats] = {}
    for secret in view.secrets:
        if secret.name not in posterior:
            answers[secret.name] = _read_off(view, secret)
        elif secret.discrete:
            answers[secret.name] = posterior[secret.name]
        else:
            numbers = NumberCells(secret, cells)
            if view.rows is None or not isinstance(release, Reports):
                mean, square = numbers.moments()
            else:
                seen = numbers.see(release, view.rows)
                mean, square = seen.mean, seen.square
            shares = posterior[secret.name]
            answer = np.sum(shares * mean, axis=1)
            answers[secret.name] = np.clip(answer, secret.low, secret.high)
            spread[secret.name] = np.sqrt(np.maximum(np.sum(shares * square, axis=1) - np.square(answer), 0))
    return Guess(answers, spread)


def _read_off(view: View, secret: Column) -> Floats:
    people = len(view.targets)
    values = view.release.values(secret.name)
    if view.rows is None:
        if secret.discrete:
            return np.tile(view.release.marginal(secret.name), (people, 1))
        return np.full(people, values.mean())
    return one_hot(values[view.rows], secret.size).astype(np.float64) if secret.discrete else values[view.rows]
