"""Runs on two neighbours, a few by each copy of the mechanism, in one process or in several, and counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from privbench.contracts import Defense
from privbench.release import Release, SyntheticTable
from privbench.rng import stream
from privbench.threads import one_thread
from privbench.verifying.arms import Arm
from privbench.verifying.copies import Copies
from privbench.verifying.neighbours import Pair
from privbench.verifying.outcomes import Outcomes
from privbench.verifying.reading import look

__all__ = ["EACH", "Runs", "Say"]

EACH = 25
"""Runs on either data set by one object."""
Say = Callable[[str], None]
"""Is told how far the work is."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A few runs by one object on either of two neighbours, in an order of their own."""

    copies: Copies
    pair: Pair
    cut: int | None
    seed: int
    number: int

    def play(self) -> tuple[Outcomes, Outcomes]:
        name = (self.pair.name, str(self.number))
        defense = self.copies.anew(self.seed, *name)
        reference = look([self._release(defense, self.pair.second, *name, "reference")], self.pair)
        sides = np.repeat([0, 1], EACH)
        stream(self.seed, "verify order", *name).shuffle(sides)
        tables = (self.pair.first, self.pair.second)
        made = [self._release(defense, tables[side], *name, str(run)) for run, side in enumerate(sides)]
        outcomes = look(made, self.pair).beside(reference)
        return outcomes.take(sides == 0), outcomes.take(sides == 1)

    def _release(self, defense: Defense, train: Any, *key: str) -> Release | None:
        try:
            release = defense.release(train, rng=stream(self.seed, "verify", *key))
        except Exception:  # that a mechanism fails is an outcome too, and may tell
            return None
        if self.cut is not None and type(release) is SyntheticTable:
            kept = release.table.take(np.arange(min(self.cut, len(release.table))))
            return SyntheticTable(kept, release.private_records, release.claim)
        return release


@dataclass(slots=True)
class Runs:
    """Makes runs, in processes, and counts them.

    Parameters
    ----------
    copies : Copies
        Of the mechanism.
    seed : int
    workers : int
        Processes; what is released does not depend on it.
    total : int
        About how many releases will be made.
    started : float
        When the work began, of `time.monotonic`.
    say : callable or None
        Is told how far it is.
    """

    copies: Copies
    seed: int
    workers: int
    total: int
    started: float
    say: Say | None
    releases: int = 0
    said: float = 0.0

    def more(self, arms: Sequence[Arm], each: float) -> None:
        """Add about `each` releases to each arm."""
        chunks = max(1, round(each / (2 * EACH)))
        wanted = [(arm, arm.chunks + number) for arm in arms for number in range(chunks)]
        parts = self._play(_Chunk(self.copies, arm.pair, arm.cut, self.seed, number) for arm, number in wanted)
        for (arm, number), (first, second) in zip(wanted, parts, strict=True):
            arm.first.append(first)
            arm.second.append(second)
            arm.chunks = number + 1

    def fresh(self, arm: Arm, releases: float) -> tuple[Outcomes, Outcomes]:
        """Return new runs of one arm, on either data set."""
        own = Arm(arm.pair, arm.claim, arm.seconds, arm.copies, arm.cut, arm.chunks)
        self.more([own], releases)
        return Outcomes.concat(own.first), Outcomes.concat(own.second)

    def _play(self, chunks: Iterable[_Chunk]) -> Iterator[tuple[Outcomes, Outcomes]]:
        from joblib import Parallel, delayed, parallel_config

        todo = list(chunks)
        if self.workers == 1 or len(todo) == 1:
            with one_thread():
                for chunk in todo:
                    yield self._counted(chunk.play())
            return
        with parallel_config("loky", n_jobs=self.workers, inner_max_num_threads=1):
            for part in Parallel(return_as="generator")(delayed(_Chunk.play)(one) for one in todo):
                yield self._counted(part)

    def _counted(self, part: tuple[Outcomes, Outcomes]) -> tuple[Outcomes, Outcomes]:
        self.releases += 2 * EACH + 1
        self._tell()
        return part

    def _tell(self) -> None:
        now = time.monotonic()
        if self.say is None or now - max(self.said, self.started) < 2:
            return
        self.said = now
        left = (now - self.started) / self.releases * max(0, self.total - self.releases)
        self.say(f"{self.releases:,} of about {self.total:,} releases, about {left:.0f} s left")
