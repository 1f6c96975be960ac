"""Fairness of a model learnt from randomised reports: seven protocols, nine budgets, two allocations, beside the study.

Set-up of the published study: four columns of Adult (gender, race, native-country, age) are randomised on each record,
the others stay as they are; the label is income, the group gender. Every column is one-hot, a randomised one by the
values its report supports; k is the number of values in the data. Columns share the budget uniformly (eps / 4) or by
their number of values (eps k_j / sum k). Records are split 80/20, stratified by the label, with the seed as the
splitter's own, so our seeds 0, 1, ... have the splits of the study's first seeds (it has 20). LightGBM learns from the
reports and is judged on clean records; SPD, EOD and OAD are group 1 minus group 0, DI is group 0 over group 1, f1 and
auc are of the decisions, not of the scores.

What is compared: the difference of the two means in standard errors, s sqrt(1/m + 1/20), with m seeds of ours and s
the pooled standard deviation of the cell (19 + m - 1 degrees of freedom). As splits are shared, this standard error is
too wide (the differences spread over cells by 0.4 of it for accuracy and OAD, 0.8 for SPD), so the test is lenient; the
column "of `none`" shows what the splits alone shift, and the means by protocol show what they do not.

Example: python scripts/reproduce/ldp_fairness.py adult_26k.csv ldp_fairness_adult.csv --out reproduced
Every fit is kept in the folder: started again, the script takes up where it stopped. A fit takes 2 to 6 s on one core:
126 cells with five seeds are about half an hour on two idle ones.

Found with five seeds: within three standard errors are 126 of 126 cells for accuracy, EOD and OAD, and 125 for SPD.
SPD is .004 higher than published on average, and so is that of the model without noise: the first five splits are
like that. The cell beyond (BLH, uniform, 10: +3.8) is most likely chance, but is not proved to be: on all 20 splits it
falls to +2.7 (seeds 5 to 19 alone: +1.8), with budgets 8 and 20 at +0.8 and -1.6 and BLH's nine uniform ones at +0.3 on
average, so nothing is off for the protocol or its neighbours.

References
----------
H. H. Arcolezi, K. Makhlouf and C. Palamidessi, "(Local) Differential Privacy has NO Disparate Impact on Fairness",
DBSec 2023.
"""

from __future__ import annotations

import argparse
import fnmatch
import hashlib
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from sklearn.metrics import balanced_accuracy_score, f1_score
from sklearn.model_selection import train_test_split

from defenses.ldp.grr import Grr
from defenses.ldp.local_hashing import Blh, Olh
from defenses.ldp.subset_selection import SubsetSelection
from defenses.ldp.unary import Oue, Sue, The
from privbench.atomic import write_atomically
from privbench.errors import InputError, PrivbenchError
from privbench.oracles import FrequencyOracle
from privbench.rng import stream

LABEL, GROUP = "income", "gender"
RANDOMISED = (GROUP, "race", "native-country", "age")
PROTOCOLS: dict[str, Callable[..., FrequencyOracle]] = {
    "GRR": Grr, "SUE": Sue, "OUE": Oue, "SS": SubsetSelection, "BLH": Blh, "OLH": Olh, "THE": The,
}  # fmt: skip
BUDGETS = ("uniform", "k_based")
METRICS = ("acc", "f1", "auc", "SPD", "DI", "EOD", "OAD")
JUDGED = ("acc", "SPD", "EOD", "OAD")
SEEDS = 20  # of the study
MODEL = {"max_depth": 38, "learning_rate": 0.02256, "objective": "binary"}
Codes = dict[str, NDArray[np.int64]]


@dataclass(frozen=True)
class Cell:
    """One published line; protocol `none` is the model learnt from clean records."""

    protocol: str
    budget: str
    epsilon: float

    def __str__(self) -> str:
        return f"{self.protocol}-{self.budget}-{self.epsilon:g}"

    def epsilons(self, sizes: dict[str, int]) -> dict[str, float]:
        """Return what each randomised column is given."""
        if self.protocol == "none":
            return {}
        weights = {name: sizes[name] if self.budget == "k_based" else 1 for name in RANDOMISED}
        return {name: self.epsilon * weight / sum(weights.values()) for name, weight in weights.items()}


