"""What is printed has one width: that of the terminal or of COLUMNS, else 100 columns; tables are cut to fit it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from privbench.auditing.result import AuditResult
from privbench.claim import Adjacency, Claim
from privbench.record import to_frame
from privbench.report.console import print_columns
from privbench.result import Result
from privbench.verifying.verification import Test, Verification
from tests.auditing import example
from tests.report.figures_of_a_run import MANIFEST, whole_run

TEST = Test("local", 0.5, 0.1, 10, 1.0, "an event " * 40, claimed=1.0)
PRINTED = {
    "run": lambda path: Result(whole_run(), MANIFEST, path),
    "audit": lambda path: AuditResult(example.findings(), to_frame([])),
    "verification": lambda path: Verification(Claim(1.0, 0.0, Adjacency.LOCAL), (TEST,), to_frame([])),
}


@pytest.mark.parametrize("name", PRINTED)
@pytest.mark.parametrize(("columns", "width"), [(None, 100), ("70", 70)])
def test_a_pipe_has_100_columns_unless_columns_says_otherwise(monkeypatch, capsys, tmp_path, name, columns, width):
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    PRINTED[name](tmp_path).print()
    assert width - 15 < max(map(len, capsys.readouterr().out.splitlines())) <= width


def test_columns_that_do_not_fit_stand_in_a_table_below():
    console = Console(file=io.StringIO(), width=40, no_color=True)
    columns = {f"column-{place}": [f"+.{place}00*", "-"] for place in range(5)}
    print_columns(console, releases=["copy", "noisy"], columns=columns, width=40)
    lines = console.file.getvalue().splitlines()
    heads = [line.split() for line in lines if line.startswith("release")]
    assert heads == [["release", "column-0", "column-1"], ["release", "column-2", "column-3"], ["release", "column-4"]]
    assert [line.split() for line in lines if line.startswith("copy")] == [
        ["copy", "+.000*", "+.100*"],
        ["copy", "+.200*", "+.300*"],
        ["copy", "+.400*"],
    ]
    assert max(map(len, lines)) <= 40
