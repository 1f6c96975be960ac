"""A Bayesian network over coded columns, grown greedily: each column with the parents that tell most about it.

Without a budget the score of a parent set is its mutual information with the column. With one it is half the L1
distance between their joint distribution and the product of theirs, which one record moves by far less, and parent
sets are as large as the noise lets them be useful (theta-usefulness): that is PrivBayes.

References
----------
J. Zhang, G. Cormode, C. Procopiuc, D. Srivastava and X. Xiao, "PrivBayes: Private Data Release via Bayesian
Networks", ACM TODS 42(4), 2017.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from math import comb, prod

import numpy as np
from numpy.typing import NDArray

from defenses.synthetic.ancestral import draw_given
from defenses.synthetic.coding import Codes, count, count_each
from defenses.synthetic.pure import PureLedger
from privbench.simplex import nearest_distribution

__all__ = ["Family", "draw", "fit_exact", "fit_private", "grow"]

Floats = NDArray[np.float64]
Family = tuple[int, tuple[int, ...]]
"""A column and its parents, in rising order."""

# the largest table of a column and its parents that is looked at
_MOST_CELLS = 1_000_000
# of columns with parents, over all rounds: a hundred columns may have two parents, forty three, thirty four
_MOST_CANDIDATES = 200_000
# of the budget, for choosing parents; and how many times its noise a cell's share should be on average
_CHOOSING = 0.3
_USEFUL = 4.0


def mutual_information(joint: NDArray[np.int64]) -> float:
    """Return the mutual information in nats of a column (second axis) and its parents (first axis), from counts."""
    shares = joint / joint.sum()
    outer = shares.sum(axis=1, keepdims=True) * shares.sum(axis=0, keepdims=True)
    seen = shares > 0
    return float((shares[seen] * np.log(shares[seen] / outer[seen])).sum())


def dependence(joint: NDArray[np.int64]) -> float:
    """Return half the L1 distance between a joint distribution and the product of its marginals, from counts."""
    shares = joint / joint.sum()
    return float(np.abs(shares - shares.sum(axis=1, keepdims=True) * shares.sum(axis=0, keepdims=True)).sum()) / 2


def grow(
    codes: Codes,
    sizes: Sequence[int],
    *,
    degree: int,
    cells: float,
    score: Callable[[NDArray[np.int64]], float],
    choose: Callable[[Floats], int],
    first: int,
) -> list[Family]:
    """Return the columns in an order in which each one's parents stand before it.

    Parameters
    ----------
    codes : array of int, shape (d, n)
        The records.
    sizes : sequence of int
        Number of values of each column.
    degree : int
        Most parents of a column; fewer where there are so many columns that the sets to look at would be too many.
    cells : float
        Most cells of a column with its parents; of the sets that fit, only those that none could be added to compete.
    score : callable
        Of a table of counts, parents by column.
    choose : callable
        Which of several scores wins.
    first : int
        The column without parents.
    """
    while sum(comb(len(sizes), parents + 1) for parents in range(1, degree + 1)) > _MOST_CANDIDATES:
        degree -= 1
    placed: list[Family] = [(first, ())]
    inside = [first]
    # for every column outside: parent sets with their scores
    candidates: dict[int, dict[tuple[int, ...], float]] = {x: {} for x in range(len(sizes)) if x != first}

    def fits(column: int, parents: tuple[int, ...]) -> bool:
        return prod(sizes[p] for p in parents) * sizes[column] <= cells

    def may_grow(column: int, parents: tuple[int, ...]) -> bool:
        return len(parents) < degree and any(fits(column, (*parents, p)) for p in inside if p not in parents)

    def offer(parents: tuple[int, ...]) -> None:
        """Score a new parent set for all columns outside that it is not too large for, nor too small."""
        columns = [x for x in candidates if (fits(x, parents) or not parents) and not may_grow(x, parents)]
        if not columns:
            return
        if not parents:
            for column in columns:
                candidates[column][()] = 0.0
            return
        for column, joint in zip(columns, count_each(codes, parents, columns, sizes), strict=True):
            candidates[column][parents] = score(joint)

    offer(())
    while candidates:
        newest = inside[-1]
        for column, sets in candidates.items():
            for parents in [p for p in sets if len(p) < degree and may_grow(column, p)]:
                del sets[parents]
        others = sorted(inside[:-1])
        for size in range(min(degree - 1, len(others)) + 1):
            for some in combinations(others, size):
                offer(tuple(sorted((*some, newest))))
        options = [(column, parents) for column, sets in candidates.items() for parents in sets]
        values = np.array([candidates[column][parents] for column, parents in options])
        column, parents = options[choose(values)]
        del candidates[column]
        placed.append((column, parents))
        inside.append(column)
    return placed


def fit_exact(codes: Codes, sizes: Sequence[int], *, degree: int, rng: np.random.Generator) -> dict[Family, Floats]:
    """Return the network of greatest mutual information with its tables of counts, parents by column."""
    first = int(rng.integers(len(sizes)))
    families = grow(
        codes,
        sizes,
        degree=degree,
        cells=_MOST_CELLS,
        score=mutual_information,
        choose=lambda scores: int(np.argmax(scores)),
        first=first,
    )
    return {
        (column, parents): count(codes, (*parents, column), sizes).reshape(-1, sizes[column]).astype(np.float64)
        for column, parents in families
    }


def fit_private(codes: Codes, sizes: Sequence[int], *, degree: int, ledger: PureLedger) -> dict[Family, Floats]:
    """Return a network and its noisy tables, parents by column: all that the ledger holds is spent."""
    columns, records = codes.shape
    measuring = ledger.epsilon * (1 - _CHOOSING if columns > 1 else 1)
    choosing = (ledger.epsilon - measuring) / max(columns - 1, 1)
    sensitivity = 3 / records + 2 / records**2
    families = grow(
        codes,
        sizes,
        degree=degree,
        # a share of 1 / cells is to be _USEFUL times the scale of its noise, 2 columns / (records measuring)
        cells=min(records * measuring / (2 * columns * _USEFUL), _MOST_CELLS),
        score=dependence,
        choose=lambda s: ledger.choose(s, sensitivity=sensitivity, epsilon=choosing, what="a column and its parents"),
        first=int(ledger.rng.integers(columns)),
    )
    # a family within another one is read off its table and costs nothing
    groups = [tuple(sorted((column, *parents))) for column, parents in families]
    largest = [g for g in dict.fromkeys(groups) if not any(set(g) < set(other) for other in groups)]
    measured = {
        group: nearest_distribution(
            ledger.measure(count(codes, group, sizes), epsilon=measuring / len(largest), what=f"columns {group}")
            / records
        )
        for group in largest
    }
    tables = {}
    for (column, parents), group in zip(families, groups, strict=True):
        source = next(g for g in largest if set(group) <= set(g))
        noisy = measured[source]
        keep = [source.index(c) for c in (*parents, column)]
        rest = tuple(axis for axis in range(len(source)) if axis not in keep)
        kept = sorted(keep)
        table = noisy.sum(axis=rest) if rest else noisy
        tables[column, parents] = table.transpose([kept.index(axis) for axis in keep]).reshape(-1, sizes[column])
    return tables


def draw(tables: dict[Family, Floats], sizes: Sequence[int], *, rows: int, rng: np.random.Generator) -> Codes:
    """Return rows drawn from the network, ``(d, rows)``; parents that were never seen together say nothing."""
    codes: Codes = np.zeros((len(sizes), rows), dtype=np.min_scalar_type(max(sizes) - 1))
    for (column, parents), table in tables.items():
        shape = tuple(sizes[parent] for parent in parents)
        given = np.ravel_multi_index([codes[p] for p in parents], shape) if parents else np.zeros(rows, dtype=np.intp)
        alone = table.sum(axis=0)
        table = np.where(table.sum(axis=1, keepdims=True) > 0, table, alone)
        codes[column] = draw_given(given, table, rng=rng)
    return codes
