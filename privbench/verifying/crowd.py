"""Many people's reports in one collection, half of them with either of two records, and what each report tells.

Given what all people share, their reports are independent: one collection is as many runs of a local mechanism.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from privbench.contracts import Defense
from privbench.errors import ContractError, InputError
from privbench.reports import Reports, Together
from privbench.rng import stream
from privbench.table import Table
from privbench.verifying.arms import Arm
from privbench.verifying.failures import in_one_line
from privbench.verifying.outcomes import Outcomes
from privbench.verifying.reported import contrast, contrast_of_odds, told_by

__all__ = ["asked", "collect", "fingerprints"]

Floats = NDArray[np.float64]


def asked(defense: Defense, people: Table, rng: np.random.Generator) -> Reports:
    """Return the reports of many people."""
    try:
        release = defense.release(people, rng=rng)
    except Exception as error:  # a user's code may raise anything
        raise InputError(f"the defense fails for {len(people):,} people at once: {in_one_line(error)}") from error
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
    faked = release.together is Together.ONE_GENUINE
    names: list[str] = []
    numbers: list[Floats] = []
    likelier = np.zeros(len(people))
    surveys = 1 + max((one.survey for one in release.reported), default=0)
    genuine = np.zeros((surveys, len(people), 2))
    prints = np.zeros(len(people), dtype=np.uint64)
    for one in release.reported:
        column = one.column
        who, reports = one.of(people)
        if not len(who):
            continue
        prints[who] = prints[who] * np.uint64(1_000_003) + fingerprints(reports)
        read = told_by(one, reports, arm.pair.record, arm.pair.other, faked=faked)
        said = [f"a person's own report of {column.name} in survey {one.survey + 1}"]
        if column.discrete:
            values = [column.label(record[column.name][0]) for record in (arm.pair.record, arm.pair.other)]
            said = [
                f"a person's report in survey {one.survey + 1} supports {column.name} = {value}" for value in values
            ]
        for place, name in enumerate(said):
            seen = np.zeros(len(people))
            seen[who] = read.support[:, place]
            names.append(name)
            numbers.append(seen)
        likelier[who] += contrast(read.log_likelihood)
        genuine[one.survey, who] += read.odds
    if faked:
        likelier = np.sum([contrast_of_odds(part) for part in genuine], axis=0)
    names.append("how much likelier a person's own reports are of one record than of the other")
    return Outcomes(tuple(names), np.column_stack([*numbers, likelier]), prints)


def fingerprints(reports: NDArray[Any]) -> NDArray[np.uint64]:
    """Return a number for every report, of equal ones the same in any collection; never 0 but by chance."""
    found = np.ones(len(reports), dtype=np.uint64)
    for byte in np.ascontiguousarray(reports).view(np.uint8).reshape(len(reports), -1).T:
        found = found * np.uint64(0x9E3779B97F4A7C15) + byte
    return found
