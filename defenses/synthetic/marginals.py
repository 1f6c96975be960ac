"""All 2- or 3-way marginals at once, with noise or without."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise, permutations
from math import comb

import numpy as np
from numpy.typing import NDArray

from defenses.synthetic.coding import Codes, Coding, count
from defenses.synthetic.junction_tree import Clique
from defenses.synthetic.product_mixture import fit_mixture
from defenses.synthetic.zcdp import Ledger, check_budget, rho_of
from privbench.claim import Adjacency
from privbench.errors import InputError
from privbench.release import SyntheticTable
from privbench.table import Table
from privbench.threads import one_thread

__all__ = ["Marginals"]

# values of all columns together, cubed: shares of triples that are held at once, a gigabyte of them
_MOST_SHARES = 250_000_000


@dataclass(frozen=True)
class Marginals:
    """Publish rows that agree with every marginal of two or three columns: the release that reconstruction inverts.

    A mixture of independent columns is fitted to all of them at once by gradient descent (relaxed adaptive projection
    without the adaptive part). Without `epsilon` the marginals are exact and no guarantee is claimed; with it each
    gets discrete Gaussian noise for an equal part of the budget, and the number of records is public. Domains and
    bounds come from the schema.

    Parameters
    ----------
    degree : int
        2 for all pairs of columns, 3 for all triples; fewer where there are fewer columns.
    epsilon : float or None
        Total budget for exchanging one record, positive; None for no privacy.
    delta : float
        With a budget: above 0 and below 1; a public number, far below one over the number of records.
    bins : int
        Cells into which the domain of a continuous column is cut, equal in width.
    components : int
        How many distributions are mixed: more agree better and take longer.
    steps : int
        Of gradient descent.
    rows : int or None
        How many rows are released; None for as many as there are records.

    References
    ----------
    S. Aydore et al., "Differentially Private Query Release Through Adaptive Projection", ICML 2021.
    M. Annamalai, A. Gadotti and L. Rocher, "A Linear Reconstruction Approach for Attribute Inference Attacks against
    Synthetic Data", USENIX Security 2024.
    """

    degree: int = 2
    epsilon: float | None = None
    delta: float = 1e-9
    bins: int = 32
    components: int = 1000
    steps: int = 500
    rows: int | None = None

    def __post_init__(self) -> None:
        if self.degree not in (2, 3):
            raise InputError(f"degree: got {self.degree}; allowed: 2, 3")
        if self.epsilon is not None:
            check_budget(epsilon=self.epsilon, delta=self.delta, adjacency=Adjacency.REPLACE_ONE)
        if min(self.bins, self.components, self.steps) < 1 or (self.rows is not None and self.rows < 1):
            raise InputError(
                "bins, components, steps and rows must be at least 1, "
                f"got {self.bins}, {self.components}, {self.steps} and {self.rows}"
            )

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        """Return rows drawn from the fitted mixture.

        Raises
        ------
        InputError
            If the triples of these columns do not fit in memory.
        """
        coding = Coding(train.schema, self.bins)
        codes, sizes = coding.encode(train), coding.sizes
        width, degree = sum(sizes), min(self.degree, len(sizes))
        if degree == 3 and width**3 > _MOST_SHARES:
            raise InputError(
                f"degree 3 needs the triples of {width} values of {len(sizes)} columns at once, and at most "
                f"{int(_MOST_SHARES ** (1 / 3))} values fit; lower 'bins', leave columns out, or take degree 2"
            )
        ledger = None
        if self.epsilon is not None:
            ledger = Ledger(rho_of(self.epsilon, self.delta), Adjacency.REPLACE_ONE, rng)
        shares = _measured(codes, sizes, degree, ledger)
        with one_thread():
            pairs, triples = _side_by_side(shares, sizes)
            fitted = fit_mixture(pairs, triples, sizes, components=self.components, steps=self.steps, rng=rng)
        drawn = fitted.sample(self.rows or len(train), rng=rng)
        claim = None if ledger is None else ledger.claim(train.schema, delta=self.delta)
        return SyntheticTable(coding.decode(drawn, rng=rng), private_records=len(train), claim=claim)


def _measured(
    codes: Codes, sizes: tuple[int, ...], degree: int, ledger: Ledger | None
) -> dict[Clique, NDArray[np.float64]]:
    """Return the shares of every marginal of this degree: exact ones, or noisy ones for equal parts of the budget."""
    shares = {}
    for group in combinations(range(len(sizes)), degree):
        counts = count(codes, group, sizes)
        if ledger is not None:
            part = ledger.rho / comb(len(sizes), degree)
            shares[group] = ledger.measure(counts, rho=part, what=f"columns {group}") / codes.shape[1]
        else:
            shares[group] = counts / codes.shape[1]
    return shares


def _side_by_side(
    shares: dict[Clique, NDArray[np.float64]], sizes: tuple[int, ...]
) -> tuple[NDArray[np.float32], list[NDArray[np.float32]] | None]:
    """Return the shares of pairs as one matrix, each column's own ones on its diagonal, and those of triples."""
    edges = np.cumsum((0, *sizes))
    block = [slice(a, b) for a, b in pairwise(edges)]
    width, degree = int(edges[-1]), len(next(iter(shares)))
    pairs = np.zeros((width, width), dtype=np.float32)
    triples = [np.zeros((size, width, width), dtype=np.float32) for size in sizes] if degree == 3 else None
    alone = [np.zeros(size) for size in sizes]
    for group, table in shares.items():
        for axis, column in enumerate(group):
            alone[column] += table.sum(axis=tuple(other for other in range(degree) if other != axis))
        if degree == 2:
            i, j = group
            pairs[block[i], block[j]], pairs[block[j], block[i]] = table, table.T
        if triples is not None:
            for i, j, k in permutations(range(3)):
                triples[group[i]][:, block[group[j]], block[group[k]]] = table.transpose(i, j, k)
    times = comb(len(sizes) - 1, degree - 1)
    np.fill_diagonal(pairs, np.concatenate(alone) / times)
    return pairs, triples
