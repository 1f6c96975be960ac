"""What a defense guarantees: epsilon, delta, and between which neighbouring data sets.

References
----------
C. Dwork and A. Roth, "The Algorithmic Foundations of Differential Privacy", 2014.
J. Duchi, M. Jordan and M. Wainwright, "Local Privacy and Statistical Minimax Rates", FOCS 2013.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from privbench.errors import ContractError

__all__ = ["Adjacency", "Claim"]


class Adjacency(StrEnum):
    """Which data sets count as neighbours."""

    REPLACE_ONE = "replace-one"
    ADD_REMOVE = "add-remove"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Claim:
    """A differential-privacy guarantee: the budget actually spent.

    Parameters
    ----------
    epsilon : float
        Positive.
    delta : float
        In [0, 1).
    adjacency : Adjacency
        `replace-one` and `add-remove` speak of a curator's data set; `local` of one person's own report.
    assumes : tuple of str
        What must be true beside the mechanism for the guarantee to hold, a sentence each.

    Raises
    ------
    ContractError
        If epsilon or delta is out of range.
    """

    epsilon: float
    delta: float
    adjacency: Adjacency
    assumes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (self.epsilon > 0 and math.isfinite(self.epsilon) and 0 <= self.delta < 1):
            raise ContractError(f"a claim needs epsilon > 0 and 0 <= delta < 1; got ({self.epsilon}, {self.delta})")
        if self.adjacency not in tuple(Adjacency):
            raise ContractError(f"adjacency: got {self.adjacency!r}; allowed: {', '.join(Adjacency)}")
        # a plain text is as good in a call, but not in a comparison of identities
        object.__setattr__(self, "adjacency", Adjacency(self.adjacency))

    def as_replace_one(self) -> Claim:
        """Return the guarantee when one record is exchanged for another.

        An add-remove guarantee is used twice, once for each half of the exchange: 2 epsilon, and
        (1 + e^epsilon) delta by group privacy. The others speak of an exchange already.
        """
        if self.adjacency is not Adjacency.ADD_REMOVE:
            return self
        delta = (1 + math.exp(self.epsilon)) * self.delta
        return Claim(2 * self.epsilon, min(delta, 1 - 1e-12), Adjacency.REPLACE_ONE, self.assumes)

    @staticmethod
    def compose(claims: Iterable[Claim]) -> Claim:
        """Return the guarantee of several mechanisms run on the same records (basic composition: sums).

        Raises
        ------
        ContractError
            If there is no claim, or the claims differ in adjacency.
        """
        parts = tuple(claims)
        if len({part.adjacency for part in parts}) != 1:
            raise ContractError(f"claims to compose must share one adjacency; got {[str(p.adjacency) for p in parts]}")
        assumes = dict.fromkeys(sentence for part in parts for sentence in part.assumes)
        return Claim(
            math.fsum(part.epsilon for part in parts),
            math.fsum(part.delta for part in parts),
            parts[0].adjacency,
            tuple(assumes),
        )
