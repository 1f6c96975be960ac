"""The most telling event: learnt on some runs, so that others can bound how likely it is on either of two neighbours.

Candidates are a threshold on any number that was read off a release, on the score of a classifier that tells the two
neighbours apart, or on how much more often the very same release was seen on one of them. Chosen is what leads to the
largest lower bound on epsilon. Whatever is chosen, a bound from runs that the choice has not seen is valid.

References
----------
B. Bichsel, S. Steffen, I. Bogunovic and M. Vechev, "DP-Sniper: Black-Box Discovery of Differential Privacy Violations
using Classifiers", S&P 2021.
Z. Ding, Y. Wang, G. Wang, D. Zhang and D. Kifer, "Detecting Violations of Differential Privacy", CCS 2018.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privbench.scorers.events import Events
from privbench.scorers.intervals import LEVEL, clopper_pearson
from privbench.verifying.outcomes import Outcomes
from privbench.verifying.scores import Number, Scorer, classifiers, seen

__all__ = ["Event", "learn", "promise"]

Floats = NDArray[np.float64]

# events on single numbers that are judged beside those of models
_KEPT = 10
# thresholds tried on one score
_THRESHOLDS = 48


@dataclass(frozen=True, slots=True)
class Event:
    """Whether a score is at or above a threshold, or below it.

    Parameters
    ----------
    scorer : callable
        From outcomes to one number a run.
    threshold : float
    above : bool
        At or above the threshold, else below it.
    on_first : bool
        Whether the event is the likelier one on the first of the neighbours.
    bound : float
        The lower bound on epsilon in the runs on which it was judged: biased up.
    z : float
        By how many standard deviations its shares differ there.
    reach : float
        The bound that it would give if it always happened on the data set where it is the likelier one.
    name : str
        In words.
    """

    scorer: Scorer
    threshold: float
    above: bool
    on_first: bool
    bound: float
    z: float
    reach: float
    name: str

    def holds(self, outcomes: Outcomes) -> NDArray[np.bool_]:
        """Return in which runs the event occurred."""
        above: NDArray[np.bool_] = self.scorer(outcomes) >= self.threshold
        return above if self.above else ~above

    def count(self, first: Outcomes, second: Outcomes) -> Events:
        """Return how often the event occurred in runs of either data set."""
        likely, other = (first, second) if self.on_first else (second, first)
        held = [int(self.holds(part).sum()) for part in (likely, other)]
        return Events(held[0], len(likely.prints), held[1], len(other.prints))


def learn(
    first: Outcomes, second: Outcomes, *, epsilon: float, delta: float, level: float = LEVEL, seed: int = 0
) -> Event:
    """Return the event that tells two data sets apart best.

    Models, and thresholds on single numbers, are learnt on two fifths of the runs; the best are judged on the others,
    so that none is preferred for having learnt them by heart, or for being one of many.

    Parameters
    ----------
    first, second : Outcomes
        Of releases of the two data sets.
    epsilon, delta : float
        The claim: an event that is too frequent on either data set to refute it is taken only where there is no other.
    level : float
        Confidence of the bound by which events are compared.
    seed : int
        For the models.
    """
    fit = [part.take(np.arange(len(part.prints)) % 5 < 2) for part in (first, second)]
    judge = [part.take(np.arange(len(part.prints)) % 5 >= 2) for part in (first, second)]
    numbers: list[tuple[str, Scorer]] = [(name, Number(place)) for place, name in enumerate(first.names)]
    plain = _thresholds(numbers, fit, epsilon=epsilon, delta=delta, level=0.9)
    found = [_counted(event, *judge, delta=delta, level=level) for event in sorted(plain, key=_rank)[-_KEPT:]]
    learnt: list[tuple[str, Scorer]] = [
        ("how often the very same release was seen on either", seen(*fit)),
        *classifiers(*fit, seed=seed),
    ]
    found += _thresholds(learnt, judge, epsilon=epsilon, delta=delta, level=level)
    if not found:  # nothing differs between any two runs
        return Event(Number(0), -math.inf, True, True, 0.0, 0.0, 0.0, "any release")
    return max(found, key=lambda event: (event.reach > 1.1 * epsilon, _rank(event)))


def _rank(event: Event) -> tuple[float, float]:
    """Return a key by which the more telling event is the larger; what suggests no epsilon is ordered by z."""
    return (event.bound, 0.0) if event.bound > 0 else (0.0, event.z)


def promise(first: Outcomes, second: Outcomes, *, delta: float) -> float:
    """Return the lower bound on epsilon, at 50 %, that a few runs suggest: of an event chosen on one half of them and
    counted in the other, and swapped.

    Chosen and counted on the same runs, the data sets with most statistics would promise most.
    """  # noqa: D205 - one sentence
    halves = [[part.take(np.arange(len(part.prints)) % 2 == half) for part in (first, second)] for half in (0, 1)]
    bounds = []
    for chosen, counted in (halves, halves[::-1]):
        plain: list[tuple[str, Scorer]] = [("", Number(place)) for place in range(len(first.names))]
        found = _thresholds([*plain, ("", seen(*chosen))], chosen, epsilon=0.0, delta=delta, level=0.9)
        if not found:
            return 0.0
        bounds.append(_counted(max(found, key=_rank), *counted, delta=delta, level=0.5).bound)
    return float(np.mean(bounds))


def _thresholds(
    scorers: Sequence[tuple[str, Scorer]], runs: Sequence[Outcomes], *, epsilon: float, delta: float, level: float
) -> list[Event]:
    """Return the best threshold on each score that is not the same in all runs."""
    found = [_threshold(name, scorer, *runs, epsilon=epsilon, delta=delta, level=level) for name, scorer in scorers]
    return [event for event in found if event is not None]


def _counted(event: Event, first: Outcomes, second: Outcomes, *, delta: float, level: float) -> Event:
    """Return an event with its bound in other runs."""
    counts = event.count(first, second)
    bound, z, reach = _bounds(
        np.array([counts.hits]), np.array([counts.other_hits]), counts.runs, counts.other_runs, delta=delta, level=level
    )
    return replace(event, bound=float(bound[0]), z=float(z[0]), reach=float(reach[0]))


def _bounds(
    held: NDArray[Any], other: NDArray[Any], runs: int, other_runs: int, *, delta: float, level: float
) -> tuple[Floats, Floats, Floats]:
    """Return lower bounds on epsilon of events with these counts, by how many deviations their shares differ, and the
    bounds if all runs were hits.
    """  # noqa: D205 - one sentence
    low, high = _limits(runs, level)[0][held] - delta, _limits(other_runs, level)[1][other]
    pooled = (held + other + 1) / (runs + other_runs + 2)
    spread = np.sqrt(pooled * (1 - pooled) * (1 / runs + 1 / other_runs))
    reach = np.log((1 - delta) / high)
    return np.log(np.maximum(low, 1e-300) / high), (held / runs - other / other_runs - delta) / spread, reach


def _threshold(
    name: str, scorer: Scorer, first: Outcomes, second: Outcomes, *, epsilon: float, delta: float, level: float
) -> Event | None:
    """Return the best threshold on one score, of an event that can refute epsilon; None if all runs have one score."""
    scores = [np.sort(scorer(part)) for part in (first, second)]
    whole = np.unique(np.concatenate(scores))
    if len(whole) < 2:
        return None
    cuts = whole[1:]
    if len(cuts) > _THRESHOLDS:
        # finer towards both ends: the largest ratios are in the tails
        share = (1 - np.cos(np.linspace(0, math.pi, _THRESHOLDS))) / 2
        cuts = np.unique(np.quantile(np.concatenate(scores), share, method="nearest"))
        cuts = cuts[cuts > whole[0]]
    above = [len(one) - np.searchsorted(one, cuts, side="left") for one in scores]
    sizes = [len(one) for one in scores]
    found: list[Event] = []
    for up in (True, False):
        held = above if up else [size - count for size, count in zip(sizes, above, strict=True)]
        for one, other in ((0, 1), (1, 0)):
            bounds, z, reach = _bounds(held[one], held[other], sizes[one], sizes[other], delta=delta, level=level)
            if (able := reach > 1.1 * epsilon).any():
                bounds, z = np.where(able, bounds, -np.inf), np.where(able, z, -np.inf)
            place = int(np.argmax(bounds)) if bounds.max() > 0 else int(np.argmax(z))
            text = f"{name}: {'at least' if up else 'below'} {cuts[place]:.4g}"
            told = (float(bounds[place]), float(z[place]), float(reach[place]))
            found.append(Event(scorer, float(cuts[place]), up, one == 0, *told, text))
    return max(found, key=lambda event: (event.reach > 1.1 * epsilon, _rank(event)))


@lru_cache(maxsize=64)
def _limits(runs: int, level: float) -> tuple[Floats, Floats]:
    """Return the Clopper-Pearson limits of every count of 0 to `runs`, each exceeded with (1 - level) / 2."""
    return clopper_pearson(np.arange(runs + 1), n=runs, level=level)
