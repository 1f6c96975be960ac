"""What a release is good for, beside what it gives away: its marginals, and what a model learns from it, for whom.

References
----------
C. Esteban, S. Hyland and G. Rätsch, "Real-valued (Medical) Time Series Generation with Recurrent Conditional GANs",
2017 (train on synthetic, test on real).
R. McKenna, G. Miklau and D. Sheldon, "Winning the NIST Contest", JPC 11, 2021 (marginals).
"""

from __future__ import annotations

from math import comb

import numpy as np

from privbench.auditing.findings import Usefulness
from privbench.auditing.sample import draw_rows
from privbench.datasets.alike import Alike
from privbench.downstream import check_label, predict
from privbench.judge import score_model
from privbench.marginals import score_release_marginals
from privbench.release import SyntheticTable
from privbench.rng import stream
from privbench.scorers.score import Score
from privbench.table import Table

__all__ = ["MODEL", "judge_usefulness"]

MODEL = "lightgbm"
ROWS = 30_000
"""At most so many records of each file."""
CELLS = 6e8
"""At most so many cells of marginals are counted a pair of files; beyond, fewer records are."""
_SHOWN = ("tvd_1way", "tvd_2way")


def judge_usefulness(alike: Alike, *, seed: int) -> Usefulness:
    """Compare the release with the training file, and a model trained on it with one trained on real records.

    Distances of marginals include what sampling alone makes of them, which is larger the fewer records there are: each
    has its number of rows. Of a control file that has more than the release, as many stand beside it. Models are
    judged on the control file. Without one they are judged on a third of the training file that the real model is not
    trained on, but that the release was made from. Where a file has more than 30,000 records, a random 30,000 stand
    for it.

    Parameters
    ----------
    alike : Alike
        The files under one schema; its label, if it has one, is predicted, its groups are compared.
    seed : int

    Returns
    -------
    Usefulness
        Where no model can be judged, `judged_on` says why.
    """
    train, synthetic = _some(alike.train, ROWS, seed, "training"), _some(alike.synthetic, ROWS, seed, "synthetic")
    control = None if alike.control is None else _some(alike.control, ROWS, seed, "control")
    fidelity = _distances(synthetic, train, seed)
    between = () if control is None else _distances(_some(control, len(synthetic), seed, "beside"), train, seed)
    if train.schema.label is None:
        return Usefulness(fidelity, fidelity_control=between)
    if reason := _reason(train, synthetic, control):
        return Usefulness(fidelity, judged_on=f"nobody: {reason}", fidelity_control=between)
    scores, judges = _models(train, synthetic, control, train.schema.label, seed)
    if control is not None and alike.control is not None and len(control) < len(alike.control):
        judges += f", drawn from its {len(alike.control):,}"
    return Usefulness(fidelity, tuple(scores), judges, between)


def _reason(train: Table, synthetic: Table, control: Table | None) -> str | None:
    """Return why no model can be judged, or None."""
    label = train.schema.label
    assert label is not None
    if (reason := check_label(SyntheticTable(synthetic, len(train)), label)) is not None:
        return reason
    if len(np.unique(train[label])) < 2:
        return f"the label {label!r} has one value in the training file, so there is nothing to learn"
    if len(train) < 3 or (control is not None and not len(control)):
        return "there are too few records to judge a model on"
    return None


def _models(train: Table, synthetic: Table, control: Table | None, label: str, seed: int) -> tuple[list[Score], str]:
    if control is not None:
        real, test = train, control
        judges = f"{len(test):,} records of the control file"
    else:
        order = stream(seed, "audit", "held-out").permutation(len(train))
        third = len(train) // 3
        real, test = train.take(np.sort(order[third:])), train.take(np.sort(order[:third]))
        judges = (
            f"{len(test):,} records of the training file, held out from the real model but not from the release, which "
            "may look better than it is"
        )
    release = SyntheticTable(synthetic, len(train))
    probability, baseline = (
        predict(MODEL, rows, test, label=label, seed=seed) for rows in (release, SyntheticTable(real, len(real)))
    )
    scores = score_model(
        release,
        test,
        label,
        probability,
        real=baseline,
        rng=stream(seed, "audit", "fairness"),
        streams=lambda column: stream(seed, "audit", "test-groups", column),
    )
    return scores, judges


def _distances(table: Table, train: Table, seed: int) -> tuple[Score, ...]:
    if not len(table) or not len(train):
        return ()
    width = len(train.schema.columns)
    most = max(1, int(CELLS / (2 * sum(comb(width, order) for order in (1, 2, 3)))))
    rows, real = (_some(one, most, seed, role) for one, role in ((table, "rows"), (train, "real")))
    scores = score_release_marginals(SyntheticTable(rows, len(real)), real)
    return tuple(score for score in scores if score.metric in _SHOWN)


def _some(table: Table, most: int, seed: int, role: str) -> Table:
    return draw_rows(table, most, rng=stream(seed, "audit", "usefulness", role))
