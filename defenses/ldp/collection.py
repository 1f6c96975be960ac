"""A collection under local differential privacy: everybody randomises their sensitive columns before sending them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from defenses.ldp.grr import Grr
from privbench.claim import Adjacency, Claim
from privbench.errors import DoesNotApplyError, InputError
from privbench.release import ReportedColumn, Reports
from privbench.table import Table

__all__ = ["Collection"]

_PROTOCOLS = {"grr": Grr}


@dataclass(frozen=True)
class Collection:
    """Collect randomised reports of the sensitive columns, the other columns in the clear.

    Parameters
    ----------
    epsilon : float
        Total local budget of one person, positive.
    protocol : str
        How one value is randomised: grr (generalised randomised response).
    allocation : str
        How the budget is split over the d randomised columns: uniform gives each epsilon / d.
    columns : tuple of str or None
        The columns that are randomised, discrete ones; None for the secrets.

    References
    ----------
    P. Kairouz, S. Oh and P. Viswanath, "Extremal Mechanisms for Local Differential Privacy", JMLR 2016.
    """

    epsilon: float = 1.0
    protocol: Literal["grr"] = "grr"
    allocation: Literal["uniform"] = "uniform"
    columns: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if not (self.epsilon > 0 and math.isfinite(self.epsilon)):
            raise InputError(f"epsilon must be a positive number, got {self.epsilon}")
        if self.columns is not None and len(set(self.columns)) != len(self.columns):
            raise InputError(f"columns: {list(self.columns)} names a column twice; name each once")

    def release(self, train: Table, *, rng: np.random.Generator) -> Reports:
        """Randomise the sensitive columns of every record on their own.

        Raises
        ------
        InputError
            If there is no column to randomise, or `columns` names one that does not exist.
        DoesNotApplyError
            If one is continuous.
        """
        names = train.schema.secrets if self.columns is None else self.columns
        if not names:
            raise InputError("ldp: no column to randomise; name a secret, or set columns")
        for name in names:
            if not train.schema[name].discrete:
                raise DoesNotApplyError(
                    f"ldp: column {name!r} is continuous and {self.protocol} randomises discrete columns; "
                    "leave it out of columns, or declare it ordinal or categorical"
                )
        reported = []
        for name in names:
            column = train.schema[name]
            oracle = _PROTOCOLS[self.protocol](size=column.size, epsilon=self.epsilon / len(names))
            reported.append(ReportedColumn(column, oracle, oracle.randomise(train[name], rng=rng)))
        claim = Claim(self.epsilon, 0.0, Adjacency.LOCAL, self._assumptions(train, names))
        return Reports(train.schema, train.without(names), tuple(reported), len(train), claim)

    def _assumptions(self, train: Table, names: tuple[str, ...]) -> tuple[str, ...]:
        said = [f"it covers {', '.join(names)} only: the other columns are collected as they are"]
        if undeclared := train.schema.undeclared(names):
            said.append(f"the domains of {', '.join(undeclared)} are public, though they were read off the file")
        return tuple(said)
