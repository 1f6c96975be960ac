"""Is what an audit says true? Releases whose answer is known, made of Adult's 48,842 records in many random splits.

independent: real rows that stand in neither file, so nothing leaks: how often an interval excludes zero all the same.
no-control: the same without a control file. bootstrap: rows drawn from the training file: is it found in every split?
copied: a share of the release is copied from the training file, the others are independent rows: which share is found,
by the checks of the files and by the attacks on columns. Each split is a whole audit with every check, the groups and
the distances; no downstream model, as no label is given.

Every audit is a line of the file --out; one that stands there is not run again.

Example: python scripts/bench/audit_calibration.py independent --splits 200 --out calibration.jsonl
         python scripts/bench/audit_calibration.py bootstrap copied --splits 20 --out calibration.jsonl
         python scripts/bench/audit_calibration.py --quick
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from privbench import audit, one_sentence
from privbench.datasets import adult
from privbench.errors import InputError
from privbench.rng import stream
from privbench.scorers.intervals import wilson_one
from privbench.table import Table

PARTS = ("independent", "no-control", "bootstrap", "copied")
SHARES = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05)
Job = tuple[str, int, float]


def main() -> None:
    """Run the audits that are missing, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}; default all")
    parser.add_argument("--splits", type=int, default=20, help="random splits of each part")
    parser.add_argument("--shares", nargs="+", type=float, default=SHARES, metavar="SHARE", help="copied rows")
    parser.add_argument("--train", type=int, default=5000, help="records of the training file")
    parser.add_argument("--control", type=int, default=5000, help="records of the control file")
    parser.add_argument("--rows", type=int, default=5000, help="released rows")
    parser.add_argument("--targets", type=int, default=1000, help="members attacked, and controls")
    parser.add_argument("--attacks", nargs="+", help="names; default those of an audit")
    parser.add_argument("--columns", nargs="+", help="columns of the files; default all fifteen")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2, help="audits at a time, of one thread each")
    parser.add_argument("--out", type=Path, help="file of finished audits, a line each")
    parser.add_argument("--quick", action="store_true", help="two splits of few records, to see that all works")
    given = parser.parse_args()
    if given.quick:
        given.splits, given.shares = 2, (0.05,)
        given.train = given.control = given.rows = 500
        given.targets, given.attacks = 100, given.attacks or ["cap", "nearest-neighbour"]
    if odd := [part for part in given.parts if part not in PARTS]:
        raise InputError(f"unknown part {odd[0]!r}; allowed: {', '.join(PARTS)}")
    records = adult.load()
    everyone = Table.concat([records.records, records.test])
    needed = given.train + given.control + given.rows
    if not 1 <= needed <= len(everyone):
        raise InputError(f"the files take {needed} different records; Adult has {len(everyone)}")
    parts = given.parts or PARTS
    jobs: list[Job] = [
        (part, split, share)
        for part in parts
        for share in (given.shares if part == "copied" else (0.0,))
        for split in range(given.splits)
    ]
    done = _run(jobs, given)
    _say(
        f"Adult: {given.train:,} training, {given.control:,} control records, {given.rows:,} released rows; "
        f"{given.targets:,} targets; {given.splits} splits, seed {given.seed}; intervals of an audit's columns hold "
        "together at 95 %"
    )
    for part in parts:
        if part == "copied":
            _copied(done, given)
        else:
            _flagged(part, [done[job] for job in jobs if job[0] == part])


def _run(jobs: Sequence[Job], given: argparse.Namespace) -> dict[Job, dict[str, Any]]:
    """Return what every audit found, those on file first."""
    settings = [given.train, given.control, given.rows, given.targets, given.attacks, given.columns, given.seed]
    done: dict[Job, dict[str, Any]] = {}
    if given.out and given.out.exists():
        for line in given.out.read_text(encoding="utf-8").splitlines():
            found = json.loads(line)
            if found["settings"] == settings:
                done[found["part"], found["split"], found["share"]] = found
    left = [job for job in jobs if job not in done]
    started = time.monotonic()
    running = joblib.Parallel(n_jobs=given.workers, return_as="generator_unordered", batch_size=1)(
        joblib.delayed(_audit)(job, given) for job in left
    )
    for number, found in enumerate(running, start=1):
        found["settings"] = settings
        job = (found["part"], found["split"], found["share"])
        done[job] = found
        if given.out:
            with given.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(found) + "\n")
        passed = time.monotonic() - started
        print(
            f"[{number}/{len(left)}] {job[0]} {job[2] or ''} split {job[1]}: {found['seconds']:.1f} s; about "
            f"{passed / number * (len(left) - number):.0f} s left",
            file=sys.stderr,
            flush=True,
        )
    return done


