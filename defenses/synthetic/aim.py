"""AIM: again and again measure the marginal that the model so far gets most wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from math import prod

import numpy as np
from numpy.typing import NDArray

from defenses.synthetic.coding import Codes, Coding, count
from defenses.synthetic.graphical_model import GraphicalModel, Measurement, fit, total_of
from defenses.synthetic.junction_tree import Clique, JunctionTree
from defenses.synthetic.zcdp import Ledger, check_budget, rho_of
from privbench.claim import Adjacency
from privbench.errors import InputError
from privbench.release import SyntheticTable
from privbench.table import Table

__all__ = ["Aim"]

# of the budget of a round, for measuring; the rest is for choosing what to measure
_MEASURING = 0.9
# the first rounds are so small that this many times the number of columns would fit in the budget
_ROUNDS_PER_COLUMN = 16


@dataclass(frozen=True)
class Aim:
    """Choose marginals one by one where the model is most wrong, measure them, refit: differentially private.

    The exponential mechanism picks the marginal whose distance from the model exceeds what its noise would add by
    most, weighted by how much of the workload it touches. Where a measurement taught nothing, the next ones are
    bought with twice the accuracy. The model stays below a size that grows with the budget spent. Discrete Gaussian
    noise, accounted in zCDP. Domains and bounds come from the schema.

    Parameters
    ----------
    epsilon : float
        Total budget, positive.
    delta : float
        Above 0 and below 1; a public number, far below one over the number of records.
    adjacency : Adjacency
        replace-one: one record is exchanged, and their number is public; add-remove: one record more or less.
    degree : int
        The workload: all marginals of so many columns, and those within them.
    bins : int
        Cells into which the domain of a continuous column is cut, equal in width.
    cells : int
        Most numbers that the model may hold; time and memory grow with it.
    rows : int or None
        How many rows are released; None for as many as there are records, under add-remove as the noisy counts say.

    References
    ----------
    R. McKenna, B. Mullins, D. Sheldon and G. Miklau, "AIM: An Adaptive and Iterative Mechanism for Differentially
    Private Synthetic Data", PVLDB 15, 2022.
    """

    epsilon: float = 1.0
    delta: float = 1e-9
    adjacency: Adjacency = Adjacency.REPLACE_ONE
    degree: int = 2
    bins: int = 32
    cells: int = 200_000
    rows: int | None = None

    def __post_init__(self) -> None:
        check_budget(epsilon=self.epsilon, delta=self.delta, adjacency=self.adjacency)
        if min(self.bins, self.degree, self.cells) < 1 or (self.rows is not None and self.rows < 1):
            raise InputError(
                "bins, degree, cells and rows must be at least 1, "
                f"got {self.bins}, {self.degree}, {self.cells} and {self.rows}"
            )

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        """Return rows drawn from the last model."""
        coding = Coding(train.schema, self.bins)
        codes, sizes = coding.encode(train), coding.sizes
        ledger = Ledger(rho_of(self.epsilon, self.delta), self.adjacency, rng)
        public = float(len(train)) if self.adjacency == Adjacency.REPLACE_ONE else None
        model, total = self._fit(codes, sizes, ledger, public_total=public)
        drawn = model.sample(self.rows or round(total), rng=rng)
        claim = ledger.claim(train.schema, delta=self.delta)
        return SyntheticTable(coding.decode(drawn, rng=rng), private_records=round(total), claim=claim)

    def _fit(
        self, codes: Codes, sizes: tuple[int, ...], ledger: Ledger, *, public_total: float | None
    ) -> tuple[GraphicalModel, float]:
        share = ledger.rho / (_ROUNDS_PER_COLUMN * len(sizes))  # of one round
        measurements: list[Measurement] = []

        def measure(group: Clique, rho: float) -> None:
            noisy = ledger.measure(count(codes, group, sizes), rho=rho, what=f"columns {group}")
            measurements.append(Measurement(group, noisy, ledger.sigma(rho)))

        for column in range(len(sizes)):
            measure((column,), _MEASURING * share)
        total = total_of(measurements) if public_total is None else public_total
        model = fit(measurements, sizes, total=total, steps=1000)
        workload = _workload(len(sizes), self.degree)
        truth: dict[Clique, NDArray[np.int64]] = {}
        while True:
            last = ledger.left <= 2 * share
            if last:
                share = ledger.left
            room = self.cells * (1 - ledger.left / ledger.rho) if not last else self.cells
            open_ = _that_fit(workload, measurements, sizes, room)
            expected_noise = math.sqrt(2 / math.pi) * ledger.sigma(_MEASURING * share)
            scores = []
            for group in open_:
                if group not in truth:
                    truth[group] = count(codes, group, sizes)
                miss = float(np.abs(truth[group] - total * model.marginal(group)).sum())
                scores.append(workload[group] * (miss - expected_noise * truth[group].size))
            largest = max(workload[group] for group in open_)
            # one record moves one cell of a table by one, and with it the distance by at most one
            chosen = open_[
                ledger.choose(np.array(scores), sensitivity=largest, rho=(1 - _MEASURING) * share, what="a marginal")
            ]
            measure(chosen, min(_MEASURING * share, ledger.left))
            before = model.marginal(chosen)
            model = fit(measurements, sizes, total=total, steps=1000 if last else 100, start=model.potentials)
            if last:
                return model, total
            if total * np.abs(model.marginal(chosen) - before).sum() <= expected_noise * before.size:
                share *= 4  # half the noise


def _workload(columns: int, degree: int) -> dict[Clique, float]:
    """Return the weight of every marginal: how many columns it shares with the workload's marginals, in all."""
    largest = min(degree, columns)
    groups = [group for size in range(1, largest + 1) for group in combinations(range(columns), size)]
    # by symmetry every column stands in the same number of the workload's marginals
    return {group: float(len(group)) for group in groups}


def _that_fit(
    workload: dict[Clique, float], measurements: list[Measurement], sizes: tuple[int, ...], room: float
) -> list[Clique]:
    """Return the marginals whose measurement would keep the model within its size."""
    # a marginal changes the model of the columns that hang together with its own; the rest is counted once
    measured = sorted({measured.columns for measured in measurements})
    tree = JunctionTree.build(measured, sizes)
    parts: dict[int, list[Clique]] = {}
    for group in measured:
        parts.setdefault(tree.parts[group[0]], []).append(group)
    cells = {part: JunctionTree.cells(groups, sizes) for part, groups in parts.items()}
    whole = sum(cells.values())
    alone = {groups[0][0] for groups in parts.values() if len({*groups}) == 1 and len(groups[0]) == 1}

    def fits(group: Clique) -> bool:
        if tree.home(group) is not None:
            return True
        touched = {tree.parts[column] for column in group}
        if len(touched) == len(group):  # it joins parts by one column each: one clique more, in place of lone columns
            return whole + prod(sizes[c] for c in group) - sum(sizes[c] for c in group if c in alone) <= room
        together = [*(one for part in touched for one in parts[part]), group]
        return whole - sum(cells[part] for part in touched) + JunctionTree.cells(together, sizes) <= room

    return [group for group in workload if fits(group)]
