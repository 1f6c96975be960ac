"""The command line: help is quick, errors are one sentence with status 2, failures are status 1."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from privbench import registry
from privbench.cards import card_of
from privbench.scorers.metrics import METRICS

CONFIG = {
    "secrets": ["sex"],
    "records": 300,
    "games": [{"name": "holdout", "targets": 40}],
    "defenses": ["resample"],
    "attacks": ["majority", "nearest-neighbour"],
    "downstream": {"models": ["logistic-regression"]},
}


def privbench(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "privbench", *arguments], capture_output=True, text=True, cwd=cwd, check=False
    )


def test_help_imports_nothing_heavy(tmp_path):
    code = (
        "import sys\nfrom privbench.cli import main\nsys.argv = ['privbench', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'pandas', 'scipy', 'sklearn', 'torch', 'sdv', 'lightgbm', 'duckdb', 'plotly', 'pydantic'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert "HEAVY []" in done.stdout
    assert all(command in done.stdout for command in ("run", "report", "list"))


def test_the_core_runs_without_the_heavy_extras(tmp_path):
    """Hide the extras' packages: a run needs none of them, and a defense that does says how to install it."""
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({**CONFIG, "defenses": ["resample", "gaussian-copula"]}))
    code = (
        "import sys\n"
        "class Hide:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('torch', 'sdv', 'platformdirs', 'distributed', 'dask'):\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name.split('.')[0])\n"
        "sys.meta_path.insert(0, Hide())\n"
        "from privbench.cli import main\n"
        "sys.argv = ['privbench', 'run', 'config.yaml', '--workers', '1', '--quiet']\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 1, done.stderr
    assert "pip install 'privbench[generators]'" in " ".join(done.stdout.split())  # it may be wrapped between two words
    assert "without figures" in done.stderr


def test_run_prints_the_leaderboard_and_writes_the_report(tmp_path):
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    done = privbench("run", "config.yaml", "--workers", "1", "--seeds", "2", "--set", "records=250", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "resample" in done.stdout
    assert "nearest-neighbour" in done.stdout
    assert "privbench-results/report.html" in done.stdout
    manifest = yaml.safe_load((tmp_path / "privbench-results" / "run.json").read_text())
    assert manifest["seeds"] == [0, 1]
    assert yaml.safe_load(manifest["config"])["records"] == 250
    page = (tmp_path / "privbench-results" / "report.html").read_text()
    again = privbench("report", "privbench-results", "--out", "page.html", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "page.html").read_text() == page


def test_print_config_is_a_config_that_runs(tmp_path):
    done = privbench("run", "--print-config", cwd=tmp_path)
    assert done.returncode == 0
    assert yaml.safe_load(done.stdout)["dataset"] == "adult"
    assert "#" in done.stdout


@pytest.mark.parametrize("kind", ["attacks", "defenses", "games", "datasets"])
def test_list_shows_every_plugin_with_parameters_and_source(kind, tmp_path):
    done = privbench("list", kind, cwd=tmp_path)
    assert done.returncode == 0
    for name in registry.names(kind):
        card = card_of(kind, name)
        assert name in done.stdout
        assert card.summary in done.stdout
        assert card.source in done.stdout
        for parameter, _, default, meaning in card.parameters:
            assert parameter in done.stdout
            assert default in done.stdout
            assert meaning in done.stdout


def test_list_metrics(tmp_path):
    done = privbench("list", "metrics", cwd=tmp_path)
    assert done.returncode == 0
    assert all(metric.name in done.stdout for metric in METRICS)
    one = privbench("list", "metrics", "accuracy", cwd=tmp_path)
    assert "Range: 0 to 1; higher is worse. By chance: 1/k" in one.stdout
    assert "brier" not in one.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "missing.yaml"], ["missing.yaml", "--print-config"]),
        (["run", "--set", "records"], ["--set", "key=value"]),
        (["run", "--set", "recrods=5"], ["'recrods'", "did you mean 'records'"]),
        (["run", "--set", "records=[1"], ["not valid YAML"]),
        (["run", "--set", "attacks=[forest]"], ["unknown attack 'forest'"]),
        (["run", "--workers", "2", "--scheduler", "tcp://x:1"], ["exclude each other"]),
        (["run", "--workers", "0"], ["--workers"]),
        (["report", "."], ["no results"]),
        (["list", "atacks"], ["did you mean 'attacks'"]),
        (["list", "attacks", "forest"], ["unknown attack 'forest'"]),
        (["list", "metrics", "acuracy"], ["did you mean 'accuracy'"]),
        (["rum"], ["rum"]),
        (["run", "--sed", "1"], ["--sed"]),
    ],
)
def test_bad_usage_is_one_sentence_and_status_2(arguments, words, tmp_path):
    done = privbench(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert all(word in done.stderr for word in words), done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ["empty"]),
        ("a,b\n", ["people.csv", "no record"]),
        ("a,b\n1,2\n", ["people.csv", "one record"]),
        ("a,a\n1,2\n3,4\n", ["'a'"]),
        ("a,b\nx,1\nx,2\nx,3\n", ["'a'", "'x'"]),
    ],
)
def test_a_bad_file_is_one_sentence_and_nothing_is_written(content, words, tmp_path):
    (tmp_path / "people.csv").write_text(content)
    config = {**CONFIG, "dataset": {"path": "people.csv"}, "secrets": ["a"]}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    done = privbench("run", "config.yaml", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert all(word in done.stderr for word in words), done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"people.csv", "config.yaml"}
