r"""What the reports let one expect of the true values: features that do not attenuate a linear model.

A debiased report D has the indicators x of the true value as its expectation, but noise beside them; a model fitted
on D learns too small coefficients (errors in variables), and so does one fitted on support bits. Regression
calibration fits on the best linear prediction of x from all that was collected, the reports and the clear columns z,

.. math:: \hat x = m(z) + G\, \mathrm{Cov}(D - m)^{-1} (D - m(z)), \qquad G = \mathrm{Cov}(x, D \mid z),

and applies the coefficients to clean records. For a linear model that is consistent, for a logistic one a good
approximation, whose probabilities are less extreme than those of a model of clean records. What it takes is known
without seeing any x: m is the regression of D on z, as the noise has mean 0; Cov(x) of one column follows from its
estimated shares; and that of two columns from their debiased reports, whose noises are independent. Where each person
reports a single column it is unknown, and the columns are taken as uncorrelated given z. Reports of a small budget are
so wide that estimates may leave what is possible: the mean of m is moved to that of a distribution, or into the bounds,
and m and the covariances of two columns are shrunk to what the columns' own variances allow.

References
----------
R. Carroll, D. Ruppert, L. Stefanski and C. Crainiceanu, "Measurement Error in Nonlinear Models", 2nd ed., 2006, ch. 4.
G. Golub, M. Heath and G. Wahba, "Generalized Cross-Validation as a Method for Choosing a Good Ridge Parameter",
Technometrics 21, 1979.
W. James and C. Stein, "Estimation with Quadratic Loss", 1961.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from privbench.oracles import NumericOracle
from privbench.release import Release
from privbench.reports import Reports, Together
from privbench.schema import Column
from privbench.table import Table

__all__ = ["calibrated_features"]

Floats = NDArray[np.float64]

_PENALTIES = np.logspace(0, 8, 33)


@dataclass(frozen=True)
class _Block:
    """One randomised column: its debiased reports less their mean, and what they are expected to be noise on."""

    debiased: Floats
    """``(n, k)``, 0 for who did not report."""
    asked: Floats
    """In how many of the surveys each person reported, as a share, ``(n,)``."""
    mean: Floats
    """Of the true indicators, or number: as estimated, moved to what is possible."""
    covariance: Floats
    """Of the true indicators, or number."""
    kept: float
    """p - q of a discrete column."""


def calibrated_features(release: Release, records: Table, names: list[str]) -> tuple[Floats, Floats]:
    """Return the training matrix and that of clean records, for a linear model.

    Clear columns are standardised, indicators of randomised ones are not; a randomised number counts in half widths of
    its bounds.

    Parameters
    ----------
    release : Release
        What was published; one without reports has clear columns only.
    records : Table
        Clean records.
    names : list of str
        The columns to learn from.

    Returns
    -------
    known, asked : arrays of shape (n, p) and (len(records), p)
    """
    randomised = [name for name in names if isinstance(release, Reports) and name in release]
    clear = [name for name in names if name not in randomised]
    known, asked = _standardised(release.features(clear), release.encode(records, clear))
    if not randomised or not isinstance(release, Reports):
        return known, asked
    blocks = [_block(release, release.schema[name]) for name in randomised]
    clean = [_indicators(release.schema[name], release.encode(records, [name])) for name in randomised]
    return np.hstack([_expected(release, blocks, known), known]), np.hstack([*clean, asked])


def _standardised(known: NDArray[np.float32], asked: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """Return both less the first one's means, over its standard deviations; constant columns are left out."""
    first, second = known.astype(np.float64), asked.astype(np.float64)
    mean, spread = (first.mean(axis=0), first.std(axis=0)) if first.shape[1] else (np.zeros(0), np.zeros(0))
    vary = spread > 1e-12
    return (first[:, vary] - mean[vary]) / spread[vary], (second[:, vary] - mean[vary]) / spread[vary]


def _indicators(column: Column, features: NDArray[np.float32]) -> Floats:
    """Return features; a number, which counts from its lower bound, in half widths from the middle of its bounds."""
    numbers = features.astype(np.float64)
    return numbers if column.discrete else numbers / (column.range / 2 or 1.0) - 1


def _block(release: Reports, column: Column) -> _Block:
    debiased = _indicators(column, release.features([column.name], encoding="debiased"))
    surveys = release.of(column.name)
    asked = np.zeros(len(debiased))
    for one in surveys:
        asked[slice(None) if one.people is None else one.people] += 1 / len(surveys)
    centre, oracle = debiased.mean(axis=0), surveys[0].oracle
    if column.discrete:
        mean = release.marginal(column.name)
        covariance = np.diag(mean) - np.outer(mean, mean)
    else:
        mean = np.clip(centre, -1, 1)
        covariance = np.array([[_variance_of_numbers(release, column)]])
    kept = 0.0 if isinstance(oracle, NumericOracle) else float(np.mean(np.asarray(oracle.p) - oracle.q))
    return _Block(debiased - centre, asked, mean, covariance, kept)


