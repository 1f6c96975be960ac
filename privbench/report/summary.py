"""The figures of a run, summed up: means over seeds, the leaderboard, what protection costs, what has no figure.

Every function takes the flat table of `privbench.record` and returns a table; nothing is printed, nothing is random.

References
----------
Student, "The Probable Error of a Mean", Biometrika 6, 1908 (the interval over seeds).
V. Vovk and R. Wang, "Combining p-values via averaging", Biometrika 107, 2020.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from privbench.errors import InputError
from privbench.scorers.intervals import t_interval
from privbench.scorers.metrics import metric

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["COSTS", "HEADLINES", "costs", "labels", "leaderboard", "limits_over_seeds", "over_seeds", "problems"]

HEADLINES = ("accuracy_advantage", "within_tolerance_advantage")
"""The metrics of the leaderboard: for a categorical, and for a continuous secret."""
COSTS = (
    "downstream_accuracy",
    "downstream_auc",
    "demographic_parity_difference",
    "equalized_odds_difference",
    "prediction_entropy",
    "tvd_2way",
)
"""What a protection costs, as `costs` lists it."""

_KEYS = ["game", "secret", "defense", "attack", "model", "metric", "group"]
_NUMBERS = ["value", "low", "high", "n", "baseline", "control", "advantage"]
_WHERE = ["game", "secret", "defense"]
# metrics that lie to one side of their true value by chance alone
_MAXIMA = ("_gap", "_difference", "_difference_reported", "_difference_corrected", "_ratio", "calibration_error")


def labels(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with short labels in `defense` and `attack`: the name, and what tells it from its namesakes.

    Where several variants of a plugin ran, the parameters in which they differ are shown, else all that were given.

    Parameters
    ----------
    frame : DataFrame
        Rows as `privbench.record.Row` says.

    Returns
    -------
    DataFrame
        The same rows and columns; a missing attack stays missing.
    """
    named = frame.copy()
    for column in ("defense", "attack"):
        params = f"{column}_params"
        pairs = frame[[column, params]].drop_duplicates().dropna(subset=[column])
        given: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        for name, text in pairs.itertuples(index=False):
            raw = text if isinstance(text, str) else "{}"
            given.setdefault(name, []).append((raw, _parse(raw)))
        short = {
            (name, raw): _label(name, values, [other for _, other in variants])
            for name, variants in given.items()
            for raw, values in variants
        }
        texts = zip(frame[column].fillna(""), frame[params].fillna("{}"), strict=True)
        named[column] = frame[column].astype("string").where(frame[column].isna(), [short.get(t, "") for t in texts])
    return named


