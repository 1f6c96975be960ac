"""How far a run is: a live bar with the time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

__all__ = ["Progress", "plain_lines", "show_progress"]


class Progress(Protocol):
    """Is told of every finished trial."""

    def __call__(self, name: str, statuses: Counter[str]) -> None:
        """Take note of a trial that has ended, with the statuses of its cells."""
        ...


@contextmanager
def show_progress(total: int, *, quiet: bool = False, what: str = "trials", every: float = 0.0) -> Iterator[Progress]:
    """Show how many of `total` trials are done, on standard error.

    Parameters
    ----------
    total : int
        Trials to be run.
    quiet : bool
        Show nothing.
    what : str
        What they are called on a terminal.
    every : float
        Seconds that pass between two lines, at least, and before the first one, where there is no terminal.
    """
    if quiet or total == 0:
        yield lambda name, statuses: None
        return
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_terminal:
        with _bar(console, total, what) as progress:
            yield progress
    else:
        yield _Lines(console, total, every)


def plain_lines(*, quiet: bool = False) -> Callable[[str], None]:
    """Return what says one thing on standard error; nothing if `quiet`."""

    def say(text: str) -> None:
        if not quiet:
            print(text, file=sys.stderr)  # noqa: T201 - saying it is this module's task

    return say


class _Lines:
    """One line a trial, or one in a while."""

    def __init__(self, console: object, total: int, every: float) -> None:
        self._console, self._total, self._done, self._every = console, total, 0, every
        self._start = self._said = time.monotonic()

    def __call__(self, name: str, statuses: Counter[str]) -> None:
        self._done += 1
        now = time.monotonic()
        if now - self._said < self._every:
            return
        self._said, passed = now, now - self._start
        left = passed / self._done * (self._total - self._done)
        counts = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
        self._console.print(  # type: ignore[attr-defined]
            f"[{self._done}/{self._total}] {name}: {counts}; about {left:.0f} s left",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


@contextmanager
def _bar(console: object, total: int, what: str) -> Iterator[Progress]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=console, transient=True) as bar:  # type: ignore[arg-type]
        task = bar.add_task(what, total=total)
        failed = 0

        def advance(name: str, statuses: Counter[str]) -> None:
            nonlocal failed
            failed += sum(count for status, count in statuses.items() if status not in ("ok", "skipped"))
            bar.update(task, advance=1, description=f"{what} ({failed} failed)" if failed else what)

        yield advance
