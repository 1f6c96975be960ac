"""Generalised randomised response: report the true value with probability p, any other one equally likely."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defenses.ldp.domain import checked_codes, checked_prior
from defenses.ldp.draws import WIDEST, coins, parts
from defenses.ldp.pure_protocol import PureProtocol
from defenses.ldp.success import success_of_subsets

__all__ = ["Grr"]

Floats = NDArray[np.float64]

# reports at a time: what is drawn for them must stay in the processor's cache, and in memory that is used again
_BLOCK = 1 << 15
# from so many on, counting them by pairs pays
_PAIRED = 1 << 15


@dataclass(frozen=True)
class Grr(PureProtocol):
    r"""Generalised randomised response over k values.

    .. math:: p = e^\epsilon / (e^\epsilon + k - 1), \quad q = 1 / (e^\epsilon + k - 1)

    A report is a code, in the smallest unsigned integer that holds k - 1. With k = 1 there is nothing to hide: p is 1
    and q is 0.

    References
    ----------
    P. Kairouz, K. Bonawitz and D. Ramage, "Discrete Distribution Estimation under Local Privacy", ICML 2016.
    """

    @property
    def p(self) -> float:
        """Probability of the true value: 1 / (1 + (k - 1) e^-epsilon), which cannot overflow."""
        return 1 / (1 + (self.size - 1) * math.exp(-self.epsilon))

    @property
    def q(self) -> float:
        """Probability of a given other value."""
        return 0.0 if self.size == 1 else math.exp(-self.epsilon) * self.p

    def randomise(self, codes: NDArray[np.integer], *, rng: np.random.Generator) -> NDArray[np.unsignedinteger[Any]]:
        """Return one reported code for each of `n` codes.

        Raises
        ------
        InputError
            If a code is none of 0..k-1.
        """
        true = checked_codes(codes, size=self.size)
        reports = np.empty(len(true), dtype=np.min_scalar_type(self.size - 1))
        if self.size == 1:
            reports[:] = 0
            return reports
        for start in range(0, len(true), _BLOCK):
            codes = true[start : start + _BLOCK].astype(reports.dtype)
            reports[start : start + _BLOCK] = self._told(codes, rng)
        return reports

    def _told(self, codes: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """Return reports; of the other k - 1 codes, those from the true one on are one place further."""
        others = self.size - 1
        if self.q * WIDEST < 1:
            who = np.flatnonzero(coins(len(codes), others * self.q, rng=rng))
            told = rng.integers(0, others, size=who.size, dtype=codes.dtype)
            codes[who] = told + (told >= codes[who])
            return codes
        # the wheel has a part for each other code, and as much again for the true one as e^epsilon of them
        told = parts(len(codes), 1 / self.q, rng=rng)
        lies = told < others
        told = told.astype(codes.dtype, copy=False)
        told += told >= codes
        # told where it is a lie, else the code: quicker than a choice by index
        told ^= codes
        told *= lies
        told ^= codes
        return told

    def support(self, reports: NDArray[Any]) -> NDArray[np.bool_]:
        """Return the ``(n, k)`` indicators of the reported values."""
        return reports[:, None] == np.arange(self.size)

    def counts(self, reports: NDArray[Any]) -> Floats:
        """Return how many reports name each value, ``(k,)``."""
        if reports.dtype != np.uint8 or len(reports) < _PAIRED:
            return np.bincount(reports, minlength=self.size).astype(np.float64)
        # two reports a number: half as many numbers to count
        whole = np.ascontiguousarray(reports[: len(reports) // 2 * 2])
        pairs = np.bincount(whole.view(np.uint16), minlength=256 * self.size).reshape(-1, 256)[:, : self.size]
        last = np.bincount(reports[len(whole) :], minlength=self.size)
        return (pairs.sum(axis=0) + pairs.sum(axis=1) + last).astype(np.float64)

    def success(self, prior: Floats) -> float:
        """Return how often the likeliest value given one report is the true one, values drawn from `prior`; exact."""
        return success_of_subsets(checked_prior(prior, size=self.size), width=1, p=self.p, log_ratio=self.log_ratio)
