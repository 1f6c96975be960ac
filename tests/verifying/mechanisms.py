"""Small mechanisms of one idea each, honest and not, whose epsilon is known by definition."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defenses.ldp.grr import Grr
from privbench.claim import Adjacency, Claim
from privbench.contracts import Defense
from privbench.release import SyntheticTable
from privbench.reported_column import ReportedColumn
from privbench.reports import Reports
from privbench.schema import Column, Kind, Schema
from privbench.table import Table
from privbench.verifying.arms import arms_for
from privbench.verifying.asked import NOTHING, Asked
from privbench.verifying.many_runs import test_on
from privbench.verifying.verification import Test

SEX = Column("sex", Kind.CATEGORICAL, ("f", "m"))
RACE = Column("race", Kind.CATEGORICAL, ("a", "b", "c", "d"))
AGE = Column("age", Kind.CONTINUOUS, low=0, high=100, integer=True)
SMALL = Schema((SEX,))
WIDE = Schema((SEX, RACE, AGE))


def many_runs(defense: Defense, schema: Schema, claim: Claim | None = None, *, seed: int = 0, **options: Any) -> Test:
    """Test a claim by many runs on neighbours of a schema; what each release states where none is given."""
    asked = NOTHING if claim is None else Asked(claim.epsilon, claim.delta, claim.adjacency)
    arms, _ = arms_for(defense, schema, asked, adjacency=None if claim is None else claim.adjacency, seed=seed)
    return test_on(arms, defense, seed=seed, **options)


@dataclass(frozen=True)
class Counts:
    """Publish each value of the first column as often as its count with two-sided geometric noise says, at least 0.

    Parameters
    ----------
    epsilon : float
        What is claimed; honest for the exchange of a record at `sensitivity` 2, and for one record more at 1.
    sensitivity : float
        What the noise is scaled to.
    factor : float
        By which the noise is too small; 1 is honest.
    adjacency : Adjacency
        What is claimed.
    """

    epsilon: float = 1.0
    sensitivity: float = 2.0
    factor: float = 1.0
    adjacency: Adjacency = Adjacency.REPLACE_ONE

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        column = train.schema.columns[0]
        counts = np.bincount(train[column.name], minlength=column.size)
        success = -math.expm1(-self.epsilon * self.factor / self.sensitivity)
        noisy = counts + rng.geometric(success, column.size) - rng.geometric(success, column.size)
        # 60 records of every value: nothing is cut at zero, and there is always a row
        rows = np.repeat(np.arange(column.size), np.maximum(noisy + 60, 0))
        arrays = {c.name: np.full(len(rows), 0 if c.discrete else c.low) for c in train.schema.columns}
        table = Table(train.schema, {**arrays, column.name: rows}, len(rows))
        return SyntheticTable(table, len(train), Claim(self.epsilon, 0.0, self.adjacency))


@dataclass(frozen=True)
class ConstantSeed:
    """Draw the noise of `Counts` from a generator with a seed of its own."""

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        return Counts().release(train, rng=np.random.default_rng(7))


class ReusedNoise:
    """Draw the noise of `Counts` once for an object and add it in every call; a copy draws its own."""

    def __init__(self) -> None:
        self.seed: int | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return ReusedNoise, ()

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        if self.seed is None:
            self.seed = int(rng.integers(2**31))
        return Counts().release(train, rng=np.random.default_rng(self.seed))


@dataclass(frozen=True)
class DomainFromData:
    """Count with honest noise, but only values that some record has."""

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        column = train.schema.columns[0]
        present = np.unique(train[column.name])
        rows = np.repeat(
            present, np.maximum(40 + rng.geometric(0.3, len(present)) - rng.geometric(0.3, len(present)), 1)
        )
        arrays = {c.name: np.full(len(rows), 0 if c.discrete else c.low) for c in train.schema.columns}
        table = Table(train.schema, {**arrays, column.name: rows}, len(rows))
        return SyntheticTable(table, len(train), Claim(2.0, 0.0, Adjacency.REPLACE_ONE))


@dataclass(frozen=True)
class Sometimes:
    """Publish the last record as it is with probability `delta`, else nothing of it: (0, delta)-DP."""

    delta: float = 0.1
    claimed: float = 0.1

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        told = train[train.schema.names[0]][-1] if rng.random() < self.delta else 0
        row = Table(
            train.schema,
            {c.name: np.array([told if c is train.schema.columns[0] else 0]) for c in train.schema.columns},
        )
        return SyntheticTable(row, len(train), Claim(1.0, self.claimed, Adjacency.REPLACE_ONE))


@dataclass(frozen=True)
class _Off(Grr):
    """Randomised response whose p and q are those of one value less."""

    @property
    def p(self) -> float:
        return 1 / (1 + (self.size - 2) * math.exp(-self.epsilon))

    @property
    def q(self) -> float:
        return (1 - self.p) / (self.size - 1)

    def randomise(self, codes: NDArray[np.integer], *, rng: np.random.Generator) -> NDArray[Any]:
        lies = rng.integers(0, self.size - 1, size=len(codes))
        return np.where(rng.random(len(codes)) < self.p, codes, lies + (lies >= codes)).astype(np.uint8)


@dataclass(frozen=True)
class _Silent(_Off):
    """The same, which says of itself that all is well."""

    @property
    def p(self) -> float:
        return Grr(self.size, self.epsilon).p

    @property
    def q(self) -> float:
        return Grr(self.size, self.epsilon).q

    def randomise(self, codes: NDArray[np.integer], *, rng: np.random.Generator) -> NDArray[Any]:
        return _Off(self.size, self.epsilon).randomise(codes, rng=rng)


@dataclass(frozen=True)
class Response:
    """Randomised response on the first column, the others left away."""

    epsilon: float = 1.0
    kind: str = "honest"

    def release(self, train: Table, *, rng: np.random.Generator) -> Reports:
        column = train.schema.columns[0]
        oracle = {"honest": Grr, "off": _Off, "silent": _Silent}[self.kind](column.size, self.epsilon)
        if self.kind == "constant":
            rng = np.random.default_rng(3)
        reported = ReportedColumn(column, oracle, oracle.randomise(train[column.name], rng=rng))
        claim = Claim(self.epsilon, 0.0, Adjacency.LOCAL)
        rest = train.without([column.name])
        return Reports(train.schema, rest, (reported,), len(train), claim)
