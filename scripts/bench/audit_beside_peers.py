"""An audit of synthetic files of Adult beside published packages: verdict, width of the intervals, seconds, memory.

Three releases with an answer that is known: real rows of other people ('others': nothing of the training file is in
them), the same with a share of training rows copied in ('copied'), and rows drawn from the training file
('bootstrap'). Each tool is asked about every column, all others known, on the same three files, with two processes.
Flagged is a column whose interval excludes 0; a package without intervals flags none. Peers get --limit seconds a
release: where they do not reach all columns, seconds are those of the columns that they reached. Memory is that of
all processes of a tool together. Peers are installed into environments of their own, below --peers, which takes
minutes the first time.

Example: python scripts/bench/audit_beside_peers.py --peers peers
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from processes import Ran, environment, run_timed

from privbench import one_sentence
from privbench.datasets import adult
from privbench.rng import stream
from privbench.table import Table

HERE = Path(__file__).resolve().parent
PEERS = {
    "anonymeter 1.1.0": (["anonymeter==1.1.0", "pandas<3"], "anonymeter_audit.py"),
    "SDMetrics 0.32.0": (["sdmetrics==0.32.0", "pandas<3"], "sdmetrics_disclosure.py"),
}
RELEASES = ("others", "copied", "bootstrap")


@dataclass(frozen=True, slots=True)
class Answer:
    """What one tool says of one release.

    Parameters
    ----------
    asked, flagged : int
        Columns reached, and those whose interval excludes 0.
    width : float
        Mean width of the intervals; NaN without any.
    said : str
        What else it says first.
    ran : Ran
        Seconds and memory of the whole command.
    """

    asked: int
    flagged: int
    width: float
    said: str
    ran: Ran


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, help="folder of the peers' environments; without it only ours is run")
    parser.add_argument("--records", type=int, default=9000, help="rows of the training file, and of the control file")
    parser.add_argument("--rows", type=int, default=30_000, help="released rows")
    parser.add_argument("--targets", type=int, default=2000, help="people attacked in each file")
    parser.add_argument("--copied", type=float, default=0.01, help="share of copied rows in the second release")
    parser.add_argument("--releases", nargs="+", default=RELEASES, choices=RELEASES)
    parser.add_argument("--limit", type=float, default=300, help="seconds after which a peer begins no column")
    given = parser.parse_args()
    everyone = Table.concat([adult.load().records, adult.load().test])
    if 2 * given.records + given.rows > len(everyone):
        raise SystemExit(f"error: Adult has {len(everyone):,} records: lower --records or --rows")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _prepare(folder, everyone, given)
        columns = [("" if column.discrete else "+") + column.name for column in everyone.schema.columns]
        print(
            f"{len(columns)} columns; {given.records:,} training and control rows, {given.rows:,} released; "
            f"{given.targets:,} people attacked in each"
        )
        print(
            f"{'release':10} {'tool':18} {'flagged':>9} {'width':>7} {'seconds':>8} {'a column':>9} {'MB':>6} "
            " says first"
        )
        for release in given.releases:
            _line(release, "privbench", _ours(folder, release, given.targets))
            for name, (packages, script) in PEERS.items() if given.peers else ():
                python = environment(given.peers / Path(script).stem, packages)
                _line(release, name, _peer(python, script, folder, release, columns, given))


def _prepare(folder: Path, everyone: Table, given: argparse.Namespace) -> None:
    """Write the files."""
    rng = stream(0, "audit beside peers")
    order = rng.permutation(len(everyone))
    train, control, others = np.split(order, [given.records, 2 * given.records])
    others = others[: given.rows]
    copied = others.copy()
    copies = round(given.copied * given.rows)
    copied[rng.permutation(given.rows)[:copies]] = rng.permutation(train)[:copies]
    files = {
        "train": train,
        "control": control,
        "others": others,
        "copied": copied,
        "bootstrap": rng.choice(train, given.rows),
    }
    for name, rows in files.items():
        everyone.take(rows).to_frame().to_csv(folder / f"{name}.csv", index=False)


def _ours(folder: Path, release: str, targets: int) -> Answer:
    three = [
        str(folder / f"{release}.csv"),
        "--train",
        str(folder / "train.csv"),
        "--control",
        str(folder / "control.csv"),
    ]
    options = ["--targets", str(targets), "--workers", "2", "--out", str(folder / "out"), "--json", "--quiet"]
    ran = run_timed([sys.executable, "-m", "privbench", "audit", *three, *options], together=True)
    if ran.problem:
        return Answer(0, 0, float("nan"), ran.problem, ran)
    found = json.loads(ran.printed)
    limits = [(c["advantage"]["low"], c["advantage"]["high"]) for c in found["columns"] if c["advantage"]]
    alarms = [check["name"] for check in found["checks"] if check["level"] == "alarm"]
    return _answer(limits, len(limits), ", ".join(alarms) or "no alarm", ran)


def _peer(
    python: Path, script: str, folder: Path, release: str, columns: Sequence[str], given: argparse.Namespace
) -> Answer:
    files = [str(folder / f"{name}.csv") for name in ("train", "control", release)]
    command = [str(python), str(HERE / "peers" / script), *files, str(given.targets), str(given.limit), *columns]
    ran = run_timed(command, together=True)
    lines = pd.DataFrame([json.loads(line) for line in ran.printed.splitlines()])
    if ran.problem or lines.empty:
        return Answer(0, 0, float("nan"), ran.problem, ran)
    limits = [(low, high) for low, high in lines["limits"].dropna()]
    said = "" if limits else f"protection {lines['value'].min():.2f} to {lines['value'].max():.2f}"
    ran = Ran(float(lines["seconds"].sum()), ran.megabytes, "", "")
    return _answer(limits, len(lines), said, ran)


def _answer(limits: Sequence[tuple[float, float]], asked: int, said: str, ran: Ran) -> Answer:
    width = float(np.mean([high - low for low, high in limits])) if limits else float("nan")
    return Answer(asked, sum(low > 0 for low, _ in limits), width, said, ran)


def _line(release: str, tool: str, answer: Answer) -> None:
    ran = answer.ran
    flagged = f"{answer.flagged} of {answer.asked}" if answer.width == answer.width else f"- of {answer.asked}"
    each = f"{ran.seconds / answer.asked:9.2f}" if answer.asked else f"{'-':>9}"
    print(
        f"{release:10} {tool:18} {flagged:>9} {answer.width:7.3f} {ran.seconds:8.1f} {each} {ran.megabytes:6.0f}  "
        f"{answer.said}",
        flush=True,
    )


if __name__ == "__main__":
    one_sentence(main)
