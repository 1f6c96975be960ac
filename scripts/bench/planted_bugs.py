"""How surely `privbench.verify` finds planted bugs, how small they may be, and how often it accuses honest versions.

Every test has a seed of its own. A size of a bug counts as caught where its claim is refuted in 95 % of the tests;
'at least' is the lower 95 % confidence limit of that share (Clopper-Pearson, one-sided). The honest version of each bug
may be accused in 5 % of the tests, and three standard errors more.

Example: python scripts/bench/planted_bugs.py "noise too small" "weights clipped after the sum" --repeats 20 --honest 20
         python scripts/bench/planted_bugs.py --workers 2
What was measured is kept in --out, one line a test, and is not measured again: take a new folder for changed code.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from privbench.errors import InputError, one_sentence, unknown

# the mechanisms stand beside the tests that hold them to their definitions; tests are not installed
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.verifying.planted.case import Case, Size
from tests.verifying.planted.cases import CASES

LEVEL = 0.05
# tests made by one task: enough that starting it costs nothing, few enough that an interruption loses little
_BATCH = 5
# tests of a mechanism before the next one's turn
_ROUND = 20


@dataclass(frozen=True)
class Task:
    """A few tests of one mechanism.

    Parameters
    ----------
    case : Case
        The bug.
    size : Size or None
        Of the bug; None for the honest version.
    seeds : tuple of int
        One a test.
    """

    case: Case
    size: Size | None
    seeds: tuple[int, ...]

    @property
    def key(self) -> str:
        """What is tested, and how: tests of the same key differ in their seeds alone."""
        defense = self.case.honest if self.size is None else self.size.defense
        columns = self.case.dataset(self.size).records.schema.columns
        shape = ", ".join(f"{column.name} {column.size if column.discrete else 'number'}" for column in columns)
        named = re.sub(r"<function (\w+) at 0x[0-9a-f]+>", r"\1", repr(defense))  # addresses change with every process
        return f"{named} on {shape} by {self.case.method}, {self.case.runs} runs"

    def run(self) -> list[dict[str, Any]]:
        """Make the tests."""
        return [{"key": self.key, "seed": seed, **self.case.test(self.size, seed=seed)} for seed in self.seeds]


def main() -> None:
    """Test what has not been tested yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", help="names of bugs, or of families; all by default")
    parser.add_argument("--out", type=Path, default=Path("privbench-results/planted"))
    parser.add_argument("--repeats", type=int, default=60, help="tests of every size of a bug")
    parser.add_argument("--honest", type=int, default=300, help="tests of every honest version")
    parser.add_argument("--stated", action="store_true", help="only the size that has to be caught")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--table", action="store_true", help="print what has been measured, and measure nothing")
    given = parser.parse_args()
    if min(given.repeats, given.honest) < 1 or given.workers < 1:
        raise InputError(
            f"repeats, honest and workers are numbers from 1; got {given.repeats}, {given.honest} and {given.workers}"
        )
    cases = _chosen(given.cases)
    file = given.out / "tests.jsonl"
    done = _read(file)
    if not given.table:
        tasks = list(_tasks(cases, done, given))
        print(f"{sum(len(task.seeds) for task in tasks):,} tests to make, {len(done):,} made before", file=sys.stderr)
        given.out.mkdir(parents=True, exist_ok=True)
        _make(tasks, file, workers=given.workers)
        done = _read(file)
    _print(cases, done)


def _chosen(names: list[str]) -> list[Case]:
    """Return the bugs of these names or families."""
    cases = [*CASES, *_deep()]
    allowed = [*dict.fromkeys(case.family for case in cases), *(case.name for case in cases)]
    for name in names:
        if name not in allowed:
            raise unknown("bug", name, allowed)
    return [case for case in cases if not names or case.name in names or case.family in names]


def _deep() -> Iterable[Case]:
    """Return the bugs of deep generators, which need the extra 'generators'."""
    if importlib.util.find_spec("torch") is None:
        print("without torch: the bugs of deep generators are left out", file=sys.stderr)
        return ()
    cases: Iterable[Case] = importlib.import_module("tests.verifying.planted.deep").DEEP_CASES
    return cases


