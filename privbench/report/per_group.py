"""The report's figures per group: leakage of every release, and fairness of the models trained on it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from privbench.report.figures import Point, whiskers
from privbench.report.summary import HEADLINES
from privbench.report.tables import (
    Cell,
    Line,
    Table,
    advantage_cell,
    cell_counts,
    group_lines,
    plain_cell,
    records,
    rows_of,
)
from privbench.report.words import MEASURES, RATES, number, points

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["fairness", "groups"]

Block = dict[str, Any]
# given for randomised groups too; the ratio is not
_SEEN = {name: title for name, title in MEASURES.items() if name.endswith("_difference")}
_BETWEEN = {name: title for name, title in MEASURES.items() if name in _SEEN or name.endswith("_ratio")}


def groups(table: pd.DataFrame, top: pd.DataFrame) -> list[Block]:
    """Return leakage per group for every game, secret and group column: the strongest attack of each release."""
    named = {(row["game"], row["secret"], row["defense"]): row["attack"] for row in records(top)}
    keys = zip(table["game"], table["secret"], table["defense"], strict=True)
    rows = table[table["group"].notna() & (table["attack"] == [named.get(key) for key in keys])]
    found: list[Block] = []
    for (game, secret), part in rows.groupby(["game", "secret"], sort=False, dropna=False):
        values = part[part["metric"].isin(HEADLINES) & part["group"].str.contains("=")]
        gaps = part[part["metric"].isin([f"{name}_gap" for name in HEADLINES])]
        p_values = part[part["metric"].isin([f"{name}_gap_p_value" for name in HEADLINES])]
        for column, mine in values.groupby(values["group"].str.partition("=")[0], sort=False):
            own = records(gaps[gaps["group"] == column])
            chance = {r["defense"]: f"p = {number(r['value'])}" for r in records(p_values[p_values["group"] == column])}
            gap = {
                r["defense"]: Cell(
                    points(r["value"]), advantage_cell(r, value="value").sub, chance.get(r["defense"], "")
                )
                for r in own
            }
            present = list(dict.fromkeys(mine["defense"]))
            defenses = [name for name in rows_of(top, game=game, secret=secret)["defense"] if name in present]
            shown = list(dict.fromkeys(mine["group"]))
            by_group = {(r["defense"], r["group"]): r for r in records(mine)}
            blocks = [
                (name, [_point(by_group[name, one], series=one.partition("=")[2])
                        for one in shown if (name, one) in by_group])
                for name in defenses
            ]  # fmt: skip
            found.append(
                {
                    "title": f"{column}: {secret}, {game}",
                    "table": Table(
                        f"Advantage per group of {column} on {secret}, {game}, in percentage points, with the largest "
                        "difference between two groups; each release under its strongest attack.",
                        ("Release", *(one.partition("=")[2] for one in shown), "Largest gap"),
                        (("", group_lines(mine, defenses=defenses, groups=shown, cell=_grouped, gap=gap)),),
                    ),
                    "figure": whiskers(
                        blocks,
                        name=f"groups-{len(found)}",
                        caption=f"{secret}, {game}: one dot a group of {column}, the line its 95 % interval.",
                        alt=f"Dots with intervals: advantage per group of {column} for every release. The table below "
                        "has the same numbers.",
                        axis="advantage, percentage points",
                    ),
                }
            )
    return found


def fairness(table: pd.DataFrame, cost: pd.DataFrame) -> list[Block]:
    """Return the fairness of each downstream model: differences per column, and rates and counts per group."""
    found: list[Block] = []
    for model in cost["model"].dropna().unique():
        used = {row["defense"]: row["game"] for row in records(cost[cost["model"] == model])}
        games_ = [used.get(name) for name in table["defense"]]
        part = table[(table["model"] == model) & (table["game"] == games_) & table["group"].notna()]
        if part.empty:
            continue
        counts = cell_counts(part)
        differences = part[part["metric"].isin(_BETWEEN)]
        summary = Table(
            f"Differences between groups in the predictions of {model}, with 95 % intervals.",
            ("Release", *_BETWEEN.values()),
            tuple((str(column), _difference_lines(rows)) for column, rows in differences.groupby("group", sort=False)),
        )
        rates = part[part["metric"].isin(RATES)]
        columns: list[Block] = []
        for column, rows in rates.groupby(rates["group"].str.split("=").str[0], sort=False):
            selected = rows[rows["metric"] == "group_selection_rate"]
            blocks = [
                (str(defense), [_point(r, series=r["group"].partition("=")[2])
                                for r in records(mine)])
                for defense, mine in selected.groupby("defense", sort=False)
            ]  # fmt: skip
            sections = tuple((str(d), _rate_lines(mine, counts)) for d, mine in rows.groupby("defense", sort=False))
            columns.append(
                {
                    "column": column,
                    "table": Table(
                        f"Predictions of {model} per group of {column}: rates with 95 % intervals, and test records by "
                        "true outcome and prediction (means over the runs).",
                        ("Group", "Records", *RATES.values(), "Right: favourable", "Missed", "False alarm",
                         "Right: unfavourable"),
                        sections,
                    ),
                    "figure": whiskers(
                        blocks,
                        name=f"fairness-{len(found)}-{len(columns)}",
                        caption=f"Share predicted favourable by {model}, per group of {column}.",
                        alt=f"Dots with intervals: share predicted favourable per group of {column} for every release. "
                        "The table below has the same numbers.",
                        axis="predicted favourable, %",
                        signed=False,
                    ),
                }
            )  # fmt: skip
        found.append({"model": model, "summary": summary, "columns": columns, "reported": _reported(part, str(model))})
    return found


def _reported(part: pd.DataFrame, model: str) -> Table | None:
    """Return the differences between groups as they are, as randomised groups show them, and corrected."""
    seen = part[part["metric"].isin([f"{name}{how}" for name in _SEEN for how in ("_reported", "_corrected")])]
    if seen.empty:
        return None
    sections = []
    for column, rows in seen.groupby("group", sort=False):
        lines = []
        for defense in dict.fromkeys(rows["defense"]):
            mine = part[(part["defense"] == defense) & (part["group"] == column)]
            known = {row["metric"]: row for row in records(mine)}
            for how, said in (("", "true groups"), ("_reported", "randomised groups"), ("_corrected", "corrected")):
                cells = (_rate(known.get(name + how), share=False) for name in _SEEN)
                lines.append(Line(str(defense), (Cell(said), *cells), reference=not how))
        sections.append((str(column), tuple(lines)))
    return Table(
        f"Differences between groups in the predictions of {model}, where a record's group is known through the same "
        "randomiser only: as it really is, as it looks, and corrected for the known randomiser.",
        ("Release", "Groups", *_SEEN.values()),
        tuple(sections),
    )


def _difference_lines(rows: pd.DataFrame) -> tuple[Line, ...]:
    lines = []
    real = {name: float(mine["baseline"].mean()) for name, mine in rows.groupby("metric")}
    lines.append(Line("real data, unprotected", tuple(plain_cell(real.get(name, math.nan)) for name in _BETWEEN), True))
    for defense, mine in rows.groupby("defense", sort=False):
        known = {row["metric"]: row for row in records(mine)}
        cells = (_rate(known.get(name), share=False) for name in _BETWEEN)
        lines.append(Line(str(defense), tuple(cells)))
    return tuple(lines)


def _rate_lines(rows: pd.DataFrame, counts: dict[tuple[str, str], dict[str, float]]) -> tuple[Line, ...]:
    lines = []
    for (defense, group), mine in rows.groupby(["defense", "group"], sort=False):
        known = {row["metric"]: row for row in records(mine)}
        cells = counts.get((str(defense), str(group)), {})
        total = Cell(number(sum(cells.values()), places=0)) if cells else Cell(number(None))
        rates = (_rate(known.get(name), share=True) for name in RATES)
        numbers = (Cell(number(cells.get(key), places=0)) for key in ("11", "10", "01", "00"))
        lines.append(Line(str(group).partition("=")[2], (total, *rates, *numbers)))
    return tuple(lines)


def _rate(row: dict[str, Any] | None, *, share: bool) -> Cell:
    return plain_cell(math.nan) if row is None else plain_cell(row["value"], row["low"], row["high"], share=share)


def _grouped(row: dict[str, Any]) -> Cell:
    cell = advantage_cell(row, value="value")
    people = f"{row['n']:,} people" if row["n"] == row["n"] else ""
    return Cell(cell.text, cell.sub, people, cell.mark, cell.heat)


def _point(row: dict[str, Any], *, series: str) -> Point:
    return Point(series, row["value"], row["low"], row["high"])
