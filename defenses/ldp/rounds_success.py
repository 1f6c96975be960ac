r"""How often the best guess from several reports of one value is right: exact, where the reports reduce to counts.

Averaging is what the counts allow: :math:`s_v`, how many of R reports support value v, is all that they say of v.

References
----------
M. Gursoy, L. Liu, K.-H. Chow, S. Truex and W. Wei, "An Adversarial Approach to Protocol Analysis and Selection in Local
Differential Privacy", IEEE TIFS 2022 (one report).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

__all__ = ["log_binomials", "most_frequent", "success_of_counts", "success_of_tallies"]

Floats = NDArray[np.float64]

MOST_TALLIES = 100_000


def log_binomials(rounds: int, probability: float, *, miss: float | None = None) -> Floats:
    """Return log P[s of R independent reports support a value], ``(R + 1,)``, by its probability in one report.

    Parameters
    ----------
    rounds : int
        Number of reports, R.
    probability : float
        In [0, 1].
    miss : float, optional
        1 - probability, where it is known more precisely than by subtraction.
    """
    count = np.arange(rounds + 1, dtype=np.float64)
    choose = gammaln(rounds + 1) - gammaln(count + 1) - gammaln(rounds - count + 1)
    other = 1 - probability if miss is None else miss
    return choose + xlogy(count, probability) + xlogy(rounds - count, other)


def success_of_counts(prior: Floats, *, log_true: Floats, log_other: Floats) -> float:
    """Return the success where each value's count is independent of the others'.

    The values' posterior scores are ranked together, whatever their counts; a value is guessed if its score is the
    highest, and the others' cumulative probabilities multiply.

    Parameters
    ----------
    prior : array of float, shape (k,)
        Probabilities of the values.
    log_true, log_other : array of float, shape (R + 1,)
        Log probability of each count of the true and of another value; their difference rises with the count.
    """
    likely = np.log(prior[prior > 0])  # what is never true never wins
    score = likely[:, None] + np.maximum.accumulate(log_true - log_other)
    value, count = np.divmod(np.arange(score.size), len(log_true))
    order = np.lexsort((count, value, score.ravel()))
    value, count = value[order], count[order]
    upto = np.maximum(np.logaddexp.accumulate(log_other), -1e4)
    under = np.where(count > 0, upto[count - 1], 0.0)
    rise = upto[count] - under
    rivals = np.cumsum(rise) - rise - under
    # nothing wins before every other value has come up with its least count
    first = count == 0
    met = np.cumsum(first) == len(likely)
    return float(min(1.0, np.exp(likely[value] + log_true[count] + rivals)[met].sum()))


def most_frequent(rounds: int, *, size: int, p: float) -> float:
    r"""Return how often the true value is the most frequent of R answers of randomised response, ties being shared.

    That is the Bayes success under a uniform prior. Given the true value's count c, the other R - c answers fall evenly
    on k - 1 values; their tallies are independent Poisson numbers with a fixed sum. With A(x) the generating function
    of one that is below c, and B that of c itself, ties shared give :math:`((A + B)^k - A^k) / (k B)`.

    Parameters
    ----------
    rounds : int
        Number of answers, R.
    size : int
        Number of values, k, at least 2.
    p : float
        Probability that an answer is the true value.
    """
    total = 0.0
    chance = np.exp(log_binomials(rounds, p))
    for count in range(1, rounds + 1):
        rest = rounds - count
        mean = rest / (size - 1)
        number = np.arange(rest + 1, dtype=np.float64)
        poisson = np.exp(xlogy(number, mean) - mean - gammaln(number + 1))
        below, tie = np.where(number < count, poisson, 0.0), np.where(number == count, poisson, 0.0)
        ways = _shared_ties(below, tie, size)[rest]
        sum_of_all = math.exp(float(xlogy(rest, mean * (size - 1))) - mean * (size - 1) - math.lgamma(rest + 1))
        total += chance[count] * ways / (size * sum_of_all)
    return float(min(1.0, total))


def success_of_tallies(
    prior: Floats, *, rounds: int, log_weight: Callable[[NDArray[np.int64]], Floats]
) -> float | None:
    """Return the success by enumeration of how often each value can be answered; None above 100,000 ways.

    Parameters
    ----------
    prior : array of float, shape (k,)
        Probabilities of the values.
    rounds : int
        Number of answers, R.
    log_weight : callable
        From tallies ``(N, k)`` to the log probability of one sequence of such answers under each value, ``(N, k)``.
    """
    size = len(prior)
    if math.comb(rounds + size - 1, size - 1) > MOST_TALLIES:
        return None
    tallies = np.zeros((1, 0), dtype=np.int64)
    left = np.array([rounds])
    for _ in range(size - 1):
        repeat = left + 1
        here = np.arange(repeat.sum()) - np.repeat(np.cumsum(repeat) - repeat, repeat)
        tallies = np.column_stack([np.repeat(tallies, repeat, axis=0), here])
        left = np.repeat(left, repeat) - here
    tallies = np.column_stack([tallies, left])
    sequences = gammaln(rounds + 1) - gammaln(tallies + 1).sum(axis=1)
    with np.errstate(divide="ignore"):
        best = (np.log(prior) + log_weight(tallies)).max(axis=1)
    return float(min(1.0, np.exp(sequences + best).sum()))


def _shared_ties(below: Floats, tie: Floats, power: int) -> Floats:
    """Return the coefficients of ((A + B)^m - A^m) / B, by repeated doubling of sums of positive terms."""
    degree = len(below)

    def times(one: Floats, other: Floats) -> Floats:
        return np.convolve(one, other)[:degree]

    shared, whole = np.eye(1, degree)[0], below  # of power 1
    for digit in bin(power)[3:]:
        shared, whole = times(shared, 2 * whole + times(tie, shared)), times(whole, whole)
        if digit == "1":
            shared, whole = times(shared, below + tie) + whole, times(whole, below)
    return shared
