"""A generator that is a Python function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from defenses.own.conform import check_claim, conform, stated_claim
from privbench.claim import Adjacency
from privbench.errors import InputError
from privbench.given import find
from privbench.release import SyntheticTable
from privbench.rng import seeded_globals
from privbench.table import Table

__all__ = ["Function"]


@dataclass(frozen=True)
class Function:
    """Call your function `f(train, rng)`: a DataFrame of the training records in, a DataFrame of rows to publish out.

    The frame is a copy of the function's own; `rng` is a numpy Generator, and the global generators (random, numpy,
    torch) are seeded from it for as long as the call lasts. Types are matched by meaning; numbers are rounded and moved
    into the bounds of their column.

    Parameters
    ----------
    function : str or callable
        ``file.py:name`` or ``module:name``; in Python also the function itself.
    epsilon : float or None
        What the function guarantees, if anything: stated as your word, unchecked.
    delta : float
        At least 0 and below 1.
    adjacency : Adjacency
        replace-one, add-remove or local.

    References
    ----------
    None: the method is the user's own.
    """

    references: ClassVar[tuple[str, ...]] = ("function",)

    function: str | Callable[..., Any]
    epsilon: float | None = None
    delta: float = 0.0
    adjacency: Adjacency = Adjacency.REPLACE_ONE

    def __post_init__(self) -> None:
        check_claim(epsilon=self.epsilon, delta=self.delta, adjacency=self.adjacency)

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        """Return the rows that the function gave.

        Raises
        ------
        InputError
            If the function cannot be found, or what it gave is no table of these columns.
        """
        function = find(self.function) if isinstance(self.function, str) else self.function
        if not callable(function):
            raise InputError(f"function: {self.function!r} is no function but {type(function).__name__}")
        name = getattr(function, "__name__", type(function).__name__)
        with seeded_globals(rng):
            frame = function(train.to_frame(), rng)
        table = conform(frame, train.schema, source=f"the function {name!r}")
        claim = stated_claim(epsilon=self.epsilon, delta=self.delta, adjacency=self.adjacency)
        return SyntheticTable(table, private_records=len(train), claim=claim)