def _audit(job: Job, given: argparse.Namespace) -> dict[str, Any]:
    """Run one audit of files made of a random split."""
    part, split, share = job
    records = adult.load()
    everyone = Table.concat([records.records, records.test])
    if given.columns:
        everyone = everyone.select(given.columns)
    rng = stream(given.seed, "audit calibration", str(split))
    order = rng.permutation(len(everyone))
    cuts = np.cumsum([given.train, given.control, given.rows])
    train, control, rest = (everyone.take(rows) for rows in np.split(order[: cuts[-1]], cuts[:-1]))
    if part == "bootstrap":
        release = train.take(rng.integers(len(train), size=given.rows))
    elif part == "copied":
        number = max(1, round(share * given.rows))
        copies = train.take(rng.permutation(len(train))[:number])
        release = Table.concat([copies, rest.take(np.arange(given.rows - number))])
        release = release.take(rng.permutation(given.rows))
    else:
        release = rest
    files = [table.to_frame() for table in (train, release, control)]
    result = audit(
        *(files[:2] if part == "no-control" else files),
        targets=given.targets,
        attacks=given.attacks,
        seed=split,
        workers=1,
    )
    findings = result.findings
    columns = {
        one.column: [one.advantage.advantage, one.advantage.low, one.advantage.high, one.p_value]
        for one in findings.columns
        if one.advantage is not None
    }
    frame = result.frame
    single = frame[frame["metric"].isin(["accuracy", "within_tolerance"]) & frame["group"].isna()]
    attacks = single.groupby("attack").agg(advantage=("advantage", "mean"), seconds=("seconds", "sum"))
    return {
        "part": part,
        "split": split,
        "share": share,
        "columns": columns,
        "groups": [[one.advantage.low, one.advantage.high] for one in findings.groups],
        "checks": {one.name: one.level for one in findings.checks},
        "records": len(findings.records),
        "attacks": {str(name): [float(row["advantage"]), float(row["seconds"])] for name, row in attacks.iterrows()},
        "seconds": findings.asked.seconds,
    }


def _flagged(part: str, found: Sequence[dict[str, Any]]) -> None:
    """Print how often intervals lie above zero, and below it."""
    lows, highs, p = (np.array([[column[i] for column in one["columns"].values()] for one in found]) for i in (1, 2, 3))
    audits = len(found)
    _say(
        f"\n{part}: {audits} audits of {lows.shape[1]} columns, {np.mean([one['seconds'] for one in found]):.1f} s each"
    )
    for what, hits, each in (
        ("columns whose interval lies above zero", int((lows > 0).sum()), lows.size),
        ("columns whose interval excludes zero", int(((lows > 0) | (highs < 0)).sum()), lows.size),
        ("audits with any column flagged", int((lows > 0).any(axis=1).sum()), audits),
        ("audits with an interval that excludes zero", int(((lows > 0) | (highs < 0)).any(axis=1).sum()), audits),
        ("audits with a corrected p-value up to 0.05", int((p <= 0.05).any(axis=1).sum()), audits),
        ("audits with any group flagged", sum(any(low > 0 for low, _ in one["groups"]) for one in found), audits),
        ("audits that list an exposed person", sum(one["records"] > 0 for one in found), audits),
    ):
        _say(f"  {what:<46} {_share(hits, each)}")
    alarms = Counter(name for one in found for name, level in one["checks"].items() if level == "alarm")
    for name, number in sorted(alarms.items()):
        _say(f"  {'audits with the alarm ' + name:<46} {_share(number, audits)}")
    _say(f"  mean width of an interval                      {float((highs - lows).mean()):.4f}")
    _say(f"  {'attack':<22} mean advantage   seconds an audit")
    for name in found[0]["attacks"]:
        gain, seconds = np.mean([one["attacks"][name] for one in found], axis=0)
        _say(f"  {name:<22} {gain:14.4f}   {seconds:16.2f}")


def _copied(done: dict[Job, dict[str, Any]], given: argparse.Namespace) -> None:
    """Print for each copied share how often it is found."""
    _say("\ncopied: splits in which it is found, by what")
    head = ("copies", "near-copies", "closeness")
    _say(f"  {'share':>8} {'rows':>6} {'splits':>7} {'any column':>11}" + "".join(f"{name:>13}" for name in head))
    for share in given.shares:
        found = [done["copied", split, share] for split in range(given.splits)]
        columns = sum(any(column[1] > 0 for column in one["columns"].values()) for one in found)
        alarms = [sum(one["checks"].get(name, "fine") == "alarm" for one in found) for name in head]
        cells = "".join(f"{number:>13}" for number in alarms)
        _say(f"  {share:>8} {max(1, round(share * given.rows)):>6} {len(found):>7} {columns:>11}{cells}")


def _share(hits: int, each: int) -> str:
    low, high = wilson_one(hits, n=each)
    return f"{hits} of {each} = {100 * hits / each:.2f} % [{100 * low:.2f}, {100 * high:.2f}]"


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    one_sentence(main)
