"""Local hashing: a public hash of one's own maps the value to a cell, and the cell is reported by randomised response.

References
----------
R. Bassily and A. Smith, "Local, Private, Efficient Protocols for Succinct Histograms", STOC 2015.
T. Wang, J. Blocki, N. Li and S. Jha, "Locally Differentially Private Protocols for Frequency Estimation", USENIX
Security 2017.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defenses.ldp.cells import MOST_CELLS, cells_of, in_cell
from defenses.ldp.domain import checked_codes, checked_prior
from defenses.ldp.draws import random_words
from defenses.ldp.grr import Grr
from defenses.ldp.pure_protocol import PureProtocol
from defenses.ldp.success import success_of_bits

__all__ = ["Blh", "LocalHashing", "Olh"]

Floats = NDArray[np.float64]
Words = NDArray[np.uint32]

# people at a time: their words must stay in the processor's cache
_BLOCK = 1 << 14


@dataclass(frozen=True)
class LocalHashing(PureProtocol):
    r"""A public 32-bit seed, drawn for each person, and a cell of g: the one that its hash gives their value, or a lie.

    .. math:: p = e^\epsilon / (e^\epsilon + g - 1), \quad q = 1 / g

    A report is a row of two ``uint32``: seed and cell. With k = 1 there is nothing to hide: the cell is always true, p
    is 1 and q is 0.
    """

    @property
    @abstractmethod
    def cells(self) -> int:
        """Number of cells, g."""

    @property
    def p(self) -> float:
        """Probability that the reported cell is that of the true value."""
        return 1.0 if self.size == 1 else Grr(self.cells, self.log_ratio).p

    @property
    def q(self) -> float:
        """Probability that the reported cell is that of a given other value, over the seeds."""
        return 0.0 if self.size == 1 else 1 / self.cells

    def randomise(self, codes: NDArray[np.integer], *, rng: np.random.Generator) -> Words:
        """Return `n` seeds and cells, ``(n, 2)``.

        Raises
        ------
        InputError
            If a code is none of 0..k-1.
        """
        true = checked_codes(codes, size=self.size)
        reports = np.empty((len(true), 2), dtype=np.uint32)
        for start in range(0, len(true), _BLOCK):
            codes = true[start : start + _BLOCK]
            seeds = random_words(-(-len(codes) // 2), rng=rng).view(np.uint32)[: len(codes)]
            cells = cells_of(seeds, codes, cells=self.cells)
            if self.size > 1:
                cells = Grr(self.cells, self.log_ratio).randomise(cells, rng=rng)
            reports[start : start + _BLOCK, 0] = seeds
            reports[start : start + _BLOCK, 1] = cells
        return reports

    def support(self, reports: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which values each report's hash maps to its cell, ``(n, k)``."""
        bits = np.empty((len(reports), self.size), dtype=np.bool_)
        for start in range(0, len(reports), _BLOCK):
            block = slice(start, start + _BLOCK)
            for value, inside in enumerate(self._inside(reports[block])):
                bits[block, value] = inside
        return bits

    def counts(self, reports: NDArray[Any]) -> Floats:
        """Return how many reports support each value, ``(k,)``."""
        total = np.zeros(self.size)
        for start in range(0, len(reports), _BLOCK):
            total += [np.count_nonzero(inside) for inside in self._inside(reports[start : start + _BLOCK])]
        return total

    def _inside(self, reports: NDArray[Any]) -> Iterator[NDArray[np.bool_]]:
        return in_cell(reports[:, 0], reports[:, 1], size=self.size, cells=self.cells)

    def success(self, prior: Floats) -> float:
        """Return how often the likeliest value given one report is the true one, values drawn from `prior`.

        Exact over the seeds, for hashes that map every value to a cell independently.
        """
        return success_of_bits(checked_prior(prior, size=self.size), p=self.p, q=self.q, log_ratio=self.log_ratio)


@dataclass(frozen=True)
class Blh(LocalHashing):
    """Binary local hashing: two cells."""

    @property
    def cells(self) -> int:
        """Number of cells, g = 2."""
        return 2


@dataclass(frozen=True)
class Olh(LocalHashing):
    r"""Optimised local hashing: :math:`g = \mathrm{round}(e^\epsilon) + 1` cells, the least variance for rare values.

    No more than 2^24 cells are used, which an epsilon of 16.6 fills: beyond, no two of the k values share a cell for
    practical purposes, and more cells would need longer hashes. What a greater budget leaves is not spent, so that p
    stays at 1/2, as the formula has it.
    """

    @property
    def cells(self) -> int:
        """Number of cells, g."""
        return round(math.exp(self.log_ratio)) + 1

    @property
    def log_ratio(self) -> float:
        """Log likelihood ratio of a value in the reported cell to another one: epsilon, at most log(2^24 - 1)."""
        return min(self.epsilon, math.log(MOST_CELLS - 1))
