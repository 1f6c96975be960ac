"""The split of a budget over columns that minimises a stated objective."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from defenses.ldp.budget_curve import BudgetCurve
from defenses.ldp.budgets import fitted, k_based, uniform
from defenses.ldp.least_total import least_total
from defenses.ldp.local_hashing import LocalHashing
from defenses.ldp.subset_selection import SubsetSelection
from defenses.ldp.water_level import water_level
from privbench.errors import InputError, unknown
from privbench.oracles import FrequencyOracle

__all__ = ["Objective", "optimal"]

Objective = Literal["variance", "success"]
Maker = Callable[[float], FrequencyOracle]

_FLOORS = {"variance": 1e-6, "success": 0.1}


def optimal(
    makers: Sequence[Maker], epsilon: float, *, objective: Objective, floor: float | None = None
) -> tuple[float, ...]:
    r"""Return the split that minimises an objective among those that give every column at least a floor.

    No split that keeps the floors is better, and so neither the uniform nor the k-based one is. (OLH alone, whose
    number of cells makes e^epsilon jumps, may leave a better coincidence of jumps unfound; see `least_total`.)

    Parameters
    ----------
    makers : sequence of callable
        One a column: from its budget to its randomiser.
    epsilon : float
        Total budget, positive.
    objective : str
        variance: the sum over columns and values of the variance of the estimate from one report. It does not depend on
        how the values are distributed: the variance of each is linear in its share, and the shares sum to 1.
        success: the Bayes attack's success in the column where it is greatest, all values being equally likely. Among
        splits with the same worst column the others are kept low too.
    floor : float, optional
        The least budget of a column, as a fraction in (0, 1] of the uniform share, or its k-based share where that is
        less; by default 0.1 for `success` and 1e-6 for `variance`. The pure minimax would leave columns of few values
        nothing: a guess at a binary column is right half of the time at no budget at all, more often than it may ever
        be right about many values.

    Returns
    -------
    tuple of float
        One positive budget a column; their exact sum is epsilon within 1e-12 relative, and never above. A column of one
        value, of which there is nothing to say, gets the floor.

    Raises
    ------
    InputError
        If an argument is out of range, or the success of a protocol has no closed form.

    See Also
    --------
    defenses.ldp.least_total, defenses.ldp.water_level : how exact the solutions are.
    """
    if objective not in _FLOORS:
        raise unknown("objective", objective, _FLOORS)
    fraction = _FLOORS[objective] if floor is None else floor
    if not 0 < fraction <= 1:
        raise InputError(f"optimal: floor is a fraction of the uniform share, in (0, 1]; got {fraction}")
    even = uniform([1] * len(makers), epsilon)
    sizes = [maker(even[0]).size for maker in makers]
    floors = [min(fraction * share, part) for share, part in zip(even, k_based(sizes, epsilon), strict=True)]
    telling = [place for place, size in enumerate(sizes) if size > 1]
    if not telling:
        return even
    costs = _costs(makers, even[0], objective)
    solve = least_total if objective == "variance" else water_level
    found = solve(
        [costs[place] for place in telling],
        epsilon - math.fsum(floor for floor, size in zip(floors, sizes, strict=True) if size == 1),
        floors=[floors[place] for place in telling],
    )
    parts = list(floors)
    for place, part in zip(telling, found, strict=True):
        parts[place] = part
    # what rounding left goes where it moves the objective least, as a step beside a jump would move it much
    moves = {place: fitted(parts, epsilon, place=place) for place in telling}
    place = min(moves, key=lambda one: (abs(costs[one](moves[one]) - costs[one](parts[one])), -parts[one]))
    parts[place] = moves[place]
    return tuple(parts)


def _costs(makers: Sequence[Maker], probe: float, objective: Objective) -> list[BudgetCurve]:
    """Return one cost a column, the same object where the randomisers are equal."""
    oracles = [maker(probe) for maker in makers]
    costs: list[BudgetCurve] = []
    for place, maker in enumerate(makers):
        same = oracles.index(oracles[place])
        costs.append(costs[same] if same < place else _cost(maker, objective))
    return costs


def _cost(maker: Maker, objective: Objective) -> BudgetCurve:
    def whole(budget: float) -> int:
        oracle = maker(budget)
        if isinstance(oracle, LocalHashing):
            return oracle.cells
        return oracle.width if isinstance(oracle, SubsetSelection) else 0

    return BudgetCurve(lambda budget: _value(maker(budget), objective), whole)


def _value(oracle: FrequencyOracle, objective: Objective) -> float:
    even = np.full(oracle.size, 1 / oracle.size)
    if objective == "variance":
        return float(np.sum(oracle.variance(even, reports=1)))
    success = oracle.success(even)
    if success is None:
        raise InputError(f"optimal: {oracle!r} has no closed form of its success; minimise 'variance' instead")
    return success
