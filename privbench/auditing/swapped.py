"""Whether the release stems from the control file: the two real files swapped, or the generator fed with both.

Where nothing is wrong a control stands in the release, and lies near its rows, at most as often as a training record.
More often, and leakage about the people behind the release looks like none, as it counts against the controls.

References
----------
M. Giomi et al., "A Unified Framework for Quantifying Privacy Risk in Synthetic Data", PoPETs 2023: controls
must have had no part in the release.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from privbench.auditing.distances import CLOSE
from privbench.auditing.findings import Check
from privbench.report.words import number, percent

__all__ = ["judge_swapped"]


def judge_swapped(copies: Iterable[Check], closeness: Iterable[Check]) -> list[Check]:
    """Say if controls stand in the release, or lie near it, more often than training records; nothing if not.

    Parameters
    ----------
    copies : iterable of Check
        Surpluses of training records that stand in the release over controls, one for each way to tell records apart.
    closeness : iterable of Check
        Probabilities that a training record lies closer to the release than a control.

    Returns
    -------
    list of Check
        ``control-in-release``; its value is that surplus or probability.
    """
    found: list[tuple[Check, Literal["alarm", "warning"], str]] = [
        (one, "alarm", f"stand in it word for word more often, by {percent(-one.value)} of all")
        for one in copies
        if one.value is not None and one.high is not None and one.high < 0
    ]
    found += [
        (one, "alarm" if one.high < 1 - CLOSE else "warning", f"lie closer to its rows in {_in_100(one)} of 100 pairs")
        for one in closeness
        if one.value is not None and one.high is not None and one.high < 0.5
    ]
    if not found:
        return []
    sign, level, said = found[0]
    text = (
        f"The synthetic file follows the control file rather than the training file: control records {said}. Either "
        "the two real files are swapped, or controls had a part in making the synthetic file, or they are of another "
        "population; leakage about the people behind the synthetic file may not show in any figure."
    )
    return [Check("control-in-release", level, text, sign.value, sign.low, sign.high, sign.n)]


def _in_100(closeness: Check) -> str:
    assert closeness.value is not None, "it has a figure"
    return number(100 * (1 - closeness.value), places=1)
