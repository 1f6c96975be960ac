"""README's commands, configs and code run as they stand; what is appended only makes a run small."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

import privbench
from privbench import registry
from privbench.contracts import Attack
from privbench.rng import stream
from tests.people import people

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text()
SMALL = ["--records", "400", "--targets", "40", "--seeds", "1"]
SMALL_RUN = ["--seeds", "1", "--set", "records=400", "--set", "games=[{name: holdout, targets: 40}]"]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)


def commands() -> list[str]:
    lines = [line.partition("  #")[0].strip() for block in blocks("bash") for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("source ")]


def call(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=cwd, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_it_starts_with_the_two_scripts_and_they_exist():
    assert [shlex.split(line)[1] for line in commands()[:2]] == ["scripts/demo.sh", "scripts/test.sh"]
    assert all((ROOT / shlex.split(line)[1]).exists() for line in commands()[:2])


def test_the_command_line_runs_as_written(tmp_path):
    lines = [line for line in commands() if line.startswith("privbench ")]
    assert len(lines) >= 4
    for line in lines:
        command, _, target = line.partition(" > ")
        words = shlex.split(command)[1:]
        small = SMALL_RUN if words[0] == "run" and "--print-config" not in words else []
        done = call("-m", "privbench", *words, *small, cwd=tmp_path)
        if target:
            (tmp_path / target).write_text(done.stdout)
    assert (tmp_path / "page.html").stat().st_size > 1e6


@pytest.mark.parametrize("line", [line for line in commands() if line.startswith("python ")])
def test_a_script_runs_as_written(line, tmp_path):
    words = shlex.split(line)[1:]
    assert "Report:" in call(str(ROOT / words[0]), *words[1:], *SMALL, cwd=tmp_path).stdout


def test_the_python_example_runs_as_written(tmp_path):
    (tmp_path / "example.py").write_text(blocks("python")[0])
    done = call("example.py", cwd=tmp_path)
    assert "random-forest" in done.stdout
    assert (tmp_path / "python-results" / "report.html").exists()


def test_the_config_for_an_own_file_runs_as_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    records = registry.load("datasets", "adult")().records
    records.take(np.arange(3000)).to_frame().to_csv("people.csv", index=False)
    result = privbench.run(yaml.safe_load(blocks("yaml")[0]), out=tmp_path / "out", workers=1, quiet=True)
    assert len(result.failures) == 0
    assert "resample" in set(result.leaderboard["defense"])


def test_the_example_of_a_plugin_keeps_the_contract():
    namespace: dict[str, object] = {}
    exec(compile(blocks("python")[1], "README.md", "exec", dont_inherit=True), namespace)
    attack = namespace["FirstValue"]()
    assert isinstance(attack, Attack)
    round_ = registry.make("games", "holdout", {"targets": 20, "records": 100}).play(
        people(), ("ill",), rng=stream(0, "game")
    )
    view = round_.view(registry.make("defenses", "resample", {}).release(round_.train, rng=stream(0)))
    assert attack.skip(view) is None
    attack.infer(view, rng=stream(0)).check(view)
