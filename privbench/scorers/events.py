r"""What counts of an event on two neighbouring data sets say against a differential-privacy claim.

An event, fixed before, happened in x1 of n1 runs on D and in x0 of n0 on a neighbour. The claim has
P1 <= e^epsilon P0 + delta. The simple bound takes ln((P1 - delta) / P0) at Clopper-Pearson limits of both, each with
half of the error. It is valid but not sharp, as both limits seldom fail together; the p-value is instead the largest
probability, over all P0, of counts with a simple bound as large as theirs. That probability grows in P1 and falls in
P0, so over a cell [a, b] of P0 it is at most its value at P0 = a and P1 = e^epsilon b + delta: cells are split until
that is sharp, within a confidence interval of P0 (Berger and Boos). Where the simple bound refutes a claim this does
too, but for the 1e-4 that the interval leaves out.

References
----------
R. Berger and D. Boos, "P Values Maximized Over a Confidence Set for the Nuisance Parameter", JASA 89, 1994.
C. Clopper and E. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
Biometrika 26, 1934; M. Jagielski, J. Ullman and A. Oprea, "Auditing Differentially Private Machine Learning", NeurIPS
2020 (their use on a claim).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privbench.errors import ContractError
from privbench.scorers.intervals import LEVEL, clopper_pearson

__all__ = ["Events", "clopper_pearson_lower_bound", "many_run_lower_bound", "many_run_p_value"]

Floats = NDArray[np.float64]

# what the confidence interval of P0 leaves out; added to the p-value
_OUTSIDE = 1e-4
# error of each limit of the simple bound by which counts are ordered
_ORDER = 0.025
# the largest probability over P0 is found to within this share
_SHARP = 0.01
# probability of counts too far off to be summed; added to the p-value
_FAR = 1e-9
# to which the lower bound is looked for
_EXACT = 1e-4


@dataclass(frozen=True, slots=True)
class Events:
    """How often an event, fixed before, happened on two neighbouring data sets.

    Parameters
    ----------
    hits, runs : int
        On the data set where it is the more probable.
    other_hits, other_runs : int
        On its neighbour.

    Raises
    ------
    ContractError
        If there is no run, or there are more hits than runs.
    """

    hits: int
    runs: int
    other_hits: int
    other_runs: int

    def __post_init__(self) -> None:
        if min(self.runs, self.other_runs) < 1 or not (
            0 <= self.hits <= self.runs and 0 <= self.other_hits <= self.other_runs
        ):
            raise ContractError(f"counts must have 0 <= hits <= runs and runs >= 1; got {self}")


def many_run_p_value(events: Events, *, epsilon: float, delta: float = 0.0, tried: int = 1) -> float:
    """Return the largest probability, under the claim, of counts that say as much against it.

    Parameters
    ----------
    events : Events
        Counts of an event that was not chosen on these runs.
    epsilon, delta : float
        The claim about these neighbours.
    tried : int
        How many events, or orders of the two data sets, were tried on the same runs (Bonferroni).

    Returns
    -------
    float
        In [0, 1]; uniform or larger under the claim, never below 1e-4.
    """
    region = _Region.of(events, delta)
    return 1.0 if region is None else min(1.0, tried * region.largest(epsilon))


def many_run_lower_bound(events: Events, *, delta: float = 0.0, level: float = LEVEL, tried: int = 1) -> float:
    """Return the largest epsilon refuted at `level`, 0 if none; parameters as in `many_run_p_value`.

    Examples
    --------
    >>> for events in (Events(50, 1000, 0, 1000), Events(600, 1000, 100, 1000)):
    ...     print(f"{many_run_lower_bound(events):.2f} in place of {clopper_pearson_lower_bound(events):.2f}")
    2.63 in place of 2.32
    1.62 in place of 1.55
    """
    from scipy.optimize import brentq

    region = _Region.of(events, delta)
    error = (1 - level) / tried
    if region is None or region.largest(0.0) > error:
        return 0.0
    low, high = 0.0, 1.0
    while region.peak(high) <= error:  # grows with epsilon: the claims are nested, and the order does not change
        low, high = high, 2 * high
    # logarithms, which are nearly straight where the probabilities are not; the peak is quick to find, so it is where
    # the search for a bound that holds begins
    refuted = above = float(brentq(lambda epsilon: math.log(region.peak(epsilon) / error), low, high, xtol=_EXACT))
    step = _EXACT
    while refuted > 0 and region.largest(refuted) > error:
        refuted, above, step = max(refuted - step, 0.0), refuted, 2 * step
    while above - refuted > _EXACT:
        middle = (refuted + above) / 2
        refuted, above = (middle, above) if region.largest(middle) <= error else (refuted, middle)
    return refuted


@dataclass(frozen=True, slots=True, eq=False)
class _Region:
    """All counts that say as much against a claim as those seen.

    Parameters
    ----------
    events : Events
        The counts seen.
    delta : float
        Of the claim.
    low, high : float
        Confidence interval of P0.
    others, least : array of int, shape (c,)
        For each count on the neighbour that is not too far off, how many hits belong to the region.
    """

    events: Events
    delta: float
    low: float
    high: float
    others: NDArray[np.int64]
    least: NDArray[np.int64]

    @classmethod
    def of(cls, events: Events, delta: float) -> _Region | None:
        """Return the counts with as large a Clopper-Pearson bound, or None where these have none."""
        from scipy.stats import binom

        n1, n0 = events.runs, events.other_runs
        surely = float(clopper_pearson(events.hits, n=n1, level=1 - 2 * _ORDER)[0])
        if surely <= delta:
            return None
        low, high = (float(limit) for limit in clopper_pearson(events.other_hits, n=n0, level=1 - _OUTSIDE))
        first, last = np.asarray(binom.isf([1 - _FAR, _FAR], n0, [low, high]), dtype=np.int64)
        others = np.arange(max(int(first), 0), int(last) + 1)
        above = clopper_pearson(others, n=n0, level=1 - 2 * _ORDER)[1]
        seen = float(clopper_pearson(events.other_hits, n=n0, level=1 - 2 * _ORDER)[1])
        needed = (delta + (surely - delta) / seen * above) * (1 - 1e-9)
        # the least count whose lower limit is as high as needed
        least = np.asarray(binom.isf(_ORDER, n1, np.minimum(needed, 1.0)), dtype=np.int64) + 1
        least[needed >= 1] = n1 + 1
        return cls(events, delta, low, high, others, least)

    def grid(self, epsilon: float) -> Floats:
        """Return values of P0 from end to end of its interval, those left out at which P1 would exceed 1."""
        most = (1 - self.delta) / math.exp(epsilon)
        return np.linspace(self.low, max(self.low, min(self.high, most)), 17)

    def peak(self, epsilon: float) -> float:
        """Return a lower bound of what `largest` bounds from above: at a few values of P0 alone."""
        p0 = self.grid(epsilon)
        return float(self.probability(p0, math.exp(epsilon) * p0 + self.delta).max()) + _OUTSIDE + 2 * _FAR

    def largest(self, epsilon: float) -> float:
        """Return an upper bound of the region's probability under the claim, sharp to `_SHARP`."""
        factor, edges = math.exp(epsilon), self.grid(epsilon)
        left, right = edges[:-1], edges[1:]
        done, best = 0.0, float(self.probability(edges, factor * edges + self.delta).max())
        for _ in range(12):
            bound = self.probability(left, factor * right + self.delta)
            settled = bound <= (1 + _SHARP) * best
            done = max(done, float(bound[settled].max(initial=0.0)))
            left, right = left[~settled], right[~settled]
            if not left.size:
                break
            middle = (left + right) / 2
            best = max(best, float(self.probability(middle, factor * middle + self.delta).max()))
            left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
        else:
            done = max(done, float(self.probability(left, factor * right + self.delta).max()))
        return min(1.0, done + _OUTSIDE + 2 * _FAR)

    def probability(self, p0: Floats, p1: Floats) -> Floats:
        """Return the region's probability for pairs of probabilities, one each."""
        from scipy.stats import binom

        p1, runs = np.minimum(p1, 1.0), self.events.runs
        start = max(0, min(int(self.least.min()), runs))
        stop = min(runs, int(binom.isf(_FAR, runs, p1.max())) + 1)
        tails = np.zeros((len(p1), max(stop - start, 0) + 2))
        tails[:, -2::-1] = np.cumsum(_binomial(np.arange(start, start + tails.shape[1] - 1), runs, p1)[:, ::-1], axis=1)
        beyond = np.minimum(tails[:, np.clip(self.least - start, 0, tails.shape[1] - 1)], 1.0)
        return (_binomial(self.others, self.events.other_runs, p0) * beyond).sum(axis=1)


def _binomial(counts: NDArray[np.int64], n: int, p: Floats) -> Floats:
    """Return P[count] for each p and count, ``(p, c)``: `scipy.stats.binom` without a logarithm of factorials each."""
    from scipy.special import gammaln, xlog1py, xlogy

    ways = gammaln(n + 1) - gammaln(counts + 1) - gammaln(n - counts + 1)
    return np.exp(ways + xlogy(counts, p[:, None]) + xlog1py(n - counts, -p[:, None]))


def clopper_pearson_lower_bound(events: Events, *, delta: float = 0.0, level: float = LEVEL, tried: int = 1) -> float:
    """Return ln((p1_low - delta) / p0_high) with half of the error on each limit, 0 if negative: less sharp."""
    error = (1 - level) / tried
    # a two-sided interval at 1 - error has error / 2 beyond each end
    low = float(clopper_pearson(events.hits, n=events.runs, level=1 - error)[0])
    high = float(clopper_pearson(events.other_hits, n=events.other_runs, level=1 - error)[1])
    return max(0.0, math.log((low - delta) / high)) if low > delta else 0.0
