"""The report's tables as rows of cells in plain words, ready for the template; every figure has its interval."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from privbench.report.words import MEASURES, interval, number, percent, points

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Cell", "Line", "Table", "advantage_cell", "cell_counts", "costs_table", "group_lines", "leakage_table",
    "plain_cell", "problems_table", "records", "rows_of",
]  # fmt: skip

_FULL = 0.4  # an advantage that is shaded fully


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: a figure, its interval below, and what else must be said.

    Parameters
    ----------
    text, sub, extra : str
        The figure, its interval, and a third line.
    mark : str
        ``above`` or ``below`` where the interval excludes 0, ``muted`` or ``bad`` where there is no figure.
    heat : float
        Share of the full shade, in [0, 1].
    """

    text: str
    sub: str = ""
    extra: str = ""
    mark: str = ""
    heat: float = 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table; `reference` for one to compare the others with."""

    label: str
    cells: tuple[Cell, ...]
    reference: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the page; `sections` are its rows in blocks, each under its own heading if that is not empty."""

    caption: str
    head: tuple[str, ...]
    sections: tuple[tuple[str, tuple[Line, ...]], ...]
    note: str = ""


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as dictionaries."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def rows_of(table: pd.DataFrame, *, game: object, secret: object) -> pd.DataFrame:
    """Return the rows of one game and secret."""
    return table[(table["game"] == game) & (table["secret"] == secret)]


def advantage_cell(row: Mapping[str, Any], *, value: str = "advantage") -> Cell:
    """Return the cell of an advantage: points, interval, and the two rates that are compared."""
    figure, low, high = row[value], row["low"], row["high"]
    mark = "above" if low > 0 else "below" if high < 0 else ""
    extra = f"{percent(row['score'])} against {percent(row['baseline'])}" if "score" in row else ""
    heat = min(max(figure / _FULL, 0.0), 1.0) if mark == "above" else 0.0
    return Cell(points(figure), interval(low, high), extra, mark, round(heat, 2))


def plain_cell(value: float, low: float = math.nan, high: float = math.nan, *, share: bool = False) -> Cell:
    """Return the cell of a figure that is no advantage: a share in percent, or a number."""
    if math.isnan(value):
        return Cell(number(value), mark="muted")
    if math.isnan(low) or math.isnan(high):
        return Cell(percent(value) if share else number(value))
    if share:
        return Cell(percent(value), f"[{number(100 * low, places=1)}, {number(100 * high, places=1)}]")
    return Cell(number(value), interval(low, high, places=3))


def leakage_table(part: pd.DataFrame, top: pd.DataFrame, here: pd.DataFrame, *, caption: str) -> Table:
    """Return a leaderboard: one row a release, one column an attack, after the strongest of them.

    Parameters
    ----------
    part, top, here : DataFrame
        The rows of `leaderboard`, `strongest` and `problems` of one game and secret.
    caption : str
        Of the table.

    Returns
    -------
    Table
        What only skips concern is left out; a failure keeps its row and column.
    """
    broken = here[here["status"] != "skipped"]
    defenses = list(dict.fromkeys([*part["defense"], *broken["defense"]]))
    attacks = list(dict.fromkeys([*part["attack"], *broken["attack"]]))
    figures = {(row["defense"], row["attack"]): row for row in records(part)}
    best = {row["defense"]: row for row in records(top)}
    status = {(row["defense"], row["attack"]): row for row in records(here)}
    several = bool((top["attacks"] > 1).any())
    lines = []
    for defense in defenses:
        cells = []
        if several:
            row = best.get(defense)
            of = "" if row is None else f"of {row['attacks']} attacks" if row["attacks"] > 1 else "one attack only"
            cells.append(_nothing("no figure") if row is None else _with_extra(advantage_cell(row), of))
        for attack in attacks:
            key = (defense, attack)
            if key in figures:
                cells.append(advantage_cell(figures[key]))
            else:
                cells.append(_nothing(status[key]["status"] if key in status else "no figure"))
        lines.append(Line(defense, tuple(cells)))
    head = ("Release", *(("Strongest attack",) if several else ()), *attacks)
    return Table(caption, head, (("", tuple(lines)),))


