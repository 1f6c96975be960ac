"""The distribution of greatest entropy that agrees best with noisy marginals, and rows drawn from it.

Among all distributions over d columns it minimises the squared distance to the measurements, each weighted by its
noise, by mirror descent on the potentials of a junction tree: a step needs the model's marginals, which belief
propagation gives exactly. Everything here works on measurements only, never on records, so it costs no budget.

References
----------
R. McKenna, D. Sheldon and G. Miklau, "Graphical-Model Based Estimation and Inference for Differential Privacy",
ICML 2019.
D. Koller and N. Friedman, "Probabilistic Graphical Models", MIT Press 2009, chapter 10.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defenses.synthetic.ancestral import draw_given
from defenses.synthetic.coding import Codes
from defenses.synthetic.junction_tree import Clique, JunctionTree

__all__ = ["GraphicalModel", "Measurement", "fit", "total_of"]

Floats = NDArray[np.float64]
_TINY = 1e-300
# a step of mirror descent that raises the log likelihood of the measurements by less is the last one
_ENOUGH = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """A noisy table of counts.

    Parameters
    ----------
    columns : Clique
        Its axes.
    counts : array of float
        One axis a column.
    sigma : float
        Standard deviation of the noise in each cell.
    """

    columns: Clique
    counts: Floats
    sigma: float


@dataclass(frozen=True, eq=False)
class GraphicalModel:
    """A distribution over all columns.

    Parameters
    ----------
    tree : JunctionTree
        Its structure.
    sizes : tuple of int
        Number of values of each column.
    potentials : mapping of Clique to array
        Log weights whose sum over the cliques is, up to a constant, the log probability.
    beliefs : tuple of array
        The marginal of every clique of the tree; each sums to 1.
    """

    tree: JunctionTree
    sizes: tuple[int, ...]
    potentials: Mapping[Clique, Floats]
    beliefs: tuple[Floats, ...]

    def marginal(self, columns: Clique) -> Floats:
        """Return the joint probabilities of some columns, one axis a column, also where no clique holds them all."""
        home = self.tree.home(columns)
        if home is not None:
            return _project(self.beliefs[home], self.tree.cliques[home], columns)
        parts = self.tree.parts
        if len({parts[column] for column in columns}) == 1:
            return self._across(columns)
        joint = np.ones(())
        order: list[int] = []
        for part in sorted({parts[column] for column in columns}):
            together = tuple(column for column in columns if parts[column] == part)
            joint = np.multiply.outer(joint, self.marginal(together))
            order += together
        return joint.transpose([order.index(column) for column in columns])

    def _across(self, columns: Clique) -> Floats:
        """Sum out all other columns along the part of the tree that joins these, leaf by leaf."""
        tree, wanted = self.tree, set(columns)
        factors: list[tuple[Clique, Floats]] = list(zip(tree.cliques, self.beliefs, strict=True))
        pending: list[list[tuple[Clique, Floats]]] = [[] for _ in factors]
        for place in range(len(factors) - 1, -1, -1):
            clique, table = factors[place]
            separator = tree.separators[place]
            if not pending[place] and not wanted & (set(clique) - set(separator)):
                continue  # nothing wanted below or here: its conditional sums to 1
            if place > 0:
                table = _conditional(table, clique, separator)
            below = [name for names, _ in pending[place] for name in names]
            outside = tuple(sorted({*separator, *(wanted & {*clique, *below})}))
            # einsum has 52 names for axes: those of this sum are numbered anew
            axis = {column: number for number, column in enumerate(dict.fromkeys([*clique, *below]))}
            operands: list[Any] = [table, [axis[column] for column in clique]]
            for names, message in pending[place]:
                operands += [message, [axis[column] for column in names]]
            summed = np.einsum(*operands, [axis[column] for column in outside], optimize=len(operands) > 4)
            if place == 0:
                return np.asarray(summed)
            pending[tree.parents[place]].append((outside, summed))
        raise AssertionError("the root was not reached")

    def sample(self, rows: int, *, rng: np.random.Generator) -> Codes:
        """Return rows drawn from the model, ``(d, rows)``, with counts as close to the expected ones as can be."""
        codes: Codes = np.zeros((len(self.sizes), rows), dtype=np.min_scalar_type(max(self.sizes) - 1))
        for clique, separator, belief in zip(self.tree.cliques, self.tree.separators, self.beliefs, strict=True):
            new = tuple(column for column in clique if column not in separator)
            shape = tuple(self.sizes[column] for column in separator)
            axes = [clique.index(column) for column in (*separator, *new)]
            table = belief.transpose(axes).reshape(int(np.prod(shape)), -1)
            condition = np.ravel_multi_index([codes[c] for c in separator], shape) if separator else np.zeros(rows, int)
            drawn = draw_given(condition, table, rng=rng)
            values = np.unravel_index(drawn.astype(np.intp), tuple(self.sizes[column] for column in new))
            for column, value in zip(new, values, strict=True):
                codes[column] = value
        return codes


def total_of(measurements: Sequence[Measurement]) -> float:
    """Return the number of records that the measurements point to: their sums, weighted by their noise."""
    sums = np.array([measured.counts.sum() for measured in measurements])
    weights = np.array([1 / (measured.counts.size * measured.sigma**2) for measured in measurements])
    return max(float(sums @ weights / weights.sum()), 1.0)


def fit(
    measurements: Sequence[Measurement],
    sizes: Sequence[int],
    *,
    total: float,
    steps: int,
    start: Mapping[Clique, Floats] | None = None,
) -> GraphicalModel:
    """Fit the distribution to the measurements.

    Parameters
    ----------
    measurements : sequence of Measurement
        Noisy counts; every column must be in one.
    sizes : sequence of int
        Number of values of each column.
    total : float
        Number of records.
    steps : int
        At most so many steps of mirror descent; it ends before where a step gains less than a tenth in log likelihood,
        which is far below the noise: going on would fit that.
    start : mapping of Clique to array, optional
        Potentials to start from, of an earlier fit to some of the measurements.
    """
    targets = _merge(measurements, total)
    propagation = _Propagation(JunctionTree.build(targets, sizes), sizes, targets)
    potentials = {
        columns: (start or {}).get(columns, np.zeros(target.shape)) for columns, (target, _) in targets.items()
    }
    beliefs, answers = propagation.run(potentials)
    loss, slopes = _loss(answers, targets)
    # the step that would be right if every weight acted alone; the line search mends it
    step = 1.0 / max(weight for _, weight in targets.values())
    shortened = False
    for _ in range(steps):
        # a step that had to be shortened is tried as it is once before it may grow again
        step *= 1 if shortened else 2
        shortened = False
        while True:
            moved = {columns: potentials[columns] - step * slope for columns, slope in slopes.items()}
            beliefs, answers_then = propagation.run(moved)
            loss_then, slopes_then = _loss(answers_then, targets)
            promised = sum(float(np.vdot(slope, answers[c] - answers_then[c])) for c, slope in slopes.items())
            if loss - loss_then >= 0.5 * promised or step < _TINY:
                break
            step /= 2
            shortened = True
        gained = loss - loss_then
        potentials, answers, loss, slopes = moved, answers_then, loss_then, slopes_then
        if gained < _ENOUGH:
            break
    return GraphicalModel(propagation.tree, tuple(sizes), potentials, tuple(beliefs))


def _merge(measurements: Sequence[Measurement], total: float) -> dict[Clique, tuple[Floats, float]]:
    """Return each table of shares once, with its weight: repeated measurements are averaged by their precision."""
    merged: dict[Clique, tuple[Floats, float]] = {}
    for measured in measurements:
        weight = (total / measured.sigma) ** 2
        shares = measured.counts / total
        before, known = merged.get(measured.columns, (np.zeros_like(shares), 0.0))
        merged[measured.columns] = ((before * known + shares * weight) / (known + weight), known + weight)
    return merged


def _loss(
    answers: Mapping[Clique, Floats], targets: Mapping[Clique, tuple[Floats, float]]
) -> tuple[float, dict[Clique, Floats]]:
    """Return half the weighted squared distance to the targets, and its slope in each of the model's marginals."""
    loss, slopes = 0.0, {}
    for columns, (target, weight) in targets.items():
        miss = answers[columns] - target
        slopes[columns] = weight * miss
        loss += 0.5 * weight * float(np.vdot(miss, miss))
    return loss, slopes


