"""What a column's budget costs, and where that jumps because a whole number of its protocol changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["BudgetCurve", "jumps_of_pair"]


def _constant(budget: float) -> int:
    return 0


@dataclass(frozen=True, eq=False)
class BudgetCurve:
    """A cost as a function of the budget, each value worked out once.

    Parameters
    ----------
    cost : callable
        From a budget to its cost.
    whole : callable
        From a budget to the protocol's whole number (the cells of OLH, the width of SS), which rises or falls with the
        budget; between its changes the cost is smooth. By default there is none.
    """

    cost: Callable[[float], float]
    whole: Callable[[float], int] = _constant
    known: dict[float, float] = field(default_factory=dict, repr=False)

    def __call__(self, budget: float) -> float:
        """Return the cost of a budget."""
        if budget not in self.known:
            self.known[budget] = self.cost(budget)
        return self.known[budget]

    def switch(self, low: float, high: float) -> tuple[float, float] | None:
        """Return two budgets, 1e-13 apart at most, between which the whole number first changes above `low`.

        None if it is the same at `high`.
        """
        before = self.whole(low)
        if self.whole(high) == before:
            return None
        while high - low > 1e-13 * high and (middle := (low + high) / 2) not in (low, high):
            low, high = (middle, high) if self.whole(middle) == before else (low, middle)
        return low, high

    def switches(self, low: float, high: float, *, most: int) -> list[float]:
        """Return the budgets at both sides of the first changes of the whole number between two budgets."""
        found: list[float] = []
        while len(found) < 2 * most and (pair := self.switch(low, high)) is not None:
            found.extend(pair)
            low = pair[1]
        return found


def jumps_of_pair(
    one: BudgetCurve, other: BudgetCurve, parts: tuple[float, float], *, floors: tuple[float, float], most: int
) -> list[float]:
    """Return, in order, the first of two parts at both sides of every jump of either, their sum being kept.

    Parameters
    ----------
    one, other : BudgetCurve
        The two costs.
    parts, floors : tuple of float
        The parts now, and the least that they may be.
    most : int
        About how many jumps of each to look for; at most a quarter of a part away.
    """
    both = parts[0] + parts[1]
    sides = _around(one, parts[0], most) + [both - part for part in _around(other, parts[1], most)]
    return sorted(part for part in sides if part >= floors[0] and both - part >= floors[1])


def _around(cost: BudgetCurve, part: float, most: int) -> list[float]:
    reach = part / 4
    changes = abs(cost.whole(part + reach) - cost.whole(part - reach))
    reach *= min(1.0, most / max(changes, 1))
    return cost.switches(part - reach, part + reach, most=most)
