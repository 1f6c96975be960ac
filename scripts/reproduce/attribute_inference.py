"""Attribute inference on Adult: every attack on ten releases, beside the published table.

Set-up of the published study (arXiv 2606.08372): 10,000 records are released, all of them are attacked; known are age,
sex, race, native-country, education and marital-status; the other nine columns are secrets, each to be matched exactly.
The score is the rarity-weighted share of hits in percent, which is the mean over a secret's values of the share of
people found, averaged over the nine secrets. Every attack is decoded twice: by its most probable value, as published,
and by probability over released share, which is what suits that score.

What the study leaves open is set here: rank swapping moves the six numeric columns, 5 % of the ranks at most; every
cell is suppressed with probability 0.1; MST and AIM cut numbers into 16 cells of equal width and hide one record more
or less, with delta 1e-9; tvae and ctgan train for --epochs. fnlwgt, with thousands of values, is asked of the first
--wide people.

Example: python scripts/reproduce/attribute_inference.py attribute_inference_adult.csv --out reproduced
Releases and scores are kept in the folder: started again, the script takes up where it stopped.
"""

from __future__ import annotations

import argparse
import json
import pickle
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import privbench
from privbench import registry
from privbench.atomic import write_atomically
from privbench.contracts import View
from privbench.datasets.adult import load
from privbench.errors import InputError
from privbench.release import AlteredRows, SyntheticTable
from privbench.rng import stream
from privbench.schema import Column, Kind
from privbench.table import Table
from privbench.threads import one_thread

RECORDS = 10_000
KNOWN = ("age", "sex", "race", "native-country", "education", "marital-status")
WIDE = "fnlwgt"
SECRETS = ("workclass", WIDE, "education-num", "occupation", "relationship", "capital-gain", "capital-loss",
           "hours-per-week", "income")  # fmt: skip
NUMERIC = ("age", WIDE, "education-num", "capital-gain", "capital-loss", "hours-per-week")
MARGINALS = {"adjacency": "add-remove", "bins": 16}

# column of the published table, defense, its parameters
RELEASES: dict[str, tuple[str, dict[str, Any]]] = {
    "rank-swap": ("rank-swap", {"columns": NUMERIC}),
    "cell-suppression": ("suppress-cells", {}),
    "tvae": ("tvae", {}),
    "ctgan": ("ctgan", {}),
    **{f"mst eps {epsilon:g}": ("mst", {"epsilon": epsilon, **MARGINALS}) for epsilon in (0.1, 1, 10, 100, 1000)},
    "aim eps 1": ("aim", {"epsilon": 1, **MARGINALS}),
}
# row of the published table (None: none there), attack, its parameters
ATTACKS: tuple[tuple[str | None, str, dict[str, Any]], ...] = (
    ("mode", "majority", {}),
    ("k-nearest neighbours", "nearest-neighbour", {"neighbours": 5}),
    ("naive Bayes", "naive-bayes", {}),
    ("random forest", "random-forest", {"trees": 25, "depth": 25}),
    ("LightGBM", "lightgbm", {}),
    ("MLP", "mlp", {}),
    ("CoBP-RA", "belief-propagation", {}),
    (None, "ensemble", {}),
)
Scores = dict[str, tuple[float, float]]


