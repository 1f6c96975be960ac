"""What a defense publishes: a synthetic table, altered rows, or the randomised reports of local differential privacy.

Each offers the same four things to whoever looks at it: its claim, the marginal of a column, features to train on,
and the number of private records behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from privbench.claim import Claim
from privbench.errors import ContractError, InputError, unknown
from privbench.schema import Column, Schema
from privbench.table import Table, one_hot

__all__ = [
    "AlteredRows",
    "FrequencyOracle",
    "Release",
    "ReportedColumn",
    "Reports",
    "SyntheticTable",
    "nearest_distribution",
]


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


@dataclass(frozen=True, eq=False)
class AlteredRows(SyntheticTable):
    """The private records themselves, altered: row i is what became of the record in row i of the training table.

    The order is kept, as in `Reports`: a game that grants `rows` points at the target's own row. Without the grant the
    order tells nothing, as targets come shuffled.

    Parameters
    ----------
    table, private_records, claim
        As in `SyntheticTable`, with one row a private record.
    altered : tuple of str
        The columns that the method was applied to; all others hold the records' own values.
    suppressed : mapping of str to array of bool
        For each altered column with blanked cells, which rows lost theirs, ``(n,)``. Anyone sees that a cell is blank;
        in the table stands a placeholder, so that the rows conform to the schema: the missing value if the domain has
        one, else a value drawn from the column's cells that were left.

    Raises
    ------
    ContractError
        If there are not as many rows as private records, or `altered` and `suppressed` do not fit the table.
    """

    altered: tuple[str, ...] = ()
    suppressed: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rows = len(self.table)
        if rows != self.private_records:
            raise ContractError(f"altered rows are one a private record; got {rows} for {self.private_records} records")
        if odd := [name for name in self.altered if name not in self.schema]:
            raise ContractError(f"altered names columns that the table does not have: {', '.join(odd)}")
        masks = {}
        for name, mask in self.suppressed.items():
            if name not in self.altered or mask.shape != (rows,) or mask.dtype != np.bool_:
                raise ContractError(
                    f"suppressed holds a mask of {rows} booleans for an altered column; got {mask.dtype} of shape "
                    f"{mask.shape} for {name!r}"
                )
            masks[name] = mask.copy()
            masks[name].flags.writeable = False
        object.__setattr__(self, "suppressed", MappingProxyType(masks))

    def __reduce__(self) -> tuple[Any, ...]:
        # a read-only mapping cannot be pickled
        return AlteredRows, (self.table, self.private_records, self.claim, self.altered, dict(self.suppressed))

    def marginal(self, name: str) -> NDArray[np.float64]:
        """Return the shares of a discrete column's values among the cells that were left; equal ones if none was."""
        if name not in self.suppressed:
            return super().marginal(name)
        left = self.table.select([name]).take(~self.suppressed[name])
        return SyntheticTable(left, self.private_records).marginal(name)


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
        return nearest_distribution(reported.oracle.estimate(reported.reports))

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


def nearest_distribution(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities nearest to noisy shares, by Euclidean distance: the projection onto the simplex.

    Parameters
    ----------
    shares : array of float
        Of any shape, negative ones and sums other than 1 included.

    References
    ----------
    M. Held, P. Wolfe and H. Crowder, "Validation of Subgradient Optimization", Mathematical Programming 6, 1974.
    """
    falling = np.sort(shares, axis=None)[::-1]
    excess = (np.cumsum(falling) - 1) / np.arange(1, falling.size + 1)
    last = np.flatnonzero(falling > excess)[-1]
    return np.maximum(shares - excess[last], 0.0)
