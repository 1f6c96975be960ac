"""The report's sections: from the figures of a run to what the template shows, one function a section."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from privbench.report.figures import Figure, Point, Spot, trade_off, whiskers
from privbench.report.strongest import BY_SCORE
from privbench.report.summary import HEADLINES
from privbench.report.tables import (
    Cell,
    Line,
    Table,
    advantage_cell,
    costs_table,
    leakage_table,
    plain_cell,
    records,
    rows_of,
)
from privbench.report.words import game_words, number, percent, points

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["answer", "games", "trade_offs"]

Block = dict[str, Any]


def answer(top: pd.DataFrame, board: pd.DataFrame, cost: pd.DataFrame, defenses: list[str]) -> Block:
    """Return the answer: for every game and secret the verdict on every release, the worst first; and the price.

    Figures of two games are never ranked together: they count from different baselines. A release without any figure
    has no verdict, and says so.
    """
    rank = {"leaks": 0, "unclear": 1, "none": 2, "untested": 3}
    costs_of = {row["defense"]: row for row in reversed(records(cost)) if isinstance(row["model"], str)}
    score = {(row["game"], row["secret"], row["defense"], row["attack"]): row for row in records(board)}
    questions: list[Block] = []
    for (game, secret), part in board.groupby(["game", "secret"], sort=False, dropna=False):
        mine = {row["defense"]: row for row in records(rows_of(top, game=game, secret=secret))}
        rows: list[Block] = []
        for defense in [name for name in defenses if name in set(part["defense"])]:
            row, paid = mine.get(defense), costs_of.get(defense)
            rows.append(
                {
                    "defense": defense,
                    "verdict": row["verdict"] if row else "untested",
                    "row": row,
                    "figure": advantage_cell(row) if row else None,
                    "ceiling": points(max(row["ceiling"], 0.0) if row else math.nan),
                    "bar": _bar(row),
                    "score": score.get((game, secret, defense, row["attack"])) if row else None,
                    "accuracy": percent(paid["downstream_accuracy"]) if paid else None,
                    "lost": _lost(paid),
                    "parity": number(paid["demographic_parity_difference"]) if paid else None,
                }
            )
        rows.sort(key=lambda one: (rank[one["verdict"]], -(one["row"] or {}).get("advantage", 0.0)))
        by_verdict = {verdict: [one for one in rows if one["verdict"] == verdict] for verdict in rank}
        questions.append({"game": game, "secret": secret, "words": game_words(str(game)), "rows": rows, **by_verdict})
    real = float(cost["downstream_accuracy_baseline"].mean()) if len(cost) else math.nan
    paid_rows = [row for row in costs_of.values() if not math.isnan(row["downstream_accuracy"])]
    paid_rows.sort(key=lambda row: row["downstream_accuracy"])
    return {
        "questions": questions,
        "answered": any(one["verdict"] != "untested" for question in questions for one in question["rows"]),
        "real": None if math.isnan(real) else percent(real),
        "cheapest": paid_rows[-1] if paid_rows else None,
        "dearest": paid_rows[0] if paid_rows else None,
        "tested": len(board),
        "marked": int((board["low"] > 0).sum()),
        "by_chance": number(0.025 * len(board), places=1),
    }


def _lost(paid: dict[str, Any] | None) -> str | None:
    """Return what a model loses in accuracy, in points."""
    return points(paid["downstream_accuracy"] - paid["downstream_accuracy_baseline"]) if paid else None


def _bar(row: dict[str, Any] | None) -> dict[str, float] | None:
    """Return an advantage and its limits as shares of a bar from -20 to +80 points."""
    if row is None or math.isnan(row["low"]):
        return None
    low, value, high = (100 * min(max((row[name] + 0.2) / 1.0, 0.0), 1.0) for name in ("low", "advantage", "high"))
    return {"low": round(low, 1), "value": round(value, 1), "width": round(high - low, 1)}


def games(board: pd.DataFrame, top: pd.DataFrame, missing: pd.DataFrame, table: pd.DataFrame) -> list[Block]:
    """Return the leaderboard of every game and secret, each with a table and a figure.

    Parameters
    ----------
    board, top, missing, table : DataFrame
        What `leaderboard`, `strongest`, `problems` and `over_seeds` return.
    """
    found: list[Block] = []
    for place, ((game, secret), part) in enumerate(board.groupby(["game", "secret"], sort=False, dropna=False)):
        best = rows_of(top, game=game, secret=secret)
        here = missing[(missing["game"] == game) & missing["attack"].notna()]
        shown = {*part["defense"], *here.loc[here["status"] != "skipped", "defense"]}
        tolerance = part["metric"].iloc[0] == HEADLINES[1]
        what = "within the tolerance" if tolerance else "right"
        shown_table = leakage_table(
            part,
            best,
            here,
            caption=f"Advantage in percentage points on {secret}, {game}: how much more often guessed {what} than "
            "the baseline, [95 % interval], and the two rates.",
        )
        blocks = [
            (str(defense), [Point(r["attack"], r["advantage"], r["low"], r["high"]) for r in records(rows)])
            for defense, rows in part.groupby("defense", sort=False)
        ]
        order = list(dict.fromkeys(part.groupby("attack", sort=False)["advantage"].max().sort_values().index[::-1]))
        blocks = [(name, sorted(rows, key=lambda point: order.index(point.series))) for name, rows in blocks]
        figure = whiskers(
            blocks,
            name=f"leakage-{place}",
            caption=f"{secret}, {game}: one dot an attack, the line its 95 % interval; right of 0 is leakage.",
            alt=f"Dots with intervals: advantage of every attack on every release for {secret} in the game {game}. "
            "The table beside it has the same numbers.",
            axis="advantage, percentage points",
        )
        seeds = part["seeds"]
        found.append(
            {
                "game": game,
                "secret": secret,
                "words": game_words(str(game)),
                "people": _span(part["n"].dropna()),
                "seeds": _span(seeds),
                "single": bool(seeds.max() == 1),
                "biased": bool((~best["corrected"].astype(bool)).any()),
                "skipped": [name for name in dict.fromkeys(here["defense"]) if name not in shown],
                "table": shown_table,
                "by_score": str(game).split(" ")[0] in BY_SCORE,
                "near": _near(rows_of(table, game=game, secret=secret), f"{secret}, {game}"),
                "figure": figure,
            }
        )
    return found


def _near(table: pd.DataFrame, where: str) -> Table | None:
    """Return how often the truth is among the ten likeliest values; None where there are no more than ten."""
    rows = records(table[(table["metric"] == "top_10_accuracy") & table["group"].isna()])
    if not rows:
        return None
    lines = tuple(
        Line(
            row["defense"],
            (
                Cell(row["attack"]),
                plain_cell(row["value"], row["low"], row["high"], share=True),
                Cell(percent(row["baseline"])),
            ),
        )
        for row in rows
    )
    caption = f"Among the ten likeliest values on {where}: share of people whose true value is one of them."
    return Table(caption, ("Release", "Attack", "Among ten", "Baseline"), (("", lines),))


def trade_offs(cost: pd.DataFrame, top: pd.DataFrame) -> list[Block]:
    """Return leakage against accuracy for every downstream model: one figure a game and secret, one table."""
    found: list[Block] = []
    for model in cost["model"].dropna().unique():
        part = records(cost[cost["model"] == model])
        group = part[0]["group"]
        parity = f"parity difference, {group}" if isinstance(group, str) else "parity difference"
        figures: list[Figure] = []
        for (game, secret), best in top.groupby(["game", "secret"], sort=False, dropna=False):
            leak = {row["defense"]: row for row in records(best)}
            spots = [
                Spot(
                    row["defense"],
                    _point(leak[row["defense"]], "advantage", "low", "high"),
                    _point(row, *(f"downstream_accuracy{end}" for end in ("", "_low", "_high"))),
                    row["demographic_parity_difference"],
                )
                for row in part
                if row["defense"] in leak and not math.isnan(row["downstream_accuracy"])
            ]
            if spots:
                figures.append(
                    trade_off(
                        spots,
                        real=part[0]["downstream_accuracy_baseline"],
                        name=f"trade-{len(found)}-{len(figures)}",
                        caption=f"{secret}, {game}: the lower the less leaks, the further right the more useful. "
                        f"Colour and size: {parity}.",
                        alt=f"Advantage of the strongest attack on {secret} in the game {game} against accuracy of "
                        f"{model}, one marker a release. The table below has the same numbers.",
                        parity=parity,
                    )
                )
        caption = f"Leakage, accuracy on real people and fairness of {model}, beside the same model on real data."
        if isinstance(group, str):
            caption += f" Parity and odds: largest difference between the groups of {group}."
        found.append(
            {
                "model": model,
                "figures": figures,
                "table": costs_table(cost, top, model=model, caption=caption),
                "games": sorted({row["game"] for row in part}),
            }
        )
    return found


def _point(row: dict[str, Any], value: str, low: str, high: str) -> Point:
    return Point("", row[value], row[low], row[high])


def _span(values: pd.Series[Any]) -> str:
    if not len(values):
        return "?"
    low, high = int(values.min()), int(values.max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
