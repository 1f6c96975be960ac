"""Tree by tree: each column's values drawn from the leaf of a tree grown on the columns before it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privbench.errors import InputError
from privbench.release import SyntheticTable
from privbench.schema import Kind
from privbench.table import Table
from privbench.threads import one_thread

__all__ = ["Forest"]


@dataclass(frozen=True)
class Forest:
    """Grow a classification or regression tree for each column in turn, and draw donors from its leaves.

    The first column is a bootstrap. Each next one gets a tree on the true columns before it; a synthetic row falls
    into a leaf by its synthetic values and takes the value of a random training record in that leaf. This is the way of
    synthpop, the field's most used baseline; small leaves copy people, and no guarantee is claimed.

    Parameters
    ----------
    min_leaf : int
        Fewest training records in a leaf: more of them leak less and relate less.
    order : tuple of str
        Columns to begin with, in this order; the others follow as the schema has them.
    rows : int or None
        How many rows are released; None for as many as there are records.

    References
    ----------
    B. Nowok, G. Raab and C. Dibben, "synthpop: Bespoke Creation of Synthetic Data in R", JSS 74(11), 2016.
    J. Reiter, "Using CART to Generate Partially Synthetic, Public Use Microdata", JOS 21(3), 2005.
    """

    min_leaf: int = 5
    order: tuple[str, ...] = ()
    rows: int | None = None

    def __post_init__(self) -> None:
        if self.min_leaf < 1 or (self.rows is not None and self.rows < 1):
            raise InputError(f"min_leaf and rows must be at least 1, got {self.min_leaf} and {self.rows}")
        if len(set(self.order)) != len(self.order):
            raise InputError(f"order: a column is named twice in {', '.join(self.order)}; name each once")

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        """Return rows put together from donors.

        Raises
        ------
        InputError
            If `order` names a column that does not exist.
        """
        for name in self.order:
            train.schema[name]
        names = [*self.order, *(name for name in train.schema.names if name not in self.order)]
        rows = self.rows or len(train)
        # which record gives each released row its value, column by column
        donors = [rng.integers(len(train), size=rows)]
        with one_thread():
            for place, name in enumerate(names[1:], start=1):
                real = np.column_stack([_feature(train, earlier, name) for earlier in names[:place]])
                synthetic = np.column_stack([real[rows_of, column] for column, rows_of in enumerate(donors)])
                leaves, where = self._leaves(train, name, real, synthetic, rng)
                donors.append(_donors(leaves, where, rng))
        drawn = {name: train[name][rows_of] for name, rows_of in zip(names, donors, strict=True)}
        return SyntheticTable(Table(train.schema, drawn), private_records=len(train))

    def _leaves(
        self,
        train: Table,
        name: str,
        real: NDArray[np.float32],
        synthetic: NDArray[np.float32],
        rng: np.random.Generator,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the leaf of every training record and of every synthetic row, in a tree that predicts the column."""
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        kind = DecisionTreeClassifier if train.schema[name].kind is Kind.CATEGORICAL else DecisionTreeRegressor
        leaf = min(self.min_leaf, len(train))
        tree = kind(min_samples_leaf=leaf, min_impurity_decrease=1e-8, random_state=int(rng.integers(2**31)))
        target = train[name].astype(np.float64)
        if kind is DecisionTreeRegressor and np.ptp(target) > 0:
            # to unit spread: the least decrease of impurity that splits then means the same for every column
            target = (target - target.min()) / np.ptp(target)
            target = (target - target.mean()) / target.std()
        tree.fit(real, target)
        return tree.apply(real), tree.apply(synthetic)


def _feature(train: Table, name: str, target: str) -> NDArray[np.float32]:
    """Return a column as one number a record: a number's rank, a category's place in the best single order.

    Released values are records' own, so a tree on ranks splits as one on numbers does, and no number is too large.
    """
    column, array = train.schema[name], train[name]
    if column.kind is Kind.CATEGORICAL:
        array = _places(train, name, target)[array]
    return np.unique(array, return_inverse=True)[1].astype(np.float32)


def _places(train: Table, name: str, target: str) -> NDArray[np.float64]:
    """Return a number for every value of a category, such that values alike in the target stand side by side.

    For a number it is the target's mean; for a category the first principal component of the target's shares
    (D. Coppersmith, S. Hong and J. Hosking, "Partitioning Nominal Attributes in Decision Trees", DMKD 3, 1999).
    """
    size, goal = train.schema[name].size, train.schema[target]
    counts = np.bincount(train[name], minlength=size)
    if goal.kind is not Kind.CATEGORICAL:
        return np.bincount(train[name], train[target], minlength=size) / np.maximum(counts, 1)
    cell = train[name].astype(np.intp) * goal.size + train[target]
    shares = np.bincount(cell, minlength=size * goal.size).reshape(size, -1) / np.maximum(counts, 1)[:, None]
    away = (shares - counts @ shares / counts.sum()) * (counts > 0)[:, None]
    first = np.linalg.svd(away * np.sqrt(counts)[:, None], full_matrices=False)[2][0]
    return np.asarray(away @ first)


def _donors(leaves: NDArray[np.int64], where: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return, for every synthetic row, a random training record of the leaf that it falls into."""
    order = np.argsort(leaves, kind="stable")
    counts = np.bincount(leaves, minlength=leaves.max() + 1)
    starts = np.cumsum(counts) - counts
    return order[starts[where] + rng.integers(counts[where])]
