"""What a whole release looks like, as numbers: naive, histogram and correlation features. Not an attack itself.

References
----------
T. Stadler, B. Oprisanu and C. Troncoso, "Synthetic Data - Anonymisation Groundhog Day", USENIX Security 2022.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privbench.schema import Column, Kind
from privbench.table import Table, bin_count, to_bins

__all__ = ["WHOLE", "ReleaseFeatures"]

Floats = NDArray[np.float64]

# the kinds of features there are of a release as a whole
WHOLE = ("naive", "histogram", "correlation")
# cells of a continuous column in a histogram; and categories of a column that have an indicator in correlations
_BINS, _INDICATORS = 10, 8


@dataclass(frozen=True, slots=True, eq=False)
class ReleaseFeatures:
    """Numbers that describe a table, the same ones for every table of a schema.

    naive: mean, median and variance of a number or rank; share of the commonest value and entropy of a category.
    histogram: the share of every cell of every column. correlation: of every two numbers, ranks or indicators.

    Parameters
    ----------
    kinds : collection of str
        Of `WHOLE`.
    common : dict of str to array of int
        For each category the values that have an indicator.
    """

    kinds: Collection[str]
    common: dict[str, NDArray[np.int64]]

    @classmethod
    def of(cls, kinds: Collection[str], table: Table) -> ReleaseFeatures:
        """Prepare features; the commonest categories of this table have indicators."""
        common = {
            column.name: np.argsort(-np.bincount(table[column.name], minlength=column.size), kind="stable")
            for column in table.schema.columns
            if column.kind is Kind.CATEGORICAL
        }
        return cls(kinds, {name: order[:_INDICATORS] for name, order in common.items()})

    def measure(self, table: Table) -> Floats:
        """Return the features of a table with at least one row."""
        columns = table.schema.columns
        found: list[Floats] = [np.empty(0)]
        if "naive" in self.kinds:
            found += [_naive(column, table) for column in columns]
        if "histogram" in self.kinds:
            found += [_shares(column, table) for column in columns]
        if "correlation" in self.kinds:
            found.append(_correlations(np.column_stack([self._numbers(column, table) for column in columns])))
        return np.concatenate(found)

    def _numbers(self, column: Column, table: Table) -> Floats:
        if column.kind is Kind.CATEGORICAL:
            return np.equal(table[column.name][:, None], self.common[column.name]).astype(np.float64)
        return _unit(column, table)[:, None]


def _unit(column: Column, table: Table) -> Floats:
    """Return a number from 0 to 1 over the domain, or the rank."""
    if column.discrete:
        return np.asarray(table[column.name] / max(1, column.size - 1), dtype=np.float64)
    return np.asarray((table[column.name] - column.low) / (column.range or 1.0), dtype=np.float64)


def _naive(column: Column, table: Table) -> Floats:
    if column.kind is Kind.CATEGORICAL:
        shares = table.marginal(column.name)
        return np.array([shares.max(), -(shares[shares > 0] * np.log(shares[shares > 0])).sum()])
    numbers = _unit(column, table)
    return np.array([numbers.mean(), np.median(numbers), numbers.var()])


def _shares(column: Column, table: Table) -> Floats:
    cells = to_bins(column, table[column.name], bins=_BINS)
    return np.bincount(cells, minlength=bin_count(column, _BINS)) / len(table)


def _correlations(numbers: Floats) -> Floats:
    """Return the correlation of each two columns; 0 with a constant one."""
    apart = numbers - numbers.mean(axis=0)
    deviation = np.sqrt(np.square(apart).mean(axis=0))
    apart = np.where(deviation > 0, apart / np.where(deviation > 0, deviation, 1), 0)
    return (apart.T @ apart / len(numbers))[np.triu_indices(numbers.shape[1], 1)]
