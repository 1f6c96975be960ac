"""What a test of a claim found, for people: the answer first, then what is behind it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from privbench.report.words import begun

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["print_answer", "to_html"]


def print_answer(sentence: str, details: Sequence[str], console: Console, *, alarm: bool) -> None:
    """Print an answer and the lines behind it.

    Parameters
    ----------
    sentence : str
        The answer, without a full stop.
    details : sequence of str
        Lines, two blanks before those that belong to the one above.
    console : rich.console.Console
    alarm : bool
        Whether the answer is a bad one.
    """
    console.print(_whole(sentence), style="bold red" if alarm else "bold", markup=False, highlight=False)
    for line in details:
        console.print(line, markup=False, highlight=False)


def to_html(sentence: str, details: Sequence[str]) -> str:
    """Return the same for a notebook."""
    lines = "".join(f"<li>{escape(line)}</li>" for line in details)
    return f"<p><b>{escape(_whole(sentence))}</b></p><ul>{lines}</ul>"


def _whole(sentence: str) -> str:
    return f"{begun(sentence)}."
