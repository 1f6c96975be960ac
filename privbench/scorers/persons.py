"""What an attack says of each single person's true value, and what it would say if nothing of theirs had leaked.

Of one person there is one truth, and a guess at it may be right by luck. So each figure has a baseline of its own, and
something to tell luck from leakage by, once people are ranked: other people, or values, about whom nothing can leak.

- ``chance``: the secret is a uniform draw, so the baseline is 1/k. A *decoy*, another value drawn for every person, is
  as likely to be guessed as the truth where nothing leaks.
- ``controls``: the baseline is what the attack gives controls with the same true value to theirs. Few may share it, so
  their mean counts beside four people to whom the attack gives that value as it does to everyone. Controls have figures
  too, each measured on the others: they are what nothing leaking looks like.
- ``no-report``: the baseline is the same person's figure without the report; a report says something or it does not.

References
----------
J. Elias and S. Gygi, "Target-decoy search strategy", Nature Methods 4, 2007 (decoys).
A. Agresti and B. Coull, "Approximate is better than exact", The American Statistician 52, 1998 (four trials).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privbench.scorers.compare import Reference
from privbench.scorers.estimate import Codes, hit_shares
from privbench.scorers.intervals import Floats
from privbench.scorers.leakage_continuous import TOLERANCE, chance_continuous

__all__ = ["Persons", "persons_categorical", "persons_continuous"]

_BORROWED = 4  # people with which the figure of the few who share a value is mixed
_PARTS = 10  # of a continuous domain: controls whose values lie in one are alike


@dataclass(frozen=True, slots=True)
class Persons:
    """Figures on T people, one a person in every array; none is the truth.

    Attributes
    ----------
    right, right_baseline : ndarray
        Whether the guess is right, ties as their share, and what is expected without leakage.
    probability, probability_baseline : ndarray
        What the attack gives to the true value, and what is expected without leakage.
    decoy : ndarray
        What it gives to a value that is not the truth but as likely, NaN where there is none.
    """

    right: Floats
    right_baseline: Floats
    probability: Floats
    probability_baseline: Floats
    decoy: Floats


def persons_categorical(
    posterior: Floats,
    truth: NDArray[np.integer],
    *,
    member: NDArray[np.bool_],
    reference: Reference,
    reference_posterior: Floats | None,
    rng: np.random.Generator,
) -> Persons:
    """Return the figures on each person of guesses of a categorical secret.

    Parameters
    ----------
    posterior : ndarray, shape (T, k)
        Probabilities.
    truth : ndarray of int, shape (T,)
        Codes.
    member, reference, reference_posterior
        As in `score_categorical`.
    rng : numpy.random.Generator
        For the decoys; the same stream for every attack on a round, so that their figures can be averaged.
    """
    people, k = posterior.shape
    rows, codes = np.arange(people), truth.astype(np.intp)
    probability, right = posterior[rows, codes], hit_shares(posterior, codes)
    decoy = np.full(people, np.nan)
    if reference == "no-report" and reference_posterior is not None:
        return Persons(
            right, hit_shares(reference_posterior, codes), probability, reference_posterior[rows, codes], decoy
        )
    if reference == "controls":
        top = posterior == posterior.max(axis=1, keepdims=True)
        hits = top / top.sum(axis=1, keepdims=True)
        bases = (_of_controls(own, all_, codes, member) for own, all_ in ((right, hits), (probability, posterior)))
        return Persons(right, next(bases), probability, next(bases), decoy)
    if k > 1:
        decoy = posterior[rows, (codes + rng.integers(1, k, size=people)) % k]
    return Persons(right, np.full(people, 1 / k), probability, np.full(people, 1 / k), decoy)


def persons_continuous(
    guess: Floats,
    spread: Floats | None,
    truth: Floats,
    *,
    low: float,
    high: float,
    integer: bool,
    member: NDArray[np.bool_],
    reference: Reference,
    reference_guess: tuple[Floats, Floats | None] | None,
) -> Persons:
    """Return the figures on each person of guesses of a continuous secret.

    Right is a guess within 5 % of the domain's range, as in `score_continuous`; the probability is that which a normal
    distribution of the stated spread gives to lying so near, or 1 or 0 where no spread is stated. The decoy is the
    value half a domain further, round its end.

    Parameters
    ----------
    guess, spread, truth : ndarray, shape (T,)
        In the secret's unit; the spread may be None.
    low, high, integer, member, reference
        As in `score_continuous`.
    reference_guess : (guess, spread) or None
        The same attack's answer without the release, for ``no-report``.
    """
    width = high - low
    near = (TOLERANCE + 1e-9) * width  # whole numbers at the very edge must not fall to rounding

    def figures(answer: tuple[Floats, Floats | None]) -> Callable[[Floats], tuple[Floats, Floats]]:
        centre = np.clip(answer[0], low, high)
        return lambda value: (_within(centre, None, value, near), _within(centre, answer[1], value, near))

    own = figures((guess, spread))
    right, probability = own(truth)
    decoy = np.full(len(truth), np.nan)
    if reference == "no-report" and reference_guess is not None:
        without = figures(reference_guess)(truth)
        return Persons(right, without[0], probability, without[1], decoy)
    if reference == "controls":
        middles = [own(np.full(len(truth), low + (part + 0.5) / _PARTS * width)) for part in range(_PARTS)]
        codes = np.clip(((truth - low) / (width or 1.0) * _PARTS).astype(np.intp), 0, _PARTS - 1)
        bases = [
            _of_controls(mine, np.column_stack([middle[side] for middle in middles]), codes, member)
            for side, mine in enumerate((right, probability))
        ]
        return Persons(right, bases[0], probability, bases[1], decoy)
    values = round(width) + 1 if integer else width
    moved = low + (truth - low + (values // 2 if integer else width / 2)) % values
    chance = np.full(len(truth), chance_continuous(width, integer=integer, tolerance=TOLERANCE)["within_tolerance"])
    return Persons(right, chance, probability, chance, own(moved)[1])


def _within(centre: Floats, spread: Floats | None, value: Floats, near: float) -> Floats:
    """Return the probability of lying so near to a value; 1 or 0 where certainty, or nothing, is stated."""
    hit = (np.abs(centre - value) <= near).astype(float)
    if spread is None:
        return hit
    from scipy.special import ndtr

    unit = np.where(spread > 0, spread, 1.0)
    return np.where(spread > 0, ndtr((value + near - centre) / unit) - ndtr((value - near - centre) / unit), hit)


def _of_controls(own: Floats, each: Floats, codes: Codes, member: NDArray[np.bool_]) -> Floats:
    """Return what controls with the same value score, mixed with what everyone scores for it; a control without itself.

    Parameters
    ----------
    own : ndarray, shape (T,)
        Every person's score for the true value.
    each : ndarray, shape (T, k)
        Every person's score for each value, or part of a domain.
    codes, member
        True values, and who is no control.
    """
    outside, k = ~member, each.shape[1]
    alike = np.bincount(codes[outside], minlength=k)[codes] - outside
    total = np.bincount(codes[outside], weights=own[outside], minlength=k)[codes] - np.where(outside, own, 0)
    others = outside.sum() - outside
    everyone = (each[outside].sum(axis=0)[codes] - np.where(outside, each[np.arange(len(own)), codes], 0)) / np.maximum(
        others, 1
    )
    return np.asarray((total + _BORROWED * everyone) / (alike + _BORROWED))
