"""Secrets of a person guessed together: a forest's opinion of each, made to agree along a tree of related columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from attacks.learner import skip_without_rows
from attacks.leaves import forest_guess
from attacks.tree_model import Edge, Node, beliefs, spanning_tree
from attacks.votes import nearest
from privbench.contracts import Guess, View
from privbench.errors import InputError
from privbench.release import AlteredRows, SyntheticTable
from privbench.schema import Column, Kind, Schema
from privbench.table import Table, bin_count, to_bins

__all__ = ["BeliefPropagation"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class BeliefPropagation:
    """Let a random forest judge each secret, then let secrets and known columns that hang together correct one another.

    The columns are joined by the maximum spanning tree of their mutual information in the release. How well two
    values go together (the logarithm of how much commoner they are together than apart) is counted in the released
    rows nearest to the target where these are enough for the pair of columns, else in all. The messages along the
    tree are exact; those of a column that is itself unsure count less. At last the beliefs are moved half the way
    towards the shares that the release gives its values. Secrets with too many values, and continuous ones, are
    answered by the forest alone. The forest learns from 200,000 rows at most, all others are counted.

    Parameters
    ----------
    trees : int
        Trees of the forest.
    depth : int or None
        Their greatest depth.
    neighbours : int
        Released rows nearest in the known columns, in which pairs of few values are counted.
    values : int
        Most values of a column in the tree; a continuous known column is cut into 20 cells.
    observed : bool
        Whether the known columns stand in the tree too, and unsure columns count less.
    correction : float
        How far the beliefs are moved towards the released shares, 0 to 1; the less, the fewer the targets.

    References
    ----------
    "CoBP-RA", the correlated belief propagation attack of a systematisation of reconstruction attacks on
    de-identified and synthetic tables, arXiv 2606.08372, 2026; J. Pearl, "Probabilistic Reasoning in Intelligent
    Systems", Morgan Kaufmann 1988.
    """

    trees: int = 25
    depth: int | None = 25
    neighbours: int = 100
    values: int = 50
    observed: bool = True
    correction: float = 0.5

    def __post_init__(self) -> None:
        if min(self.trees, self.neighbours, self.values) < 1 or (self.depth is not None and self.depth < 1):
            raise InputError(
                "trees, depth, neighbours and values must be at least 1; "
                f"got {self.trees}, {self.depth}, {self.neighbours} and {self.values}"
            )
        if not 0 <= self.correction <= 1:
            raise InputError(f"correction must be from 0 to 1, got {self.correction}")

    def skip(self, view: View) -> str | None:
        """Return a reason unless the release is a table with at least one row."""
        return skip_without_rows(view, "belief propagation")

    def infer(self, view: View, *, rng: np.random.Generator) -> Guess:
        """Return the beliefs; what the forest says of a secret that is no part of the tree."""
        guess = forest_guess(view, trees=self.trees, depth=self.depth, leaf=1, rng=rng)
        hidden = [secret for secret in view.secrets if secret.discrete and 1 < secret.size <= self.values]
        known = [column for column in view.targets.schema.columns if 1 < bin_count(column, 20) <= self.values]
        if not self.observed:
            known = []
        if len(hidden) + len(known) < 2 or not hidden:
            return guess
        nodes = [Node(secret.size, guess.answers[secret.name]) for secret in hidden]
        nodes += [
            Node(bin_count(column, 20), None, to_bins(column, view.targets[column.name], bins=20)) for column in known
        ]
        codes, shown = _released(view, [*hidden, *known])
        edges = self._edges(view, nodes, codes, shown)
        found = beliefs(nodes, edges, cautious=self.observed)
        answers = dict(guess.answers)
        for secret, belief in zip(hidden, found, strict=False):
            answers[secret.name] = self._corrected(belief, view.release.marginal(secret.name))
        return replace(guess, answers=answers)

    def _edges(self, view: View, nodes: list[Node], codes: list[Codes], shown: list[NDArray[np.bool_]]) -> list[Edge]:
        """Return the tree's edges with their potentials, those of small pairs a target's own."""
        sizes = [node.size for node in nodes]
        tree = spanning_tree(codes, shown, sizes, hidden=sum(node.seen is None for node in nodes))
        joint: dict[tuple[int, int], Floats] = {}
        # small pairs that the same rows show have the same neighbours, which are found once
        small: dict[bytes, list[tuple[int, int]]] = {}
        for i, j in tree:
            both, cells = shown[i] & shown[j], sizes[i] * sizes[j]
            if self.neighbours >= 5 * cells and both.any() and view.targets.schema.names:
                small.setdefault(both.tobytes(), []).append((i, j))
            else:
                counts = np.bincount(codes[i][both] * sizes[j] + codes[j][both], minlength=cells)
                joint[i, j] = counts / max(1, counts.sum())
        for mask, edges in small.items():
            pairs = [(codes[i] * sizes[j] + codes[j], sizes[i] * sizes[j]) for i, j in edges]
            rows = np.flatnonzero(np.frombuffer(mask, dtype=bool))
            joint |= zip(edges, _near(view, pairs, rows, self.neighbours), strict=True)
        return [Edge(i, j, _affinity(joint[i, j].reshape(-1, sizes[i], sizes[j]))) for i, j in tree]

    def _corrected(self, belief: Floats, marginal: Floats) -> Floats:
        """Move the beliefs so that on average they come nearer to the released shares."""
        mean, (people, size) = belief.mean(axis=0), belief.shape
        # the mean over few people says little
        power = self.correction * people / (people + size)
        factor = np.where((mean > 0) & (marginal > 0), marginal / np.where(mean > 0, mean, 1), 1.0) ** power
        moved = belief * factor
        return np.asarray(moved / moved.sum(axis=1, keepdims=True))


def _released(view: View, columns: list[Column]) -> tuple[list[Codes], list[NDArray[np.bool_]]]:
    """Return the released codes of columns, and which rows show them."""
    release = view.release
    codes = [to_bins(column, release.values(column.name), bins=20) for column in columns]
    blank = release.suppressed if isinstance(release, AlteredRows) else {}
    everything = np.ones(len(codes[0]), dtype=bool)
    return codes, [~blank[column.name] if column.name in blank else everything for column in columns]


def _near(view: View, pairs: list[tuple[Codes, int]], rows: NDArray[np.intp], neighbours: int) -> Iterator[Floats]:
    """Yield the shares of each pair's values, given with their number, in the rows nearest to each target."""
    known = {name: view.release.values(name) for name in view.targets.schema.names}
    # names of their own, whatever the known columns are called
    prefix = "pair" + "'" * max(len(name) for name in known)
    columns = tuple(
        Column(f"{prefix}{place}", Kind.CATEGORICAL, tuple(range(size))) for place, (_, size) in enumerate(pairs)
    )
    counted = {column.name: codes for column, (codes, _) in zip(columns, pairs, strict=True)}
    table = Table(Schema((*view.targets.schema.columns, *columns)), known | counted)
    asked = replace(view, release=SyntheticTable(table, len(table)), secrets=columns)
    answers, _ = nearest(asked, rows, columns, neighbours).answers()
    for column in columns:
        yield answers[column.name]


def _affinity(joint: Floats) -> Floats:
    """Return the pointwise mutual information of pairs' shares, ``(1 or T, k, l)``; 0 beside what never occurs."""
    one, other = joint.sum(axis=2, keepdims=True), joint.sum(axis=1, keepdims=True)
    information = np.log(joint + 1e-6) - np.log(one * other + 1e-6)
    return np.where(one * other > 0, information, 0.0)
