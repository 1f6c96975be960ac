"""Numbers that are nearly one person's own, an amount or a weight, and stand in the release as they are.

Such a number leads to its person like an identifier, whatever the other columns of its row say, and no share of right
guesses shows it where the range is wide. As with whole records, numbers of the training file count by how much more
often they stand in the release than those of controls; without controls, than numbers of new people would, of which
equal numbers within the training file tell (`privbench.auditing.twins`). Records and rows that are copied whole are
left to that check.

References
----------
R. Newcombe, Stat. Med. 17, 1998, 873-890 (difference of two proportions).
W. Esty, Ann. Stat. 11, 1983 (what a sample says about values seen once).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from privbench.auditing.excess import LEVEL, Excess, share
from privbench.auditing.findings import Check
from privbench.auditing.twins import bits, find_twins, stands_in
from privbench.report.words import listed, percent
from privbench.table import Table

__all__ = ["judge_lone_values", "judge_values", "own_columns"]

Keys = NDArray[np.uint64]
Mask = NDArray[np.bool_]

OWN = 0.9
"""A column is nearly everybody's own if it has this many different values a training record, as an identifier has."""
LARGE = 0.1
"""A surplus that, without a control file, is an alarm."""
FEWEST = 20
"""In fewer records all values of any column may differ."""


def own_columns(train: Table) -> tuple[str, ...]:
    """Return the continuous columns of which nearly every training record has a value of its own."""
    if len(train) < FEWEST:
        return ()
    numbers = [column.name for column in train.schema.columns if not column.discrete]
    return tuple(name for name in numbers if len(np.unique(train[name])) >= OWN * len(train))


def judge_values(
    names: Sequence[str], train: Table, control: Table, synthetic: Table, *, members: Mask, controls: Mask
) -> list[Check]:
    """Say whether values of training records stand in the release more often than those of controls.

    Parameters
    ----------
    names : sequence of str
        Columns, as of `own_columns`.
    train, control, synthetic : Table
    members, controls : array of bool, shapes (n,) and (m,)
        Training records and controls that may be compared and are not copied whole.

    Returns
    -------
    list of Check
        ``exact-values``; its value is the largest surplus. None without a column, or with nobody to compare.
    """
    if not names or not members.any() or not controls.any():
        return []
    level = 1 - (1 - LEVEL) / len(names)
    found = []
    for name in names:
        rows = bits(synthetic[name])
        own, other = (
            stands_in(bits(table[name][mask]), rows) for table, mask in ((train, members), (control, controls))
        )
        pair = (share(int(there.sum()), len(there), level=level) for there in (own, other))
        found.append((name, Excess(*pair)))
    name, excess = max(found, key=lambda one: one[1].limits[0])
    text = (
        f"column {name}: the exact numbers of {excess.own.text} training records that are not copied whole "
        f"({percent(excess.own.value)}) stand in the release, and of {excess.other.text} controls "
        f"({percent(excess.other.value)})"
    )
    return [_judged(text, found)]


def judge_lone_values(names: Sequence[str], train: Table, synthetic: Table, *, rows: Mask, lacking: str) -> list[Check]:
    """Say, without the help of controls, whether rows have values of training records more often than new people.

    Parameters
    ----------
    names : sequence of str
    train, synthetic : Table
    rows : array of bool, shape (r,)
        Rows that are not copied whole.
    lacking : str
        Why controls do not help.

    Returns
    -------
    list of Check
        ``exact-values``; a small surplus is a warning, as rows may be made of common values more than people are.
    """
    if not names or not rows.any():
        return []
    level = 1 - (1 - LEVEL) / len(names)
    found = []
    for name in names:
        keys = bits(train[name])
        there = stands_in(bits(synthetic[name][rows]), keys)
        own = share(int(there.sum()), len(there), level=level)
        found.append((name, Excess(own, find_twins(keys, level=level).coverage)))
    name, excess = max(found, key=lambda one: one[1].limits[0])
    text = (
        f"column {name}: {excess.own.text} synthetic rows that are not copied whole ({percent(excess.own.value)}) have "
        f"the exact number of a training record, and about {percent(excess.other.value)} of new people's records would"
    )
    check = _judged(text, found)
    if check.level == "alarm" and excess.limits[0] <= LARGE:
        text = (
            f"{check.sentence} As the surplus is small, rows may also have common numbers more often than people have; "
            f"{lacking} that cannot be told."
        )
        check = replace(check, level="warning", sentence=text)
    return [check]


def _judged(text: str, found: Sequence[tuple[str, Excess]]) -> Check:
    """Say of the column with the clearest surplus what it means, and name the others that have one."""
    excess = max(found, key=lambda one: one[1].limits[0])[1]
    low, high = excess.limits
    out = [name for name, one in found if one.found]
    level: Literal["alarm", "fine"] = "alarm" if out else "fine"
    if out:
        text += ": numbers that are nearly one person's own were carried over"
        text += f" (in {listed(out)}). " if len(out) > 1 else ". "
        text += "Round the column, or leave it out." if len(out) == 1 else "Round these columns, or leave them out."
    else:
        text += ", no more than people who happen to have equal numbers explain."
    return Check("exact-values", level, text, excess.value, low, high, excess.own.n)
