"""Seconds, peak memory and quality of generators side by side, each in a process of its own with one thread.

Every generator gets the same coded records of Adult (all columns but fnlwgt, at most 32 values each) and the same
seeds. 'process' is the whole command: start, import, read, fit, draw, write; 'work' is fitting and drawing alone.
Peers are installed by this script into environments of their own, below --peers, which takes minutes the first time.

Example: python scripts/bench/generators.py --peers peers mst privbayes bayesian-network aim
         python scripts/bench/generators.py --scale
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from processes import environment, run_timed

from privbench import one_sentence, registry
from privbench.datasets import adult
from privbench.errors import InputError
from privbench.release import SyntheticTable
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.scorers.utility import score_marginals
from privbench.table import Table, bin_count, to_bins
from privbench.threads import one_thread

HERE = Path(__file__).resolve().parent
# environment, what it installs, script, last argument, the generator of ours that it is compared with
PEERS = {
    "mbi mst (jax)": ("mbi", ["mbi==2.0.0", "pandas"], "mbi_mst.py", None, "mst"),
    "dpmm mst": ("dpmm", ["dpmm==0.1.9", "torch==2.13.0"], "dpmm_mechanism.py", "mst", "mst"),
    "dpmm privbayes": ("dpmm", ["dpmm==0.1.9", "torch==2.13.0"], "dpmm_mechanism.py", "privbayes", "privbayes"),
    "dpmm aim": ("dpmm", ["dpmm==0.1.9", "torch==2.13.0"], "dpmm_mechanism.py", "aim", "aim"),
    "DataSynthesizer": ("ds", ["DataSynthesizer==0.1.13"], "datasynthesizer_network.py", None, "bayesian-network"),
}
SCALED = ("independent-histogram", "mst", "privbayes")
QUICK = ("independent-histogram", "mst", "aim", "privbayes", "bayesian-network", "marginals", "forest", "resample")


def main() -> None:
    """Measure and print one table."""
    if sys.argv[1:2] == ["--one"]:
        _one(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("defenses", nargs="*", default=QUICK, help="names, or name:{json of parameters}")
    parser.add_argument("--records", type=int, default=30_000)
    parser.add_argument("--raw", action="store_true", help="Adult's own 15 columns, numbers as numbers, not coded")
    parser.add_argument("--epsilon", type=float, default=1.0, help="for those that have a budget")
    parser.add_argument("--adjacency", default="add-remove", help="for those that have it; the peers' is add-remove")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--peers", type=Path, help="folder of the peers' environments; without it only ours are run")
    parser.add_argument("--peer-limit", type=float, default=1800, help="seconds after which a peer is stopped")
    parser.add_argument("--scale", action="store_true", help="instead: seconds at 10^4 to 10^7 records")
    given = parser.parse_args()
    names = [name.partition(":")[0] for name in given.defenses]
    with tempfile.TemporaryDirectory() as folder:
        if given.scale:
            _scale(Path(folder))
            return
        for name in names:
            registry.load("defenses", name)
        train = _records(given.records, raw=given.raw)
        store = Path(folder)
        _save(train, store / "train")
        print(f"{len(train):,} records, {len(train.schema.columns)} columns, epsilon {given.epsilon:g}, one thread")
        print(
            f"{'':34}{'process s':>10}{'work s':>9}{'peak MB':>9}{'1-way':>8}{'2-way':>8}{'3-way':>8}  (mean of seeds)"
        )
        for wanted in given.defenses:
            name, _, text = wanted.partition(":")
            params = {**_defaults(name, given), **(json.loads(text) if text else {})}
            command = [sys.executable, __file__, "--one", str(store / "train"), name, json.dumps(params)]
            _report(wanted, command, train, store, given.seeds, limit=None)
        compared = {peer: row for peer, row in PEERS.items() if given.peers and row[-1] in names}
        for peer, (place, packages, script, last, _) in compared.items():
            python = environment(given.peers / place, packages)
            final = [last] if last else [str(_rho(given.epsilon))] if place == "mbi" else []
            files = [str(store / "train.csv"), str(store / "train.sizes.json")]
            command = [str(python), str(HERE / "peers" / script), *files, "{out}", "{seed}", str(given.epsilon), *final]
            _report(peer, command, train, store, given.seeds, limit=given.peer_limit)


def _defaults(name: str, given: argparse.Namespace) -> dict[str, object]:
    accepted = registry.parameters("defenses", name)
    params: dict[str, object] = {"rows": given.records} if "rows" in accepted else {}
    if "epsilon" in accepted and name not in ("bayesian-network", "marginals"):
        params["epsilon"] = given.epsilon
    return params | ({"adjacency": given.adjacency} if "adjacency" in accepted else {})


def _records(count: int, *, raw: bool = False) -> Table:
    records = adult.load().records
    table = records.take(np.arange(count) if count <= len(records) else np.resize(np.arange(len(records)), count))
    if raw:
        return table
    columns, arrays = [], {}
    for column in table.schema.columns:
        if column.name == "fnlwgt":
            continue
        cells, size = to_bins(column, table[column.name], bins=32), bin_count(column, 32)
        kept = min(size, 32)
        columns.append(Column(column.name, Kind.CATEGORICAL, tuple(range(kept))))
        arrays[column.name] = cells * kept // size
    return Table(Schema(tuple(columns)), arrays)


def _save(train: Table, path: Path, *, text: bool = True) -> None:
    np.save(path.with_suffix(".npy"), np.stack([train[name] for name in train.schema.names]))
    path.with_suffix(".schema.json").write_text(json.dumps(train.schema.to_dict()))
    if text and all(column.discrete for column in train.schema.columns):
        pd.DataFrame(dict(train.arrays)).to_csv(path.with_suffix(".csv"), index=False)
        sizes = {column.name: column.size for column in train.schema.columns}
        path.with_suffix(".sizes.json").write_text(json.dumps(sizes))


def _one(train: str, name: str, params: str, out: str, seed: str) -> None:
    """Make one release in this process and write it."""
    schema = Schema.from_dict(json.loads(Path(train).with_suffix(".schema.json").read_text()))
    arrays = np.load(Path(train).with_suffix(".npy"))
    table = Table(schema, dict(zip(schema.names, arrays, strict=True)))
    del arrays
    defense = registry.make("defenses", name, json.loads(params))
    started = time.perf_counter()
    with one_thread():
        release = defense.release(table, rng=stream(int(seed), "bench"))
    print(json.dumps({"work": time.perf_counter() - started}))
    if isinstance(release, SyntheticTable):
        pd.DataFrame(dict(release.table.arrays)).to_parquet(out)


def _report(name: str, command: list[str], train: Table, store: Path, seeds: int, *, limit: float | None) -> None:
    """Run a command once a seed and print the means."""
    rows = []
    for seed in range(seeds):
        out = store / "out"
        out.unlink(missing_ok=True)
        filled = [part.format(out=out, seed=seed) if part in ("{out}", "{seed}") else part for part in command]
        if "--one" in command:
            filled += [str(out), str(seed)]
        ran = run_timed(filled, limit=limit)
        if ran.problem:
            print(f"{name:34}{ran.problem}", flush=True)
            return
        work = json.loads(ran.printed.splitlines()[-1])["work"]
        frame = pd.read_parquet(out) if "--one" in command else pd.read_csv(out)
        rows.append([ran.seconds, work, ran.megabytes, *_quality(frame, train)])
    mean = np.mean(rows, axis=0)
    numbers = "".join(f"{value:8.4f}" for value in mean[3:])
    print(f"{name:34}{mean[0]:10.2f}{mean[1]:9.2f}{mean[2]:9.0f}{numbers}", flush=True)


def _quality(frame: pd.DataFrame, train: Table) -> list[float]:
    columns = train.schema.columns
    coded = [
        np.column_stack([to_bins(column, np.asarray(table[column.name]), bins=20) for column in columns])
        for table in (frame, train.arrays)
    ]
    scores = score_marginals(coded[0], coded[1], [bin_count(column, 20) for column in columns])
    return [score.value for score in scores]


def _scale(store: Path) -> None:
    """Print seconds of the marginal generators at growing numbers of records."""
    print(f"{'records':>12}" + "".join(f"{name:>34}" for name in SCALED) + "   (work s, s per 10^6, peak MB)")
    for power in (4, 5, 6, 7):
        _save(_records(10**power), store / "train", text=False)
        line = f"{10**power:12,}"
        for name in SCALED:
            command = [sys.executable, __file__, "--one", str(store / "train"), name, "{}", str(store / "out"), "0"]
            ran = run_timed(command)
            if ran.problem:
                raise InputError(f"{name} at {10**power} records: {ran.problem}")
            work = json.loads(ran.printed.splitlines()[-1])["work"]
            line += f"{work:16.2f}{work / 10 ** (power - 6):10.2f}{ran.megabytes:8.0f}"
        print(line, flush=True)


def _rho(epsilon: float) -> float:
    from defenses.synthetic.zcdp import rho_of

    return rho_of(epsilon, 1e-9)


if __name__ == "__main__":
    one_sentence(main)
