"""An audit in a terminal: what has to be said first, the verdict, the ranked columns, the files, what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from privbench.auditing.advice import small_groups
from privbench.auditing.exposed import LISTED
from privbench.auditing.findings import Advantage, Findings
from privbench.auditing.standing import standing
from privbench.auditing.verdict import verdict
from privbench.report.console import WIDEST, new_table
from privbench.report.words import MEASURES, VERDICTS, interval, number, percent, points

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["print_findings"]

_STYLES = {"leaks": "bold red", "unclear": "yellow", "none": "green", "untested": "dim"}
_LEVELS = {"alarm": "bold red", "warning": "yellow", "fine": "green"}
_ABSENT = ("The time limit", "was not made", "was not given", "left out")
_NAMES = {"tvd_1way": "distance of columns", "tvd_2way": "distance of pairs"}
_COLUMNS, _GROUPS, _NOTES, _RECORDS = 20, 5, 10, 5


def print_findings(findings: Findings, console: Console) -> None:
    """Print what an audit found, in at most 100 columns; the page has all of it.

    Parameters
    ----------
    findings : Findings
        Of one audit.
    console : rich.console.Console
        Where to print.
    """
    from rich.text import Text

    width = min(console.width, WIDEST)
    answer, asked = verdict(findings), findings.asked

    def line(text: str, style: str = "") -> None:
        console.print(Text(text, style=style), width=width)

    for sentence in answer.first:
        line(sentence, "bold red")
    line(answer.found, "bold")
    files = "; ".join(f"{role} {name}, {rows:,} rows" for role, name, rows in asked.files)
    line(f"\n{files}", "dim")
    for check in findings.checks:
        if check.sentence not in answer.first:
            console.print(Text.assemble((f"{check.level}: ", _LEVELS[check.level]), check.sentence), width=width)
    _print_columns(findings, console, width)
    _print_notes(findings, console, width)
    _print_groups(findings, console, width)
    if findings.records:
        many = f"of {len(findings.records):,} listed, at most {LISTED} of a kind"
        line(f"\nMost exposed records of the training file ({many})", "bold")
        for record in findings.records[:_RECORDS]:
            where = f" (rare in {record.rare_in})" if record.rare_in else ""
            line(f"- record {record.record:,}: {record.why}{where}")
    _print_usefulness(findings, console, width)
    line("\nWhat to do", "bold")
    for sentence in answer.next:
        line(f"- {sentence}")


def _print_columns(findings: Findings, console: Console, width: int) -> None:
    from rich.text import Text

    asked = [one for one in findings.columns if one.advantage is not None]
    left = [one for one in findings.columns if one.advantage is None]
    if asked:
        table = new_table()
        against = "controls" if findings.asked.reference == "controls" else "others"
        for name in ("column", "", "advantage", "members", against, "majority", "best attack"):
            left_aligned = name in ("column", "", "best attack")
            table.add_column(
                name,
                justify="left" if left_aligned else "right",
                overflow="fold",
                no_wrap=not left_aligned,
                max_width=28 if name == "column" else None,
            )
        for one in asked[:_COLUMNS]:
            assert one.advantage is not None
            says = standing(one, findings)
            table.add_row(
                Text(one.column),
                Text(VERDICTS[says][0], style=_STYLES[says]),
                _advantage(one.advantage),
                percent(one.advantage.value),
                percent(one.advantage.reference),
                percent(one.majority),
                Text(", ".join(dict.fromkeys(one.chosen))),
            )
        console.print()
        console.print(table, width=width)
        if len(asked) > _COLUMNS:
            console.print(Text(f"and {len(asked) - _COLUMNS} more columns, ranked below these", style="dim"))
        people = sorted({(one.advantage.members, one.advantage.controls) for one in asked if one.advantage})
        beside = " and {:,} controls" if findings.asked.reference == "controls" else ""
        counted = "; ".join(f"{members:,} members{beside.format(controls)}" for members, controls in people[:2])
        text = (
            f"Advantage: how many more in 100 members are guessed right than {against}; {100 * findings.asked.level:g} "
            f"% interval, corrected for {len(asked)} column{'s' if len(asked) > 1 else ''}; {counted}. "
            + ", ".join(" ".join(VERDICTS[says]) for says in ("leaks", "unclear", "none"))
            + "."
        )
        console.print(Text(text, style="dim"), width=width)
    for one in left[:_COLUMNS]:
        console.print(Text.assemble(f"not asked: {one.column}: ", (one.reason, "dim")), width=width)
    if len(left) > _COLUMNS:
        console.print(Text(f"and {len(left) - _COLUMNS} more that were not asked", style="dim"))


def _print_notes(findings: Findings, console: Console, width: int) -> None:
    """Print how the files were read, what was left out or not made first: absence is easily overlooked."""
    from rich.text import Text

    if not findings.notes:
        return
    console.print(Text("\nHow the files were read", style="bold"), width=width)
    notes = sorted(findings.notes, key=lambda note: not any(words in note for words in _ABSENT))
    for note in notes[:_NOTES]:
        console.print(Text(f"- {note}", style="dim"), width=width)
    if len(notes) > _NOTES:
        console.print(Text(f"and {len(notes) - _NOTES} more, in the report", style="dim"), width=width)


def _print_groups(findings: Findings, console: Console, width: int) -> None:
    from rich.text import Text

    if findings.small_groups:
        console.print(Text(f"\n{small_groups(findings)}", style="yellow"), width=width)
    if not findings.groups:
        return
    clear = sum(one.advantage.low > 0 for one in findings.groups)
    said = f"{clear} of {len(findings.groups)} figures lie above 0" if clear else "no figure lies clearly above 0"
    console.print(Text(f"\nGroups: {said}; those with the highest lower end", style="bold"), width=width)
    table = new_table()
    for name in ("group", "column"):
        table.add_column(name, overflow="fold")
    for name in ("advantage", "members"):
        table.add_column(name, justify="right")
    for one in findings.groups[:_GROUPS]:
        table.add_row(Text(one.group), Text(one.column), _advantage(one.advantage), f"{one.advantage.members:,}")
    console.print(table, width=width)


def _print_usefulness(findings: Findings, console: Console, width: int) -> None:
    from rich.text import Text

    useful = findings.usefulness
    if not useful.fidelity and not useful.downstream:
        return
    console.print(Text("\nWhat it is good for", style="bold"), width=width)
    table = new_table()
    table.add_column("figure", overflow="fold")
    for name in ("release", "interval", "compared with"):
        table.add_column(name, justify="right", overflow="fold")
    control = {(one.metric, one.group): one.value for one in useful.fidelity_control}
    # rates of single groups and counts are many: the page has them
    shown = (one for one in useful.downstream if one.metric in MEASURES)
    for score in (*useful.fidelity, *shown):
        other = control.get((score.metric, score.group), score.baseline)
        name = _NAMES.get(score.metric, score.metric) + (f" ({score.group})" if score.group else "")
        limits = "" if score.low is None else interval(score.low, score.high, places=3)
        table.add_row(Text(name), number(score.value), Text(limits), number(other))
    console.print(table, width=width)
    against = [name for name, there in (("control file and training file, of distances", useful.fidelity_control),
               ("the same model trained on real records, of models", useful.downstream)) if there]  # fmt: skip
    if against:
        console.print(Text(f"compared with: {'; '.join(against)}", style="dim"), width=width)


def _advantage(advantage: Advantage) -> str:
    from rich.markup import escape

    return escape(f"{points(advantage.advantage)} {interval(advantage.low, advantage.high)}")
