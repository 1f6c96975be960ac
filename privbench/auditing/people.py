"""Who is attacked in an audit: members from the training file and controls from the control file, in one batch.

Everything is drawn from rows ordered by their values, never by their place: the order of rows and of columns in a file
changes nothing, and no attack can tell a member by where it stands.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privbench.auditing.twins import row_keys
from privbench.rng import stream
from privbench.scorers.crossfit import halves
from privbench.table import Table

__all__ = ["FEWEST", "People", "by_values", "draw_people"]

FEWEST = 20
"""Members, and controls, of whom fewer say nothing."""
_SHARE = 5  # without a control file at most one in so many training records is attacked: the others are the reference


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """People attacked, members and controls shuffled.

    Attributes
    ----------
    table : Table
        All their columns.
    member : ndarray of bool, shape (n,)
        Whose record is of the training file; everybody without a control file.
    record : ndarray of int, shape (n,)
        Place of a member's record in the training file; -1 of a control.
    second : ndarray of bool, shape (n,)
        Who is in the second half: attacks are chosen on the other.
    others : Table or None
        Without a control file the training records of people who are not attacked, else None.
    """

    table: Table
    member: NDArray[np.bool_]
    record: NDArray[np.int64]
    second: NDArray[np.bool_]
    others: Table | None

    @property
    def reason(self) -> str:
        """Why nobody can be told apart; empty if they can."""
        members, controls = int(self.member.sum()), int((~self.member).sum())
        if self.others is not None:
            return f"too few people: {_counted(members, 'member')} can be attacked" if members < FEWEST else ""
        if min(members, controls) >= FEWEST:
            return ""
        who = f"{_counted(members, 'member')} and {_counted(controls, 'control')}"
        return f"too few people: {who} can be attacked, and fewer than {FEWEST} of either say nothing"


def draw_people(
    train: Table,
    control: Table | None,
    *,
    members: NDArray[np.bool_],
    controls: NDArray[np.bool_],
    targets: int,
    seed: int,
) -> People:
    """Draw up to `targets` members, and as many controls, and cut them in halves.

    Parameters
    ----------
    train, control : Table
        Of one schema.
    targets : int
        Of a smaller control file everybody is attacked. Without one at most a fifth of the training records are: the
        others' are what the release is compared with. People who share all values with a member stay among those
        others, where they are other people; to drop them would leave the release alone with chance twins.
    members, controls : ndarray of bool, shapes (rows of `train`,) and (rows of `control`,)
        Who may be attacked, or stand among the others: everybody once, and where the control file holds people of the
        training file, only those without a twin there.
    seed : int
    """
    rng = stream(seed, "audit", "people")
    most = targets if control is not None else min(targets, int(members.sum()) // _SHARE)
    inside = rng.permutation(by_values(train, np.flatnonzero(members)))[:most]
    both = [train.take(inside)]
    outside = np.zeros(0, np.intp)
    if control is not None:
        outside = rng.permutation(by_values(control, np.flatnonzero(controls)))[:targets]
        both.append(control.take(outside))
    shuffle = rng.permutation(len(inside) + len(outside))
    record = np.concatenate([inside, np.full(len(outside), -1)])[shuffle].astype(np.int64)
    member = record >= 0
    others = None
    if control is None:
        others = train.take(by_values(train, np.setdiff1d(np.flatnonzero(members), inside)))
    return People(Table.concat(both).take(shuffle), member, record, halves(member, rng=rng), others)


def by_values(table: Table, rows: NDArray[np.intp] | None = None) -> NDArray[np.intp]:
    """Return some rows, or all, in an order that rests on their values alone.

    The order of columns and rows in the file makes no difference, but for equal rows, which nothing tells apart.
    """
    keys = row_keys(table.select(sorted(table.schema.names)))
    places = np.arange(len(table)) if rows is None else rows
    return places[np.argsort(keys[places], kind="stable")]


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