def main() -> None:
    """Read the arguments, fit what is not there yet, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the study's records: integer codes, one column an attribute")
    parser.add_argument("reference", type=Path, help="the published means and standard deviations, one line a cell")
    parser.add_argument("--out", type=Path, default=Path("privbench-results/ldp-fairness"))
    parser.add_argument("--seeds", type=int, default=5, help="splits, 0 and upwards; at least 2")
    parser.add_argument("--workers", type=int, default=2, help="processes, one thread each")
    parser.add_argument("--cells", nargs="+", default=["*"], metavar="PATTERN", help="such as 'GRR-*' or '*-uniform-1'")
    parser.add_argument("--trees", type=int, default=1100, help="of the model; fewer for a trial only")
    given = parser.parse_args()
    try:
        codes, sizes, digest = read(given.data)
        cells, published = read_reference(given.reference, given.cells)
        if given.seeds < 2:
            raise InputError(f"--seeds: got {given.seeds}; allowed: 2 or more, as a standard deviation needs two")
    except PrivbenchError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    started = time.perf_counter()
    found = run(cells, codes, sizes, folder=given.out / f"{digest}-{given.trees}", given=given)
    table = compared(found, published)
    table.to_csv(given.out / "compared.csv", float_format="%.5f")
    _print(table, given.seeds)
    print(f"\nThis run took {(time.perf_counter() - started) / 60:.1f} minutes.")


def read(path: Path) -> tuple[Codes, dict[str, int], str]:
    """Return the columns as codes, their numbers of values, and the first digits of the file's SHA-256.

    Raises
    ------
    InputError
        If the file is missing, lacks a column, or a column is not coded 0, 1, ..., k - 1.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist; give the study's records as a CSV file")
    frame = pd.read_csv(path)
    missing = [name for name in (LABEL, *RANDOMISED) if name not in frame]
    if missing:
        raise InputError(
            f"{path} has no column {missing[0]!r}, only {', '.join(frame.columns)}; give the study's records"
        )
    codes = {str(name): frame[name].to_numpy() for name in frame}
    for name, values in codes.items():
        if not np.array_equal(np.unique(values), np.arange(frame[name].nunique())):
            raise InputError(f"column {name!r} of {path} is not coded 0, 1, ..., k - 1 with every code there")
    sizes = {name: int(values.max()) + 1 for name, values in codes.items()}
    return codes, sizes, hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def read_reference(path: Path, patterns: list[str]) -> tuple[list[Cell], pd.DataFrame]:
    """Return the cells that match one of the patterns, and the published table by the cell's name.

    Raises
    ------
    InputError
        If the file is missing or no cell matches.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist; give the published table as a CSV file")
    frame = pd.read_csv(path)
    every = [Cell(str(line.protocol), str(line.budget), float(line.epsilon)) for line in frame.itertuples()]  # type: ignore[arg-type]
    frame.index = pd.Index([str(cell) for cell in every])
    cells = [cell for cell in every if any(fnmatch.fnmatchcase(str(cell), pattern) for pattern in patterns)]
    if not cells:
        raise InputError(f"--cells: nothing matches {' '.join(patterns)}; cells are named such as {every[0]}")
    return cells, frame


def run(
    cells: list[Cell], codes: Codes, sizes: dict[str, int], *, folder: Path, given: argparse.Namespace
) -> pd.DataFrame:
    """Return one line a fit, made now or read from the folder."""
    paths = {(cell, seed): folder / str(cell) / f"{seed}.json" for seed in range(given.seeds) for cell in cells}
    left = [job for job, path in paths.items() if not path.exists()]
    print(f"{len(paths)} fits, {len(paths) - len(left)} of them there already, {given.workers} workers", flush=True)
    calls = (joblib.delayed(_fit)(cell, seed, codes, sizes, given.trees, paths[cell, seed]) for cell, seed in left)
    began = shown = time.perf_counter()
    with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        ended = joblib.Parallel(n_jobs=given.workers, return_as="generator_unordered", batch_size=1)(calls)
        for done, _ in enumerate(ended, 1):
            now = time.perf_counter()
            if now - shown > 30 or done == len(left):
                shown, each = now, (now - began) / done
                print(f"{done} of {len(left)}: {each:.1f} s a fit, {each * (len(left) - done) / 60:.0f} min left")
                sys.stdout.flush()
    lines = [{"cell": str(cell), "seed": seed, **json.loads(path.read_text())} for (cell, seed), path in paths.items()]
    return pd.DataFrame(lines)


def _fit(cell: Cell, seed: int, codes: Codes, sizes: dict[str, int], trees: int, path: Path) -> None:
    began = time.perf_counter()
    scores = fit(cell, seed, codes, sizes, trees=trees)
    text = json.dumps({**scores, "seconds": time.perf_counter() - began})
    write_atomically(path, lambda half: half.write_text(text))


def fit(cell: Cell, seed: int, codes: Codes, sizes: dict[str, int], *, trees: int) -> dict[str, float]:
    """Learn from the reports of the training records of one split, and judge on its clean test records."""
    label = codes[LABEL]
    rows: tuple[NDArray[np.intp], NDArray[np.intp]] = train_test_split(
        np.arange(len(label)), test_size=0.2, shuffle=True, stratify=label, random_state=seed
    )
    train, test = rows
    epsilons = cell.epsilons(sizes)
    learnt, judged = [], []
    for name in (name for name in codes if name != LABEL):
        values = np.arange(sizes[name])
        bits = codes[name][train, None] == values
        if name in epsilons:
            oracle = PROTOCOLS[cell.protocol](size=sizes[name], epsilon=epsilons[name])
            rng = stream(seed, "reproduce", "ldp-fairness", str(cell), name)
            bits = oracle.support(oracle.randomise(codes[name][train], rng=rng))
        learnt.append(bits)
        judged.append(codes[name][test, None] == values)
    # row-wise histograms: the same trees as by columns, four times faster where every report has many bits
    model = LGBMClassifier(
        **MODEL, n_estimators=trees, random_state=seed, n_jobs=1, force_row_wise=True, deterministic=True, verbosity=-1
    )
    model.fit(np.hstack(learnt).astype(np.float32), label[train])
    decision = np.asarray(model.predict(np.hstack(judged).astype(np.float32)))
    return metrics(label[test], decision, codes[GROUP][test])


def metrics(label: NDArray[Any], decision: NDArray[Any], group: NDArray[Any]) -> dict[str, float]:
    """Return the study's seven figures of one set of decisions."""
    rate, opportunity, right = [], [], []
    for value in (0, 1):
        of = group == value
        rate.append(float(np.mean(decision[of])))
        opportunity.append(float(np.mean(decision[of & (label == 1)])))
        right.append(float(np.mean(decision[of] == label[of])))
    return {
        "acc": float(np.mean(decision == label)),
        "f1": float(f1_score(label, decision)),
        "auc": float(balanced_accuracy_score(label, decision)),
        "SPD": rate[1] - rate[0],
        "DI": rate[0] / rate[1],
        "EOD": opportunity[1] - opportunity[0],
        "OAD": right[1] - right[0],
    }


