"""What a test on an event would have caught: the probability that it refutes the claim, by the epsilon that is true.

Where the mechanism can be run with a larger epsilon that is simulated. Elsewhere it is extrapolated from the test's own
counts: the event brings out a share of epsilon, of a noisy count seen in a few hundred rows for instance less than all.
Of that share the lower limit is taken, and never more than 1. A larger epsilon may make the event more frequent on the
one data set or rarer on the other; of the two the smaller power is shown.
"""

from __future__ import annotations

import math
from typing import Literal

from privbench.claim import Claim
from privbench.scorers.events import Events
from privbench.verifying.decision import Decision
from privbench.verifying.simulated import Again, Curve, Learn, simulated_power

__all__ = ["PowerBy", "event_power", "extrapolated_power"]

PowerBy = Literal["simulation", "extrapolation", "not computed", "not known"]
"""How a test's power was found, or why there is none."""

# probabilities of being caught, for which the epsilon is sought
_WANTED = (0.5, 0.8, 0.95, 0.99)
_LARGEST = 60.0


def event_power(
    events: Events, again: Again, learn: Learn, *, learnt: int, bound: float, claim: Claim, level: float
) -> tuple[Curve, PowerBy]:
    """Return epsilons with the probability that the claim had been refuted if they were the mechanism's, and how found.

    Parameters
    ----------
    events : Events
        Counts of the learnt event on fresh runs.
    again, learn : callable
        How runs are made with a larger epsilon, where that can be, and how an event is learnt on them.
    learnt : int
        Runs on either data set on which it was.
    bound : float
        The lower bound on epsilon from the counts.
    claim : Claim
        About these neighbours.
    level : float
        At which the claim is refuted.
    """
    decision = Decision(events.runs, events.other_runs, claim.epsilon, claim.delta, level)
    if found := simulated_power(again, learn, learnt, events, decision):
        return found, "simulation"
    return extrapolated_power(events, decision, bound=bound), "extrapolation"


def extrapolated_power(events: Events, decision: Decision, *, bound: float) -> Curve:
    """Return the same from the test's counts alone, as if what is shown of epsilon grew with it.

    Empty where the counts show no epsilon above 0 at the test's level; parameters as in `event_power`.
    """
    if bound <= 0:
        return ()
    epsilon, delta = decision.epsilon, decision.delta
    share = min(1.0, bound / epsilon)
    p1, p0 = ((h + 0.5) / (n + 1) for h, n in ((events.hits, events.runs), (events.other_hits, events.other_runs)))

    def caught(true: float) -> float:
        ratio = math.exp(share * true)
        rarer = decision.power(p1, min(1.0, max(0.0, p1 - delta) / ratio))
        # once it is certain on the one data set, it has to become rarer on the other
        left = min(p0, (1 - delta) / ratio)
        return min(rarer, decision.power(min(1.0, ratio * left + delta), left))

    found: list[tuple[float, float]] = []
    low = 0.0
    for wanted in _WANTED:
        high = max(low, epsilon)
        while caught(high) < wanted:
            low, high = high, 1.5 * high
            if high > _LARGEST:
                return tuple(found)
        while high - low > 1e-3:
            middle = (low + high) / 2
            low, high = (low, middle) if caught(middle) >= wanted else (middle, high)
        found.append((math.ceil(1e3 * high) / 1e3, math.floor(1e4 * caught(high)) / 1e4))
    return tuple(found)
