"""Who stands in both real files, and who may be compared if somebody does.

Records are looked up by several keys: all columns; those of the schema, which attacks know; and, where these show
nothing, cells of numbers, as two programs write the same number with more or fewer digits. Whatever the key, what share
of new people would have one that stands in the training file is known (`twins`), so a surplus is people in both.
Leaving out whoever has a twin by the keys that showed it treats members and controls alike.

References
----------
W. Esty, "A normal limit law for a nonparametric estimator of the coverage of a random sample", Ann. Stat. 11, 1983.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privbench.auditing.excess import Share
from privbench.auditing.findings import Check
from privbench.auditing.twins import find_twins, judge_twins, stands_in

__all__ = ["Overlap", "find_overlap"]

Keys = NDArray[np.uint64]
Mask = NDArray[np.bool_]
Pair = tuple[Keys, Keys]


@dataclass(frozen=True, slots=True, eq=False)
class Overlap:
    """Whether the control file holds people of the training file.

    Attributes
    ----------
    check : Check
        ``control-in-training``.
    found : bool
    members, controls : array of bool, shapes (n,) and (m,)
        Who may be compared: everybody, or those without a twin among the (other) training records.
    """

    check: Check
    found: bool
    members: Mask
    controls: Mask


def find_overlap(exact: Sequence[Pair], near: Pair, *, natural: Share | None = None) -> Overlap:
    """Look for people of the training file among the controls.

    Parameters
    ----------
    exact : sequence of (array of uint64, array of uint64), shapes (n,) and (m,)
        Keys of training and control records, equal where the records are.
    near : (array of uint64, array of uint64)
        Keys that are equal where they nearly are: looked at if the others show nothing.
    natural : Share or None
        As in `find_twins`, where one training record of each was kept.
    """
    plain = _by(exact, natural=natural)
    if plain.found:
        return plain
    close = _by([*exact, near], natural=natural, nearly=True)
    return close if close.found else plain


def _by(pairs: Sequence[Pair], *, natural: Share | None, nearly: bool = False) -> Overlap:
    twins = [find_twins(train, natural=natural) for train, _ in pairs]
    inside = [stands_in(control, train) for train, control in pairs]
    apart = ~np.logical_or.reduce([own.train for own in twins])
    outside = ~np.logical_or.reduce(inside)
    left = int(apart.sum()), int(outside.sum())
    judged = [judge_twins(own, there, left=left, nearly=nearly) for own, there in zip(twins, inside, strict=True)]
    check, found = next((one for one in judged if one[1]), judged[0])
    if not found:
        apart, outside = np.ones_like(apart), np.ones_like(outside)
    return Overlap(check, found, apart, outside)
