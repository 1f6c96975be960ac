"""The accountant of a private training: the noise that a budget needs, what a plan spends, and the claim on it.

A plan is one noisy start and many noisy steps on Poisson samples; both stand in one account, by privacy loss random
variables.

References
----------
M. Abadi et al., "Deep Learning with Differential Privacy", CCS 2016.
S. Gopi, Y. Lee and L. Wutschitz, "Numerical Composition of Differential Privacy", NeurIPS 2021.
A. Yousefpour et al., "Opacus: User-Friendly Differential Privacy Library in PyTorch", 2021.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from privbench.claim import Adjacency, Claim
from privbench.errors import InputError, import_extra
from privbench.schema import Schema

__all__ = ["Plan", "claim_of", "plan", "spent_epsilon"]

# what the start costs beside the steps: its noise multiplier is so many times that of all steps together
_START = 3.0
# where the answer is to be closer than that (epsilon below .05) the tight accountant's grid takes minutes and gigabytes
_FINE = 2.4e-4
# how far below the budget the search for the noise may end
_CLOSE = 0.01


@dataclass(frozen=True, slots=True)
class Plan:
    """How a training spends its budget.

    Parameters
    ----------
    noise : float
        Standard deviation of the noise on a step's sum of gradients, in clipping norms.
    start : float
        The same for the counts of all columns, in their L2 sensitivity.
    rate : float
        Probability of every record to be in a batch.
    steps : int
        How many batches.
    """

    noise: float
    start: float
    rate: float
    steps: int

    @property
    def history(self) -> list[tuple[float, float, int]]:
        """Noise, rate and number of everything that looks at the records, as the accountant takes them."""
        return [(self.noise, self.rate, self.steps), (self.start, 1.0, 1)]


@lru_cache(maxsize=256)
def plan(*, epsilon: float, delta: float, rate: float, steps: int) -> Plan:
    """Return the least noise whose spent epsilon is below the one asked for, to within a hundredth.

    Parameters
    ----------
    epsilon, delta : float
        The budget under add-remove.
    rate : float
        Sampling probability, in (0, 1].
    steps : int
        How many batches.

    Raises
    ------
    InputError
        If the accountants know of no noise that keeps to the budget.
    """

    def planned(log_noise: float) -> Plan:
        noise = math.exp(log_noise)
        # all steps together are about one Gaussian mechanism of this multiplier
        return Plan(noise, _START * max(noise / (rate * math.sqrt(steps)), 0.3), rate, steps)

    # RDP is quick and never below: its answer has too much noise, and by how much the tight accountant tells
    low, high = math.log(1e-2), math.log(1e6)
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (low, middle) if _rdp(planned(middle), delta) <= epsilon else (middle, high)
    best, low = high, high - math.log(2)
    while best - low > 1e-4:
        middle = (low + best) / 2
        spent = spent_epsilon(planned(middle), delta, close=epsilon / 200)
        low, best = (low, middle) if spent <= epsilon else (middle, best)
        if epsilon * (1 - _CLOSE) <= spent <= epsilon:
            break
    found = planned(best)
    if spent_epsilon(found, delta, close=epsilon / 200) > epsilon:
        raise InputError(
            f"epsilon {epsilon:g} is too small to train with at delta {delta:g}: no amount of noise is known to keep "
            "to it; raise epsilon or delta, or take a generator that counts (mst, independent-histogram)"
        )
    return found


@lru_cache(maxsize=256)
def spent_epsilon(spending: Plan, delta: float, *, close: float) -> float:
    """Return what a plan spends, an upper bound: by privacy loss random variables, to within `close`.

    Where these take too much memory or time, by Renyi divergences, which are never below.
    """
    if close < _FINE:
        return _rdp(spending, delta)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        accountants: Any = import_extra("opacus.accountants", extra="generators")
        accountant = accountants.PRVAccountant()
        accountant.history = spending.history
        try:
            spent = float(accountant.get_epsilon(delta, eps_error=min(close, 0.01)))
        except (RuntimeError, ValueError, MemoryError):  # where its grid would be too large RDP is right, if loose
            spent = math.inf
    return min(spent, _rdp(spending, delta))


def _rdp(spending: Plan, delta: float) -> float:
    orders = [1 + x / 10 for x in range(1, 100)] + list(range(11, 64)) + [2**power for power in range(6, 14)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        analysis: Any = import_extra("opacus.accountants.analysis.rdp", extra="generators")
        curve = sum(
            analysis.compute_rdp(q=rate, noise_multiplier=noise, steps=steps, orders=orders)
            for noise, rate, steps in spending.history
        )
        return float(analysis.get_privacy_spent(orders=orders, rdp=curve, delta=delta)[0])


def claim_of(spending: Plan, schema: Schema, *, epsilon: float, delta: float) -> Claim:
    """Return the guarantee of a training that went as planned, as the accountant has it."""
    said = [
        "the number of records is public: it sets the sampling rate and the number of rows, so one record more or less "
        "stays hidden but for that number",
        "noise and samples come from generators that are not cryptographic, in floating point: "
        "the attack on the low bits of a float is not excluded",
    ]
    if undeclared := schema.undeclared():
        said.append(f"the domains of {', '.join(undeclared)} are public, though they were read off the file")
    spent = spent_epsilon(spending, delta, close=epsilon / 200)
    return Claim(spent, delta, Adjacency.ADD_REMOVE, tuple(said))
