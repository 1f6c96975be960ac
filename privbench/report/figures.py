"""The report's figures as plotly specifications, plain lists and numbers that become JSON in the page.

Every text is escaped, since plotly reads tags in labels. Colours of text and lines are left to the page, which knows
whether it is light or dark. The same numbers stand in a table beside every figure.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from privbench.report.words import interval, number, percent, points

__all__ = [
    "COLOURS", "FAINT", "STRONG", "SYMBOLS", "Figure", "Point", "Spot", "distance", "layout", "plain", "trade_off",
    "whiskers",
]  # fmt: skip

# after Okabe and Ito, shifted to be seen on white and on black; symbols tell the series apart without colour
COLOURS = ("#2a7fc9", "#d9661f", "#0f9d76", "#b9619c", "#b98600", "#4aa3d8", "#8a8f98", "#7a5cc4")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star", "triangle-down", "pentagon")
FAINT, STRONG = "rgba(128,128,128,.25)", "rgba(128,128,128,.95)"
_ROW, _HEAD = 15, 30
# markers that can be labelled without their labels lying over one another
_NAMED = 9


@dataclass(frozen=True, slots=True)
class Point:
    """One dot with whiskers: a series of a block, its figure and the limits."""

    series: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Spot:
    """One release in the trade-off: leakage and accuracy with limits, and the parity difference as colour."""

    label: str
    leakage: Point
    accuracy: Point
    parity: float


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the page: what plotly draws, and what surrounds it; of several `choices` it shows the first.

    Parameters
    ----------
    name, caption, alt, height, spec
        Identifier, caption, a text in place of the picture, pixels, and the specification.
    legend : tuple of (str, str, str)
        Name, colour and symbol of each series.
    choices : tuple of (str, tuple of int)
        What a reader may choose to see: its name, and which of the figure's traces show it.
    """

    name: str
    caption: str
    alt: str
    height: int
    spec: dict[str, Any]
    legend: tuple[tuple[str, str, str], ...] = ()
    choices: tuple[tuple[str, tuple[int, ...]], ...] = ()


def whiskers(
    blocks: Sequence[tuple[str, Sequence[Point]]],
    *,
    name: str,
    caption: str,
    alt: str,
    axis: str,
    signed: bool = True,
) -> Figure:
    """Draw dots with whiskers in blocks; a block's name stands above its dots, so a narrow screen has the full width.

    Parameters
    ----------
    blocks : sequence of (str, sequence of Point)
        A release and its points; values are shares, drawn in percent or points.
    name, caption, alt : str
        Identifier, caption and a text in place of the picture.
    axis : str
        Title of the horizontal axis.
    signed : bool
        The values are differences: 0 is marked.
    """
    import plotly.graph_objects as go

    series = list(dict.fromkeys(point.series for _, points_ in blocks for point in points_))
    drawn: dict[str, dict[str, list[Any]]] = {
        one: {"x": [], "y": [], "up": [], "down": [], "text": []} for one in series
    }
    titles, lines, y = [], [], 0.0
    for label, points_ in blocks:
        lines.append(y)
        titles.append((y + 6, label))
        y += _HEAD
        for point in points_:
            into = drawn[point.series]
            into["x"].append(100 * point.value)
            into["y"].append(y)
            into["up"].append(distance(point.high, point.value))
            into["down"].append(distance(point.value, point.low))
            figure = points(point.value) if signed else percent(point.value)
            limits = interval(point.low, point.high) if signed else f"[{percent(point.low)}, {percent(point.high)}]"
            into["text"].append(f"<b>{plain(label)}</b><br>{plain(point.series)}<br>{figure} {limits}")
            y += _ROW
        y += 4
    figure = go.Figure(layout=layout(axis))
    for place, (one, data) in enumerate(drawn.items()):
        colour = COLOURS[place % len(COLOURS)]
        figure.add_scatter(
            x=data["x"], y=data["y"], name=plain(one), mode="markers", text=data["text"],
            hovertemplate="%{text}<extra></extra>",
            marker={"size": 9, "color": colour, "symbol": SYMBOLS[place % len(SYMBOLS)]},
            error_x={"type": "data", "symmetric": False, "array": data["up"], "arrayminus": data["down"],
                     "color": colour, "thickness": 2, "width": 0},
        )  # fmt: skip
    figure.update_yaxes(range=[y + 2, -2], visible=False)
    figure.update_xaxes(zeroline=signed, zerolinewidth=2)
    for height in lines[1:]:
        figure.add_shape(type="line", xref="paper", x0=0, x1=1, y0=height, y1=height,
                         line={"color": FAINT, "width": 1})  # fmt: skip
    for height, label in titles:
        figure.add_annotation(xref="paper", x=0, xanchor="left", y=height, yanchor="top", showarrow=False,
                              text=f"<b>{plain(label)}</b>", font={"size": 13})  # fmt: skip
    legend = tuple((one, COLOURS[i % len(COLOURS)], SYMBOLS[i % len(SYMBOLS)]) for i, one in enumerate(series))
    return Figure(name, caption, alt, int(y) + 64, figure.to_plotly_json(), legend)


