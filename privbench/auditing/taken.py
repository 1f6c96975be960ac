"""What of the training file stands in the release: whole records, records but for a column, numbers of one person.

Beside controls wherever they can be used, and else by what the training file and the release show alone.

References
----------
M. Giomi et al., "A Unified Framework for Quantifying Privacy Risk in Synthetic Data", PoPETs 2023.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from privbench.auditing.copies import judge_copies, judge_lone_copies
from privbench.auditing.distances import judge_closer, judge_closer_than_others
from privbench.auditing.exact_values import judge_lone_values, judge_values, own_columns
from privbench.auditing.excess import Share
from privbench.auditing.findings import Check
from privbench.auditing.nearness import judge_near, stand_nearly
from privbench.auditing.sample import draw_places
from privbench.auditing.swapped import judge_swapped
from privbench.auditing.twins import row_keys, stands_in
from privbench.datasets.alike import Alike
from privbench.report.words import begun
from privbench.table import Table

__all__ = ["Keyed", "Taken", "taken_alone", "taken_beside", "ways"]

Keys = NDArray[np.uint64]
Mask = NDArray[np.bool_]

LEVELS = ("alarm", "warning", "fine")
"""Of a check, the loudest first."""
MOST_NEAR = 50_000
"""Training records, and controls, that are looked up at most in the search for near-copies."""


@dataclass(frozen=True, slots=True, eq=False)
class Keyed:
    """One way to tell records apart: a key a record of each file."""

    train: Keys
    synthetic: Keys
    control: Keys


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """What was found in the release, and whose.

    Attributes
    ----------
    checks : list of Check
    copied, near : array of bool, shape (n,)
        Training records that stand in the release whole, and but for one column, where that is no mere likeness of
        people; else all false.
    usual : tuple of (float, float)
        The share of controls of whom the same is true; 0 where none were compared.
    """

    checks: list[Check]
    copied: Mask
    near: Mask
    usual: tuple[float, float] = (0.0, 0.0)


def ways(alike: Alike) -> list[Keyed]:
    """Return the ways to tell records apart: by all columns, and without identifiers, which a release may renumber."""
    none = np.zeros(0, np.uint64)
    found = [Keyed(alike.whole["training"], alike.whole["synthetic"], alike.whole.get("control", none))]
    if alike.identifiers:
        control = none if alike.control is None else row_keys(alike.control)
        found.append(Keyed(row_keys(alike.train), row_keys(alike.synthetic), control))
    return found


def taken_beside(
    alike: Alike,
    control: Table,
    *,
    members: Mask,
    controls: Mask,
    foreign: bool,
    natural: Share | None,
    rng: np.random.Generator,
) -> Taken:
    """Compare what training records and controls have in the release.

    Parameters
    ----------
    alike : Alike
        The files, everybody once.
    control : Table
        Its control file.
    members, controls : array of bool
        Who may be compared; neither is empty.
    foreign : bool
        Whether the controls are of another population, so that copies count by what the training file shows alone.
    natural : Share or None
        As in `find_twins`.
    rng : numpy.random.Generator
        Draws samples where a file is large.
    """
    train, synthetic = alike.train, alike.synthetic
    judged, found, usual = [], [], []
    whole, whole_control, whole_rows = (np.zeros(len(table), bool) for table in (train, control, synthetic))
    for way in ways(alike):
        own, other = stands_in(way.train, way.synthetic), stands_in(way.control, way.synthetic)
        judged.append(judge_copies(own, other, members=members, controls=controls))
        found.append(own)
        usual.append(float(other[controls].mean()))
        whole, whole_control = whole | own, whole_control | other
        whole_rows |= stands_in(way.synthetic, way.train)
    copied = np.logical_or.reduce([own & (one.level != "fine") for own, one in zip(found, judged, strict=True)])
    loudest = _loudest(judged)
    copies, outside = judged[loudest], usual[loudest]
    names = own_columns(train)
    if foreign:
        copies, copied, _ = _copies_alone(alike, natural, lacking="with controls of another population")
        copies, outside = replace(copies, value=None, low=None, high=None), 0.0
        values = judge_lone_values(names, train, synthetic, rows=~whole_rows, lacking="with such controls")
    else:
        left = {"members": members & ~whole, "controls": controls & ~whole_control}
        values = judge_values(names, train, control, synthetic, **left)
    if copies.level == "fine" and not foreign and not whole_control[controls].any():
        lone, rows, _ = _copies_alone(alike, natural, lacking="with so few controls")
        if lone.level != "fine":
            copies = replace(copies, level=lone.level, sentence=f"{copies.sentence} {begun(lone.sentence)}")
            copied |= rows
    near = np.zeros(len(members), bool)
    own_rows, other_rows = (
        draw_places(table, np.flatnonzero(among), MOST_NEAR, rng=rng)
        for table, among in ((train, members & ~whole), (control, controls & ~whole_control))
    )
    check, near[own_rows], nearly = judge_near(
        *stand_nearly([train.take(own_rows), control.take(other_rows)], synthetic)
    )
    closeness = []
    if len(synthetic):
        closeness = [judge_closer(train, control, synthetic, members=members, controls=controls, rng=rng)]
    checks = [copies, check, *closeness, *judge_swapped(judged, closeness), *values]
    return Taken(checks, copied, near, (outside, nearly))


def taken_alone(alike: Alike, *, natural: Share | None, lacking: str, rng: np.random.Generator) -> Taken:
    """Return what the training file and the release show alone; near-copies are not among it.

    Parameters
    ----------
    alike : Alike
        The files, everybody once.
    natural : Share or None
        As in `find_twins`.
    lacking : str
        Why there are no controls, beginning with "with" or "without".
    rng : numpy.random.Generator
        Draws samples where a file is large.
    """
    train, synthetic = alike.train, alike.synthetic
    check, copied, whole = _copies_alone(alike, natural, lacking=lacking)
    checks = [check, *judge_lone_values(own_columns(train), train, synthetic, rows=~whole, lacking=lacking)]
    if len(train) > 1 and len(synthetic):
        checks.append(judge_closer_than_others(train, synthetic, rng=rng))
    return Taken(checks, copied, np.zeros(len(train), bool))


def _copies_alone(alike: Alike, natural: Share | None, *, lacking: str) -> tuple[Check, Mask, Mask]:
    """Return what twins of the training file alone say of copies, who was copied, and the rows that are records."""
    judged, copied, whole = [], np.zeros(len(alike.train), bool), np.zeros(len(alike.synthetic), bool)
    for place, way in enumerate(reversed(ways(alike))):
        # one of each was kept by the columns of the schema, to which an identifier adds nothing natural
        check, rows = judge_lone_copies(way.train, way.synthetic, natural=None if place else natural, lacking=lacking)
        judged.append(check)
        copied |= rows
        whole |= stands_in(way.synthetic, way.train)
    return judged[_loudest(judged)], copied, whole


def _loudest(checks: Sequence[Check]) -> int:
    return min(range(len(checks)), key=lambda place: LEVELS.index(checks[place].level))
