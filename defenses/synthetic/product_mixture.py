"""A mixture of independent columns, fitted to all 2- or 3-way marginals at once.

A component is a row whose entries are distributions, so the marginals of the whole are sums of outer products: smooth
in the logits, and a few matrix products to compute. Adam descends the squared distance to the given marginals; for
triples a step takes those with one column, each column in turn in random order.

References
----------
S. Aydore et al., "Differentially Private Query Release Through Adaptive Projection", ICML 2021.
T. Liu, G. Vietri and S. Wu, "Iterative Methods for Private Synthetic Data", NeurIPS 2021.
D. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from defenses.synthetic.ancestral import draw_given
from defenses.synthetic.coding import Codes

__all__ = ["ProductMixture", "fit_mixture"]

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ProductMixture:
    """Components of equal weight.

    Parameters
    ----------
    probability : array, shape (components, W)
        Side by side, for each column the probabilities of its values.
    sizes : tuple of int
        Number of values of each column; their sum is W.
    """

    probability: Floats
    sizes: tuple[int, ...]

    def sample(self, rows: int, *, rng: np.random.Generator) -> Codes:
        """Return rows drawn from the mixture, ``(d, rows)``."""
        components = len(self.probability)
        component = rng.permutation(
            np.arange(rows) % components if rows >= components else rng.permutation(components)[:rows]
        )
        edges = np.cumsum((0, *self.sizes))
        blocks = [self.probability[:, a:b].astype(np.float64) for a, b in pairwise(edges)]
        smallest = np.min_scalar_type(max(self.sizes) - 1)
        return np.stack([draw_given(component, block, rng=rng).astype(smallest) for block in blocks])


def fit_mixture(
    pairs: Floats,
    triples: Sequence[Floats] | None,
    sizes: tuple[int, ...],
    *,
    components: int,
    steps: int,
    rng: np.random.Generator,
) -> ProductMixture:
    """Fit a mixture to marginals.

    Parameters
    ----------
    pairs : array, shape (W, W)
        Shares of all pairs of values; blocks of one column with itself hold its own shares on their diagonal.
    triples : sequence of array, shapes (sizes[a], W, W), or None
        For each column the shares of its values with all pairs of others; None to fit pairs only.
    sizes : tuple of int
        Number of values of each column.
    components, steps : int
        How many components, and how many steps of Adam.
    rng : Generator
        The only source of randomness.
    """
    edges = np.cumsum((0, *sizes))
    owner = np.repeat(np.arange(len(sizes)), sizes)
    apart = (owner[:, None] != owner[None, :]).astype(np.float32)
    own = np.maximum(np.diag(pairs), 1e-6)
    logits = (np.log(own) + rng.normal(size=(components, len(owner)))).astype(np.float32)
    first, second = np.zeros_like(logits), np.zeros_like(logits)
    order: list[int] = []
    for step in range(1, steps + 1):
        x = _softmax(logits, edges)
        if triples is None:
            # the error of every pair of values and of every single one
            miss = (x.T @ x / components - pairs) * apart
            miss[np.diag_indices_from(miss)] = x.mean(axis=0) - own
            slope = x @ miss
        else:
            order = order or list(rng.permutation(len(sizes)))
            column = order.pop()
            mask = apart * (owner != column)[:, None] * (owner != column)[None, :]
            slope = np.zeros_like(x)
            for value, target in enumerate(triples[column]):
                weight = x[:, edges[column] + value, None]
                miss = ((x * weight).T @ x / components - target) * mask
                turned = x @ miss
                slope += 2 * weight * turned
                slope[:, edges[column] + value] += (x * turned).sum(axis=1)
        # through the softmax of each column
        slope *= x
        for a, b in pairwise(edges):
            slope[:, a:b] -= x[:, a:b] * slope[:, a:b].sum(axis=1, keepdims=True)
        first += 0.1 * (slope - first)
        second += 0.001 * (slope * slope - second)
        rate = 0.2 * min(1.0, 4 * (1 - step / (steps + 1)))  # falling to zero over the last quarter
        scale = rate / (1 - 0.9**step)
        logits -= scale * first / (np.sqrt(second / (1 - 0.999**step)) + 1e-10)
    return ProductMixture(_softmax(logits, edges), sizes)


def _softmax(logits: Floats, edges: NDArray[np.integer]) -> Floats:
    out = np.empty_like(logits)
    for a, b in pairwise(edges):
        part = np.exp(logits[:, a:b] - logits[:, a:b].max(axis=1, keepdims=True))
        out[:, a:b] = part / part.sum(axis=1, keepdims=True)
    return out
