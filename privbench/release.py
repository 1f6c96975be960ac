"""What a defense publishes: a synthetic table, altered rows, or randomised reports (which are in reports.py).

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
from privbench.errors import ContractError
from privbench.schema import Schema
from privbench.table import Table

__all__ = [
    "AlteredRows",
    "Release",
    "SyntheticTable",
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
