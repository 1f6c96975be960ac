"""What a collection's parameters may be together: refused in one sentence before anything runs, where that can be."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from privbench.errors import InputError, unknown

__all__ = ["LEAST", "MOST", "check_asked", "check_budgets", "check_epsilon", "check_named", "check_owned"]

LEAST, MOST = 1e-6, 500.0
"""Bounds of a budget. Below, p - q drowns in rounding; above, e^epsilon overflows where it is amplified or summed."""


def check_epsilon(epsilon: float) -> None:
    """Refuse a total budget that is no number, or too small or large to compute with.

    Raises
    ------
    InputError
        If it is not from `LEAST` to `MOST`.
    """
    if not LEAST <= epsilon <= MOST:  # NaN compares false
        raise InputError(
            f"epsilon must be a positive number from {LEAST:g}, where a report tells nothing, to {MOST:g}, where it "
            f"tells all; got {epsilon}"
        )


def check_budgets(budgets: Mapping[str, float]) -> None:
    """Refuse a column's budget that is too small to compute with.

    Raises
    ------
    InputError
        If one is below `LEAST`.
    """
    for name, budget in budgets.items():
        if budget < LEAST:
            raise InputError(
                f"budgets: got {budget:g} for column {name!r}; allowed: from {LEAST:g}; raise it, or leave the column "
                "out of columns"
            )


def check_owned(values: object, owners: Iterable[tuple[str, str, bool]]) -> None:
    """Refuse parameters that would be silently ignored.

    Parameters
    ----------
    values : object
        Has the parameters as attributes, and their defaults on its class.
    owners : iterable of (str, str, bool)
        A parameter, what it belongs to, and whether that was chosen.

    Raises
    ------
    InputError
        If a parameter whose owner was not chosen is not at its default.
    """
    for name, owner, chosen in owners:
        got = getattr(values, name)
        if not chosen and got != getattr(type(values), name):
            raise InputError(f"{name} belongs to {owner}; got {name} {got!r} without it; leave {name} out")


def check_named(what: str, named: Iterable[str], columns: Sequence[str]) -> None:
    """Refuse a name that is none of the randomised columns.

    Raises
    ------
    InputError
        With the nearest of them.
    """
    for name in named:
        if name not in columns:
            raise unknown(f"column in the {what}", name, columns, hint="Name columns that are randomised.")


def check_asked(columns: int, *, surveys: int, asked: int | None) -> int:
    """Return for how many columns each survey asks.

    Raises
    ------
    InputError
        If that is more than there are, or the surveys together cannot ask for every column.
    """
    width = columns if asked is None else asked
    if width > columns or width * surveys < columns:
        least = math.ceil(columns / surveys)
        fitting = f"a number from {least} to {columns}" if least < columns else f"{columns}"
        raise InputError(
            f"ldp: with surveys {surveys} and asked {width} the surveys cannot ask for each of {columns} columns, at "
            f"most once a survey; set asked to {fitting}"
        )
    return width
