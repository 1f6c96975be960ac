r"""The split of a budget whose greatest cost is least, the others as low as that leaves them.

Each part rises to the level t as far as it can: to :math:`e_j(t) = \sup \{e : S_j(e) \le t\}`, or it stays at its
floor. The level at which the parts use the whole budget is the answer, since no split of the budget lies below it: a
lower level would leave some of the budget without a place.

References
----------
T. Ibaraki and N. Katoh, "Resource Allocation Problems", MIT Press 1988 (minimax allocation).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from defenses.ldp.budget_curve import BudgetCurve, jumps_of_pair

__all__ = ["water_level"]

Floats = NDArray[np.float64]

_RISING_STEPS = 256
_JUMPING_STEPS = 2048
_MOST_TRIED = 200


def water_level(costs: Sequence[BudgetCurve], total: float, *, floors: Sequence[float]) -> list[float]:
    """Return parts, each at least its floor, that sum to `total` and have the least greatest cost.

    Exact where the costs rise. One that falls somewhere (that of OLH does wherever a cell is added) can put a part
    beyond a dip, which only its whole way reaches: it then takes it, and the others share what is left. Of several
    such costs, coincidences of their dips are looked for between the greatest cost and each of the others.

    Parameters
    ----------
    costs : sequence of BudgetCurve
        The cost of each part from its floor on, which rises on the whole; one object for all parts with the same cost
        and floor.
    total : float
        What the parts sum to, up to rounding.
    floors : sequence of float
        The least value of each part; they sum to at most total.

    Returns
    -------
    list of float
        One part a cost.
    """
    parts = _filled(costs, total, floors)
    if any(cost.whole(floor) != cost.whole(total) for cost, floor in zip(costs, floors, strict=True)):
        while _lowered(costs, parts, floors):
            continue
    return parts


def _filled(costs: Sequence[BudgetCurve], total: float, floors: Sequence[float]) -> list[float]:
    parts, open_places, left = list(floors), list(range(len(costs))), total
    while len(open_places) > 1 and (free := left - math.fsum(floors[place] for place in open_places)) > 0:
        distinct = {costs[place]: floors[place] for place in open_places}
        sampled = {cost: _Curve.of(cost, floor, floor + free) for cost, floor in distinct.items()}
        curves = [sampled[costs[place]] for place in open_places]
        low, high = _around(curves, left)
        room = math.fsum(high) - math.fsum(low)
        share = (left - math.fsum(low)) / room if room > 0 else 0.0
        middle = [below + share * (above - below) for below, above in zip(low, high, strict=True)]
        level = max(curve.cost(above) for curve, above in zip(curves, high, strict=True))
        over = [curve.cost(part) - level for curve, part in zip(curves, middle, strict=True)]
        worst = int(np.argmax(over))
        if over[worst] <= 1e-12:
            for place, part in zip(open_places, middle, strict=True):
                parts[place] = part
            return parts
        parts[open_places[worst]] = high[worst]
        left -= high[worst]
        del open_places[worst]
    if len(open_places) == 1:
        parts[open_places[0]] = max(floors[open_places[0]], left)
    return parts


def _lowered(costs: Sequence[BudgetCurve], parts: list[float], floors: Sequence[float]) -> bool:
    """Move budget between the part of the greatest cost and another, in place, if both then cost less; say if so."""
    values = [cost(part) for cost, part in zip(costs, parts, strict=True)]
    one = int(np.argmax(values))
    for other in range(len(costs)):
        if other == one:
            continue
        both, now, least = parts[one] + parts[other], (parts[one], parts[other]), (floors[one], floors[other])
        sides = jumps_of_pair(costs[one], costs[other], now, floors=least, most=_MOST_TRIED)
        best, found = values[one] - 1e-12, parts[one]
        for low, high in pairwise([*sides, *sides[-1:]]):
            # between two jumps one cost rises and the other falls: they are lowest where they meet
            if max(costs[one](low), costs[other](both - high)) >= best:
                continue
            for part in _meeting(costs[one], costs[other], both, low, high):
                if (value := max(costs[one](part), costs[other](both - part))) < best:
                    best, found = value, part
        if found != parts[one]:
            parts[one], parts[other] = found, both - found
            return True
    return False


def _meeting(rising: BudgetCurve, falling: BudgetCurve, both: float, low: float, high: float) -> tuple[float, float]:
    """Return two neighbouring parts, or the ends, between which one cost comes to exceed that of the rest."""
    while (middle := (low + high) / 2) not in (low, high):
        low, high = (middle, high) if rising(middle) <= falling(both - middle) else (low, middle)
    return low, high


@dataclass(frozen=True)
class _Curve:
    """A cost, and samples of it between the floor and the most that a part can have."""

    cost: BudgetCurve
    at: Floats
    values: Floats
    between: dict[int, list[float]] = field(default_factory=dict)

    @classmethod
    def of(cls, cost: BudgetCurve, floor: float, top: float) -> _Curve:
        jumps = cost.whole(floor) != cost.whole(top)
        grid = np.linspace(floor, top, (_JUMPING_STEPS if jumps else _RISING_STEPS) + 1).tolist()
        sides = [cost.switch(low, high) or () for low, high in pairwise(grid)] if jumps else []
        at = sorted({*grid, *(part for pair in sides for part in pair)})
        return cls(cost, np.array(at), np.array([cost(part) for part in at]))

    def jumps(self, place: int) -> list[float]:
        """Return both sides of every jump between a sample and the next one, the first hundred if there are more."""
        if place not in self.between:
            low, high = float(self.at[place]), float(self.at[place + 1])
            self.between[place] = self.cost.switches(low, high, most=100)
        return self.between[place]

    def reach(self, level: float) -> float:
        """Return the largest part whose cost is at most the level, else the floor."""
        below = np.flatnonzero(self.values <= level)
        if not below.size:
            return float(self.at[0])
        last = int(below[-1])
        if last == len(self.at) - 1:
            return float(self.at[-1])
        low, high = float(self.at[last]), float(self.at[last + 1])
        # a dip further on between the two samples, which may hold several
        sides = [low, *self.jumps(last), high]
        dips = [place for place in range(0, len(sides), 2) if self.cost(sides[place]) <= level]
        low, high = sides[dips[-1]], sides[dips[-1] + 1]
        if self.cost(high) <= level:
            return high
        while (middle := (low + high) / 2) not in (low, high):
            low, high = (middle, high) if self.cost(middle) <= level else (low, middle)
        return low


def _around(curves: Sequence[_Curve], total: float) -> tuple[list[float], list[float]]:
    """Return the parts at the last level that uses less than the total, and at the next one."""
    low = min(float(curve.values[0]) for curve in curves) - 1e-9
    high = max(float(curve.values.max()) for curve in curves)
    below, above = [curve.reach(low) for curve in curves], [curve.reach(high) for curve in curves]
    while (level := (low + high) / 2) not in (low, high):
        parts = [curve.reach(level) for curve in curves]
        if math.fsum(parts) < total:
            low, below = level, parts
        else:
            high, above = level, parts
    return below, above
