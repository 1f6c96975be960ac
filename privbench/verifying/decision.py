"""How surely a test refutes a claim, by the probabilities that the event it counts has on the two data sets."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privbench.scorers.events import Events, many_run_p_value

__all__ = ["Decision"]

# probability of counts too far off to be looked at: they count as not caught
_FAR = 1e-4
# so few counts are looked at one by one
_FEW = 24


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """Whether a claim is refuted, for all counts that a test may find.

    The least number of hits that refutes is worked out for a few counts on the neighbour. Between them it is taken to
    lie as many standard deviations above what the claim allows, a number that changes little.

    Parameters
    ----------
    runs, other_runs : int
        On the data set where the event is the more probable, and on its neighbour.
    epsilon, delta : float
        The claim about these neighbours.
    level : float
        At which the claim is refuted.
    """

    runs: int
    other_runs: int
    epsilon: float
    delta: float
    level: float
    # how many deviations, by the count on the neighbour, as far as worked out; nan where no number of hits refutes
    known: dict[int, float] = field(default_factory=dict)

    def power(self, p1: float, p0: float) -> float:
        """Return the probability of a refutation.

        Parameters
        ----------
        p1, p0 : float
            Of the event in a run on the data set where it is the more probable, and in one on its neighbour, in [0, 1].
        """
        from scipy.stats import binom

        first, last = (max(0, int(binom.ppf(tail, self.other_runs, p0))) for tail in (_FAR, 1 - _FAR))
        others = np.arange(first, last + 1)
        return float(binom.pmf(others, self.other_runs, p0) @ binom.sf(self._least(others) - 1, self.runs, p1))

    def _least(self, others: NDArray[np.int64]) -> NDArray[Any]:
        """Return the least number of hits that refutes beside each count; more than all runs if none does."""
        # squares are two standard deviations apart, so that a few of them surround the counts
        stride = max(1, round(math.sqrt(self.other_runs) / 25))
        first, last = (math.sqrt(others[end]) / stride for end in (0, -1))
        roots = stride * np.arange(math.floor(first), math.ceil(last) + 1)
        knots = others if len(others) <= _FEW else np.unique(np.minimum(roots**2, self.other_runs))
        found = np.array([self._deviations(int(knot)) for knot in knots])
        able = ~np.isnan(found)
        if not able.any():
            return np.full(len(others), self.runs + 1)
        expected, spread = self._around(others)
        least = np.ceil(expected + np.interp(others, knots[able], found[able]) * spread)
        return np.clip(least, 0, self.runs + 1)

    def _around(self, others: Any) -> tuple[Any, Any]:
        """Return how many hits the claim allows beside counts on the neighbour, and their standard deviation."""
        factor, share = math.exp(self.epsilon), others / self.other_runs
        allowed = factor * share + self.delta
        held = np.clip(allowed, 1 / (self.runs + 2), 1 - 1 / (self.runs + 2))
        of_other = np.clip(share, 1 / (self.other_runs + 2), 1) / self.other_runs
        return self.runs * allowed, np.sqrt(self.runs * held * (1 - held) + (self.runs * factor) ** 2 * of_other)

    def _deviations(self, other: int) -> float:
        if other not in self.known:
            expected, spread = self._around(other)
            near = [value for value in self.known.values() if not math.isnan(value)]
            guess = round(expected + (near[-1] if near else 1.7) * spread)
            least = self._sought(other, guess, step=max(1, round(spread / (16 if near else 4))))
            # what lies just above the number before is rounded up to this one
            self.known[other] = math.nan if least > self.runs else float((least - 0.5 - expected) / spread)
        return self.known[other]

    def _sought(self, other: int, guess: int, *, step: int) -> int:
        """Return the least number of hits that refutes beside `other`; one more than all if none does."""

        def refutes(hits: int) -> bool:
            if hits > self.runs:
                return True
            counts = Events(max(0, hits), self.runs, other, self.other_runs)
            return hits >= 0 and many_run_p_value(counts, epsilon=self.epsilon, delta=self.delta) < 1 - self.level

        low = high = min(max(0, guess), self.runs + 1)
        down, up = step, step
        while refutes(low):
            low, high, down = low - down, min(high, low), 2 * down
        while not refutes(high):
            low, high, up = max(low, high), min(high + up, self.runs + 1), 2 * up
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if refutes(middle) else (middle, high)
        return high
