"""Thresholds on what an audit finds: which figures may have one, and which of them are crossed.

A threshold is crossed by the lower end of an interval only, so that noise does not stop anybody's work; a figure
without an interval (a distance between two files that were read whole) is exact, and crosses by itself. A threshold on
a figure that the audit does not have is an error, never a pass.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from privbench.auditing.findings import Advantage, Findings
from privbench.errors import InputError, unknown

__all__ = ["THRESHOLDS", "Crossing", "check_possible", "crossed", "not_ruled_out", "parse_thresholds"]

THRESHOLDS: Mapping[str, str] = {
    "advantage": "of any column asked",
    "accuracy_advantage": "of any column that is not continuous",
    "within_tolerance_advantage": "of any continuous column",
    "group_advantage": "of any group in any column asked",
    "copies": "share of the training file that stands in the release more often than in the control file",
    "near_copies": "the same of rows that nearly stand there",
    "tvd_1way": "distance of release and training file, single columns",
    "tvd_2way": "the same, pairs of columns",
    "demographic_parity_difference": "of a model trained on the release",
    "equalized_odds_difference": "of a model trained on the release",
    "equal_opportunity_difference": "of a model trained on the release",
}
"""Figures that may have a threshold, and what each is: all of them are worse the higher."""

_COPIES = {"copies": "copies", "near_copies": "near-copies"}
_PARITY = ("demographic_parity_difference", "equalized_odds_difference", "equal_opportunity_difference")


@dataclass(frozen=True, slots=True)
class Crossing:
    """One figure above its threshold.

    Attributes
    ----------
    metric : str
        A name in `THRESHOLDS`.
    where : str
        The column, the group or the files.
    value, low, high : float
        The figure and its interval; all alike where it is exact.
    threshold : float
        ``low > threshold``.
    """

    metric: str
    where: str
    value: float
    low: float
    high: float
    threshold: float

    def __str__(self) -> str:
        limits = f" [{self.low:.4g}, {self.high:.4g}]" if self.low < self.high else ""
        return f"{self.metric} of {self.where}: {self.value:.4g}{limits} exceeds {self.threshold:g}"


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
        if name in _COPIES and not control:
            missing.append("a control file (--control): without one, copies cannot be told from common records")
        if name in ("group_advantage", *_PARITY) and not group:
            missing.append("protected columns (--group)")
        if name in _PARITY and not label:
            missing.append("a label (--label)")
        if missing:
            raise InputError(f"--fail-above {name}: needs {' and '.join(missing)}; give it, or drop the threshold")


def crossed(findings: Findings, thresholds: Mapping[str, float]) -> tuple[Crossing, ...]:
    """Return every figure of which the interval lies above its threshold, in the order of the thresholds.

    Parameters
    ----------
    findings : Findings
        Of one audit.
    thresholds : mapping of str to float
        Names in `THRESHOLDS`, and the highest value that is accepted.

    Raises
    ------
    InputError
        If a name is none of `THRESHOLDS`, or the audit has no such figure.
    """
    found = []
    for name, threshold in thresholds.items():
        if name not in THRESHOLDS:
            raise unknown("metric of --fail-above", name, THRESHOLDS)
        figures = [one for one in _figures(findings, name) if not math.isnan(one[2])]
        if not figures:
            raise InputError(
                f"--fail-above {name}: this audit has no such figure ({THRESHOLDS[name]}); its report says why: give "
                "what is missing, or drop the threshold"
            )
        found += [Crossing(name, *figure, threshold) for figure in figures if figure[2] > threshold]
    short = [one for one in findings.columns if one.missed]
    if not found and short and any(name.endswith("advantage") for name in thresholds):
        others = f" and {len(short) - 1} more columns" if len(short) > 1 else ""
        raise InputError(
            f"--fail-above: {', '.join(short[0].missed)} was not made on {short[0].column}{others}, so that no "
            "threshold on an advantage can be judged; give more time (--time-limit), or name the attacks to make "
            "(--attacks)"
        )
    return tuple(found)


def not_ruled_out(findings: Findings, thresholds: Mapping[str, float]) -> tuple[str, ...]:
    """Return a sentence for every threshold that is not crossed, but may be exceeded all the same.

    Parameters
    ----------
    findings, thresholds
        As in `crossed`.
    """
    said = []
    for name, threshold in thresholds.items():
        figures = [one for one in _figures(findings, name) if not math.isnan(one[3])]
        if not figures or any(low > threshold for _, _, low, _ in figures):
            continue
        where, _, _, high = max(figures, key=lambda one: one[3])
        if high > threshold:
            said.append(f"{name} is not surely above {threshold:g}, but up to {high:.3g} ({where}) is not ruled out")
    return tuple(said)


def _figures(findings: Findings, name: str) -> list[tuple[str, float, float, float]]:
    """Return (where, value, low, high) of every figure of that name."""
    if name == "group_advantage":
        return [_of(f"{one.column} ({one.group})", one.advantage) for one in findings.groups]
    if name in _COPIES:
        return [
            _limits("the training file", check.value, check.low, check.high)
            for check in findings.checks
            if check.name == _COPIES[name] and check.value is not None
        ]
    if name.endswith("advantage"):
        metric = name.removesuffix("advantage").rstrip("_")
        return [
            _of(one.column, one.advantage)
            for one in findings.columns
            if one.advantage is not None and metric in ("", one.advantage.metric)
        ]
    scores = (*findings.usefulness.fidelity, *findings.usefulness.downstream)
    return [_limits(one.group or "the release", one.value, one.low, one.high) for one in scores if one.metric == name]


def _of(where: str, advantage: Advantage) -> tuple[str, float, float, float]:
    return where, advantage.advantage, advantage.low, advantage.high


def _limits(where: str, value: float, low: float | None, high: float | None) -> tuple[str, float, float, float]:
    return where, value, value if low is None else low, value if high is None else high
