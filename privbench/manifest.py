"""The manifest of a run: its config, data, versions, claims and cells, for the reader of its figures."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from privbench.cells import Trial
from privbench.dataset import Dataset
from privbench.experiment import Experiment
from privbench.store import Store

__all__ = ["manifest_of"]

_SHOWN_VERSIONS = (
    "privbench",
    "numpy",
    "pandas",
    "scipy",
    "scikit-learn",
    "lightgbm",
    "fairlearn",
    "sdv",
    "torch",
)


def manifest_of(
    experiment: Experiment, dataset: Dataset, trials: Sequence[Trial], store: Store, *, seconds: float | None
) -> dict[str, Any]:
    """Say what this run is: everything that a reader of its figures may ask.

    Parameters
    ----------
    experiment : Experiment
        The config.
    dataset : Dataset
        The data.
    trials : sequence of Trial
        What is run, or stands already.
    store : Store
        Where the claims of finished releases are.
    seconds : float or None
        How long it took; None while it lasts.
    """
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "config": experiment.text,
        "versions": {"python": platform.python_version(), **_versions()},
        "dataset": {
            "name": dataset.name,
            "source": dataset.source,
            "records": len(dataset.records),
            "test": len(dataset.test),
            "sha256": dataset.sha256,
            "notes": list(dataset.notes),
        },
        "claims": _claims(trials, store),
        "seeds": list(experiment.seed_list()),
        "keys": [cell.key for trial in trials for cell in trial.cells],
        "seconds": seconds,
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in _SHOWN_VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _claims(trials: Sequence[Trial], store: Store) -> list[dict[str, Any]]:
    """Collect what the defenses of these trials guarantee, each once."""
    found: dict[str, dict[str, Any]] = {}
    for trial in trials:
        path = store.release(trial.key).with_suffix(".json")
        if path.exists():
            note = json.loads(path.read_text(encoding="utf-8"))
            if note["claim"]:
                found.setdefault(
                    trial.defense.identity, {**note["claim"], **{k: note[k] for k in ("defense", "params")}}
                )
    return list(found.values())
