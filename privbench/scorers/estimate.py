"""A metric on one set of people: its value, its limits at any level, and each person's influence on it.

References
----------
E. DeLong et al., Biometrics 44, 1988 (AUC).
N. Carlini et al., "Membership Inference Attacks From First Principles", IEEE S&P 2022 (TPR at a low FPR).
R. Woodruff, "Confidence intervals for medians and other position measures", JASA 47, 1952 (thresholds).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privbench.scorers.delong import delong
from privbench.scorers.intervals import (
    Floats,
    Limits,
    mean_of_proportions,
    wilson_effective,
    wilson_one,
    z_value,
)

__all__ = [
    "FPR", "NEAR", "Codes", "Estimate", "among_likeliest", "balanced", "hit_shares", "macro_auc", "macro_tpr", "mean",
    "proportion", "root_mean",
]  # fmt: skip

Codes = NDArray[np.intp]
FPR = 0.01
NEAR = 10  # how many of the likeliest values are a near hit


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric on one set of people; `influence` has a value a person, or none where nothing is paired."""

    value: float
    n: int
    limits: Limits
    influence: Floats

    def __post_init__(self) -> None:
        # The same level is asked for again by the advantage and by the gaps.
        object.__setattr__(self, "limits", _remembered(self.limits))


def _remembered(limits: Limits) -> Limits:
    known: dict[float, tuple[float, float]] = {}

    def remembered(level: float) -> tuple[float, float]:
        if level not in known:
            known[level] = limits(level)
        return known[level]

    return remembered


def hit_shares(scores: Floats, truth: Codes) -> Floats:
    """Return 1/#ties where the true value is among the highest scores, else 0."""
    top = scores == scores.max(axis=1, keepdims=True)
    return np.asarray(top[np.arange(len(truth)), truth] / top.sum(axis=1), float)


def among_likeliest(scores: Floats, truth: Codes, number: int) -> Floats:
    """Return the share of the orders of equal scores in which the true value is among the `number` highest."""
    own = scores[np.arange(len(truth)), truth][:, None]
    higher, equal = (scores > own).sum(axis=1), (scores == own).sum(axis=1)
    return np.asarray(np.clip((number - higher) / equal, 0, 1), float)


def proportion(hits: Floats) -> Estimate:
    """Share of hits, each in [0, 1]."""
    total, n = float(hits.sum()), len(hits)
    value = total / n
    return Estimate(value, n, lambda level: wilson_one(total, n=n, level=level), hits - value)


def mean(losses: Floats, *, scale: float) -> Estimate:
    """Mean of values in [0, scale]."""
    value, n = float(losses.mean()), len(losses)
    influence = losses - value
    variance = float(influence @ influence) / max(n - 1, 1) / n / scale**2

    def limits(level: float) -> tuple[float, float]:
        low, high = wilson_effective(value / scale, variance=variance, n=n, freedom=n - 1, level=level)
        return scale * low, scale * high

    return Estimate(value, n, limits, influence)


def root_mean(squares: Floats) -> Estimate:
    """Root of the mean of values in [0, 1]; limits are the roots of the mean's, the root being monotone."""
    inner = mean(squares, scale=1)
    value = float(np.sqrt(inner.value))

    def limits(level: float) -> tuple[float, float]:
        low, high = inner.limits(level)
        return float(np.sqrt(low)), float(np.sqrt(high))

    return Estimate(value, inner.n, limits, inner.influence / (2 * value) if value > 0 else inner.influence)


def balanced(hits: Floats, truth: Codes, classes: Codes, k: int) -> Estimate:
    """Mean of the classes' recalls, independent proportions given the truth."""
    counts = np.bincount(truth, minlength=k)
    recall = np.bincount(truth, weights=hits, minlength=k) / np.maximum(counts, 1)
    weight = np.zeros(k)
    weight[classes] = len(truth) / (len(classes) * counts[classes])
    value, variance, size = mean_of_proportions(recall[classes] * counts[classes], n=counts[classes])

    def limits(level: float) -> tuple[float, float]:
        return wilson_effective(value, variance=variance, n=size, level=level)

    return Estimate(value, int(counts[classes].sum()), limits, (hits - recall[truth]) * weight[truth])


def macro_auc(scores: Floats, positive: NDArray[np.bool_]) -> Estimate:
    """Mean area under the ROC curve of each class against the rest: scores and who holds it, both (classes, n)."""
    value, influence, size = delong(scores, positive=positive)
    variance = float((influence**2).sum()) / len(influence) ** 2
    return Estimate(
        value,
        len(influence),
        lambda level: wilson_effective(value, variance=variance, n=size, level=level),
        influence,
    )


def macro_tpr(scores: Floats, positive: NDArray[np.bool_]) -> Estimate:
    """Macro TPR at 1 % FPR, with limits from both sides of the threshold.

    The people scored above the (j+1)-th highest negative, j = floor(n0 / 100), are the largest set cut by a
    threshold whose FPR is at most 1 %: equal scores go in or stay out together, so a constant score finds
    nobody. Two errors are joined by MOVER: that of the positives above the threshold (`mean_of_proportions`),
    and that of the threshold, from the TPR where 1 % of the negatives plus or minus z standard errors lie
    above (Woodruff). Classes' thresholds err independently, but those with so few negatives (under some 400)
    that no threshold is surely strict enough err together: there the lower limit falls to 0. The influence is
    left out, so two paired answers are compared as if independent, which is wider where they agree.
    """
    classes, n = scores.shape
    own = positive.sum(axis=1)
    negatives = n - own
    ranked = -np.sort(np.where(positive, np.inf, -scores), axis=1)  # negatives, highest first, then -inf
    expected = FPR * negatives
    holder, place = np.nonzero(positive)
    holds = scores[holder, place]

    starts = np.cumsum(own) - own  # of a class's holders, of whom there is at least one

    def found(allowed: Floats) -> Floats:
        at = np.minimum(allowed, negatives).astype(int)
        bar = np.where(at < negatives, ranked[np.arange(classes), np.minimum(at, n - 1)], -np.inf)
        bar[allowed < 0] = np.inf
        return np.add.reduceat(holds > bar[..., holder], starts, axis=-1, dtype=np.intp) / own

    rates = found(np.floor(expected + 1e-9))
    value, variance, size = mean_of_proportions(rates * own, n=own)

    def limits(level: float) -> tuple[float, float]:
        low, high = wilson_effective(value, variance=variance, n=size, level=level)
        swing = z_value(level) * np.sqrt(expected * (1 - FPR))
        stricter, laxer = found(np.stack([np.floor(expected - swing), np.ceil(expected + swing)]))
        down, up = rates - stricter, laxer - rates
        together = down[expected < swing].sum()
        below = np.sqrt(together**2 + (down[expected >= swing] ** 2).sum()) / classes
        above = np.sqrt((up**2).sum()) / classes
        return max(value - float(np.hypot(value - low, below)), 0.0), min(
            value + float(np.hypot(high - value, above)), 1.0
        )

    return Estimate(value, n, limits, np.zeros(n))
