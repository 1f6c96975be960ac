"""One forest for all secrets, whose leaves remember the released rows in them. Not an attack itself.

The trees are grown to tell the secrets apart all at once, which costs little more than one of them. Every value of
every secret has a direction in a space of a few dimensions, a row is the point to which the directions of its values
lead, and a split is as good as it lessens the variance of the points. With a dimension for each value that variance is
the secrets' Gini impurity; with fewer, and random directions, nearly so, and a tree takes half the time. What a leaf
says is counted afterwards from the rows that fall into it: so a secret may have thousands of values, or blanks in some
rows, and no tree stores a number for each value.

References
----------
L. Breiman, "Random Forests", Machine Learning 2001; N. Meinshausen, "Quantile Regression Forests", JMLR 7, 2006 (leaves
as weights on rows); A. Joly, P. Geurts and L. Wehenkel, "Random Forests with Random Projections of the Output Space for
High Dimensional Multi-label Classification", ECML PKDD 2014.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attacks.cells import Cells
from attacks.learner import features, left, part
from privbench.contracts import Guess, View
from privbench.release import SyntheticTable
from privbench.rng import seeded_globals
from privbench.schema import Column
from privbench.table import bin_count, to_bins

__all__ = ["forest_guess"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

# cells that the trees tell apart of a secret with many values
_CELLS = 64
# of the space in which rows with different secrets lie apart
_DIMENSIONS = 8
# rows of a larger release that are drawn and learnt from: time and memory do not grow beyond
_ROWS = 200_000
# leaves x values that are counted in one dense table: 32 MB
_DENSE = 4_000_000


def forest_guess(view: View, *, trees: int, depth: int | None, leaf: int, rng: np.random.Generator) -> Guess:
    """Guess every secret from the rows that share a target's leaves.

    Parameters
    ----------
    view : View
        A release of rows, at least one; of a very large one 200,000 are drawn.
    trees, depth, leaf : int
        Number of trees, their greatest depth (None for no bound), and the fewest rows in a leaf.
    rng : Generator
        Where the forest's seed comes from.

    Returns
    -------
    Guess
        The mean over trees of the shares of values in a target's leaf; of a continuous secret mean and spread of the
        rows there.
    """
    release = view.release
    assert isinstance(release, SyntheticTable), "whoever grows a forest has refused other releases"
    if len(release.table) > _ROWS:
        view = replace(view, release=part(release, np.sort(rng.choice(len(release.table), _ROWS, replace=False))))
    rows, people = features(view)
    with seeded_globals(rng) as seed:  # to import scikit-learn draws from a global generator
        from sklearn.ensemble import RandomForestRegressor

        forest = RandomForestRegressor(
            n_estimators=trees,
            max_depth=depth,
            min_samples_leaf=leaf,
            max_features="sqrt",  # as for a classification
            random_state=seed,
            n_jobs=1,
        )
        forest.fit(rows, _points(view, rng))
        homes, asked = forest.apply(rows), forest.apply(people)
    answers: dict[str, Floats] = {}
    spread: dict[str, Floats] = {}
    for secret in view.secrets:
        shown = left(view, secret)
        values = view.release.values(secret.name)[shown]
        if secret.discrete:
            answers[secret.name] = _shares(homes[shown], asked, values, secret.size)
        else:
            answers[secret.name], spread[secret.name] = _moments(homes[shown], asked, values)
    return Guess(answers, spread)


def _points(view: View, rng: np.random.Generator) -> Floats:
    """Return the point of every row, ``(n, d)``."""
    cells = [_cells(view, secret) for secret in view.secrets]
    begin = np.cumsum([0, *(int(own.max()) + 1 for own in cells)])
    if begin[-1] <= _DIMENSIONS:
        towards = np.eye(begin[-1], max(2, begin[-1]))  # a single dimension is warned of
    else:
        # whole numbers, so that rows alike in all secrets have no variance at all
        towards = rng.integers(-4, 5, size=(begin[-1], _DIMENSIONS)).astype(np.float64)
    points: Floats = sum(
        (towards[first + own] for first, own in zip(begin, cells, strict=False)), np.zeros((1, towards.shape[1]))
    )
    return points


def _cells(view: View, secret: Column) -> Places:
    """Return a secret as the few cells that trees are grown to tell apart."""
    codes = to_bins(secret, view.release.values(secret.name), bins=_CELLS)
    return Cells.of(codes, bin_count(secret, _CELLS), most=_CELLS).of_value[codes]


def _shares(homes: Places, asked: Places, values: NDArray[Any], size: int) -> Floats:
    """Return the mean over trees of the values' shares in a target's leaf; the release's where no leaf has a row."""
    nodes = int(max(homes.max(), asked.max())) + 1
    found = (_dense if nodes * size <= _DENSE else _sparse)(homes, asked, values, (nodes, size))
    weight = found.sum(axis=1, keepdims=True)
    marginal = np.bincount(values, minlength=size) / len(values)
    return np.where(weight > 0, found / np.where(weight > 0, weight, 1), marginal)


def _dense(homes: Places, asked: Places, values: NDArray[Any], shape: tuple[int, int]) -> Floats:
    """Return the sum over trees of the values' shares in a target's leaf."""
    total = np.zeros((len(asked), shape[1]))
    for home, wanted in zip(homes.T, asked.T, strict=True):
        table = np.bincount(home * shape[1] + values, minlength=shape[0] * shape[1]).reshape(shape)[wanted]
        total += table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    return total


def _sparse(homes: Places, asked: Places, values: NDArray[Any], shape: tuple[int, int]) -> Floats:
    """Return the same where most leaves hold few of the many values."""
    from scipy.sparse import csr_array

    total: Any = csr_array((len(asked), shape[1]))
    for home, wanted in zip(homes.T, asked.T, strict=True):
        share = 1 / np.maximum(np.bincount(home, minlength=shape[0]), 1)
        total = total + csr_array((share[home], (home, values)), shape=shape)[wanted]
    return np.asarray(total.toarray(), dtype=np.float64)


def _moments(homes: Places, asked: Places, values: NDArray[Any]) -> tuple[Floats, Floats]:
    """Return mean and standard deviation of the values in a target's leaves, every tree alike."""
    centre = float(values.mean())
    apart = np.asarray(values - centre, dtype=np.float64)
    sums = np.zeros((3, len(asked)))
    nodes = int(max(homes.max(), asked.max())) + 1
    for home, wanted in zip(homes.T, asked.T, strict=True):
        number = np.bincount(home, minlength=nodes)
        inside = number[wanted] > 0
        for row, weights in zip(sums, (None, apart, np.square(apart)), strict=True):
            part = np.bincount(home, weights=weights, minlength=nodes)[wanted]
            row += np.where(inside, part / np.maximum(number[wanted], 1), 0)
    weight = np.maximum(sums[0], 1e-300)
    mean, square = sums[1] / weight, sums[2] / weight
    return centre + mean, np.sqrt(np.maximum(square - np.square(mean), 0))
