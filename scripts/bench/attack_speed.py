"""Seconds and memory of attacks on released rows of Adult, each in a process of its own with one thread.

Side by side, with published packages if --peers is given: the same released rows, targets, known columns and secret for
everyone. 'process' is the whole command: start, import, read, attack; 'first' and 'again' are two calls of the attack
alone; 'right' is the share of each secret guessed right (of numbers, within 5 % of the range), in brackets the mean
probability that was given to the truth: what is right if one matching row is picked, as peers do, in place of a vote.
With --scale: seconds and memory at growing numbers of released rows. The adversary is granted the roster: the known
columns of all records.
Peers are installed by this script into environments of their own, below --peers, which takes minutes the first time.

Example: python scripts/bench/attack_speed.py --peers peers nearest-neighbour cap 'nearest-neighbour:{"neighbours": 5}'
         python scripts/bench/attack_speed.py cap --scale --targets 1000 --secrets marital-status income
         python scripts/bench/attack_speed.py random-forest --release resample --secrets fnlwgt --ordinal fnlwgt
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from processes import Ran, environment, run_timed

from privbench import one_sentence, registry
from privbench.contracts import Guess, View
from privbench.errors import InputError
from privbench.release import SyntheticTable
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table

HERE = Path(__file__).resolve().parent
ATTACKS = ("nearest-neighbour", "closest-record", "cap", "naive-bayes")
KNOWN = ("age", "sex", "race", "education", "occupation", "native-country")
# what it installs, script, the attack of ours that it is compared with
PEERS = {
    "anonymeter inference": (["anonymeter==1.1.0", "pandas<3"], "anonymeter_inference.py", "nearest-neighbour"),
    "SDMetrics CategoricalCAP": (["sdmetrics==0.32.0", "pandas<3"], "sdmetrics_cap.py", "cap"),
}


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["--one"]:
        _one(Path(sys.argv[2]), sys.argv[3], rows=int(sys.argv[4]), calls=int(sys.argv[5]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("attacks", nargs="*", default=ATTACKS, help="names, or name:{json of parameters}")
    parser.add_argument("--known", nargs="+", default=KNOWN, metavar="COLUMN", help="what the adversary knows")
    parser.add_argument("--secrets", nargs="+", default=["marital-status"], metavar="COLUMN", help="guessed together")
    parser.add_argument(
        "--ordinal", nargs="+", default=[], metavar="COLUMN", help="numbers that become as many values as records have"
    )
    parser.add_argument("--targets", type=int, help="people attacked, all of them in the data; default 2000")
    parser.add_argument("--records", type=int, default=30_000, help="private records, which are also the roster")
    parser.add_argument("--rows", type=int, help="released rows; default 30000, with --scale the most, 10000000")
    parser.add_argument(
        "--release",
        default="bayesian-network",
        help="where the rows come from: a defense, or 'independent', each column drawn alone from the records",
    )
    parser.add_argument("--peers", type=Path, help="folder of the peers' environments; without it only ours are run")
    parser.add_argument("--limit", type=float, default=1800, help="seconds after which a process is stopped")
    parser.add_argument("--scale", action="store_true", help="instead: a tenth, a hundredth ... of the rows, and all")
    parser.add_argument("--quick", action="store_true", help="a few rows and targets, to see that all works")
    parser.add_argument("--prepare", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    rows, targets = given.rows, given.targets
    if rows is None:
        rows = 2000 if given.quick else 10_000_000 if given.scale else 30_000
    if targets is None:
        targets = 50 if given.quick else 2000
    if given.prepare:
        for wanted in given.attacks:
            _built("attacks", wanted)
        _prepare(given.prepare, given, rows=rows, targets=targets)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _note(f"making {rows:,} rows ({given.release})")
        # in a process of its own: a large one's memory would count as that of every process that it starts
        done = subprocess.run([sys.executable, __file__, "--prepare", temporary, *sys.argv[1:]], check=False)
        if done.returncode:
            raise SystemExit(done.returncode)
        print(
            f"rows: {given.release}; {targets:,} targets; {len(given.known)} known columns: {', '.join(given.known)}; "
            f"secrets: {', '.join(given.secrets)}; roster of {given.records:,}; one thread"
        )
        if given.scale:
            _scale(folder, given.attacks, rows, given.limit)
        else:
            _side_by_side(folder, given, rows)


def _built(kind: registry.Kind, wanted: str, extra: dict[str, object] | None = None) -> Any:
    """Build a plugin from `name` or `name:{json of parameters}`."""
    name, _, text = wanted.partition(":")
    try:
        params = json.loads(text) if text else {}
    except json.JSONDecodeError as error:
        raise InputError(f"{wanted!r}: its parameters are not JSON: {error}") from None
    if not isinstance(params, dict):
        raise InputError(f"{wanted!r}: its parameters must be a JSON object, for example {name}:{{}}; got {text}")
    accepted = registry.parameters(kind, name)
    return registry.make(kind, name, {k: v for k, v in (extra or {}).items() if k in accepted} | params)


def _prepare(folder: Path, given: argparse.Namespace, *, rows: int, targets: int) -> None:
    """Write what the processes read: the released rows, the targets with their secrets, the roster."""
    from privbench.datasets import adult

    records = adult.load().records
    if rows < 1:
        raise InputError(f"at least one row must be released; got --rows {rows}")
    if not 1 <= targets <= given.records <= len(records):
        raise InputError(
            f"targets are records and these are Adult's: 1 <= targets <= records <= {len(records)}; got {targets} and "
            f"{given.records}"
        )
    if odd := set(given.ordinal) - {c.name for c in records.schema.columns if not c.discrete}:
        raise InputError(f"only columns of numbers can be made ordinal; got --ordinal {', '.join(sorted(odd))}")
    if odd := set(given.ordinal) - {*given.known, *given.secrets}:
        raise InputError(f"neither known nor secret: {', '.join(sorted(odd))}; leave it out of --ordinal")
    if both := set(given.known) & set(given.secrets):
        raise InputError(f"known and secret at once: {', '.join(sorted(both))}; leave it out of --known or --secrets")
    rng = stream(0, "attack speed")
    train = records.take(rng.permutation(len(records))[: given.records]).select([*given.known, *given.secrets])
    for name in given.ordinal:
        train = _ordinal(train, name)
    train = train.with_schema(train.schema.with_secrets(given.secrets))
    if given.release == "independent":
        drawn = {name: train[name][rng.integers(len(train), size=rows)] for name in train.schema.names}
        released = Table(train.schema, drawn)
    else:
        release = _built("defenses", given.release, {"rows": rows}).release(train, rng=rng)
        if not isinstance(release, SyntheticTable) or len(release.table) != rows:
            raise InputError(f"{given.release!r} does not release {rows} rows; take one that has the parameter 'rows'")
        released = release.table
    _save(released, folder / "rows")
    _save(train.take(np.arange(targets)), folder / "targets")
    _save(train.select(given.known), folder / "roster")
    question = {"known": given.known, "secrets": given.secrets, "release": given.release, "records": len(train)}
    (folder / "question.json").write_text(json.dumps(question))
    if given.peers:
        for table, name in ((released, "rows.csv"), (train.take(np.arange(targets)), "targets.csv")):
            table.to_frame().to_csv(folder / name, index=False)


def _ordinal(table: Table, name: str) -> Table:
    """Return records with a column of numbers turned into one of ordered values, those that it has."""
    values, codes = np.unique(table.to_frame()[name], return_inverse=True)
    ordered = Column(name, Kind.ORDINAL, tuple(values.tolist()))
    columns = tuple(ordered if column.name == name else column for column in table.schema.columns)
    return Table(replace(table.schema, columns=columns), {**table.arrays, name: codes})


def _save(table: Table, folder: Path) -> None:
    folder.mkdir()
    (folder / "schema.json").write_text(json.dumps(table.schema.to_dict()))
    for place, name in enumerate(table.schema.names):
        np.save(folder / f"{place}.npy", table[name])


def _load(folder: Path, rows: int | None = None) -> Table:
    """Return a saved table, or its first rows, without a second copy of any column."""
    schema = Schema.from_dict(json.loads((folder / "schema.json").read_text()))
    arrays = {}
    for place, name in enumerate(schema.names):
        arrays[name] = np.array(np.load(folder / f"{place}.npy", mmap_mode="r")[:rows])
        arrays[name].flags.writeable = False
    return Table(schema, arrays)


def _one(folder: Path, wanted: str, *, rows: int, calls: int) -> None:
    """Attack in this process; print seconds, megabytes before, and the share of right guesses for each secret."""
    from privbench.threads import one_thread

    question = json.loads((folder / "question.json").read_text())
    targets = _load(folder / "targets")
    release = SyntheticTable(_load(folder / "rows", rows), private_records=question["records"])
    own = None if question["release"] == "independent" else _built("defenses", question["release"], {"rows": rows})
    view = View(
        release,
        targets.select(question["known"]),
        tuple(targets.schema[name] for name in question["secrets"]),
        roster=_load(folder / "roster"),
        defense=own,
    )
    attack = _built("attacks", wanted)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if reason := attack.skip(view):
        print(json.dumps({"skipped": reason}))
        return
    seconds = []
    with one_thread():
        for _ in range(calls):
            started = time.perf_counter()
            guess = attack.infer(view, rng=stream(0, "attack"))
            seconds.append(time.perf_counter() - started)
    guess.check(view)
    print(json.dumps({"seconds": seconds, "before": before, "right": _right(guess, targets, view)}))


def _right(guess: Guess, truth: Table, view: View) -> list[str]:
    shares = []
    for secret in view.secrets:
        answer, true = guess.answers[secret.name], truth[secret.name]
        if secret.discrete:
            given = answer[np.arange(len(true)), true].mean()
            shares.append(f"{(answer.argmax(axis=1) == true).mean():.3f} ({given:.3f})")
        else:
            shares.append(f"{(np.abs(answer - true) <= 0.05 * secret.range).mean():.3f}")
    return shares


def _side_by_side(folder: Path, given: argparse.Namespace, rows: int) -> None:
    print(f"{rows:,} released rows")
    print(f"{'':44}{'process s':>10}{'first s':>9}{'again s':>9}{'peak MB':>9}  right")
    took: dict[str, tuple[float, float]] = {}
    for wanted in given.attacks:
        _note(f"measuring {wanted}")
        ran = run_timed(_command(folder, wanted, rows, calls=2), limit=given.limit)
        if seconds := _line(wanted, ran):
            took.setdefault(wanted.partition(":")[0], seconds)
    for peer, (packages, script, ours) in PEERS.items() if given.peers else ():
        if ours not in took:
            continue
        python = environment(given.peers / Path(script).stem, packages)
        _note(f"measuring {peer}")
        files = [str(folder / "rows.csv"), str(folder / "targets.csv")]
        command = [str(python), str(HERE / "peers" / script), *files, given.secrets[0], *given.known]
        if seconds := _line(peer, run_timed(command, limit=given.limit)):
            again, process = (theirs / own for theirs, own in zip(seconds, took[ours], strict=True))
            print(f"    that is {again:.0f} times the second call of {ours}, {process:.0f} times its whole command")


def _line(name: str, ran: Ran) -> tuple[float, float] | None:
    """Print a line of the table; return seconds of the second call and of the process, if there are any."""
    said = json.loads(ran.printed.splitlines()[-1]) if not ran.problem else {}
    if "seconds" not in said:
        print(f"{name:44}{ran.problem or 'skipped: ' + said['skipped']}", flush=True)
        return None
    first, again = said["seconds"]
    right = " ".join(said["right"])
    print(f"{name:44}{ran.seconds:10.2f}{first:9.3f}{again:9.3f}{ran.megabytes:9.0f}  {right}", flush=True)
    return again, ran.seconds


def _scale(folder: Path, attacks: Sequence[str], most: int, limit: float) -> None:
    sizes = [most // part for part in (1000, 100, 10) if most // part >= 100] + [most]
    print(f"{'':44}{'rows':>12}{'work s':>9}{'s per 10^6':>11}{'peak MB':>9}{'MB before':>10}  right")
    for wanted in attacks:
        for rows in sizes:
            _note(f"measuring {wanted} on {rows:,} rows")
            ran = run_timed(_command(folder, wanted, rows, calls=1), limit=limit)
            said = json.loads(ran.printed.splitlines()[-1]) if not ran.problem else {}
            if "seconds" not in said:
                print(f"{wanted:44}{rows:12,}  {ran.problem or 'skipped: ' + said['skipped']}", flush=True)
                break  # more rows take longer still
            (work,) = said["seconds"]
            right = " ".join(said["right"])
            print(
                f"{wanted:44}{rows:12,}{work:9.2f}{work / rows * 1e6:11.2f}{ran.megabytes:9.0f}{said['before']:10.0f}"
                f"  {right}",
                flush=True,
            )


def _command(folder: Path, wanted: str, rows: int, *, calls: int) -> list[str]:
    return [sys.executable, __file__, "--one", str(folder), wanted, str(rows), str(calls)]


def _note(what: str) -> None:
    print(f"{what} ...", file=sys.stderr, flush=True)


if __name__ == "__main__":
    one_sentence(main)
