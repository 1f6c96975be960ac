"""Which release to choose: leakage, error, accuracy and parity side by side, what is not dominated, and who pays most.

A release is dominated if another one is nowhere worse and somewhere clearly better, that is with intervals that do not
meet. What is left is a choice between less leakage and more use, which figures cannot make.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from privbench.report.strongest import strongest
from privbench.report.summary import HEADLINES, costs, labels, over_seeds
from privbench.report.tables import Cell, Line, Table, advantage_cell, plain_cell, records
from privbench.report.words import listed, number, percent, points

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["advice", "choice", "choices"]

Block = dict[str, Any]
# the four figures that are compared, and whether a high one is good
_FIGURES = {"leakage": False, "error": False, "accuracy": True, "parity": False}
_GAMES = ("report", "randomised", "holdout")
# people a seed below whom a group's figure is noise
_FEWEST = 25
_HURT = ["leak_group", "leak_there", "cost_group", "cost_there"]


def choices(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the figures that a choice among local collections rests on, one row each.

    Parameters
    ----------
    frame : DataFrame
        Rows as `privbench.record.Row` says.

    Returns
    -------
    DataFrame
        `defense` (label), `epsilon` (claimed), and with `_low` and `_high` each: `leakage` (the strongest attack's
        advantage on the worst secret, named in `secret`), `error` (distance of the randomised columns' shares),
        `accuracy` and `parity` (of the first downstream model); `leak_group`, `leak_there` (the group about which most
        leaks, and how much), `cost_group`, `cost_there` (the group whose accuracy falls most, and by how much; either
        of at least 25 people a seed);
        `dominated_by`, a label or empty. The least leaking first. Only releases with the metric `tvd_1way` and no
        `tvd_2way`, that is reports, have a row.
    """
    import pandas as pd

    table, top, cost = over_seeds(frame), strongest(frame), costs(frame)
    named = labels(frame)
    epsilon = named.dropna(subset=["epsilon"]).groupby("defense", sort=False)["epsilon"].first()
    error = table[(table["metric"] == "tvd_1way") & table["secret"].isna()].drop_duplicates("defense")
    tables = set(table.loc[table["metric"] == "tvd_2way", "defense"])
    rows = []
    for part in records(error[~error["defense"].isin(tables)]):
        name = part["defense"]
        row: dict[str, Any] = {"defense": name, "epsilon": float(epsilon.get(name, math.nan))}
        row |= _three("error", part)
        mine = top[top["defense"] == name]
        games = [game for game in _GAMES if (mine["game"].str.split(" ").str[0] == game).any()]
        mine = mine[mine["game"].str.split(" ").str[0] == games[0]] if games else mine.iloc[:0]
        worst = records(mine.sort_values("advantage", ascending=False))[:1]
        row |= {"secret": worst[0]["secret"] if worst else None} | _three("leakage", *worst, value="advantage")
        paid = records(cost[(cost["defense"] == name) & cost["model"].notna()])[:1]
        for field, metric in (("accuracy", "downstream_accuracy"), ("parity", "demographic_parity_difference")):
            row |= {field + end: paid[0][metric + end] if paid else math.nan for end in ("", "_low", "_high")}
        row |= _most_exposed(table, worst) | _most_costly(table, name, paid)
        rows.append(row)
    columns = ["defense", "epsilon", "secret", *(f + end for f in _FIGURES for end in ("", "_low", "_high")), *_HURT]
    found = pd.DataFrame(rows, columns=columns)
    listed_rows = records(found)
    found["dominated_by"] = [
        next((other["defense"] for other in listed_rows if _dominates(other, row)), "") for row in listed_rows
    ]
    return found.sort_values("leakage", kind="stable").reset_index(drop=True)


def _three(name: str, *rows: dict[str, Any], value: str = "value") -> dict[str, float]:
    row = rows[0] if rows else dict.fromkeys((value, "low", "high"), math.nan)
    return {name: row[value], f"{name}_low": row["low"], f"{name}_high": row["high"]}


