"""Several rounds with fresh noise in each: every report is independent, and so they can be averaged away.

References
----------
U. Erlingsson, V. Pihur and A. Korolova, "RAPPOR: Randomized Aggregatable Privacy-Preserving Ordinal Response",
CCS 2014.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defenses.ldp import frequency
from defenses.ldp.domain import checked_prior
from defenses.ldp.grr import Grr
from defenses.ldp.local_hashing import LocalHashing
from defenses.ldp.pure_protocol import PureProtocol
from defenses.ldp.rounds_success import log_binomials, most_frequent, success_of_counts, success_of_tallies
from defenses.ldp.unary import UnaryEncoding
from privbench.errors import InputError

__all__ = ["Fresh"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Fresh:
    """R independent reports of the same value, one a round.

    The budgets of the rounds add up. The reports of n people are an array of shape ``(n, R, ...)``.

    Parameters
    ----------
    oracle : Grr, Sue, Oue, The, SubsetSelection, Blh or Olh
        The randomiser of one round.
    rounds : int
        Number of rounds, R, at least 1.

    Raises
    ------
    InputError
        If there is no round.
    """

    oracle: PureProtocol
    rounds: int

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise InputError(f"rounds: got {self.rounds}; allowed: 1 or more")

    @property
    def size(self) -> int:
        """Number of values, k."""
        return self.oracle.size

    @property
    def epsilon(self) -> float:
        """Budget of all rounds together: R times that of one."""
        return self.rounds * self.oracle.epsilon

    @property
    def p(self) -> float:
        """Probability that the report of a round supports the true value."""
        return self.oracle.p

    @property
    def q(self) -> float:
        """Probability that the report of a round supports a given other value."""
        return self.oracle.q

    def randomise(self, codes: NDArray[np.integer], *, rng: np.random.Generator) -> NDArray[Any]:
        """Return R reports for each of `n` codes, ``(n, R, ...)``."""
        return np.stack([self.oracle.randomise(codes, rng=rng) for _ in range(self.rounds)], axis=1)

    def support(self, reports: NDArray[Any]) -> Floats:
        """Return in which share of the rounds each value is supported, ``(n, k)``."""
        total = np.zeros((len(reports), self.size))
        for place in range(self.rounds):
            total += self.oracle.support(reports[:, place])
        return total / self.rounds

    def counts(self, reports: NDArray[Any]) -> Floats:
        """Return the people's sum of those shares, ``(k,)``."""
        parts = [self.oracle.counts(reports[:, place]) for place in range(self.rounds)]
        return np.sum(parts, axis=0) / self.rounds

    def log_likelihood(self, reports: NDArray[Any]) -> Floats:
        """Return log P[all R reports | value] up to a constant, ``(n, k)``: the rounds' sum."""
        total = np.zeros((len(reports), self.size))
        for place in range(self.rounds):
            total += self.oracle.log_likelihood(reports[:, place])
        return total

    def estimate(self, reports: NDArray[Any]) -> Floats:
        """Return the unbiased estimate of the values' shares, ``(k,)``: the mean of the rounds' estimates."""
        return frequency.estimate(self.counts(reports), reports=len(reports), p=self.p, q=self.q)

    def variance(self, shares: Floats, *, reports: int) -> Floats:
        """Return the variance of the estimate from that many people's R reports each, ``(k,)``: one round's over R."""
        return self.oracle.variance(shares, reports=reports) / self.rounds

    def success(self, prior: Floats) -> float | None:
        """Return how often the likeliest value given all R reports is the true one, values drawn from `prior`.

        Returns
        -------
        float or None
            Exact. None for several rounds of subset selection, and of GRR under a prior that is not uniform where
            100,000 tallies of the answers are not enough.
        """
        chances, oracle = checked_prior(prior, size=self.size), self.oracle
        if self.rounds == 1 or self.size == 1:
            return oracle.success(chances)
        if isinstance(oracle, UnaryEncoding | LocalHashing):
            return success_of_counts(
                chances,
                log_true=log_binomials(self.rounds, oracle.p),
                log_other=log_binomials(self.rounds, oracle.q),
            )
        if not isinstance(oracle, Grr):
            return None
        if np.ptp(chances) <= 1e-12:
            return most_frequent(self.rounds, size=self.size, p=oracle.p)
        one = np.log(oracle.p) - oracle.epsilon
        return success_of_tallies(
            chances, rounds=self.rounds, log_weight=lambda tallies: self.rounds * one + oracle.epsilon * tallies
        )