def _tasks(cases: list[Case], done: dict[tuple[str, int], dict[str, Any]], given: argparse.Namespace) -> Iterator[Task]:
    """Yield what is left to test.

    They come in rounds of a few tests of each mechanism, the sizes that have to be caught first: whenever it is
    interrupted, a table can be printed in which nothing is missing altogether.
    """
    mechanisms: list[tuple[Case, Size | None, int]] = [(case, case.buggy, given.repeats) for case in cases]
    mechanisms += [(case, None, given.honest) for case in cases]
    if not given.stated:
        mechanisms += [
            (case, size, given.repeats) for case in cases for size in case.sizes if size.label != case.stated
        ]
    wanted = [
        (case, size, range(tests)[start : start + _ROUND])
        for start in range(0, max(given.repeats, given.honest), _ROUND)
        for case, size, tests in mechanisms
    ]
    asked = set(done)
    for case, size, seeds in wanted:
        key = Task(case, size, ()).key
        left = [seed for seed in seeds if (key, seed) not in asked]
        asked |= {(key, seed) for seed in left}  # honest versions that several bugs share are tested once
        for start in range(0, len(left), _BATCH):
            yield Task(case, size, tuple(left[start : start + _BATCH]))


def _make(tasks: list[Task], file: Path, *, workers: int) -> None:
    """Make the tests and write each down as soon as it is made."""
    from joblib import Parallel, delayed

    if workers == 1:
        parts: Iterable[list[dict[str, Any]]] = map(Task.run, tasks)
    else:
        parts = Parallel(n_jobs=workers, return_as="generator_unordered")(delayed(Task.run)(task) for task in tasks)
    for part in parts:
        with file.open("a", encoding="utf-8") as lines:
            lines.writelines(json.dumps(row) + "\n" for row in part)


def _read(file: Path) -> dict[tuple[str, int], dict[str, Any]]:
    """Return the tests made before; a last line that was cut off is left out."""
    found = {}
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        found[row["key"], row["seed"]] = row
    return found


def _print(cases: list[Case], done: dict[tuple[str, int], dict[str, Any]]) -> None:
    """Print a line for every bug."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for (key, _), row in done.items():
        rows.setdefault(key, []).append(row)
    print(
        f"{'bug':42}{'family':11}{'test':11}{'runs':>7}{'seconds':>9}  {'stated size':24}{'caught':>9}{'at least':>10}"
        f"  {'smallest size caught in 95 %':40}{'honest accused':>16}{'allowed':>9}"
    )
    for case in cases:
        stated = rows.get(Task(case, case.buggy, ()).key, [])
        honest = rows.get(Task(case, None, ()).key, [])
        both = [*stated, *honest]
        seconds = f"{np.median([row['seconds'] for row in both]):.2f}" if both else "-"
        runs = f"{np.median([row['runs'] for row in both]):.0f}" if both else "-"
        print(
            f"{case.name:42}{case.family:11}{case.method:11}{runs:>7}{seconds:>9}  {case.stated:24}"
            f"{_share(stated):>9}{_least(stated):>10}  {_smallest(case, rows):40}{_share(honest):>16}"
            f"{_allowed(len(honest)):>9}"
        )
    total = Counter(row["p_value"] < LEVEL for case in cases for row in rows.get(Task(case, None, ()).key, []))
    print(f"honest versions in all: {total[True]} of {total.total()} accused")


def _share(rows: list[dict[str, Any]]) -> str:
    return f"{_refuted(rows)}/{len(rows)}" if rows else "-"


def _refuted(rows: list[dict[str, Any]]) -> int:
    return sum(row["p_value"] < LEVEL for row in rows)


def _least(rows: list[dict[str, Any]]) -> str:
    """Return the lower limit of the share that is refuted."""
    from scipy.stats import binomtest

    if not rows:
        return "-"
    limit = binomtest(_refuted(rows), len(rows), alternative="greater").proportion_ci(0.95).low
    return f"{limit:.3f}"


def _smallest(case: Case, rows: dict[str, list[dict[str, Any]]]) -> str:
    """Return the smallest size from which on every larger one tested was caught in 95 % of the tests."""
    found = "-"
    for size in reversed(case.sizes):
        own = rows.get(Task(case, size, ()).key, [])
        if not own:
            continue
        if _refuted(own) < (1 - LEVEL) * len(own):
            break
        found = f"{size.label} ({_share(own)})"
    return found


def _allowed(tests: int) -> str:
    """Return how many false alarms are within three standard errors of 5 %."""
    return f"{math.floor(LEVEL * tests + 3 * math.sqrt(LEVEL * (1 - LEVEL) * tests))}"


if __name__ == "__main__":
    one_sentence(main)
