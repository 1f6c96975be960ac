"""Exact beliefs about columns that are joined by a forest of pairs, in logarithms. Not an attack itself.

References
----------
C. Chow and C. Liu, "Approximating Discrete Probability Distributions with Dependence Trees", IEEE Trans. Information
Theory 14, 1968; J. Pearl, "Probabilistic Reasoning in Intelligent Systems", Morgan Kaufmann 1988.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ColumnTree", "spanning_forest"]

Floats = NDArray[np.float64]


def spanning_forest(gains: Mapping[tuple[int, int], float]) -> list[tuple[int, int]]:
    """Return the pairs of the maximum spanning forest; a pair without a positive gain is never part of it."""
    part: dict[int, int] = {}
    chosen = []
    for one, other in sorted(gains, key=lambda pair: -gains[pair]):
        first, second = part.setdefault(one, one), part.setdefault(other, other)
        if gains[one, other] > 0 and first != second:
            part = {place: first if own == second else own for place, own in part.items()}
            chosen.append((one, other))
    return chosen


@dataclass(frozen=True, eq=False)
class ColumnTree:
    r"""Columns :math:`v_1 \ldots v_d` with weight :math:`\prod_j w_j(v_j) \prod_{(a,b)} e^{\theta_{ab}(v_a, v_b)}`.

    Parameters
    ----------
    affinities : mapping of (int, int) to array of shape (k, l)
        Theta of the joined pairs of columns, which form no circle.
    """

    affinities: Mapping[tuple[int, int], Floats]

    def beliefs(self, weights: Sequence[Floats]) -> tuple[Floats, list[Floats]]:
        """Sum over all vectors of values, and over those with each value of each column.

        Parameters
        ----------
        weights : sequence of array of shape (T, k)
            log w of each column, of T people at once; -inf rules a value out.

        Returns
        -------
        total : array of shape (T,)
            The logarithm of the sum of the weights of all vectors; -inf where everything is ruled out.
        beliefs : list of array of shape (T, k)
            Each column's values' shares of that sum; where everything is ruled out they are 0.
        """
        around: dict[int, dict[int, Floats]] = {place: {} for place in range(len(weights))}
        for (one, other), affinity in self.affinities.items():
            # rows are the sender's values
            around[other][one], around[one][other] = np.exp(affinity), np.exp(affinity.T)
        sent: dict[tuple[int, int], Floats] = {}

        def gathered(place: int, *, but: int | None) -> Floats:
            messages = [message(neighbour, place) for neighbour in around[place] if neighbour != but]
            return np.sum([weights[place], *messages], axis=0)

        def message(sender: int, receiver: int) -> Floats:
            if (sender, receiver) not in sent:
                own, top = _scaled(gathered(sender, but=receiver))
                with np.errstate(divide="ignore"):
                    sent[sender, receiver] = np.log(own @ around[receiver][sender]) + top
            return sent[sender, receiver]

        total = np.zeros(len(weights[0]))
        found = []
        counted: set[int] = set()
        for place in range(len(weights)):
            own, top = _scaled(gathered(place, but=None))
            sums = own.sum(axis=1, keepdims=True)
            found.append(own / np.where(sums > 0, sums, 1))
            if place not in counted:  # every connected part has one sum
                counted |= _reached(place, around)
                with np.errstate(divide="ignore"):
                    total += (np.log(sums) + top)[:, 0]
        return total, found


def _scaled(logs: Floats) -> tuple[Floats, Floats]:
    """Return exp of logarithms less their greatest a row, and that."""
    top = logs.max(axis=1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    return np.exp(logs - top), top


def _reached(start: int, around: Mapping[int, Mapping[int, Floats]]) -> set[int]:
    seen, stack = {start}, [start]
    while stack:
        fresh = [place for place in around[stack.pop()] if place not in seen]
        seen |= set(fresh)
        stack += fresh
    return seen
