"""Which thresholds an audit crosses, which it cannot judge, and what is not ruled out.

A threshold on a figure that the audit does not have, or that rests on controls which cannot be trusted, is an error,
never a pass.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from privbench.auditing.findings import Advantage, Findings
from privbench.auditing.standing import SEVERAL, comparable, followed, misled, overall, standing
from privbench.auditing.thresholds import COPIES, THRESHOLDS
from privbench.errors import InputError, unknown
from privbench.result import EXPOSED

__all__ = ["Crossing", "crossed", "crossings", "not_judged", "not_ruled_out", "reservations"]


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
        If a name is none of `THRESHOLDS`; or if none is crossed, and one cannot be judged.
    """
    for name in thresholds:
        if name not in THRESHOLDS:
            raise unknown("metric of --fail-above", name, THRESHOLDS)
    found = crossings(findings, thresholds)
    if not found and (missing := not_judged(findings, thresholds)):
        raise InputError(missing[0])
    return found


def crossings(findings: Findings, thresholds: Mapping[str, float]) -> tuple[Crossing, ...]:
    """Return the same, whatever cannot be judged."""
    return tuple(
        Crossing(name, *figure, threshold)
        for name, threshold in thresholds.items()
        for figure in _known(findings, name)
        if figure[2] > threshold
    )


def not_judged(findings: Findings, thresholds: Iterable[str]) -> tuple[str, ...]:
    """Return a sentence for every reason why a threshold that is not crossed does not hold either.

    Parameters
    ----------
    findings, thresholds
        As in `crossed`.
    """
    thresholds = tuple(thresholds)
    said = [
        f"--fail-above {name}: this audit has no such figure ({THRESHOLDS[name]}); its report says why: give what is "
        "missing, or drop the threshold"
        for name in thresholds
        if not _known(findings, name)
    ]
    gains = [name for name in thresholds if name.endswith("advantage")]
    beside = [name for name in thresholds if name in COPIES or name in gains or name == "exposed"]
    if beside and misled(findings):
        said.append(
            f"--fail-above {', '.join(beside)}: cannot be judged beside this control file, for which the report gives "
            "an alarm; mend what it says first, or drop the threshold"
        )
    short = [one for one in findings.columns if one.missed]
    if gains and short:
        others = f" and {len(short) - 1} more columns" if len(short) > 1 else ""
        said.append(
            f"--fail-above: {', '.join(short[0].missed)} was not made on {short[0].column}{others}, so that no "
            "threshold on an advantage can be judged; give more time (--time-limit), or name the attacks to make "
            "(--attacks)"
        )
    if "group_advantage" in thresholds and (small := findings.small_groups):
        others = f" and {len(small) - 1} more group{'s' if len(small) > 2 else ''}" if len(small) > 1 else ""
        said.append(
            f"--fail-above group_advantage: too few people of {small[0].group}{others} were attacked for a figure; "
            "attack more (--targets), or put small groups together"
        )
    return tuple(said)


def reservations(findings: Findings, above: Iterable[Crossing]) -> tuple[str, ...]:
    """Return what has to be said of crossings that need not mean leakage.

    Parameters
    ----------
    findings : Findings
        Of one audit.
    above : iterable of Crossing
        Of `crossed`.
    """
    if not any(one.metric.endswith("advantage") for one in above) or comparable(findings) or followed(findings):
        return ()
    if findings.asked.reference == "controls":
        return ("the control file is of another population, which crosses a threshold on an advantage by itself",)
    return (
        "without a control file rows that are more regular than real records cross a threshold on an advantage, too, "
        "without giving anybody away",
    )


def not_ruled_out(findings: Findings, thresholds: Mapping[str, float]) -> tuple[str, ...]:
    """Return a sentence for every threshold that is not crossed, but may be exceeded all the same.

    And one on people who stand out, where there are any and no threshold is about them, and one on leakage that the
    audit found although no threshold is crossed.

    Parameters
    ----------
    findings, thresholds
        As in `crossed`.
    """
    said = []
    if thresholds and overall(findings) == "leaks" and not crossings(findings, thresholds):
        why = [check.name for check in findings.checks if check.level == "alarm"]
        why += [one.column for one in findings.columns if standing(one, findings) == "leaks"]
        if why:
            said.append(f"no threshold is crossed, but the audit finds leakage ({', '.join(why)}): see the report")
    if thresholds and "exposed" not in thresholds and (people := findings.exposed):
        said.append(
            f"no threshold is about single people (exposed=0), of whom {people} stand out: see the report, and "
            f"{EXPOSED}"
        )
    for name, threshold in thresholds.items():
        figures = [one for one in _figures(findings, name) if not math.isnan(one[3])]
        if not figures or any(low > threshold for _, _, low, _ in figures):
            continue
        where, _, _, high = max(figures, key=lambda one: one[3])
        if high > threshold:
            said.append(f"{name} is not surely above {threshold:g}, but up to {high:.3g} ({where}) is not ruled out")
    return tuple(said)


def _known(findings: Findings, name: str) -> list[tuple[str, float, float, float]]:
    """Return the figures of that name that are one."""
    return [one for one in _figures(findings, name) if not math.isnan(one[2])]


def _figures(findings: Findings, name: str) -> list[tuple[str, float, float, float]]:
    """Return (where, value, low, high) of every figure of that name."""
    if name == "group_advantage":
        return [_of(f"{one.column} ({one.group})", one.advantage) for one in findings.groups]
    if name == "exposed":
        if not comparable(findings) or not findings.asked.members:
            return []
        # fewer than several may be luck, as `standing.overall` has it
        share = findings.exposed / findings.asked.members if findings.exposed >= SEVERAL else 0.0
        return [_limits("the people attacked", share, None, None)]
    if name in COPIES:
        return [
            _limits("the training file", check.value, check.low, check.high)
            for check in findings.checks
            if check.name == COPIES[name] and check.value is not None
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
