"""Many people's reports in one collection, half of them with either of two records, and what each report tells.

Given what all people share, their reports are independent: one collection is as many runs of a local mechanism.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from privbench.contracts import Defense
from privbench.errors import ContractError, InputError
from privbench.oracles import FakedOracle, NumericOracle
from privbench.reports import Reports, Together
from privbench.rng import stream
from privbench.table import Table
from privbench.verifying.arms import Arm
from privbench.verifying.outcomes import Outcomes

__all__ = ["asked", "collect", "fingerprints"]

Floats = NDArray[np.float64]


def asked(defense: Defense, people: Table, rng: np.random.Generator) -> Reports:
    """Return the reports of many people."""
    try:
        release = defense.release(people, rng=rng)
    except Exception as error:  # a user's code may raise anything
        raise InputError(
            f"the defense fails for {len(people):,} people at once: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(release, Reports):
        raise ContractError(f"a mechanism that gave reports before gave {type(release).__name__}")
    return release


def collect(defense: Defense, arm: Arm, seed: int, number: int, *, people: int) -> tuple[Outcomes, Outcomes]:
    """Return what can be read off the reports of many people with either record."""
    rng = stream(seed, "verify at once", arm.pair.name, str(number))
    sides = rng.permutation(np.repeat([0, 1], people))
    both = Table.concat([arm.pair.record, arm.pair.other])
    outcomes = _read(asked(defense, both.take(sides), rng), arm)
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
        prints[who] = prints[who] * np.uint64(1_000_003) + fingerprints(reports)
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


def fingerprints(reports: NDArray[Any]) -> NDArray[np.uint64]:
    """Return a number for every report, of equal ones the same in any collection; never 0 but by chance."""
    found = np.ones(len(reports), dtype=np.uint64)
    for byte in np.ascontiguousarray(reports).view(np.uint8).reshape(len(reports), -1).T:
        found = found * np.uint64(0x9E3779B97F4A7C15) + byte
    return found
