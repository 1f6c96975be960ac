"""How long a trial takes beyond its plugins' own time: playing, caching, scoring, recording.

Many trials run in one process; the seconds that the plugins report are taken off. Skipped cells count: a skip is
recorded too. The first trial, which imports libraries, is left out. Two shapes are measured unless one is given:
one cheap attack in the randomised game, and the holdout game of the default config with all its attacks.
"""

from __future__ import annotations

import argparse
import pickle
import tempfile
import time
from pathlib import Path

import numpy as np
import yaml

from privbench import trial as trials_of
from privbench.cells import Trial
from privbench.experiment import Experiment, default_text
from privbench.store import Store


def main() -> None:
    """Measure and print."""
    default = yaml.safe_load(default_text())
    targets = {game["name"]: game["targets"] for game in default["games"]}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--records", type=int, default=default["records"])
    parser.add_argument("--game", help="measure one shape only: this game")
    parser.add_argument("--targets", type=int, help="default: those of the default config, or 500")
    parser.add_argument("--attacks", nargs="+", help="default: majority")
    given = parser.parse_args()

    shapes = [("randomised", ["majority"]), ("holdout", default["attacks"])]
    if given.game or given.attacks:
        shapes = [(given.game or "randomised", given.attacks or ["majority"])]
    for game, attacks in shapes:
        people = given.targets or targets.get(game, 500)
        settings = {name: default[name] for name in ("dataset", "secrets", "known")}
        experiment = Experiment.read(
            {
                **settings,
                "records": given.records,
                "games": [{"name": game, "targets": people}],
                "defenses": ["identity"],
                "attacks": attacks,
                "downstream": {"models": []},
                "seeds": given.trials + 1,
            }
        )
        cells, overheads = _measure(experiment)
        print(
            f"{game}, {people} targets, {given.records} records, {', '.join(attacks)}: {len(overheads)} trials of "
            f"{cells} recorded cells"
        )
        for what, times in (("trial", overheads), ("cell", overheads / cells)):
            print(
                f"  overhead a {what}, ms: median {np.median(times):.1f}, 90 % below {np.quantile(times, 0.9):.1f}, "
                f"largest {times.max():.1f}"
            )


def _measure(experiment: Experiment) -> tuple[int, np.ndarray]:
    """Return the number of cells a trial and every trial's overhead in milliseconds, the first left out."""
    overheads = []
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        for trial in experiment.trials(experiment.load_dataset()):
            started = time.perf_counter()
            statuses = trials_of.run_trial(trial, experiment, store)
            total = time.perf_counter() - started
            if bad := set(statuses) - {"ok", "skipped"}:
                raise SystemExit(f"a cell ended as {', '.join(sorted(bad))}: its overhead says nothing")
            overheads.append(1000 * (total - _plugin_seconds(trial, store)))
    return len(trial.cells), np.array(overheads[1:])


def _plugin_seconds(trial: Trial, store: Store) -> float:
    """Return the seconds of the trial's plugins: those of the attacks, and those of the release once."""
    seconds = store.read([cell.key for cell in trial.cells]).groupby("key")["seconds"].first()
    marginals = [cell.key for cell in trial.cells if cell.attack is None and cell.model is None]
    _, release = pickle.loads(store.release(trial.key).read_bytes())
    return float(seconds.drop(marginals, errors="ignore").fillna(0).sum()) + float(release)


if __name__ == "__main__":
    main()
