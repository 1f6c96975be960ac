"""Power by simulation: the test is made again on the mechanism with a larger epsilon than is claimed.

Its event is learnt anew on some releases and counted in the others, many times over the same ones, so that an event
badly learnt is reckoned with. Where to look first is guessed from the test's own counts; what is counted there shows
from where on the claim would be refuted. Each probability is worked out with the confidence limits of the event's two
probabilities, and for an epsilon at which releases were made: what lies between is used to choose the next alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from privbench.rng import stream
from privbench.scorers.events import Events
from privbench.scorers.intervals import LEVEL, clopper_pearson
from privbench.verifying.decision import Decision
from privbench.verifying.events import Event
from privbench.verifying.outcomes import Outcomes

__all__ = ["Again", "Curve", "Learn", "simulated_power"]

Floats = NDArray[np.float64]
Curve = tuple[tuple[float, float], ...]
"""Epsilon, and the probability that it had been caught, ascending."""
Again = Callable[[float, int], tuple[float, Outcomes, Outcomes] | None]
"""From how many times the claimed epsilon, and how many runs on either data set, to the epsilon and the outcomes."""
Learn = Callable[[Outcomes, Outcomes], Event]
"""As the test does it."""

# beside those to learn from, as a share of the runs in which the test counted its event: at the first epsilon, at the
# second, and at a last one where that was too small
_FIRST, _SECOND, _LAST = 0.4, 0.6, 0.6
# how often the event is learnt on the same releases, at the first epsilon and at the others
_FEW, _TIMES = 12, 30
# draws of both shares, for the mean power of one learnt event
_POSTERIOR = 40
# runs by one object, which stay together
_BLOCK = 25
# what is aimed at, so that chance seldom leaves a figure below the level
_AIM = 0.99
# deviations from claim to figure: of the claim's own bound, of the counts in a next test, and of the limits here
_DEVIATIONS = 1.96 + 1.645 + 1.6 * 1.645
# times the claimed epsilon: the largest first guess, and the largest of all
_GUESSED, _MOST = 4.0, 10.0


def simulated_power(again: Again, learn: Learn, learnt: int, events: Events, decision: Decision) -> Curve:
    """Return epsilons with the probability that the claim had been refuted; none where `again` gives nothing.

    Parameters
    ----------
    again : callable
        Runs the mechanism with a larger epsilon; gives None where it cannot, or has no time.
    learn : callable
        Learns an event.
    learnt : int
        Runs on either data set that the test learnt from.
    events : Events
        The counts of the test itself.
    decision : Decision
        The test's, with as many runs.
    """
    curve: dict[float, float] = {}
    logits = {1.0: _logits([events])}

    def look(factor: float, share: float, times: int) -> float | None:
        factor = round(factor, 3)
        if (found := again(factor, learnt + max(2 * _BLOCK, round(share * events.runs)))) is None:
            return None
        epsilon, *sides = found
        counts = list(_learnt_again(learn, learnt, *sides, times=times))
        logits[factor] = _logits(counts)
        power = [_expected_power(decision, one) for one in counts]
        # half an event more on either side: that none of a few was bad does not say that none ever is
        curve[epsilon] = math.floor(1e4 * (sum(power) + 0.5) / (times + 1)) / 1e4
        return curve[epsilon]

    def next_place(share: float) -> float:
        """Return the least factor at which a figure from so many runs is expected to be as aimed at."""
        runs, other_runs = (max(1, round(share * one)) for one in (events.runs, events.other_runs))

        def expected(factor: float) -> float:
            hits, other_hits = (_between(logits, side, factor) for side in (0, 1))
            return decision.power(
                *_limits(Events(round(hits * runs), runs, round(other_hits * other_runs), other_runs))
            )

        # straight lines reach only so far
        low, high = 1.0, min(_MOST, 1 + 1.5 * (max(logits) - 1))
        if expected(high) < _AIM:
            return high
        while high - low > 2e-3 * high:
            middle = (low + high) / 2
            low, high = (low, middle) if expected(middle) >= _AIM else (middle, high)
        return high

    first = _guess(events, decision)
    if (caught := look(first, _FIRST, _FEW)) is None:
        return ()
    # what was too small once is not looked at again, nor what is less than half as far
    second = max(next_place(_SECOND), 1 + (0.5 if caught >= LEVEL else 1.15) * (first - 1))
    surely = look(min(_MOST, second), _SECOND, _TIMES)
    if surely is not None and surely < LEVEL and second < _MOST:
        # at least half of the way to where enough was caught, or a good deal further
        further = (second + first) / 2 if second < first and caught >= LEVEL else 1 + 1.3 * (second - 1)
        look(min(_MOST, max(next_place(_LAST), further)), _LAST, _TIMES)
    return tuple(sorted(curve.items()))


def _learnt_again(learn: Learn, learnt: int, first: Outcomes, second: Outcomes, *, times: int) -> Iterator[Events]:
    """Learn an event on some of the runs and count it in the others, again and again."""
    for time in range(times):
        rng, taken = stream(time, "verify power", "learnt again"), []
        for part in (first, second):
            blocks = np.array_split(np.arange(len(part.prints)), max(2, len(part.prints) // _BLOCK))
            rows = np.concatenate([blocks[place] for place in rng.permutation(len(blocks))])
            taken.append((part.take(rows[:learnt]), part.take(rows[learnt:])))
        event = learn(taken[0][0], taken[1][0])
        yield event.count(taken[0][1], taken[1][1])


def _guess(events: Events, decision: Decision) -> float:
    """Return a factor from which on a figure may be high enough, by a normal law and the test's own counts."""
    p1, p0 = ((h + 0.5) / (n + 1) for h, n in ((events.hits, events.runs), (events.other_hits, events.other_runs)))
    told = math.log(max(p1 - decision.delta, 1e-9) / p0)
    if told <= 0:
        return _GUESSED
    share, epsilon = min(1.0, told / decision.epsilon), decision.epsilon
    for _ in range(5):  # the rarer the event becomes, the larger the deviation
        rarer = max(p1 * math.exp(-share * epsilon), 1 / (events.other_runs + 1))
        spread = math.sqrt((1 - p1) / (p1 * events.runs) + (1 - rarer) / (rarer * events.other_runs))
        epsilon = min((decision.epsilon + _DEVIATIONS * spread) / share, _GUESSED * decision.epsilon)
    return max(1.002, epsilon / decision.epsilon)


