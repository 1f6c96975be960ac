"""Local claims: one person's report is one run of the mechanism.

Three instruments. The likelihood ratio of the channel that the oracles state, exact where every output is seen. Single
persons' collections, made thousands of times, which find what is the same in each of them: a constant seed, noise that
is reused. And collections from many people at once, half of them with either of two records, which bound an event's two
probabilities by many more reports: given what all people share, their reports are independent.

References
----------
Z. Ding, Y. Wang, G. Wang, D. Zhang and D. Kifer, "Detecting Violations of Differential Privacy", CCS 2018.
B. Bichsel, S. Steffen, I. Bogunovic and M. Vechev, "DP-Sniper: Black-Box Discovery of Differential Privacy Violations
using Classifiers", S&P 2021.
"""
# ruff: noqa: PT028 - what is named a test here tests a claim, and is none of pytest's

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privbench.claim import Claim
from privbench.contracts import Defense
from privbench.errors import InputError
from privbench.reports import Reports
from privbench.rng import stream
from privbench.scorers.events import many_run_lower_bound, many_run_p_value
from privbench.scorers.intervals import LEVEL
from privbench.table import Table
from privbench.verifying.arms import Arm
from privbench.verifying.crowd import asked, collect
from privbench.verifying.events import learn, promise
from privbench.verifying.larger import Larger
from privbench.verifying.many_runs import test_on
from privbench.verifying.outcomes import Outcomes
from privbench.verifying.power import PowerBy, event_power
from privbench.verifying.runs import Say
from privbench.verifying.simulated import Curve
from privbench.verifying.stated import largest_log_ratio
from privbench.verifying.verification import Test

__all__ = ["test_local"]

# people in the collection that shows every output
_SHOWN = 20_000
# with either of two records: to choose the pair, to learn the event, to bound it
_SCREENED, _LEARNT, _BOUND = 2_000, 20_000, 50_000
# the exact ratio may exceed the claim by rounding, in single precision too
_ROUNDING = 1e-6


def test_local(
    arms: Sequence[Arm],
    defense: Defense,
    *,
    runs: int = 20_000,
    seed: int = 0,
    level: float = LEVEL,
    time_limit: float | None = None,
    workers: int | None = None,
    say: Say | None = None,
    power: bool = True,
) -> Test:
    """Test a local claim on these pairs.

    Parameters
    ----------
    arms : sequence of Arm
        Pairs of single persons' records, with what is claimed for them.
    defense : Defense
        The mechanism.
    runs, seed, level, time_limit, workers, say, power
        As in `test_on`; where many people can be asked at once, two sampled tests share the level.

    Returns
    -------
    Test
        Refuted with a p-value of 0 where the channel stated is itself beyond the claim.
    """
    started = time.monotonic()
    crowds, unasked = _crowds(defense, arms, seed)
    each = 1 - (1 - level) / (2 if crowds else 1)
    found = [
        test_on(
            arms, defense, runs=runs, seed=seed, level=each, time_limit=time_limit, workers=workers, say=say,
            method="local", power=power and not crowds,
        )
    ]  # fmt: skip
    exact: list[tuple[float, Claim]] = []
    for arm in _widest([arm for arm, _ in crowds]):
        try:
            exact.append((_exact(defense, arm, seed), arm.claim))
        except InputError as error:
            unasked = str(error)
    if crowds:
        arm = max(crowds, key=lambda one: promise(*one[1], delta=one[0].claim.delta) / one[0].claim.epsilon)[0]
        found.append(_at_once(defense, arm, seed=seed, level=each, power=power))
    told = [f"{test.event} [p-value {test.p_value:.3g}]" for test in found] if len(found) > 1 else [found[0].event]
    if unasked:
        told.append(f"many people at once were not asked for all that would tell, as {unasked}")
    best = max(found, key=lambda test: test.epsilon_lower_bound / test.claimed)
    p_value = min(1.0, len(found) * min(test.p_value for test in found))
    bound = best.epsilon_lower_bound
    if exact:
        ratio, stated = max(exact, key=lambda one: one[0] / one[1].epsilon)
        told.append(
            f"the channel stated has a largest log-likelihood ratio of {ratio:.6g} over all outputs and all pairs of "
            "records"
        )
        if ratio > stated.epsilon * (1 + _ROUNDING) and stated.delta == 0:
            p_value, bound = 0.0, max(bound, ratio)
            best = replace(best, claimed=stated.epsilon)
    return replace(
        best,
        p_value=p_value,
        epsilon_lower_bound=bound,
        runs=sum(test.runs for test in found),
        seconds=time.monotonic() - started,
        event="; ".join(told),
        # where many people can be asked at once, that is by far the more powerful
        power=found[-1].power,
        power_by=found[-1].power_by,
    )


