"""Runs a command and tells what it took; makes environments for programs that cannot share this one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Ran", "environment", "run_timed"]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a process took, and what it said.

    Parameters
    ----------
    seconds : float
        From start to end.
    megabytes : float
        Its greatest memory; 0 if it was stopped.
    printed : str
        Its standard output.
    problem : str
        Why it failed; empty if it did not.
    """

    seconds: float
    megabytes: float
    printed: str
    problem: str


def run_timed(command: list[str], *, limit: float | None = None, together: bool = False) -> Ran:
    """Run a command with one thread for numeric libraries, and stop it after so many seconds.

    With `together`, memory is the greatest sum over the command and the processes that it starts, what they share
    counted once, as seen every fifth of a second; else that of the command alone.
    """
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    with tempfile.TemporaryFile("w+") as printed, tempfile.TemporaryFile("w+") as said:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=printed, stderr=said, env={**os.environ, **one}, start_new_session=together
        )
        most, looked = 0.0, started
        while True:
            if together and time.perf_counter() - looked > 0.2:
                most, looked = max(most, _group_megabytes(process.pid)), time.perf_counter()
            # wait4 tells what this one process used; subprocess has no way to ask for it
            done, status, usage = os.wait4(process.pid, os.WNOHANG)
            if done:
                break
            if limit is not None and time.perf_counter() - started > limit:
                process.kill()
                os.wait4(process.pid, 0)
                process.returncode = -9
                return Ran(limit, 0.0, "", f"stopped after {limit:.0f} s")
            time.sleep(0.005)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        said.seek(0)
        last = (said.read().strip().splitlines() or [f"exit status {process.returncode}"])[-1]
        problem = f"failed: {last.removeprefix('error: ')}" if process.returncode else ""
        return Ran(seconds, max(most, usage.ru_maxrss / 1024), printed.read(), problem)


def _group_megabytes(group: int) -> float:
    """Return the memory of a group of processes, pages that several share counted once."""
    kilobytes = 0
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):  # it may end while it is looked at
            if os.getpgid(int(place.name)) == group:
                lines = (place / "smaps_rollup").read_text().splitlines()
                kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes / 1024


def environment(folder: Path, packages: list[str]) -> Path:
    """Return the interpreter of an environment with these packages, which is made if it is not there."""
    python = folder / "bin" / "python"
    done = folder / "installed"
    # an installation that was interrupted leaves an interpreter, but not this mark
    if not done.exists():
        print(f"installing {' '.join(packages)} into {folder} ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)
        done.write_text("\n".join(packages))
    return python
