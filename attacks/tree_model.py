"""Beliefs about columns that are joined by a tree: which tree, and the exact sum-product on it. Not an attack itself.

References
----------
C. Chow and C. Liu, "Approximating Discrete Probability Distributions with Dependence Trees", IEEE Trans. Information
Theory 14, 1968; J. Pearl, "Probabilistic Reasoning in Intelligent Systems", Morgan Kaufmann 1988.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Edge", "Node", "beliefs", "spanning_tree"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

# no value is ruled out by a message: its probability is at least so much
_FLOOR = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A column in the tree.

    Parameters
    ----------
    size : int
        Number of values, k.
    prior : array of shape (T, k) or None
        What is thought of each person on its own; None where the value is seen.
    seen : array of int, shape (T,), or None
        The value of each person where it is known.
    """

    size: int
    prior: Floats | None = None
    seen: Codes | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """Two joined columns.

    Parameters
    ----------
    one, other : int
        Places of the nodes.
    affinity : array of shape (1 or T, k, l)
        Logarithm of how well a value of the one goes with a value of the other, the same for all or each person's own.
    """

    one: int
    other: int
    affinity: Floats


def spanning_tree(
    codes: list[Codes], shown: list[NDArray[np.bool_]], sizes: list[int], *, hidden: int
) -> list[tuple[int, int]]:
    """Return the edges of the maximum spanning tree by mutual information.

    Parameters
    ----------
    codes : list of array of int, shape (n,)
        Values of each column in the rows.
    shown : list of array of bool, shape (n,)
        Which rows show them.
    sizes : list of int
        Number of values of each column.
    hidden : int
        The first so many columns are hidden: an edge between two others says nothing about them and is left out.
    """
    pairs = [(i, j) for i in range(len(sizes)) for j in range(i + 1, len(sizes))]
    strength = {(i, j): _mutual_information(codes[i], codes[j], shown[i] & shown[j], sizes[j]) for i, j in pairs}
    part = list(range(len(sizes)))
    tree = []
    for i, j in sorted(pairs, key=lambda pair: -strength[pair]):
        if part[i] != part[j]:
            part = [part[i] if own == part[j] else own for own in part]
            tree.append((i, j))
    return [(i, j) for i, j in tree if i < hidden]


def beliefs(nodes: list[Node], edges: list[Edge], *, cautious: bool) -> list[Floats]:
    """Return the posterior of every hidden node, ``(T, k)`` each, in their order.

    Parameters
    ----------
    nodes : list of Node
        Those hidden and those seen.
    edges : list of Edge
        Without a circle.
    cautious : bool
        Scale a message, a logarithm, by one minus the entropy of who sends it over the greatest possible one.
    """
    people = max(len(node.prior) for node in nodes if node.prior is not None)
    around: dict[int, list[Edge]] = {place: [] for place in range(len(nodes))}
    for edge in edges:
        around[edge.one].append(edge)
        around[edge.other].append(edge)
    sent: dict[tuple[int, int], Floats] = {}

    def belief(place: int, *, but: int | None = None) -> Floats:
        """Return the logarithm of what a hidden node thinks, leaving out what one neighbour said."""
        prior = nodes[place].prior
        assert prior is not None, "a node that is seen has no belief"
        total = np.log(np.maximum(prior, _FLOOR))
        for edge in around[place]:
            neighbour = edge.other if edge.one == place else edge.one
            if neighbour != but:
                total = total + message(neighbour, place, edge)
        return np.asarray(total - total.max(axis=1, keepdims=True))

    def message(sender: int, receiver: int, edge: Edge) -> Floats:
        if (sender, receiver) not in sent:
            affinity = edge.affinity if edge.one == sender else edge.affinity.transpose(0, 2, 1)
            seen = nodes[sender].seen
            if seen is not None:
                owner = np.zeros(people, np.intp) if len(affinity) == 1 else np.arange(people)
                sent[sender, receiver] = affinity[owner, seen]
            else:
                own = np.exp(belief(sender, but=receiver))
                own /= own.sum(axis=1, keepdims=True)
                weight = np.exp(affinity)
                said = own @ weight[0] if len(weight) == 1 else np.einsum("tk,tkl->tl", own, weight)
                trust = 1 - _entropy(own) / np.log(own.shape[1]) if cautious else np.ones(people)
                sent[sender, receiver] = trust[:, None] * np.log(np.maximum(said, _FLOOR))
        return sent[sender, receiver]

    found = []
    for place, node in enumerate(nodes):
        if node.prior is not None:
            own = np.exp(belief(place))
            found.append(own / own.sum(axis=1, keepdims=True))
    return found


def _entropy(shares: Floats) -> Floats:
    return -np.sum(shares * np.log(np.maximum(shares, _FLOOR)), axis=1)


def _mutual_information(one: Codes, other: Codes, both: NDArray[np.bool_], size: int) -> float:
    """Return what two columns tell of each other, in nats, in the rows that show both."""
    joint = np.bincount(one[both] * size + other[both], minlength=(int(one.max()) + 1) * size).reshape(-1, size)
    joint = joint / max(1, joint.sum())
    apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    there = joint > 0
    return float(np.sum(joint[there] * np.log(joint[there] / apart[there])))
