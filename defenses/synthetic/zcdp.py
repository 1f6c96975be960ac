"""A budget of zero-concentrated differential privacy, and the only door through which a mechanism sees counts.

Whatever a mechanism learns from the records it learns from `Ledger.measure` and `Ledger.choose`. Each asks for a part
of the budget, writes it down, and the claim is made from what was written, not from what was asked for.

References
----------
M. Bun and T. Steinke, "Concentrated Differential Privacy", TCC 2016.
C. Canonne, G. Kamath and T. Steinke, "The Discrete Gaussian for Differential Privacy", NeurIPS 2020, corollary 13.
M. Cesar and R. Rogers, "Bounding, Concentrating, and Truncating", ALT 2021 (the exponential mechanism, eps^2/8-zCDP).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from defenses.synthetic.noise import discrete_gaussian, stated_assumptions
from defenses.synthetic.pure import check_epsilon
from privbench.claim import Adjacency, Claim
from privbench.errors import ContractError, InputError
from privbench.schema import Schema

__all__ = ["Ledger", "check_budget", "epsilon_of", "rho_of"]


@lru_cache(maxsize=1024)
def epsilon_of(rho: float, delta: float) -> float:
    """Return the smallest epsilon of (epsilon, delta)-DP that rho-zCDP implies, by the tight numerical conversion.

    It is the minimum over a > 1 of  a rho + log(1 - 1/a) - log(a delta) / (a - 1).  Every a gives a valid epsilon, so
    a minimum over a grid, made finer twice around the best point, errs on the safe side, by about 1e-12.

    Parameters
    ----------
    rho : float
        Positive.
    delta : float
        In (0, 1).
    """
    low, high = -10.0, 40.0  # of log(a - 1)
    best = math.inf
    for _ in range(4):
        points = np.linspace(low, high, 1001)
        excess = np.exp(points)
        order = 1 + excess
        bounds = order * rho + np.log(excess / order) - np.log(order * delta) / excess
        place = int(bounds.argmin())
        best = min(best, float(bounds[place]))
        low, high = points[max(place - 1, 0)], points[min(place + 1, 1000)]
    return max(best, 0.0)


@lru_cache(maxsize=1024)
def rho_of(epsilon: float, delta: float) -> float:
    """Return the largest rho whose zCDP implies (epsilon, delta)-DP, by bisection from below.

    Parameters
    ----------
    epsilon : float
        Positive.
    delta : float
        In (0, 1).
    """
    # some a > 1 gives epsilon >= a rho, so rho never exceeds epsilon
    low, high = math.log(epsilon) - 60.0, math.log(epsilon)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if epsilon_of(math.exp(middle), delta) <= epsilon else (low, middle)
    return math.exp(low)


def check_budget(*, epsilon: float, delta: float, adjacency: Adjacency) -> None:
    """Refuse a budget that is none.

    Raises
    ------
    InputError
        If epsilon is not positive and finite, delta not in (0, 1), or the adjacency `local`.
    """
    check_epsilon(epsilon)
    if not 0 < delta < 1:
        raise InputError(f"delta must be above 0 and below 1, for instance 1e-9; got {delta}")
    if adjacency not in (Adjacency.REPLACE_ONE, Adjacency.ADD_REMOVE):
        raise InputError(f"adjacency: got {adjacency!r}; allowed: replace-one, add-remove")


@dataclass(eq=False)
class Ledger:
    """A zCDP budget, spent by measuring counts and by choosing among scores.

    Parameters
    ----------
    rho : float
        The whole budget.
    adjacency : Adjacency
        `replace-one`: exchanging a record moves one count down and another up, L2 sensitivity sqrt 2, and the number
        of records is public; `add-remove`: it moves one count, sensitivity 1.
    rng : Generator
        The only source of randomness.
    """

    rho: float
    adjacency: Adjacency
    rng: np.random.Generator
    entries: list[tuple[str, float]] = field(default_factory=list)

    @property
    def spent(self) -> float:
        """What has been spent, in rho."""
        return math.fsum(rho for _, rho in self.entries)

    @property
    def left(self) -> float:
        """What can still be spent, in rho."""
        return max(self.rho - self.spent, 0.0)

    @property
    def moved(self) -> int:
        """How many counts of a table one record moves, by one each: its L1 sensitivity, and its squared L2 one."""
        return 1 if self.adjacency == Adjacency.ADD_REMOVE else 2

    def sigma(self, rho: float) -> float:
        """Return the standard deviation of the noise that measuring a table of counts with `rho` adds."""
        return math.sqrt(self.moved / (2 * rho))

    def measure(self, counts: NDArray[np.integer], *, rho: float, what: str) -> NDArray[np.float64]:
        """Return a table's counts with discrete Gaussian noise.

        Parameters
        ----------
        counts : array of int
            Disjoint cells: a record stands in exactly one of them.
        rho : float
            The part of the budget that it costs.
        what : str
            What is measured, for the ledger.

        Raises
        ------
        ContractError
            If the budget does not have that much left.
        """
        self._spend(what, rho)
        noise = discrete_gaussian(counts.size, sigma=self.sigma(rho), rng=self.rng)
        return (counts + noise.reshape(counts.shape)).astype(np.float64)

    def choose(self, scores: NDArray[np.float64], *, sensitivity: float, rho: float, what: str) -> int:
        """Return the position of a high score, by the exponential mechanism.

        Parameters
        ----------
        scores : array of float
            The higher the better.
        sensitivity : float
            By how much one record can move a score where it moves one count by one; an exchange may move it twice.
        rho : float
            The part of the budget that it costs.
        what : str
            What is chosen, for the ledger.
        """
        self._spend(what, rho)
        epsilon = math.sqrt(8 * rho)
        return int(np.argmax(epsilon * scores / (2 * sensitivity * self.moved) + self.rng.gumbel(size=len(scores))))

    def _spend(self, what: str, rho: float) -> None:
        if not 0 < rho <= self.left * (1 + 1e-9):
            raise ContractError(f"{what} asks for rho {rho:g}, and {self.left:g} of {self.rho:g} is left")
        self.entries.append((what, rho))

    def claim(self, schema: Schema, *, delta: float) -> Claim:
        """Return the guarantee that what was spent amounts to."""
        said = stated_assumptions(schema, public_size=self.adjacency == Adjacency.REPLACE_ONE)
        return Claim(epsilon_of(self.spent, delta), delta, self.adjacency, said)
