"""Several answers pooled into one: how far each is to be trusted, and the pool itself. Not an attack itself.

References
----------
C. Genest and J. Zidek, "Combining Probability Distributions: A Critique and an Annotated Bibliography", Statistical
Science 1, 1986 (logarithmic pools); D. Wolpert, "Stacked Generalization", Neural Networks 5, 1992.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["pool", "pool_numbers", "weights", "weights_of_numbers"]

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

# nobody is so sure that others have no say: this much of every answer is the released shares
_DOUBT = 0.01
# numbers in one answer that weights are learnt from: 80 MB an attack
_CELLS = 10_000_000
# how strongly weights are held to be equal, in people
_RIDGE = 1.0


def pool(answers: Sequence[Floats], marginal: Floats, trust: Floats) -> Floats:
    """Return the product of the answers, each to the power of its weight, ``(T, k)`` with rows that sum to 1.

    Parameters
    ----------
    answers : sequence of array of shape (T, k)
        Probabilities.
    marginal : array of shape (k,)
        The released shares.
    trust : array of shape (number of answers,)
        Weights, not negative.
    """
    from scipy.special import softmax

    total = np.zeros_like(answers[0])
    for answer, weight in zip(answers, trust, strict=True):
        total += weight * _logs(answer, marginal)
    return np.asarray(softmax(total, axis=1))


def weights(answers: Sequence[Floats], truth: Codes, marginal: Floats) -> Floats:
    """Return the weights of the pool that make the true values most probable, none negative.

    Parameters
    ----------
    answers : sequence of array of shape (n, k)
        What each attack said of n people whose values are known; all weigh alike where n is 0.
    truth : array of int, shape (n,)
        Their values.
    marginal : array of shape (k,)
        The released shares.
    """
    from scipy.optimize import minimize

    people = min(len(truth), max(1, _CELLS // len(marginal)))
    who = np.arange(people)
    logs = np.stack([_logs(answer[:people], marginal) for answer in answers])
    own = logs[:, who, truth[:people]]
    equal = np.full(len(answers), 1 / len(answers))

    def loss(trust: Floats) -> tuple[float, Floats]:
        total = np.tensordot(trust, logs, axes=1)
        top = total.max(axis=1)
        share = np.exp(total - top[:, None])
        mass = share.sum(axis=1)
        share /= mass[:, None]
        value = float(np.sum(top + np.log(mass) - trust @ own))
        slope = np.array([np.sum(share * log) for log in logs]) - own.sum(axis=1)
        apart = trust - equal
        return value + _RIDGE * float(apart @ apart), slope + 2 * _RIDGE * apart

    found = minimize(loss, equal, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(answers))
    return np.asarray(found.x, dtype=np.float64)


def pool_numbers(answers: Sequence[Floats], trust: Floats) -> Floats:
    """Return the weighted mean of the answers, ``(T,)``."""
    return np.asarray(trust @ np.stack(answers), dtype=np.float64)


def weights_of_numbers(answers: Sequence[Floats], truth: NDArray[Any], width: float) -> tuple[Floats, float]:
    """Return weights with sum 1, none negative, whose mean is nearest to the truth, and its root mean squared error.

    Parameters
    ----------
    answers : sequence of array of shape (n,)
        What each attack said of n people whose values are known; all weigh alike where n is 0.
    truth : array of shape (n,)
        Their values.
    width : float
        The range of the domain.
    """
    from scipy.optimize import nnls

    if not len(truth):
        return np.full(len(answers), 1 / len(answers)), 0.0
    scale = width or 1.0
    given = np.stack(answers, axis=1)
    # a heavy last row holds the sum to 1
    heavy = 1e3 * np.sqrt(len(truth))
    sides = np.vstack([(given - truth[:, None]) / scale, np.full(given.shape[1], heavy)])
    found = nnls(sides, np.append(np.zeros(len(truth)), heavy))[0]
    trust = found / found.sum()
    return trust, float(np.sqrt(np.mean(np.square(given @ trust - truth))))


def _logs(answer: Floats, marginal: Floats) -> Floats:
    """Return the logarithm of an answer that leaves some doubt."""
    doubt = _DOUBT * (0.99 * marginal + 0.01 / len(marginal))
    return np.log((1 - _DOUBT) * answer + doubt)
