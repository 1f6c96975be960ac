r"""Several rounds of one remembered answer: a permanent randomised answer, randomised anew in every round.

However many rounds there are, they say no more of the value than the permanent answer does. A value's bit, or answer,
is true in the permanent step with probability :math:`p_1` and false with :math:`q_1`; the instantaneous step has
:math:`p_2` and :math:`q_2`; so one round supports the true value with :math:`p = p_1 p_2 + (1 - p_1) q_2` and another
one with :math:`q = q_1 p_2 + (1 - q_1) q_2`.

References
----------
U. Erlingsson, V. Pihur and A. Korolova, "RAPPOR: Randomized Aggregatable Privacy-Preserving Ordinal Response",
CCS 2014.
H. Arcolezi, J.-F. Couchot, B. Al Bouna and X. Xiao, "Improving the Utility of Locally Differentially Private Protocols
for Longitudinal and Multidimensional Frequency Estimates", arXiv:2111.04636, 2021.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from defenses.ldp import frequency, packed
from defenses.ldp.domain import checked_codes, checked_prior
from defenses.ldp.grr import Grr
from defenses.ldp.rounds_success import log_binomials, most_frequent, success_of_counts, success_of_tallies
from defenses.ldp.unary import Oue, Sue
from privbench.errors import InputError

__all__ = ["Memoised", "Step"]

Floats = NDArray[np.float64]

Step = Grr | Sue | Oue


@dataclass(frozen=True)
class Memoised:
    """A permanent answer drawn once, and R reports of it, one a round.

    The reports of n people are an array of shape ``(n, R)`` of codes, or ``(n, R, ceil(k / 8))`` of packed bits. The
    steps for given budgets of all rounds and of the first are found by `memoised_budgets.memoised`.

    Parameters
    ----------
    permanent : Grr, Sue or Oue
        The step that is drawn once; its epsilon bounds all rounds.
    instantaneous : Grr, Sue or Oue
        The step of every round, over as many values: GRR over GRR (L-GRR), bits over bits (SUE over SUE is RAPPOR).
    rounds : int
        Number of rounds, R, at least 1.

    Raises
    ------
    InputError
        If the steps do not fit together, or there is no round.
    """

    permanent: Step
    instantaneous: Step
    rounds: int

    def __post_init__(self) -> None:
        steps = (self.permanent, self.instantaneous)
        if not (all(isinstance(step, Grr) for step in steps) or all(isinstance(step, Sue | Oue) for step in steps)):
            names = " and ".join(type(step).__name__ for step in steps)
            raise InputError(f"memoised: got the steps {names}; allowed: Grr twice, or each of them Sue or Oue")
        if self.permanent.size != self.instantaneous.size:
            sizes = " and ".join(str(step.size) for step in steps)
            raise InputError(f"memoised: the steps are over {sizes} values; both must be over the same")
        if self.rounds < 1:
            raise InputError(f"rounds: got {self.rounds}; allowed: 1 or more")

    @property
    def size(self) -> int:
        """Number of values, k."""
        return self.permanent.size

    @property
    def epsilon(self) -> float:
        """Budget of any number of rounds: that of the permanent step, which they approach."""
        return self.permanent.epsilon

    @property
    def epsilon_first(self) -> float:
        """Budget of one round alone, exactly."""
        return self.epsilon_of(1)

    def epsilon_of(self, rounds: int) -> float:
        """Return the budget of that many rounds, exactly: the log ratio of the reports that betray most."""
        if self.size == 1:
            return 0.0
        true, other = self._log_counts(rounds)
        betrayal = true - other
        # two bits change with the value: one was set in every round, the other in none
        return float(betrayal[-1]) if isinstance(self.permanent, Grr) else float(betrayal[-1] - betrayal[0])

    @property
    def p(self) -> float:
        """Probability that the report of one round supports the true value."""
        return self.permanent.p * self.instantaneous.p + _miss(self.permanent) * self.instantaneous.q

    @property
    def q(self) -> float:
        """Probability that the report of one round supports a given other value."""
        return self.permanent.q * self.instantaneous.p + (1 - self.permanent.q) * self.instantaneous.q

    def randomise(self, codes: NDArray[np.integer], *, rng: np.random.Generator) -> NDArray[Any]:
        """Return R reports for each of `n` codes, ``(n, R, ...)``."""
        permanent = self.permanent.randomise(checked_codes(codes, size=self.size), rng=rng)
        return np.stack([self._again(permanent, rng) for _ in range(self.rounds)], axis=1)

    def support(self, reports: NDArray[Any]) -> Floats:
        """Return in which share of the rounds each value is supported, ``(n, k)``."""
        return self._tallies(reports) / self.rounds

    def counts(self, reports: NDArray[Any]) -> Floats:
        """Return the people's sum of those shares, ``(k,)``."""
        parts = [self.permanent.counts(reports[:, place]) for place in range(self.rounds)]
        return np.sum(parts, axis=0) / self.rounds

    def log_likelihood(self, reports: NDArray[Any]) -> Floats:
        """Return log P[all R reports | value] up to a constant, ``(n, k)``: the sum over the permanent answers."""
        tallies = self._tallies(reports)
        if self.size == 1:
            return np.zeros(tallies.shape)
        if isinstance(self.permanent, Grr):
            return self._log_answers(tallies)
        true, other = self._log_counts(self.rounds)
        return np.asarray((true - other)[tallies])

    def estimate(self, reports: NDArray[Any]) -> Floats:
        """Return the unbiased estimate of the values' shares, ``(k,)``: the mean of the rounds' estimates."""
        return frequency.estimate(self.counts(reports), reports=len(reports), p=self.p, q=self.q)

    def variance(self, shares: Floats, *, reports: int) -> Floats:
        r"""Return the variance of the estimate from that many people's R reports each, ``(k,)``.

        A person's share of rounds varies by the permanent answer, whose part no number of rounds takes away, and by the
        rounds: with :math:`a = p_1` where the value is true, else :math:`q_1`,

        .. math:: a (1 - a) (p_2 - q_2)^2 + [a p_2 (1 - p_2) + (1 - a) q_2 (1 - q_2)] / R,

        averaged over who has the value, and divided by :math:`n (p_1 - q_1)^2 (p_2 - q_2)^2`.
        """
        if reports < 0:
            raise InputError(f"the number of reports must be 0 or more; got {reports}")
        first, again = self.permanent, self.instantaneous
        step, noise = again.p - again.q, (again.p * _miss(again), again.q * (1 - again.q))

        def of_a_person(kept: float, lost: float) -> float:
            return kept * lost * step**2 + (kept * noise[0] + lost * noise[1]) / self.rounds

        share = np.clip(np.asarray(shares, dtype=np.float64), 0, 1)
        person = share * of_a_person(first.p, _miss(first)) + (1 - share) * of_a_person(first.q, 1 - first.q)
        one = person / ((first.p - first.q) * step) ** 2
        return np.where(one > 0, np.inf, 0.0) if reports == 0 else one / reports

    def success(self, prior: Floats) -> float | None:
        """Return how often the likeliest value given all R reports is the true one, values drawn from `prior`.

        Returns
        -------
        float or None
            Exact; None for GRR under a prior that is not uniform where 100,000 tallies of the answers are not enough.
        """
        chances = checked_prior(prior, size=self.size)
        if self.size == 1:
            return 1.0
        if isinstance(self.permanent, Sue | Oue):
            true, other = self._log_counts(self.rounds)
            return success_of_counts(chances, log_true=true, log_other=other)
        if np.ptp(chances) <= 1e-12:
            # the guess is the most frequent answer; it is the value with p_1 if it is the permanent one, else with q_1
            found = most_frequent(self.rounds, size=self.size, p=self.instantaneous.p)
            return self.permanent.q + (self.permanent.p - self.permanent.q) * found
        constant = math.log(self.permanent.q) + self.rounds * math.log(self.instantaneous.q)
        return success_of_tallies(
            chances, rounds=self.rounds, log_weight=lambda tallies: constant + self._log_answers(tallies)
        )

    def _again(self, permanent: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """Return the reports of one round."""
        if isinstance(self.instantaneous, Grr):
            return self.instantaneous.randomise(permanent, rng=rng)
        if self.size == 1:
            return permanent
        kept = packed.bernoulli_rows(len(permanent), self.size, self.instantaneous.p, rng=rng)
        false = packed.bernoulli_rows(len(permanent), self.size, self.instantaneous.q, rng=rng)
        return (permanent & kept) | (~permanent & false)

    def _tallies(self, reports: NDArray[Any]) -> NDArray[np.int64]:
        """Return in how many rounds each value is supported, ``(n, k)``."""
        total = np.zeros((len(reports), self.size), dtype=np.int64)
        for place in range(self.rounds):
            total += self.permanent.support(reports[:, place])
        return total

    def _log_counts(self, rounds: int) -> tuple[Floats, Floats]:
        """Return log P[s of the rounds support a value], ``(R + 1,)``, for the true and for another one."""
        first, again = self.permanent, self.instantaneous
        kept = log_binomials(rounds, again.p, miss=_miss(again))
        lost = log_binomials(rounds, again.q)
        true = np.logaddexp(math.log(first.p) + kept, math.log(_miss(first)) + lost)
        other = np.logaddexp(math.log(first.q) + kept, math.log1p(-first.q) + lost)
        return true, other

    def _log_answers(self, tallies: NDArray[np.int64]) -> Floats:
        """Return log P[GRR's answers | value] for tallies ``(n, k)``, less log q_1 + R log q_2."""
        weight = self.instantaneous.epsilon * tallies
        budget = self.permanent.epsilon
        # p_1 - q_1 = q_1 (e^epsilon - 1), without overflow
        extra = budget + math.log(-math.expm1(-budget))
        return np.logaddexp(logsumexp(weight, axis=1, keepdims=True), extra + weight)


def _miss(step: Step) -> float:
    """Return 1 - p, which may be far below the precision of p."""
    if step.size == 1:
        return 0.0
    if isinstance(step, Grr):
        return (step.size - 1) * step.q
    return step.p * (1 - step.q) / step.q * math.exp(-step.epsilon)
