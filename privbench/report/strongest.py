"""How much a defense leaks to the strongest of several attacks, without the bias of having picked the strongest.

References
----------
J. Cawley and N. Talbot, "On Over-fitting in Model Selection and Subsequent Selection Bias in Performance Evaluation",
JMLR 11, 2010 (the best of several is chosen on one part of the data and scored on another).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from privbench.report.summary import HEADLINES, labels, leaderboard, limits_over_seeds
from privbench.scorers.intervals import LEVEL, z_value

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BASELINES", "BY_SCORE", "TELLING", "strongest"]

BASELINES = ("majority", "prior")
"""Attacks that answer everybody alike, by name: what anyone could say. They test nothing, and are no finding."""

TELLING = 0.1
"""An advantage so large must be ruled out before a run may say that it found no leakage."""

BY_SCORE = ("report",)
"""Games in which every attack counts from a baseline of its own, so that the one that is right most often is strongest:
one that knows less beforehand gains more from a report, and still ends up with less."""

_WHERE = ["game", "secret", "defense"]


def strongest(frame: pd.DataFrame) -> pd.DataFrame:
    """Return how much each defense leaks to the strongest of the attacks, without the bias of having chosen it.

    What anyone could say is no attack: a defense on which only `BASELINES` have a figure has no row.

    The strongest attack is the one with the largest advantage; in the game `report`, where an attack is compared with
    itself without the report, the one that is right most often, whatever it took for granted beforehand.

    A maximum over m noisy figures is biased up. With several seeds the attack is therefore chosen, for each seed, by
    its mean over the other seeds, and scored on this one. With one seed that cannot be done: the maximum is given with
    limits widened to the level 1 - .05/m (Bonferroni), and `corrected` is False.

    Parameters
    ----------
    frame : DataFrame
        Rows as `privbench.record.Row` says.

    Returns
    -------
    DataFrame
        `game`, `secret`, `defense`, `attack` (that with the highest mean), `attacks` (m), `advantage`, `low`, `high`,
        `n`, `seeds`, `corrected`, `maximum` (the uncorrected one), `baseline` (of `attack`), `ceiling` (the highest
        upper limit of any attack: what this run cannot rule out), and `verdict`: ``leaks`` where `low` exceeds 0;
        ``unclear`` where it does not but some attack's own lower limit does, where `ceiling` exceeds `TELLING`, or
        where no interval is known; else ``none``. The order is the leaderboard's.
    """
    import pandas as pd

    board = leaderboard(frame)
    board = board[~board["attack"].str.split(" ").str[0].isin(BASELINES)]
    rows = labels(frame[frame["metric"].isin(HEADLINES) & frame["group"].isna() & (frame["status"] == "ok")])
    found = []
    for key, part in board.groupby(_WHERE, sort=False, dropna=False):
        by_score = str(key[0]).split(" ")[0] in BY_SCORE
        part = part.sort_values("score" if by_score else "advantage", ascending=False, kind="stable")
        first = part.iloc[0]
        mine = rows[(rows["game"] == key[0]) & (rows["secret"] == key[1]) & (rows["defense"] == key[2])]
        chosen = _cross_chosen(mine, attacks=list(part["attack"]), by_score=by_score)
        m = len(part)
        # attacks whose advantages can be ranked with that of the strongest
        rivals = part.iloc[:1] if by_score else part
        if m == 1:
            value, low, high, corrected = first["advantage"], first["low"], first["high"], True
        elif chosen is not None:
            low, high = limits_over_seeds(first["metric"], chosen[["value", "low", "high"]].to_numpy())
            value, corrected = chosen["value"].mean(), True
        else:
            wider = z_value(1 - (1 - LEVEL) / m) / z_value(LEVEL)
            lows = rivals["advantage"] - wider * (rivals["advantage"] - rivals["low"])
            highs = rivals["advantage"] + wider * (rivals["high"] - rivals["advantage"])
            value, corrected = first["advantage"], False
            low, high = max(float(lows.max()), -1.0), min(float(highs.max()), 1.0)
        ceiling = float(np.fmax(rivals["high"].max(), high))
        unclear = bool(np.isnan(low)) or bool((rivals["low"] > 0).any()) or ceiling > TELLING
        verdict = "leaks" if low > 0 else "unclear" if unclear else "none"
        found.append({**dict(zip(_WHERE, key, strict=True)), "attack": first["attack"], "attacks": m,
                      "advantage": value, "low": low, "high": high, "n": first["n"], "seeds": first["seeds"],
                      "corrected": corrected, "maximum": first["advantage"], "baseline": first["baseline"],
                      "ceiling": ceiling, "verdict": verdict})  # fmt: skip
    columns = [*_WHERE, "attack", "attacks", "advantage", "low", "high", "n", "seeds", "corrected", "maximum",
               "baseline", "ceiling", "verdict"]  # fmt: skip
    return pd.DataFrame(found, columns=columns)


def _cross_chosen(rows: pd.DataFrame, *, attacks: list[str], by_score: bool) -> pd.DataFrame | None:
    """Return for each seed the row of the attack that is best on the other seeds; None where none can be chosen."""
    import pandas as pd

    by_seed = rows.groupby(["attack", "seed"])[["value", "low", "high", "baseline"]].mean()
    ranked = by_seed["value"] + (by_seed["baseline"].fillna(0) if by_score else 0)
    table = ranked.unstack("attack")[attacks]
    picked = []
    for seed in table.index:
        elsewhere = table.drop(index=seed).mean().where(table.loc[seed].notna()).dropna()
        if len(elsewhere):
            picked.append(by_seed.loc[(elsewhere.idxmax(), seed)])
    return pd.DataFrame(picked) if picked else None
