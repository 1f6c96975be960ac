"""Many runs on worst-case neighbours: learn the most telling event on some, bound its two probabilities on others.

All pairs of neighbours are looked at in a few runs, the most promising ones in more, and of the best one a last event
is learnt. It is then counted in fresh runs, so that no choice before matters for what is said.

A run is a release by an object that has made an earlier release, of the same data set in either case: noise that is
drawn once and used again shows in the difference of the two. The object is made anew for every few runs, as
`privbench.verifying.copies` has it.

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
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from privbench.contracts import Defense
from privbench.errors import InputError
from privbench.scorers.events import many_run_lower_bound, many_run_p_value
from privbench.scorers.intervals import LEVEL
from privbench.verifying.arms import Arm
from privbench.verifying.copies import Copies
from privbench.verifying.events import learn
from privbench.verifying.larger import Larger
from privbench.verifying.outcomes import Outcomes, of_two_releases
from privbench.verifying.power import PowerBy, event_power
from privbench.verifying.runs import EACH, Runs, Say
from privbench.verifying.simulated import Curve
from privbench.verifying.verification import Test

__all__ = ["FEWEST", "test_on"]

FEWEST = 600
"""Releases below which nothing can be learnt and bounded."""

# shares of all releases, and how many pairs they are spent on, the most promising so far; the rest is for the bound
_ROUNDS = ((0.15, None), (0.15, 6), (0.1, 2), (0.1, 1))
_SEVERAL = "one object was asked several times and for different data sets: what is released once may keep the claim"
# from so many seconds of work on, more than one process pays
_WORTH = 8.0
# share of a time limit that is for the test, where releases with a larger epsilon say what it would have caught
_OWN = 0.6


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
    """Test a claim by many runs on worst-case neighbours.

    Parameters
    ----------
    arms : sequence of Arm
        The neighbours, each with its claim.
    defense : Defense
        The mechanism, as its claim is known to the arms.
    runs : int
        Releases in total, at least 600.
    seed : int
    level : float
        Confidence.
    time_limit : float or None
        Seconds, about: fewer releases are made if it would be passed, but not fewer than 600.
    workers : int or None
        Processes; figures do not depend on it. One where one object makes all releases.
    say : callable, optional
        Is told how far the work is.
    power : bool
        Whether its power is computed.
    method : str
        As the test is to be called.

    Raises
    ------
    InputError
        If the runs are too few.
    """
    if runs < FEWEST:
        raise InputError(f"many runs: got {runs} releases; at least {FEWEST} are needed")
    whole = time_limit
    if time_limit is not None and power and Larger(arms[0], seed).possible:
        time_limit = _OWN * time_limit
    if time_limit is not None:  # what is spent on the choice of a pair has to fit, too
        runs = max(FEWEST, min(runs, int(time_limit / float(np.median([arm.seconds for arm in arms])))))
    started = time.monotonic()
    made = Runs(arms[0].copies, seed, _processes(workers, runs, arms), runs, started, say)
    left_over = _some(arms, runs)
    for share, finalists in _ROUNDS:
        if finalists is not None:
            if len(left_over) <= finalists and finalists > 1:
                continue  # none would be left out: the runs are worth more where one is
            left_over = sorted(left_over, key=lambda arm: -arm.promise)[:finalists]
        made.more(left_over, share * runs / len(left_over))
    arm = left_over[0]
    learning = partial(learn, epsilon=arm.claim.epsilon, delta=arm.claim.delta, level=level)
    event = learning(*arm.runs)
    left: float = runs - min(made.releases, 3 * runs // 4)
    if time_limit is not None:
        pace = (time.monotonic() - started) / made.releases
        left = min(left, max(8 * EACH, (time_limit - (time.monotonic() - started)) / pace))
    fresh = made.fresh(arm, left)
    events, claim = event.count(*fresh), arm.claim
    told = (
        f"{event.name}; in {events.hits:,} of {events.runs:,} releases of one data set, in {events.other_hits:,} of "
        f"{events.other_runs:,} of its neighbour ({arm.pair.name})"
    )
    p_value = many_run_p_value(events, epsilon=claim.epsilon, delta=claim.delta)
    if p_value < 1 - level and of_two_releases(event.name):
        told = f"{told}; {_SEVERAL}"
    bound = many_run_lower_bound(events, delta=claim.delta, level=level)
    curve: Curve | None = None
    power_by: PowerBy = "not computed"
    if power and p_value >= 1 - level:
        spent = time.monotonic() - started

        def play(larger: Defense, seed: int, each: int) -> tuple[Outcomes, Outcomes] | None:
            until = time.monotonic() - started + 2 * each * spent / made.releases
            if whole is not None and until > whole:
                return None
            return replace(made, copies=Copies.of(larger), seed=seed, say=None).fresh(arm, 2 * each)

        curve, power_by = event_power(
            events, Larger(arm, seed).playing(play), learning, learnt=sum(len(part.prints) for part in arm.first),
            bound=bound, claim=claim, level=level,
        )  # fmt: skip
    return Test(
        method=method,
        p_value=p_value,
        epsilon_lower_bound=bound,
        runs=made.releases,
        seconds=time.monotonic() - started,
        event=told,
        claimed=claim.epsilon,
        adjacency=str(arm.pair.adjacency),
        power=curve,
        power_by=power_by,
    )


def _some(arms: Sequence[Arm], runs: int) -> list[Arm]:
    """Return as many arms as can be looked at in a third of the runs, the first of every set of columns first."""
    most = max(4, int(runs / 3 / (2 * EACH + 1)))
    sets: dict[tuple[str, ...], list[Arm]] = {}
    for arm in arms:
        sets.setdefault(arm.pair.first.schema.names, []).append(arm)
    ranked = sorted(enumerate(arms), key=lambda one: (sets[one[1].pair.first.schema.names].index(one[1]), one[0]))
    return [arm for _, arm in ranked[:most]]


def _processes(workers: int | None, runs: int, arms: Sequence[Arm]) -> int:
    import os

    if arms[0].copies.single:
        return 1
    if workers is not None:
        return workers
    longest = runs * float(np.median([arm.seconds for arm in arms]))
    return 1 if longest < _WORTH else os.cpu_count() or 1
