"""Plugins: found by entry point, a third party's too; bad names and parameters are one sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from privbench import registry
from privbench.code_digest import code_digest
from privbench.errors import InputError

PLUGIN = '''
"""A third party's attack and defense."""
from dataclasses import dataclass

import numpy as np

from privbench.contracts import Guess
from privbench.release import SyntheticTable


@dataclass(frozen=True)
class FirstValue:
    """Guess the first value of the domain.

    Parameters
    ----------
    sure : bool
        Whether to be certain.

    References
    ----------
    Nobody, "Nothing", 2026.
    """

    sure: bool = True

    def skip(self, view):
        return None

    def infer(self, view, *, rng):
        answers = {}
        for secret in view.secrets:
            answer = np.zeros((len(view.targets), secret.size))
            answer[:, 0] = 1
            answers[secret.name] = answer
        return Guess(answers)


@dataclass(frozen=True)
class Half:
    """Publish the first half of the rows.

    References
    ----------
    Nobody, "Nothing", 2026.
    """

    def release(self, train, *, rng):
        return SyntheticTable(train.take(np.arange(len(train) // 2)), private_records=len(train))
'''

PROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "third-party"
version = "1.0"
[project.entry-points."privbench.attacks"]
first-value = "third_party_plugin:FirstValue"
[project.entry-points."privbench.defenses"]
half = "third_party_plugin:Half"
[tool.setuptools]
py-modules = ["third_party_plugin"]
"""


@pytest.fixture(scope="module")
def third_party(tmp_path_factory) -> Path:
    """Install a tiny package into a folder of its own, with pip, as its users would."""
    source, site = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    (source / "third_party_plugin.py").write_text(PLUGIN)
    (source / "pyproject.toml").write_text(PROJECT)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target"]
    subprocess.run([*install, str(site), str(source)], check=True, capture_output=True)
    return site


def run_with(site: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    code = f"import sys; sys.path.insert(0, {str(site)!r}); from privbench.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=cwd, check=False
    )


def test_a_third_partys_plugin_is_listed_with_its_package(third_party, tmp_path):
    listed = run_with(third_party, "list", "attacks", "first-value", cwd=tmp_path)
    assert listed.returncode == 0, listed.stderr
    for words in ("first-value", "third-party", "Guess the first value", "sure: bool = True", "Nobody"):
        assert words in listed.stdout


def test_a_third_partys_plugin_runs_beside_the_built_in_ones(third_party, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(
        "secrets: [sex]\nrecords: 300\ngames: [{name: randomised, targets: 100}]\ndefenses: [half]\n"
        "attacks: [first-value, nearest-neighbour]\n"
    )
    done = run_with(third_party, "run", str(config), "--workers", "1", "--out", "results", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    import pandas as pd

    rows = pd.concat(pd.read_parquet(path) for path in (tmp_path / "results" / "cells").glob("*.parquet"))
    rows = rows[(rows["metric"] == "accuracy") & rows["group"].isna()].set_index("attack")
    assert set(rows.index) == {"first-value", "nearest-neighbour"}
    assert rows.loc["first-value", "value"] == pytest.approx(0.5, abs=0.2)
    assert rows.loc["nearest-neighbour", "value"] > rows.loc["first-value", "value"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: registry.load("attacks", "forst"), ["unknown attack 'forst'", "privbench list attacks"]),
        (lambda: registry.load("attacks", "random-forst"), ["did you mean 'random-forest'"]),
        (lambda: registry.make("defenses", "ldp", {"epsilom": 1}), ["'epsilom'", "did you mean 'epsilon'"]),
        (lambda: registry.make("defenses", "ldp", {"epsilon": "much"}), ["'ldp'", "epsilon", "'much'"]),
        (lambda: registry.make("defenses", "ldp", {"epsilon": 0}), ["epsilon", "positive", "0"]),
        (lambda: registry.make("games", "holdout", {"targets": 0}), ["targets", "at least 1", "0"]),
    ],
)
def test_a_bad_name_or_parameter_is_one_sentence(call, words):
    with pytest.raises(InputError) as caught:
        call()
    assert all(word in str(caught.value) for word in words), caught.value


def test_an_entry_point_that_leads_nowhere_hides_no_other(tmp_path):
    (tmp_path / "lost-1.0.dist-info").mkdir()
    (tmp_path / "lost-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: lost\nVersion: 1.0\n")
    (tmp_path / "lost-1.0.dist-info" / "entry_points.txt").write_text("[privbench.attacks]\nlost = nowhere:Lost\n")
    done = run_with(tmp_path, "list", "attacks", cwd=tmp_path)
    assert done.returncode == 0
    assert "lost  (not usable: attack 'lost' of lost cannot be imported from nowhere:Lost" in done.stdout
    assert "random-forest" in done.stdout
    done = run_with(tmp_path, "list", "attacks", "lost", cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_a_code_digest_covers_imports_of_the_plugins_own_package(tmp_path, monkeypatch):
    package = tmp_path / "digested"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "part.py").write_text("A = 1\n")
    (package / "other.py").write_text("B = 1\n")
    (package / "plugin.py").write_text("def f():\n    from digested.part import A\n    return A\n")
    monkeypatch.syspath_prepend(tmp_path)
    import importlib

    plugin = importlib.import_module("digested.plugin")
    monkeypatch.setattr(registry, "load", lambda kind, name: plugin.f)
    first = code_digest("attacks", "x")
    (package / "other.py").write_text("B = 2\n")
    assert code_digest("attacks", "x") == first
    (package / "part.py").write_text("A = 2\n")
    assert code_digest("attacks", "x") != first
