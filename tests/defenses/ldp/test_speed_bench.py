"""The script that measures the protocols, without its peers."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "bench" / "ldp_speed.py"


def call(*arguments, cwd):
    return subprocess.run([sys.executable, SCRIPT, *arguments], cwd=cwd, capture_output=True, text=True, check=False)


def test_protocols_are_measured_side_by_side(tmp_path):
    done = call("--people", "2000", "--sizes", "3", "9", "--epsilons", "2", "--seconds", "0.01", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.iterdir())
    lines = [line.split() for line in done.stdout.splitlines()[2:]]
    names = ["GRR", "SUE", "OUE", "THE", "SS", "BLH", "OLH"]
    assert [line[:3] for line in lines] == [[size, "2", name] for size in ("3", "9") for name in names]
    for *_, both, randomise, estimate, error in lines:
        assert 0 < float(randomise) + float(estimate) < 2 * float(both)
        # thousandths; one standard error of the noisiest is 35
        assert 0 < float(error) < 150


def test_memory_of_many_reports_is_measured(tmp_path):
    done = call("--large", "SS", "--people", "30000", "--sizes", "20", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    size, epsilon, randomise, estimate, _, peak, before, error = map(float, done.stdout.splitlines()[-1].split())
    assert (size, epsilon) == (20, 1)
    assert max(estimate, randomise) < 10
    assert before <= peak < 1000
    assert error < 5


@pytest.mark.parametrize("wrong", [["--sizes", "1"], ["--large", "--people", "-1"]])
def test_what_cannot_be_measured_is_one_sentence(wrong, tmp_path):
    done = call(*wrong, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: at least one person, two values and a positive epsilon are needed; got ")