def _variance_of_numbers(release: Reports, column: Column) -> float:
    """Return the estimated variance of a randomised number, in half widths squared.

    A mechanism's variance is taken for a quadratic a + b t^2 of the number, which holds for all those known. Duchi's
    bit has b = -1: its reports tell nothing of the variance, and numbers spread evenly over the bounds are assumed.
    """
    evenly = 1 / 3
    one = max(release.of(column.name), key=lambda one: len(one.reports))
    if not isinstance(one.oracle, NumericOracle) or len(one.reports) < 2 or column.range == 0:
        return evenly
    half = column.range / 2
    middle, end = one.oracle.variance(np.array([column.low + half, column.high])) / half**2
    numbers = (one.oracle.debias(one.reports) - column.low) / half - 1
    mean, bend = float(numbers.mean()), float(end - middle)
    if bend + 1 < 0.05:
        return evenly
    variance = (float(numbers.var()) - float(middle) - bend * mean**2) / (1 + bend)
    return float(np.clip(variance, 0, max(1 - mean**2, 0)))


def _expected(release: Reports, blocks: list[_Block], clear: Floats) -> Floats:
    """Return the best linear prediction of the true indicators of all blocks, ``(n, p)``."""
    fitted = [_possible(_ridge(clear, block.debiased), block) for block in blocks]
    residual = np.hstack([block.debiased - fit for block, fit in zip(blocks, fitted, strict=True)])
    noisy = residual.T @ residual / len(residual)
    ends = np.cumsum([0, *(fit.shape[1] for fit in fitted)])
    parts = [slice(start, end) for start, end in pairwise(ends)]
    reach = [float(block.asked.mean()) or 1.0 for block in blocks]  # nobody asked: all that follows is 0
    gain = np.zeros_like(noisy)  # Cov(x, D | z)
    for j, one in enumerate(blocks):
        for i, other in enumerate(blocks):
            explained = fitted[j].T @ fitted[i] / (len(residual) * reach[j] * reach[i])
            if i == j:
                gain[parts[j], parts[j]] = reach[j] * _positive(one.covariance - explained)
            elif (across := _across(release, one, other)) is not None:
                total, factor = across
                found = total - explained
                own, others = (float(np.trace(noisy[part, part])) for part in (parts[j], parts[i]))
                error = factor**2 * own * others / len(residual)
                size = max(float(np.square(found).sum()), 1e-300)
                # James and Stein: a covariance that is no larger than its own error is dropped
                kept = max(0.0, 1 - error / size)
                # Cauchy and Schwarz: it is no larger than the columns' own variances allow
                most = float(np.trace(one.covariance) * np.trace(other.covariance))
                gain[parts[j], parts[i]] = reach[i] * min(kept, np.sqrt(most / size)) * found
    # in units of their own spread, or columns of little budget would drown the others in the inverse
    spread = np.sqrt(noisy.diagonal())
    spread[spread == 0] = 1.0
    inverse = np.linalg.pinv(noisy / np.outer(spread, spread), rcond=1e-8, hermitian=True)
    prediction = residual / spread @ (gain / spread @ inverse).T
    for part, block, fit, share in zip(parts, blocks, fitted, reach, strict=True):
        prediction[:, part] += block.mean + fit / share
    return prediction


def _across(release: Reports, one: _Block, other: _Block) -> tuple[Floats, float] | None:
    """Return the covariance of two columns' true indicators, and by which factor that of their reports is in it.

    None where the reports tell nothing of it.
    """
    found = one.debiased.T @ other.debiased / len(one.debiased)
    both = float((one.asked * other.asked).mean())
    if release.together is Together.INDEPENDENT and both > 0:
        return found / both, 1 / both
    if release.together is Together.JOINT and len(release.surveys) == 1:
        # with probability `kept` all values are true, else all are drawn anew: that makes reports covary too
        drift = [block.mean - 1 / len(block.mean) for block in (one, other)]
        return one.kept * found - (1 - one.kept) * np.outer(*drift), one.kept
    return None  # of a person one column was reported


def _possible(fit: Floats, block: _Block) -> Floats:
    """Return what is fitted to the reports, shrunk where it would explain more than the true values vary."""
    reach = float(block.asked.mean()) or 1.0
    explained = float(np.square(fit / reach).mean(axis=0).sum())
    most = float(np.trace(block.covariance))
    return fit * np.sqrt(most / explained) if explained > most else fit


def _positive(matrix: Floats) -> Floats:
    """Return the nearest covariance matrix: negative eigenvalues, which are noise, are set to 0."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.maximum(values, 0)) @ vectors.T)


def _ridge(clear: Floats, targets: Floats) -> Floats:
    """Return what a ridge regression on the clear columns fits, its penalty chosen by generalised cross-validation."""
    if not clear.shape[1]:
        return np.zeros_like(targets)
    size, axes = np.linalg.eigh(clear.T @ clear)
    size = np.maximum(size, 0)
    along = axes.T @ (clear.T @ targets)
    squares, total = np.square(along).sum(axis=1), float(np.square(targets).sum())

    def criterion(penalty: float) -> float:
        kept = size + penalty
        error = total - float((squares * (2 / kept - size / kept**2)).sum())
        return error / (len(clear) - 1 - float((size / kept).sum())) ** 2

    best = min(_PENALTIES, key=criterion)
    return np.asarray(clear @ (axes @ (along / (size + best)[:, None])))
