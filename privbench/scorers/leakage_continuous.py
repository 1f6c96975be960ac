"""Leakage of a continuous secret: how near the guesses come because data was published."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from privbench.errors import InputError
from privbench.scorers.compare import Compared, Groups, Reference, all_rows, checked_members, compare_with
from privbench.scorers.estimate import Codes, Estimate, proportion, root_mean
from privbench.scorers.intervals import Floats
from privbench.scorers.score import Score

__all__ = ["score_continuous"]


def _chance_continuous(width: float, *, integer: bool, tolerance: float) -> dict[str, float]:
    """Return what the best constant guess scores where the truth is uniform on a domain of this width."""
    if not integer:
        return {"within_tolerance": min(1.0, 2 * tolerance), "nrmse": float(1 / np.sqrt(12))}
    values = round(width) + 1
    inside = min(values, int(np.floor(2 * tolerance * width + 1e-9)) + 1)
    return {"within_tolerance": inside / values, "nrmse": float(np.sqrt((values**2 - 1) / 12) / width)}


def score_continuous(
    guess: ArrayLike,
    truth: ArrayLike,
    *,
    low: float,
    high: float,
    integer: bool,
    member: ArrayLike,
    groups: Groups,
    reference: Reference,
    reference_guess: ArrayLike | None = None,
    median: float | None = None,
    tolerance: float = 0.05,
) -> list[Score]:
    """Score guesses of a continuous secret for T people.

    Metrics: `within_tolerance`, a hit where guess and truth differ by at most `tolerance` of the domain's
    range, in either direction, and `nrmse`. Guesses are clipped to the domain first. Rows as in
    `score_categorical`.

    Parameters
    ----------
    guess, truth : array_like, shape (T,)
        In the secret's unit.
    low, high : float
        The domain, low < high; the truth must lie in it.
    integer : bool
        Whether the domain holds whole numbers only; it decides what chance is.
    member, groups, reference
        As in `score_categorical`. Chance is the best constant guess: its share within tolerance, counted
        exactly, and the root mean squared error of the middle, range / sqrt(12) or its exact value for
        integers.
    reference_guess : array_like, shape (T,), optional
        The same attack's answer without the release, for ``no-report``.
    median : float, optional
        The constant guess that stands in for `reference_guess` where that is None: predicting the median.
    tolerance : float
        In [0, 1], share of the range.

    Raises
    ------
    InputError
        If shapes differ, a number is not finite, the truth leaves the domain, or nobody is a member.
    """
    width = high - low
    exact = np.asarray(truth, float)
    people = exact.size
    if not (np.isfinite(width) and width > 0 and 0 <= tolerance <= 1):
        raise InputError(f"need low < high and tolerance in [0, 1]; got {low}, {high} and {tolerance}")
    if reference_guess is None and median is not None:
        reference_guess = np.full(people, median)
    answers = [np.asarray(x, float) for x in (guess, reference_guess) if x is not None]
    if any(x.shape != (people,) or not np.isfinite(x).all() for x in (exact, *answers)):
        raise InputError(f"guesses and truth must be {people} finite numbers each; got {[x.shape for x in answers]}")
    slack = 1e-9 * width  # whole numbers at the very edge of the tolerance must not fall to rounding
    if (exact < low - slack).any() or (exact > high + slack).any():
        raise InputError(f"the truth must lie in [{low}, {high}]; got [{exact.min()}, {exact.max()}]")
    inside = checked_members(people, member, groups, reference, reference_guess is not None)
    errors = [np.abs(np.clip(x, low, high) - exact) for x in answers]

    def estimates(error: Floats, who: Codes) -> dict[str, Estimate]:
        hits = (error[who] <= tolerance * width + slack).astype(float)
        squares = np.minimum((error[who] / width) ** 2, 1.0)
        return {"within_tolerance": proportion(hits), "nrmse": root_mean(squares)}

    constant = partial(_chance_continuous, width, integer=integer, tolerance=tolerance)

    def compare(members: Codes, controls: Codes) -> dict[str, Compared]:
        own = estimates(errors[0], members)
        if reference == "chance":
            return compare_with(own, constant())
        if reference == "no-report":
            return compare_with(own, estimates(errors[1], members))
        return compare_with(own, estimates(errors[0], controls) if len(controls) else None)

    return all_rows(compare, member=inside, groups=groups, reference=reference)
