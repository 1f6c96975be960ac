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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privbench.claim import Claim
from privbench.contracts import Defense
from privbench.errors import ContractError
from privbench.oracles import FakedOracle, NumericOracle
from privbench.release import Release
from privbench.reports import Reports, Together
from privbench.rng import stream
from privbench.schema import Schema
from privbench.scorers.claims import Events, many_run_lower_bound, many_run_p_value
from privbench.table import Table
from privbench.verifying.arms import Arm
from privbench.verifying.events import learn, promise
from privbench.verifying.many_runs import Say, test_on
from privbench.verifying.outcomes import Outcomes
from privbench.verifying.power import event_power
from privbench.verifying.stated import largest_log_ratio
from privbench.verifying.verification import LEVEL, Test

__all__ = ["test_local"]

Floats = NDArray[np.float64]

# people in the collection that shows every output
_SHOWN = 20_000
# with either of two records: to choose the pair, to learn the event, to bound it
_SCREENED, _LEARNT, _BOUND = 2_000, 20_000, 50_000
# the exact ratio may exceed the claim by rounding
_ROUNDING = 1e-9


def test_local(
    defense: Defense,
    schema: Schema,
    claim: Claim,
    *,
    arms: Sequence[Arm],
    runs: int = 20_000,
    seed: int = 0,
    level: float = LEVEL,
    time_limit: float | None = None,
    workers: int | None = None,
    say: Say | None = None,
) -> Test:
    """Test a local claim.

    Parameters
    ----------
    defense : Defense
        The mechanism.
    schema : Schema
        Of the data set.
    claim : Claim
        Local.
    arms : sequence of Arm
        Pairs of single persons' records.
    runs, seed, level, time_limit, workers, say
        As in `test_many_runs`; two sampled tests share the level.

    Returns
    -------
    Test
        Refuted with a p-value of 0 where the channel stated is itself beyond the claim.
    """
    started = time.monotonic()
    each = 1 - (1 - level) / 2
    found = [
        test_on(
            arms, defense, runs=runs, seed=seed, level=each, time_limit=time_limit, workers=workers, say=say,
            method="local",
        )
    ]  # fmt: skip
    exact: list[tuple[float, Claim]] = []
    if _gives_reports(defense, arms[0], seed):
        sampled = [(arm, _collect(defense, arm, seed, 0, people=_SCREENED)) for arm in arms]
        exact = [(_exact(defense, arm, seed), arm.claim) for arm in _widest(arms)]
        arm = max(sampled, key=lambda one: promise(*one[1], delta=one[0].claim.delta) / one[0].claim.epsilon)[0]
        found.append(_at_once(defense, arm, seed=seed, level=each))
    told = [f"{test.event} [p-value {test.p_value:.3g}]" for test in found] if len(found) > 1 else [found[0].event]
    best = max(found, key=lambda test: test.epsilon_lower_bound / (test.claimed or claim.epsilon))
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
        power=max((test.power for test in found), key=_power_of),
    )


def _power_of(power: tuple[tuple[float, float], ...]) -> float:
    """Return a key by which the more powerful of two tests is the larger."""
    return -power[-1][0] if power else -np.inf


def _widest(arms: Sequence[Arm]) -> list[Arm]:
    """Return one arm for every set of columns."""
    return list({arm.pair.first.schema.names: arm for arm in arms}.values())


def _gives_reports(defense: Defense, arm: Arm, seed: int) -> bool:
    """Return whether releases are reports, so that many people can be asked at once."""
    try:
        release = defense.release(arm.pair.first, rng=stream(seed, "verify kind"))
    except Exception:  # that it fails on one of the two records is for the single collections to tell
        return False
    return isinstance(release, Reports)


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
    release = defense.release(Table(schema, arrays, _SHOWN), rng=rng)
    return largest_log_ratio(_reports(release))


def _reports(release: Release) -> Reports:
    if not isinstance(release, Reports):
        raise ContractError(f"a mechanism that gave reports before gave {type(release).__name__}")
    return release


