"""The reliability plot: how often an attack is right about the people of whom it says how sure it is.

References
----------
A. Niculescu-Mizil and R. Caruana, "Predicting Good Probabilities with Supervised Learning", ICML 2005 (the plot).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from privbench.report.figures import COLOURS, FAINT, STRONG, SYMBOLS, Figure, distance, layout, plain
from privbench.report.words import percent

__all__ = ["Bin", "reliability"]


@dataclass(frozen=True, slots=True)
class Bin:
    """People of whom an attack is about as sure: what it says on average, and the share right with limits."""

    stated: float
    value: float
    low: float
    high: float
    n: int


def reliability(
    releases: Mapping[str, Mapping[str, Sequence[Bin]]], *, name: str, caption: str, alt: str, axis: str
) -> Figure:
    """Draw the share right against the confidence stated, one line an attack, for the release that is chosen.

    Parameters
    ----------
    releases : mapping of str to mapping of str to sequence of Bin
        For each release, the one to be seen first at the front, each attack's bins in order.
    name, caption, alt : str
        Identifier, caption and a text in place of the picture.
    axis : str
        Title of the horizontal axis.
    """
    import plotly.graph_objects as go

    attacks = list(dict.fromkeys(attack for lines in releases.values() for attack in lines))
    figure = go.Figure(layout=layout(axis))
    choices: list[tuple[str, tuple[int, ...]]] = []
    places = 0
    for release, lines in releases.items():
        for attack, bins in lines.items():
            place = attacks.index(attack)
            colour = COLOURS[place % len(COLOURS)]
            figure.add_scatter(
                x=[100 * one.stated for one in bins], y=[100 * one.value for one in bins], name=plain(attack),
                mode="lines+markers", visible=not choices, hovertemplate="%{text}<extra></extra>",
                text=[_hover(release, attack, one) for one in bins], line={"color": colour, "width": 1.5},
                marker={"size": 9, "color": colour, "symbol": SYMBOLS[place % len(SYMBOLS)]},
                error_y=_bars(bins, colour),
            )  # fmt: skip
        choices.append((release, tuple(range(places, places + len(lines)))))
        places += len(lines)
    figure.add_shape(type="line", x0=0, x1=100, y0=0, y1=100, line={"color": STRONG, "width": 1.5, "dash": "dash"})
    ends = {"range": [-3, 103], "dtick": 20, "zeroline": False, "gridcolor": FAINT}
    figure.update_xaxes(**ends)
    figure.update_yaxes(**ends, title={"text": "right, %", "standoff": 6})
    for x, y, anchor, text in (
        (2, 99, "left", "right more often than it says"),
        (99, 2, "right", "too sure of itself"),
    ):
        figure.add_annotation(x=x, y=y, xanchor=anchor, yanchor="top" if x < y else "bottom", showarrow=False,
                              text=text, font={"size": 11})  # fmt: skip
    figure.update_layout(margin={"t": 6, "l": 50})
    legend = tuple((one, COLOURS[i % len(COLOURS)], SYMBOLS[i % len(SYMBOLS)]) for i, one in enumerate(attacks))
    return Figure(name, caption, alt, 400, figure.to_plotly_json(), legend, tuple(choices))


def _bars(bins: Sequence[Bin], colour: str) -> dict[str, Any]:
    return {
        "type": "data", "symmetric": False, "thickness": 1.5, "width": 0, "color": colour,
        "array": [distance(one.high, one.value) for one in bins],
        "arrayminus": [distance(one.value, one.low) for one in bins],
    }  # fmt: skip


def _hover(release: str, attack: str, one: Bin) -> str:
    return (
        f"<b>{plain(release)}</b><br>{plain(attack)}<br>says {percent(one.stated)}<br>right {percent(one.value)} "
        f"[{percent(one.low)}, {percent(one.high)}]<br>{one.n:,} people"
    )
