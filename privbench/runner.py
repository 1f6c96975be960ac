"""Runs the trials of an experiment: in local processes or on a Dask cluster, taking up where an earlier run stopped.

Every worker computes with one thread a library, so figures and times do not depend on how many workers there are. The
cells are written by the workers: on a cluster the folder must be one that all of them reach.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from privbench.cells import Trial
from privbench.errors import InputError, import_extra
from privbench.experiment import Experiment
from privbench.manifest import manifest_of
from privbench.progress import plain_lines, show_progress
from privbench.result import Result
from privbench.store import Store
from privbench.threads import one_thread
from privbench.trial import fail, run_trial

__all__ = ["run"]


def run(
    config: str | Path | Mapping[str, Any] | None = None,
    *,
    out: str | Path = "privbench-results",
    workers: int | None = None,
    scheduler: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    quiet: bool = False,
) -> Result:
    """Run a benchmark; what stands in `out` already is not run again.

    Parameters
    ----------
    config : path, mapping or None
        A YAML file or the same as a mapping; None for the default benchmark on Adult.
    out : path
        Folder of the results, made if needed.
    workers : int or None
        Local processes, at least 1; None for one a core. With 1 everything runs in this process.
    scheduler : str or None
        Address of a Dask scheduler, in place of local processes.
    overrides : mapping or None
        Keys of the config to exchange.
    quiet : bool
        Show no progress.

    Returns
    -------
    Result
        Its `frame` has a row a figure, and a row with a reason for each cell that has none.

    Raises
    ------
    InputError
        If the config or the data cannot be used; nothing is run then.
    """
    started = time.monotonic()
    if workers is not None and workers < 1:
        raise InputError(f"workers must be at least 1, got {workers}")
    experiment = Experiment.read(config, overrides=overrides)
    dataset = experiment.load_dataset()
    experiment.check(dataset)
    trials = list(experiment.trials(dataset))
    store = Store(_folder(out))
    keys = [cell.key for trial in trials for cell in trial.cells]
    with store.locked():
        say = plain_lines(quiet=quiet)
        if store.holds_other(experiment.text):
            say(f"{store.folder} held the results of another config: its cells are kept, its report.html is replaced")
        store.write_manifest(manifest_of(experiment, dataset, trials, store, seconds=None))
        pending = _unfinished(trials, store)
        if standing := len(keys) - sum(len(trial.cells) for trial in pending):
            say(f"{standing} of {len(keys)} cells stand in {store.folder} already and are not run again")
        with (
            show_progress(len(pending), quiet=quiet) as progress,
            _pool(workers or os.cpu_count() or 1, scheduler) as pool,
        ):
            for trial, statuses in _run_all(pending, experiment, store, pool):
                progress(f"{trial.game_label} / {trial.defense.identity} / seed {trial.seed}", statuses)
        manifest = manifest_of(experiment, dataset, trials, store, seconds=time.monotonic() - started)
        store.write_manifest(manifest)
    return Result(store.read(keys), manifest, store.folder)


def _unfinished(trials: Iterable[Trial], store: Store) -> list[Trial]:
    """Return the trials with the cells that have no figures yet, those without any left out."""
    listed = list(trials)
    finished = store.finished(cell.key for trial in listed for cell in trial.cells)
    open_ = (replace(trial, cells=tuple(cell for cell in trial.cells if cell.key not in finished)) for trial in listed)
    return [trial for trial in open_ if trial.cells]


Pool = Callable[[Sequence[Trial], Experiment, Store], Iterator[tuple[Trial, Counter[str]]]]


def _run_all(
    trials: Sequence[Trial], experiment: Experiment, store: Store, pool: Pool
) -> Iterator[tuple[Trial, Counter[str]]]:
    """Run trials; if a worker process dies, find by halving the trial, then the cell, that kills it."""
    left = {trial.key: trial for trial in trials}
    try:
        for trial, statuses in pool(trials, experiment, store):
            del left[trial.key]
            yield trial, statuses
    except BrokenProcessPool:
        remaining = list(left.values())
        if len(remaining) == 1:
            yield remaining[0], _rescue(remaining[0], experiment, store, pool)
            return
        middle = len(remaining) // 2
        for half in (remaining[:middle], remaining[middle:]):
            yield from _run_all(half, experiment, store, pool)


def _rescue(trial: Trial, experiment: Experiment, store: Store, pool: Pool) -> Counter[str]:
    """Record as failed the cells of a trial that kill their process; without a release, that is all of them."""
    statuses: Counter[str] = Counter()
    for open_ in _unfinished([trial], store):
        statuses["ok"] = len(trial.cells) - len(open_.cells)
        if len(open_.cells) == 1 or not store.release(trial.key).exists():
            reason = "the worker process died: out of memory, or a crash in compiled code; try it with --workers 1"
            return statuses + fail(open_, experiment, store, status="failed", reason=reason)
        middle = len(open_.cells) // 2
        for cells in (open_.cells[:middle], open_.cells[middle:]):
            half = replace(open_, cells=cells)
            try:
                for _, counted in pool([half], experiment, store):
                    statuses += counted
            except BrokenProcessPool:
                statuses += _rescue(half, experiment, store, pool)
    return statuses


@contextmanager
def _pool(workers: int, scheduler: str | None) -> Iterator[Pool]:
    """Yield what runs trials: this process, local processes, or a cluster; either with one thread a library."""
    import joblib

    if scheduler is not None:
        distributed = import_extra("distributed", extra="cluster")
        try:
            client = distributed.Client(scheduler, timeout=5, set_as_default=True)
        except (OSError, ValueError) as error:
            raise InputError(
                f"scheduler {scheduler!r} does not answer ({error}); start one with: dask scheduler"
            ) from None
        with client:
            yield _clustered(client)
    elif workers == 1:
        yield _parallel(1)
    else:
        with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
            yield _parallel(workers)


def _parallel(workers: int) -> Pool:
    import joblib

    def pool(trials: Sequence[Trial], experiment: Experiment, store: Store) -> Iterator[tuple[Trial, Counter[str]]]:
        jobs = (joblib.delayed(_single_threaded)(trial, experiment, store, os.getpid()) for trial in trials)
        yield from joblib.Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1)(jobs)

    return pool


def _clustered(client: Any) -> Pool:
    """Return what runs trials on a cluster; a trial whose worker dies again and again breaks it, as local ones do."""
    distributed = import_extra("distributed", extra="cluster")

    def pool(trials: Sequence[Trial], experiment: Experiment, store: Store) -> Iterator[tuple[Trial, Counter[str]]]:
        futures = [client.submit(_single_threaded, trial, experiment, store, 0, pure=False) for trial in trials]
        try:
            for future in distributed.as_completed(futures):
                yield future.result()
        except distributed.KilledWorker as error:
            raise BrokenProcessPool(str(error)) from error
        finally:
            client.cancel(futures)

    return pool


def _single_threaded(trial: Trial, experiment: Experiment, store: Store, parent: int) -> tuple[Trial, Counter[str]]:
    if parent == os.getppid():
        _end_with(parent)
    with one_thread():
        return trial, run_trial(trial, experiment, store)


@lru_cache
def _end_with(parent: int) -> None:
    """Let this worker process end when the one that started it has gone, killed before it could say so."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _folder(out: str | Path) -> Path:
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"out: {folder} cannot be made a folder ({error.strerror}); choose another with --out"
        ) from None
    return folder
