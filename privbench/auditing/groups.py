"""Whether the people of one group are given away more: every column asked, group by group, with its own correction."""

from __future__ import annotations

from collections.abc import Sequence

from privbench.auditing.findings import GroupFinding, SmallGroup
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
    judged: Sequence[Judged], people: People, groups: Sequence[str], train: Table, *, level: float = LEVEL
) -> tuple[tuple[GroupFinding, ...], tuple[SmallGroup, ...]]:
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
    train : Table
        The training file: values that nobody has there are no groups.
    level : float
        Confidence of all intervals together: each has 1 - (1 - level) / their number.

    Returns
    -------
    found : tuple of GroupFinding
        The highest lower bound first.
    small : tuple of SmallGroup
        Groups of columns that are named, but have too few people, in the order of columns and values.
    """
    wanted, small = [], []
    for name in group_columns(people.table, groups):
        column = people.table.schema[name]
        for code in range(column.size):
            who, label = people.table[name] == code, f"{name}={column.label(code)}"
            members, controls = int((who & people.member).sum()), int((who & ~people.member).sum())
            least = members if people.others is not None else min(members, controls)
            if least >= (FEWEST if groups else _ENOUGH):
                wanted += [(one, label, who) for one in judged if one.column != name]
            elif groups and (train[name] == code).any():
                small.append(SmallGroup(label, members, controls))
    share = 1 - (1 - level) / max(1, len(wanted))
    found = [GroupFinding(one.column, label, one.advantage(people, who, level=share)) for one, label, who in wanted]
    return tuple(sorted(found, key=lambda finding: -finding.advantage.low)), tuple(small)
