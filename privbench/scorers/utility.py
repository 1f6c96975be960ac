"""Utility scorers: models trained on a release and judged on real records, and distances between marginals.

References
----------
C. Esteban, S. Hyland and G. Rätsch, "Real-valued (Medical) Time Series Generation with Recurrent
Conditional GANs", 2017 (train on synthetic, test on real).
R. McKenna, G. Miklau and D. Sheldon, "Winning the NIST Contest: A scalable and general approach to
differentially private synthetic data", JPC 11, 2021 (marginals as the measure of a synthetic table).
E. DeLong et al., Biometrics 44, 1988.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

import numpy as np
from numpy.typing import ArrayLike, NDArray

from privbench.errors import InputError
from privbench.scorers.delong import delong
from privbench.scorers.estimate import Codes, hit_shares
from privbench.scorers.intervals import LEVEL, wilson, wilson_effective, z_value
from privbench.scorers.score import Score

__all__ = ["score_downstream", "score_marginals", "score_reported_marginals", "score_reported_means"]

_MOST_CELLS = 4_000_000  # beyond it only the cells that occur are numbered


def score_downstream(
    truth: ArrayLike, probability: ArrayLike, *, reference_probability: ArrayLike | None = None
) -> list[Score]:
    """Score a classifier trained on a release, on n real test records with k classes.

    Parameters
    ----------
    truth : array_like of int, shape (n,)
        Codes in [0, k).
    probability : array_like, shape (n, k)
        Any scores of which the highest is the prediction; exact ties count as their share.
    reference_probability : array_like, shape (n, k), optional
        Of the same model trained on real data: the baseline.

    Returns
    -------
    list of Score
        `downstream_accuracy` with Wilson's limits; `downstream_auc`, one against the rest, mean over the
        classes that occur, by DeLong's variance, and no row for it where the truth holds one class only.

    Raises
    ------
    InputError
        If there is no record, shapes differ, a number is not finite or a code is out of range.
    """
    codes = np.asarray(truth)
    answers = [np.asarray(x, float) for x in (probability, reference_probability) if x is not None]
    n, k = codes.size, answers[0].shape[-1] if answers[0].ndim else 0
    if n == 0 or any(x.shape != (n, k) or not np.isfinite(x).all() for x in answers):
        raise InputError(f"need finite scores of shape (n, k) for {n} test records; got {[x.shape for x in answers]}")
    if codes.shape != (n,) or codes.dtype.kind not in "iu" or ((codes < 0) | (codes >= k)).any():
        raise InputError(f"`truth` must be whole codes in [0, {k}), one a record; got {codes.dtype} of {codes.shape}")
    codes = codes.astype(np.intp)
    hits = [float(hit_shares(x, codes).sum()) for x in answers]
    low, high = (float(x) for x in wilson(hits[0], n=n))
    baseline = hits[1] / n if len(hits) > 1 else None
    rows = [Score("downstream_accuracy", hits[0] / n, low, high, n, None, baseline)]
    counts = np.bincount(codes, minlength=k)
    classes = np.flatnonzero((counts > 0) & (counts < n))
    if len(classes):
        positive = codes == classes[:, None]
        area, influence, size = delong(answers[0].T[classes], positive=positive)
        low, high = wilson_effective(area, variance=float((influence**2).sum()) / n**2, n=size)
        baseline = delong(answers[1].T[classes], positive=positive)[0] if len(answers) > 1 else None
        rows.append(Score("downstream_auc", area, min(low, area), max(high, area), n, None, baseline))
    return rows


def _matrix(codes: ArrayLike, sizes: NDArray[np.int64], what: str) -> Codes:
    array = np.asarray(codes)
    if array.ndim != 2 or array.shape[1] != len(sizes) or not array.shape[0] or array.dtype.kind not in "iu":
        raise InputError(f"`{what}` must be whole codes of shape (rows, {len(sizes)}); got {array.dtype} {array.shape}")
    if ((array < 0) | (array >= sizes)).any():
        raise InputError(f"`{what}` holds codes outside the columns' sizes {sizes.tolist()}")
    return np.ascontiguousarray(array.T, dtype=np.intp)


def score_marginals(
    release_codes: ArrayLike,
    train_codes: ArrayLike,
    sizes: Sequence[int],
) -> list[Score]:
    """Score a released table by the mean total variation distance of its marginals from the training data's.

    A marginal's distance is half the sum over its cells of |p - q|. With s the sign of p - q in a cell, a
    released row's influence is the mean over marginals of s/2 at its cells; the interval is the value plus
    and minus 1.96 standard errors of that mean, cut to [0, 1]. It speaks of the redrawing of released rows
    only; the value itself is not corrected for the distance that sampling alone causes in sparse tables, so
    compare it with that of a table of as many real rows. Identical tables have value, low and high 0.

    Parameters
    ----------
    release_codes : array_like of int, shape (m, d)
        Column j in [0, sizes[j]).
    train_codes : array_like of int, shape (n, d)
        The records behind the release.
    sizes : sequence of int, length d
        Number of values a column.

    Returns
    -------
    list of Score
        ``tvd_1way`` for columns, ``tvd_2way`` for pairs, ``tvd_3way`` for triples, each with n = m; orders above
        d have no row.

    Raises
    ------
    InputError
        If a table is empty, has another number of columns or codes outside `sizes`.
    """
    size = np.asarray(sizes, np.int64)
    ours, real = _matrix(release_codes, size, "release_codes"), _matrix(train_codes, size, "train_codes")
    m, n = ours.shape[1], real.shape[1]
    both = np.concatenate([ours, real], axis=1)
    widths = [int(width) for width in size]
    # Whole numbers, n m (p - q), so that equal shares are exactly equal and their sign is 0.
    weight = np.repeat([float(n), -float(m)], [m, n])
    total, influence = [0.0, 0.0, 0.0], np.zeros((3, m), np.int32)

    def add(order: int, cell: Codes, cells: int) -> None:
        if cells > _MOST_CELLS:
            seen, cell = np.unique(cell, return_inverse=True)
            cells = len(seen)
        gap = np.bincount(cell, weight, cells)
        total[order] += float(np.abs(gap).sum())
        influence[order] += np.sign(gap).astype(np.int8).take(cell[:m])

    columns, triple = range(len(size)), np.empty_like(both[0])
    for i in columns:
        add(0, both[i], widths[i])
        for j in columns[i + 1 :]:
            pair, cells = both[i] * widths[j] + both[j], widths[i] * widths[j]
            add(1, pair, cells)
            for k in columns[j + 1 :]:
                np.multiply(pair, widths[k], out=triple)
                np.add(triple, both[k], out=triple)
                add(2, triple, cells * widths[k])
    rows = []
    for order, marginals in enumerate(comb(len(size), order) for order in (1, 2, 3)):
        if not marginals:
            continue
        value = total[order] / (2 * n * m * marginals)
        half = z_value(LEVEL) * float((influence[order] / (2 * marginals)).std()) / np.sqrt(m)
        low, high = max(value - half, 0.0), min(value + half, 1.0)
        rows.append(Score(f"tvd_{order + 1}way", value, min(low, value), max(high, value), m))
    return rows


def score_reported_marginals(
    estimates: Sequence[ArrayLike],
    train_marginals: Sequence[ArrayLike],
    *,
    n: int,
    variances: Sequence[ArrayLike] | None = None,
) -> list[Score]:
    """Score frequency estimates, where no table is released (LDP), by their distance from the true marginals.

    Parameters
    ----------
    estimates : sequence of array_like, d arrays of shape (k_j,)
        Estimated shares; negative ones are kept.
    train_marginals : sequence of array_like, d arrays of shape (k_j,)
        The true shares.
    n : int
        Number of reports.
    variances : sequence of array_like, d arrays of shape (k_j,), optional
        Sampling variance of every estimate, taken as independent: the interval is the value plus and minus
        1.96 times the root of their sum over 4 d^2 (delta method), cut to [0, 1]. Without them `low` and
        `high` are None.

    Returns
    -------
    list of Score
        One row, ``tvd_1way``, with the error of equal shares as its baseline: an estimate that is no nearer is of no
        use. Half the absolute error of an unprojected estimate can exceed 1, which is reported as 1.

    Raises
    ------
    InputError
        If the numbers of columns or values differ.
    """
    pairs = [(np.asarray(p, float), np.asarray(q, float)) for p, q in zip(estimates, train_marginals, strict=False)]
    if not pairs or len(estimates) != len(train_marginals) or any(p.shape != q.shape for p, q in pairs):
        raise InputError("`estimates` and `train_marginals` must hold one array a column, of equal lengths")
    d = len(pairs)
    value = min(sum(float(np.abs(p - q).sum()) / 2 for p, q in pairs) / d, 1.0)
    equal = sum(float(np.abs(q - 1 / len(q)).sum()) / 2 for _, q in pairs) / d
    if variances is None:
        return [Score("tvd_1way", value, None, None, n, None, equal)]
    spread = [np.asarray(v, float) for v in variances]
    if len(spread) != d or any(v.shape != p.shape or (v < 0).any() for v, (p, _) in zip(spread, pairs, strict=False)):
        raise InputError("`variances` must hold one array a column, not negative, as long as the estimates")
    half = z_value(LEVEL) * float(np.sqrt(sum(float(v.sum()) for v in spread) / 4)) / d
    return [Score("tvd_1way", value, max(value - half, 0.0), min(value + half, 1.0), n, None, equal)]


def score_reported_means(
    estimates: Sequence[float],
    means: Sequence[float],
    *,
    variances: Sequence[float],
    ranges: Sequence[float],
    n: int,
) -> list[Score]:
    """Score the means of continuous columns that were estimated from reports (LDP).

    Parameters
    ----------
    estimates, means : sequence of float, length d
        Estimated and true means.
    variances : sequence of float, length d
        Of the estimates: the interval is the value plus and minus 1.96 standard errors of the columns' mean, as
        independent, cut to [0, 1].
    ranges : sequence of float, length d
        Widths of the columns' domains; a column of width 0 has no error.
    n : int
        Number of reports.

    Returns
    -------
    list of Score
        One row, ``mean_error``: the mean over columns of |estimate - mean| / range, reported as 1 where above.

    Raises
    ------
    InputError
        If the numbers of columns differ or there is none.
    """
    if not len(estimates) or not len(estimates) == len(means) == len(variances) == len(ranges):
        raise InputError("estimates, means, variances and ranges must hold one number a column, at least one")
    width = np.where(np.asarray(ranges, float) > 0, ranges, np.inf)
    value = min(float((np.abs(np.subtract(estimates, means)) / width).mean()), 1.0)
    half = z_value(LEVEL) * float(np.sqrt((np.asarray(variances, float) / width**2).sum())) / len(width)
    return [Score("mean_error", value, max(value - half, 0.0), min(value + half, 1.0), n)]