def costs_table(table: pd.DataFrame, top: pd.DataFrame, *, model: str, caption: str) -> Table:
    """Return leakage, accuracy and fairness side by side for one downstream model, the real data first."""
    part = table[table["model"] == model]
    shares = {"downstream_accuracy"}
    measures = [name for name in MEASURES if name in part.columns]
    lines = [
        Line("real data, unprotected", (Cell("as is", mark="muted"), *(
            plain_cell(float(part[f"{name}_baseline"].mean()), share=name in shares) for name in measures
        )), reference=True)
    ]  # fmt: skip
    for row in records(part):
        mine = top[top["defense"] == row["defense"]].sort_values("advantage", ascending=False)
        leak = _nothing("no figure")
        if len(mine):
            first = records(mine)[0]
            leak = _with_extra(advantage_cell(first), f"{first['game']}, {first['secret']}")
        cells = [
            plain_cell(row[name], row[f"{name}_low"], row[f"{name}_high"], share=name in shares) for name in measures
        ]
        lines.append(
            Line(
                row["defense"], (leak, *(_flagged(cell, name, row) for cell, name in zip(cells, measures, strict=True)))
            )
        )
    return Table(caption, ("Release", "Largest leakage", *(MEASURES[name] for name in measures)), (("", tuple(lines)),))


def _flagged(cell: Cell, name: str, row: Mapping[str, Any]) -> Cell:
    """Say of a model that answers the same for nearly everybody that its parity means nothing."""
    if name in ("prediction_entropy", "demographic_parity_difference") and row["prediction_entropy"] < 0.1:
        return Cell(cell.text, cell.sub, "nearly constant model", "bad")
    return cell


def group_lines(
    table: pd.DataFrame,
    *,
    defenses: Sequence[str],
    groups: Sequence[str],
    cell: Any,
    gap: Mapping[str, Cell] | None = None,
) -> tuple[Line, ...]:
    """Return one row a release with one cell a group value, and the largest gap last where there is one."""
    known = {(row["defense"], row["group"]): row for row in records(table)}
    return tuple(
        Line(
            defense,
            (
                *(cell(known[defense, group]) if (defense, group) in known else _nothing("nobody") for group in groups),
                *(() if gap is None else (gap.get(defense, _nothing("no figure")),)),
            ),
        )
        for defense in defenses
    )


def cell_counts(table: pd.DataFrame) -> dict[tuple[str, str], dict[str, float]]:
    """Return for each defense and group the mean counts of (label, prediction): ``10`` is label 1, prediction 0."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for row in records(table[table["metric"] == "cell_count"]):
        match = re.fullmatch(r"(.*), label=([01]), prediction=([01])", row["group"], flags=re.DOTALL)
        if match:
            found.setdefault((row["defense"], match[1]), {})[match[2] + match[3]] = row["value"]
    return found


def problems_table(table: pd.DataFrame, *, caption: str) -> Table:
    """Return what has no figure, one row a reason, failures first."""
    lines = []
    for (status, game, reason), part in table.groupby(["status", "game", "reason"], sort=False):
        whats, defenses = (list(dict.fromkeys(part[name])) for name in ("what", "defense"))
        lines.append(
            Line(
                str(status),
                (
                    Cell(str(reason)),
                    Cell(str(game)),
                    Cell(", ".join(defenses)),
                    Cell(", ".join(whats)),
                    Cell(f"{int(part['count'].sum()):,}"),
                ),
                reference=status == "skipped",
            )
        )
    return Table(caption, ("What", "Why", "Game", "Releases", "Attacks and models", "Cells"), (("", tuple(lines)),))


def _nothing(text: str) -> Cell:
    return Cell(text, mark="muted" if text in ("skipped", "no figure", "nobody") else "bad")


def _with_extra(cell: Cell, extra: str) -> Cell:
    return Cell(cell.text, cell.sub, extra, cell.mark, cell.heat)