class _Propagation:
    """Belief propagation on one tree: log potentials in, marginals of its cliques and of the groups out."""

    def __init__(self, tree: JunctionTree, sizes: Sequence[int], groups: Iterable[Clique]) -> None:
        self.tree = tree
        self.shapes = [tuple(sizes[column] for column in clique) for clique in tree.cliques]
        self.homes: dict[Clique, int] = {}
        for group in groups:
            home = tree.home(group)
            assert home is not None, "the tree was built to hold every group"
            self.homes[group] = home

    def run(self, potentials: Mapping[Clique, Floats]) -> tuple[list[Floats], dict[Clique, Floats]]:
        cliques, separators, parents = self.tree.cliques, self.tree.separators, self.tree.parents
        tables = [np.zeros(shape) for shape in self.shapes]
        for columns, home in self.homes.items():
            tables[home] += _spread(potentials[columns], columns, cliques[home])
        sums: list[Floats] = [np.empty(0)] * len(tables)
        for place in range(len(tables) - 1, -1, -1):
            table = tables[place]
            table -= table.max()
            np.exp(table, out=table)
            if place > 0:
                # a combination too rare for a double gets the smallest one, not an infinite logarithm
                sums[place] = np.maximum(_project(table, cliques[place], separators[place]), _TINY)
                parent = parents[place]
                tables[parent] += _spread(np.log(sums[place]), separators[place], cliques[parent])
        tables[0] /= tables[0].sum()
        for place in range(1, len(tables)):
            above = _project(tables[parents[place]], cliques[parents[place]], separators[place])
            tables[place] *= _spread(above / sums[place], separators[place], cliques[place])
        answers = {group: _project(tables[home], cliques[home], group) for group, home in self.homes.items()}
        return tables, answers


def _project(table: Floats, clique: Clique, columns: Clique) -> Floats:
    """Sum a clique's table over all columns but these."""
    axes = tuple(axis for axis, column in enumerate(clique) if column not in columns)
    return table.sum(axis=axes) if axes else table


def _spread(table: Floats, columns: Clique, clique: Clique) -> Floats:
    """Return a view of a table that broadcasts over a clique that holds its columns."""
    lengths = iter(table.shape)
    return table.reshape([next(lengths) if column in columns else 1 for column in clique])


def _conditional(table: Floats, clique: Clique, given: Clique) -> Floats:
    """Return a clique's table divided by its marginal on `given`."""
    return table / np.maximum(_spread(_project(table, clique, given), given, clique), _TINY)
