"""Fairness scorers: differences between groups in a model's predictions, as in fairlearn, with intervals.

Differences and ratios are those of fairlearn's `MetricFrame` over weighted cell counts. One thing is done
otherwise. Where a group has no positive (or no negative) record, fairlearn sets its true (or false) positive
rate to 0 and so reports a difference that no record supports; here such a group is left out of that rate's
differences, and with fewer than two groups left the difference has no row. Where every rate exists the values
are fairlearn's own.

Intervals of differences: 1,000 draws of a Bayesian bootstrap over the test records, as weights of the cells
(group, label, prediction) with half a record more in each (Jeffreys); then every pairwise difference at the
Bonferroni level. Drawing whole records, multinomially, would redraw a group with 0 of n selected as 0 each
time: in simulation with five equal groups in 300 records its 95 % intervals cover the true largest difference
in true positive rate in 48 % of samples, these in 97 %.

References
----------
M. Hardt, E. Price and N. Srebro, "Equality of Opportunity in Supervised Learning", NeurIPS 2016.
H. Weerts et al., "Fairlearn: Assessing and Improving Fairness of AI Systems", JMLR 24, 2023.
D. Rubin, "The Bayesian Bootstrap", Annals of Statistics 9, 1981.
L. Brown, T. Cai and A. DasGupta, "Interval Estimation for a Binomial Proportion", Stat. Science 16, 2001 (Jeffreys).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from privbench.errors import InputError
from privbench.scorers.compare import Groups, checked_binary
from privbench.scorers.gaps import bootstrap_gap, bootstrap_ratio
from privbench.scorers.intervals import Floats, wilson
from privbench.scorers.permutation import rate_gap_p_value
from privbench.scorers.score import Score

__all__ = ["score_fairness"]

Counts = NDArray[np.int64]  # (..., G, 2, 2): group, label, prediction
Codes = NDArray[np.intp]
DRAWS = 1000
SMALLEST = 10

# A rate is the share of some cells among others: (label, prediction) pairs, row label, column prediction.
_RATES: dict[str, tuple[Floats, Floats]] = {
    "group_accuracy": (np.eye(2), np.ones((2, 2))),
    "group_selection_rate": (np.array([[0.0, 1.0], [0.0, 1.0]]), np.ones((2, 2))),
    "group_true_positive_rate": (np.array([[0.0, 0.0], [0.0, 1.0]]), np.array([[0.0, 0.0], [1.0, 1.0]])),
    "group_false_positive_rate": (np.array([[0.0, 1.0], [0.0, 0.0]]), np.array([[1.0, 1.0], [0.0, 0.0]])),
}
_DIFFERENCES = ("group_selection_rate", "group_true_positive_rate", "group_false_positive_rate")


def _rates(counts: Counts | Floats, name: str) -> Floats:
    """Return a rate a group, shape (..., G); NaN where no record could count."""
    hit, base = _RATES[name]
    denominator = np.asarray((counts * base).sum(axis=(-2, -1)), float)
    out = np.full(denominator.shape, np.nan)
    np.divide((counts * hit).sum(axis=(-2, -1)), denominator, out=out, where=denominator > 0)
    return out


def _fairlearn(counts: Counts, name: str) -> tuple[float, float | None]:
    """Return the largest difference and the smallest ratio of a rate between the groups that have it, by fairlearn.

    The three rates compared are selection rates: of all records, or of those with one label (TPR, FPR).
    """
    from fairlearn.metrics import MetricFrame, selection_rate

    base = _RATES[name][1]
    group, label, prediction = np.unravel_index(np.arange(counts.size), counts.shape)
    weight = (counts * base).ravel()
    used = weight > 0
    frame = MetricFrame(
        metrics=selection_rate,
        y_true=label[used],
        y_pred=prediction[used],
        sensitive_features=group[used],
        sample_params={"sample_weight": weight[used]},
    )
    somebody = frame.group_max() > 0  # else the ratio is 0/0
    return float(frame.difference()), float(frame.ratio()) if somebody else None


def _count(codes: Codes, size: int, truth: Codes, prediction: Codes) -> Counts:
    cells = (codes * 2 + truth) * 2 + prediction
    return np.bincount(cells, minlength=4 * size).reshape(size, 2, 2).astype(np.int64)


def _differences(
    column: str, counts: Counts, reference: Counts | None, *, draws: int, rng: np.random.Generator
) -> list[Score]:
    """Return the difference and ratio rows of one group column."""
    n = int(counts.sum())
    drawn = rng.standard_gamma(counts + 0.5, size=(draws, *counts.shape))  # Dirichlet but for a common factor
    rates = {name: _rates(counts, name) for name in _DIFFERENCES}
    defined = {name: ~np.isnan(rate) for name, rate in rates.items() if (~np.isnan(rate)).sum() > 1}
    values = {name: _fairlearn(counts, name) for name in defined}
    before = None if reference is None else {name: _fairlearn(reference, name) for name in defined}
    samples = {name: _rates(drawn, name)[:, some] for name, some in defined.items()}
    selection, opportunity, alarm = _DIFFERENCES
    rows = []
    for metric, names in (
        ("demographic_parity_difference", (selection,)),
        ("equal_opportunity_difference", (opportunity,)),
        ("equalized_odds_difference", (opportunity, alarm)),
    ):
        if not all(name in defined for name in names):
            continue
        pairs = sum(math.comb(int(defined[name].sum()), 2) for name in names)
        limits = [
            bootstrap_gap(samples[name], estimates=rates[name][defined[name]], comparisons=pairs) for name in names
        ]
        _, low, high = (max(part) for part in zip(*(x for x in limits if x), strict=True))
        value = max(values[name][0] for name in names)
        baseline = None if before is None else max(before[name][0] for name in names)
        rows.append(Score(metric, value, min(low, value), max(high, value), n, column, baseline))
    ratio, bounds = None, None
    if selection in defined:
        ratio = values[selection][1]
        bounds = bootstrap_ratio(samples[selection], estimates=rates[selection][defined[selection]])
    if ratio is not None and bounds is not None:
        baseline = None if before is None else before[selection][1]
        low, high = min(bounds[1], ratio), max(bounds[2], ratio)
        rows.append(Score("demographic_parity_ratio", ratio, low, high, n, column, baseline))
    return rows


def _per_group(column: str, labels: Sequence[str], counts: Counts, reference: Counts | None) -> list[Score]:
    """Return every group's rates, with Wilson limits, and the cell counts."""
    rows = []
    for name, (hit, base) in _RATES.items():
        hits, trials = (counts * hit).sum(axis=(1, 2)), (counts * base).sum(axis=(1, 2))
        lows, highs = wilson(hits, n=trials)
        rates = _rates(counts, name)
        before = None if reference is None else _rates(reference, name)
        for g in np.flatnonzero(trials > 0).tolist():
            baseline = None if before is None else float(before[g])
            low, high = min(float(lows[g]), float(rates[g])), max(float(highs[g]), float(rates[g]))
            rows.append(Score(name, float(rates[g]), low, high, int(trials[g]), f"{column}={labels[g]}", baseline))
    for (g, label, prediction), count in np.ndenumerate(counts):
        where = f"{column}={labels[g]}, label={label}, prediction={prediction}"
        before_count = None if reference is None else float(reference[g, label, prediction])
        rows.append(Score("cell_count", float(count), None, None, int(counts.sum()), where, before_count))
    return rows


