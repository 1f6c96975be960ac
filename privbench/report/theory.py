"""The section on randomised answers: what the Bayes attack on one report reaches, beside what theory says it must."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from privbench.report.figures import COLOURS, STRONG, SYMBOLS, Figure, distance, layout, plain
from privbench.report.summary import labels, over_seeds
from privbench.report.tables import Cell, Line, Table, records
from privbench.report.words import number, percent

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["beside_theory", "theory"]

Block = dict[str, Any]
_PRIORS = {"uniform": "no prior", "marginal": "shares estimated"}
"""What the attack takes for granted before it sees the report, by the parameter that says so."""
_ATTACK = "report-bayes"


def beside_theory(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the measured accuracy of the Bayes attack on single reports beside its closed form.

    Parameters
    ----------
    frame : DataFrame
        Rows as `privbench.record.Row` says.

    Returns
    -------
    DataFrame
        `secret`, `defense` (label), `prior` (uniform or marginal), `exact`, and `measured`, `low`, `high`, `n` in the
        game `report`, NaN where no such attack was run. Only columns whose protocol has a closed form have rows.
    """
    import pandas as pd

    named = labels(frame[frame["metric"].notna() & (frame["status"] == "ok")])
    game = named["game"].str.split(" ").str[0] == "report"
    exact = named[game & named["metric"].str.startswith("exact_accuracy_", na=False)]
    tried = named[game & (named["metric"] == "accuracy") & named["group"].isna() & named["attack"].notna()]
    tried = tried[tried["attack"].str.split(" ").str[0] == _ATTACK]
    found = []
    for (secret, defense, name), part in exact.groupby(["secret", "defense", "metric"], sort=False):
        prior = str(name).removeprefix("exact_accuracy_")
        mine = tried[(tried["secret"] == secret) & (tried["defense"] == defense)]
        mine = mine[mine["attack_params"].map(_prior) == prior]
        row = {"secret": secret, "defense": defense, "prior": prior, "exact": float(part["value"].mean())}
        over = over_seeds(mine)
        for field, column in (("measured", "value"), ("low", "low"), ("high", "high"), ("n", "n")):
            row[field] = float(over[column].iloc[0]) if len(over) else math.nan
        found.append(row)
    return pd.DataFrame(found, columns=["secret", "defense", "prior", "exact", "measured", "low", "high", "n"])


def _prior(params: object) -> str:
    text = params if isinstance(params, str) else "{}"
    return str(json.loads(text).get("prior", "marginal"))


def theory(frame: pd.DataFrame) -> list[Block]:
    """Return for each randomised column a plot and a table of what was measured beside what is exact.

    Parameters
    ----------
    frame : DataFrame
        Rows as `privbench.record.Row` says.
    """
    table = beside_theory(frame)
    found: list[Block] = []
    for secret, part in table.groupby("secret", sort=False):
        rows = records(part)
        lines = []
        for row in rows:
            apart = math.isnan(row["measured"]) or row["low"] <= row["exact"] <= row["high"]
            limits = f"[{number(100 * row['low'], places=1)}, {number(100 * row['high'], places=1)}]"
            measured = (
                Cell("not run", mark="muted")
                if math.isnan(row["measured"])
                else Cell(percent(row["measured"]), limits, "" if apart else "does not meet the exact figure")
            )
            lines.append(Line(row["defense"], (Cell(_PRIORS[row["prior"]]), Cell(percent(row["exact"])), measured)))
        drawn = [row for row in rows if not math.isnan(row["measured"])]
        found.append(
            {
                "secret": secret,
                "table": Table(
                    f"{secret}: share of people whose true value the likeliest value is, given their own report.",
                    ("Collection", "Before the report", "Exact", "Measured"),
                    (("", tuple(lines)),),
                ),
                "figure": _figure(str(secret), drawn, name=f"theory-{len(found)}") if drawn else None,
            }
        )
    return found


def _figure(secret: str, rows: list[dict[str, Any]], *, name: str) -> Figure:
    import plotly.graph_objects as go

    figure = go.Figure(layout=layout("exact, %"))
    figure.add_scatter(x=[0, 100], y=[0, 100], mode="lines", hoverinfo="skip",
                       line={"color": STRONG, "width": 1.5, "dash": "dash"})  # fmt: skip
    legend = []
    for place, prior in enumerate(dict.fromkeys(row["prior"] for row in rows)):
        mine = [row for row in rows if row["prior"] == prior]
        colour, shape = COLOURS[place], SYMBOLS[place]
        legend.append((_PRIORS[prior], colour, shape))
        figure.add_scatter(
            x=[100 * row["exact"] for row in mine],
            y=[100 * row["measured"] for row in mine],
            mode="markers",
            text=[
                f"<b>{plain(row['defense'])}</b><br>{_PRIORS[prior]}<br>exact {percent(row['exact'])}, "
                f"measured {percent(row['measured'])}"
                for row in mine
            ],
            hovertemplate="%{text}<extra></extra>",
            marker={"size": 9, "color": colour, "symbol": shape},
            error_y={"type": "data", "symmetric": False, "color": colour, "thickness": 2, "width": 0,
                     "array": [distance(row["high"], row["measured"]) for row in mine],
                     "arrayminus": [distance(row["measured"], row["low"]) for row in mine]},
        )  # fmt: skip
    figure.update_xaxes(range=[0, 103], zeroline=False)
    figure.update_yaxes(range=[0, 103], zeroline=False, title={"text": "measured, %", "standoff": 6})
    figure.update_layout(margin={"t": 10, "l": 56})
    caption = f"{secret}: a point a collection, whiskers are 95 % intervals. On the dashed line theory is met."
    alt = f"Measured accuracy against the exact one for {secret}; the table below has all figures."
    return Figure(name, caption, alt, 380, figure.to_plotly_json(), tuple(legend))