def _most_exposed(table: pd.DataFrame, worst: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the group about which the strongest attack learns most."""
    if not worst:
        return {"leak_group": None, "leak_there": math.nan}
    mine = table[table["metric"].isin(HEADLINES) & table["group"].str.contains("=", na=False)]
    # between groups of the secret itself attacks differ as its values do
    mine = mine[(mine["n"] >= _FEWEST) & ~mine["group"].str.startswith(f"{worst[0]['secret']}=", na=False)]
    for field in ("game", "secret", "defense", "attack"):
        mine = mine[mine[field] == worst[0][field]]
    best = records(mine.sort_values("value", ascending=False))[:1]
    return {
        "leak_group": best[0]["group"] if best else None,
        "leak_there": best[0]["value"] if best else math.nan,
    }


def _most_costly(table: pd.DataFrame, defense: str, paid: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the group whose records a model gets wrong more often than the same model trained on the real data."""
    nobody = {"cost_group": None, "cost_there": math.nan}
    if not paid:
        return nobody
    mine = table[(table["metric"] == "group_accuracy") & (table["defense"] == defense)]
    mine = mine[(mine["model"] == paid[0]["model"]) & (mine["game"] == paid[0]["game"])]
    mine = mine[~mine["group"].str.contains(" & ", regex=False) & (mine["n"] >= _FEWEST)].assign(
        lost=mine["value"] - mine["baseline"]
    )
    rows = records(mine.sort_values("lost"))[:1]
    return {"cost_group": rows[0]["group"], "cost_there": rows[0]["lost"]} if rows else nobody


def _dominates(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether `one` is nowhere worse than `other` and somewhere clearly better."""
    clearly = False
    for name, high_is_good in _FIGURES.items():
        sign = 1 if high_is_good else -1
        if math.isnan(one[name]) and math.isnan(other[name]):
            continue
        if not sign * one[name] >= sign * other[name]:
            return False
        near, far = ("_low", "_high") if high_is_good else ("_high", "_low")
        clearly |= bool(sign * one[name + near] > sign * other[name + far])
    return clearly


def advice(table: pd.DataFrame) -> list[str]:
    """Return what the figures recommend, a plain sentence each; empty where there is nothing to choose.

    Parameters
    ----------
    table : DataFrame
        What `choices` returns.
    """
    if len(table) < 2:
        return []
    sentences = []
    budgets = [table[table["epsilon"] == epsilon] for epsilon in sorted(table["epsilon"].dropna().unique())]
    for part in budgets:
        rows = records(part)
        free = [row for row in rows if not row["dominated_by"]]
        before = f"With a total epsilon of {rows[0]['epsilon']:g}"
        if len(rows) == 1:
            continue
        if not free:
            sentences.append(f"{before} every choice is beaten by one of another budget.")
            continue
        by_leakage = min(free, key=lambda row: _last(row["leakage"]))
        by_error = min(free, key=lambda row: _last(row["error"]))
        if by_leakage is by_error:
            sentences.append(
                f"{before} take {_named(by_leakage)}: of those not dominated it leaks least and errs least."
            )
        else:
            sentences.append(
                f"{before} take {_named(by_leakage)} to leak least, or {_named(by_error)} for the most accurate shares."
            )
        if beaten := [row["defense"] for row in rows if row["dominated_by"]]:
            sentences.append(f"{before} there is no reason to take {listed(beaten)}: another choice is nowhere worse.")
    for row in records(table[table["dominated_by"] == ""]):
        parts = []
        if row["leak_group"]:
            there, everyone = points(row["leak_there"]), points(row["leakage"])
            parts.append(f"leaks most about {row['leak_group']} ({there} points, {everyone} over everyone)")
        if row["cost_group"]:
            parts.append(f"costs a model most accuracy for {row['cost_group']} ({points(row['cost_there'])} points)")
        if parts:
            sentences.append(f"{row['defense']} {' and '.join(parts)}.")
    return sentences


def _last(value: float) -> float:
    return math.inf if math.isnan(value) else value


def _named(row: dict[str, Any]) -> str:
    leakage = f"advantage {points(row['leakage'])} points"
    model = "" if math.isnan(row["accuracy"]) else f", a model right for {percent(row['accuracy'])}"
    return f"{row['defense']} ({leakage}, shares off by {number(row['error'])}{model})"


def choice(frame: pd.DataFrame) -> Block | None:
    """Return the section of the report: a table of all local collections and what to take; None below two of them.

    Parameters
    ----------
    frame : DataFrame
        Rows as `privbench.record.Row` says.
    """
    table = choices(frame)
    if len(table) < 2:
        return None
    lines = []
    for row in records(table):
        leakage = {**row, "low": row["leakage_low"], "high": row["leakage_high"]}
        cells = (
            Cell(number(row["epsilon"], places=2)),
            advantage_cell(leakage, value="leakage"),
            plain_cell(row["error"], row["error_low"], row["error_high"]),
            plain_cell(row["accuracy"], row["accuracy_low"], row["accuracy_high"], share=True),
            plain_cell(row["parity"], row["parity_low"], row["parity_high"]),
            Cell(f"by {row['dominated_by']}", mark="muted") if row["dominated_by"] else Cell("not dominated"),
        )
        lines.append(Line(row["defense"], cells, reference=bool(row["dominated_by"])))
    head = (
        "Collection",
        "Epsilon in all",
        "Leakage, points",
        "Error of shares",
        "Accuracy",
        "Parity diff.",
        "Dominated",
    )
    caption = (
        "Every local collection: the strongest attack's advantage on the worst secret, how far the estimated shares of "
        "the randomised columns are off, and the model trained on the reports."
    )
    return {"table": Table(caption, head, (("", tuple(lines)),)), "advice": advice(table)}