def compared(found: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return a line a cell: published and our mean of each metric, and their difference in standard errors."""
    table = published.loc[list(dict.fromkeys(found["cell"])), ["protocol", "budget", "epsilon"]].copy()
    groups = found.groupby("cell")
    m = groups.size().loc[table.index]
    for metric in METRICS:
        ours, spread = groups[metric].mean().loc[table.index], groups[metric].std().loc[table.index]
        theirs, their_spread = published.loc[table.index, metric], published.loc[table.index, f"{metric}_sd"]
        pooled = ((m - 1) * spread**2 + (SEEDS - 1) * their_spread**2) / (m + SEEDS - 2)
        table[f"{metric} theirs"], table[f"{metric} ours"] = theirs, ours
        table[f"{metric} se"] = (ours - theirs) / np.sqrt(pooled * (1 / m + 1 / SEEDS))
    return table


def _print(table: pd.DataFrame, seeds: int) -> None:
    print(f"\npublished (20 seeds) | ours ({seeds} seeds) (difference in standard errors; * more than 3)\n")
    shown = {}
    for metric in JUDGED:
        parts = zip(*(table[f"{metric} {what}"] for what in ("theirs", "ours", "se")), strict=True)
        shown[metric] = [f"{b:+.4f} | {o:+.4f} ({z:+.1f}){'*' if abs(z) > 3 else ' '}" for b, o, z in parts]
    print(pd.DataFrame(shown, index=table.index).to_string())
    private = table[table["protocol"] != "none"]
    if private.empty:
        return
    errors = private[[f"{metric} se" for metric in METRICS]].set_axis(list(METRICS), axis=1)
    gaps = {name: table[f"{name} ours"] - table[f"{name} theirs"] for name in METRICS}
    summary = pd.DataFrame(
        {
            "within 3 s.e. %": 100 * (errors.abs() <= 3).mean(),
            "within 2 s.e. %": 100 * (errors.abs() <= 2).mean(),
            "mean, s.e.": errors.mean(),
            "spread, s.e.": errors.std(),
            "mean difference": [gaps[name][private.index].mean() for name in METRICS],
        }
    )
    if len(private) < len(table):
        # its reports have no noise: what it differs by is due to our splits being the first of theirs
        summary["of `none`"] = [gaps[name].drop(private.index).mean() for name in METRICS]
    print(f"\nAll {len(private)} private cells:\n{summary.round(4).to_string()}")
    by = errors.groupby([private["protocol"], private["budget"]]).mean()
    print(f"\nMean difference in standard errors, by protocol and allocation:\n{by.round(2).to_string()}")
    far = private[(errors[list(JUDGED)].abs() > 3).any(axis=1)].index
    print(f"\nCells with a metric beyond 3 standard errors: {', '.join(far) or 'none'}")


if __name__ == "__main__":
    main()
