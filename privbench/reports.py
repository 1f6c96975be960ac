"""The randomised reports of local differential privacy: what a collector holds in place of values.

Everything that an attack or an estimate needs is in the reports and the public parameters of their randomisers, which
`privbench.oracles` describes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privbench.claim import Claim
from privbench.errors import InputError, unknown
from privbench.oracles import FrequencyOracle, NumericOracle
from privbench.reported_column import Encoding, ReportedColumn
from privbench.schema import Column, Schema
from privbench.simplex import nearest_distribution
from privbench.table import Table, one_hot

__all__ = ["Reports", "Together"]

Floats = NDArray[np.float64]

# of everybody, into which people are divided who are to be left out in turn
_PARTS = 5


class Together(StrEnum):
    """How the reports that a person sends in one survey hang together."""

    INDEPENDENT = "independent"
    """Each column is randomised on its own."""
    ONE_GENUINE = "one-genuine"
    """One column, drawn at random and kept secret, is reported; all others are fakes. The oracles are `FakedOracle`."""
    JOINT = "joint"
    """One value of the product of the columns is randomised: all its columns are true, or it is drawn anew as one."""


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
        The randomised columns; a column that several surveys asked for occurs once for each.
    private_records : int
        Number of persons; row i of everything is person i.
    claim : Claim
        Of the randomised columns together, all surveys included.
    together : Together
        How a person's reports in one survey hang together.
    joint_epsilon : float
        Under `Together.JOINT`, the log ratio of the true vector of values to another one.
    """

    schema: Schema
    clear: Table
    reported: tuple[ReportedColumn, ...]
    private_records: int
    claim: Claim | None
    together: Together = Together.INDEPENDENT
    joint_epsilon: float = 0.0

    def of(self, name: str) -> tuple[ReportedColumn, ...]:
        """Return what was reported of a column, one entry a survey.

        Raises
        ------
        InputError
            If the column is not randomised.
        """
        found = tuple(reported for reported in self.reported if reported.column.name == name)
        if not found:
            raise unknown("randomised column", name, dict.fromkeys(one.column.name for one in self.reported))
        return found

    def __contains__(self, name: object) -> bool:
        return any(reported.column.name == name for reported in self.reported)

    def without_reports(self, rows: NDArray[np.integer]) -> Reports:
        """Return the release without the reports of some people, whose columns in the clear stay.

        Parameters
        ----------
        rows : array of int
            The people whose reports are left out.
        """
        kept = np.ones(self.private_records, dtype=bool)
        kept[rows] = False
        reported = []
        for one in self.reported:
            people = np.arange(self.private_records) if one.people is None else one.people
            stay = kept[people]
            reported.append(replace(one, reports=one.reports[stay], people=people[stay]))
        return replace(self, reported=tuple(reported))

    def left_out(self, rows: NDArray[np.integer]) -> Iterator[tuple[NDArray[np.intp], Reports]]:
        """Yield parts of some people with the release as it would be without the reports of those in the part.

        What is learnt from the rest is then not learnt from a person's own reports; and no part is more than a fifth of
        everybody, or a single person, so that the rest tells about as much as all.

        Parameters
        ----------
        rows : array of int, shape (T,)
            The people.

        Yields
        ------
        places : array of int
            Their places in `rows`.
        rest : Reports
            The release without their reports.
        """
        parts = min(len(rows), -(-_PARTS * len(rows) // max(1, self.private_records)))
        order = np.argsort(rows, kind="stable")  # who stands in a part depends on the people alone
        for part in range(parts):
            places = order[part::parts]
            yield places, self.without_reports(rows[places])

    @property
    def randomised(self) -> tuple[Column, ...]:
        """The columns that are randomised, each once."""
        return tuple(dict.fromkeys(one.column for one in self.reported))

    @property
    def surveys(self) -> tuple[tuple[ReportedColumn, ...], ...]:
        """What was reported, survey by survey."""
        numbers = dict.fromkeys(reported.survey for reported in self.reported)
        return tuple(tuple(one for one in self.reported if one.survey == number) for number in numbers)

    def estimate(self, name: str) -> Floats:
        """Return the unbiased estimate of a randomised discrete column's shares: the surveys' mean, by reports."""
        total = self.reports_of(name)
        found = [
            len(one.reports) / total * one.oracle.estimate(one.reports)
            for one in self.of(name)
            if len(one.reports) and isinstance(one.oracle, FrequencyOracle)
        ]
        size = self.schema[name].size
        return np.sum(found, axis=0) if found else np.full(size, 1 / size)

    def reports_of(self, name: str) -> int:
        """Return how many reports of a randomised column there are, all surveys together."""
        return sum(len(one.reports) for one in self.of(name))

    def mean(self, name: str) -> float:
        """Return the unbiased estimate of a randomised continuous column's mean, moved into its bounds."""
        column = self.schema[name]
        return float(np.clip(self.estimate_mean(name), column.low, column.high))

    def estimate_mean(self, name: str) -> float:
        """Return the unbiased estimate of a randomised continuous column's mean, all surveys pooled.

        It may leave the bounds; where nobody reported it is their middle.
        """
        column = self.schema[name]
        debiased = [one.oracle.debias(one.reports) for one in self.of(name) if isinstance(one.oracle, NumericOracle)]
        whole = np.concatenate(debiased) if debiased else np.empty(0)
        return float(whole.mean()) if len(whole) else column.low + column.range / 2

    def marginal(self, name: str) -> Floats:
        """Return the shares of a discrete column's values.

        For a randomised column this is the unbiased estimate moved to the nearest distribution (Euclidean projection
        onto the simplex); the unbiased one is `estimate`.
        """
        return nearest_distribution(self.estimate(name)) if name in self else self.clear.marginal(name)

    def log_likelihood(self, name: str, rows: NDArray[np.integer], at: Floats | None = None) -> Floats:
        """Return what all reports of one column say of its values, the columns taken one by one.

        Parameters
        ----------
        name : str
            A randomised column.
        rows : array of int, shape (T,)
            The people asked about.
        at : array of float, shape (g,), optional
            Candidate numbers of a continuous column.

        Returns
        -------
        array of shape (T, k) or (T, g)
            log P[reports | value] up to a constant a person; 0 for who sent none.

        Raises
        ------
        InputError
            If the column is not randomised, or continuous and no candidates are given.
        """
        column = self.schema[name]
        if not column.discrete and at is None:
            raise InputError(f"column {name!r} is continuous: name the candidate numbers")
        width = column.size if at is None else len(at)
        total = np.zeros((len(rows), width))
        for one in self.of(name):
            places, reports = one.of(rows)
            if isinstance(one.oracle, NumericOracle):
                total[places] += one.oracle.log_likelihood(reports, np.asarray(at))
            else:
                total[places] += one.oracle.log_likelihood(reports)
        return total

    def features(self, names: Iterable[str], *, encoding: Encoding = "support") -> NDArray[np.float32]:
        """Return the training matrix: where a clean record has its indicators stand those of the reports.

        Parameters
        ----------
        names : iterable of str
            Columns, in the order wanted.
        encoding : str
            support or debiased (see `Encoding`); of several surveys the mean. A continuous column has its debiased
            report in either.
        """
        blocks = [
            np.mean([one.features(self.private_records, encoding) for one in self.of(name)], axis=0)
            if name in self
            else self.clear.features([name])
            for name in names
        ]
        return np.column_stack(blocks) if blocks else np.empty((self.private_records, 0), dtype=np.float32)

    def encode(self, records: Table, names: Iterable[str]) -> NDArray[np.float32]:
        """Return clean records in the same encoding: the indicator of the true value where a report has its bits."""
        blocks = [
            one_hot(records[name], self.schema[name].size)
            if name in self and self.schema[name].discrete
            else records.features([name])
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
