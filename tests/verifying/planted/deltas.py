"""Noisy histograms that lose a delta: what happens seldom, but never without one record, is left out of the claim.

Each is honest where the delta is claimed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from defenses.synthetic.noise import discrete_gaussian
from defenses.synthetic.zcdp import rho_of
from privbench.claim import Claim
from tests.verifying.planted.histograms import Counts, Histogram

__all__ = ["DomainFromData", "Gaussian", "Truncated"]


@dataclass(frozen=True)
class DomainFromData(Histogram):
    """Count only cells that occur, and publish those whose noisy count reaches a threshold.

    A cell that one record alone has is published with probability `leak`, and never without that record. Honest with
    this as delta (`admitted`), as long as it is at most 1 - e^-rate: then that the cell stays away tells little enough.
    """

    threshold: int = 1
    admitted: bool = False

    @property
    def leak(self) -> float:
        """Probability that a cell of one record is published: P[noise >= threshold - 1]."""
        return _tail(self.threshold - 1, rate=self.rate)

    @property
    def claim(self) -> Claim:
        """What every release states."""
        return Claim(self.epsilon, self.leak if self.admitted else 0.0, self.adjacency)

    def noisy(self, counts: Counts, *, rng: np.random.Generator) -> Counts:
        """Return noisy counts of the cells that occur."""
        noisy = super().noisy(counts, rng=rng)
        return np.where((counts > 0) & (noisy >= self.threshold), noisy, 0)


@dataclass(frozen=True)
class Truncated(Histogram):
    """Clip the noise to [-bound, bound], and claim a delta of 0; honest with the delta that it has (`admitted`)."""

    bound: int = 4
    admitted: bool = False

    @cached_property
    def delta(self) -> float:
        """The smallest delta with which it keeps epsilon, exactly: the sum of P - e^epsilon Q where it is positive.

        Two cells move, by one each in opposite directions; their outputs are enumerated. That no count below zero is
        published can only lower it.
        """
        law, moved = self.law(0), self.law(1)
        one = np.outer(law, moved) if self.moved == 2 else law
        other = np.outer(moved, law) if self.moved == 2 else moved
        return float(np.maximum(one - math.exp(self.epsilon) * other, 0).sum())

    def law(self, shift: int) -> NDArray[np.float64]:
        """Return the probabilities of a count's outputs -bound ... bound + 1, if the count is `shift`."""
        inner = np.arange(-self.bound, self.bound + 1)
        law = np.exp(-self.rate * np.abs(inner)) * math.tanh(self.rate / 2)
        law[[0, -1]] = _tail(self.bound, rate=self.rate)
        return np.pad(law, (shift, 1 - shift))

    @property
    def claim(self) -> Claim:
        """What every release states."""
        return Claim(self.epsilon, self.delta if self.admitted else 0.0, self.adjacency)

    def noisy(self, counts: Counts, *, rng: np.random.Generator) -> Counts:
        """Return the counts with noise."""
        return counts + np.clip(super().noisy(np.zeros_like(counts), rng=rng), -self.bound, self.bound)


@dataclass(frozen=True)
class Gaussian(Histogram):
    """Discrete Gaussian noise, calibrated with one delta and claimed with another: honest where they agree."""

    delta: float = 1e-6
    calibrated: float = 1e-6

    @property
    def sigma(self) -> float:
        """Standard deviation of the noise."""
        return math.sqrt(self.moved / (2 * rho_of(self.epsilon, self.calibrated)))

    @property
    def claim(self) -> Claim:
        """What every release states."""
        return Claim(self.epsilon, self.delta, self.adjacency)

    def noisy(self, counts: Counts, *, rng: np.random.Generator) -> Counts:
        """Return the counts with noise."""
        return counts + discrete_gaussian(counts.size, sigma=self.sigma, rng=rng).reshape(counts.shape)


def _tail(start: int, *, rate: float) -> float:
    """Return P[noise >= start] of the two-sided geometric distribution, for a start of 0 or more."""
    return math.exp(-rate * start) / (1 + math.exp(-rate))
