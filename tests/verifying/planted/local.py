"""Collections of randomised reports with one planted bug each, and their honest versions.

The bug is in what is drawn: a report's public parameters (`p`, `q`, the likelihood) stay those of the honest protocol.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defenses.ldp.cells import cells_of
from defenses.ldp.fake_claims import claims
from defenses.ldp.fakes import Faked
from defenses.ldp.grr import Grr
from defenses.ldp.local_hashing import Olh
from defenses.ldp.memoised import Memoised
from defenses.ldp.memoised_budgets import memoised
from defenses.ldp.one_genuine import randomise_one_genuine
from defenses.ldp.unary import Sue
from privbench.claim import Adjacency, Claim
from privbench.oracles import FrequencyOracle
from privbench.reported_column import ReportedColumn
from privbench.reports import Reports, Together
from privbench.schema import Column
from privbench.table import Table

__all__ = ["Bits", "FewSeeds", "Genuine", "Remembered", "Response"]


@dataclass(frozen=True)
class Response:
    """Randomised response on every discrete column.

    Honest where the budget is split over the columns and an answer that is no lie has the probability
    e^eps / (e^eps + k - 1).

    Parameters
    ----------
    epsilon : float
        What is claimed for all columns of a person.
    values : int
        By how many the k of the formula is off; 0 is honest, -1 gives log((k - 1) / (k - 2)) away.
    split : bool
        Whether the columns share the budget; if not, epsilon is as many times what is claimed as there are columns.
    """

    epsilon: float = 1.0
    values: int = 0
    split: bool = True

    def release(self, train: Table, *, rng: np.random.Generator) -> Reports:
        """Return one report a person and column."""
        columns = [column for column in train.schema.columns if column.discrete]
        part = self.epsilon / len(columns) if self.split else self.epsilon
        return _collected(train, columns, lambda column: _Response(column.size, part, self.values), self.epsilon, rng)


@dataclass(frozen=True)
class _Response(Grr):
    """Randomised response that takes k for another number."""

    values: int = 0

    def randomise(self, codes: NDArray[np.integer], *, rng: np.random.Generator) -> NDArray[np.unsignedinteger[Any]]:
        """Return one reported code for each of `n` codes."""
        if not self.values:
            return super().randomise(codes, rng=rng)
        odds = math.exp(self.epsilon)
        true = rng.random(len(codes)) < odds / (odds + self.size + self.values - 1)
        lies = rng.integers(0, self.size - 1, size=len(codes))
        told = np.where(true, codes, lies + (lies >= codes))
        return told.astype(np.min_scalar_type(self.size - 1))


@dataclass(frozen=True)
class Bits:
    """Symmetric unary encoding of every discrete column, with `factor` times the budget: 1 is honest.

    Two bits of a report depend on the value, so each is to be flipped with half of epsilon; a factor of 2 flips both
    with all of it.
    """

    epsilon: float = 1.0
    factor: float = 1.0

    def release(self, train: Table, *, rng: np.random.Generator) -> Reports:
        """Return one report a person and column."""
        columns = [column for column in train.schema.columns if column.discrete]
        part = self.epsilon / len(columns)
        return _collected(train, columns, lambda column: _Bits(column.size, part, self.factor), self.epsilon, rng)


@dataclass(frozen=True)
class _Bits(Sue):
    factor: float = 1.0

    def randomise(self, codes: NDArray[np.integer], *, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Return `n` rows of packed bits."""
        return Sue(self.size, self.factor * self.epsilon).randomise(codes, rng=rng)


@dataclass(frozen=True)
class Remembered:
    """Several rounds of a remembered randomised answer to the first discrete column.

    Honest where every round randomises the permanent answer. The bug: the last round, with probability `fresh`,
    randomises the value itself.

    Parameters
    ----------
    epsilon : float
        Budget of any number of rounds; what is claimed is what these rounds spend of it.
    rounds : int
        Reports a person.
    fresh : float
        Probability that the last report forgets the permanent answer; 0 is honest.
    """

    epsilon: float = 1.5
    rounds: int = 2
    fresh: float = 0.0

    def release(self, train: Table, *, rng: np.random.Generator) -> Reports:
        """Return all rounds' reports."""
        column = next(column for column in train.schema.columns if column.discrete)
        honest = self.oracle(column.size)
        return _collected(train, [column], lambda _: honest, honest.epsilon_of(self.rounds), rng)

    def oracle(self, size: int) -> Memoised:
        """Return the randomiser of a column of so many values."""
        first = 0.7 * self.epsilon
        made = memoised(Grr, size=size, epsilon=self.epsilon, epsilon_first=first, rounds=self.rounds)
        return _Remembered(made.permanent, made.instantaneous, self.rounds, self.fresh)


