"""README's commands, configs and code run as they stand; what is appended only makes a run small."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
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
SMALL_AUDIT = ["--targets", "60", "--attacks", "nearest-neighbour", "--workers", "1", "--quiet"]
SMALL_TEST = ["--runs", "600", "--workers", "1", "--quiet"]
SMALL_RUN = ["--seeds", "1", "--set", "records=400", "--set", "games=[{name: holdout, targets: 40}]"]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)


def commands() -> list[str]:
    lines = [line.partition("  #")[0].strip() for block in blocks("bash") for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("source ")]


def said_status(line: str) -> int:
    """Return the exit status that README's comment on a command says, 0 without one."""
    (comment,) = {whole.partition("  #")[2] for whole in TEXT.splitlines() if whole.startswith(line)}
    return int(found[1]) if (found := re.search(r"ends with status (\d)", comment)) else 0


def own_generators(folder: Path) -> None:
    """Write README's own generators, and a file of people, where a user would have them."""
    for block in blocks("python"):
        if named := re.match(r"# (my_\w+\.py)\n", block):
            (folder / named[1]).write_text(block)
    records = registry.load("datasets", "adult")().records
    records.take(np.arange(3000)).to_frame().to_csv(folder / "people.csv", index=False)


def python(mark: str) -> str:
    """Return the one block of Python with these words in it."""
    (block,) = (block for block in blocks("python") if mark in block)
    return block


def config(mark: str) -> str:
    """Return the one config with these words in it."""
    (block,) = (block for block in blocks("yaml") if mark in block)
    return block


