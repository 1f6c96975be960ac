"""The console that results are printed on, how wide they are at most, and the look that their tables share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

__all__ = ["WIDEST", "new_table", "print_columns", "standard_console"]

WIDEST = 100
"""Columns that the tables take at most."""


def standard_console() -> Console:
    """Return the console of standard output: as wide as the terminal or ``COLUMNS`` says, else of `WIDEST` columns."""
    import rich.console

    # rich takes 80 columns for what is no terminal: a file or a pipe
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDEST
    return rich.console.Console(width=width)


def new_table() -> Table:
    """Return a table without columns, in the look of all that is printed."""
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)


def print_columns(
    console: Console, *, releases: Sequence[str], columns: Mapping[str, Sequence[str]], width: int
) -> None:
    """Print a table with a row a release, cut into several below one another where its columns do not fit the width.

    Parameters
    ----------
    console : rich.console.Console
        Where to print.
    releases : sequence of str
        Labels of the rows; beyond 32 characters they are folded.
    columns : mapping of str to sequence of str
        For each heading one text a release: bold with a star in it, dim if it is no figure.
    width : int
        In characters.
    """
    from rich.text import Text

    names = list(columns)
    label_width = min(max(map(len, ["release", *releases])), 32)
    widths = [max(map(len, [name, *columns[name]])) for name in names]
    for place, some in enumerate(_fitting(widths, width - label_width - 2)):
        table = new_table()
        table.add_column("release", max_width=label_width, overflow="fold")
        for name in names[some]:
            table.add_column(Text(name), justify="right", overflow="fold")
        for row, release in enumerate(releases):
            table.add_row(Text(release), *(_styled(columns[name][row]) for name in names[some]))
        if place:
            console.print()
        console.print(table, width=width)


def _fitting(widths: Sequence[int], width: int) -> Iterator[slice]:
    """Yield runs of columns that fit the width, at least one column each."""
    start, used = 0, 0
    for place, column in enumerate(widths):
        if place > start and used + column + 3 > width:
            yield slice(start, place)
            start, used = place, 0
        used += column + 3
    yield slice(start, len(widths))


def _styled(text: str) -> Text:
    from rich.text import Text

    return Text(text, style="bold" if "*" in text else "" if text[-1:].isdigit() or "[" in text else "dim")
