"""Generators of rows from noisy marginals with one planted bug each, and their honest versions.

They use the same doors to the records as the built-in generators (`PureLedger`), and get round them where the bug is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from defenses.synthetic.ancestral import draw_given
from defenses.synthetic.coding import Coding, count
from defenses.synthetic.noise import geometric
from defenses.synthetic.pure import PureLedger
from privbench.claim import Adjacency, Claim
from privbench.release import SyntheticTable
from privbench.simplex import nearest_distribution
from privbench.table import Table
from tests.verifying.planted.histograms import Counts, Histogram

__all__ = ["Chosen", "Columns", "CopiesRows", "Weighted"]


@dataclass(frozen=True)
class Columns:
    """Measure every column, and draw each on its own.

    Honest where the budget is split over the columns; the bug (`split` False) measures every column with all of it, so
    that epsilon is as many times what is claimed as there are columns.

    Parameters
    ----------
    epsilon : float
        What is claimed for exchanging one record.
    split : bool
        Whether the columns share the budget.
    rows : int
        How many rows are published.
    """

    epsilon: float = 1.0
    split: bool = True
    rows: int = 400

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        """Return rows that agree with the noisy counts of every column."""
        coding = Coding(train.schema, 4)
        codes, sizes = coding.encode(train), coding.sizes
        ledger = PureLedger(self.epsilon * (1 if self.split else len(sizes)), rng)
        drawn = []
        for place in range(len(sizes)):
            counts = count(codes, (place,), sizes)
            noisy = ledger.measure(counts, epsilon=ledger.epsilon / len(sizes), what=f"column {place}")
            shares = nearest_distribution(noisy / len(train))
            drawn.append(draw_given(np.zeros(self.rows, dtype=np.int64), shares[None, :], rng=rng))
        claim = Claim(self.epsilon, 0.0, Adjacency.REPLACE_ONE)
        return SyntheticTable(coding.decode(np.stack(drawn), rng=rng), private_records=len(train), claim=claim)


@dataclass(frozen=True)
class Chosen:
    """Choose the pair of columns whose commonest combination is most frequent, measure it, and publish it.

    The other columns are published as evenly spread, so which pair was chosen shows. Honest: a `share` of the budget
    buys the choice, by the exponential mechanism. The bug chooses by the exact counts, always or now and then.

    Parameters
    ----------
    epsilon : float
        What is claimed for exchanging one record.
    exact : float
        Probability that the choice is by the exact counts, at no cost: 0 is honest.
    share : float
        Of the budget, for the honest choice.
    rows : int
        How many rows are published.
    """

    epsilon: float = 1.0
    exact: float = 0.0
    share: float = 0.5
    rows: int = 240

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        """Return rows that agree with the pair chosen."""
        coding = Coding(train.schema, 4)
        codes, sizes = coding.encode(train), coding.sizes
        ledger = PureLedger(self.epsilon, rng)
        pairs = list(combinations(range(len(sizes)), 2))
        tables = [count(codes, pair, sizes) for pair in pairs]
        # an exchange moves every count by one at most, and so the greatest of a table
        greatest = np.array([table.max() for table in tables], dtype=np.float64)
        place = ledger.choose(greatest, sensitivity=1.0, epsilon=self.share * self.epsilon, what="pair")
        if self.exact and rng.random() < self.exact:
            place = int(np.argsort(greatest, kind="stable")[-1])
        noisy = ledger.measure(tables[place], epsilon=(1 - self.share) * self.epsilon, what="counts")
        none = np.zeros(self.rows, dtype=np.int64)
        cells = draw_given(none, np.maximum(noisy, 0).reshape(1, -1), rng=rng)
        drawn = [draw_given(none, np.ones((1, size)), rng=rng).astype(np.int64) for size in sizes]
        for column, values in zip(pairs[place], np.unravel_index(cells, noisy.shape), strict=True):
            drawn[column] = values
        claim = Claim(self.epsilon, 0.0, Adjacency.REPLACE_ONE)
        return SyntheticTable(coding.decode(np.stack(drawn), rng=rng), private_records=len(train), claim=claim)


@dataclass(frozen=True)
class Weighted:
    """Publish the sum of a weight, clipped for every record, over the values of the other columns.

    The weight is the last of `columns`, a continuous one of whole numbers from 0. Honest: each record's weight is
    clipped to `limit`, so that adding a record moves one sum by at most that. The bug clips the noisy sums alone, to
    what `most` records can reach: epsilon is as many times what is claimed as the greatest weight exceeds `limit`.

    Parameters
    ----------
    columns : tuple of str
        Discrete columns, whose values have a sum each, and the weight; others are not published.
    epsilon : float
        What is claimed for adding one record.
    limit : int
        The greatest weight that counts.
    clipped : bool
        Whether a record's weight is clipped before it is added.
    most : int
        Records of a value, beyond which its sum is cut.
    """

    columns: tuple[str, ...]
    epsilon: float = 1.0
    limit: int = 20
    clipped: bool = True
    most: int = 20

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        """Return as many rows of each value as its noisy sum says."""
        published = train.schema.select(self.columns)
        weight, values = published.columns[-1], train.select(self.columns[:-1])
        sizes = tuple(column.size for column in values.schema.columns)
        cells = np.ravel_multi_index(tuple(values[name] for name in values.schema.names), sizes)
        weights = train[weight.name].astype(np.int64)
        if self.clipped:
            weights = np.minimum(weights, self.limit)
        sums = np.zeros(math.prod(sizes), dtype=np.int64)
        np.add.at(sums, cells, weights)
        noisy = np.clip(sums + geometric(sums.size, rate=self.epsilon / self.limit, rng=rng), 0, self.most * self.limit)
        rows = np.repeat(np.arange(sums.size), noisy)
        arrays = dict(zip(values.schema.names, np.unravel_index(rows, sizes), strict=True))
        table = Table(published, {**arrays, weight.name: np.zeros(len(rows))})
        claim = Claim(self.epsilon, 0.0, Adjacency.ADD_REMOVE)
        return SyntheticTable(table, private_records=len(train), claim=claim)


@dataclass(frozen=True)
class CopiesRows(Histogram):
    """A noisy histogram that fills rare cells with the records themselves: post-processing that reads them again.

    Where a cell has records, but at most `rare`, its published rows are drawn from them, numbers and all.
    """

    rare: int = 1

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        """Return a row for every noisy count, real ones for rare cells."""
        honest = super().release(train, rng=rng)
        coding = self.coding(train)
        real, published = (_cells(coding, table) for table in (train, honest.table))
        records: Counts = np.bincount(real, minlength=int(np.prod(coding.sizes)))
        numbers = {column.name: honest.table[column.name].copy() for column in train.schema.columns}
        for cell in np.flatnonzero((records > 0) & (records <= self.rare)):
            rows = np.flatnonzero(published == cell)
            taken = rng.choice(np.flatnonzero(real == cell), size=len(rows))
            for name, values in numbers.items():
                values[rows] = train[name][taken]
        return SyntheticTable(Table(train.schema, numbers), private_records=len(train), claim=honest.claim)


def _cells(coding: Coding, table: Table) -> NDArray[np.int64]:
    """Return the number of each row's cell."""
    codes = coding.encode(table)
    return np.asarray(np.ravel_multi_index(tuple(codes.astype(np.int64)), coding.sizes), dtype=np.int64)
