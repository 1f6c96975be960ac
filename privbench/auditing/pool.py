"""All attacks on all columns: in this process, or in several, within a time limit; the same answers either way."""

from __future__ import annotations

import os
import pickle
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from pathlib import Path

import numpy as np

from privbench.auditing.columns import Answer, Scene, answer
from privbench.progress import show_progress
from privbench.threads import one_thread

__all__ = ["answers"]

Job = tuple[str, str]


def answers(
    scene: Scene,
    columns: Sequence[str],
    attacks: Sequence[str],
    *,
    workers: int | None = None,
    deadline: float | None = None,
    quiet: bool = True,
) -> Mapping[str, tuple[Answer, ...]]:
    """Make every attack on every column.

    Parameters
    ----------
    scene : Scene
    columns, attacks : sequence of str
        Each attack is made on all columns before the next one.
    workers : int or None
        Processes, with one thread each; None for one a core. With 1 everything runs in this one.
    deadline : float or None
        Seconds since the epoch after which no attack is begun; those begun are ended.
    quiet : bool
        Show no progress.

    Returns
    -------
    mapping of str to tuple of Answer
        For each column an answer of each attack, in the order of `attacks`.
    """
    # numbers take longest: first, so that no worker is left with one at the end
    order = sorted(columns, key=lambda name: scene.targets.schema[name].discrete)
    jobs = [(attack, column) for attack in attacks for column in order]
    found: dict[Job, Answer] = {}
    with show_progress(len(jobs), quiet=quiet, what="attacks", every=2.0) as progress:
        for done in _run(scene, jobs, min(workers or os.cpu_count() or 1, len(jobs)), deadline):
            found[done.attack, done.column] = done
            progress(f"{done.attack} on {done.column}", Counter([done.status]))
    return {column: tuple(found[attack, column] for attack in attacks) for column in columns}


def _run(scene: Scene, jobs: Sequence[Job], workers: int, deadline: float | None) -> Iterator[Answer]:
    if workers <= 1:
        with one_thread():
            yield from (answer(scene, *job, deadline=deadline) for job in jobs)
        return
    import joblib

    left = dict.fromkeys(jobs)
    # readable by this user alone, and gone at the end
    with tempfile.TemporaryDirectory(prefix="privbench-audit-") as folder:
        path = Path(folder) / "scene.pickle"
        path.write_bytes(pickle.dumps(scene, protocol=5))
        try:
            with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
                for done in joblib.Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1)(
                    _delayed(str(path), jobs, deadline)
                ):
                    del left[done.attack, done.column]
                    yield done
        except BrokenProcessPool:
            reason = "the worker process died: out of memory, or a crash in compiled code; try it with one worker"
            for attack, column in left:
                yield Answer(attack, column, np.zeros(0), status="failed", reason=reason)


def _delayed(path: str, jobs: Sequence[Job], deadline: float | None) -> Iterable[object]:
    import joblib

    return (joblib.delayed(_in_worker)(path, job, deadline) for job in jobs)


def _in_worker(path: str, job: Job, deadline: float | None) -> Answer:
    with one_thread():
        return answer(_scene(path), *job, deadline=deadline)


@lru_cache(maxsize=1)
def _scene(path: str) -> Scene:
    """Read what all jobs share, once a process."""
    scene: Scene = pickle.loads(Path(path).read_bytes())
    return scene