def _entropy(p: float) -> float:
    return float(-sum(x * np.log2(x) for x in (p, 1 - p) if x > 0))


def _prediction_entropy(prediction: Codes, reference: Codes | None) -> Score:
    """Return the entropy with the image of Wilson's interval: a constant classifier has a width too."""
    n = len(prediction)
    low, high = (float(x) for x in wilson(prediction.sum(), n=n))
    ends = _entropy(low), _entropy(high)
    top = 1.0 if low <= 0.5 <= high else max(ends)
    value = _entropy(float(prediction.mean()))
    baseline = None if reference is None else _entropy(float(reference.mean()))
    return Score("prediction_entropy", value, min(*ends, value), top, n, None, baseline)


def _crossed(groups: Groups) -> tuple[str, Codes, list[str]]:
    """Return the intersection of all group columns; its groups with too few records have the code -1."""
    columns = np.stack([np.asarray(codes) for codes, _ in groups.values()])
    cells, cell, counts = np.unique(columns, axis=1, return_inverse=True, return_counts=True)
    large = counts >= SMALLEST
    labels = [
        ", ".join(str(names[code]) for code, (_, names) in zip(codes, groups.values(), strict=True))
        for codes in cells[:, large].T
    ]
    place = np.where(large, np.cumsum(large) - 1, -1)
    return " & ".join(groups), place[cell].astype(np.intp), labels


