"""Many runs on worst-case neighbours: learn the most telling event on some, bound its two probabilities on others.

All pairs of neighbours are looked at in a few runs, the most promising ones in more, and of the best one a last event
is learnt. It is then counted in fresh runs, so that no choice before matters for what is said.

A run is a release by an object that has made an earlier release, of the same data set in either case: noise that is
drawn once and used again shows in the difference of the two. The object is made anew for every few runs.

References
----------
B. Bichsel, S. Steffen, I. Bogunovic and M. Vechev, "DP-Sniper: Black-Box Discovery of Differential Privacy Violations
using Classifiers", S&P 2021.
Z. Ding, Y. Wang, G. Wang, D. Zhang and D. Kifer, "Detecting Violations of Differential Privacy", CCS 2018.
W. Hoeffding, "On the Distribution of the Number of Successes in Independent Trials", Annals of Mathematical Statistics
27, 1956 (runs that share an earlier release are, given it, independent with chances of their own: that many trials vary
less than as many of one chance).
"""
# ruff: noqa: PT028 - what is named a test here tests a claim, and is none of pytest's

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from privbench.claim import Claim
from privbench.contracts import Defense
from privbench.errors import InputError
from privbench.release import Release, SyntheticTable
from privbench.rng import stream
from privbench.schema import Schema
from privbench.scorers.claims import Events, many_run_lower_bound, many_run_p_value
from privbench.threads import one_thread
from privbench.verifying.arms import Arm, arms_for
from privbench.verifying.asked import NOTHING, Asked
from privbench.verifying.events import learn
from privbench.verifying.neighbours import Pair
from privbench.verifying.outcomes import Outcomes, look
from privbench.verifying.power import event_power
from privbench.verifying.verification import LEVEL, Test

__all__ = ["FEWEST", "Say", "test_many_runs", "test_on"]

FEWEST = 600
"""Releases below which nothing can be learnt and bounded."""
Say = Callable[[str], None]
"""Is told how far the work is."""

