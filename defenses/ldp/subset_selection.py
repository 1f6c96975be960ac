"""Subset selection: report a set of w values that holds the true one more often than chance would have it.

References
----------
M. Ye and A. Barg, "Optimal Schemes for Discrete Distribution Estimation under Locally Differential Privacy", IEEE
Transactions on Information Theory 64(8), 2018.
S. Wang, L. Huang, P. Wang et al., "Mutual Information Optimally Local Private Discrete Distribution Estimation", 2016.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defenses.ldp import packed
from defenses.ldp.domain import checked_codes, checked_prior
from defenses.ldp.draws import WIDEST, coins, parts
from defenses.ldp.pure_protocol import PureProtocol
from defenses.ldp.success import success_of_subsets

__all__ = ["SubsetSelection"]

Floats = NDArray[np.float64]
_Rows = tuple[NDArray[np.intp], NDArray[np.unsignedinteger[Any]], NDArray[np.int32]]
"""Sets whose number is not right yet: where their bytes begin, the true values, how many values they lack."""

# rows with which a round is not worth its fixed cost, and the width from which on a first draw of bits pays
_FEW = 1 << 12
_WIDE = 8


@dataclass(frozen=True)
class SubsetSelection(PureProtocol):
    r"""A set of w of the k values: any one that holds the true value is :math:`e^\epsilon` times as likely as another.

    .. math::
        w = \max(1, \mathrm{round}(k / (e^\epsilon + 1))), \quad
        p = \frac{w e^\epsilon}{w e^\epsilon + k - w}, \quad
        q = \frac{w - 1}{k - 1}\, p + \frac{w}{k - 1}\, (1 - p)

    A report is a row of ceil(k / 8) bytes with w bits set, the bit of the first value highest in the first byte
    (`numpy.packbits`). With k = 1 there is nothing to hide: the set is the domain, p is 1 and q is 0.
    """

    @property
    def _name(self) -> str:
        return "SS"

    @property
    def width(self) -> int:
        """Number of values in a report, w; below k unless k is 1."""
        wanted = round(self.size * math.exp(-self.epsilon) / (1 + math.exp(-self.epsilon)))
        return max(1, min(wanted, self.size - 1))

    @property
    def p(self) -> float:
        """Probability that the set holds the true value."""
        return 1 / (1 + (self.size - self.width) / self.width * math.exp(-self.epsilon))

    @property
    def q(self) -> float:
        """Probability that the set holds a given other value."""
        if self.size == 1:
            return 0.0
        return ((self.width - 1) * self.p + self.width * self._miss) / (self.size - 1)

    @property
    def _miss(self) -> float:
        return (self.size - self.width) / self.width * math.exp(-self.epsilon) * self.p

    def randomise(self, codes: NDArray[np.integer], *, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Return `n` rows of packed bits, w of them set, ``(n, ceil(k / 8))``.

        Raises
        ------
        InputError
            If a code is none of 0..k-1.
        """
        true = checked_codes(codes, size=self.size)
        reports = np.empty((len(true), packed.row_bytes(self.size)), dtype=np.uint8)
        if self.size == 1:
            reports[:] = 128
            return reports
        unfinished: _Rows = (np.zeros(0, dtype=np.intp), np.zeros(0, dtype=self._kind), np.zeros(0, dtype=np.int32))
        for block in packed.blocks(len(true), width=reports.shape[1]):
            codes = true[block]
            reports[block] = packed.bernoulli_rows(len(codes), self.size, self._entry, rng=rng)
            packed.set_bits(reports[block], codes, ~coins(len(codes), self._miss, rng=rng))
            lacking = self.width - packed.row_sums(reports[block])
            who = np.flatnonzero(lacking != 0)
            unfinished = (
                np.concatenate([unfinished[0], (block.start + who) * reports.shape[1]]),
                np.concatenate([unfinished[1], codes[who].astype(self._kind)]),
                np.concatenate([unfinished[2], lacking[who]]),
            )
            # the last few rows of a block go on with the next one's: a round costs as much for few as for many
            while unfinished[0].size > (0 if block.stop == len(true) else _FEW):
                unfinished = self._round(reports.reshape(-1), *unfinished, rng=rng)
        return reports

    @property
    def _kind(self) -> np.dtype[np.unsignedinteger[Any]]:
        return np.min_scalar_type(self.size - 1)

    @property
    def _entry(self) -> float:
        """Probability that a value enters a set before the set is corrected, by random additions or removals.

        A value drawn at random is absent, and can be added, with probability 1 - w / k; it is present, and can be
        removed, with probability w / k. The fewest draws are expected if a set is too great with probability w / k. A
        few values are added sooner than a row of bits is drawn.
        """
        if self.width < _WIDE:
            return 0.0
        share = self.width / self.size
        spread = math.sqrt(self.size * share * (1 - share))
        return max(0.0, share - NormalDist().inv_cdf(1 - share) * spread / self.size)

    def _round(
        self,
        flat: NDArray[np.uint8],
        starts: NDArray[np.intp],
        codes: NDArray[np.unsignedinteger[Any]],
        lacking: NDArray[np.int32],
        *,
        rng: np.random.Generator,
    ) -> _Rows:
        """Draw one other value a row, add or remove it if it is absent or present as wanted; return what still lacks.

        Given its number, a set of independent values is uniform among all sets of that number, and a random addition or
        removal leaves it so.
        """
        others = self.size - 1
        if others <= WIDEST:
            value = parts(starts.size, others, rng=rng).astype(codes.dtype, copy=False)
        else:
            value = rng.integers(0, others, size=starts.size, dtype=codes.dtype)
        value += value >= codes
        at, bit = starts + (value >> 3), packed.bit_of(value)
        byte = flat.take(at)
        adds = lacking > 0
        fits = ((byte & bit) == 0) == adds
        flat[at] = byte ^ (bit * fits)
        lacking -= np.where(adds, fits, -fits.astype(np.int32))
        left = np.flatnonzero(lacking != 0)
        return starts.take(left), codes.take(left), lacking.take(left)

    def support(self, reports: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which values each set holds, ``(n, k)``."""
        return packed.unpacked(reports, size=self.size)

    def counts(self, reports: NDArray[Any]) -> Floats:
        """Return how many sets hold each value, ``(k,)``."""
        return packed.column_sums(reports, size=self.size)

    def success(self, prior: Floats) -> float:
        """Return how often the likeliest value given one report is the true one, values drawn from `prior`; exact."""
        return success_of_subsets(
            checked_prior(prior, size=self.size), width=self.width, p=self.p, log_ratio=self.log_ratio
        )
