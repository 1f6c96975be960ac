"""Seconds and memory of a whole audit of large files, that of all its processes together.

The files are those of three_files.py: numbers, text of few and of many values, dates and identifiers, missing cells.

Example: python scripts/bench/audit_scale.py --rows 1000000 --columns 50 --time-limit 600
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from processes import run_timed

from privbench import one_sentence
from privbench.errors import InputError

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Write three files in another process, audit them by the command line, and print what that took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="of each file")
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--targets", type=int, default=2000)
    parser.add_argument("--time-limit", type=float, help="seconds, as of an audit; default none")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sizes = ["--rows", str(given.rows), "--columns", str(given.columns), "--ending", "parquet"]
        subprocess.run([sys.executable, str(HERE / "three_files.py"), *sizes, "--write", folder], check=True)
        paths = {role: str(Path(folder) / f"{role}.parquet") for role in ("train", "synthetic", "control")}
        command = [sys.executable, "-m", "privbench", "audit", paths["synthetic"], "--train", paths["train"]]
        command += ["--control", paths["control"], "--targets", str(given.targets), "--workers", str(given.workers)]
        command += ["--out", str(Path(folder) / "out"), "--json", "--quiet"]
        command += [] if given.time_limit is None else ["--time-limit", str(given.time_limit)]
        ran = run_timed(command, together=True)
    if ran.problem:
        raise InputError(f"the audit {ran.problem}")
    found = json.loads(ran.printed)
    asked = [one for one in found["columns"] if one["advantage"] is not None]
    print(
        f"3 files of {given.rows:,} rows x {given.columns} columns: {ran.seconds:.0f} s, {ran.megabytes:,.0f} MB; "
        f"{len(asked)} columns asked, {len(found['columns']) - len(asked)} not"
    )
    for note in found["notes"]:
        if "sample" in note or "attacked" in note or "time limit" in note:
            print(f"  {note[:200]}")


if __name__ == "__main__":
    one_sentence(main)