def _between(logits: Mapping[float, Floats], side: int, factor: float) -> float:
    """Return a share on the straight lines through the logits; on the last one beyond the largest factor."""
    known = sorted(logits)
    values = [float(logits[one][side]) for one in known]
    if factor <= known[-1]:
        value = float(np.interp(factor, known, values))
    else:
        slope = (values[-1] - values[-2]) / (known[-1] - known[-2])
        value = values[-1] + slope * (factor - known[-1])
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, value))))


def _expected_power(decision: Decision, events: Events) -> float:
    """Return the mean power over what both shares may be, given the counts (Jeffreys' posteriors)."""
    from scipy.stats import beta

    rng = stream(0, "verify power", "posterior", str(events))
    one, other = (
        beta.rvs(hits + 0.5, runs - hits + 0.5, size=_POSTERIOR, random_state=rng)
        for hits, runs in ((events.hits, events.runs), (events.other_hits, events.other_runs))
    )
    return float(np.mean([decision.power(p1, p0) for p1, p0 in zip(one, other, strict=True)]))


def _limits(events: Events) -> tuple[float, float]:
    """Return limits of both shares whose ratio is larger than the true one in about 5 % of all cases.

    Clopper-Pearson's, the error divided such that each is as many deviations away as its logarithm adds to the ratio's.
    """
    n1, n0 = events.runs, events.other_runs
    p1, p0 = (events.hits + 0.5) / (n1 + 1), (events.other_hits + 0.5) / (n0 + 1)
    spread = np.sqrt([(1 - p1) / (p1 * n1), (1 - p0) / (p0 * n0)])
    first, second = (NormalDist().cdf(NormalDist().inv_cdf(LEVEL) * one / np.hypot(*spread)) for one in spread)
    low, _ = clopper_pearson(events.hits, n=n1, level=2 * first - 1)
    _, high = clopper_pearson(events.other_hits, n=n0, level=2 * second - 1)
    return float(low), float(high)


def _logits(counts: list[Events]) -> Floats:
    """Return the logits of both shares, the middle ones of several; they are near a straight line in epsilon."""
    hits = np.array([(one.hits, one.other_hits) for one in counts]) + 0.5
    runs = np.array([(one.runs, one.other_runs) for one in counts]) + 1.0
    logits: Floats = np.median(np.log(hits / (runs - hits)), axis=0)
    return logits
