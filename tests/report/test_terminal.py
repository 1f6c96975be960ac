"""The terminal tables: they fit, they mark what exceeds chance, they say what is missing."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from privbench.record import to_frame
from privbench.report.terminal import print_leaderboard
from tests.report.figures_of_a_run import MANIFEST, leak, nothing_but_failures, whole_run


def printed(frame, *, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, no_color=True)
    print_leaderboard(frame, MANIFEST, console)
    return console.file.getvalue()


def test_figures_have_intervals_and_a_mark_that_needs_no_colour():
    text = printed(whole_run())
    line = next(line for line in text.splitlines() if line.startswith("copy "))
    assert "+.410 [" in line
    assert "]*" in line
    line = next(line for line in text.splitlines() if line.startswith("noisy epsilon=1 "))
    assert "*" not in line
    assert ".750" in text  # accuracy of the downstream model


def test_what_was_skipped_or_failed_stands_with_its_reason():
    text = printed(whole_run())
    assert "failed (2): ValueError: </script>" in text
    assert "skipped (2): it needs <reports> & has none" in text


@pytest.mark.parametrize("width", [40, 80, 100, 300])
def test_no_line_is_wider_than_the_terminal_or_100_columns(width):
    rows = [
        leak(0.1 * m, attack=f"an-attack-with-a-long-name-{m}", defense=f"defense{d}") for m in range(6) for d in "ab"
    ]
    text = printed(to_frame(rows), width=width)
    assert max(map(len, text.splitlines())) <= min(width, 100)
    assert all(f"name-{m}" in text.replace("\n", "") for m in range(6))


def test_a_run_without_figures_says_so_and_why():
    text = printed(nothing_but_failures())
    assert "No attack has a figure" in text
    assert "pip install 'privbench[generators]'" in text