def _parse(text: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except json.JSONDecodeError:
        return {"parameters": text}
    return values if isinstance(values, dict) else {"parameters": values}


def _label(name: str, values: dict[str, Any], variants: list[dict[str, Any]]) -> str:
    def differs(key: str) -> bool:
        return any(key not in other or other[key] != values[key] for other in variants)

    shown = {key: value for key, value in values.items() if len(variants) == 1 or differs(key)}
    texts = (value if isinstance(value, str) else json.dumps(value) for value in shown.values())
    return " ".join([name, *(f"{key}={text}" for key, text in zip(shown, texts, strict=True))])


def over_seeds(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row a figure: its mean over the seeds, with an interval.

    With one seed the interval is that run's own. With several it reaches over two: Student's t over the seeds' figures,
    and what the runs' own intervals say together. Two or three seeds may agree by accident, and t alone would then call
    a hair's breadth a finding; where all agree exactly it has no width at all. The runs' own intervals are pooled, as
    every seed draws its targets afresh (half-widths add in quadrature: the figure is about the people of this data
    set). In two cases they do not shrink with the number of seeds. A downstream model is judged on the same test
    records in every seed: the runs' mean half-width, for the records, and t's, for the training, add in quadrature. A
    maximum over pairs of groups (gaps, differences, the ratio) lies above 0, or below 1, by chance alone in every seed:
    the interval reaches over t and the mean of the runs' own limits; so does that of the calibration error, whose own
    limits allow for what noise adds or hides in every run. Limits are cut to the metric's range. A p-value
    has no interval; over several seeds it is twice the mean, at most 1.

    Parameters
    ----------
    frame : DataFrame
        Rows as `privbench.record.Row` says; those without a figure are left out.

    Returns
    -------
    DataFrame
        `game`, `secret`, `defense`, `attack` (labels), `model`, `metric`, `group`, `value`, `low`, `high`, `n` (people
        a seed), `seeds`, and the means `baseline`, `control`, `advantage`, in the order in which the figures appear.
    """
    rows = labels(frame[(frame["status"] == "ok") & frame["metric"].notna()])
    numbers = rows[[*_KEYS, "seed", *_NUMBERS]].astype(dict.fromkeys(_NUMBERS, "float64"))
    by_seed = numbers.groupby([*_KEYS, "seed"], sort=False, dropna=False, as_index=False).mean()
    grouped = by_seed.groupby(_KEYS, sort=False, dropna=False)
    table = grouped[_NUMBERS].mean().reset_index()
    place = grouped.ngroup().to_numpy()
    table["seeds"] = np.bincount(place, minlength=len(table))
    order = np.argsort(place, kind="stable")
    by_figure = np.split(by_seed[["value", "low", "high"]].to_numpy()[order], np.cumsum(table["seeds"])[:-1])
    shared = table["model"].notna()
    # twice the mean of p-values is a p-value, however the runs depend on one another
    several = table["metric"].str.endswith("_p_value") & (table["seeds"] > 1)
    table.loc[several, "value"] = np.minimum(1.0, 2 * table.loc[several, "value"])
    limits = [
        limits_over_seeds(name, seeds, shared=same)
        for name, seeds, same in zip(table["metric"], by_figure, shared, strict=False)
    ]
    table["low"], table["high"] = (np.array([pair[side] for pair in limits], float) for side in (0, 1))
    table["n"] = table["n"].round().astype("Int64")
    shown = [*_KEYS, "value", "low", "high", "n", "seeds", "baseline", "control", "advantage"]
    return table[shown].astype({**dict.fromkeys(_KEYS, "string"), "seeds": "int64"})


def limits_over_seeds(name: str, figures: NDArray[np.float64], *, shared: bool = False) -> tuple[float, float]:
    """Return the limits of a metric's mean over seeds, as `over_seeds` says.

    Parameters
    ----------
    name : str
        The metric.
    figures : ndarray, shape (S, 3)
        Its value and the run's own limits in every seed.
    shared : bool
        Every seed judged the same records.
    """
    value, low, high = figures.mean(axis=0)
    if name.endswith("_p_value"):
        return np.nan, np.nan
    over = t_interval(figures[:, 0])
    if over is not None and name.endswith(_MAXIMA):
        low, high = np.fmin(low, over[0]), np.fmax(high, over[1])
    elif over is not None and shared:
        half = over[1] - value
        low, high = value - np.hypot(value - low, half), value + np.hypot(high - value, half)
    elif over is not None:
        below, above = np.sqrt(np.square(figures[:, 1:] - figures[:, :1]).sum(axis=0)) / len(figures)
        low, high = np.fmin(value - below, over[0]), np.fmax(value + above, over[1])
    try:
        known = metric(name)
    except InputError:  # of a later version: its range is not known here
        return float(low), float(high)
    return float(np.maximum(low, known.low)), float(np.minimum(high, known.high))


def leaderboard(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the headline: the advantage of every attack on every defense, the most leaking first.

    Parameters
    ----------
    frame : DataFrame
        Rows as `privbench.record.Row` says.

    Returns
    -------
    DataFrame
        `game`, `secret`, `defense`, `attack`, `advantage`, `low`, `high`, `score` (of the attack), `baseline`, `n`,
        `seeds`, `metric`. Games and secrets keep their order; in each, defenses are ordered by their most successful
        attack, and attacks by their advantage. The first row of a defense is a maximum over its attacks and therefore
        biased up: `privbench.report.strongest` has the figure to quote.
    """
    table = over_seeds(frame)
    table = table[table["metric"].isin(HEADLINES) & table["group"].isna()].rename(columns={"value": "_value"})
    table["advantage"] = table["_value"]
    table["score"] = table["advantage"] + table["baseline"]
    for column in ("game", "secret"):
        table[f"_{column}"] = table[column].map({name: i for i, name in enumerate(table[column].unique())})
    top = table.groupby(_WHERE, sort=False, dropna=False)["advantage"].transform("max")
    table = table.assign(_top=top).sort_values(
        ["_game", "_secret", "_top", "defense", "advantage"], ascending=[True, True, False, True, False], kind="stable"
    )
    shown = [*_WHERE, "attack", "advantage", "low", "high", "score", "baseline", "n", "seeds", "metric"]
    return table[shown].reset_index(drop=True)


def costs(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what each protection costs: one row a defense and downstream model.

    Where several games leave the records as they are, a defense's figures are those of `holdout`, or else of the first
    game that has some: the same model trained on two draws of one release is no second opinion.

    Parameters
    ----------
    frame : DataFrame
        Rows as `privbench.record.Row` says.

    Returns
    -------
    DataFrame
        `defense`, `model`, `game`, `group` (the first protected column), `seeds`, and for each metric ``m`` of `COSTS`
        ``m``, ``m_low``, ``m_high``, ``m_baseline`` (the same for the model trained on real data), NaN where there is
        none. A defense of which only the marginals are known has a row without a model.
    """
    import pandas as pd

    table = over_seeds(frame)
    groups = table.loc[table["metric"] == "demographic_parity_difference", "group"]
    group = None if groups.empty else groups.iloc[0]
    table = table[table["metric"].isin(COSTS) & (table["group"].isna() | (table["group"] == group))]
    found = []
    for defense, everything in table.groupby("defense", sort=False):
        games = list(everything["game"].unique())
        game = next((name for name in games if name.split(" ")[0] == "holdout"), games[0])
        part = everything[everything["game"] == game]
        for model in part["model"].dropna().unique() if part["model"].notna().any() else [None]:
            rows = part[part["model"].isna() if model is None else part["model"].isna() | (part["model"] == model)]
            row: dict[str, Any] = {"defense": defense, "model": model, "game": game, "group": group,
                                   "seeds": int(rows["seeds"].max())}  # fmt: skip
            for name in COSTS:
                for field, suffix in (("value", ""), ("low", "_low"), ("high", "_high"), ("baseline", "_baseline")):
                    values = rows.loc[rows["metric"] == name, field]
                    row[name + suffix] = float(values.iloc[0]) if len(values) else float("nan")
            found.append(row)
    numbers = [name + suffix for name in COSTS for suffix in ("", "_low", "_high", "_baseline")]
    return pd.DataFrame(found, columns=["defense", "model", "game", "group", "seeds", *numbers])


def problems(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what has no figure, and why: one row for each thing that was not measured.

    Parameters
    ----------
    frame : DataFrame
        Rows as `privbench.record.Row` says.

    Returns
    -------
    DataFrame
        `status`, `game`, `defense`, `attack`, `model`, `what` (the attack, the downstream model or the marginals),
        `reason`, `count` (cells, that is seeds); failures before skips.
    """
    rows = labels(frame[frame["status"] != "ok"])
    rows["reason"] = rows["reason"].fillna("no reason was recorded")
    rows["what"] = rows["attack"].fillna(rows["model"].map(lambda model: f"model {model}", na_action="ignore"))
    rows["what"] = rows["what"].astype("string").fillna("marginals")
    keys = ["status", "game", "defense", "attack", "model", "what", "reason"]
    table = rows.groupby(keys, sort=False, dropna=False).size().reset_index(name="count")
    order = {"failed": 0, "timeout": 1, "unavailable": 2, "skipped": 3}
    return table.sort_values("status", key=lambda column: column.map(order), kind="stable").reset_index(drop=True)
