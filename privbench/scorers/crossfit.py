r"""The best of many attacks, chosen on one half of the people and scored on the other: pure numbers.

The highest of several noisy scores is biased up. So people are cut in two halves, each with members and controls; the
attack that is best on one half is scored on the other, and the two scores are pooled. Each has mean zero where nothing
leaks, whatever was chosen.

The two are not independent, though: either half's people choose for the other. Where no attack is truly better, which
of two ahead on one half is chosen for the other, and the other way round, so their errors go together. With m attacks
of independent errors the variance of the pooled score is larger by a share of :math:`\mu^2 / (m - 1)`, :math:`\mu`
being the mean of the largest of m standard normal values: by 32 % for two, 26 % for ten. Attacks on one person agree
mostly, which leaves a few per cent; `spread` measures it by permutations, and intervals are widened by its root.

Where nothing leaks a member is to any attack what a control is, so labels can be permuted, and all of it done again,
the choice included: exact p-values.

References
----------
V. Chernozhukov et al., "Double/debiased machine learning", The Econometrics Journal 21, 2018 (cross-fitting).
P. Westfall and S. Young, "Resampling-Based Multiple Testing", Wiley 1993 (step-down maximum).
B. Phipson and G. Smyth, "Permutation P-values Should Never Be Zero", Stat. Appl. Genet. Mol. Biol. 9, 2010.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privbench.errors import InputError
from privbench.scorers.compare import Compared, advantage
from privbench.scorers.estimate import proportion
from privbench.scorers.intervals import LEVEL, Floats

__all__ = ["DRAWS", "CrossFit", "cross_fit", "halves", "interval", "picked", "step_down"]

Bools = NDArray[np.bool_]
DRAWS = 1999
"""Permutations; the smallest p-value is one over one more."""


@dataclass(frozen=True, slots=True, eq=False)
class CrossFit:
    """What the best of m attacks scores on n people.

    Attributes
    ----------
    chosen : tuple of int
        The attack that scored the people of the first half, chosen on the second; then the other way round.
    advantage : float
        Mean of the members' hits less that of the controls.
    spread : float
        Standard deviation of `advantage` under permutations over that of a score without any choice, at least 1.
    permuted : ndarray, shape (draws,)
        `advantage` under random labels.
    """

    chosen: tuple[int, int]
    advantage: float
    spread: float
    permuted: Floats


def halves(member: Bools, *, rng: np.random.Generator) -> Bools:
    """Cut people in two halves at random, each with half of the members and half of the controls.

    Parameters
    ----------
    member : ndarray of bool, shape (n,)
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of bool, shape (n,)
        Who is in the second half.
    """
    second = np.zeros(len(member), bool)
    for side in (True, False):
        mine = rng.permutation(np.flatnonzero(member == side))
        second[mine[::2]] = True
    return second


def cross_fit(
    hits: Sequence[Floats],
    *,
    member: Bools,
    second: Bools,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> list[CrossFit]:
    """Choose and score for each of several secrets the best attack.

    Parameters
    ----------
    hits : sequence of ndarray, shape (m, n)
        For each secret, how right each of its m attacks is on each of n people, in [0, 1].
    member : ndarray of bool, shape (n,)
    second : ndarray of bool, shape (n,)
        Who is in the second half, as `halves` returns it.
    rng : numpy.random.Generator
        For the permutations: the same ones for all secrets, so that their largest can be compared.
    draws : int
        Permutations.

    Raises
    ------
    InputError
        If shapes differ, or a half lacks members or controls.
    """
    if not hits:
        return []
    people = len(member)
    if any(own.ndim != 2 or own.shape[1] != people or not len(own) for own in hits) or second.shape != (people,):
        raise InputError(
            f"hits must have shape (attacks, {people}), at least one attack; got {[h.shape for h in hits]}"
        )
    sides = [np.flatnonzero(~second), np.flatnonzero(second)]
    for side in sides:
        if not member[side].any() or member[side].all():
            raise InputError("each half needs members and controls")
    weights = [_labels(member[side], draws=draws, rng=rng) for side in sides]
    return [_one(own, member, sides, weights) for own in hits]


def picked(values: Floats, fit: CrossFit, *, second: Bools) -> Floats:
    """Return for each person what the attack that scored them has, ``(n,)``, of values of all, ``(m, n)``."""
    return np.where(second, values[fit.chosen[1]], values[fit.chosen[0]])


def interval(
    fit: CrossFit,
    *,
    metric: str,
    own: Floats,
    other: Floats,
    level: float = LEVEL,
) -> tuple[float, float]:
    """Return the limits of an advantage: Newcombe's, wider by the spread that the choice of an attack adds.

    Parameters
    ----------
    fit : CrossFit
        Where the spread is from.
    metric : str
        ``accuracy`` or another share.
    own, other : ndarray
        Hits of the members, and of the controls.
    level : float
        Confidence, in (0, 1).
    """
    gain = advantage(metric, Compared(proportion(own), proportion(other)), paired=False)
    assert gain is not None, "there is something to compare with"
    low, high = gain.limits(level)
    below, above = (fit.spread * max(side, 0.0) for side in (gain.value - low, high - gain.value))
    return max(gain.value - below, -1.0), min(gain.value + above, 1.0)


def step_down(fits: Sequence[CrossFit]) -> list[float]:
    """Return one-sided p-values of no advantage, corrected for all of them: at most 5 % chance that any is below .05.

    Each advantage counts in units of its standard deviation under permutation. The highest is compared with the highest
    of all under each permutation, the next with the highest of the others, and so on; none is below the one before.
    Stronger than Bonferroni's or Holm's where secrets go together, and exact whatever they do.

    Parameters
    ----------
    fits : sequence of CrossFit
        Made in one call of `cross_fit`, so that they share permutations.
    """
    if not fits:
        return []
    scale = np.array([fit.permuted.std() for fit in fits])
    scale = np.where(scale > 1e-12, scale, np.inf)  # attacks that answer alike on all people tell nothing
    seen = np.array([fit.advantage for fit in fits]) / scale
    drawn = np.stack([fit.permuted for fit in fits], axis=1) / scale
    order = np.argsort(-seen, kind="stable")
    # the highest of this secret and of all that stand below it
    highest = np.maximum.accumulate(drawn[:, order][:, ::-1], axis=1)[:, ::-1]
    share = (1 + (highest >= seen[order] - 1e-9).sum(axis=0)) / (1 + len(drawn))
    p = np.empty(len(fits))
    p[order] = np.maximum.accumulate(share)
    return [float(value) for value in p]


def _labels(member: Bools, *, draws: int, rng: np.random.Generator) -> Floats:
    """Return the labels of one half, ``(n, 1 + draws)``, the true ones first: 1 for a member, else 0."""
    drawn = rng.permuted(np.broadcast_to(member, (draws, len(member))), axis=1)
    return np.vstack([member, drawn]).astype(float).T


def _one(hits: Floats, member: Bools, sides: list[NDArray[np.intp]], weights: list[Floats]) -> CrossFit:
    inside = [int(member[side].sum()) for side in sides]
    outside = [len(side) - own for side, own in zip(sides, inside, strict=True)]
    sums = [hits[:, side] @ weight for side, weight in zip(sides, weights, strict=True)]
    totals = [hits[:, side].sum(axis=1, keepdims=True) for side in sides]

    def gain(own: Floats, all_: Floats, members: int, controls: int) -> Floats:
        return own / members - (all_ - own) / controls

    # rounded: attacks that are equally good must not be told apart by the last digit of a sum
    parts = zip(sums, totals, inside, outside, strict=True)
    best = [np.round(gain(*part), 12).argmax(axis=0) for part in parts]
    chosen = best[::-1]  # each half is scored by what the other one chose
    draws = np.arange(len(best[0]))
    own = sum(sums[s][chosen[s], draws] for s in (0, 1))
    all_ = sum(totals[s][chosen[s], 0] for s in (0, 1))
    pooled = gain(np.asarray(own), np.asarray(all_), sum(inside), sum(outside))
    return CrossFit(
        (int(chosen[0][0]), int(chosen[1][0])),
        float(pooled[0]),
        _spread(hits, sides, [c[1:] for c in chosen], pooled[1:], inside, outside),
        pooled[1:],
    )


def _spread(
    hits: Floats,
    sides: list[NDArray[np.intp]],
    chosen: list[NDArray[np.intp]],
    pooled: Floats,
    inside: list[int],
    outside: list[int],
) -> float:
    """Return how much wider the permuted scores spread than the same attacks' would if they had not been chosen."""
    if len(hits) == 1:  # nothing was chosen
        return 1.0
    expected = np.zeros(len(pooled))
    for side, choice, members, controls in zip(sides, chosen, inside, outside, strict=True):
        # of a sum over a sample drawn without replacement, in the weights of the pooled score
        weight = 1 / sum(inside) + 1 / sum(outside)
        variance = hits[:, side].var(axis=1, ddof=1) * members * controls / (members + controls) * weight**2
        expected += variance[choice]
    unit = float(expected.mean())
    return max(1.0, float(np.sqrt(np.mean(pooled**2) / unit))) if unit > 1e-15 else 1.0
