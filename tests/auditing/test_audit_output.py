"""What `privbench audit` writes, and its exit status, do not depend on who reads what it prints."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.people import people

FILES = {"report.html", "summary.md", "audit.json", "figures.parquet", "exposed.csv"}
CROSSED = ("--fail-above", "copies=0.3")


@pytest.fixture
def files(tmp_path):
    """Write a training file, a control file, and a release of which half stands in the training file."""
    frame = people(900, 0).records.to_frame()
    frame[:300].to_csv(tmp_path / "train.csv", index=False)
    frame[300:600].to_csv(tmp_path / "control.csv", index=False)
    pd.concat([frame[:150], frame[600:750]]).to_csv(tmp_path / "synthetic.csv", index=False)
    return tmp_path


def audited(folder, *more, stdout=subprocess.PIPE, stderr=subprocess.PIPE, closed=False):
    """Run a small audit in a process of its own, with the standard output given, or closed from the start."""
    command = [
        *(sys.executable, "-m", "privbench", "audit", "synthetic.csv", "--train", "train.csv", "--control"),
        *("control.csv", "--attacks", "cap", "--targets", "60", "--workers", "1", "--quiet", *more),
    ]
    if closed:
        command = ["sh", "-c", 'exec "$@" >&-', "sh", *command]
    return subprocess.run(command, cwd=folder, stdout=stdout, stderr=stderr, text=True, check=False)


@pytest.fixture
def left():
    """Return the end of a pipe that nobody reads any more."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@pytest.mark.parametrize(
    ("more", "status"), [((), 0), (CROSSED, 1), (("--json", *CROSSED), 1)], ids=["fine", "crossed", "json"]
)
def test_a_reader_that_leaves_loses_no_file_and_the_thresholds_make_the_status(files, left, more, status):
    done = audited(files, *more, "--markdown", "job.md", stdout=left)
    assert done.returncode == status, done.stderr
    assert ("above the threshold" in done.stderr) == bool(status)
    assert not any(word in done.stderr for word in ("Traceback", "Broken pipe", "Exception ignored"))
    assert {path.name for path in (files / "privbench-audit").iterdir()} == FILES
    summary = (files / "privbench-audit" / "summary.md").read_text()
    before, _, after = (files / "job.md").read_text().partition("### Thresholds\n\n- **above the threshold**: copies")
    assert bool(after) == bool(status)
    assert summary.startswith(before)
    assert summary.endswith(after.partition("\n\n")[2])


def test_a_reader_of_both_outputs_may_leave_too(files, left):
    assert audited(files, *CROSSED, stdout=left, stderr=left).returncode == 1
    unmeasured = ("--secret", "sex", "--fail-above", "within_tolerance_advantage=0.5")
    assert audited(files, *unmeasured, stdout=left, stderr=left).returncode == 2
    assert {path.name for path in (files / "privbench-audit").iterdir()} == FILES


@pytest.mark.skipif(os.name != "posix", reason="closes the output as a shell does")
def test_an_output_that_is_closed_from_the_start_is_nobodys(files):
    done = audited(files, *CROSSED, "--markdown", "job.md", closed=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert {path.name for path in (files / "privbench-audit").iterdir()} == FILES
    assert (files / "job.md").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk to write to")
def test_an_output_that_cannot_be_written_is_one_sentence_and_status_2(files):
    with Path("/dev/full").open("w") as full:
        done = audited(files, "--json", stdout=full)
    assert done.returncode == 2
    assert done.stderr.startswith("error: standard output cannot be written")
    assert len(done.stderr.strip().splitlines()) == 1
