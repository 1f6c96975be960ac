"""Whether an adversary's stated confidence can be believed: of 100 people guessed with 80 %, 80 should be right.

A guess of a categorical secret states one confidence a person, its highest probability; people are put into bins of
fixed edges by it, so that runs and seeds can be pooled. All k probabilities are not binned: those of a person depend on
one another, and the many near 0 would hide the few that somebody acts upon. A guess of a continuous secret states a
spread; read as that of a normal distribution it gives ranges, which should hold the truth as often as they say.

The plain calibration error, the mean distance of stated confidence and share right, is above 0 by noise alone: with
1,000 people of an honest adversary at .03, with 60 at .12. Here each bin's distance is what one half of its people says
in the direction that the other half points to, in expectation over all halves: 0 on average where there is none, the
plain distance where that is far beyond noise. In between it is too small, so the interval reaches up from the plain
error and down from this one.

References
----------
C. Guo, G. Pleiss, Y. Sun and K. Weinberger, "On Calibration of Modern Neural Networks", ICML 2017.
R. Roelofs, N. Cain, J. Shlens and M. Mozer, "Mitigating Bias in Calibration Error Estimation", AISTATS 2022.
J. Bröcker and L. Smith, "Increasing the Reliability of Reliability Diagrams", Weather and Forecasting 22, 2007.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from privbench.errors import InputError
from privbench.scorers.estimate import Codes, hit_shares
from privbench.scorers.intervals import LEVEL, Floats, wilson_one, z_value
from privbench.scorers.score import Score

__all__ = ["BINS", "COVERED", "calibration_error", "score_calibration", "score_coverage"]

BINS = tuple(f"reliability_{low}_{low + 10}" for low in range(0, 100, 10))
"""The metric of each bin of stated confidence, from 0 to 10 % up; each holds its lower edge, the last its upper too."""
COVERED = {f"interval_coverage_{percent}": percent / 100 for percent in (50, 80, 95)}
"""For continuous secrets: how often ranges that state this probability hold the truth."""


def score_calibration(posterior: ArrayLike, truth: ArrayLike, *, member: ArrayLike) -> list[Score]:
    """Score the stated confidence in guesses of a categorical secret.

    Parameters
    ----------
    posterior : array_like, shape (T, k)
        Probabilities, rows with sum 1.
    truth : array_like of int, shape (T,)
        Codes in [0, k).
    member : array_like of bool, shape (T,)
        Whose record was in the training data: the rows are about them.

    Returns
    -------
    list of Score
        A row for each bin that holds a member: `value` is the share right (of tied values each counts as its share),
        with Wilson's limits, `baseline` the mean confidence stated, `control` the share right among the controls of
        the bin; and `calibration_error`, with that of the controls as `control`. None is an advantage.
    """
    stated, codes, inside = np.asarray(posterior, float), np.asarray(truth), np.asarray(member, bool)
    confidence = np.clip(stated.max(axis=1), 0, 1)
    bins = np.minimum((confidence * len(BINS) + 1e-9).astype(int), len(BINS) - 1)  # .3 may be stored as .2999...
    right = hit_shares(stated, codes)
    members, controls = (_binned(bins[who], right[who], confidence[who]) for who in (inside, ~inside))
    rows = []
    for name, n, hits, total, others, theirs in zip(BINS, *members, *controls[:2], strict=True):
        if n:
            low, high = wilson_one(hits, n=n)
            value = float(hits / n)
            control = float(theirs / others) if others else None
            rows.append(Score(name, value, min(low, value), max(high, value), int(n), None, float(total / n), control))
    value, low, high = calibration_error(*members)
    control = calibration_error(*controls)[0] if controls[0].any() else None
    rows.append(Score("calibration_error", value, low, high, int(members[0].sum()), control=control))
    return rows


def calibration_error(n: ArrayLike, hits: ArrayLike, stated: ArrayLike) -> tuple[float, float, float]:
    """Return how far stated confidence and share right lie apart, without what noise adds, with 95 % limits.

    Parameters
    ----------
    n : array_like, shape (B,)
        People in every bin, in all at least one.
    hits, stated : array_like, shape (B,)
        Sums over a bin's people of their hits and of the confidence stated.

    Returns
    -------
    value, low, high : float
        The mean over people of their bin's distance, in [-1, 1]: by chance it may lie a little below 0. In simulation
        the lower limit exceeds 0 in at most 4 % of samples of an honest adversary, and 95 % of intervals or more hold
        the true distance.
    """
    people, found, sums = (np.asarray(x, float) for x in (n, hits, stated))
    held = people > 0
    people, found, sums = people[held], found[held], sums[held]
    said, was = sums / people, found / people
    shrunk = (found + 4 * said) / (people + 4)  # a bin of two with no hit is not known to have no variance
    noise = np.sqrt(np.maximum(shrunk * (1 - shrunk), 1e-12) / people)
    weight = people / people.sum()
    value = float((weight * noise * _beyond_noise((was - said) / noise)).sum())
    plain = float((weight * np.abs(was - said)).sum())
    half = z_value(LEVEL) * float(np.sqrt(((weight * noise) ** 2).sum()))
    return value, min(max(value - half, 0.0), value), min(plain + half, 1.0)


def _beyond_noise(z: Floats) -> Floats:
    """Return the distance of a mean from what was stated, both over the mean's noise, without what noise adds.

    Of two halves of the people let A and B be the sums of their deviations. Given S = A + B, A is normal about S / 2,
    and the expectation of 2 B sign(A) is z (2 Phi(z) - 1) - sqrt(2 / pi) exp(-z^2 / 2) in units of S's own noise.
    """
    from scipy.special import erf

    return np.asarray(z * erf(z / np.sqrt(2)) - np.sqrt(2 / np.pi) * np.exp(-(z**2) / 2))


def _binned(bins: Codes, right: Floats, confidence: Floats) -> tuple[NDArray[np.intp], Floats, Floats]:
    """Return the number of people of every bin, their hits, and the sum of the confidence stated."""
    people = np.bincount(bins, minlength=len(BINS))
    hits, stated = (np.bincount(bins, weights=sums, minlength=len(BINS)).astype(float) for sums in (right, confidence))
    return people, hits, stated


def score_coverage(guess: ArrayLike, spread: ArrayLike, truth: ArrayLike, *, member: ArrayLike) -> list[Score]:
    """Score the stated spread of guesses of a continuous secret.

    Parameters
    ----------
    guess, spread, truth : array_like, shape (T,)
        In the secret's unit; the spread is a standard deviation, and 0 claims certainty.
    member : array_like of bool, shape (T,)
        As in `score_calibration`.

    Returns
    -------
    list of Score
        A row for each metric of `COVERED`: `value` is the share of truths within the range about the guess, both ends
        included, `baseline` what the range states, `control` the controls' share.

    Raises
    ------
    InputError
        If a spread is negative or not finite.
    """
    from scipy.special import ndtri

    centre, deviation, exact = (np.asarray(x, float) for x in (guess, spread, truth))
    if deviation.shape != exact.shape or not (np.isfinite(deviation).all() and (deviation >= 0).all()):
        raise InputError(f"`spread` must be {exact.size} finite numbers, none negative; got {deviation.shape}")
    inside = np.asarray(member, bool)
    distance, slack = np.abs(exact - centre), 1e-12 * (1 + np.abs(exact))  # rounding of a guess that claims certainty
    rows = []
    for name, level in COVERED.items():
        within = distance <= ndtri(0.5 + level / 2) * deviation + slack
        hits, n = int(within[inside].sum()), int(inside.sum())
        low, high = wilson_one(hits, n=n)
        control = None if inside.all() else float(within[~inside].mean())
        rows.append(Score(name, hits / n, low, high, n, None, level, control))
    return rows
