"""The three everyday scripts: --help, Adult, and a user's own file."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.people import people

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
USES = {
    "benchmark_generator.py": ["independent-histogram", "--epsilon", "1", "--secret"],
    "ldp_budgets.py": ["--epsilon", "1", "4", "--columns"],
    "compare_defenses.py": ["resample", "ldp", "--secret"],
}


def call(script: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPTS / script), *arguments], capture_output=True, text=True, cwd=cwd, check=False
    )


@pytest.mark.parametrize("script", USES)
def test_a_script_is_short_and_uses_the_public_interface_only(script):
    text = (SCRIPTS / script).read_text()
    assert len(text.splitlines()) < 60
    imported = {
        alias.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import) for alias in node.names
    }
    assert "privbench" in imported
    assert not any(name.startswith("privbench.") for name in imported)
    assert "from privbench" not in text


@pytest.mark.parametrize("script", USES)
def test_bad_input_is_one_sentence_and_status_2(script, tmp_path):
    done = call(script, *USES[script], "marital_status", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: unknown")
    assert "did you mean 'marital-status'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("script", USES)
def test_help_has_an_example(script, tmp_path):
    done = call(script, "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert f"python scripts/{script}" in done.stdout


@pytest.mark.parametrize("script", USES)
@pytest.mark.parametrize("own_file", [False, True], ids=["adult", "own file"])
def test_a_script_prints_a_leaderboard_and_writes_a_report(script, own_file, tmp_path):
    arguments = [*USES[script], "ill" if own_file else "marital-status", "--seeds", "1", "--targets", "50"]
    arguments += ["--records", "300"]
    if own_file:
        people(500, 1).records.to_frame().to_csv(tmp_path / "own.csv", index=False)
        data = ["own.csv"] if script == "ldp_budgets.py" else ["--data", "own.csv"]
        arguments = [*data, *arguments, "--label", "income", "--group", "sex"]
    done = call(script, *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Report:" in done.stdout
    (page,) = (tmp_path / "privbench-results").glob("*/report.html")
    assert "accuracy" in page.read_text()


@pytest.mark.parametrize("how", [[], ["--scale"]], ids=["side by side", "scale"])
def test_the_speed_of_attacks_is_measured(how, tmp_path):
    attacks = ["cap", 'nearest-neighbour:{"neighbours": 5}']
    done = call("bench/attack_speed.py", "--quick", *how, *attacks, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.iterdir())
    lines = [line for line in done.stdout.splitlines() if line.startswith(tuple(attacks))]
    assert len(lines) == (4 if how else 2)
    for line in lines:
        name = next(attack for attack in attacks if line.startswith(attack))
        *numbers, right, given = line.removeprefix(name).split()
        assert all(float(number.replace(",", "")) >= 0 for number in numbers)
        assert 0.2 < float(right) <= 1
        assert 0 < float(given.strip("()")) <= 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["forst"], "did you mean 'random-forest'"),
        (["cap:{bins}"], "are not JSON"),
        (["cap:3"], "must be a JSON object"),
        (["cap", "--known", "agee"], "did you mean 'age'"),
        (["cap", "--known", "income", "--secrets", "income"], "known and secret at once"),
        (["cap", "--ordinal", "sex"], "only columns of numbers"),
        (["cap", "--ordinal", "fnlwgt"], "neither known nor secret"),
        (["cap", "--targets", "0"], "got 0 and"),
        (["cap", "--release", "ldp"], "does not release 2000 rows"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(arguments, said, tmp_path):
    done = call("bench/attack_speed.py", "--quick", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    _, error = done.stderr.splitlines()
    assert error.startswith("error: ")
    assert said in error


def test_generators_are_measured_side_by_side(tmp_path):
    defenses = ["independent-histogram", "resample", 'mst:{"epsilon": -1}']
    done = call("bench/generators.py", "--records", "300", *defenses, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.iterdir())
    *lines, failed = done.stdout.splitlines()[2:]
    for line, name in zip(lines, defenses[:2], strict=True):
        process, work, megabytes, *distances = map(float, line.removeprefix(name).split())
        assert process > work
        assert megabytes > 50
        assert all(0 < distance < 1 for distance in distances)
    assert failed.startswith(defenses[-1])
    assert "failed: defense 'mst': epsilon" in failed


def test_the_genuine_column_is_found_and_timed(tmp_path):
    done = call("bench/genuine_column.py", "--people", "2000", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = {line.split()[0]: float(line.split()[-1]) for line in done.stdout.splitlines()[1:]}
    # published: .24, .97, .53; 4 standard errors of 2,000 people, and .01 for shares that are not the census's
    assert abs(found["Sue"] - 0.97) < 0.025
    assert abs(found["Oue"] - 0.53) < 0.055
    assert abs(found["Grr"] - 0.24) < 0.055


def test_an_audit_is_tried_on_releases_whose_answer_is_known(tmp_path):
    out = tmp_path / "calibration.jsonl"
    arguments = [
        "bench/audit_calibration.py",
        "bootstrap",
        "independent",
        "--quick",
        "--workers",
        "1",
        "--out",
        str(out),
    ]
    done = call(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(out.read_text().splitlines()) == 4
    again = call(*arguments, cwd=tmp_path)  # what stands in the file is not run again
    assert again.stdout == done.stdout
    assert len(out.read_text().splitlines()) == 4


def test_an_audit_stands_beside_peers(tmp_path):
    sizes = ["--records", "400", "--rows", "600", "--targets", "60", "--copied", ".2"]
    done = call("bench/audit_beside_peers.py", "--releases", "copied", *sizes, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("copied"))
    assert " of 15 " in line
    assert "copies" in line.split("  ")[-1]  # of 120 records, which is said first
    assert not list(tmp_path.iterdir())


def test_example_files_are_three_and_a_release_without_rows_is_refused(tmp_path):
    done = call("example_files.py", "resample", "--records", "50", "--out", "files", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "files").iterdir()} == {"train.csv", "control.csv", "synthetic.csv"}
    train, control, synthetic = (
        (tmp_path / "files" / f"{name}.csv").read_text().splitlines()[1:] for name in ("train", "control", "synthetic")
    )
    assert set(synthetic) <= set(train)
    assert not set(control) & set(train)
    for arguments in (["resample", "--records", "1"], ["nothing"]):
        done = call("example_files.py", *arguments, cwd=tmp_path)
        assert done.returncode == 2
        assert done.stderr.startswith("error: ")
        assert len(done.stderr.splitlines()) == 1
