"""Training records that stand in the release word for word, and identifiers of real people there.

In a file of few columns many people are alike, and a release that never saw the training file has their records, too.
So copies count by how much more often training records stand in the release than controls do. Without a control file,
or where the controls are too few and none of them stands there, the yardstick is the training file itself: what share
of new people's records would be word for word that of one training person alone (see `twins`). A generator with other
habits than the population may be above it without having copied, so that only a large surplus is an alarm.

References
----------
R. Newcombe, Stat. Med. 17, 1998, 873-890 (difference of two proportions).
W. Esty, Ann. Stat. 11, 1983 (what a sample says about values seen once).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from privbench.auditing.excess import Excess, share
from privbench.auditing.findings import Check
from privbench.auditing.twins import Twins, stands_in
from privbench.datasets.alike import Identifier
from privbench.report.words import percent

__all__ = ["judge_copies", "judge_identifiers", "judge_lone_copies"]

Keys = NDArray[np.uint64]
Mask = NDArray[np.bool_]

LARGE = 0.1
"""A surplus of copied rows that, without a control file, is an alarm."""


def judge_copies(train: Mask, control: Mask) -> Check:
    """Compare how many training records and how many controls stand in the release.

    Parameters
    ----------
    train, control : array of bool, shapes (n,) and (m,)
        Who does.

    Returns
    -------
    Check
        ``copies``; its value is the surplus, one of training records.
    """
    excess = Excess(share(int(train.sum()), len(train)), share(int(control.sum()), len(control)))
    low, high = excess.limits
    would = f"{round(excess.other.value * excess.own.n):,} ({excess.other.text} controls)"
    text = f"{excess.own.text} training records ({percent(excess.own.value)}) stand in the release word for word"
    if excess.found:
        text += (
            f"; of as many people outside, {would} would. The records of about "
            f"{round(excess.value * excess.own.n):,} people are out as they are."
        )
    else:
        surely = "no" if excess.value <= 0 else "not surely"
        text += f", {surely} more often than those of people outside: of as many, {would} would."
    return Check("copies", "alarm" if excess.found else "fine", text, excess.value, low, high, excess.own.n)


def judge_lone_copies(twins: Twins, train: Keys, synthetic: Keys, *, lacking: str) -> tuple[Check, Mask]:
    """Say, without the help of controls, whether twins explain the released rows that are training records.

    Parameters
    ----------
    twins : Twins
        Of the training file.
    train, synthetic : array of uint64, shapes (n,) and (r,)
        A key a record.
    lacking : str
        Why controls do not help.

    Returns
    -------
    Check
        ``copies``; its value is the surplus, one of released rows.
    copied : array of bool, shape (n,)
        The training records copied beyond what twins explain; none where they explain all.
    """
    alone = ~twins.train
    rows = stands_in(synthetic, train[alone])
    excess = Excess(share(int(rows.sum()), len(rows)), twins.singles)
    low, high = excess.limits
    copied = alone & stands_in(train, synthetic)
    text = (
        f"{excess.own.text} synthetic rows ({percent(excess.own.value)}) are word for word the record of one person of "
        f"the training file ({int(copied.sum()):,} people); of new people's records about "
        f"{percent(twins.singles.value)} would be"
    )
    if not excess.found:
        check = Check(
            "copies", "fine", text + ": people who are alike explain that.", excess.value, low, high, len(rows)
        )
        return check, np.zeros_like(copied)
    text += (
        f". That is more than people who happen to be alike explain; {lacking} it cannot be said how many of them "
        "would stand there had their records not been used."
    )
    return Check("copies", "alarm" if low > LARGE else "warning", text, excess.value, low, high, len(rows)), copied


def judge_identifiers(identifiers: Sequence[Identifier], *, train: int, control: int) -> list[Check]:
    """Say of every identifier whether real people's are in the release.

    Parameters
    ----------
    identifiers : sequence of Identifier
    train, control : int
        Records of the two files; 0 controls where there is no control file.
    """
    return [_identifier(one, train, control) for one in identifiers]


def _identifier(one: Identifier, train: int, control: int) -> Check:
    own, other = share(one.train_in_synthetic, train), share(one.control_in_synthetic, control)
    text = (
        f"column {one.name}: the identifiers of {own.text} training records ({percent(own.value)}) stand in the release"
    )
    if not own.count:
        return Check("identifiers", "fine", f"{text}.", 0.0, own.low, own.high, train)
    if one.counted:
        text += ", as the release numbers its own rows in their order: that leads to nobody."
        return Check("identifiers", "fine", text, own.value, own.low, own.high, train)
    if not control:
        text += "; if these are more than row numbers, they lead to people. Leave the column out of the release."
        return Check("identifiers", "alarm", text, own.value, own.low, own.high, train)
    excess = Excess(own, other)
    low, high = excess.limits
    text += f", and of {other.text} controls"
    if excess.found:
        text += ": the release carries identifiers of real people over. Leave the column out."
        return Check("identifiers", "alarm", text, excess.value, low, high, train)
    text += ": as many as of people outside, as with row numbers; nothing points to the training file."
    return Check("identifiers", "fine", text, excess.value, low, high, train)
