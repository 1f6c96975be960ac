"""A budget of pure differential privacy, spent by noisy counts and noisy choices, and the only door to either.

Neighbours differ in one exchanged record, so the number of records is public.

References
----------
C. Dwork and A. Roth, "The Algorithmic Foundations of Differential Privacy", 2014, chapter 3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from defenses.synthetic.noise import geometric, stated_assumptions
from privbench.claim import Adjacency, Claim
from privbench.errors import ContractError, InputError
from privbench.schema import Schema

__all__ = ["PureLedger", "check_epsilon"]

# exchanging one record lowers one count of a table by one and raises another by one
_MOVED = 2


def check_epsilon(epsilon: float) -> None:
    """Refuse a budget that is none.

    Raises
    ------
    InputError
        If epsilon is not positive and finite.
    """
    if not (epsilon > 0 and math.isfinite(epsilon)):
        raise InputError(f"epsilon must be a positive number, got {epsilon}")


@dataclass(eq=False)
class PureLedger:
    """An epsilon, spent part by part.

    Parameters
    ----------
    epsilon : float
        The whole budget for exchanging one record.
    rng : Generator
        The only source of randomness.
    """

    epsilon: float
    rng: np.random.Generator
    entries: list[tuple[str, float]] = field(default_factory=list)

    @property
    def spent(self) -> float:
        """What has been spent."""
        return math.fsum(epsilon for _, epsilon in self.entries)

    def measure(self, counts: NDArray[np.integer], *, epsilon: float, what: str) -> NDArray[np.float64]:
        """Return a table's counts with two-sided geometric noise.

        Parameters
        ----------
        counts : array of int
            Disjoint cells: a record stands in exactly one of them.
        epsilon : float
            The part of the budget that it costs.
        what : str
            What is measured, for the ledger.

        Raises
        ------
        ContractError
            If the budget does not have that much left.
        """
        self._spend(what, epsilon)
        noise = geometric(counts.size, rate=epsilon / _MOVED, rng=self.rng)
        return (counts + noise.reshape(counts.shape)).astype(np.float64)

    def choose(self, scores: NDArray[np.float64], *, sensitivity: float, epsilon: float, what: str) -> int:
        """Return the position of a high score, by the exponential mechanism.

        Parameters
        ----------
        scores : array of float
            The higher the better.
        sensitivity : float
            By how much exchanging one record can move a score.
        epsilon : float
            The part of the budget that it costs.
        what : str
            What is chosen, for the ledger.
        """
        self._spend(what, epsilon)
        return int(np.argmax(epsilon * scores / (2 * sensitivity) + self.rng.gumbel(size=len(scores))))

    def _spend(self, what: str, epsilon: float) -> None:
        left = self.epsilon - self.spent
        if not 0 < epsilon <= left + 1e-9 * self.epsilon:
            raise ContractError(f"{what} asks for epsilon {epsilon:g}, and {left:g} of {self.epsilon:g} is left")
        self.entries.append((what, epsilon))

    def claim(self, schema: Schema) -> Claim:
        """Return the guarantee that what was spent amounts to."""
        return Claim(self.spent, 0.0, Adjacency.REPLACE_ONE, stated_assumptions(schema))
