"""What has to be said about the files before any figure: the controls, what was copied, and how close it lies.

Every comparison is at 99 % confidence, two-sided, and only a surplus counts: of audits in which all is as it should be,
one in 200 is warned by each.

References
----------
M. Giomi et al., "A Unified Framework for Quantifying Privacy Risk in Synthetic Data", PoPETs 2023.
M. Meeus et al., "Achilles' Heels: Vulnerable Record Identification in Synthetic Data Publishing", 2023.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from privbench.auditing.copies import judge_copies, judge_identifiers, judge_lone_copies
from privbench.auditing.distances import judge_closer, judge_closer_than_others
from privbench.auditing.findings import Check
from privbench.auditing.nearness import judge_near, near_keys, stand_nearly
from privbench.auditing.overlap import find_overlap
from privbench.auditing.repeats import judge_repeats, judge_size
from privbench.auditing.sample import draw_places
from privbench.auditing.swapped import judge_swapped
from privbench.auditing.twins import Twins, find_twins, judge_repetition, row_keys, stands_in
from privbench.auditing.two_sample import judge_control
from privbench.datasets.alike import Alike
from privbench.table import Table

__all__ = ["FileChecks", "check_files"]

Keys = NDArray[np.uint64]
Mask = NDArray[np.bool_]

_LEVELS = ("alarm", "warning", "fine")
_LOUD = 4  # columns that the first lines name
MOST_NEAR = 50_000
"""Training records, and controls, that are looked up at most in the search for near-copies."""


@dataclass(frozen=True, slots=True, eq=False)
class FileChecks:
    """What was found about the files, and who may be compared.

    Attributes
    ----------
    checks : tuple of Check
        Alarms first, then warnings, then what is fine.
    alone : bool
        Whether the control file holds people of the training file, so that only those in `members` and `controls` may
        be compared.
    members : array of bool, shape (n,)
        Training records that may be attacked: all, or with `alone` those without a twin among the others.
    controls : array of bool, shape (m,)
        Controls that may be attacked: all, or with `alone` those who do not stand in the training file. Empty without a
        control file.
    copied, near : array of bool, shape (n,)
        Training records that stand in the release whole, and but for one column, where that is no mere likeness of
        people; else all false.
    """

    checks: tuple[Check, ...]
    alone: bool
    members: Mask
    controls: Mask
    copied: Mask
    near: Mask


@dataclass(frozen=True, slots=True, eq=False)
class _Keyed:
    """One way to tell records apart: a key a record of each file."""

    train: Keys
    synthetic: Keys
    control: Keys


def check_files(alike: Alike, *, rng: np.random.Generator) -> FileChecks:
    """Look at the three files before any attack.

    Parameters
    ----------
    alike : Alike
        The files under one schema.
    rng : numpy.random.Generator
        Draws samples where a file is large.

    Returns
    -------
    FileChecks
    """
    ways = _ways(alike)
    twins = [find_twins(way.train) for way in ways]
    checks = [*_files_differ(alike), *_about_identifiers(alike)]
    checks += judge_size(alike.train, alike.synthetic, alike.control)
    checks.append(judge_repeats(ways[-1].train, ways[-1].synthetic))
    members, controls = (
        np.ones(len(alike.train), bool),
        np.ones(0 if alike.control is None else len(alike.control), bool),
    )
    if alike.control is None:
        checks.append(_no_control())
        more, copied, near = _without_control(alike, ways, twins, lacking="without a control file", rng=rng)
        return FileChecks(_ordered([*checks, *more]), False, members, controls, copied, near)
    # whoever is alike in all columns is so in those of the schema, but for numbers that whole rows round
    exact = [*((way.train, way.control) for way in ways), (row_keys(alike.train), row_keys(alike.control))]
    overlap = find_overlap(exact, (near_keys(alike.train), near_keys(alike.control)))
    members, controls = overlap.members, overlap.controls
    checks.append(overlap.check)
    checks += judge_repetition(twins[-1], stands_in(ways[-1].control, ways[-1].train))
    checks.append(judge_control(alike.train, alike.control, members=members, controls=controls, rng=rng))
    if members.any() and controls.any():
        more, copied, near = _with_control(alike, alike.control, ways, twins, members, controls, rng=rng)
        checks += more
    else:  # no figure of theirs is one beside controls
        more, copied, near = _without_control(alike, ways, twins, lacking="with no control left", rng=rng)
        checks += [replace(check, value=None, low=None, high=None) for check in more]
    return FileChecks(_ordered(checks), overlap.found, members, controls, copied, near)


def _files_differ(alike: Alike) -> list[Check]:
    """Say which columns one file lacks, or writes otherwise, so that nothing can be said of them."""
    if not alike.loud:
        return []
    shown = [_begun(sentence) for sentence in alike.loud[:_LOUD]]
    if len(alike.loud) > _LOUD:
        shown.append(f"And {len(alike.loud) - _LOUD} columns more, among the notes.")
    return [Check("files-differ", "warning", " ".join(shown), n=len(alike.loud))]


def _ways(alike: Alike) -> list[_Keyed]:
    """Return the ways to tell records apart: by all columns, and without identifiers, which a release may renumber."""
    none = np.zeros(0, np.uint64)
    ways = [_Keyed(alike.whole["training"], alike.whole["synthetic"], alike.whole.get("control", none))]
    if alike.identifiers:
        control = none if alike.control is None else row_keys(alike.control)
        ways.append(_Keyed(row_keys(alike.train), row_keys(alike.synthetic), control))
    return ways


def _with_control(
    alike: Alike,
    control: Table,
    ways: list[_Keyed],
    twins: list[Twins],
    members: Mask,
    controls: Mask,
    *,
    rng: np.random.Generator,
) -> tuple[list[Check], Mask, Mask]:
    """Return the checks of what was copied, and the masks of who was."""
    judged, copied = [], np.zeros(len(members), bool)
    whole, whole_control = np.zeros(len(members), bool), np.zeros(len(controls), bool)
    for way in ways:
        own, other = stands_in(way.train, way.synthetic), stands_in(way.control, way.synthetic)
        judged.append(check := judge_copies(own[members], other[controls]))
        copied |= own & (check.level != "fine")
        whole, whole_control = whole | own, whole_control | other
    copies = _loudest(judged)
    if copies.level == "fine" and not whole_control[controls].any():
        lone, rows = _lone_copies(alike, ways, twins, lacking="with so few controls")
        if lone.level != "fine":
            copies = replace(copies, level=lone.level, sentence=f"{copies.sentence} {_begun(lone.sentence)}")
            copied |= rows
    near = np.zeros(len(members), bool)
    own_rows, other_rows = np.flatnonzero(members & ~whole), np.flatnonzero(controls & ~whole_control)
    own_rows, other_rows = (
        draw_places(table, rows, MOST_NEAR, rng=rng) for table, rows in ((alike.train, own_rows), (control, other_rows))
    )
    found = stand_nearly([alike.train.take(own_rows), control.take(other_rows)], alike.synthetic)
    check, near[own_rows] = judge_near(*found)
    closeness = []
    if len(alike.synthetic):
        closeness = [judge_closer(alike.train, control, alike.synthetic, members=members, controls=controls, rng=rng)]
    return [copies, check, *closeness, *judge_swapped(judged, closeness)], copied, near


def _lone_copies(alike: Alike, ways: list[_Keyed], twins: list[Twins], *, lacking: str) -> tuple[Check, Mask]:
    """Return what twins of the training file alone say of copies, and who was copied."""
    judged, copied = [], np.zeros(len(alike.train), bool)
    for way, own in zip(ways, twins, strict=True):
        check, rows = judge_lone_copies(own, way.train, way.synthetic, lacking=lacking)
        judged.append(check)
        copied |= rows
    return _loudest(judged), copied


def _without_control(
    alike: Alike, ways: list[_Keyed], twins: list[Twins], *, lacking: str, rng: np.random.Generator
) -> tuple[list[Check], Mask, Mask]:
    """Return the checks that the training file alone allows for; near-copies are not among them."""
    check, copied = _lone_copies(alike, ways, twins, lacking=lacking)
    checks = [check]
    if len(alike.train) > 1 and len(alike.synthetic):
        checks.append(judge_closer_than_others(alike.train, alike.synthetic, rng=rng))
    return checks, copied, np.zeros(len(alike.train), bool)


def _about_identifiers(alike: Alike) -> list[Check]:
    control = 0 if alike.control is None else len(alike.control)
    return judge_identifiers(alike.identifiers, train=len(alike.train), control=control)


def _no_control() -> Check:
    return Check(
        "no-control",
        "warning",
        "No control file was given, so nothing shows what could be guessed about people whose records were not used. "
        "Each attack on the release is compared with the same attack on real records of other people of the training "
        "file instead: a release that gives away more than those is telling, one that does not may leak all the same.",
    )


def _loudest(checks: list[Check]) -> Check:
    return min(checks, key=lambda check: _LEVELS.index(check.level))


def _ordered(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Sort by level; of one level the files themselves come first, as everything else rests on them."""
    kept = [Check(c.name, c.level, _begun(c.sentence), c.value, c.low, c.high, c.n) for c in checks]
    return tuple(sorted(kept, key=lambda check: _LEVELS.index(check.level)))


def _begun(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
