"""A share of training records beside the same share of controls, and by how much it is larger.

If a release depended on the population alone, training and control records would be exchangeable: given the release,
whether a record stands in it is a coin with the same probability for both.

References
----------
R. Newcombe, "Interval estimation for the difference between independent proportions", Stat. Med. 17, 1998, 873-890.
"""

from __future__ import annotations

from dataclasses import dataclass

from privbench.scorers.intervals import wilson_one
from privbench.scorers.mover import mover

__all__ = ["LEVEL", "Excess", "Share", "share"]

LEVEL = 0.99
"""Two-sided confidence of every check: an excess that is none is found in at most one check of 200."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share in [0, 1] with its limits, and how many of how many it is."""

    count: int
    n: int
    value: float
    low: float
    high: float

    @property
    def text(self) -> str:
        """As ``60 of 30,000``."""
        return f"{self.count:,} of {self.n:,}"


def share(count: int, n: int, *, level: float = LEVEL) -> Share:
    """Return a proportion with Wilson's limits; 0 of 0 is 0, between 0 and 1."""
    low, high = wilson_one(count, n=n, level=level)
    return Share(count, n, count / n if n else 0.0, low, high)


@dataclass(frozen=True, slots=True)
class Excess:
    """A difference of two independent shares, in [-1, 1], with the limits of Newcombe's hybrid score."""

    own: Share
    other: Share

    @property
    def value(self) -> float:
        """Own share minus the other."""
        return self.own.value - self.other.value

    @property
    def limits(self) -> tuple[float, float]:
        """Lower and upper limit, at the level of the two shares."""
        pair = (self.own, self.other)
        low, high = mover(
            (1.0, -1.0), estimates=[x.value for x in pair], lows=[x.low for x in pair], highs=[x.high for x in pair]
        )
        return max(float(low), -1.0), min(float(high), 1.0)

    @property
    def found(self) -> bool:
        """Whether the own share is larger beyond chance."""
        return self.limits[0] > 0