@dataclass(frozen=True)
class _Remembered(Memoised):
    fresh: float = 0.0

    def randomise(self, codes: NDArray[np.integer], *, rng: np.random.Generator) -> NDArray[Any]:
        """Return R reports for each of `n` codes."""
        reports = super().randomise(codes, rng=rng)
        forgets = rng.random(len(codes)) < self.fresh
        reports[forgets, -1] = self.instantaneous.randomise(codes[forgets], rng=rng)
        return reports


@dataclass(frozen=True)
class Genuine:
    """One genuine report by randomised response, and uniform fakes of the other discrete columns.

    Honest where fakes are drawn without the person's values. The bug draws a fake, with probability `avoiding`, among
    the values that are not the true one, so that it be a fake.

    Parameters
    ----------
    epsilon : float
        Of the genuine report, and what all reports of a person keep.
    avoiding : float
        Probability that a fake avoids the true value; 0 is honest.
    """

    epsilon: float = 1.0
    avoiding: float = 0.0

    def release(self, train: Table, *, rng: np.random.Generator) -> Reports:
        """Return one report a person and column."""
        columns = [column for column in train.schema.columns if column.discrete]
        share = 1 / len(columns)
        oracles = [
            _Genuine(Grr(column.size, self.epsilon), share, "uniform", None, self.avoiding) for column in columns
        ]
        reports, _ = randomise_one_genuine([train[column.name] for column in columns], oracles, rng=rng)
        made = zip(columns, oracles, reports, strict=True)
        reported = tuple(ReportedColumn(*one) for one in made)
        return _reports(train, reported, claims(oracles).record, Together.ONE_GENUINE)


@dataclass(frozen=True)
class _Genuine(Faked):
    avoiding: float = 0.0

    def randomise_some(
        self, codes: NDArray[np.integer], genuine: NDArray[np.bool_], *, rng: np.random.Generator
    ) -> NDArray[Any]:
        """Return one report for each of `n` codes, genuine where told, else a fake."""
        reports = super().randomise_some(codes, genuine, rng=rng)
        avoids = ~genuine & (rng.random(len(codes)) < self.avoiding)
        others = rng.integers(0, self.size - 1, size=len(codes))
        reports[avoids] = (others + (others >= codes))[avoids]
        return reports


@dataclass(frozen=True)
class FewSeeds:
    """Local hashing of the first discrete column with hashes from a public list of `seeds`.

    Honest where the hash is drawn, and the cell randomised, by generators of their own. The bug (`shared`) seeds the
    randomiser with the number of the hash, which is published: whoever knows it can undo the randomisation.
    """

    epsilon: float = 1.0
    seeds: int = 4
    shared: bool = False

    def release(self, train: Table, *, rng: np.random.Generator) -> Reports:
        """Return one report a person."""
        column = next(column for column in train.schema.columns if column.discrete)
        oracle = _FewSeeds(column.size, self.epsilon, self.seeds, self.shared)
        return _collected(train, [column], lambda _: oracle, self.epsilon, rng)


@dataclass(frozen=True)
class _FewSeeds(Olh):
    seeds: int = 4
    shared: bool = False

    def randomise(self, codes: NDArray[np.integer], *, rng: np.random.Generator) -> NDArray[np.uint32]:
        """Return `n` seeds and cells."""
        seeds = rng.integers(0, self.seeds, size=len(codes)).astype(np.uint32)
        cells = cells_of(seeds, codes, cells=self.cells).astype(np.int64)
        # a uniform number for each report: from the rng, or the same one whenever the seed is
        draw = _uniform(seeds) if self.shared else rng.random(len(codes))
        odds = math.exp(self.log_ratio)
        lies = np.floor(draw * (odds + self.cells - 1)).astype(np.int64)
        told = np.where(lies < self.cells - 1, (cells + 1 + lies) % self.cells, cells)
        return np.column_stack([seeds, told]).astype(np.uint32)


def _uniform(seeds: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Return a number in [0, 1) for each seed, spread by the golden ratio."""
    return np.asarray((seeds * 0.6180339887498949) % 1.0)


def _collected(
    train: Table,
    columns: list[Column],
    make: Callable[[Column], FrequencyOracle],
    epsilon: float,
    rng: np.random.Generator,
) -> Reports:
    """Return reports of some columns, each randomised on its own."""
    oracles = [make(column) for column in columns]
    reported = tuple(
        ReportedColumn(column, oracle, oracle.randomise(train[column.name], rng=rng))
        for column, oracle in zip(columns, oracles, strict=True)
    )
    return _reports(train, reported, epsilon, Together.INDEPENDENT)


def _reports(train: Table, reported: tuple[ReportedColumn, ...], epsilon: float, together: Together) -> Reports:
    clear = train.without([one.column.name for one in reported])
    claim = Claim(epsilon, 0.0, Adjacency.LOCAL)
    return Reports(train.schema, clear, reported, len(train), claim, together)
