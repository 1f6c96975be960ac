"""Who is exposed: for each person attacked the advantage over their baseline across attacks, and what luck would give.

A person's figure is the probability that an attack gives to the true value, less the person's baseline, averaged over
the attacks, and over the seeds in which the same record was attacked. Attacks that answer everybody alike are left out.

The limits are Clopper and Pearson's, each attack counted as one answer. The attacks of a seed see one release, so they
are no independent answers: m of them with mean correlation r of their figures over the people count as
m / (1 + (m - 1) r). The correlation contains that some people are exposed to all attacks, so the limits are rather too
wide. With few answers they are wide anyway: of one person there is one truth, and little can be known.

So a long list of high figures may be luck. Beside each figure stands how many people, or values, about whom nothing can
leak reach it too: controls, or decoys (`privbench.scorers.persons`); who stands out, `privbench.scorers.luck` says.

References
----------
C. Clopper and E. Pearson, "The Use of Confidence or Fiducial Limits", Biometrika 26, 1934.
L. Kish, "Survey Sampling", 1965 (the effective number of correlated answers).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from privbench.people import KNOWN
from privbench.report.strongest import BASELINES
from privbench.report.summary import labels
from privbench.scorers.intervals import clopper_pearson
from privbench.scorers.luck import FALSE, beside_luck

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FALSE", "FIGURES", "exposure"]

FIGURES = ("game", "secret", "defense", "member", "seed", "person", "record", "seeds", "attacks", "answers", "right",
           "right_baseline", "probability", "baseline", "advantage", "low", "high", "reached", "by_luck",
           "false_share", "stands_out", "rare_in", "rare_count", "rare_of")  # fmt: skip
"""Columns of `exposure` before the known ones."""

_WHERE = ["game", "secret", "defense"]
_MEANS = ["right", "right_baseline", "probability", "probability_baseline", "decoy"]


def exposure(frame: pd.DataFrame, figures: pd.DataFrame, targets: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each person attacked, release and secret, the most exposed first.

    Parameters
    ----------
    frame : DataFrame
        Rows as `privbench.record.Row` says.
    figures, targets : DataFrame
        As `privbench.store.Store.read_people` returns them.

    Returns
    -------
    DataFrame
        `game`, `secret`, `defense` (label), `member`; `seed` and `person` (the first seed in which the person was
        attacked, and the number there), `record` (place in the data set, where no other record has the same known
        values), `seeds`, `attacks` (answers of attacks on the person), `answers` (for how many independent ones they
        count); means over them: `right`, `probability`, and what is expected without leakage, `right_baseline` and
        `baseline`; `advantage` with `low` and `high`. For members, where there are controls or decoys: `reached`, how
        many members have at least this advantage, `by_luck`, how many would without any leakage, `false_share`, the
        smallest share of luck at which this person is selected, and whether the person `stands_out`. `rare_in`,
        `rare_count`, `rare_of` as in `privbench.people`, and the known columns under ``known.``. No other column of
        the data is in it.
    """
    import pandas as pd

    known = [name for name in targets.columns if name.startswith(KNOWN)]
    # labels as in the rest of a report, which depend on all that has figures
    cells = labels(frame[frame["metric"].notna() & (frame["status"] == "ok")].drop_duplicates("key"))
    cells = cells[cells["attack"].notna() & ~cells["attack"].str.split(" ").str[0].isin(BASELINES)]
    rows = figures.merge(cells[["key", "game", "defense", "attack", "seed"]], on="key")
    if rows.empty:
        return pd.DataFrame(columns=[*FIGURES, *known])
    rows[_MEANS] = rows[_MEANS].astype("float64")
    order = {name: place for place, name in enumerate(cells["game"].unique())}
    found = [_people(part, targets) for _, part in rows.groupby(_WHERE, sort=False)]
    table = pd.concat(found, ignore_index=True).assign(_game=lambda t: t["game"].map(order))
    table = table.sort_values(
        ["_game", "secret", "defense", "member", "advantage", "rare_count", "seed", "person"],
        ascending=[True, True, True, False, False, True, True, True],
        kind="stable",
    )
    return table[[*FIGURES, *known]].reset_index(drop=True)


def _people(rows: pd.DataFrame, targets: pd.DataFrame) -> pd.DataFrame:
    """Return the people attacked on one release of one game, for one secret."""
    rows = rows.assign(gain=rows["probability"] - rows["probability_baseline"])
    alike = _correlation(rows)
    in_seed = ["seed", "round", "person", "member"]
    by_seed = rows.groupby(in_seed, sort=False, as_index=False).agg(
        attacks=("gain", "size"), **{name: (name, "mean") for name in _MEANS}
    )
    by_seed["answers"] = by_seed["attacks"] / (1 + (by_seed["attacks"] - 1) * alike)
    by_seed = by_seed.merge(targets, on=["round", "person"], how="left")
    # a record that another one cannot be told from is a new person in every seed
    alone = by_seed["record"].isna()
    by_seed["unit"] = np.where(alone, -1 - np.arange(len(by_seed)), by_seed["record"].fillna(0).astype("int64"))
    same = [name for name in targets.columns if name not in ("round", "person")]
    table = by_seed.groupby(["unit", "member"], sort=False, as_index=False).agg(
        seed=("seed", "first"),
        person=("person", "first"),
        seeds=("seed", "nunique"),
        attacks=("attacks", "sum"),
        answers=("answers", "sum"),
        **{name: (name, "mean") for name in _MEANS},
        **{name: (name, "first") for name in same},
    )
    table = table.rename(columns={"probability_baseline": "baseline"}).assign(**rows[_WHERE].iloc[0])
    table["advantage"] = table["probability"] - table["baseline"]
    answers = table["answers"].to_numpy()
    low, high = clopper_pearson(np.clip(table["probability"].to_numpy(), 0, 1) * answers, n=answers)
    table["low"], table["high"] = low - table["baseline"], high - table["baseline"]
    return _beside_luck(table)


def _correlation(rows: pd.DataFrame) -> float:
    """Return the mean correlation over people of two attacks' gains, in [0, 1]; 1 where it cannot be known."""
    gains = rows.pivot_table(index=["round", "person"], columns="attack", values="gain", observed=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        pairs = gains.corr(min_periods=3).to_numpy()[np.triu_indices(gains.shape[1], 1)]
    known = pairs[np.isfinite(pairs)]
    return float(np.clip(known.mean(), 0, 1)) if len(known) else 1.0


def _beside_luck(table: pd.DataFrame) -> pd.DataFrame:
    """Add for every member how many reach the same advantage, of the members and of those about whom nothing leaks."""
    member = table["member"].to_numpy(dtype=bool)
    table = table.assign(reached=np.nan, by_luck=np.nan, false_share=np.nan, stands_out=False)
    gains = np.round(table["advantage"].to_numpy(), 6)
    nothing = gains[~member] if (~member).any() else np.round((table["decoy"] - table["baseline"]).to_numpy(), 6)
    nothing = nothing[np.isfinite(nothing)]
    own = gains[member]
    if not len(nothing) or not len(own):
        return table
    reached, as_high, false = beside_luck(own, nothing)
    columns: dict[str, Any] = {
        "reached": reached, "by_luck": as_high * len(own) / len(nothing), "false_share": false,
        "stands_out": (false <= FALSE) & (own > 0),
    }  # fmt: skip
    for name, values in columns.items():
        table.loc[member, name] = values
    return table
