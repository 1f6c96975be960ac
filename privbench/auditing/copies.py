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

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from privbench.auditing.excess import LEVEL, Excess, Share, share
from privbench.auditing.findings import Check
from privbench.auditing.twins import find_twins, stands_in
from privbench.datasets.alike import Identifier
from privbench.report.words import percent

__all__ = ["judge_copies", "judge_identifiers", "judge_lone_copies"]

Keys = NDArray[np.uint64]
Mask = NDArray[np.bool_]

LARGE = 0.1
"""A surplus of copied rows that, without a control file, is an alarm."""
_EACH = 1 - (1 - LEVEL) / 2  # confidence of either question that is asked without controls


def judge_copies(train: Mask, control: Mask, *, members: Mask, controls: Mask) -> Check:
    """Compare how many training records and how many controls stand in the release.

    Parameters
    ----------
    train, control : array of bool, shapes (n,) and (m,)
        Who does.
    members, controls : array of bool, shapes (n,) and (m,)
        Who of them may be compared; the sentence counts all training records.

    Returns
    -------
    Check
        ``copies``; its value is the surplus, one of the training records compared.
    """
    own, other = train[members], control[controls]
    excess = Excess(share(int(own.sum()), len(own)), share(int(other.sum()), len(other)))
    low, high = excess.limits
    n = len(train)
    would = f"{round(excess.other.value * n):,} ({excess.other.text} controls)"
    text = (
        f"{int(train.sum()):,} of {n:,} training records ({percent(float(train.mean()) if n else 0.0)}) stand in the "
        "release word for word"
    )
    among = f" Compared are the {excess.own.n:,} without a twin, of whom {excess.own.count:,} stand there."
    if excess.found:
        text += (
            f"; of as many people outside, {would} would. The records of about {round(excess.value * n):,} people are "
            "out as they are."
        )
    else:
        surely = "no" if excess.value <= 0 else "not surely"
        text += f", {surely} more often than those of people outside: of as many, {would} would."
    text += "" if excess.own.n == n else among
    return Check("copies", "alarm" if excess.found else "fine", text, excess.value, low, high, excess.own.n)


def judge_lone_copies(train: Keys, synthetic: Keys, *, natural: Share | None, lacking: str) -> tuple[Check, Mask]:
    """Say, without the help of controls, whether twins explain the released rows that are training records.

    Two questions share the error: whether more rows are the record of one person alone than new people's records would
    be, and whether more are any training record, which a generator that prefers common values may have without copying.

    Parameters
    ----------
    train, synthetic : array of uint64, shapes (n,) and (r,)
        A key a record.
    natural : Share or None
        As in `find_twins`: without twins among the records kept no row that stands there is surely chance.
    lacking : str
        Why controls do not help.

    Returns
    -------
    Check
        ``copies``; its value is the surplus, one of released rows.
    copied : array of bool, shape (n,)
        The training records copied beyond what twins explain; none where they explain all.
    """
    twins = find_twins(train, natural=natural, level=_EACH)
    alone = ~twins.train
    singles, rows = (stands_in(synthetic, keys) for keys in (train[alone], train))
    single, whole = (
        Excess(share(int(there.sum()), len(there), level=_EACH), usual)
        for there, usual in ((singles, twins.singles), (rows, twins.coverage))
    )
    there = stands_in(train, synthetic)
    copied, excess = alone & there, single if single.found else whole
    low, high = excess.limits
    text = f"{whole.own.text} synthetic rows ({percent(whole.own.value)}) stand in the training file word for word"
    if single.found:
        text += (
            f", {single.own.count:,} ({percent(single.own.value)}) as the record of one person alone "
            f"({int(copied.sum()):,} people); of new people's records"
        )
    else:
        text += "; of new people's records"
    if natural is None:
        text += f" about {percent(excess.other.value)} would be"
    else:
        text += f" {percent(natural.value)} would at most, as so many of different people are alike but for one column"
    nobody = np.zeros_like(there)
    if single.found:
        text += (
            f". That is more than people who happen to be alike explain; {lacking} it cannot be said how many of them "
            "would stand there had their records not been used."
        )
        return Check("copies", "alarm" if low > LARGE else "warning", text, excess.value, low, high, len(rows)), copied
    if whole.found:
        text += (
            ". That is more than people who happen to be alike explain, but rows of common values may be more frequent "
            f"in the release than among people; {lacking} the two cannot be told apart."
        )
        return Check("copies", "warning", text, excess.value, low, high, len(rows)), nobody
    if natural is not None and whole.own.count:
        text += (
            f". The training file repeats people, so that {lacking} it cannot be said how many rows would stand there "
            "by chance."
        )
        return Check("copies", "warning", text, excess.value, low, high, len(rows)), nobody
    text += ": people who are alike explain that." if whole.own.count else "."
    return Check("copies", "fine", text, excess.value, low, high, len(rows)), nobody


def judge_identifiers(
    identifiers: Sequence[Identifier], *, train: int, control: int, linked: Mapping[str, bool]
) -> list[Check]:
    """Say of every identifier whether real people's are in the release.

    Parameters
    ----------
    identifiers : sequence of Identifier
    train, control : int
        Records of the two files; 0 controls where there is no control file.
    linked : mapping of str to bool
        Of identifiers by which rows and records could be put together: whether they are one person's.
    """
    return [_identifier(one, train, control, linked.get(one.name)) for one in identifiers]


def _identifier(one: Identifier, train: int, control: int, linked: bool | None) -> Check:
    own, other = share(one.train_in_synthetic, train), share(one.control_in_synthetic, control)
    text = (
        f"column {one.name}: the identifiers of {own.text} training records ({percent(own.value)}) stand in the release"
    )
    if not own.count:
        return Check("identifiers", "fine", f"{text}.", 0.0, own.low, own.high, train)
    if linked:
        text += ", in rows like those people's own: they lead to people. Leave the column out."
        return Check("identifiers", "alarm", text, own.value, own.low, own.high, train)
    if one.counted:
        text += ", as the release numbers its own rows in their order"
        text += "" if linked is None else ", and rows of the same number are no more alike than others"
        return Check("identifiers", "fine", f"{text}.", own.value, own.low, own.high, train)
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
