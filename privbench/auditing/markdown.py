"""An audit as GitHub-style Markdown: the summary of a job of continuous integration."""

from __future__ import annotations

import re
from collections.abc import Mapping

from privbench.auditing.advice import small_groups
from privbench.auditing.crossings import crossings, not_judged, not_ruled_out, reservations
from privbench.auditing.findings import ColumnFinding, Findings
from privbench.auditing.standing import standing
from privbench.auditing.verdict import verdict
from privbench.auditing.words import check_name, p_value
from privbench.report.words import VERDICTS, interval, percent, points

__all__ = ["escaped", "to_markdown"]

_SHOWN = 15
_LEVELS = {"alarm": "**alarm**", "warning": "warning", "fine": "fine"}


def to_markdown(findings: Findings, thresholds: Mapping[str, float]) -> str:
    """Return the verdict, the thresholds, the columns (the first 15), the checks and how the files were read.

    Parameters
    ----------
    findings : Findings
        Of one audit.
    thresholds : mapping of str to float
        As in `privbench.auditing.crossings.crossed`.
    """
    answer, asked = verdict(findings), findings.asked
    names = {role: name for role, name, _ in asked.files}
    lines = [
        f"## Audit of {escaped(names.get('synthetic', 'a synthetic file'))}: {VERDICTS[answer.standing][1]}",
        "",
        *(f"> **{escaped(sentence)}**\n>" for sentence in answer.first),
        f"> {escaped(answer.found)}",
        "",
        "Files: " + "; ".join(f"{role} {escaped(name)}, {rows:,} rows" for role, name, rows in asked.files) + ".",
        "",
        *_thresholds(findings, thresholds),
        *_columns(findings),
    ]
    if findings.small_groups:
        lines += [escaped(small_groups(findings)), ""]
    if findings.checks:
        lines += ["### Checks", "", "| Check | | What was found |", "| --- | --- | --- |"]
        lines += [
            f"| {escaped(check_name(one.name))} | {_LEVELS[one.level]} | {escaped(one.sentence)} |"
            for one in findings.checks
        ]
        lines.append("")
    if findings.notes:
        lines += ["### How the files were read", "", *(f"- {escaped(note)}" for note in findings.notes), ""]
    lines += ["### What to do", "", *(f"- {escaped(sentence)}" for sentence in answer.next), ""]
    lines.append(f"privbench {escaped(asked.version)}, seed {asked.seed}, {asked.seconds:.0f} s.")
    return "\n".join(lines) + "\n"


def _thresholds(findings: Findings, thresholds: Mapping[str, float]) -> list[str]:
    """Return which thresholds are crossed, which cannot be judged, and what to know beside them."""
    if not thresholds:
        return []
    above = crossings(findings, thresholds)
    said = [f"**above the threshold**: {escaped(str(one))}" for one in above]
    said += [escaped(one) for one in (*reservations(findings, above), *not_judged(findings, thresholds))]
    said += [escaped(one) for one in not_ruled_out(findings, thresholds)]
    return ["### Thresholds", "", *(f"- {one}" for one in said or ["none is crossed"]), ""]


def escaped(text: str) -> str:
    """Escape what Markdown and HTML would read as markup: names of columns and files may hold anything."""
    # characters that make markup only in pairs or in front, and the pipe, which ends a cell
    return re.sub(r"([\\`*_~|<>\[\]#&])", r"\\\1", " ".join(text.split()))


def _columns(findings: Findings) -> list[str]:
    asked = [one for one in findings.columns if one.advantage is not None]
    left = [one for one in findings.columns if one.advantage is None]
    lines = []
    if asked:
        against = "controls" if findings.asked.reference == "controls" else "other people"
        level = f"{100 * findings.asked.level:g} %"
        lines += [
            f"| Column | | Advantage, points | {level} interval | Members | {against.capitalize()} | Majority | "
            "Best attack | p |",
            "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- | ---: |",
            *(_row(one, findings) for one in asked[:_SHOWN]),
            "",
        ]
        if len(asked) > _SHOWN:
            lines += [f"And {len(asked) - _SHOWN} more columns, all ranked below these; the report has them.", ""]
    if left:
        shown = "; ".join(f"{escaped(one.column)} ({escaped(one.reason)})" for one in left[:_SHOWN])
        rest = f"; and {len(left) - _SHOWN} more" if len(left) > _SHOWN else ""
        lines += [f"Not asked: {shown}{rest}.", ""]
    return lines


def _row(one: ColumnFinding, findings: Findings) -> str:
    advantage = one.advantage
    assert advantage is not None
    cells = [
        escaped(one.column),
        VERDICTS[standing(one, findings)][1],
        points(advantage.advantage),
        interval(advantage.low, advantage.high).strip("[]"),
        percent(advantage.value),
        percent(advantage.reference),
        percent(one.majority),
        escaped(", ".join(dict.fromkeys(one.chosen))),
        escaped(p_value(one.p_value)),
    ]
    return f"| {' | '.join(cells)} |"
