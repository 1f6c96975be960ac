"""Noisy histograms with one planted bug each, and the honest histogram: its release is the noisy counts themselves.

Every class changes one step of `Histogram` and claims what the honest one would. A published table has as many rows of
each cell as its noisy count says, none where that is below zero, so that nothing but the counts is told.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from defenses.synthetic.coding import Codes, Coding, count
from defenses.synthetic.noise import geometric
from privbench.claim import Adjacency, Claim
from privbench.release import SyntheticTable
from privbench.rng import stream
from privbench.table import Table

__all__ = [
    "BoundsFromData",
    "CountsTwice",
    "Histogram",
    "NoiseKept",
    "NoiseReused",
    "NoiseTooSmall",
    "OwnGenerator",
    "SeededByConstant",
    "SkipsLargeCells",
    "WrongSensitivity",
]

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Histogram:
    """Publish the joint histogram of all columns with two-sided geometric noise: epsilon-DP, and honest.

    Parameters
    ----------
    epsilon : float
        What is claimed.
    adjacency : Adjacency
        `replace-one` moves two counts by one each, `add-remove` one.
    bins : int
        Cells of a continuous column, between the bounds of the schema.
    """

    epsilon: float = 1.0
    adjacency: Adjacency = Adjacency.REPLACE_ONE
    bins: int = 4

    @property
    def moved(self) -> int:
        """How far one record moves the counts in L1."""
        return 1 if self.adjacency is Adjacency.ADD_REMOVE else 2

    @property
    def rate(self) -> float:
        """Of the noise, whose P[x] is proportional to exp(-rate |x|)."""
        return self.epsilon / self.moved

    @property
    def claim(self) -> Claim:
        """What every release states."""
        return Claim(self.epsilon, 0.0, self.adjacency)

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        """Return a row for every noisy count."""
        coding = self.coding(train)
        noisy = np.maximum(self.noisy(self.counts(coding.encode(train), coding.sizes), rng=rng), 0)
        cells = np.repeat(np.arange(noisy.size), noisy.ravel())
        rows = coding.decode(np.array(np.unravel_index(cells, noisy.shape), dtype=np.uint32), rng=rng)
        return SyntheticTable(rows.with_schema(train.schema), private_records=len(train), claim=self.claim)

    def coding(self, train: Table) -> Coding:
        """Return how records become cells."""
        return Coding(train.schema, self.bins)

    def counts(self, codes: Codes, sizes: tuple[int, ...]) -> Counts:
        """Return the records of each cell."""
        return count(codes, range(len(sizes)), sizes)

    def noisy(self, counts: Counts, *, rng: np.random.Generator) -> Counts:
        """Return the counts with noise."""
        return counts + geometric(counts.size, rate=self.rate, rng=rng).reshape(counts.shape)


@dataclass(frozen=True)
class NoiseTooSmall(Histogram):
    """Noise of a scale too small by `factor`: epsilon is `factor` times what is claimed."""

    factor: float = 2.0

    @property
    def rate(self) -> float:
        """Of the noise."""
        return self.factor * self.epsilon / self.moved


@dataclass(frozen=True)
class WrongSensitivity(Histogram):
    """Noise for records added or removed, the claim for records exchanged: epsilon is twice what is claimed."""

    @property
    def moved(self) -> int:
        """How far one record added moves the counts."""
        return 1


@dataclass(frozen=True)
class BoundsFromData(Histogram):
    """Cut continuous columns between the least and the greatest value that the records have."""

    def coding(self, train: Table) -> Coding:
        """Return how records become cells."""
        columns = tuple(
            column
            if column.discrete
            else replace(column, low=float(train[column.name].min()), high=float(train[column.name].max()))
            for column in train.schema.columns
        )
        return Coding(replace(train.schema, columns=columns), self.bins)


@dataclass(frozen=True)
class SeededByConstant(Histogram):
    """Draw the noise from a generator that starts alike in every release."""

    def noisy(self, counts: Counts, *, rng: np.random.Generator) -> Counts:
        """Return the counts with noise."""
        return super().noisy(counts, rng=stream(7, "noise"))


@dataclass(frozen=True)
class OwnGenerator(Histogram):
    """Draw the noise from a generator that the object brings along: honest, unless anybody can know its seed.

    Parameters
    ----------
    constant : int or None
        Its seed; None for one of the operating system.
    """

    constant: int | None = None
    own: np.random.Generator = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "own", np.random.default_rng(self.constant))

    def noisy(self, counts: Counts, *, rng: np.random.Generator) -> Counts:
        """Return the counts with noise."""
        return super().noisy(counts, rng=self.own)


@dataclass(frozen=True)
class NoiseReused(Histogram):
    """Draw noise once and add it to every cell: differences of counts are exact."""

    def noisy(self, counts: Counts, *, rng: np.random.Generator) -> Counts:
        """Return the counts with noise."""
        return counts + geometric(1, rate=self.rate, rng=rng)


@dataclass(frozen=True)
class NoiseKept(Histogram):
    """Keep the noise of the first release for all later ones: two releases tell the difference of their counts."""

    kept: dict[int, Counts] = field(default_factory=dict, compare=False, repr=False)

    def noisy(self, counts: Counts, *, rng: np.random.Generator) -> Counts:
        """Return the counts with noise."""
        noisy = super().noisy(counts, rng=rng)
        return counts + self.kept.setdefault(counts.size, noisy - counts)


@dataclass(frozen=True)
class SkipsLargeCells(Histogram):
    """Leave cells of `limit` records and more as they are, since noise would hardly change them."""

    limit: int = 5

    def noisy(self, counts: Counts, *, rng: np.random.Generator) -> Counts:
        """Return the counts with noise."""
        return np.where(counts < self.limit, super().noisy(counts, rng=rng), counts)


@dataclass(frozen=True)
class CountsTwice(Histogram):
    """Join the records with a list of the first column's values that names the last one `times` times.

    Exchanging a record moves the counts by `times` + 1, so epsilon is (`times` + 1) / 2 times what is claimed.
    """

    times: int = 2

    def counts(self, codes: Codes, sizes: tuple[int, ...]) -> Counts:
        """Return the records of each cell."""
        counts = super().counts(codes, sizes)
        counts[-1] *= self.times
        return counts
