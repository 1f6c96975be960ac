"""MST: a tree of the most telling pairs of columns, measured with noise."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from defenses.synthetic.coding import Codes, Coding, count
from defenses.synthetic.graphical_model import Measurement, fit, total_of
from defenses.synthetic.zcdp import Ledger, check_budget, rho_of
from privbench.claim import Adjacency
from privbench.errors import InputError
from privbench.release import SyntheticTable
from privbench.simplex import nearest_distribution
from privbench.table import Table

__all__ = ["Mst"]


@dataclass(frozen=True)
class Mst:
    """Measure every column and the d - 1 pairs that depend most on each other, and draw rows that agree: DP.

    A third of the budget goes to the columns, a third to choosing the pairs (the exponential mechanism within
    Kruskal's algorithm, by how far a pair's counts are from those of independent columns), a third to measuring them.
    The noise is discrete Gaussian, accounted in zCDP and converted to (epsilon, delta) by the tight numerical bound.
    Domains and bounds come from the schema.

    Parameters
    ----------
    epsilon : float
        Total budget, positive.
    delta : float
        Above 0 and below 1; a public number, far below one over the number of records.
    adjacency : Adjacency
        replace-one: one record is exchanged, and their number is public; add-remove: one record more or less.
    bins : int
        Cells into which the domain of a continuous column is cut, equal in width.
    rows : int or None
        How many rows are released; None for as many as there are records, under add-remove as the noisy counts say.

    References
    ----------
    R. McKenna, G. Miklau and D. Sheldon, "Winning the NIST Contest: A scalable and general approach to differentially
    private synthetic data", JPC 11, 2021.
    """

    epsilon: float = 1.0
    delta: float = 1e-9
    adjacency: Adjacency = Adjacency.REPLACE_ONE
    bins: int = 32
    rows: int | None = None

    def __post_init__(self) -> None:
        check_budget(epsilon=self.epsilon, delta=self.delta, adjacency=self.adjacency)
        if self.bins < 1 or (self.rows is not None and self.rows < 1):
            raise InputError(f"bins and rows must be at least 1, got {self.bins} and {self.rows}")

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        """Return rows drawn from the tree of noisy pairs."""
        coding = Coding(train.schema, self.bins)
        codes, sizes = coding.encode(train), coding.sizes
        ledger = Ledger(rho_of(self.epsilon, self.delta), self.adjacency, rng)
        columns, third = len(sizes), ledger.rho / 3

        def measure(group: tuple[int, ...], rho: float) -> Measurement:
            noisy = ledger.measure(count(codes, group, sizes), rho=rho, what=f"columns {group}")
            return Measurement(group, noisy, ledger.sigma(rho))

        alone = [measure((column,), (third if columns > 1 else ledger.rho) / columns) for column in range(columns)]
        total = float(len(train)) if self.adjacency == Adjacency.REPLACE_ONE else total_of(alone)
        pairs: list[Measurement] = []
        if columns > 1:
            expected = [nearest_distribution(measured.counts / total) * total for measured in alone]
            tree = _choose(codes, sizes, expected, ledger, total=total, rho=third)
            pairs = [measure(pair, third / len(tree)) for pair in tree]
        model = fit([*alone, *pairs], sizes, total=total, steps=1000)
        drawn = model.sample(self.rows or round(total), rng=rng)
        claim = ledger.claim(train.schema, delta=self.delta)
        return SyntheticTable(coding.decode(drawn, rng=rng), private_records=round(total), claim=claim)


def _choose(
    codes: Codes,
    sizes: tuple[int, ...],
    expected: list[NDArray[np.float64]],
    ledger: Ledger,
    *,
    total: float,
    rho: float,
) -> list[tuple[int, int]]:
    """Return the edges of a spanning tree, each chosen with an equal part of rho among those that close no circle."""
    pairs = list(combinations(range(len(sizes)), 2))
    scores = np.array(
        [np.abs(count(codes, (i, j), sizes) - np.outer(expected[i], expected[j]) / total).sum() for i, j in pairs]
    )
    component = np.arange(len(sizes))
    tree: list[tuple[int, int]] = []
    while len(tree) < len(sizes) - 1:
        open_ = [place for place, (i, j) in enumerate(pairs) if component[i] != component[j]]
        # one record moves one cell of the pair's table by one, and with it the distance by at most one
        chosen = ledger.choose(scores[open_], sensitivity=1, rho=rho / (len(sizes) - 1), what="a pair of the tree")
        i, j = pairs[open_[chosen]]
        component[component == component[j]] = component[i]
        tree.append((i, j))
    return tree
