"""Whether the people of one group are given away more: every column asked, group by group, with its own correction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from privbench.auditing.findings import GroupFinding
from privbench.auditing.judgement import Judged
from privbench.auditing.people import FEWEST, People
from privbench.scorers.intervals import LEVEL
from privbench.table import Table

__all__ = ["group_columns", "group_findings"]

_VALUES = 10  # columns with more are no groups, unless they are named
_ENOUGH = 50  # people of a group on either side where no group is named


def group_columns(table: Table, groups: Sequence[str]) -> tuple[str, ...]:
    """Return the columns whose values are groups: those named, else the discrete ones with few values."""
    if groups:
        return tuple(groups)
    return tuple(column.name for column in table.schema.columns if column.discrete and 2 <= column.size <= _VALUES)


def group_findings(
    judged: Sequence[Judged], people: People, groups: Sequence[str], *, level: float = LEVEL
) -> tuple[GroupFinding, ...]:
    """Score the attacks that were chosen on everybody among the people of each group.

    A column is not asked of its own groups: who has a value is guessed by who says it always.

    Parameters
    ----------
    judged : sequence of Judged
        Columns asked.
    people : People
    groups : sequence of str
        Protected columns, whose groups need `FEWEST` members and controls; none for every column with few values, where
        they need 50.
    level : float
        Confidence of all intervals together: each has 1 - (1 - level) / their number.

    Returns
    -------
    tuple of GroupFinding
        The highest lower bound first.
    """
    wanted = []
    for name in group_columns(people.table, groups):
        column = people.table.schema[name]
        for code in range(column.size):
            who = people.table[name] == code
            if _enough(who, people, FEWEST if groups else _ENOUGH):
                label = f"{name}={column.label(code)}"
                wanted += [(one, label, who) for one in judged if one.column != name]
    share = 1 - (1 - level) / max(1, len(wanted))
    found = [GroupFinding(one.column, label, one.advantage(people, who, level=share)) for one, label, who in wanted]
    return tuple(sorted(found, key=lambda finding: -finding.advantage.low))


def _enough(who: NDArray[np.bool_], people: People, fewest: int) -> bool:
    members, controls = int((who & people.member).sum()), int((who & ~people.member).sum())
    return members >= fewest and (people.others is not None or controls >= fewest)
