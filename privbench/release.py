"""What a defense publishes: a synthetic table, or the randomised reports of local differential privacy.

Either offers the same four things to whoever looks at it: its claim, the marginal of a column, features to train on,
and the number of private records behind it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from privbench.claim import Claim
from privbench.errors import InputError, unknown
from privbench.schema import Column, Schema
from privbench.table import Table, one_hot

__all__ = ["FrequencyOracle", "Release", "ReportedColumn", "Reports", "SyntheticTable"]


@runtime_checkable
class Release(Protocol):
    """What every release offers."""

    @property
    def schema(self) -> Schema:
        """The columns published."""
        ...

    @property
    def claim(self) -> Claim | None:
        """The guarantee, or None where none is claimed."""
        ...

    @property
    def private_records(self) -> int:
        """How many private records it was made from."""
        ...

    def marginal(self, name: str) -> NDArray[np.float64]:
        """Return the shares of a discrete column's values, as far as the release tells: they sum to 1."""
        ...

    def features(self, names: Iterable[str]) -> NDArray[np.float32]:
        """Return the training matrix for these columns, ``(n, p)``."""
        ...

    def encode(self, records: Table, names: Iterable[str]) -> NDArray[np.float32]:
        """Return clean records in the same encoding, ``(len(records), p)``."""
        ...

    def values(self, name: str) -> NDArray[Any]:
        """Return a column's published values, one a row: codes of a discrete column, numbers of a continuous one.

        Raises
        ------
        InputError
            If the release has reports of that column in place of values.
        """
        ...


@dataclass(frozen=True, eq=False)
class SyntheticTable:
    """Rows that may be published in place of the private ones.

    Parameters
    ----------
    table : Table
        The rows.
    private_records : int
        How many private records they were made from.
    claim : Claim or None
        The guarantee actually given.
    """

    table: Table
    private_records: int
    claim: Claim | None = None

    @property
    def schema(self) -> Schema:
        """The columns published."""
        return self.table.schema

    def marginal(self, name: str) -> NDArray[np.float64]:
        """Return the shares of a discrete column's values; equal ones where there is no row."""
        if len(self.table) == 0:
            size = self.schema[name].size
            return np.full(size, 1 / size)
        return self.table.marginal(name)

    def features(self, names: Iterable[str]) -> NDArray[np.float32]:
        """Return the training matrix for these columns."""
        return self.table.features(names)

    def encode(self, records: Table, names: Iterable[str]) -> NDArray[np.float32]:
        """Return clean records in the same encoding."""
        return records.features(names)

    def values(self, name: str) -> NDArray[Any]:
        """Return a column's values, one a row."""
        return self.table[name]


class FrequencyOracle(Protocol):
    """A randomiser of one discrete value, and what its public parameters say about its reports.

    A report supports a set of values: `p` = P[the true value is supported], `q` = P[another one is].
    """

    @property
    def size(self) -> int:
        """Number of values, k."""
        ...

    @property
    def epsilon(self) -> float:
        """Local budget of one report."""
        ...

    @property
    def p(self) -> float:
        """Probability that a report supports the true value."""
        ...

    @property
    def q(self) -> float:
        """Probability that a report supports a given other value."""
        ...

    def randomise(self, codes: NDArray[np.integer], *, rng: np.random.Generator) -> NDArray[Any]:
        """Return one report for each of `n` codes."""
        ...

    def support(self, reports: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which of the k values each report supports, ``(n, k)``."""
        ...

    def log_likelihood(self, reports: NDArray[Any]) -> NDArray[np.float64]:
        """Return log P[report | value] up to a constant a report, ``(n, k)``."""
        ...

    def estimate(self, reports: NDArray[Any]) -> NDArray[np.float64]:
        """Return the unbiased estimate of the k values' shares; it may leave [0, 1]."""
        ...

    def variance(self, shares: NDArray[np.float64], *, reports: int) -> NDArray[np.float64]:
        """Return the variance of the estimate of k values with these shares, from that many reports."""
        ...


@dataclass(frozen=True, eq=False)
class ReportedColumn:
    """One column as the collector has it: everybody's randomised report.

    Parameters
    ----------
    column : Column
        The column before randomisation.
    oracle : FrequencyOracle
        The randomiser, public with its parameters.
    reports : array
        One report a row, in the oracle's own form.
    """

    column: Column
    oracle: FrequencyOracle
    reports: NDArray[Any]


@dataclass(frozen=True, eq=False)
class Reports:
    """What a collector holds under local differential privacy: some columns randomised, the others in the clear.

    Parameters
    ----------
    schema : Schema
        All columns, in the order of the records.
    clear : Table
        The columns that are not randomised.
    reported : tuple of ReportedColumn
        The randomised columns.
    private_records : int
        Number of persons; row i of everything is person i.
    claim : Claim
        Of the randomised columns together.
    """

    schema: Schema
    clear: Table
    reported: tuple[ReportedColumn, ...]
    private_records: int
    claim: Claim | None

    def __getitem__(self, name: str) -> ReportedColumn:
        for reported in self.reported:
            if reported.column.name == name:
                return reported
        raise unknown("randomised column", name, (reported.column.name for reported in self.reported))

    def __contains__(self, name: object) -> bool:
        return any(reported.column.name == name for reported in self.reported)

    def marginal(self, name: str) -> NDArray[np.float64]:
        """Return the shares of a discrete column's values.

        For a randomised column this is the unbiased estimate moved to the nearest distribution (Euclidean projection
        onto the simplex), for the unbiased one ask the oracle.
        """
        if name not in self:
            return self.clear.marginal(name)
        reported = self[name]
        return _onto_simplex(reported.oracle.estimate(reported.reports))

    def features(self, names: Iterable[str]) -> NDArray[np.float32]:
        """Return the training matrix: support bits stand where a clean record has its indicators."""
        blocks = [
            self[name].oracle.support(self[name].reports).astype(np.float32)
            if name in self
            else self.clear.features([name])
            for name in names
        ]
        return np.column_stack(blocks) if blocks else np.empty((self.private_records, 0), dtype=np.float32)

    def encode(self, records: Table, names: Iterable[str]) -> NDArray[np.float32]:
        """Return clean records in the same encoding: the indicator of the true value where a report has its bits."""
        blocks = [
            one_hot(records[name], self[name].column.size) if name in self else records.features([name])
            for name in names
        ]
        return np.column_stack(blocks) if blocks else np.empty((len(records), 0), dtype=np.float32)

    def values(self, name: str) -> NDArray[Any]:
        """Return a column's values, one a row; a randomised column has none.

        Raises
        ------
        InputError
            If the column is randomised.
        """
        if name in self:
            raise InputError(f"column {name!r} is randomised: a row has a report of it, not a value")
        return self.clear[name]


def _onto_simplex(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the nearest probability vector (Held, Wolfe and Crowder 1974)."""
    falling = np.sort(shares)[::-1]
    excess = (np.cumsum(falling) - 1) / np.arange(1, len(shares) + 1)
    last = np.flatnonzero(falling > excess)[-1]
    return np.maximum(shares - excess[last], 0.0)
