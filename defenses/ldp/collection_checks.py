"""What a collection's parameters may be together: refused in one sentence before anything runs, where that can be."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from defenses.ldp import budgets
from privbench.errors import InputError, unknown

__all__ = ["FAKED", "LEAST", "MOST", "check_asked", "check_named", "check_settings"]

LEAST, MOST = 1e-6, 500.0
"""Bounds of a budget. Below, p - q drowns in rounding; above, e^epsilon overflows where it is amplified or summed."""

FAKED = ("rs+fd", "rs+rfd")
"""Allocations under which all reports of a person but one are fakes."""


class _Settings(Protocol):
    """Those of a `Collection` that more than their own owner depends on."""

    @property
    def epsilon(self) -> float: ...

    @property
    def protocol(self) -> str: ...

    @property
    def allocation(self) -> str: ...

    @property
    def columns(self) -> tuple[str, ...] | None: ...

    @property
    def budgets(self) -> dict[str, float] | None: ...

    @property
    def rounds(self) -> int: ...

    @property
    def memoise(self) -> bool: ...

    @property
    def first_share(self) -> float: ...

    @property
    def surveys(self) -> int: ...

    @property
    def asked(self) -> int | None: ...


def check_settings(settings: _Settings) -> None:
    """Refuse what the parameters of a collection cannot be, on their own or together, whatever the records are.

    Raises
    ------
    InputError
        At the first that is out of range, missing, ignored, or of no use beside another.
    """
    _check_epsilon(settings.epsilon)
    if settings.columns is not None and len(set(settings.columns)) != len(settings.columns):
        raise InputError(f"columns: {list(settings.columns)} names a column twice; name each once")
    _check_owned(
        settings,
        (
            ("budgets", "allocation custom", settings.allocation == "custom"),
            ("objective", "allocation optimal", settings.allocation == "optimal"),
            ("fakes", "allocation rs+fd", settings.allocation == "rs+fd"),
            ("priors", "allocation rs+rfd", settings.allocation == "rs+rfd"),
            ("amplify", "allocations rs+fd and rs+rfd", settings.allocation in FAKED),
            ("first_share", "memoise", settings.memoise),
        ),
    )
    if settings.allocation == "custom":
        if settings.budgets is None:
            raise InputError("allocation custom needs budgets, a mapping of each randomised column to its epsilon")
        budgets.custom(list(settings.columns or settings.budgets), settings.epsilon, budgets=settings.budgets)
        _check_budgets(settings.budgets)
    if settings.allocation == "custom" and settings.asked is not None:
        raise InputError(
            "allocation custom has a budget for every column, so each survey asks for all: leave asked out"
        )
    if settings.allocation == "combined" and settings.protocol != "grr":
        raise InputError(f"allocation combined randomises joint values by grr; got protocol {settings.protocol}")
    if settings.rounds < 1 or settings.surveys < 1 or (settings.asked is not None and settings.asked < 1):
        got = f"{settings.rounds}, {settings.surveys} and {settings.asked}"
        raise InputError(f"rounds, surveys and asked are numbers from 1; got {got}")
    if settings.rounds > 1 and settings.allocation in ("combined", *FAKED):
        raise InputError(f"allocation {settings.allocation} has no rounds; got rounds {settings.rounds}; take uniform")
    if settings.memoise and settings.protocol not in ("grr", "sue", "oue"):
        raise InputError(f"memoise is for grr, sue and oue; got protocol {settings.protocol}; take one of them")
    if settings.memoise and settings.rounds == 1:
        raise InputError("memoise in one round only adds noise; set rounds to 2 or more, or leave memoise out")
    if settings.memoise and not 0.001 <= settings.first_share <= 0.999:
        raise InputError(f"first_share is a share of epsilon from 0.001 to 0.999; got {settings.first_share}")


def _check_epsilon(epsilon: float) -> None:
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


def _check_budgets(named: Mapping[str, float]) -> None:
    """Refuse a column's budget that is too small to compute with.

    Raises
    ------
    InputError
        If one is below `LEAST`.
    """
    for name, budget in named.items():
        if budget < LEAST:
            raise InputError(
                f"budgets: got {budget:g} for column {name!r}; allowed: from {LEAST:g}; raise it, or leave the column "
                "out of columns"
            )


def _check_owned(values: object, owners: Iterable[tuple[str, str, bool]]) -> None:
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
