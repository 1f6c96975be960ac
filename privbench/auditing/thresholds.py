"""Thresholds on what an audit finds: which figures may have one, and how they are written.

A threshold is crossed by the lower end of an interval only, so that noise does not stop anybody's work; a figure
without an interval (a distance between two files that were read whole) is exact, and crosses by itself
(`privbench.auditing.crossings`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from privbench.errors import InputError, unknown

__all__ = ["COPIES", "THRESHOLDS", "check_possible", "parse_thresholds"]

THRESHOLDS: Mapping[str, str] = {
    "advantage": "of any column asked",
    "accuracy_advantage": "of any column that is not continuous",
    "within_tolerance_advantage": "of any continuous column",
    "group_advantage": "of any group in any column asked",
    "exposed": "share of the people attacked who stand out from people outside with the same values; those listed",
    "copies": "share of the training file that stands in the release more often than in the control file",
    "near_copies": "the same of rows that nearly stand there",
    "tvd_1way": "distance of release and training file, single columns",
    "tvd_2way": "the same, pairs of columns",
    "demographic_parity_difference": "of a model trained on the release",
    "equalized_odds_difference": "of a model trained on the release",
    "equal_opportunity_difference": "of a model trained on the release",
}
"""Figures that may have a threshold, and what each is: all of them are worse the higher."""

COPIES = {"copies": "copies", "near_copies": "near-copies"}
"""Those that are the value of a check, and its name."""
_PARITY = ("demographic_parity_difference", "equalized_odds_difference", "equal_opportunity_difference")


def parse_thresholds(texts: Iterable[str]) -> dict[str, float]:
    """Return thresholds from texts as ``advantage=0.05``; of two for one figure the lower holds.

    Raises
    ------
    InputError
        If a text is not of this form, the figure is none of `THRESHOLDS`, or the value not in [0, 1].
    """
    found: dict[str, float] = {}
    for text in texts:
        name, equals, written = text.partition("=")
        name = name.strip()
        if not equals:
            raise InputError(f"--fail-above {text!r}: allowed is METRIC=VALUE, for instance advantage=0.05")
        if name not in THRESHOLDS:
            raise unknown("metric of --fail-above", name, THRESHOLDS)
        try:
            value = float(written)
        except ValueError:
            value = math.nan
        if not 0 <= value <= 1:
            raise InputError(f"--fail-above {text!r}: the value must be a number from 0 to 1, for instance {name}=0.05")
        found[name] = min(value, found.get(name, 1.0))
    return found


def check_possible(thresholds: Iterable[str], *, control: bool, group: bool, label: bool) -> None:
    """Refuse thresholds that an audit of these files can have no figure for, before it runs.

    Parameters
    ----------
    thresholds : iterable of str
        Names in `THRESHOLDS`.
    control, group, label : bool
        Whether a control file, protected columns and a label are given.

    Raises
    ------
    InputError
        Naming the threshold and what is missing.
    """
    for name in thresholds:
        missing = []
        if name in COPIES and not control:
            missing.append("a control file (--control): without one, copies cannot be told from common records")
        if name == "exposed" and not control:
            missing.append("a control file (--control): people stand out from others only")
        if name in ("group_advantage", *_PARITY) and not group:
            missing.append("protected columns (--group)")
        if name in _PARITY and not label:
            missing.append("a label (--label)")
        if missing:
            raise InputError(f"--fail-above {name}: needs {' and '.join(missing)}; give it, or drop the threshold")
