"""Whether training records lie closer to the release than other people's do: the distance to the closest released row.

The distance is Gower's, summed over columns: 1 for values of a discrete column that differ, |difference| / range for
numbers. With controls the figure is the probability that a member lies closer than a control, the area under the ROC
curve of the distances, 1/2 if nothing is memorised. Without, it is the probability that a training record lies closer
to the release than to as many records of other training people: a release made of typical records alone can exceed 1/2
there, so it is a warning at most.

References
----------
J. Gower, "A general coefficient of similarity and some of its properties", Biometrics 27, 1971.
E. DeLong, D. DeLong and D. Clarke-Pearson, Biometrics 44, 1988.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from privbench.auditing.excess import LEVEL
from privbench.auditing.findings import Check
from privbench.auditing.sample import draw_places, draw_rows
from privbench.auditing.twins import row_keys
from privbench.report.words import number
from privbench.scorers.delong import delong
from privbench.scorers.intervals import wilson_effective
from privbench.table import Table

__all__ = ["closest", "judge_closer", "judge_closer_than_others"]

Mask = NDArray[np.bool_]

PEOPLE = 2_000
"""At most so many members, and so many controls."""
WORK = 2e9
"""At most so many cells are compared; beyond, rows of the release are sampled."""
CLOSE = 0.55
"""A lower limit above which closeness is an alarm."""
_BLOCK = 32, 4096


def closest(records: Table, rows: Table) -> NDArray[np.float32]:
    """Return the distance of each record to its closest row, from 0 to the number of columns.

    Parameters
    ----------
    records, rows : Table
        Of one schema; the rows are not empty.
    """
    # by name, as sums of floats depend on the order
    ordered = sorted(rows.schema.columns, key=lambda column: column.name)
    columns = [column for column in ordered if column.discrete or column.range > 0]
    pairs = [(column.discrete, *_compact(column.name, records, rows, column.range)) for column in columns]
    high, wide = _BLOCK
    best = np.full(len(records), np.inf, np.float32)
    differ, gap = np.empty(_BLOCK, bool), np.empty(_BLOCK, np.float32)
    count, total = np.empty(_BLOCK, np.uint16), np.empty(_BLOCK, np.float32)
    for top in range(0, len(records), high):
        for start in range(0, len(rows), wide):
            some = slice(top, min(top + high, len(records)))
            others = slice(start, min(start + wide, len(rows)))
            part = slice(some.stop - some.start), slice(others.stop - others.start)
            count[part] = 0
            total[part] = 0
            for discrete, left, right in pairs:
                if discrete:
                    np.not_equal(left[some, None], right[None, others], out=differ[part])
                    np.add(count[part], differ[part], out=count[part], casting="unsafe")
                else:
                    np.subtract(left[some, None], right[None, others], out=gap[part])
                    np.abs(gap[part], out=gap[part])
                    np.add(total[part], gap[part], out=total[part])
            np.add(total[part], count[part], out=total[part])
            best[some] = np.minimum(best[some], total[part].min(axis=1))
    return best


def judge_closer(
    train: Table, control: Table, rows: Table, *, members: Mask, controls: Mask, rng: np.random.Generator
) -> Check:
    """Compare how close training records and controls lie to the release.

    Parameters
    ----------
    train, control, rows : Table
    members, controls : array of bool
        Training records and controls that may be compared; neither is empty, nor are the rows.
    rng : numpy.random.Generator
        Draws who is looked at where there are too many.

    Returns
    -------
    Check
        ``closeness``; its value is the probability that a member lies closer than a control.
    """
    people = [
        draw_rows(table, PEOPLE, rng=rng, among=among) for table, among in ((train, members), (control, controls))
    ]
    rows = draw_rows(rows, _affordable(sum(map(len, people)), rows), rng=rng)
    distance = np.concatenate([closest(table, rows) for table in people]).astype(np.float64)
    member = np.arange(len(distance)) < len(people[0])
    value, influence, size = delong(-distance[None, :], positive=member[None, :])
    variance = float((influence**2).sum()) / len(distance) ** 2
    low, high = wilson_effective(value, variance=variance, n=size, level=LEVEL)
    text = (
        f"the record of a person of the training file lies closer to its nearest synthetic row than that of a person "
        f"outside in {number(100 * value, places=1)} of 100 pairs (50 if nothing is memorised; {len(people[0]):,} and "
        f"{len(people[1]):,} people)"
    )
    found = low > 0.5
    text += ": synthetic rows follow single records." if found else "."
    return Check(
        "closeness", "alarm" if low > CLOSE else "warning" if found else "fine", text, value, low, high, len(distance)
    )


def judge_closer_than_others(train: Table, rows: Table, *, rng: np.random.Generator) -> Check:
    """Compare how close training records lie to the release and to as many records of other training people.

    Parameters
    ----------
    train, rows : Table
        At least two training records and one row.
    rng : numpy.random.Generator

    Returns
    -------
    Check
        ``closeness``; its value is the probability that the release is closer, ties half.
    """
    # fewer people than rows on either side: more would only share the luck of the same rows, as people who are alike do
    most = max(1, min(PEOPLE, len(train) // 3, len(rows) // 2))
    chosen = draw_places(train, np.arange(len(train)), most, rng=rng)
    other = np.ones(len(train), bool)
    other[chosen] = False
    chosen = chosen[np.unique(row_keys(train)[chosen], return_index=True)[1]]
    asked = len(chosen)
    many = min(len(rows), int(other.sum()), _affordable(2 * asked, rows))
    people = train.take(chosen)
    released = closest(people, draw_rows(rows, many, rng=rng))
    real = closest(people, draw_rows(train, many, rng=rng, among=other))
    nearer = float((released < real).sum() + (released == real).sum() / 2)
    value = nearer / asked
    low, high = wilson_effective(
        value, variance=float(np.var(np.sign(real - released) / 2)) / asked, n=asked, level=LEVEL
    )
    found = low > 0.5
    text = (
        f"the record of a person of the training file lies closer to a synthetic row than to one of {many:,} other "
        f"people's records for {number(100 * value, places=1)} in 100 people"
    )
    text += (
        " (about 50 for records of the population): synthetic rows follow single records, or typical ones more than "
        "the population does; without a control file the two cannot be told apart."
        if found
        else ": no closer than other people's records are."
    )
    return Check("closeness", "warning" if found else "fine", text, value, low, high, asked)


def _compact(name: str, records: Table, rows: Table, width: float) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
    """Return both columns in the smallest type, as memory is what comparing costs."""
    column = rows.schema[name]
    if column.discrete:
        kind = np.uint8 if column.size <= 2**8 else np.uint16 if column.size <= 2**16 else np.int32
        return records[name].astype(kind), rows[name].astype(kind)
    return tuple(((table[name] - column.low) / width).astype(np.float32) for table in (records, rows))  # type: ignore[return-value]


def _affordable(people: int, rows: Table) -> int:
    return max(1, int(WORK / max(1, people * len(rows.schema.columns))))