def trade_off(spots: Sequence[Spot], *, real: float, name: str, caption: str, alt: str, parity: str) -> Figure:
    """Draw leakage against accuracy, one labelled marker a release, coloured by the parity difference.

    Parameters
    ----------
    spots : sequence of Spot
        At least one.
    real : float
        Accuracy of the same model trained on the real records; NaN if unknown.
    name, caption, alt : str
        Identifier, caption and a text in place of the picture.
    parity : str
        What the colour is.
    """
    import plotly.graph_objects as go

    height = 460
    known = [spot.parity for spot in spots if not math.isnan(spot.parity)]
    figure = go.Figure(layout=layout("accuracy of the trained model, %"))
    figure.add_scatter(
        x=[100 * spot.accuracy.value for spot in spots],
        y=[100 * spot.leakage.value for spot in spots],
        mode="markers",
        text=[_hover(spot) for spot in spots],
        hovertemplate="%{text}<extra></extra>",
        error_x=_bars([spot.accuracy for spot in spots]),
        error_y=_bars([spot.leakage for spot in spots]),
        marker={
            "size": [13 + 40 * min(0.0 if math.isnan(spot.parity) else spot.parity, 0.5) for spot in spots],
            "color": [None if math.isnan(spot.parity) else spot.parity for spot in spots],
            "colorscale": "Viridis", "cmin": 0, "cmax": max([0.1, *known]), "showscale": bool(known),
            "line": {"color": STRONG, "width": 1.5},
            "colorbar": {"title": {"text": plain(parity), "side": "top"}, "orientation": "h", "thickness": 10,
                         "len": 0.9, "y": 1.02, "yanchor": "bottom", "tickformat": ".2f", "nticks": 5,
                         "outlinewidth": 0},
        },
    )  # fmt: skip
    xs = [100 * x for spot in spots for x in (spot.accuracy.low, spot.accuracy.value, spot.accuracy.high)]
    xs = [x for x in (*xs, 100 * real) if not math.isnan(x)]
    ys = [100 * y for spot in spots for y in (spot.leakage.low, spot.leakage.value, spot.leakage.high)]
    ys = [y for y in (*ys, 0.0) if not math.isnan(y)]
    x_range, y_range = _padded(xs), _padded(ys)
    figure.update_xaxes(range=x_range, zeroline=False)
    figure.update_yaxes(range=y_range, zeroline=True, zerolinewidth=2, gridcolor=FAINT, zerolinecolor=STRONG,
                        title={"text": "advantage, points", "standoff": 6})  # fmt: skip
    if not math.isnan(real):
        figure.add_shape(type="line", x0=100 * real, x1=100 * real, yref="paper", y0=0, y1=1,
                         line={"color": STRONG, "width": 1.5, "dash": "dash"})  # fmt: skip
        figure.add_annotation(x=100 * real, yref="paper", y=1, yanchor="top", xanchor="right", showarrow=False,
                              text="trained on real data ", font={"size": 11})  # fmt: skip
    if len(spots) <= _NAMED:
        for annotation in _names(spots, x_range, y_range, height=height):
            figure.add_annotation(**annotation)
    else:
        caption += " Names show where a marker is pointed at."
    figure.update_layout(margin={"t": 64, "l": 56})
    return Figure(name, caption, alt, height, figure.to_plotly_json())


def _names(spots: Sequence[Spot], x_range: list[float], y_range: list[float], *, height: int) -> list[dict[str, Any]]:
    """Label the markers, on the side with more room, each label below the one before."""
    scale = (height - 64 - 52) / (y_range[1] - y_range[0])
    middle = sum(x_range) / 2
    found: list[dict[str, Any]] = []
    free = -math.inf
    for spot in sorted(spots, key=lambda spot: -spot.leakage.value):
        x, y = 100 * spot.accuracy.value, 100 * spot.leakage.value
        right = x > middle
        above = (y_range[1] - y) * scale
        wanted = max(above - 14, free)
        free = wanted + 17
        found.append({"x": x, "y": y, "ax": -22 if right else 22, "ay": wanted - above, "text": plain(spot.label),
                      "xanchor": "right" if right else "left", "arrowhead": 0, "arrowwidth": 1, "arrowcolor": STRONG,
                      "standoff": 8, "font": {"size": 12}})  # fmt: skip
    return found


def _bars(points_: Sequence[Point]) -> dict[str, Any]:
    return {
        "type": "data", "symmetric": False, "thickness": 1.5, "width": 0, "color": STRONG,
        "array": [distance(point.high, point.value) for point in points_],
        "arrayminus": [distance(point.value, point.low) for point in points_],
    }  # fmt: skip


def _hover(spot: Spot) -> str:
    leakage, accuracy = spot.leakage, spot.accuracy
    return (
        f"<b>{plain(spot.label)}</b><br>advantage {points(leakage.value)} {interval(leakage.low, leakage.high)}"
        f"<br>accuracy {percent(accuracy.value)}<br>parity difference {number(spot.parity)}"
    )


def distance(upper: float, lower: float) -> float:
    """Return the length of a whisker, in points; 0 where a limit is not known."""
    return 0.0 if math.isnan(upper) or math.isnan(lower) else max(100 * (upper - lower), 0.0)


def _padded(values: Sequence[float]) -> list[float]:
    low, high = min(values), max(values)
    room = 0.12 * (high - low) or 1.0
    return [low - room, high + room]


def plain(text: str) -> str:
    """Escape what plotly would read as a tag or an entity."""
    return html.escape(text, quote=False)


def layout(axis: str) -> dict[str, Any]:
    """Return what all figures have alike; `axis` is the title of the horizontal one."""
    return {
        "template": "none", "showlegend": False, "dragmode": False, "hovermode": "closest",
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 10, "r": 10, "t": 6, "b": 48},
        "font": {"family": "system-ui, sans-serif", "size": 12},
        "xaxis": {"title": {"text": axis, "standoff": 8}, "gridcolor": FAINT, "zerolinecolor": STRONG, "nticks": 8,
                  "fixedrange": True, "automargin": False},
        "yaxis": {"fixedrange": True},
    }  # fmt: skip
