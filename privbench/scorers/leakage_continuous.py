"""Leakage of a continuous secret: how near the guesses come because data was published."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from privbench.errors import InputError
from privbench.scorers.compare import Compared, Groups, Reference, all_rows, checked_members, compare_with
from privbench.scorers.estimate import Codes, Estimate, proportion, root_mean
from privbench.scorers.score import Score

__all__ = ["TOLERANCE", "chance_continuous", "score_continuous"]

TOLERANCE = 0.05
"""How near a guess must come to be right, as a share of the domain's range."""


def chance_continuous(width: float, *, integer: bool, tolerance: float) -> dict[str, float]:
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
    tolerance: float = TOLERANCE,
    rng: np.random.Generator | None = None,
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
    tolerance : float
        In [0, 1], share of the range.
    rng : numpy.random.Generator, optional
        For `within_tolerance_advantage_gap_p_value`; without it there is no p-value.

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
    answers = [np.asarray(x, float) for x in (guess, reference_guess) if x is not None]
    if any(x.shape != (people,) or not np.isfinite(x).all() for x in (exact, *answers)):
        raise InputError(f"guesses and truth must be {people} finite numbers each; got {[x.shape for x in answers]}")
    slack = 1e-9 * width  # whole numbers at the very edge of the tolerance must not fall to rounding
    if (exact < low - slack).any() or (exact > high + slack).any():
        raise InputError(f"the truth must lie in [{low}, {high}]; got [{exact.min()}, {exact.max()}]")
    inside = checked_members(people, member, groups, reference, reference_guess is not None)
    errors = [np.abs(np.clip(x, low, high) - exact) for x in answers]

    hits = [(error <= tolerance * width + slack).astype(float) for error in errors]
    squares = [np.minimum((error / width) ** 2, 1.0) for error in errors]

    def estimates(answer: int, who: Codes) -> dict[str, Estimate]:
        return {"within_tolerance": proportion(hits[answer][who]), "nrmse": root_mean(squares[answer][who])}

    constant = partial(chance_continuous, width, integer=integer, tolerance=tolerance)

    def compare(members: Codes, controls: Codes) -> dict[str, Compared]:
        own = estimates(0, members)
        if reference == "chance":
            return compare_with(own, constant())
        if reference == "no-report":
            return compare_with(own, estimates(1, members))
        return compare_with(own, estimates(0, controls) if len(controls) else None)

    means = {"within_tolerance": hits[0] - hits[1] if reference == "no-report" else hits[0]}
    return all_rows(compare, member=inside, groups=groups, reference=reference, means=means, rng=rng)
