"""Telling apart what releases say of a target's secret, learnt from releases whose secrets are known. Not an attack.

A conditional logit gives every value of the secret a score that is linear in features of this value, with the same
weights for all targets and values: what shadow releases tell of one target then serves all. The features are, for each
query, how many rows it finds in three ways: as the log-likelihood ratio of Poisson counts with and without the
target's own record, as a share of those for all values, and against the usual number; and the value that features of
the release as a whole predict by ridge regression.

References
----------
D. McFadden, "Conditional Logit Analysis of Qualitative Choice Behavior", in: Frontiers in Econometrics, 1974; A. Hoerl
and R. Kennard, "Ridge Regression", Technometrics 12, 1970; D. Allen, "The Relationship Between Variable Selection and
Data Augmentation and a Method for Prediction", Technometrics 16, 1974 (leaving one out of a linear fit).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Shadows", "learn_secret"]

Floats = NDArray[np.float64]
Counts = NDArray[np.float32]
Ints = NDArray[np.int64]

# numbers that the logit is fitted to at once: 32 MB
_NUMBERS = 4_000_000
# every so manieth shadow is held out to choose the penalty
_HELD_OUT = 4
_PENALTIES = (3000.0, 300.0, 30.0)
# how sure the answers may be, as a share of what they seem to be
_SURE = (0.25, 0.5, 0.75, 1.0)
_RIDGES = tuple(10.0**power for power in range(-1, 6))
# a target adds at least so much to a count, and so much is to be expected at least
_LEAST = 0.02
_STEPS, _HALVINGS = 20, 10
# Newton's method ends when a step gains less than this a pair, in nats
_GAIN = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class Shadows:
    """What is known of one secret in S releases of one's own, and in the real one.

    Parameters
    ----------
    cell : array of int, shape (S, T)
        The secret's cell in each.
    counts : array of shape (S, Q, U, k)
        What each of Q queries finds for U combinations of known values and k cells; Q may be 0.
    combination : array of int, shape (T,)
        Which combination each target has.
    whole : array of shape (S, F)
        Features of each release as a whole; F may be 0.
    real : tuple of array of shape (Q, U, k), (F,)
        The same of the real release.
    """

    cell: Ints
    counts: Counts
    combination: Ints
    whole: Floats
    real: tuple[Counts, Floats]

    @property
    def cells(self) -> int:
        """The number of cells, k."""
        return self.counts.shape[-1]


def learn_secret(shadows: Shadows) -> Floats:
    """Return log-probabilities of each target's cells, ``(T, k)``, all alike before the real release was seen."""
    number, people = shadows.cell.shape
    usual = _Usual.of(shadows)
    predicted, told = _ridge(shadows)
    pairs = np.arange(number * people)
    width = 3 * shadows.counts.shape[1] + 1
    # a part of the pairs of a shadow and a target, the targets taking turns
    step = max(1, len(pairs) * shadows.cells * width // _NUMBERS)
    some = pairs[::step]
    which, who = some // people, (some + some // people) % people
    features = usual.features(shadows.counts[which, :, shadows.combination[who]], shadows.combination[who])
    features = np.concatenate([features, predicted[which, who][:, :, None]], axis=2)
    scale = np.maximum(features.std(axis=(0, 1)), 1e-9)
    features /= scale
    truth = shadows.cell[which, who]
    held_out = which % _HELD_OUT == 0
    best, sure, penalty, start = -np.log(shadows.cells), 0.0, _PENALTIES[0], np.zeros(width)
    for tried in _PENALTIES:
        start = _logit(features[~held_out], truth[~held_out], tried, start)
        scores = features[held_out] @ start
        for share in _SURE:
            gain = _gain(share * scores, truth[held_out])
            if gain > best:
                best, sure, penalty = gain, share, tried
    # what tells nothing of shadows held out tells nothing of the real release
    weight = sure * _logit(features, truth, penalty, start) / scale
    everyone = shadows.combination
    own = usual.features(shadows.real[0][:, everyone].transpose(1, 0, 2), everyone)
    return _logs(np.dstack([own, told]) @ weight)


@dataclass(frozen=True, slots=True, eq=False)
class _Usual:
    """What queries find over all shadow releases.

    Parameters
    ----------
    mean : array of shape (Q, U, k)
        On average.
    added : array of shape (Q,)
        How many rows more if the target has the value, pooled over targets and values.
    """

    mean: Floats
    added: Floats

    @classmethod
    def of(cls, shadows: Shadows) -> _Usual:
        mean = shadows.counts.mean(axis=0, dtype=np.float64)
        variance = shadows.counts.var(axis=0, dtype=np.float64) + 1 / len(shadows.cell)
        above, below = np.zeros(len(mean)), np.zeros(len(mean))
        for counts, cell in zip(shadows.counts, shadows.cell, strict=True):
            # for each combination how many targets have each cell, beyond what is to be expected
            held = np.zeros(mean.shape[1:])
            np.add.at(held, (shadows.combination, cell), 1.0)
            held -= held.sum(axis=1, keepdims=True) / shadows.cells
            above += ((counts - mean) / variance * held).sum(axis=(1, 2))
            below += (held**2 / variance).sum(axis=(1, 2))
        return cls(mean, np.maximum(above / np.maximum(below, 1e-12), _LEAST))

    def features(self, counts: Counts, combination: Ints) -> Floats:
        """Return ``(N, k, 3 Q)`` features of counts ``(N, Q, k)``."""
        added = self.added[:, None]
        mean = self.mean[:, combination].transpose(1, 0, 2)
        expected = np.maximum(mean - added / mean.shape[-1], _LEAST)
        total = counts.sum(axis=-1, keepdims=True)
        shares = np.where(total > 0, counts / np.maximum(total, 1e-9), 1 / counts.shape[-1])
        parts = [counts * np.log1p(added / expected), shares, np.log((counts + 0.5) / (mean + 0.5))]
        return np.concatenate(parts, axis=1).transpose(0, 2, 1).astype(np.float64)


def _ridge(shadows: Shadows) -> tuple[Floats, Floats]:
    """Predict every target's cell from features of the whole release, all targets by one decomposition.

    Returns
    -------
    array of shape (S, T, k)
        For each shadow release by the others.
    array of shape (T, k)
        For the real one.
    """
    number, people = shadows.cell.shape
    deviation = shadows.whole.std(axis=0)
    # a share that the same rows give in another order differs in the last digits
    useful = deviation > 1e-9 * np.maximum(1.0, np.abs(shadows.whole).max(axis=0, initial=0.0))
    if not useful.any():
        return np.zeros((number, people, shadows.cells)), np.zeros((people, shadows.cells))
    mean = shadows.whole.mean(axis=0)
    x, own = ((part - mean)[..., useful] / deviation[useful] for part in (shadows.whole, shadows.real[1]))
    # what is expected of the answers is known, so that no mean is taken of them
    y = (np.eye(shadows.cells)[shadows.cell] - 1 / shadows.cells).reshape(number, -1)
    left, singular, right = np.linalg.svd(x, full_matrices=False)
    turned = left.T @ y
    best, found = np.inf, (np.zeros_like(y), np.zeros(y.shape[1]))
    for penalty in _RIDGES:
        shrink = singular**2 / (singular**2 + penalty * x.shape[1])
        fitted = (left * shrink) @ turned
        kept = np.maximum(1 - (np.square(left) * shrink).sum(axis=1, keepdims=True), 1e-6)
        predicted = y - (y - fitted) / kept
        error = float(np.square(y - predicted).sum())
        if error < best:
            ratio = shrink / np.where(singular > 0, singular, 1)
            best, found = error, (predicted, (own @ right.T * ratio) @ turned)
    shape = (people, shadows.cells)
    return found[0].reshape(number, *shape), found[1].reshape(shape)


def _logit(features: Floats, truth: Ints, penalty: float, start: Floats) -> Floats:
    """Return the weights that make true cells most probable, less a penalty on their squares (Newton's method)."""
    rows, width = np.arange(len(features)), features.shape[-1]
    own, flat = features[rows, truth].sum(axis=0), features.reshape(-1, width)

    def loss(weight: Floats) -> tuple[float, Floats]:
        logs = _logs((flat @ weight).reshape(features.shape[:2]))
        return float(penalty / 2 * weight @ weight - logs[rows, truth].sum()), np.exp(logs)

    weight, (now, chance) = start, loss(start)
    for _ in range(_STEPS):
        slope = penalty * weight - own + chance.ravel() @ flat
        mean = np.einsum("nk,nkf->nf", chance, features)
        curve = (flat * chance.reshape(-1, 1)).T @ flat - mean.T @ mean + penalty * np.eye(width)
        step = np.linalg.solve(curve, slope)
        for _ in range(_HALVINGS):
            after, there = loss(weight - step)
            if after <= now:
                break
            step /= 2
        else:
            break
        weight, gained, now, chance = weight - step, now - after, after, there
        if gained < _GAIN * len(features):
            break
    return weight


def _gain(scores: Floats, truth: Ints) -> float:
    """Return the mean log-probability of true cells; the least there is of no one."""
    if not len(truth):
        return -np.inf
    return float(_logs(scores)[np.arange(len(truth)), truth].mean())


def _logs(scores: Floats) -> Floats:
    """Return logarithms of probabilities in proportion to the exponentials of scores."""
    above = scores - scores.max(axis=-1, keepdims=True)
    return np.asarray(above - np.log(np.exp(above).sum(axis=-1, keepdims=True)), dtype=np.float64)
