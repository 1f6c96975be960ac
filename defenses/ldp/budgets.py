"""How a person's total budget is split over the columns that are randomised one by one.

The parts of a split add up to the budget by sequential composition, so their exact sum may never exceed it: a float
that was rounded up is moved down again.

References
----------
C. Dwork and A. Roth, "The Algorithmic Foundations of Differential Privacy", 2014, theorem 3.16 (composition).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from privbench.errors import InputError, unknown

__all__ = ["custom", "fitted", "k_based", "split", "uniform"]

_TOLERANCE = 1e-9  # relative: how far a person's own figures, perhaps rounded, may be off the total


def uniform(sizes: Sequence[int], epsilon: float) -> tuple[float, ...]:
    """Give each of d columns epsilon / d.

    Parameters
    ----------
    sizes : sequence of int
        Number of values of each column, at least 1.
    epsilon : float
        Total budget, positive.

    Returns
    -------
    tuple of float
        One positive budget a column; their exact sum is epsilon within 1e-12 relative, and never above.

    Raises
    ------
    InputError
        If there is no column, or an argument is out of range.
    """
    return split([1.0] * len(_checked(sizes)), epsilon)


def k_based(sizes: Sequence[int], epsilon: float) -> tuple[float, ...]:
    """Give each column a budget in proportion to its number of values: epsilon k_j / sum k.

    Parameters, returns and errors are those of `uniform`.

    References
    ----------
    H. Arcolezi, K. Makhlouf and C. Palamidessi, "(Local) Differential Privacy has NO Disparate Impact on Fairness",
    DBSec 2023.
    """
    return split([float(size) for size in _checked(sizes)], epsilon)


def custom(names: Sequence[str], epsilon: float, *, budgets: Mapping[str, float]) -> tuple[float, ...]:
    """Give each column the budget that a mapping names for it.

    Parameters
    ----------
    names : sequence of str
        The columns, in the order of the result.
    epsilon : float
        Total budget, positive.
    budgets : mapping of str to float
        A positive budget for every column and for nothing else; they sum to epsilon within 1e-9 relative, and what
        rounding left is shared in proportion.

    Raises
    ------
    InputError
        If a column is missing or unknown, a budget is not positive, or the sum is not epsilon.
    """
    for name in budgets:
        if name not in names:
            raise unknown("column in the budgets", name, names)
    if missing := [name for name in names if name not in budgets]:
        raise InputError(
            f"budgets: no budget for {', '.join(map(repr, missing))}; name one for every randomised column"
        )
    parts = [float(budgets[name]) for name in names]
    for name, part in zip(names, parts, strict=True):
        if not (part > 0 and math.isfinite(part)):
            raise InputError(f"budgets: got {part:g} for column {name!r}; allowed: a positive number")
    total = math.fsum(parts)
    if abs(total - epsilon) > _TOLERANCE * epsilon:
        raise InputError(f"budgets: they sum to {total:.12g}, not to epsilon = {epsilon:.12g}; change one or the other")
    return split(parts, epsilon)


def split(weights: Sequence[float], epsilon: float) -> tuple[float, ...]:
    """Divide a budget in proportion to positive weights.

    Returns
    -------
    tuple of float
        The parts; their exact sum is epsilon within 1e-12 relative, and never above.

    Raises
    ------
    InputError
        If there is no weight, epsilon is not a positive number, or a part would vanish.
    """
    if not weights:
        raise InputError("budgets: no column to split a budget over; name at least one column to randomise")
    if not (epsilon > 0 and math.isfinite(epsilon)):
        raise InputError(f"epsilon must be a positive number, got {epsilon}")
    total = math.fsum(weights)
    parts = [epsilon * (weight / total) for weight in weights]
    largest = max(range(len(parts)), key=parts.__getitem__)
    parts[largest] = fitted(parts, epsilon, place=largest)
    if min(parts) <= 0:
        raise InputError(f"epsilon = {epsilon:g} is too small to split over {len(parts)} columns; take a larger one")
    return tuple(parts)


def fitted(parts: Sequence[float], epsilon: float, *, place: int) -> float:
    """Return what one part must become so that the exact sum of all is epsilon as nearly as floats allow, not above."""
    part = parts[place] - math.fsum((*parts, -epsilon))
    rest = (*parts[:place], *parts[place + 1 :], -epsilon)
    # fsum rounds once, so the sign of the excess is that of the exact one
    while math.fsum((part, *rest)) > 0:
        part = math.nextafter(part, -math.inf)
    return part


def _checked(sizes: Sequence[int]) -> Sequence[int]:
    for size in sizes:
        if size < 1:
            raise InputError(f"budgets: a column has {size} values; every column needs at least one")
    return sizes