def call(*arguments: str, cwd: Path, status: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=cwd, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def test_it_starts_with_the_two_scripts_and_they_exist():
    assert [shlex.split(line)[1] for line in commands()[:2]] == ["scripts/demo.sh", "scripts/test.sh"]
    assert all((ROOT / shlex.split(line)[1]).exists() for line in commands()[:2])


def test_the_command_line_runs_as_written(tmp_path):
    lines = [line for line in commands() if line.startswith("privbench ") and " verify " not in line]
    assert len(lines) >= 5
    example_files(tmp_path)
    for line in lines:
        command, _, target = line.partition(" > ")
        words = shlex.split(command)[1:]
        small = SMALL_AUDIT if words[0] == "audit" else []
        small = SMALL_RUN if words[0] == "run" and "--print-config" not in words else small
        done = call("-m", "privbench", *words, *small, cwd=tmp_path)
        if target:
            (tmp_path / target).write_text(done.stdout)
    assert (tmp_path / "page.html").stat().st_size > 1e6


@pytest.mark.parametrize("line", [line for line in commands() if line.startswith("privbench verify ")])
def test_a_claim_is_tested_as_written(line, tmp_path):
    own_generators(tmp_path)
    done = call("-m", "privbench", *shlex.split(line)[1:], *SMALL_TEST, cwd=tmp_path, status=said_status(line))
    assert ("refuted" if said_status(line) else "No violation found") in done.stdout


def test_the_job_for_continuous_integration_runs_as_written(tmp_path):
    example_files(tmp_path)
    job = yaml.safe_load(config("runs-on"))
    words = shlex.split(job["jobs"]["audit"]["steps"][-1]["run"].replace("$GITHUB_STEP_SUMMARY", "summary.md"))
    assert words[0] == "privbench"
    done = call("-m", *words, *SMALL_AUDIT, cwd=tmp_path, status=1)
    assert "above the threshold" in done.stderr
    assert "word for word" in (tmp_path / "summary.md").read_text()


def example_files(folder: Path) -> None:
    """Write the three files of an audit as README says."""
    (line,) = (line for line in commands() if "example_files.py" in line)
    script, *words = shlex.split(line)[1:]
    assert "synthetic.csv: 400 records" in call(str(ROOT / script), *words, "--records", "400", cwd=folder).stdout


@pytest.mark.parametrize(
    "line", [line for line in commands() if line.startswith("python ") and "example_files.py" not in line]
)
def test_a_script_runs_as_written(line, tmp_path):
    own_generators(tmp_path)
    words = shlex.split(line)[1:]
    assert "Report:" in call(str(ROOT / words[0]), *words[1:], *SMALL, cwd=tmp_path).stdout


def test_the_python_example_runs_as_written(tmp_path):
    (tmp_path / "example.py").write_text(python('out="python-results"'))
    done = call("example.py", cwd=tmp_path)
    assert "random-forest" in done.stdout
    assert (tmp_path / "python-results" / "report.html").exists()


def test_the_config_for_an_own_file_runs_as_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own_generators(tmp_path)
    result = privbench.run(yaml.safe_load(config("path: people.csv")), out=tmp_path / "out", workers=1, quiet=True)
    assert len(result.failures) == 0
    assert "resample" in set(result.leaderboard["defense"])


@pytest.mark.skipif(find_spec("sdv") is None, reason="the extra `generators` is not installed")
def test_own_generators_run_as_written_in_a_config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # "python" in the command is the interpreter that the tests run in
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    own_generators(tmp_path)
    result = privbench.run(
        {
            **yaml.safe_load(config("my_program.py")),
            "records": 400,
            "seeds": 1,
            "games": [{"name": "holdout", "targets": 40}],
        },
        out=tmp_path / "out",
        workers=1,
        quiet=True,
    )
    assert len(result.failures) == 0
    assert {name.split()[0] for name in result.leaderboard["defense"]} == {"callable", "command", "sdv", "mst"}


@pytest.mark.skipif(find_spec("sdv") is None, reason="the extra `generators` is not installed")
def test_own_generators_run_as_written_in_python(tmp_path):
    own_generators(tmp_path)
    (tmp_path / "example.py").write_text(python("metadata = "))
    done = call("example.py", cwd=tmp_path)
    assert "callable" in done.stdout
    assert "sdv" in done.stdout


def test_the_attacks_shown_run_as_written(tmp_path):
    shown = yaml.safe_load(config("attacks:\n  - random-forest"))
    small = {"records": 300, "secrets": ["sex"], "games": [{"name": "holdout", "targets": 20}], "seeds": 1}
    plan = {"dataset": "adult", **small, "defenses": ["resample"], **shown}
    result = privbench.run(plan, out=tmp_path / "out", workers=1, quiet=True)
    assert len(result.failures) == 0
    assert result.frame["attack"].nunique() == 4


def test_the_collections_shown_run_as_written(tmp_path):
    plan = yaml.safe_load(config("memoise: true"))
    games = [{**game, "targets": 30} for game in plan["games"]]
    small = {"records": 400, "seeds": 1, "games": games, "downstream": {"models": ["debiased-naive-bayes"]}}
    result = privbench.run({**plan, **small}, out=tmp_path / "out", workers=1, quiet=True)
    assert len(result.failures) == 0
    attacks = set(result.leaderboard["attack"].str.split(" ").str[0])
    assert attacks == {"report-bayes", "report-joint", "sampled-column", "averaging", "reidentification"}


def test_every_attack_is_named():
    assert set(registry.names("attacks")) <= set(re.findall(r"`([\w-]+)`", TEXT))


def test_every_defense_stands_in_the_table():
    named = set(re.findall(r"`([\w-]+)`", TEXT[TEXT.index("| Family |") : TEXT.index("Domains and bounds come")]))
    assert named - {"epsilon"} == set(registry.names("defenses"))


def test_the_example_of_a_plugin_keeps_the_contract():
    namespace: dict[str, object] = {}
    exec(compile(python("class FirstValue"), "README.md", "exec", dont_inherit=True), namespace)
    attack = namespace["FirstValue"]()
    assert isinstance(attack, Attack)
    round_ = registry.make("games", "holdout", {"targets": 20, "records": 100}).play(
        people(), ("ill",), rng=stream(0, "game")
    )
    view = round_.view(registry.make("defenses", "resample", {}).release(round_.train, rng=stream(0)))
    assert attack.skip(view) is None
    attack.infer(view, rng=stream(0)).check(view)
