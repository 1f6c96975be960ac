"""Collections of randomised reports made for tests, and the laws of their protocols written out, for enumeration."""

from __future__ import annotations

import math

import numpy as np

from defenses.ldp.combined import CombinedColumn, randomise_jointly
from defenses.ldp.fakes import Faked
from defenses.ldp.grr import Grr
from defenses.ldp.one_genuine import randomise_one_genuine
from privbench.contracts import View
from privbench.reported_column import ReportedColumn
from privbench.reports import Reports, Together
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table


def categorical(name: str, size: int) -> Column:
    return Column(name, Kind.CATEGORICAL, tuple(f"{name}{code}" for code in range(size)))


def table_of(codes: dict[str, np.ndarray], sizes: dict[str, int]) -> Table:
    return Table(Schema(tuple(categorical(name, sizes[name]) for name in codes)), codes)


def collect(
    table: Table,
    names: tuple[str, ...],
    *,
    epsilon: float,
    together: Together = Together.INDEPENDENT,
    surveys: int = 1,
    seed: int = 0,
    people: np.ndarray | None = None,
) -> Reports:
    """Collect GRR reports of some columns, each with this epsilon (the joint value with it, where that is reported)."""
    reported: list[ReportedColumn] = []
    for survey in range(surveys):
        rng = stream(seed, "reported", str(survey), together)
        asked = np.arange(len(table)) if people is None else people
        codes = [table[name][asked] for name in names]
        sizes = [table.schema[name].size for name in names]
        if together is Together.INDEPENDENT:
            oracles = [Grr(size, epsilon) for size in sizes]
            reports = [oracle.randomise(own, rng=rng) for oracle, own in zip(oracles, codes, strict=True)]
        elif together is Together.ONE_GENUINE:
            oracles = [Faked(Grr(size, epsilon), 1 / len(names), "uniform") for size in sizes]
            reports, _ = randomise_one_genuine(codes, oracles, rng=rng)
        else:
            oracles = [CombinedColumn(size, math.prod(sizes), epsilon) for size in sizes]
            reports = randomise_jointly(codes, sizes=sizes, epsilon=epsilon, rng=rng)
        reported += [
            ReportedColumn(table.schema[name], oracle, own, people, survey)
            for name, oracle, own in zip(names, oracles, reports, strict=True)
        ]
    joint = epsilon if together is Together.JOINT else 0.0
    return Reports(table.schema, table.without(names), tuple(reported), len(table), None, together, joint)


def view_of(release: Reports, table: Table, rows: np.ndarray, *, secrets: tuple[str, ...], known=(), **change) -> View:
    targets = table.take(rows)
    given = {"rows": rows, **change}
    return View(release, targets.select(known), targets.select(secrets).schema.columns, **given)


def law(vector, reports, *, sizes, epsilon: float, together: Together) -> float:
    """Return P[GRR reports of one survey | vector of values], from the protocol's definition."""

    def grr(said: int, value: int, size: int) -> float:
        return (math.exp(epsilon) if said == value else 1.0) / (math.exp(epsilon) + size - 1)

    each = [grr(said, value, size) for said, value, size in zip(reports, vector, sizes, strict=True)]
    if together is Together.INDEPENDENT:
        return math.prod(each)
    if together is Together.JOINT:
        same = tuple(reports) == tuple(vector)
        return (math.exp(epsilon) if same else 1.0) / (math.exp(epsilon) + math.prod(sizes) - 1)
    fakes = [1 / size for size in sizes]
    return sum(
        own * math.prod(fake for other, fake in enumerate(fakes) if other != place) / len(sizes)
        for place, own in enumerate(each)
    )
