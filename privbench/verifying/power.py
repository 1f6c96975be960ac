"""What a test on an event would have caught: the probability that it refutes the claim, by the epsilon that is true.

The event brings out a share of epsilon: of a noisy count seen in a few hundred rows for instance less than all. That
share is taken from the counts themselves, and never more than 1, so that what is printed is no promise about events
that were not looked at.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from privbench.scorers.claims import Events, many_run_p_value

__all__ = ["event_power"]

# probabilities of being caught, for which the epsilon is sought
_WANTED = (0.5, 0.8, 0.95, 0.99)
# an event that brings out less than this share of epsilon tells nothing
_LEAST_SHARE = 0.05
_LARGEST = 60.0


def event_power(events: Events, *, epsilon: float, delta: float, level: float) -> tuple[tuple[float, float], ...]:
    """Return epsilons with the probability that the claim had been refuted if they were the mechanism's.

    Parameters
    ----------
    events : Events
        Counts of the learnt event on fresh runs.
    epsilon, delta : float
        The claim about these neighbours.
    level : float
        At which the claim is refuted.

    Returns
    -------
    tuple of (float, float)
        Ascending; empty where the event tells the two data sets apart too little to say.
    """
    p0 = (events.other_hits + 0.5) / (events.other_runs + 1)
    p1 = (events.hits + 0.5) / (events.runs + 1)
    if p1 <= p0 + delta:
        return ()
    share = min(1.0, math.log((p1 - delta) / p0) / epsilon)
    if share < _LEAST_SHARE:
        return ()
    weights, critical = _critical(events, p0, epsilon, delta, level)
    if not weights.sum() > 0:
        return ()

    def caught(true: float) -> float:
        from scipy.stats import binom

        held = min(1.0, math.exp(min(share * true, 500.0)) * p0 + delta)
        return float(weights @ binom.sf(critical - 1, events.runs, held))

    found = []
    for wanted in _WANTED:
        if caught(_LARGEST) < wanted:
            break
        low, high = 0.0, _LARGEST
        while high - low > 1e-3:
            middle = (low + high) / 2
            low, high = (low, middle) if caught(middle) >= wanted else (middle, high)
        found.append((round(high, 3), round(caught(high), 4)))
    return tuple(found)


def _critical(
    events: Events, p0: float, epsilon: float, delta: float, level: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the probabilities of counts on the neighbour, and the least count on the data set that refutes with each.

    The least count is worked out at a few of them and taken along straight lines between: it is almost one.
    """
    from scipy.stats import binom

    first, last = (int(binom.ppf(share, events.other_runs, p0)) for share in (1e-4, 1 - 1e-4))
    others = np.arange(first, last + 1)
    knots = np.unique(np.linspace(first, last, 3).round().astype(int))
    least = [_least(events, int(knot), epsilon, delta, level) for knot in knots]
    critical = np.ceil(np.interp(others, knots, least)).astype(np.int64)
    return binom.pmf(others, events.other_runs, p0), critical


def _least(events: Events, other: int, epsilon: float, delta: float, level: float) -> int:
    """Return the least number of hits that refutes beside `other` on the neighbour; one more than all if none."""

    def refutes(hits: int) -> bool:
        if hits > events.runs:
            return True
        counts = Events(max(0, hits), events.runs, other, events.other_runs)
        return hits >= 0 and many_run_p_value(counts, epsilon=epsilon, delta=delta) < 1 - level

    # sought around where a normal law has it
    factor, share = math.exp(epsilon), other / events.other_runs
    expected = min(1.0, factor * share + delta)
    spread = math.sqrt(
        events.runs * expected * (1 - expected) + (events.runs * factor) ** 2 * share / events.other_runs
    )
    guess, step = round(events.runs * expected + 1.7 * spread), max(2, round(spread / 4))
    low = high = min(max(0, guess), events.runs + 1)
    while refutes(low):
        low, step = low - step, 2 * step
    while not refutes(high):
        high, step = min(high + step, events.runs + 1), 2 * step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if refutes(middle) else (middle, high)
    return high
