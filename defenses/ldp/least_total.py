r"""The split of a budget whose costs have the least sum, each a function of one part that may jump.

Where a protocol's whole numbers change with the budget (the cells of OLH, the width of SS) its variance is neither
convex nor continuous, so no descent is safe. Dynamic programming over a grid of the budget finds the best split on the
grid whatever the functions are; it is repeated on ever finer grids around the split found. Between two columns it also
tries the budgets at the jumps themselves, which no grid meets.

References
----------
R. Bellman, "Dynamic Programming", 1957.
T. Ibaraki and N. Katoh, "Resource Allocation Problems", MIT Press 1988 (scaling).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from defenses.ldp.budget_curve import BudgetCurve, jumps_of_pair

__all__ = ["least_total"]

Floats = NDArray[np.float64]

_CONVEX_STEPS = 256
_JUMPING_STEPS = 4096
_REACH = 8
_FINEST = 1e-12
_MOST_TRIED = 500


def least_total(costs: Sequence[BudgetCurve], total: float, *, floors: Sequence[float]) -> list[float]:
    """Return parts, each at least its floor, that sum to `total` and have the least sum of costs.

    Parameters
    ----------
    costs : sequence of BudgetCurve
        The cost of each part, finite from its floor on; one object for all parts with the same cost and floor.
    total : float
        What the parts sum to, up to rounding.
    floors : sequence of float
        The least value of each part; they sum to at most total.

    Returns
    -------
    list of float
        Where the costs are convex, the optimum, each part up to 1e-12 of the total. Where they jump, the same between
        the jumps that were found, which can be the wrong ones only where others are nearly as good. SS has few. OLH has
        e^epsilon, of a relative height of e^-epsilon, and a coincidence of several can be missed by a part of that.
    """
    free = total - math.fsum(floors)
    if len(costs) == 1 or free <= 0:
        return [floor + max(0.0, free) / len(costs) for floor in floors]
    steps = _CONVEX_STEPS
    curves = _sampled(costs, floors, free, steps)
    if not all(_is_convex(curve) for curve in curves):
        steps = _JUMPING_STEPS
        curves = _sampled(costs, floors, free, steps)
    step, least = free / steps, np.array(floors, dtype=np.float64)
    parts: Floats = least + step * _least_sum(curves, steps)
    parts = _finer(costs, parts, step, least, total)
    if steps == _JUMPING_STEPS and _at_jumps(costs, parts, least):
        parts = _finer(costs, parts, step / 16, least, total)
    return [float(part) for part in parts]


def _sampled(costs: Sequence[BudgetCurve], floors: Sequence[float], free: float, steps: int) -> Floats:
    distinct = dict(zip(costs, floors, strict=True))
    curves = {
        cost: np.array([cost(floor + free * place / steps) for place in range(steps + 1)])
        for cost, floor in distinct.items()
    }
    return np.stack([curves[cost] for cost in costs])


def _is_convex(curve: Floats) -> bool:
    return bool((np.diff(curve, 2) >= -1e-9 * np.abs(curve[2:])).all())


def _finer(costs: Sequence[BudgetCurve], parts: Floats, step: float, least: Floats, total: float) -> Floats:
    while step > _FINEST * total:
        step /= 4
        parts = _refined(costs, parts, step, least)
    return parts


def _at_jumps(costs: Sequence[BudgetCurve], parts: Floats, least: Floats) -> bool:
    """Move budget between two parts to where one of them jumps, in place, if that is better; say whether any moved."""
    moved = False
    for one, other in combinations(range(len(costs)), 2):
        now = float(parts[one]), float(parts[other])
        floors = float(least[one]), float(least[other])
        for part in jumps_of_pair(costs[one], costs[other], now, floors=floors, most=_MOST_TRIED // len(costs)):
            rest = now[0] + now[1] - part
            if costs[one](part) + costs[other](rest) < costs[one](float(parts[one])) + costs[other](
                float(parts[other])
            ):
                parts[one], parts[other], moved = part, rest, True
    return moved


def _refined(costs: Sequence[BudgetCurve], parts: Floats, step: float, least: Floats) -> Floats:
    """Return the best parts on a lattice of this step around those given, moving on until they are well inside."""
    offsets = step * np.arange(-_REACH, _REACH + 1)
    for _ in range(100):
        curves = np.array(
            [
                [cost(part + offset) if part + offset >= floor else np.inf for offset in offsets]
                for cost, part, floor in zip(costs, parts.tolist(), least.tolist(), strict=True)
            ]
        )
        moved = _least_sum(curves, _REACH * len(costs)) - _REACH
        parts = parts + step * moved
        if np.abs(moved).max() < _REACH:
            break
    return parts


def _least_sum(curves: Floats, total: int) -> NDArray[np.int64]:
    """Return whole numbers of steps, one a curve, that sum to `total` and have the least sum of costs."""
    count, options = curves.shape
    best = np.full(total + 1, np.inf)
    width = min(options, total + 1)
    best[:width] = curves[0, :width]
    taken = np.zeros((count, total + 1), dtype=np.int64)
    taken[0] = np.arange(total + 1)
    for place in range(1, count):
        better = np.full(total + 1, np.inf)
        for step in range(width):
            cost = best[: total + 1 - step] + curves[place, step]
            view = better[step:]
            lower = cost < view
            view[lower] = cost[lower]
            taken[place, step:][lower] = step
        best = better
    steps = np.zeros(count, dtype=np.int64)
    for place in range(count - 1, -1, -1):
        steps[place] = taken[place, total]
        total -= int(steps[place])
    return steps
