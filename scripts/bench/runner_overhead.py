"""How long a trial takes beyond its plugins' own time: playing, caching, scoring, recording.

Many trials with the cheapest plugins run in one process; the seconds that the plugins report are taken off. The first
trial, which imports libraries, is left out.
"""

from __future__ import annotations

import argparse
import pickle
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from privbench import trial as trials_of
from privbench.experiment import Experiment
from privbench.store import Store


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--targets", type=int, default=500)
    parser.add_argument("--attacks", nargs="+", default=["majority"])
    parser.add_argument("--game", default="randomised")
    given = parser.parse_args()

    experiment = Experiment.read(
        {
            "secrets": ["marital-status"],
            "known": ["age", "sex", "race", "education", "native-country"],
            "records": given.records,
            "games": [{"name": given.game, "targets": given.targets}],
            "defenses": ["identity"],
            "attacks": given.attacks,
            "downstream": {"models": []},
            "seeds": given.trials + 1,
        }
    )
    dataset = experiment.load_dataset()
    with tempfile.TemporaryDirectory() as folder:
        store, overheads = Store(Path(folder)), []
        for trial in experiment.trials(dataset):
            started = time.perf_counter()
            statuses = trials_of.run_trial(trial, experiment, store)
            total = time.perf_counter() - started
            frame = store.read([cell.key for cell in trial.cells])
            assert statuses == Counter(ok=len(trial.cells))
            plugins = frame.groupby("key")["seconds"].first().sum() + _release_seconds(store, trial.key)
            overheads.append(1000 * (total - plugins))
    counted = np.array(overheads[1:])
    print(
        f"{len(counted)} trials of {len(given.attacks)} attack(s), {given.records} records, {given.targets} targets: "
        f"overhead a trial, ms: median {np.median(counted):.1f}, 90 % below {np.quantile(counted, 0.9):.1f}, "
        f"largest {counted.max():.1f}"
    )


def _release_seconds(store: Store, key: str) -> float:
    _, seconds = pickle.loads(store.release(key).read_bytes())
    return float(seconds)


if __name__ == "__main__":
    main()
