"""The same mechanism with a larger epsilon than is claimed: what a test of it would have to catch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from privbench.claim import Adjacency
from privbench.contracts import Defense
from privbench.rng import stream
from privbench.verifying.arms import Arm
from privbench.verifying.outcomes import Outcomes
from privbench.verifying.simulated import Again

__all__ = ["Larger", "Play", "with_epsilon_times"]

Play = Callable[[Defense, int, int], tuple[Outcomes, Outcomes] | None]
"""Makes runs of a mechanism, with a seed, so many on either data set; None if time is short."""


def with_epsilon_times(defense: Defense, factor: float) -> Defense | None:
    """Return the mechanism with its epsilon times a factor; None where it has no such parameter.

    Of a user's own code the parameter is a word, which changes nothing that it does.
    """
    own: Any = defense
    fields = getattr(own, "__dataclass_fields__", {})
    if "epsilon" not in fields or not fields["epsilon"].init or not isinstance(own.epsilon, int | float):
        return None
    if getattr(own, "references", ()) or hasattr(own, "fingerprint"):
        return None
    larger: Defense = replace(own, epsilon=factor * own.epsilon)
    return larger


@dataclass(frozen=True, slots=True, eq=False)
class Larger:
    """A mechanism by the epsilon that it states for a pair of neighbours.

    Parameters
    ----------
    arm : Arm
        The neighbours, the epsilon that is tested on them, and the mechanism.
    seed : int
        Of the test: its streams are not used again.
    """

    arm: Arm
    seed: int

    @property
    def possible(self) -> bool:
        """Whether there may be such a mechanism: not where one object has to make all releases."""
        return not self.arm.copies.single and with_epsilon_times(self._own, 1.0) is not None

    @property
    def _own(self) -> Defense:
        return self.arm.copies.anew(self.seed, "larger")

    def playing(self, play: Play) -> Again:
        """Return how runs are made with about so many times the epsilon that is claimed."""

        def again(factor: float, runs: int) -> tuple[float, Outcomes, Outcomes] | None:
            if (found := self.at(factor)) is None:
                return None
            defense, epsilon = found
            seed = stream(self.seed, "verify power", self.arm.pair.name, f"{factor:.6g}").integers(2**62)
            parts = play(defense, int(seed), runs)
            return None if parts is None else (epsilon, *parts)

        return again

    def at(self, factor: float) -> tuple[Defense, float] | None:
        """Return the mechanism with about `factor` times the epsilon claimed, and the epsilon that it then states.

        None where it does not state a larger one, or fails.
        """
        if not self.possible or (own := self._stated(1.0)) is None:
            return None
        found = self._stated(factor * self.arm.claim.epsilon / own[1])
        return None if found is None or found[1] <= self.arm.claim.epsilon else found

    def _stated(self, factor: float) -> tuple[Defense, float] | None:
        """Return the mechanism with its own epsilon times `factor`, and what it states of the neighbours; or None."""
        try:
            defense = with_epsilon_times(self._own, factor)
        except Exception:  # an epsilon that the mechanism refuses
            return None
        if defense is None:
            return None
        pair, found = self.arm.pair, []
        for which, train in enumerate((pair.first, pair.second)):
            try:
                claim = defense.release(train, rng=stream(self.seed, "verify larger", pair.name, str(which))).claim
            except Exception:  # a user's code may raise anything
                continue
            if claim is not None and pair.adjacency is Adjacency.REPLACE_ONE:
                claim = claim.as_replace_one()
            if claim is not None and claim.adjacency is pair.adjacency:
                found.append(claim.epsilon)
        return (defense, max(found)) if found else None
