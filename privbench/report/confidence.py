"""The section on stated confidence: what attacks say of how sure they are, and how often they are right."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from privbench.report.reliability import Bin, reliability
from privbench.report.strongest import BASELINES
from privbench.report.summary import labels
from privbench.report.tables import Cell, Line, Table, plain_cell, records, rows_of
from privbench.report.words import game_words, interval, number, percent, points
from privbench.scorers.calibration import BINS, COVERED
from privbench.scorers.intervals import wilson_effective, wilson_one

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["confidence"]

Block = dict[str, Any]
_FEWEST = 10  # people whose share right is drawn: of fewer it is noise
_WHERE = ["game", "secret"]
_WHO = ["defense", "attack"]


def confidence(frame: pd.DataFrame, table: pd.DataFrame, top: pd.DataFrame) -> list[Block]:
    """Return how far attacks can be trusted, for every game and secret: a plot and a table of all releases.

    Parameters
    ----------
    frame : DataFrame
        Rows as `privbench.record.Row` says.
    table, top : DataFrame
        What `over_seeds` and `strongest` return for them; releases stand in the order of `top`.
    """
    # labels as in the other tables, which depend on all that has figures
    rows = labels(frame[frame["metric"].notna() & (frame["status"] == "ok")])
    rows = rows[rows["metric"].isin([*BINS, *COVERED]) & ~rows["attack"].str.split(" ").str[0].isin(BASELINES)]
    found: list[Block] = []
    for (game, secret), part in rows.groupby(_WHERE, sort=False, dropna=False):
        first = list(rows_of(top, game=game, secret=secret)["defense"])
        order = list(dict.fromkeys([*(name for name in first if name in set(part["defense"])), *part["defense"]]))
        pooled = {key: _pooled(mine) for key, mine in part.groupby(_WHO, sort=False)}
        drawn = {
            release: {str(a): shown for (r, a), bins in pooled.items() if r == release and (shown := _drawn(bins))}
            for release in order
        }
        ranges = part["metric"].isin(COVERED).all()
        mine = rows_of(table, game=game, secret=secret)
        mine = mine[mine["group"].isna()]
        figures = {(r["defense"], r["attack"], r["metric"]): r for r in records(mine)}
        drawn = {release: lines for release, lines in drawn.items() if lines}
        found.append(
            {
                "game": game,
                "secret": secret,
                "words": game_words(str(game)),
                "ranges": bool(ranges),
                "uniform": str(game).split(" ")[0] == "randomised",
                "table": (_of_ranges if ranges else _of_bins)(order, pooled, figures, f"{secret}, {game}"),
                "figure": reliability(
                    drawn,
                    name=f"reliability-{len(found)}",
                    caption=f"{secret}, {game}: one line an attack, whiskers are 95 % intervals. On the dashed line an "
                    "attack is right as often as it says.",
                    alt=f"Share right against stated confidence of every attack for {secret} in the game {game}. The "
                    "table below sums it up for all releases.",
                    axis="what the range states, %" if ranges else "stated confidence, %",
                )
                if drawn
                else None,
            }
        )
    return found


def _pooled(rows: pd.DataFrame) -> dict[str, tuple[Bin, float]]:
    """Return each bin over all seeds, and the controls' share right in it.

    The limits reach over two: all people taken together, and Student's t over the seeds, whose releases differ.
    """
    found = {}
    for name in [*BINS, *COVERED]:
        mine = rows[rows["metric"] == name]
        n = mine["n"].to_numpy(dtype=float)
        if not n.sum():
            continue
        hits, total = mine["value"].to_numpy(dtype=float) * n, float(n.sum())
        share = float(hits.sum()) / total
        low, high = wilson_one(float(hits.sum()), n=total)
        if len(n) > 1:
            spread = float(((hits - share * n) ** 2).sum()) / total**2 * len(n) / (len(n) - 1)
            over = wilson_effective(share, variance=spread, n=total, freedom=len(n) - 1)
            low, high = min(low, over[0]), max(high, over[1])
        stated = float((mine["baseline"].to_numpy(dtype=float) * n).sum()) / total
        controls = mine["control"].to_numpy(dtype=float)
        known = np.isfinite(controls)
        control = float(np.average(controls[known], weights=n[known])) if known.any() else math.nan
        found[name] = Bin(stated, share, low, high, int(total)), control
    return found


def _drawn(bins: dict[str, tuple[Bin, float]]) -> list[Bin]:
    return [one for one, _ in bins.values() if one.n >= _FEWEST]


def _of_bins(order: list[str], pooled: dict[Any, Any], figures: dict[Any, Any], where: str) -> Table:
    sections = []
    for release in order:
        lines = []
        for attack, bins in ((a, bins) for (r, a), bins in pooled.items() if r == release):
            people = sum(one.n for one, _ in bins.values())
            says, right = (
                sum(getattr(one, what) * one.n for one, _ in bins.values()) / people for what in ("stated", "value")
            )
            brier = figures.get((release, attack, "brier"))
            error = figures.get((release, attack, "calibration_error"))
            cells = (
                Cell(percent(says)),
                Cell(percent(right)),
                _gap(error, says - right),
                _sure(bins),
                Cell(number(None)) if brier is None else plain_cell(brier["value"], brier["low"], brier["high"]),
                Cell(number(None if brier is None else brier["baseline"])),
            )
            lines.append(Line(str(attack), cells))
        sections.append((release, tuple(lines)))
    return Table(
        f"Stated confidence on {where}: what attacks say on average, how often they are right, how far apart the two "
        "lie in people of equal confidence (without what noise adds), and the squared error of all their "
        "probabilities beside that without leakage.",
        ("Attack", "Says", "Is right", "Apart, points", "Where it says 90 % or more", "Brier", "Without leakage"),
        tuple(sections),
    )


def _gap(row: dict[str, Any] | None, excess: float) -> Cell:
    if row is None:
        return Cell(number(None), mark="muted")
    beyond = row["low"] > 0
    verdict = ("too sure" if excess > 0 else "too modest") if beyond else "no more than noise"
    return Cell(points(row["value"]), interval(row["low"], row["high"]), verdict, "above" if beyond else "")


def _sure(bins: dict[str, tuple[Bin, float]]) -> Cell:
    if BINS[-1] not in bins:
        return Cell("never", mark="muted")
    one, control = bins[BINS[-1]]
    limits = f"[{number(100 * one.low, places=1)}, {number(100 * one.high, places=1)}]"
    extra = f"{one.n:,} people" + ("" if math.isnan(control) else f"; controls {percent(control)}")
    return Cell(f"right {percent(one.value)}", limits, extra)


def _of_ranges(order: list[str], pooled: dict[Any, Any], figures: dict[Any, Any], where: str) -> Table:
    sections = []
    for release in order:
        lines = [
            Line(str(attack), tuple(_held(*bins[name]) if name in bins else Cell(number(None)) for name in COVERED))
            for (r, attack), bins in pooled.items()
            if r == release
        ]
        sections.append((release, tuple(lines)))
    return Table(
        f"Stated ranges on {where}: how often a range about the guess holds the truth that should do so as often as it "
        "says.",
        ("Attack", *(f"Says {percent(level)}" for level in COVERED.values())),
        tuple(sections),
    )


def _held(one: Bin, control: float) -> Cell:
    verdict = "too sure" if one.high < one.stated else "too modest" if one.low > one.stated else "as stated"
    limits = f"[{number(100 * one.low, places=1)}, {number(100 * one.high, places=1)}]"
    return Cell(percent(one.value), limits, verdict + ("" if math.isnan(control) else f"; controls {percent(control)}"))
