"""Releases that say little: too few rows to learn from, or one row over and over."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from privbench.auditing.excess import Excess, share
from privbench.auditing.findings import Check
from privbench.report.words import listed, percent
from privbench.table import Table

__all__ = ["judge_repeats", "judge_size"]

Keys = NDArray[np.uint64]

FEW = 200
"""With fewer people or rows hardly anything can be found."""
SMALLER = 0.1
"""A release with less than this part of the training file's rows is said to be small."""
SURPLUS = 0.01
"""A smaller surplus of one row is no matter."""


def judge_size(train: Table, synthetic: Table, control: Table | None) -> list[Check]:
    """Say whether there are enough rows for nothing found to mean something.

    Parameters
    ----------
    train, synthetic : Table
    control : Table or None

    Returns
    -------
    list of Check
        ``few-rows`` and ``small-release``, warnings; none where all is well.
    """
    files = {"training": train, "synthetic": synthetic} | ({} if control is None else {"control": control})
    checks = []
    if few := [f"the {role} file has {len(table):,} rows" for role, table in files.items() if len(table) < FEW]:
        text = f"{listed(few)}: on so few only large leaks show, and nothing found means little."
        checks.append(Check("few-rows", "warning", text, n=min(map(len, files.values()))))
    part = len(synthetic) / max(1, len(train))
    if part < SMALLER:
        text = (
            f"the release has {len(synthetic):,} rows, {percent(part)} of the training file's number: most people "
            "cannot be near any of them, so attacks on all people together find little. A larger release of the same "
            "generator may leak more."
        )
        checks.append(Check("small-release", "warning", text, part, None, None, len(synthetic)))
    return checks


def judge_repeats(train: Keys, synthetic: Keys) -> Check:
    """Say whether one row stands in the release far more often than in the training file.

    Parameters
    ----------
    train, synthetic : array of uint64
        A key a record.

    Returns
    -------
    Check
        ``repeated-row``; its value is by how much its share of the release exceeds that of the training file.
    """
    rows, counts = np.unique(synthetic, return_counts=True)
    top = int(counts.max(initial=0))
    other = int((train == rows[counts.argmax()]).sum()) if top else 0
    excess = Excess(share(top, len(synthetic)), share(other, len(train)))
    low, high = excess.limits
    found = top > 1 and low > SURPLUS
    text = (
        f"the commonest of {len(synthetic):,} synthetic rows stands there {_times(top)}, in the training file of "
        f"{len(train):,} {_times(other)}"
    )
    text += ": the generator repeats itself, and its file describes fewer people than it has rows." if found else "."
    return Check("repeated-row", "warning" if found else "fine", text, excess.value, low, high, len(synthetic))


def _times(count: int) -> str:
    return "once" if count == 1 else "not at all" if count == 0 else f"{count:,} times"
