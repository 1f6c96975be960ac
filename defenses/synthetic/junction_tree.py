"""Which columns must be held together so that overlapping marginals fit one distribution: a tree of cliques.

References
----------
S. Lauritzen and D. Spiegelhalter, "Local Computations with Probabilities on Graphical Structures", JRSS B 50, 1988.
D. Koller and N. Friedman, "Probabilistic Graphical Models", MIT Press 2009, chapters 9 and 10.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

__all__ = ["Clique", "JunctionTree"]

Clique = tuple[int, ...]
"""Columns in rising order."""


@dataclass(frozen=True)
class JunctionTree:
    """Cliques in an order in which each one's parent stands before it.

    Parameters
    ----------
    cliques : tuple of Clique
        The first one is the root.
    parents : tuple of int
        Position of each clique's parent; -1 for the root. Where columns have nothing in common with those before,
        they hang on the root by an empty separator.
    separators : tuple of Clique
        What each clique shares with its parent; the columns of a clique that stand in an earlier one are all there.
    """

    cliques: tuple[Clique, ...]
    parents: tuple[int, ...]
    separators: tuple[Clique, ...]

    @staticmethod
    def build(groups: Iterable[Iterable[int]], sizes: Sequence[int]) -> JunctionTree:
        """Return a tree in which every group of columns stands within a clique.

        Parameters
        ----------
        groups : iterable of iterable of int
            Columns to be held together.
        sizes : sequence of int
            Number of values of each of the d columns; every column is in the tree.
        """
        cliques = _maximal(_eliminate(groups, sizes))
        # Prim's maximum spanning tree by the size of what is shared
        cliques.sort(key=lambda clique: (-len(clique), clique))
        order, parents = [0], [-1]
        separators: list[Clique] = [()]
        best = {i: (len(set(cliques[0]) & set(cliques[i])), 0) for i in range(1, len(cliques))}
        while best:
            nearest = max(best, key=lambda i: (best[i][0], -i))
            _, parent = best.pop(nearest)
            place = len(order)
            order.append(nearest)
            parents.append(parent)
            shared = set(cliques[nearest]) & set(cliques[order[parent]])
            separators.append(tuple(sorted(shared)))
            for other, (common, _) in best.items():
                if (now := len(set(cliques[nearest]) & set(cliques[other]))) > common:
                    best[other] = (now, place)
        return JunctionTree(tuple(cliques[i] for i in order), tuple(parents), tuple(separators))

    @staticmethod
    def cells(groups: Iterable[Iterable[int]], sizes: Sequence[int]) -> int:
        """Return how many numbers the tables of a tree of the columns that occur would hold, without building it."""
        groups = [tuple(group) for group in groups]
        occurring = sorted({column for group in groups for column in group})
        place = {column: i for i, column in enumerate(occurring)}
        own = [sizes[column] for column in occurring]
        found = _maximal(_eliminate([[place[column] for column in group] for group in groups], own))
        return sum(prod(own[i] for i in clique) for clique in found)

    @cached_property
    def parts(self) -> Mapping[int, int]:
        """Column to the number of its part: columns of different parts have nothing to do with each other."""
        part_of: list[int] = []
        for place, (parent, separator) in enumerate(zip(self.parents, self.separators, strict=True)):
            part_of.append(part_of[parent] if separator else place)
        return {column: part for clique, part in zip(self.cliques, part_of, strict=True) for column in clique}

    def home(self, columns: Iterable[int]) -> int | None:
        """Return the position of the first clique that holds all these columns, or None."""
        first, *others = columns
        return next((i for i in self._holders[first] if all(column in self.cliques[i] for column in others)), None)

    @cached_property
    def _holders(self) -> Mapping[int, list[int]]:
        """Column to the positions of the cliques that hold it."""
        holders: dict[int, list[int]] = {}
        for place, clique in enumerate(self.cliques):
            for column in clique:
                holders.setdefault(column, []).append(place)
        return holders


def _eliminate(groups: Iterable[Iterable[int]], sizes: Sequence[int]) -> list[Clique]:
    """Return the cliques that come up when columns are removed one by one, the one with the smallest table first."""
    neighbours: list[set[int]] = [set() for _ in sizes]
    for group in groups:
        members = set(group)
        for column in members:
            neighbours[column] |= members - {column}
    found = []
    weight = {column: _weight(column, neighbours, sizes) for column in range(len(sizes))}
    while weight:
        column = min(weight, key=lambda c: (weight[c], c))
        del weight[column]
        around = neighbours[column]
        found.append(tuple(sorted({column, *around})))
        for other in around:
            neighbours[other] |= around
            neighbours[other] -= {other, column}
        for other in around:
            weight[other] = _weight(other, neighbours, sizes)
    return found


def _weight(column: int, neighbours: Sequence[set[int]], sizes: Sequence[int]) -> int:
    return sizes[column] * prod(sizes[other] for other in neighbours[column])


def _maximal(cliques: Iterable[Clique]) -> list[Clique]:
    kept: list[Clique] = []
    for clique in sorted(set(cliques), key=lambda c: (-len(c), c)):
        if not any(set(clique) <= set(other) for other in kept):
            kept.append(clique)
    return kept