def main() -> None:
    """Read the arguments, run what is not there yet, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference", type=Path, help="the published table: attack, then a column a release")
    parser.add_argument("--out", type=Path, default=Path("privbench-results/attribute-inference"))
    parser.add_argument("--samples", type=int, default=2, help="disjoint samples of 10,000 records, at most 4")
    parser.add_argument("--epochs", type=int, default=300, help="of tvae and ctgan")
    parser.add_argument("--wide", type=int, default=1000, help=f"people of whom {WIDE} is asked")
    parser.add_argument("--releases", nargs="+", default=list(RELEASES), choices=list(RELEASES), metavar="RELEASE")
    parser.add_argument("--attacks", nargs="+", default=[name for _, name, _ in ATTACKS], metavar="ATTACK")
    given = parser.parse_args()
    if not 1 <= given.samples <= 4:
        raise InputError(f"--samples: got {given.samples}; allowed: 1 to 4, as Adult has 48,842 records")
    if not given.reference.is_file():
        raise InputError(f"{given.reference} does not exist; give the published table as a CSV file")
    published = pd.read_csv(given.reference, index_col="attack")
    found = list(_run(given))
    _print(pd.DataFrame(found, columns=["attack", "release", "sample", "secret", "plain", "balanced"]), published)


def _run(given: argparse.Namespace) -> Iterator[tuple[str, str, int, str, float, float]]:
    """Yield the scores of every attack on every release, from the folder where they stand there."""
    for sample in range(given.samples):
        for name in given.releases:
            views: list[tuple[View, dict[str, NDArray[Any]]]] = []
            for _, attack, params in ATTACKS:
                if attack not in given.attacks:
                    continue
                path = given.out / f"{name}-{sample}-{given.epochs}-{given.wide}" / f"{attack}.json"
                if not path.exists():
                    views = views or _views(name, sample, given)
                    started = time.perf_counter()
                    scores: Scores = {}
                    with one_thread():
                        for view, truth in views:
                            scores |= _scores(attack, params, view, truth, sample)
                    text = json.dumps(scores)
                    write_atomically(path, lambda half, text=text: half.write_text(text))  # type: ignore[misc]
                    print(f"{name}, sample {sample}, {attack}: {time.perf_counter() - started:.0f} s", flush=True)
                for secret, (plain, balanced) in json.loads(path.read_text()).items():
                    yield attack, name, sample, secret, plain, balanced


def _scores(attack: str, params: dict[str, Any], view: View, truth: dict[str, NDArray[Any]], sample: int) -> Scores:
    guess = registry.make("attacks", attack, params).infer(view, rng=stream(sample, "reproduce", attack))
    found = {}
    for secret in view.secrets:
        posterior, released = guess.answers[secret.name], view.release.marginal(secret.name)
        smooth = 0.999 * released + 0.001 / len(released)
        values = np.array(secret.values, dtype=object)
        found[secret.name] = (
            _rarity_weighted(posterior, values, truth[secret.name]),
            _rarity_weighted(posterior / smooth, values, truth[secret.name]),
        )
    return found


def _rarity_weighted(weight: NDArray[np.float64], values: NDArray[Any], truth: NDArray[Any]) -> float:
    """Return the mean over true values of the share of their holders who are guessed right, in percent."""
    top = weight == weight.max(axis=1, keepdims=True)
    # of equal maxima each counts as its share
    hit = np.where(values[None] == truth[:, None], top / top.sum(axis=1, keepdims=True), 0).sum(axis=1)
    classes = np.unique(truth.astype(str), return_inverse=True)[1]
    return 100 * float(np.mean(np.bincount(classes, weights=hit) / np.bincount(classes)))


def _views(name: str, sample: int, given: argparse.Namespace) -> list[tuple[View, dict[str, NDArray[Any]]]]:
    """Return what the adversary sees with the truth beside it: all secrets but the widest, and that one alone."""
    train = _sample(sample)
    defense, release = _released(name, sample, given)
    table = _as_values(release.table, train)
    if isinstance(release, AlteredRows):
        shown: SyntheticTable = replace(release, table=table)
    else:
        shown = SyntheticTable(table, release.private_records, release.claim)
    views = []
    for secrets, people in ((tuple(s for s in SECRETS if s != WIDE), RECORDS), ((WIDE,), given.wide)):
        asked = train.take(np.arange(people))
        truth = {secret: np.asarray(_plain(asked, secret), dtype=object) for secret in secrets}
        columns = tuple(table.schema[secret] for secret in secrets)
        views.append((View(shown, asked.select(KNOWN), columns, defense=defense), truth))
    return views


def _released(name: str, sample: int, given: argparse.Namespace) -> tuple[Any, SyntheticTable]:
    """Return the mechanism and its release, from the folder where it stands there."""
    plugin, params = RELEASES[name]
    if plugin in ("tvae", "ctgan"):
        params = {**params, "epochs": given.epochs}
    defense = registry.make("defenses", plugin, params)
    path = given.out / f"{name}-{sample}-{given.epochs}.pickle"
    if not path.exists():
        print(f"{name}, sample {sample}: making the release ...", flush=True)
        with one_thread():
            made = defense.release(_sample(sample), rng=stream(sample, "reproduce", name))
        write_atomically(path, lambda half: half.write_bytes(pickle.dumps(made)))
    release: SyntheticTable = pickle.loads(path.read_bytes())
    return defense, release


@cache
def _everyone() -> Table:
    adult = load()
    return Table.concat([adult.records, adult.test])


def _sample(number: int) -> Table:
    """Return one of the disjoint samples."""
    order = stream(0, "reproduce", "samples").permutation(len(_everyone()))
    return _everyone().take(order[number * RECORDS : (number + 1) * RECORDS])


def _as_values(released: Table, train: Table) -> Table:
    """Return released rows with known columns as in the records, and every secret a list of its released values."""
    columns, arrays = [], {}
    for column in train.schema.columns:
        values = _plain(released, column.name)
        if column.name in SECRETS and not column.discrete:
            own, codes = np.unique(values.astype(int), return_inverse=True)
            columns.append(Column(column.name, Kind.ORDINAL, tuple(own.tolist())))
            arrays[column.name] = codes
        else:
            columns.append(column)
            arrays[column.name] = released[column.name]
    return Table(replace(train.schema, columns=tuple(columns)), arrays)


def _plain(table: Table, name: str) -> NDArray[Any]:
    column = table.schema[name]
    return np.array(column.values, dtype=object)[table[name]] if column.discrete else table[name]


def _print(found: pd.DataFrame, published: pd.DataFrame) -> None:
    """Print published and reproduced scores side by side, and the best attack of each."""
    releases = [name for name in RELEASES if name in set(found["release"])]
    attacks = [(row, attack) for row, attack, _ in ATTACKS if attack in set(found["attack"])]
    records = found.groupby(["attack", "release"], as_index=False)[["plain", "balanced"]].mean().to_dict("records")
    scores = {(line["attack"], line["release"]): (line["plain"], line["balanced"]) for line in records}
    theirs = {(row, name): float(value) for name in releases for row, value in published[name].items()}
    print(f"\nRarity-weighted score in %, mean of nine secrets and {found['sample'].nunique()} samples.")
    print("published | ours by most probable value | ours by probability over released share (* more than 1.5 below)\n")
    table: dict[str, list[str]] = {}
    for row, attack in attacks:
        for release in releases:
            plain, balanced = scores[attack, release]
            goal = theirs.get((row, release))
            short = "*" if goal is not None and balanced < goal - 1.5 else ""
            stated = "-" if goal is None else f"{goal:.1f}"
            table.setdefault(attack, []).append(f"{stated} | {plain:.1f} | {balanced:.1f}{short}")
    print(pd.DataFrame(table, index=releases).to_string())
    ours = {attack: float(np.mean([scores[attack, name][1] for name in releases])) for _, attack in attacks}
    best = {row: float(np.mean([theirs[row, name] for name in releases])) for row in published.index}
    print(f"\nMean over these releases: {', '.join(f'{name} {value:.1f}' for name, value in ours.items())}")
    first, second = (max(means, key=means.__getitem__) for means in (best, ours))
    print(f"Published best: {first} {best[first]:.1f}. Ours: {second} {ours[second]:.1f}.")


if __name__ == "__main__":
    privbench.one_sentence(main)
