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

from privbench.auditing.copies import judge_identifiers
from privbench.auditing.findings import Check
from privbench.auditing.links import find_links
from privbench.auditing.nearness import near_keys
from privbench.auditing.overlap import find_overlap
from privbench.auditing.repeated import find_repeats
from privbench.auditing.repeats import judge_repeats, judge_size
from privbench.auditing.taken import LEVELS, taken_alone, taken_beside, ways
from privbench.auditing.twins import row_keys, stands_in
from privbench.auditing.two_sample import judge_control
from privbench.datasets.alike import Alike
from privbench.report.words import begun

__all__ = ["FileChecks", "check_files"]

Keys = NDArray[np.uint64]
Mask = NDArray[np.bool_]

_LOUD = 4  # columns that the first lines name


@dataclass(frozen=True, slots=True, eq=False)
class FileChecks:
    """What was found about the files, and who may be compared.

    Attributes
    ----------
    checks : tuple of Check
        Alarms first, then warnings, then what is fine.
    members : array of bool, shape (n,)
        Training records that may be attacked: one of everybody; and if the control file holds people of the training
        file, of those without a twin among the others.
    controls : array of bool, shape (m,)
        Controls that may be attacked: one of everybody; and if the control file holds people of the training file,
        those who do not stand there. Empty without a control file.
    copied, near : array of bool, shape (n,)
        Training records that stand in the release whole, and but for one column, where that is no mere likeness of
        people; else all false.
    usual : tuple of (float, float)
        The share of controls that stand there whole, and but for one column; 0 where none can be compared.
    """

    checks: tuple[Check, ...]
    members: Mask
    controls: Mask
    copied: Mask
    near: Mask
    usual: tuple[float, float] = (0.0, 0.0)


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
    checks = [*_files_differ(alike), *_about_identifiers(alike, rng=rng)]
    checks += judge_size(alike.train, alike.synthetic, alike.control)
    last = ways(alike)[-1]
    checks.append(judge_repeats(last.train, last.synthetic))
    repeats = find_repeats(alike, rng=rng)
    checks += repeats.checks
    once, natural = repeats.alike, repeats.natural
    members, controls = np.ones(len(once.train), bool), np.ones(0 if once.control is None else len(once.control), bool)
    if once.control is None:
        checks.append(_no_control())
        taken = taken_alone(once, natural=natural, lacking="without a control file", rng=rng)
    else:
        # whoever is alike in all columns is so in those of the schema, but for numbers that whole rows round
        exact = [*((way.train, way.control) for way in ways(once)), (row_keys(once.train), row_keys(once.control))]
        overlap = find_overlap(exact, (near_keys(once.train), near_keys(once.control)), natural=natural)
        members, controls = overlap.members, overlap.controls
        differs = judge_control(once.train, once.control, members=members, controls=controls, rng=rng)
        checks += [overlap.check, differs]
        if members.any() and controls.any():
            foreign = differs.level == "alarm"
            taken = taken_beside(
                once, once.control, members=members, controls=controls, foreign=foreign, natural=natural, rng=rng
            )
        else:  # no figure of theirs is one beside controls
            taken = taken_alone(once, natural=natural, lacking="with no control left", rng=rng)
            bare = [replace(check, value=None, low=None, high=None) for check in taken.checks]
            taken = replace(taken, checks=bare)
    return FileChecks(
        _ordered([*checks, *taken.checks]),
        _spread(repeats.train, members),
        _spread(repeats.control, controls),
        _everywhere(last.train, repeats.train, taken.copied),
        _everywhere(last.train, repeats.train, taken.near),
        taken.usual,
    )


def _spread(kept: Mask, mask: Mask) -> Mask:
    """Return a mask of the records kept as one of all."""
    found = np.zeros_like(kept)
    found[kept] = mask
    return found


def _everywhere(keys: Keys, kept: Mask, mask: Mask) -> Mask:
    """Return a mask of the records kept as one of all, in which whoever repeats a record has its mark."""
    found = _spread(kept, mask)
    return found if kept.all() else found | stands_in(keys, keys[found])


def _files_differ(alike: Alike) -> list[Check]:
    """Say which columns one file lacks, or writes otherwise, so that nothing can be said of them."""
    if not alike.loud:
        return []
    shown = [begun(sentence) for sentence in alike.loud[:_LOUD]]
    if len(alike.loud) > _LOUD:
        shown.append(f"And {len(alike.loud) - _LOUD} columns more, among the notes.")
    return [Check("files-differ", "warning", " ".join(shown), n=len(alike.loud))]


def _about_identifiers(alike: Alike, *, rng: np.random.Generator) -> list[Check]:
    """Say whose identifiers stand in the release, and whether rows stand for single people."""
    links = find_links(alike.train, alike.synthetic, alike.identifiers, rng=rng)
    linked = {link.column: link.found for link in links if link.column is not None}
    control = 0 if alike.control is None else len(alike.control)
    checks = judge_identifiers(alike.identifiers, train=len(alike.train), control=control, linked=linked)
    return [*checks, *sorted((link.check for link in links), key=lambda check: -(check.low or 0.0))[:1]]


def _no_control() -> Check:
    return Check(
        "no-control",
        "warning",
        "No control file was given, so nothing shows what could be guessed about people whose records were not used. "
        "Each attack on the release is compared with the same attack on real records of other people of the training "
        "file instead: a release that gives away more than those is telling, one that does not may leak all the same.",
    )


def _ordered(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Sort by level; of one level the files themselves come first, as everything else rests on them."""
    kept = [replace(check, sentence=begun(check.sentence)) for check in checks]
    return tuple(sorted(kept, key=lambda check: LEVELS.index(check.level)))
