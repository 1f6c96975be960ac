"""Which collection to choose: leakage, error, accuracy and parity side by side, what is dominated, and who pays most.

A collection is dominated if another one that claims no larger budget is nowhere worse and somewhere clearly better,
that is with intervals that do not meet. What is left is a choice between less leakage and more use, which figures
cannot make.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from privbench.report.strongest import BASELINES, strongest
from privbench.report.summary import HEADLINES, costs, labels, over_seeds
from privbench.report.tables import Cell, Line, Table, advantage_cell, plain_cell, records
from privbench.report.words import listed, number, points

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["advice", "choice", "choices"]

Block = dict[str, Any]
# the figures that are compared, and whether a high one is good
_FIGURES = {"leakage": False, "balanced": False, "error": False, "accuracy": True, "parity": False}
# of the randomised columns: of their shares, and of the means of continuous ones
_ERRORS = ("tvd_1way", "mean_error")
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
        advantage on the worst secret, named in `secret`), `balanced` (the same in balanced accuracy, where rare values
        count as much as frequent ones, of the attack with the highest), `error` (distance of the randomised columns'
        shares, or of their means, whichever is larger), `accuracy` and `parity` (of the downstream model that is most
        accurate on average); `useless`, whether the error is no smaller than that of equal shares; `leak_group`,
        `leak_there` (the group about which most leaks, and how much, if clearly more than about everyone),
        `cost_group`, `cost_there` (the group whose accuracy falls most, and by how much, if it clearly falls), either
        of at least 25 people a seed, else none;
        `dominated_by`, a label or empty. The least leaking first. Only collections of reports have a row.
    """
    import pandas as pd

    table, top, cost = over_seeds(frame), strongest(frame), costs(frame)
    # labels as in the other tables, which depend on all that has figures
    named = labels(frame[frame["metric"].notna() & (frame["status"] == "ok")])
    epsilon = named.dropna(subset=["epsilon"]).groupby("defense", sort=False)["epsilon"].first()
    accuracy = cost.groupby("model")["downstream_accuracy"].mean().dropna()
    model = accuracy.idxmax() if len(accuracy) else None
    tables = set(table.loc[table["metric"] == "tvd_2way", "defense"])
    errors = table[table["metric"].isin(_ERRORS) & table["secret"].isna() & ~table["defense"].isin(tables)]
    errors = errors.sort_values("value", ascending=False, kind="stable").drop_duplicates("defense")
    rows = []
    for part in records(errors):
        name = part["defense"]
        row: dict[str, Any] = {"defense": name, "epsilon": float(epsilon.get(name, math.nan))}
        row |= _three("error", part) | {"useless": bool(part["value"] >= part["baseline"])}
        mine = top[top["defense"] == name]
        games = [game for game in _GAMES if (mine["game"].str.split(" ").str[0] == game).any()]
        mine = mine[mine["game"].str.split(" ").str[0] == games[0]] if games else mine.iloc[:0]
        worst = records(mine.sort_values("advantage", ascending=False))[:1]
        row |= _three("balanced", *_balanced(table, name, games[:1]))
        row |= {"secret": worst[0]["secret"] if worst else None} | _three("leakage", *worst, value="advantage")
        paid = records(cost[(cost["defense"] == name) & (cost["model"] == model)])[:1]
        for field, metric in (("accuracy", "downstream_accuracy"), ("parity", "demographic_parity_difference")):
            row |= {field + end: paid[0][metric + end] if paid else math.nan for end in ("", "_low", "_high")}
        row |= _most_exposed(table, worst) | _most_costly(table, name, paid)
        rows.append(row)
    columns = [
        "defense",
        "epsilon",
        "secret",
        *(f + end for f in _FIGURES for end in ("", "_low", "_high")),
        "useless",
        *_HURT,
    ]
    found = pd.DataFrame(rows, columns=columns)
    listed_rows = records(found)
    found["dominated_by"] = [
        next((other["defense"] for other in listed_rows if _dominates(other, row)), "") for row in listed_rows
    ]
    return found.sort_values("leakage", kind="stable").reset_index(drop=True)


def _three(name: str, *rows: dict[str, Any], value: str = "value") -> dict[str, float]:
    row = rows[0] if rows else dict.fromkeys((value, "low", "high"), math.nan)
    return {name: row[value], f"{name}_low": row["low"], f"{name}_high": row["high"]}