def _widest(arms: Sequence[Arm]) -> list[Arm]:
    """Return one arm for every set of columns."""
    return list({arm.pair.first.schema.names: arm for arm in arms}.values())


def _crowds(
    defense: Defense, arms: Sequence[Arm], seed: int
) -> tuple[list[tuple[Arm, tuple[Outcomes, Outcomes]]], str]:
    """Return the pairs for which many people can be asked at once, with a first look at each; and what failed.

    That the mechanism fails on a record is for the single collections to tell.
    """
    found: list[tuple[Arm, tuple[Outcomes, Outcomes]]] = []
    failed = ""
    for arm in arms:
        try:
            release = defense.release(arm.pair.first, rng=stream(seed, "verify kind"))
        except Exception:  # a user's code may raise anything
            continue
        if not isinstance(release, Reports):
            continue
        try:
            found.append((arm, collect(defense, arm, seed, 0, people=_SCREENED)))
        except InputError as error:
            failed = str(error)
    return found, failed


def _exact(defense: Defense, arm: Arm, seed: int) -> float:
    """Return the largest log-likelihood ratio that a collection from people with all values shows."""
    schema = arm.pair.first.schema
    rng = stream(seed, "verify channel", *schema.names)
    arrays: dict[str, NDArray[Any]] = {}
    for column in schema.columns:
        if column.discrete:
            arrays[column.name] = rng.permutation(np.arange(_SHOWN) % column.size).astype(np.int32)
        else:
            spread = column.low + rng.permutation(np.linspace(0, 1, _SHOWN)) * column.range
            arrays[column.name] = np.floor(spread) if column.integer else spread
    return largest_log_ratio(asked(defense, Table(schema, arrays, _SHOWN), rng))


def _at_once(defense: Defense, arm: Arm, *, seed: int, level: float, power: bool) -> Test:
    """Learn an event on two collections and bound it on two others."""
    started = time.monotonic()
    learnt = [collect(defense, arm, seed, number, people=_LEARNT // 2) for number in (1, 2)]
    learning = partial(learn, epsilon=arm.claim.epsilon, delta=arm.claim.delta, level=level)
    event = learning(*(Outcomes.concat([part[side] for part in learnt]) for side in (0, 1)))
    fresh = [collect(defense, arm, seed, number, people=_BOUND // 2) for number in (3, 4)]
    events = event.count(*(Outcomes.concat([part[side] for part in fresh]) for side in (0, 1)))
    claim = arm.claim
    p_value = many_run_p_value(events, epsilon=claim.epsilon, delta=claim.delta)
    bound = many_run_lower_bound(events, delta=claim.delta, level=level)

    def play(larger: Defense, seed: int, each: int) -> tuple[Outcomes, Outcomes]:
        return collect(larger, arm, seed, 0, people=each)

    curve: Curve | None = None
    power_by: PowerBy = "not computed"
    if power and p_value >= 1 - level:
        curve, power_by = event_power(
            events, Larger(arm, seed).playing(play), learning, learnt=_LEARNT, bound=bound, claim=claim, level=level
        )
    return Test(
        method="local",
        p_value=p_value,
        epsilon_lower_bound=bound,
        runs=4,
        seconds=time.monotonic() - started,
        event=(
            f"collected at once, {event.name}; from {events.hits:,} of {events.runs:,} people with one record and "
            f"{events.other_hits:,} of {events.other_runs:,} with the other ({arm.pair.name})"
        ),
        claimed=claim.epsilon,
        adjacency=str(arm.pair.adjacency),
        power=curve,
        power_by=power_by,
    )
