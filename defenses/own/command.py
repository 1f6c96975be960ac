"""A generator that is a command line: an R script, a program in another environment, a container."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from defenses.own.conform import check_claim, conform, stated_claim
from privbench.claim import Adjacency
from privbench.errors import InputError, TimeLimitError
from privbench.release import SyntheticTable
from privbench.table import Table

__all__ = ["Command"]

_PLACEHOLDERS = ("train", "out", "seed", "n")
_SHOWN_LINES = 5
# seconds in which a program that is asked to end may do so
_GRACE = 5.0


@dataclass(frozen=True)
class Command:
    """Run your program on a CSV file of the training records and read the file of rows that it writes.

    In the command ``{train}`` stands for the file to read, ``{out}`` for the file to write (CSV or Parquet), ``{seed}``
    for a whole number that fixes its randomness, ``{n}`` for how many rows are wanted. No shell is involved: write
    ``sh -c '...'`` for pipes. A missing value is an empty cell. The program runs where privbench runs. At the time
    limit, or when privbench itself is stopped, its process group is ended (asked first, killed after five seconds) and
    the files are removed; what left the group, a container for instance, has to see to itself.

    Parameters
    ----------
    command : str
        The command line, with ``{train}`` and ``{out}`` in it.
    time_limit : float
        Seconds, positive.
    rows : int or None
        What ``{n}`` becomes; None for as many as there are records.
    epsilon : float or None
        What the program guarantees, if anything: stated as your word, unchecked.
    delta : float
        At least 0 and below 1.
    adjacency : Adjacency
        replace-one, add-remove or local.
    repair : bool
        Round numbers of a column of whole numbers, and move numbers beyond its bounds to them, instead of refusing.

    References
    ----------
    None: the method is the user's own.
    """

    command: str
    time_limit: float = 3600.0
    rows: int | None = None
    epsilon: float | None = None
    delta: float = 0.0
    adjacency: Adjacency = Adjacency.REPLACE_ONE
    repair: bool = False

    def __post_init__(self) -> None:
        check_claim(epsilon=self.epsilon, delta=self.delta, adjacency=self.adjacency)
        if not self.time_limit > 0 or (self.rows is not None and self.rows < 1):
            raise InputError(f"time_limit must be positive and rows at least 1, got {self.time_limit} and {self.rows}")
        for needed in ("{train}", "{out}"):
            if needed not in self.command:
                raise InputError(f"command: {self.command!r} lacks {needed}; write it where the file's path belongs")
        for word in re.findall(r"\{(\w+)\}", self.command):
            near = get_close_matches(word, _PLACEHOLDERS, n=1, cutoff=0.7)
            near = near or [name for name in _PLACEHOLDERS if name == word.lower()]
            if word not in _PLACEHOLDERS and near:
                raise InputError(f"command: unknown placeholder {{{word}}}; did you mean {{{near[0]}}}?")
        self._words()

    def _words(self) -> list[str]:
        try:
            return shlex.split(self.command)
        except ValueError as error:
            raise InputError(f"command: {self.command!r} cannot be read: {error}; close the quotation mark") from None

    @property
    def fingerprint(self) -> str:
        """Digest of the files that the command names, a script for instance: a changed one is another generator."""
        digest = hashlib.sha256()
        for word in self._words():
            with suppress(OSError):
                if Path(word).is_file() and Path(word).stat().st_size < 10_000_000:
                    digest.update(Path(word).read_bytes())
        return digest.hexdigest()

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        """Return the rows that the program wrote.

        Raises
        ------
        InputError
            If the program is not found, fails, or writes no table of these columns.
        TimeLimitError
            If it takes longer than the limit.
        """
        with tempfile.TemporaryDirectory(prefix="privbench-") as name:
            folder = Path(name)
            source, out = folder / "train.csv", folder / "out.csv"
            train.to_frame().to_csv(source, index=False)
            filled = {
                "{train}": str(source),
                "{out}": str(out),
                "{seed}": str(int(rng.integers(2**31 - 1))),
                "{n}": str(self.rows or len(train)),
            }
            words = [_fill(word, filled) for word in self._words()]
            with _Guard(folder) as guard:
                self._run(words, folder, guard)
            table = conform(_read(out), train.schema, source=f"the command {words[0]!r}", repair=self.repair)
        claim = stated_claim(epsilon=self.epsilon, delta=self.delta, adjacency=self.adjacency)
        return SyntheticTable(table, private_records=len(train), claim=claim)

    def _run(self, words: list[str], folder: Path, guard: _Guard) -> None:
        """Run the program to its end, or stop it and its children."""
        printed, said = folder / "stdout", folder / "stderr"
        with printed.open("wb") as stdout, said.open("wb") as stderr:
            try:
                process = subprocess.Popen(
                    words, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, start_new_session=True
                )
            except OSError as error:
                raise InputError(
                    f"command: {words[0]!r} cannot be started ({error.strerror}); is it installed, and on the PATH?"
                ) from None
            except ValueError as error:
                raise InputError(f"command: {self.command!r} cannot be started: {error}") from None
            guard.watch(process.pid)
            try:
                status = process.wait(timeout=self.time_limit)
            except subprocess.TimeoutExpired:
                raise TimeLimitError(
                    f"the command {words[0]!r} was stopped after its time limit of {self.time_limit:g} s"
                    f"{_tail(said, printed)}; raise time_limit"
                ) from None
            finally:
                # whatever ended the wait: nothing in the program's group goes on
                _end(process)
        if status != 0:
            how = f"was ended by signal {-status}" if status < 0 else f"ended with exit status {status}"
            raise InputError(f"the command {words[0]!r} {how}{_tail(said, printed)}")
        if not (folder / "out.csv").is_file():
            raise InputError(f"the command {words[0]!r} wrote no file to {{out}}{_tail(said, printed)}")


class _Guard:
    """A process that outlives this one if it is killed, ends the program then and removes the private records."""

    _WORK = (
        "import os, shutil, sys, time\n"
        "group = sys.stdin.readline().strip()\n"
        "if sys.stdin.read() != 'done':\n"  # the pipe ended with the process that held it
        "    for signal in (15, 9):\n"
        "        try:\n"
        "            group and os.killpg(int(group), signal)\n"
        "            signal == 15 and time.sleep(5)\n"
        "        except OSError:\n"
        "            break\n"
        "    shutil.rmtree(sys.argv[1], ignore_errors=True)\n"
    )

    def __init__(self, folder: Path) -> None:
        self._watching = False
        # a session of its own: what stops privbench from a terminal does not stop it
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", self._WORK, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )

    def __enter__(self) -> _Guard:
        return self

    def watch(self, group: int) -> None:
        """Tell the guard what to end."""
        self._watching = True
        self._tell(f"{group}\n")

    def __exit__(self, *raised: object) -> None:
        self._tell("done" if self._watching else "\ndone")
        with suppress(OSError):
            self._pipe.close()
        self._process.wait()

    @property
    def _pipe(self) -> IO[str]:
        assert self._process.stdin is not None, "it was opened with a pipe"
        return self._process.stdin

    def _tell(self, text: str) -> None:
        with suppress(OSError):
            self._pipe.write(text)
            self._pipe.flush()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program's group: ask, wait a little, kill."""
    with suppress(ProcessLookupError, PermissionError):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=_GRACE)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _fill(word: str, filled: dict[str, str]) -> str:
    return re.sub("|".join(map(re.escape, filled)), lambda match: filled[match.group()], word)


def _tail(*files: Path) -> str:
    """Return the last lines that the program wrote to standard error, or else to standard output."""
    for file in files:
        lines = file.read_bytes()[-4000:].decode(errors="replace").strip().splitlines()
        if lines:
            return "; it said last: " + " | ".join(line.strip() for line in lines[-_SHOWN_LINES:])
    return "; it said nothing"


def _read(path: Path) -> Any:
    """Read what the program wrote, Parquet or CSV, whatever its name."""
    try:
        with path.open("rb") as file:
            parquet = file.read(4) == b"PAR1"
        if parquet:
            return pd.read_parquet(path)
        return pd.read_csv(path, dtype=object, keep_default_na=False, na_values=[""])
    except Exception as error:  # pandas and pyarrow raise many kinds
        raise InputError(f"the file that the command wrote is neither CSV nor Parquet: {error}") from None
