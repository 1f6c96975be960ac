"""The audit page's tables and bars, from what was found; every figure stands with its interval and its references."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from privbench.auditing.exposed import LISTED
from privbench.auditing.findings import Advantage, ColumnFinding, Findings
from privbench.auditing.standing import standing
from privbench.auditing.words import p_value
from privbench.report.tables import Cell, Line, Table, advantage_cell, plain_cell
from privbench.report.words import MEASURES, RATES, percent
from privbench.scorers.score import Score

__all__ = ["Scale", "attacks_table", "columns_rows", "fidelity_table", "groups_table", "models_table", "records_table",
           "scale"]  # fmt: skip

Scale = float
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25)
_GROUPS, _RECORDS = 40, 25
_NAMES = {
    **MEASURES,
    **RATES,
    "tvd_1way": "Distance of columns",
}
_SHARES = ("downstream_accuracy", *RATES)


def scale(columns: Sequence[ColumnFinding]) -> Scale:
    """Return the step of the bars' axis: they run from one step below 0 to four above, and hold what they can."""
    known = [one.advantage for one in columns if one.advantage is not None]
    high, low = max((one.high for one in known), default=0.0), min((one.low for one in known), default=0.0)
    return next((step for step in _STEPS if high <= 4 * step and -low <= step), _STEPS[-1])


def columns_rows(findings: Findings, step: Scale) -> list[dict[str, Any]]:
    """Return the rows of the ranked table, for the columns that were asked."""
    rows = []
    for one in findings.columns:
        if one.advantage is None:
            continue
        rows.append(
            {
                "column": one.column,
                "kind": one.kind,
                "standing": standing(one, findings),
                "figure": _cell(one.advantage),
                "bar": _bar(one.advantage, step),
                "value": percent(one.advantage.value),
                "reference": percent(one.advantage.reference),
                "majority": percent(one.majority),
                "attack": ", ".join(dict.fromkeys(one.chosen)),
                "members": f"{one.advantage.members:,}",
                "controls": f"{one.advantage.controls:,}",
                "p": p_value(one.p_value),
            }
        )
    return rows


def attacks_table(findings: Findings) -> Table | None:
    """Return every attack on every column, uncorrected."""
    asked = [one for one in findings.columns if one.attacks]
    names = list(dict.fromkeys(name for one in asked for name, _ in one.attacks))
    if not names:
        return None
    lines = []
    for one in asked:
        figures = dict(one.attacks)
        cells = [_cell(figures[name]) if name in figures else Cell("not made", mark="muted") for name in names]
        lines.append(Line(one.column, tuple(cells)))
    caption = (
        "Every attack on all people: advantage in points, its own interval (not corrected for the number of figures), "
        "and the two rates. The largest of a row is too large on average; the ranked table has the figure to quote."
    )
    return Table(caption, ("Column", *names), (("", tuple(lines)),))


def groups_table(findings: Findings) -> Table | None:
    """Return the groups of which most is given away."""
    if not findings.groups:
        return None
    shown = findings.groups[:_GROUPS]
    lines = tuple(
        Line(
            one.group,
            (
                Cell(one.column),
                _cell(one.advantage),
                Cell(f"{one.advantage.members:,}"),
                Cell(f"{one.advantage.controls:,}"),
            ),
        )
        for one in shown
    )
    rest = len(findings.groups) - len(shown)
    caption = "Advantage in points for the people of one group, [interval, corrected for all groups and columns]"
    caption += f"; {rest} more, ranked below these, stand in audit.json." if rest else "."
    return Table(caption, ("Group", "Column", "Advantage", "Members", "Controls"), (("", lines),))


def records_table(findings: Findings) -> Table | None:
    """Return the most exposed records: numbers and names of columns, no value of anybody."""
    if not findings.records:
        return None
    shown = findings.records[:_RECORDS]
    lines = tuple(
        Line(f"{one.record:,}", (Cell(one.why), Cell(", ".join(one.columns) or "all"), Cell(one.rare_in or "–")))  # noqa: RUF001
        for one in shown
    )
    rest = len(findings.records) - len(shown)
    caption = "The most exposed records of the training file by their number, 1 the first below the header"
    caption += f"; {rest} more stand in exposed.csv, at most {LISTED} of a kind." if rest else "."
    return Table(caption, ("Record", "Why", "Columns", "Rare in"), (("", lines),))


def fidelity_table(findings: Findings) -> Table | None:
    """Return how far the release's counts lie from the training file's, and the control file's beside them."""
    useful = findings.usefulness
    if not useful.fidelity:
        return None
    control = {one.metric: one for one in useful.fidelity_control}
    lines = tuple(
        Line(
            _name(one.metric),
            (_score(one), _score(control[one.metric]) if one.metric in control else Cell("no control", mark="muted")),
        )
        for one in useful.fidelity
    )
    caption = (
        "Distance from the training file, between 0 (equal) and 1 (nothing in common), mean over all columns or pairs."
    )
    return Table(caption, ("Figure", "Synthetic file", "Control file"), (("", lines),))


def models_table(findings: Findings) -> Table | None:
    """Return how a model trained on the release does beside one trained on real records, and for whom."""
    scores = [one for one in findings.usefulness.downstream if one.metric in _NAMES]
    if not scores:
        return None
    everyone = tuple(_model_line(one) for one in scores if one.group is None)
    groups: dict[str, list[Line]] = {}
    for one in scores:
        if one.group is not None:
            groups.setdefault(one.group.partition("=")[0], []).append(_model_line(one))
    sections = [("Everyone", everyone)] if everyone else []
    sections += [(f"By {name}", tuple(lines)) for name, lines in groups.items()]
    judges = findings.usefulness.judged_on or "real records"
    caption = f"Models that predict {findings.asked.label or 'the label'}, judged on {judges}."
    return Table(caption, ("Figure", "Trained on the synthetic file", "Trained on real records", "People"),
                 tuple(sections))  # fmt: skip


def _model_line(one: Score) -> Line:
    label = _name(one.metric) + (f" ({one.group})" if one.group else "")
    real = Cell("–", mark="muted") if one.baseline is None else plain_cell(one.baseline, share=one.metric in _SHARES)  # noqa: RUF001
    return Line(label, (_score(one), real, Cell(f"{one.n:,}")))


def _name(metric: str) -> str:
    return _NAMES.get(metric, metric)


def _score(one: Score) -> Cell:
    if one.low is None or one.high is None:
        return plain_cell(one.value, share=one.metric in _SHARES)
    return plain_cell(one.value, one.low, one.high, share=one.metric in _SHARES)


def _cell(one: Advantage) -> Cell:
    return advantage_cell(
        {"advantage": one.advantage, "low": one.low, "high": one.high, "score": one.value, "baseline": one.reference}
    )


def _bar(one: Advantage, step: Scale) -> dict[str, float]:
    """Return an advantage and its limits as shares of a bar from -1 to 4 steps."""
    low, value, high = (100 * min(max((x / step + 1) / 5, 0.0), 1.0) for x in (one.low, one.advantage, one.high))
    return {"low": round(low, 1), "value": round(value, 1), "width": round(high - low, 1)}