def _balanced(table: pd.DataFrame, defense: str, games: list[str]) -> list[dict[str, Any]]:
    """Return the advantage in balanced accuracy on the worst secret, of the attack that reaches most."""
    mine = table[(table["metric"] == "balanced_accuracy_advantage") & table["group"].isna()]
    mine = mine[(mine["defense"] == defense) & mine["game"].str.split(" ").str[0].isin(games)]
    mine = mine[~mine["attack"].str.split(" ").str[0].isin(BASELINES)]
    best = mine.assign(score=mine["value"] + mine["baseline"]).sort_values("score", ascending=False, kind="stable")
    return records(best.drop_duplicates("secret").sort_values("value", ascending=False))[:1]


def _most_exposed(table: pd.DataFrame, worst: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the group about which the strongest attack learns most."""
    if not worst:
        return {"leak_group": None, "leak_there": math.nan}
    mine = table[table["metric"].isin(HEADLINES) & table["group"].str.contains("=", na=False)]
    # between groups of the secret itself attacks differ as its values do
    mine = mine[
        (mine["n"] >= _FEWEST)
        & (mine["low"] > worst[0]["advantage"])
        & ~mine["group"].str.startswith(f"{worst[0]['secret']}=", na=False)
    ]
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
    mine = mine[~mine["group"].str.contains(" & ", regex=False) & (mine["n"] >= _FEWEST)]
    mine = mine[mine["high"] < mine["baseline"]].assign(lost=mine["value"] - mine["baseline"])
    rows = records(mine.sort_values("lost"))[:1]
    return {"cost_group": rows[0]["group"], "cost_there": rows[0]["lost"]} if rows else nobody


def _dominates(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether `one` claims no larger budget than `other`, is nowhere worse and somewhere clearly better."""
    if one["epsilon"] > other["epsilon"] * (1 + 1e-9):
        return False
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
    for epsilon in sorted(table["epsilon"].dropna().unique()):
        rows = records(table[table["epsilon"] == epsilon])
        if len(rows) == 1:
            continue
        before = f"With a total epsilon of {epsilon:g}"
        sentences += [
            f"{before} {row['defense']} is of no use: its estimates are no nearer to the truth than equal shares."
            for row in rows
            if row["useless"]
        ]
        free = [row for row in rows if not row["dominated_by"] and not row["useless"]]
        if free:
            sentences.append(f"{before} {_best(free, 'leakage', 'leaks least')}; {_best(free, 'error', 'errs least')}.")
        sentences += [
            f"{before} there is no reason to take {row['defense']}: {row['dominated_by']} is nowhere worse."
            for row in rows
            if row["dominated_by"]
        ]
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


def _best(rows: list[dict[str, Any]], figure: str, said: str) -> str:
    """Say which row has the lowest of a figure, and which others cannot be told apart from it."""
    known = [row for row in rows if not math.isnan(row[figure])]
    if not known:
        return f"it is not known which one {said}"
    best = min(known, key=lambda row: row[figure])
    near = [row["defense"] for row in known if row is not best and not row[f"{figure}_low"] > best[f"{figure}_high"]]
    value = f"{points(best[figure])} points" if figure == "leakage" else f"off by {number(best[figure])}"
    others = listed(near) if len(near) <= 3 else f"{len(near)} others"
    doubt = f", but {others} cannot be told apart from it" if near else ""
    return f"{best['defense']} {said} ({value}){doubt}"


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
        leakage, balanced = (
            {**row, "low": row[f"{name}_low"], "high": row[f"{name}_high"]} for name in ("leakage", "balanced")
        )
        cells = (
            Cell(number(row["epsilon"], places=2)),
            advantage_cell(leakage, value="leakage"),
            advantage_cell(balanced, value="balanced"),
            plain_cell(row["error"], row["error_low"], row["error_high"]),
            plain_cell(row["accuracy"], row["accuracy_low"], row["accuracy_high"], share=True),
            plain_cell(row["parity"], row["parity_low"], row["parity_high"]),
            Cell(f"by {row['dominated_by']}", mark="muted")
            if row["dominated_by"]
            else Cell("of no use" if row["useless"] else "no"),
        )
        lines.append(Line(row["defense"], cells, reference=bool(row["dominated_by"])))
    head = ("Collection", "Epsilon in all", "Leakage, points", "Rare values alike", "Error", "Accuracy", "Parity diff.",
            "Dominated")  # fmt: skip
    caption = (
        "Every local collection: the strongest attack's advantage on the worst secret; the same where a rare value "
        "counts as much as a frequent one; how far the estimated shares, or means, of the randomised columns are off; "
        "and the model trained on the reports."
    )
    return {"table": Table(caption, head, (("", tuple(lines)),)), "advice": advice(table)}
