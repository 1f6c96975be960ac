"""Unary encoding: one bit a value, each flipped on its own; symmetric, optimised, and thresholded histogram encoding.

References
----------
U. Erlingsson, V. Pihur and A. Korolova, "RAPPOR: Randomized Aggregatable Privacy-Preserving Ordinal Response", CCS
2014.
T. Wang, J. Blocki, N. Li and S. Jha, "Locally Differentially Private Protocols for Frequency Estimation", USENIX
Security 2017.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from defenses.ldp import packed
from defenses.ldp.domain import checked_codes, checked_prior
from defenses.ldp.draws import coins
from defenses.ldp.pure_protocol import PureProtocol
from defenses.ldp.success import success_of_bits

__all__ = ["Oue", "Sue", "The", "UnaryEncoding"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class UnaryEncoding(PureProtocol):
    """One bit for each of k values: 1 with probability `p` for the true one, `q` for another one, all independent.

    A report is a row of ceil(k / 8) bytes, the bit of the first value highest in the first byte (`numpy.packbits`),
    the bits beyond the k-th 0. With k = 1 there is nothing to hide: the bit is set, p is 1 and q is 0.
    """

    @property
    def p(self) -> float:
        """Probability that the bit of the true value is set."""
        return 1.0 if self.size == 1 else 1 - self._miss

    @property
    def q(self) -> float:
        """Probability that the bit of a given other value is set."""
        return 0.0 if self.size == 1 else self._false

    @property
    @abstractmethod
    def _miss(self) -> float:
        """1 - p, which may be far below the precision of p."""

    @property
    @abstractmethod
    def _false(self) -> float:
        """Probability q."""

    def randomise(self, codes: NDArray[np.integer], *, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Return `n` rows of packed bits, ``(n, ceil(k / 8))``.

        Raises
        ------
        InputError
            If a code is none of 0..k-1.
        """
        true = checked_codes(codes, size=self.size)
        reports = np.empty((len(true), packed.row_bytes(self.size)), dtype=np.uint8)
        miss = 0.0 if self.size == 1 else self._miss
        for block in packed.blocks(len(true), width=reports.shape[1]):
            codes = true[block]
            rows = packed.bernoulli_rows(len(codes), self.size, self.q, rng=rng)
            packed.set_bits(rows, codes, ~coins(len(codes), miss, rng=rng))
            reports[block] = rows
        return reports

    def support(self, reports: NDArray[Any]) -> NDArray[np.bool_]:
        """Return the bits, ``(n, k)``."""
        return packed.unpacked(reports, size=self.size)

    def counts(self, reports: NDArray[Any]) -> Floats:
        """Return how many reports have each bit set, ``(k,)``."""
        return packed.column_sums(reports, size=self.size)

    def success(self, prior: Floats) -> float:
        """Return how often the likeliest value given one report is the true one, values drawn from `prior`; exact."""
        falling = checked_prior(prior, size=self.size)
        return success_of_bits(falling, p=self.p, q=self.q, log_ratio=self.log_ratio)


@dataclass(frozen=True)
class Sue(UnaryEncoding):
    r"""Symmetric unary encoding, the one-time form of RAPPOR: every bit is flipped with the same probability.

    .. math:: p = e^{\epsilon / 2} / (e^{\epsilon / 2} + 1), \quad q = 1 - p
    """

    @property
    def _miss(self) -> float:
        return self._false

    @property
    def _false(self) -> float:
        return math.exp(-self.epsilon / 2) / (1 + math.exp(-self.epsilon / 2))


@dataclass(frozen=True)
class Oue(UnaryEncoding):
    r"""Optimised unary encoding: the true bit is kept by a coin flip, false ones are rare.

    .. math:: p = 1 / 2, \quad q = 1 / (e^\epsilon + 1)

    It has the smallest variance, of all pairs (p, q) of this budget, for a value that nobody has.
    """

    @property
    def _miss(self) -> float:
        return 0.5

    @property
    def _false(self) -> float:
        return math.exp(-self.epsilon) / (1 + math.exp(-self.epsilon))


@dataclass(frozen=True)
class The(UnaryEncoding):
    r"""Thresholded histogram encoding: Laplace noise of scale 2 / epsilon on every indicator, and the bits above th.

    .. math:: p = 1 - e^{\epsilon (th - 1) / 2} / 2, \quad q = e^{-\epsilon\, th / 2} / 2

    The threshold th in (1/2, 1) minimises :math:`q (1 - q) / (p - q)^2`. The bits are drawn directly with (p, q); they
    say less than the noisy numbers: their log likelihood ratio is
    :math:`\epsilon / 2 + \log 4 (1 - q) p`, below epsilon.
    """

    @cached_property
    def threshold(self) -> float:
        """The threshold, th."""

        def log_variance(threshold: float) -> float:
            # expm1 keeps p - q where epsilon is small
            high, low = self.epsilon * (threshold - 1) / 2, -self.epsilon * threshold / 2
            gap = -(math.expm1(high) + math.expm1(low)) / 2
            return low + math.log1p(-math.exp(low) / 2) - 2 * math.log(gap)

        return float(minimize_scalar(log_variance, bounds=(0.5, 1.0), method="bounded", options={"xatol": 1e-10}).x)

    @property
    def _miss(self) -> float:
        return math.exp(self.epsilon * (self.threshold - 1) / 2) / 2

    @property
    def _false(self) -> float:
        return math.exp(-self.epsilon * self.threshold / 2) / 2

    @property
    def log_ratio(self) -> float:
        """Log likelihood ratio of a value whose bit is set to one whose bit is not."""
        return self.epsilon / 2 + 2 * math.log(2) + math.log1p(-self._miss) + math.log1p(-self._false)
