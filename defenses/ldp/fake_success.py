r"""How often the best guess from a report that may be a fake is right: exact, for any prior of the values.

A report S has probability :math:`W(S) (s\, e^{\lambda [v \in S]} + (1 - s) \varphi(S))` under value v, and the guess
maximises that times the prior. Under a uniform prior a fake does not move the guess, and the success is s times that of
the genuine report, plus (1 - s) / k.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from defenses.ldp.grr import Grr
from defenses.ldp.pure_protocol import PureProtocol
from defenses.ldp.support_law import log_binomial, log_mixed, log_set, log_zero
from defenses.ldp.unary import UnaryEncoding

__all__ = ["success"]

Floats = NDArray[np.float64]

_MOST_ENUMERATED = 12
_MOST_COUNTED = 2000


def success(
    prior: Floats, *, genuine: PureProtocol, share: float, zero: bool = False, weights: Floats | None = None
) -> float | None:
    """Return how often the likeliest value given one report is the true one.

    Parameters
    ----------
    prior : array of float, shape (k,)
        Probabilities of the true values.
    genuine : Grr, UnaryEncoding, SubsetSelection or LocalHashing
        The randomiser of a genuine report.
    share : float
        Probability that a report is genuine, s, in (0, 1].
    zero : bool
        Whether a fake is the zero vector, randomised; else it is a value.
    weights : array of float, shape (k,), optional
        Probabilities of a fake's value; None for a uniform one.

    Returns
    -------
    float or None
        Exact; None where no closed form is known: the prior is not uniform, and k is above 12 under `weights` and
        another protocol than GRR, or above 2,000.
    """
    size = len(prior)
    if size == 1:
        return 1.0
    if np.ptp(prior) <= 1e-12:
        return share * genuine.success(prior) + (1 - share) / size
    if isinstance(genuine, Grr):
        return _of_values(prior, genuine, share, np.full(size, 1 / size) if weights is None else weights)
    if weights is not None:
        return _by_sets(prior, genuine, share, weights) if size <= _MOST_ENUMERATED else None
    return _by_first_supported(prior, genuine, share, zero) if size <= _MOST_COUNTED else None


def _of_values(prior: Floats, genuine: Grr, share: float, weights: Floats) -> float:
    """Sum over the k values that GRR can report."""
    true, other = share * genuine.p + (1 - share) * weights, share * genuine.q + (1 - share) * weights
    second, first = np.sort(prior)[-2:]
    rival = np.where(np.arange(len(prior)) == prior.argmax(), second, first)
    return float(np.maximum(prior * true, rival * other).sum())


def _by_first_supported(prior: Floats, genuine: PureProtocol, share: float, zero: bool) -> float:
    """Sum over the likeliest value that a report supports, and the number of values that it supports."""
    size, ratio = len(prior), genuine.log_ratio
    count = np.arange(size + 1, dtype=np.float64)
    if zero and isinstance(genuine, UnaryEncoding):
        fake = np.full(size + 1, log_zero(genuine))
    else:
        fake = log_mixed(count / size, ratio)
    with np.errstate(divide="ignore"):
        falling = np.log(np.sort(prior)[::-1])
    supported, other, weight = _mixed(share, ratio, fake), _mixed(share, 0.0, fake), log_set(genuine)
    total = [weight[0] + falling[0] + other[0]]
    for first in range(size):
        # the values before it are not supported, and s - 1 of those after it are
        here = slice(1, size - first + 1)
        sets = weight[here] + log_binomial(size - first - 1, count[here] - 1)
        best = falling[first] + supported[here]
        if first:
            best = np.maximum(best, falling[0] + other[here])
        total.append(logsumexp(sets + best))
    return min(1.0, math.exp(logsumexp(total)))


def _by_sets(prior: Floats, genuine: PureProtocol, share: float, weights: Floats) -> float:
    """Sum over all sets of values."""
    size, ratio = len(prior), genuine.log_ratio
    sets = (np.arange(2**size)[:, None] >> np.arange(size)) & 1
    fake = log_mixed(sets @ weights, ratio)[:, None]
    value = np.where(sets == 1, _mixed(share, ratio, fake), _mixed(share, 0.0, fake))
    with np.errstate(divide="ignore"):
        best = (np.log(prior) + value).max(axis=1)
    return min(1.0, math.exp(logsumexp(log_set(genuine)[sets.sum(axis=1)] + best)))


def _mixed(share: float, genuine: float, fake: Floats) -> Floats:
    """Return log(s e^genuine + (1 - s) e^fake)."""
    if share == 1:
        return np.full_like(fake, genuine)
    return np.logaddexp(math.log(share) + genuine, math.log1p(-share) + fake)