def _parity_p_value(column: str, counts: Counts, reference: Counts | None, *, rng: np.random.Generator) -> list[Score]:
    """Return the row of the p-value, where there are two groups to compare."""
    if (counts.sum(axis=(1, 2)) > 0).sum() < 2:
        return []
    found = []
    for table in (counts, reference):
        if table is not None:
            size = table.sum(axis=(1, 2))
            found.append(rate_gap_p_value(table[size > 0, :, 1].sum(axis=1), sizes=size[size > 0], rng=rng))
    baseline = found[1] if len(found) > 1 else None
    name = "demographic_parity_difference_p_value"
    return [Score(name, found[0], None, None, int(counts.sum()), column, baseline)]


def score_fairness(
    truth: ArrayLike,
    prediction: ArrayLike,
    *,
    groups: Groups,
    rng: np.random.Generator,
    reference_prediction: ArrayLike | None = None,
    draws: int = DRAWS,
) -> list[Score]:
    """Score a binary classifier's predictions on n test records for every group column.

    Rows: for a column ``sex`` `demographic_parity_difference`, `equal_opportunity_difference`,
    `equalized_odds_difference` and `demographic_parity_ratio` (absent where nobody is predicted positive:
    0/0); for a group ``sex=Female`` `group_accuracy`, `group_selection_rate`, `group_true_positive_rate` and
    `group_false_positive_rate`, each with its denominator as `n` and no row where that is 0; for a cell
    ``sex=Female, label=1, prediction=0`` the `cell_count`; for everyone `prediction_entropy` in bits. For a
    column also `demographic_parity_difference_p_value`: how often so large a difference would arise if
    predictions did not depend on the group.

    With two or more columns all these are given for their intersection too, as column ``sex & race`` and groups
    ``sex & race=Female, Black``. Its groups with fewer than 10 test records are left out, as if those records
    were not there: the largest difference among many tiny groups is noise. Values are fairlearn's on the rest,
    whose number is `n`.

    Parameters
    ----------
    truth, prediction : array_like of 0 or 1, shape (n,)
        1 is the favourable label.
    groups : mapping of str to (codes, labels)
        A group column's codes, shape (n,), and its labels.
    rng : numpy.random.Generator
        For the bootstrap.
    reference_prediction : array_like of 0 or 1, shape (n,), optional
        Of the same model trained on real data; its figures become the baselines.
    draws : int
        Bootstrap draws, at least 1.

    Returns
    -------
    list of Score

    Raises
    ------
    InputError
        If there is no record, shapes differ or values are not 0 or 1.
    """
    n = np.asarray(truth).size
    if n == 0 or draws < 1:
        raise InputError(f"need at least one test record and one draw; got {n} and {draws}")
    label, answer = checked_binary(truth, n, "truth"), checked_binary(prediction, n, "prediction")
    other = None if reference_prediction is None else checked_binary(reference_prediction, n, "reference_prediction")
    rows = [_prediction_entropy(answer, other)]
    columns: list[tuple[str, Counts, Counts | None]] = []

    def add(column: str, codes: Codes, labels: Sequence[str]) -> None:
        kept = codes >= 0
        counts = _count(codes[kept], len(labels), label[kept], answer[kept])
        before = None if other is None else _count(codes[kept], len(labels), label[kept], other[kept])
        columns.append((column, counts, before))
        rows.extend(_differences(column, counts, before, draws=draws, rng=rng))
        rows.extend(_per_group(column, labels, counts, before))

    for column, (codes, labels) in groups.items():
        if codes.shape != (n,) or ((codes < 0) | (codes >= len(labels))).any():
            raise InputError(f"group column {column!r} needs {n} codes in [0, {len(labels)})")
        add(column, codes.astype(np.intp), labels)
    if len(groups) > 1:
        add(*_crossed(groups))
    for column, counts, before in columns:
        rows += _parity_p_value(column, counts, before, rng=rng)
    return rows
