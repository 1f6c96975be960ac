"""Whether the tests of claims find the planted bugs and let honest versions pass; and the bench that measures it."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from tests.verifying.planted.cases import CASES

NAMES = (
    "noise too small",
    "bounds learnt from the data",
    "noise kept from release to release",
    "rare cells filled with real rows",
    "hash and noise share a seed",
)
QUICK = [case for case in CASES if case.name in NAMES]


@pytest.mark.parametrize("case", QUICK, ids=[case.name for case in QUICK])
def test_a_bug_is_caught_and_its_honest_version_is_not_accused(case):
    caught, passed = case.test(case.buggy, seed=5), case.test(None, seed=5)
    assert caught["p_value"] < 0.05
    assert caught["epsilon_lower_bound"] > caught["claimed"]
    assert passed["p_value"] >= 0.05
    assert passed["epsilon_lower_bound"] <= passed["claimed"]
    assert caught["claimed"] == passed["claimed"]


def test_every_family_has_its_bugs_and_every_bug_its_sizes():
    assert len(CASES) >= 12
    assert {case.family for case in CASES} == {"histogram", "marginals", "ldp"}  # deep ones: test_deep_bugs.py
    assert len({case.name for case in CASES}) == len(CASES)
    for case in CASES:
        assert len({size.label for size in case.sizes}) == len(case.sizes)
        assert case.buggy in case.sizes


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_every_bug_is_caught_in_95_of_100(case):
    caught = sum(case.test(case.buggy, seed=seed)["p_value"] < 0.05 for seed in range(60))
    # all but three of 60
    assert caught >= 57


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_no_honest_version_is_accused_more_often_than_stated(case):
    accused = sum(case.test(None, seed=seed)["p_value"] < 0.05 for seed in range(300))
    assert accused <= 15 + 3 * math.sqrt(300 * 0.05 * 0.95)


SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "bench" / "planted_bugs.py"


def call(*arguments, cwd):
    return subprocess.run([sys.executable, SCRIPT, *arguments], cwd=cwd, capture_output=True, text=True, check=False)


def test_the_bench_prints_a_table_and_takes_up_where_it_stopped(tmp_path):
    arguments = ["bounds learnt from the data", "--repeats", "2", "--honest", "2", "--out", "kept"]
    done = call(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "4 tests to make, 0 made before" in done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith(arguments[0]))
    assert line.split()[-6:] == ["2/2", "0.224", "always", "(2/2)", "0/2", "1"]
    # a line that an interruption cut off is measured again
    tests = tmp_path / "kept" / "tests.jsonl"
    lines = tests.read_text().splitlines()
    tests.write_text("\n".join([*lines[:3], lines[3][:40]]) + "\n")
    again = call(*arguments, cwd=tmp_path)
    assert "1 tests to make, 3 made before" in again.stderr
    assert again.stdout.split()[-9:] == done.stdout.split()[-9:]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [(["noise to small"], "did you mean 'noise too small'"), (["--repeats", "0"], "numbers from 1; got 0, 300 and 1")],
)
def test_what_the_bench_cannot_do_is_one_sentence(wrong, said, tmp_path):
    done = call(*wrong, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert said in done.stderr