# runs on either data set by one object
_CHUNK = 25
# shares of all releases, and how many pairs they are spent on, the most promising so far; the rest is for the bound
_ROUNDS = ((0.15, None), (0.15, 6), (0.1, 2), (0.1, 1))
# from so many seconds of work on, more than one process pays
_WORTH = 8.0


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A few runs by one object on either of two neighbours, in an order of their own."""

    pickled: bytes
    pair: Pair
    cut: int | None
    seed: int
    number: int

    def play(self) -> tuple[Outcomes, Outcomes]:
        import pickle

        defense: Defense = pickle.loads(self.pickled)
        name = (self.pair.name, str(self.number))
        reference = look([self._release(defense, self.pair.second, *name, "reference")], self.pair)
        sides = np.repeat([0, 1], _CHUNK)
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


def test_many_runs(
    defense: Defense,
    schema: Schema,
    claim: Claim | None = None,
    *,
    runs: int = 20_000,
    seed: int = 0,
    level: float = LEVEL,
    time_limit: float | None = None,
    workers: int | None = None,
    say: Say | None = None,
) -> Test:
    """Test a claim by many runs on worst-case neighbours.

    Parameters
    ----------
    defense : Defense
        The mechanism.
    schema : Schema
        Neighbours are made of a few of its columns; of all where the mechanism fails on a few.
    claim : Claim or None
        What to test; None for what each release says of itself.
    runs : int
        Releases in total, at least 600.
    seed : int
    level : float
        Confidence.
    time_limit : float or None
        Seconds, about: fewer releases are made if it would be passed, but not fewer than 600.
    workers : int or None
        Processes; figures do not depend on it.
    say : callable, optional
        Is told how far the work is.

    Raises
    ------
    InputError
        If the mechanism fails on all neighbours, or nothing is claimed.
    """
    asked = NOTHING if claim is None else Asked(claim.epsilon, claim.delta, claim.adjacency)
    arms, _ = arms_for(defense, schema, asked, adjacency=None if claim is None else claim.adjacency, seed=seed)
    return test_on(arms, defense, runs=runs, seed=seed, level=level, time_limit=time_limit, workers=workers, say=say)


def test_on(
    arms: Sequence[Arm],
    defense: Defense,
    *,
    runs: int,
    seed: int,
    level: float = LEVEL,
    time_limit: float | None = None,
    workers: int | None = None,
    say: Say | None = None,
    power: bool = True,
    method: str = "many-runs",
) -> Test:
    """Test the claim on these neighbours; parameters as in `test_many_runs`, and whether its power is computed."""
    import cloudpickle

    if runs < FEWEST:
        raise InputError(f"many runs: got {runs} releases; at least {FEWEST} are needed")
    if time_limit is not None:  # what is spent on the choice of a pair has to fit, too
        runs = max(FEWEST, min(runs, int(time_limit / float(np.median([arm.seconds for arm in arms])))))
    started = time.monotonic()
    made = _Made(cloudpickle.dumps(defense), seed, _processes(workers, runs, arms), runs, started, say)
    left_over = _some(arms, runs)
    for share, finalists in _ROUNDS:
        if finalists is not None:
            if len(left_over) <= finalists and finalists > 1:
                continue  # none would be left out: the runs are worth more where one is
            left_over = sorted(left_over, key=lambda arm: -arm.promise)[:finalists]
        made.more(left_over, share * runs / len(left_over))
    arm = left_over[0]
    event = learn(*arm.runs, epsilon=arm.claim.epsilon, delta=arm.claim.delta, level=level)
    left: float = runs - min(made.releases, 3 * runs // 4)
    if time_limit is not None:
        pace = (time.monotonic() - started) / made.releases
        left = min(left, max(8 * _CHUNK, (time_limit - (time.monotonic() - started)) / pace))
    fresh = made.fresh(arm, left)
    held = [int(event.holds(part).sum()) for part in fresh]
    sizes = [len(part.prints) for part in fresh]
    likely, other = (0, 1) if event.on_first else (1, 0)
    events = Events(held[likely], sizes[likely], held[other], sizes[other])
    claim = arm.claim
    told = (
        f"{event.name}; in {events.hits:,} of {events.runs:,} releases of one data set, in {events.other_hits:,} of "
        f"{events.other_runs:,} of its neighbour ({arm.pair.name})"
    )
    return Test(
        method=method,
        p_value=many_run_p_value(events, epsilon=claim.epsilon, delta=claim.delta),
        epsilon_lower_bound=many_run_lower_bound(events, delta=claim.delta, level=level),
        runs=made.releases,
        seconds=time.monotonic() - started,
        event=told,
        power=event_power(events, epsilon=claim.epsilon, delta=claim.delta, level=level) if power else (),
        claimed=claim.epsilon,
        adjacency=str(arm.pair.adjacency),
    )


def _some(arms: Sequence[Arm], runs: int) -> list[Arm]:
    """Return as many arms as can be looked at in a third of the runs, the first of every set of columns first."""
    most = max(4, int(runs / 3 / (2 * _CHUNK + 1)))
    sets: dict[tuple[str, ...], list[Arm]] = {}
    for arm in arms:
        sets.setdefault(arm.pair.first.schema.names, []).append(arm)
    ranked = sorted(enumerate(arms), key=lambda one: (sets[one[1].pair.first.schema.names].index(one[1]), one[0]))
    return [arm for _, arm in ranked[:most]]


def _processes(workers: int | None, runs: int, arms: Sequence[Arm]) -> int:
    import os

    if workers is not None:
        return workers
    longest = runs * float(np.median([arm.seconds for arm in arms]))
    return 1 if longest < _WORTH else os.cpu_count() or 1


@dataclass(slots=True)
class _Made:
    """Makes runs, in processes, and counts them."""

    pickled: bytes
    seed: int
    workers: int
    total: int
    started: float
    say: Say | None
    releases: int = 0
    said: float = 0.0

    def more(self, arms: Sequence[Arm], each: float) -> None:
        """Add about `each` releases to each arm."""
        chunks = max(1, round(each / (2 * _CHUNK)))
        wanted = [(arm, arm.chunks + number) for arm in arms for number in range(chunks)]
        parts = self._play(_Chunk(self.pickled, arm.pair, arm.cut, self.seed, number) for arm, number in wanted)
        for (arm, number), (first, second) in zip(wanted, parts, strict=True):
            arm.first.append(first)
            arm.second.append(second)
            arm.chunks = number + 1

    def fresh(self, arm: Arm, releases: float) -> tuple[Outcomes, Outcomes]:
        """Return new runs of one arm, on either data set."""
        own = Arm(arm.pair, arm.claim, arm.seconds, arm.cut, arm.chunks)
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
        self.releases += 2 * _CHUNK + 1
        self._tell()
        return part

    def _tell(self) -> None:
        now = time.monotonic()
        if self.say is None or now - max(self.said, self.started) < 2:
            return
        self.said = now
        left = (now - self.started) / self.releases * max(0, self.total - self.releases)
        self.say(f"{self.releases:,} of about {self.total:,} releases, about {left:.0f} s left")
