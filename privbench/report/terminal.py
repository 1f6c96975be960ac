"""The leaderboard and the costs as tables in a terminal, and what has no figure, in at most 100 columns."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from privbench.report.choice import advice, choices
from privbench.report.console import WIDEST, print_columns
from privbench.report.strongest import strongest
from privbench.report.summary import costs, leaderboard, over_seeds, problems
from privbench.report.tables import rows_of

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

__all__ = ["print_leaderboard"]

_STRONGEST = "strongest"
_COSTS = {
    "downstream_accuracy": "accuracy",
    "downstream_auc": "AUC",
    "demographic_parity_difference": "parity diff.",
    "equalized_odds_difference": "odds diff.",
    "tvd_2way": "TVD, pairs",
}
_REFERENCES = {
    "randomised": "chance",
    "holdout": "the same attack on controls",
    "report": "the attack without the report",
    "reidentify": "chance, one person of the roster",
}


def print_leaderboard(frame: pd.DataFrame, manifest: dict[str, Any], console: Console) -> None:
    """Print the leaderboard of each game and secret, what the protection costs, and what was not measured.

    Parameters
    ----------
    frame : DataFrame
        Rows as `privbench.record.Row` says.
    manifest : dict
        Of the run; the data set's name is shown where it is known.
    console : rich.console.Console
        Where to print; at most 100 columns of it are used.
    """
    width = min(console.width, WIDEST)
    planned = set(manifest.get("keys") or ())
    if open_ := len(planned - set(frame["key"])):
        text = f"This run is not finished: {open_} of its {len(planned)} cells are missing; start it again."
        console.print(text, width=width, style="bold", highlight=False)
    board, top, missing = leaderboard(frame), strongest(frame), problems(frame)
    if board.empty:
        console.print("No attack has a figure in this run.", width=width)
    near = over_seeds(frame[(frame["metric"] == "top_10_accuracy") & frame["group"].isna()])
    data = (manifest.get("dataset") or {}).get("name")
    for (game, secret), part in board.groupby(["game", "secret"], sort=False, dropna=False):
        _print_game(console, part, rows_of(top, game=game, secret=secret), missing, width, data)
        _print_near(console, rows_of(near, game=game, secret=secret), width)
    if not board.empty:
        text = "* the 95 % interval excludes 0. Advantage: share of people guessed right beyond the game's baseline."
        console.print(text, width=width, style="dim", highlight=False, markup=False)
    _print_costs(console, costs(frame), width)
    _print_choice(console, choices(frame), width)
    _print_problems(console, missing, width)


def _print_game(
    console: Console, part: pd.DataFrame, top: pd.DataFrame, missing: pd.DataFrame, width: int, data: str | None
) -> None:
    """Print one leaderboard, the strongest attack first."""
    from rich.text import Text

    first = part.iloc[0]
    game, people = str(first["game"]), part["n"].dropna()
    title = f"\n{game}: {first['secret']}" + (f" in {data}" if data else "")
    console.print(Text(title, style="bold"), width=width)
    against = _REFERENCES.get(game.split(" ")[0], "the game's baseline")
    count = (
        f"{people.min():,} to {people.max():,}" if people.nunique() > 1 else f"{people.min():,}" if len(people) else "?"
    )
    console.print(
        Text(f"advantage over {against}; {count} people a seed, {_seeds(part['seeds'])}", style="dim"), width=width
    )
    here = missing[(missing["game"] == game) & missing["attack"].notna()]
    broken = here[here["status"] != "skipped"]
    defenses = list(dict.fromkeys([*part["defense"], *broken["defense"]]))
    attacks = list(dict.fromkeys([*part["attack"], *broken["attack"]]))
    figures = {(row.defense, row.attack): row for row in part.itertuples()}
    status = {(row.defense, row.attack): str(row.status) for row in here.itertuples()}
    cells = {
        (defense, attack): _cell(figures.get((defense, attack)), status.get((defense, attack), "-"))
        for defense in defenses
        for attack in attacks
    }
    columns = {attack: [cells[defense, attack] for defense in defenses] for attack in attacks}
    several = top[top["attacks"] > 1]
    if len(several):
        best = {row["defense"]: _figure(row["advantage"], row["low"], row["high"]) for row in top.to_dict("records")}
        columns = {_STRONGEST: [best.get(defense, "-") for defense in defenses], **columns}
    print_columns(console, releases=defenses, columns=columns, width=width)
    if len(several):
        how = (
            "the attack is chosen on the other seeds, as a maximum over attacks is biased up"
            if several["corrected"].all()
            else f"a maximum over up to {several['attacks'].max()} attacks, so biased up; its interval is widened for "
            "that; several seeds would remove it"
        )
        console.print(Text(f"{_STRONGEST}: {how}", style="dim"), width=width)


def _print_near(console: Console, table: pd.DataFrame, width: int) -> None:
    """Print how often the truth is among the ten likeliest values, for secrets of more than ten."""
    rows = table.to_dict("records")
    if not rows:
        return
    figures = [f"{_number(row['value'])} [{_number(row['low'])}, {_number(row['high'])}]" for row in rows]
    columns = {"attack": [row["attack"] for row in rows], "among ten": figures,
               "baseline": [_number(row["baseline"]) for row in rows]}  # fmt: skip
    print_columns(console, releases=[row["defense"] for row in rows], columns=columns, width=width)


def _print_costs(console: Console, table: pd.DataFrame, width: int) -> None:
    from rich.text import Text

    if table.empty:
        console.print("\nNo downstream model and no marginals were scored in this run.", width=width)
        return
    console.print(Text("\nWhat the protection costs", style="bold"), width=width)
    group = table["group"].dropna()
    text = "models trained on the release, judged on real records" + (
        f"; differences between {group.iloc[0]} groups" if len(group) else ""
    )
    console.print(Text(text, style="dim"), width=width)
    several = table["model"].nunique() > 1
    releases: list[str] = []
    columns: dict[str, list[str]] = {title: [] for title in _COSTS.values()}
    for model, part in table.groupby("model", sort=False, dropna=False):
        suffix = f" ({model})" if several and isinstance(model, str) else ""
        if isinstance(model, str):
            releases.append(f"real data{suffix}")
            for name, title in _COSTS.items():
                columns[title].append(_number(part[f"{name}_baseline"].mean()))
        for row in part.to_dict("records"):
            releases.append(f"{row['defense']}{suffix}")
            for name, title in _COSTS.items():
                low, high = (_number(row[f"{name}_{end}"], places=2) for end in ("low", "high"))
                limits = "" if math.isnan(row[f"{name}_low"]) else f" [{low}, {high}]"
                columns[title].append(_number(row[name]) + limits)
    columns = {title: texts for title, texts in columns.items() if set(texts) != {"-"}}
    print_columns(console, releases=releases, columns=columns, width=width)


def _print_choice(console: Console, table: pd.DataFrame, width: int) -> None:
    """Print the local collections side by side, and what to take; nothing below two of them."""
    from rich.text import Text

    sentences = advice(table)
    if not sentences:
        return
    console.print(Text("\nWhich collection to choose", style="bold"), width=width)
    text = "worst secret's advantage in points, and with rare values counted alike; error of shares; * dominated"
    console.print(Text(text, style="dim"), width=width)
    rows = table.to_dict("records")
    columns = {
        "epsilon": [f"{row['epsilon']:.3g}" for row in rows],
        "leakage": [f"{100 * row['leakage']:+.1f}" for row in rows],
        "rare alike": [f"{100 * row['balanced']:+.1f}" for row in rows],
        "error": [_number(row["error"]) for row in rows],
        "accuracy": [_number(row["accuracy"]) for row in rows],
        "parity diff.": [_number(row["parity"]) for row in rows],
        "leaks most about": [row["leak_group"] or "-" for row in rows],
    }
    names = [f"{row['defense']}{' *' if row['dominated_by'] else ''}" for row in rows]
    print_columns(console, releases=names, columns=columns, width=width)
    for sentence in sentences:
        console.print(Text(f"- {sentence}"), width=width)


def _print_problems(console: Console, table: pd.DataFrame, width: int) -> None:
    """Print one line a reason: failures before skips, what is concerned after the reason."""
    from rich.text import Text

    if table.empty:
        return
    console.print(Text("\nNot measured", style="bold"), width=width)
    for (status, reason), part in table.groupby(["status", "reason"], sort=False):
        concerned = part.groupby("defense", sort=False)["what"].unique().map(lambda names: ", ".join(names))
        by_what = concerned.groupby(concerned, sort=False).groups
        where = "; ".join(f"{what} on {', '.join(map(str, names))}" for what, names in by_what.items())
        count = int(part["count"].sum())
        line = Text.assemble(
            (str(status), "bold" if status != "skipped" else ""), f" ({count}): {reason}", (f" [{where}]", "dim")
        )
        console.print(line, width=width)


def _cell(row: Any, status: str) -> str:
    if row is None:
        return status
    return _figure(row.advantage, row.low, row.high)


def _figure(value: float, low: float, high: float) -> str:
    if math.isnan(low) or math.isnan(high):
        return _number(value, sign="+")
    mark = "*" if low > 0 or high < 0 else ""
    return f"{_number(value, sign='+')} [{_number(low, places=2)}, {_number(high, places=2)}]{mark}"


def _number(value: float, *, places: int = 3, sign: str = "") -> str:
    """Write a number without the zero before its point: -.012."""
    if math.isnan(value):
        return "-"
    text = f"{value:{sign}.{places}f}"
    if float(text) == 0:
        text = f"{0:{sign}.{places}f}"  # no -.00
    return re.sub(r"^([+-]?)0\.", r"\1.", text)


def _seeds(seeds: pd.Series[int]) -> str:
    low, high = int(seeds.min()), int(seeds.max())
    return (f"{low} to {high} seeds" if low < high else f"{high} seeds") if high > 1 else "1 seed"
