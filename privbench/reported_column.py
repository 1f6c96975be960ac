"""One column as a collector has it: the randomised reports of one survey, and the training features made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from privbench.errors import ContractError
from privbench.oracles import FrequencyOracle, NumericOracle
from privbench.schema import Column

__all__ = ["Encoding", "ReportedColumn"]

Encoding = Literal["support", "debiased"]
"""How reports become training features: the bits of the values that they support, or (bit - q) / (p - q), whose
expectation is the indicator of the true value."""


@dataclass(frozen=True, eq=False)
class ReportedColumn:
    """One column as the collector has it from one survey: a randomised report of everybody asked.

    Parameters
    ----------
    column : Column
        The column before randomisation.
    oracle : FrequencyOracle or NumericOracle
        The randomiser, public with its parameters; numeric if the column is continuous.
    reports : array
        One report a row, in the oracle's own form.
    people : array of int or None
        Who sent them, ascending, one a report; None for everyone.
    survey : int
        Number of the survey.
    """

    column: Column
    oracle: FrequencyOracle | NumericOracle
    reports: NDArray[Any]
    people: NDArray[np.int64] | None = None
    survey: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.oracle, NumericOracle) is self.column.discrete:
            raise ContractError(f"column {self.column.name!r} is {self.column.kind}, its oracle {self.oracle!r} is not")
        if self.people is not None and len(self.people) != len(self.reports):
            raise ContractError(f"{len(self.reports)} reports of {self.column.name!r} from {len(self.people)} people")

    def of(self, rows: NDArray[np.integer]) -> tuple[NDArray[np.intp], NDArray[Any]]:
        """Return the places in `rows` of the people who reported, and their reports."""
        if self.people is None:
            return np.arange(len(rows)), self.reports[rows]
        place = np.searchsorted(self.people, rows)
        found = np.flatnonzero(np.append(self.people, -1)[place] == rows)
        return found, self.reports[place[found]]

    def features(self, people: int, encoding: Encoding) -> NDArray[np.float32]:
        """Return training features, ``(people, k)``, or one number a person counted from the lower bound.

        Who did not report has zeros for support bits, and the mean of the others where features are debiased.
        """
        block = self._encoded(encoding)
        if self.people is None:
            return block
        mean = encoding == "debiased" or not self.column.discrete
        whole = np.empty((people, block.shape[1]), dtype=np.float32)
        whole[:] = block.mean(axis=0) if mean and len(block) else 0
        whole[self.people] = block
        return whole

    def _encoded(self, encoding: Encoding) -> NDArray[np.float32]:
        if isinstance(self.oracle, NumericOracle):
            return (self.oracle.debias(self.reports) - self.column.low).astype(np.float32)[:, None]
        support = self.oracle.support(self.reports).astype(np.float32)
        if encoding == "support" or self.oracle.size == 1:
            return support
        p, q = self.oracle.p, self.oracle.q
        return np.asarray((support - q) / (np.asarray(p) - q), dtype=np.float32)