def _at_once(defense: Defense, arm: Arm, *, seed: int, level: float) -> Test:
    """Learn an event on two collections and bound it on two others."""
    started = time.monotonic()
    learnt = [_collect(defense, arm, seed, number, people=_LEARNT // 2) for number in (1, 2)]
    event = learn(
        *(Outcomes.concat([part[side] for part in learnt]) for side in (0, 1)),
        epsilon=arm.claim.epsilon, delta=arm.claim.delta, level=level,
    )  # fmt: skip
    fresh = [_collect(defense, arm, seed, number, people=_BOUND // 2) for number in (3, 4)]
    held = [sum(int(event.holds(part[side]).sum()) for part in fresh) for side in (0, 1)]
    likely, other = (0, 1) if event.on_first else (1, 0)
    events = Events(held[likely], _BOUND, held[other], _BOUND)
    claim = arm.claim
    return Test(
        method="local",
        p_value=many_run_p_value(events, epsilon=claim.epsilon, delta=claim.delta),
        epsilon_lower_bound=many_run_lower_bound(events, delta=claim.delta, level=level),
        runs=4,
        seconds=time.monotonic() - started,
        event=(
            f"collected at once, {event.name}; from {events.hits:,} of {events.runs:,} people with one record and "
            f"{events.other_hits:,} of {events.other_runs:,} with the other ({arm.pair.name})"
        ),
        power=event_power(events, epsilon=claim.epsilon, delta=claim.delta, level=level),
        claimed=claim.epsilon,
        adjacency=str(arm.pair.adjacency),
    )


def _collect(defense: Defense, arm: Arm, seed: int, number: int, *, people: int) -> tuple[Outcomes, Outcomes]:
    """Return what can be read off the reports of many people with either record."""
    rng = stream(seed, "verify at once", arm.pair.name, str(number))
    sides = rng.permutation(np.repeat([0, 1], people))
    both = Table.concat([arm.pair.record, arm.pair.other])
    release = defense.release(both.take(sides), rng=rng)
    outcomes = _read(_reports(release), arm)
    return outcomes.take(sides == 0), outcomes.take(sides == 1)


def _read(release: Reports, arm: Arm) -> Outcomes:
    """Return what every person's own reports support and how much likelier they are of the one record."""
    people = np.arange(release.private_records)
    names: list[str] = []
    numbers: list[Floats] = []
    contrast, genuine = np.zeros(len(people)), np.zeros((len(people), 2))
    prints = np.zeros(len(people), dtype=np.uint64)
    for one in release.reported:
        name = one.column.name
        pair = np.array([arm.pair.record[name][0], arm.pair.other[name][0]])
        who, reports = one.of(people)
        if not len(who):
            continue
        _, output = np.unique(reports.reshape(len(reports), -1), axis=0, return_inverse=True)
        prints[who] = prints[who] * np.uint64(1_000_003) + output.ravel().astype(np.uint64) + np.uint64(1)
        if isinstance(one.oracle, NumericOracle):
            told = one.oracle.log_likelihood(reports, pair.astype(np.float64))
            seen = np.zeros(len(people))
            seen[who] = one.oracle.debias(reports)
            names.append(f"a person's own report of {name} in survey {one.survey + 1}")
            numbers.append(seen)
        else:
            told = one.oracle.log_likelihood(reports)[:, pair]
            support = one.oracle.support(reports)[:, pair]
            for place, code in enumerate(pair):
                seen = np.zeros(len(people))
                seen[who] = support[:, place]
                names.append(f"a person's report in survey {one.survey + 1} supports {name} = {one.column.label(code)}")
                numbers.append(seen)
            if isinstance(one.oracle, FakedOracle):
                genuine[who] += np.exp(np.clip(one.oracle.log_odds(reports)[:, pair], -700, 700))
        contrast[who] += np.clip(told[:, 0], -700, 700) - np.clip(told[:, 1], -700, 700)
    if release.together is Together.ONE_GENUINE:
        contrast = np.log(genuine[:, 0]) - np.log(genuine[:, 1])
    names.append("how much likelier a person's own reports are of one record than of the other")
    return Outcomes(tuple(names), np.column_stack([*numbers, contrast]), prints)
