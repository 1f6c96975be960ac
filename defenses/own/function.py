"""A generator that is a Python function."""

from __future__ import annotations

import importlib
import inspect
import warnings
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from defenses.own.conform import check_claim, conform, stated_claim
from privbench.claim import Adjacency
from privbench.environment import environment_kept
from privbench.errors import InputError
from privbench.given import find
from privbench.release import SyntheticTable
from privbench.rng import seeded_globals
from privbench.table import Table
from privbench.threads import one_thread

__all__ = ["Function"]


@dataclass(frozen=True)
class Function:
    """Call your function `f(train, rng)`: a DataFrame of the training records in, a DataFrame of rows to publish out.

    The frame is a copy of the function's own; `rng` is a numpy Generator, and the global generators (random, numpy,
    torch) are seeded from it for as long as the call lasts. Libraries run on one thread; working directory, environment
    and warning filters are put back. Types are matched by meaning.

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
    repair : bool
        Round numbers of a column of whole numbers, and move numbers beyond its bounds to them, instead of refusing.

    References
    ----------
    None: the method is the user's own.
    """

    references: ClassVar[tuple[str, ...]] = ("function",)

    function: str | Callable[..., Any]
    epsilon: float | None = None
    delta: float = 0.0
    adjacency: Adjacency = Adjacency.REPLACE_ONE
    repair: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.function, str) and ":" not in self.function:
            raise InputError(f"function: got {self.function!r}; allowed: 'file.py:name' or 'module:name'")
        check_claim(epsilon=self.epsilon, delta=self.delta, adjacency=self.adjacency)

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        """Return the rows that the function gave.

        Raises
        ------
        InputError
            If the function cannot be found, does not take two arguments, ends the program, or gave no table of these
            columns.
        """
        function = find(self.function) if isinstance(self.function, str) else self.function
        if not callable(function):
            raise InputError(f"function: {self.function!r} is no function but {type(function).__name__}")
        name = getattr(function, "__name__", type(function).__name__)
        with suppress(ValueError):  # raised where there is no signature to look at
            try:
                inspect.signature(function).bind(None, None)
            except TypeError:
                taken = inspect.signature(function)
                raise InputError(
                    f"the function {name!r} must take two arguments, (train, rng); it takes {taken}"
                ) from None
        with _undisturbed(rng):
            try:
                frame = function(train.to_frame(), rng)
            except SystemExit as error:  # it would end privbench, with a status that is none of its own
                raise InputError(
                    f"the function {name!r} ended the program (exit {error.code or 0}); let it return a table, "
                    "or raise an error that says what is wrong"
                ) from None
        table = conform(frame, train.schema, source=f"the function {name!r}", repair=self.repair)
        claim = stated_claim(epsilon=self.epsilon, delta=self.delta, adjacency=self.adjacency)
        return SyntheticTable(table, private_records=len(train), claim=claim)


@contextmanager
def _undisturbed(rng: np.random.Generator) -> Iterator[None]:
    """Seed what a function may draw from, and put back what it may change."""
    with environment_kept(), chdir(Path.cwd()), warnings.catch_warnings():
        if find_spec("torch") is not None:  # a torch that the function loads itself would not be seeded
            importlib.import_module("torch")
        with one_thread(), seeded_globals(rng):
            yield
