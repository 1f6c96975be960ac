"""Whether the control file is of the training file's population: a classifier two-sample test.

A classifier learns to tell training records from controls and is asked about records that it did not learn from. If
both are random draws from one population, it ranks a training record above a control in half of the pairs. Twins always
stand in the same fold, so that a record that occurs several times is no evidence. Where the test finds a difference,
the column is named whose one-way distributions differ most beyond what chance makes them differ.

Cross-fitting uses every pair of records of different folds twice, once with either as the one learnt from. Without a
difference, let the label y_i of a record learnt from add y_i K_ij to another's score: the area is then 1/2 plus a
multiple of the sum of y_i y_j (K_ij + K_ji) over pairs, with at most twice the variance that it would have if the terms
were independent, as they are to DeLong's formula. So the variance is doubled; a test checks that.

References
----------
D. Lopez-Paz and M. Oquab, "Revisiting Classifier Two-Sample Tests", ICLR 2017.
E. DeLong, D. DeLong and D. Clarke-Pearson, Biometrics 44, 1988.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from privbench.auditing.excess import LEVEL
from privbench.auditing.findings import Check
from privbench.auditing.sample import draw_rows
from privbench.auditing.twins import row_keys
from privbench.report.words import number
from privbench.scorers.delong import delong
from privbench.scorers.intervals import wilson_effective
from privbench.table import Table, bin_count, to_bins

__all__ = ["judge_control", "most_different"]

Mask = NDArray[np.bool_]

PEOPLE = 5_000
"""At most so many of each file."""
FOLDS = 3
FEW = 20
"""With fewer people in a file nothing can be learnt."""
APART = 0.55
"""A lower limit above which the control cannot be trusted."""
_BINS = 20


def judge_control(train: Table, control: Table, *, members: Mask, controls: Mask, rng: np.random.Generator) -> Check:
    """Say whether a classifier tells controls from training records.

    Parameters
    ----------
    train, control : Table
        Of one schema.
    members, controls : array of bool, shapes (n,) and (m,)
        Training records and controls that may be compared.
    rng : numpy.random.Generator
        Draws the people where there are too many.

    Returns
    -------
    Check
        ``control-differs``; its value is the share of pairs of one of each that it ranks right.
    """
    people = [
        draw_rows(table, PEOPLE, rng=rng, among=among) for table, among in ((train, members), (control, controls))
    ]
    sizes = [len(table) for table in people]
    if min(sizes) < FEW:
        text = (
            f"with {sizes[0]:,} training and {sizes[1]:,} control records it cannot be tested whether both are alike."
        )
        return Check("control-differs", "warning", text, n=sum(sizes))
    both = Table.concat(people)
    both, member = _sorted(both, np.arange(len(both)) < sizes[0])
    score = _cross_fitted(both, member)
    if score is None:
        text = "records vary too little to test whether the control file is of the training file's population."
        return Check("control-differs", "fine", text, n=sum(sizes))
    value, influence, size = delong(score[None, :], positive=member[None, :])
    variance = 2 * float((influence**2).sum()) / len(both) ** 2
    low, high = wilson_effective(value, variance=variance, n=size / 2, level=LEVEL)
    text = (
        f"a classifier ranks a training record above a control in {number(100 * value, places=1)} of 100 pairs (50 if "
        f"both files are random draws of one population; {sizes[0]:,} and {sizes[1]:,} people)"
    )
    if low <= 0.5:
        return Check("control-differs", "fine", text + ".", value, low, high, sum(sizes))
    column, distance, chance = most_different(train.take(members), control.take(controls))
    far = low > APART
    text += (
        f": the control file is {'of another population' if far else 'somewhat different'}. Column {column} differs "
        f"most: {number(100 * distance, places=1)} % of the records would have to change "
        f"({number(100 * chance, places=1)} % by chance). A difference between members and controls may come from that "
        "and not from the release, in either direction."
    )
    return Check("control-differs", "alarm" if far else "warning", text, value, low, high, sum(sizes))


def most_different(train: Table, control: Table) -> tuple[str, float, float]:
    """Return the column whose distribution differs most, its total variation distance, and what chance makes of that.

    Chance is the mean distance of two samples of these sizes from the pooled distribution, by the normal approximation
    in each cell; the column is the one most above it.
    """
    n, m = len(train), len(control)
    found = []
    for column in train.schema.columns:
        size = bin_count(column, _BINS)
        p, q = (
            np.bincount(to_bins(column, table[column.name], bins=_BINS), minlength=size) / len(table)
            for table in (train, control)
        )
        pooled = (n * p + m * q) / (n + m)
        chance = float(np.sqrt(2 / np.pi * pooled * (1 - pooled) * (1 / n + 1 / m)).sum()) / 2
        found.append((column.name, float(np.abs(p - q).sum()) / 2, chance))
    return max(found, key=lambda one: one[1] - one[2])


def _sorted(table: Table, member: NDArray[np.bool_]) -> tuple[Table, NDArray[np.bool_]]:
    """Put the records into an order of their own, so that the files' order has no say."""
    order = np.lexsort((member, row_keys(table)))
    return table.take(order), member[order]


def _cross_fitted(table: Table, member: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    """Return each record's score by a model that saw neither it nor its twins; None if no fold can be learnt from."""
    from lightgbm import LGBMClassifier

    known = np.column_stack([table[name].astype(np.float64) for name in sorted(table.schema.names)])
    fold = row_keys(table) % np.uint64(FOLDS)
    score = np.full(len(table), 0.5)
    learnt = False
    for place in range(FOLDS):
        asked = fold == np.uint64(place)
        if not asked.any() or member[~asked].all() or not member[~asked].any():
            continue
        model = LGBMClassifier(
            n_estimators=60, num_leaves=15, learning_rate=0.1, min_child_samples=20, subsample_freq=0, random_state=0,
            n_jobs=1, deterministic=True, force_row_wise=True, verbosity=-1,
        )  # fmt: skip
        model.fit(known[~asked], member[~asked])
        score[asked] = model.predict_proba(known[asked])[:, 1]
        learnt = True
    return score if learnt else None
