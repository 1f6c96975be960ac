"""Microaggregation: groups of k similar records, each published as k copies of its average."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defenses.rows.classes import class_mean, class_median, class_mode
from defenses.rows.columns import check_columns, chosen, ranks
from privbench.errors import InputError
from privbench.release import AlteredRows
from privbench.schema import Kind
from privbench.table import Table

__all__ = ["Microaggregation"]


@dataclass(frozen=True)
class Microaggregation:
    """Replace each record by the average of a group of at least k similar ones.

    The record farthest from the centre of all makes a group with its k - 1 nearest, then the farthest of those left,
    until fewer than 2k are left, which form the last group (MDAV with a fixed centre). The squared distance adds, over
    the columns, 0 or 1 for a category and the squared difference in units of twice the variance for a number or rank;
    so each column weighs about alike. The average is the mean of numbers, rounded where they are whole, a median of
    ordinal values, and the mode of categories, ties broken at random. Time grows with the square of the number of
    records. With fewer than k records all form one group.

    Parameters
    ----------
    k : int
        Fewest records in a group.
    columns : tuple of str or None
        The columns that are compared and averaged; None for all, secrets included.

    References
    ----------
    J. Domingo-Ferrer and J. Mateo-Sanz, "Practical Data-Oriented Microaggregation for Statistical Disclosure Control",
    IEEE TKDE 2002; J. Domingo-Ferrer and V. Torra, "Ordinal, Continuous and Heterogeneous k-Anonymity Through
    Microaggregation", 2005; A. Solanas and A. Martinez-Balleste, "V-MDAV: A Multivariate Microaggregation With Variable
    Group Size", COMPSTAT 2006 (the fixed centre).
    """

    k: int = 5
    columns: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.k < 1:
            raise InputError(f"k must be at least 1, got {self.k}")
        check_columns(self.columns)

    def release(self, train: Table, *, rng: np.random.Generator) -> AlteredRows:
        """Return the averages, each as often as its group has records.

        Raises
        ------
        InputError
            If there are fewer than k records.
        """
        if self.k > len(train):
            raise InputError(f"k {self.k} cannot be had with {len(train)} records; lower k, or give more records")
        names = chosen(self.columns, train, default=train.schema.names)
        order = {name: ranks(train.schema[name], train[name]) for name in names}
        groups = self._groups(train, order, rng)
        altered: dict[str, NDArray[Any]] = {}
        for name in names:
            column, values = train.schema[name], train[name]
            if column.kind is Kind.CATEGORICAL:
                altered[name] = class_mode(values, column.size, groups, rng=rng)
            elif column.discrete:
                altered[name] = class_median(values, order[name], groups, rng=rng)
            else:
                altered[name] = class_mean(column, values, groups)
        return AlteredRows(train.replace(altered), private_records=len(train), altered=names)

    def _groups(
        self, train: Table, order: dict[str, NDArray[np.float64]], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Return the group of each record."""
        categorical = [name for name in order if train.schema[name].kind is Kind.CATEGORICAL]
        # of records equally far away any may come first
        left = rng.permutation(len(train))
        numbers = np.array([_scaled(order[name])[left] for name in order if name not in categorical])
        numbers = numbers.reshape(-1, len(left))
        codes = np.array([train[name][left] for name in categorical], dtype=np.int32).reshape(-1, len(left))
        commonest = np.array([np.bincount(row).argmax() for row in codes], dtype=np.int32)
        remote = _distance(numbers, codes, numbers.mean(axis=1), commonest)
        groups = np.zeros(len(train), dtype=np.int64)
        found = 0
        free = np.ones(len(left), dtype=bool)
        remaining = len(left)
        while remaining >= 2 * self.k:
            if remaining < 0.9 * len(left):
                left, numbers, codes, remote = left[free], numbers[:, free], codes[:, free], remote[free]
                free = np.ones(remaining, dtype=bool)
            seed = remote.argmax()
            distance = _distance(numbers, codes, numbers[:, seed], codes[:, seed])
            distance[~free] = np.inf
            distance[seed] = -1.0
            near = np.argpartition(distance, self.k - 1)[: self.k]
            groups[left[near]] = found
            free[near], remote[near] = False, -1.0
            found += 1
            remaining -= self.k
        groups[left[free]] = found
        return groups


def _scaled(order: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return numbers whose squared difference between two records is 1 on average; zeros for a constant."""
    deviation = order.std()
    return np.zeros_like(order) if deviation < 1e-12 else (order - order.mean()) / (np.sqrt(2) * deviation)


def _distance(
    numbers: NDArray[np.float64], codes: NDArray[np.int32], number: NDArray[np.float64], code: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Return the squared distances of all records, held column by column, from one point."""
    total = np.zeros(numbers.shape[1])
    for row, value in zip(numbers, number, strict=True):
        total += np.square(row - value)
    for row, value in zip(codes, code, strict=True):
        total += row != value
    return total
