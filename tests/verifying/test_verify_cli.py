"""`privbench verify`: exit status 0, 1 and 2, and what is printed."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from privbench.cli import app
from privbench.errors import InputError

COPY = "def copy(train, rng):\n    return train\n"


def run(*arguments):
    return CliRunner().invoke(app, ["verify", *map(str, arguments)])


def test_no_violation_is_status_0():
    done = run("independent-histogram", "--runs", "800", "--workers", "1", "--quiet", "--set", "epsilon=2")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("No violation found")
    assert "epsilon 2" in done.stdout


def test_a_refuted_claim_is_status_1_and_json_is_json(tmp_path):
    (tmp_path / "mine.py").write_text(COPY)
    options = ("--epsilon", "1", "--delta", "1e-6", "--method", "one-run", "--runs", "2", "--quiet", "--json")
    options += ("--targets", "100")
    done = run(f"{tmp_path}/mine.py:copy", *options)
    assert done.exit_code == 1, done.output
    plain = json.loads(done.stdout)
    assert plain["refuted"] is True
    assert plain["claim"]["delta"] == 1e-6


@pytest.mark.parametrize("code", ["", "0", "3"])
def test_a_function_that_ends_the_program_is_a_sentence(code, tmp_path):
    (tmp_path / "mine.py").write_text(f"import sys\ndef ends(train, rng):\n    sys.exit({code})\n")
    done = run(f"{tmp_path}/mine.py:ends", "--epsilon", "1", "--quiet")
    assert isinstance(done.exception, InputError), "main() turns it into one sentence and status 2"
    assert f"'ends' ended the program (exit {code or 0})" in str(done.exception)
    (tmp_path / "script.py").write_text(f"import sys\ndef ends(train, rng):\n    return train\nsys.exit({code})\n")
    done = run(f"{tmp_path}/script.py:ends", "--epsilon", "1", "--quiet")
    assert isinstance(done.exception, InputError)
    assert "when it was loaded" in str(done.exception)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("resample",), "claims no guarantee"),
        ((), "one of the two"),
        (("resample", "--command", "x {train} {out}"), "one of the two"),
        (("--command", "cp {train}"), "lacks {train} or {out}"),
        (("independent-histogram", "--set", "epsilon"), "key=value"),
        (("independent-histogram", "--set", "epsilom=1"), "did you mean 'epsilon'"),
    ],
)
def test_bad_usage_is_a_sentence(arguments, said):
    done = run(*arguments, "--quiet")
    assert isinstance(done.exception, InputError), "main() turns it into one sentence and status 2"
    assert said in str(done.exception)
    assert done.stdout == ""
