"""A run's flat table made by hand, so that the report's tests know every figure in it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from privbench.record import Row, to_frame
from privbench.report.exposure import exposure

MANIFEST: dict[str, Any] = {
    "created": "2026-03-01T12:00:00+00:00",
    "config": "dataset: people  # <script>alert(1)</script>\n",
    "versions": {"numpy": "2.0", "privbench": "0.1.0", "python": "3.11"},
    "dataset": {"name": "people", "source": "made up", "records": 900, "test": 300, "sha256": "ab" * 32,
                "notes": ["'age': read as continuous"]},
    "claims": [{"defense": "noisy", "params": '{"epsilon": 1}', "epsilon": 1.0, "delta": 0.0,
                "adjacency": "replace-one", "assumes": ["bounds are public"]}],
    "seeds": [0, 1],
    "keys": [],
    "seconds": 3.0,
}  # fmt: skip


def row(**values: Any) -> Row:
    """Return a row about `copy` under `guess` in seed 0, but for what is given."""
    given = {"key": "k", "code_version": "0.1.0", "dataset": "people", "dataset_sha256": "ab", "secret": "ill",
             "known": '["age", "sex"]', "game": "holdout", "defense": "copy", "defense_params": "{}",
             "attack": "guess", "attack_params": "{}", "seed": 0}  # fmt: skip
    return Row(**{**given, **values})


def leak(value: float, *, half: float = 0.05, group: str | None = None, **values: Any) -> Row:
    """Return the row of an advantage with a symmetric interval."""
    return row(metric="accuracy_advantage", value=value, low=value - half, high=value + half, baseline=0.5, n=200,
               group=group, **values)  # fmt: skip


def stated(confidence: float, right: float, **values: Any) -> list[Row]:
    """Return what an attack says of how sure it is, in one bin, and how often it is right."""
    low = int(confidence * 10) * 10
    return [
        row(metric=f"reliability_{low}_{low + 10}", value=right, low=right - 0.05, high=right + 0.05,
            baseline=confidence, control=0.5, n=200, **values),
        row(metric="calibration_error", value=confidence - right, low=max(confidence - right - 0.05, 0.0),
            high=confidence - right + 0.05, control=0.1, n=200, **values),
        row(metric="brier", value=0.3, low=0.2, high=0.4, baseline=0.6, n=200, **values),
    ]  # fmt: skip


def cost(metric: str, value: float, *, group: str | None = None, **values: Any) -> Row:
    """Return the row of a downstream figure."""
    model = {"secret": None, "attack": None, "attack_params": None, "model": "lightgbm"}
    return row(metric=metric, value=value, low=value - 0.02, high=value + 0.02, baseline=0.8, n=300, group=group,
               **{**model, **values})  # fmt: skip


def whole_run(*, name: str = "copy", group: str = "sex=Female") -> pd.DataFrame:
    """Return two seeds of two releases, two attacks, a model, a skip and a failure; names may be hostile."""
    column, _, _ = group.partition("=")
    rows = []
    for seed in (0, 1):
        here = {"seed": seed, "key": f"k{seed}"}
        noisy = {**here, "defense": "noisy", "defense_params": json.dumps({"epsilon": 1}), "epsilon": 1.0}
        rows += [
            leak(0.40 + 0.02 * seed, defense=name, **here),
            leak(0.10, defense=name, attack="second", **here),
            leak(0.001 * (-1) ** seed, **noisy),
            leak(0.00, attack="second", **noisy),
            *stated(0.95, 0.6, defense=name, **here),
            *stated(0.55, 0.54, attack="second", defense=name, **here),
            *stated(0.45, 0.44, **noisy),
            leak(0.30, group=group, defense=name, **here),
            leak(0.50, group=f"{column}=Male", defense=name, **here),
            row(
                metric="accuracy_advantage_gap", group=column, value=0.2, low=0.0, high=0.3, n=200, defense=name, **here
            ),
        ]
        for defense in ({**here, "defense": name}, noisy):
            rows += [
                cost("downstream_accuracy", 0.75, **defense),
                cost("downstream_auc", 0.70, **defense),
                cost("prediction_entropy", 0.05 if defense is noisy else 0.7, **defense),
                cost("demographic_parity_difference", 0.10, group=column, **defense),
                cost("equalized_odds_difference", 0.12, group=column, **defense),
                cost("group_selection_rate", 0.3, group=group, **defense),
                cost("group_accuracy", 0.7, group=group, **defense),
                *(cost("cell_count", 10.0 * (1 + 2 * y + p), group=f"{group}, label={y}, prediction={p}", **defense)
                  for y in (0, 1) for p in (0, 1)),
                cost("tvd_2way", 0.2, model=None, **defense),
            ]  # fmt: skip
        rows.append(row(**{**noisy, "attack": "third"}, status="skipped", reason="it needs <reports> & has none"))
        rows.append(
            row(**{**here, "defense": name, "attack": "broken"}, status="failed", reason="ValueError: </script>")
        )
    return to_frame(rows)


def people_of(frame: pd.DataFrame, *, exposed: int = 30) -> pd.DataFrame:
    """Return 100 members and 100 controls a seed, of whom some members of the first release are fully exposed."""
    kept = frame[(frame["status"] == "ok") & frame["attack"].notna()].copy()
    kept["key"] = kept["key"] + kept["defense"] + kept["attack"]
    rng = np.random.default_rng(0)
    rows, targets = [], []
    for cell in kept.drop_duplicates("key").to_dict("records"):
        probability = rng.uniform(0.2, 0.6, 200)
        if cell["defense"] == kept["defense"].iloc[0]:
            probability[:exposed] = 0.99
        figures = {"right": (probability > 0.5) * 1.0, "right_baseline": 0.4, "probability": probability,
                   "probability_baseline": 0.4, "decoy": np.nan}  # fmt: skip
        who = {"round": f"round{cell['seed']}", "person": range(200), "member": np.arange(200) < 100}
        rows.append(pd.DataFrame({"key": cell["key"], **who, "secret": "ill", **figures}))
    for seed in (0, 1):
        who = {"round": f"round{seed}", "person": range(200), "record": pd.array([None] * 200, "Int64")}
        rare = {"rare_in": "age x sex", "rare_count": np.arange(200) + 1, "rare_of": 987}
        targets.append(pd.DataFrame({**who, **rare, "known.sex": "<b>of a real person</b>"}))
    if not rows:
        return exposure(frame, pd.DataFrame(columns=["key"]), targets[0])
    return exposure(kept, pd.concat(rows, ignore_index=True), pd.concat(targets, ignore_index=True))


def nothing_but_failures() -> pd.DataFrame:
    """Return a run in which nothing has a figure."""
    return to_frame([row(status="unavailable", reason="sdv is not installed; pip install 'privbench[generators]'")])
