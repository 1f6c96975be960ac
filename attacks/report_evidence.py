r"""What all of a person's reports say of all columns together: a sum of products. Not an attack itself.

For values :math:`v_1 \ldots v_d` of the columns, the reports of one survey have, up to a constant a person, likelihood

.. math::
    \prod_j L_j(v_j), \qquad
    \sum_j s_j e^{r_j(v_j)}, \qquad
    1 + (e^\epsilon - 1) \prod_j [v_j = y_j]

where the columns are randomised on their own; where one of them is genuine (share :math:`s_j`, log odds :math:`r_j`);
and where their joint value is randomised (reported as y). Each is a sum of products over the columns, and so is the
product over surveys. Of some columns alone, the reports of the others left out, it is the same kind of sum.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attacks.number_cells import NumberCells
from privbench.errors import ContractError
from privbench.oracles import FakedOracle, FrequencyOracle
from privbench.reported_column import ReportedColumn
from privbench.reports import Reports, Together
from privbench.schema import Column

__all__ = ["Evidence", "Term", "column_log_likelihood", "column_size"]

Floats = NDArray[np.float64]

# most products that several surveys together may need
_MOST = 256


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """One product: a weight a person, and what it says of some of the columns.

    Parameters
    ----------
    weight : array of shape (T or 1,)
        Its logarithm; -inf where the term is none of the person's.
    columns : mapping of str to array of shape (T, k)
        Logarithms; a column that is not there has the same factor for all its values.
    """

    weight: Floats
    columns: Mapping[str, Floats] = field(default_factory=dict)

    def __mul__(self, other: Term) -> Term:
        """Return the product of two terms."""
        columns = dict(self.columns)
        for name, logs in other.columns.items():
            columns[name] = columns[name] + logs if name in columns else logs
        return Term(self.weight + other.weight, columns)


@dataclass(frozen=True, eq=False)
class Evidence:
    """The reports of T people.

    Parameters
    ----------
    release : Reports
        All reports.
    rows : array of int, shape (T,)
        The people.
    cells : int
        Cells of a continuous column.
    """

    release: Reports
    rows: NDArray[np.integer]
    cells: int = 20
    _kept: dict[str, Floats] = field(default_factory=dict, repr=False)

    def column(self, name: str) -> Floats:
        """Return the log likelihood of one column's values, the others left out, ``(T, k)``."""
        if name not in self._kept:
            self._kept[name] = column_log_likelihood(self.release, self.release.schema[name], self.rows, self.cells)
        return self._kept[name]

    def terms(self, names: Collection[str]) -> list[Term]:
        """Return what is said of these columns together.

        It is exact up to 256 products. Where several surveys need more, the columns of the surveys beyond are taken one
        by one: that one was genuine, or all were, then is forgotten.
        """
        if self.release.together is Together.INDEPENDENT:
            columns = {name: self.column(name) for name in names if name in self.release}
            return [Term(np.zeros(1), columns)]
        found = [Term(np.zeros(1))]
        for survey in self.release.surveys:
            if not any(one.column.name in names for one in survey):
                continue
            own = self._survey(survey, names)
            if len(own) * len(found) <= _MOST:
                found = [one * other for one, other in itertools.product(found, own)]
            else:
                apart = {one.column.name: self._alone(one) for one in survey if one.column.name in names}
                found = [one * Term(np.zeros(1), apart) for one in found]
        return found

    def _survey(self, survey: Sequence[ReportedColumn], names: Collection[str]) -> list[Term]:
        if self.release.together is Together.ONE_GENUINE:
            return self._one_genuine(survey, names)
        return self._joint(survey, names)

    def _one_genuine(self, survey: Sequence[ReportedColumn], names: Collection[str]) -> list[Term]:
        terms, others = [], 0.0
        for one in survey:
            if not isinstance(one.oracle, FakedOracle):
                raise ContractError(f"where one column is genuine, oracles know of fakes; got {one.oracle!r}")
            if one.column.name in names:
                logs = self._spread(one, one.oracle.log_odds)
                terms.append(Term(np.full(1, math.log(one.oracle.share)), {one.column.name: logs}))
            else:
                others += one.oracle.share
        if others > 0:
            terms.append(Term(np.full(1, math.log(others))))
        return terms

    def _joint(self, survey: Sequence[ReportedColumn], names: Collection[str]) -> list[Term]:
        asked = [one for one in survey if one.column.name in names]
        budget = self.release.joint_epsilon
        # of the joint values, so many share these columns' part
        fewer = sum(math.log(one.column.size) for one in survey if one not in asked)
        answered = np.ones(len(self.rows), dtype=bool)
        columns = {}
        for one in asked:
            present = np.zeros(len(self.rows), dtype=bool)
            present[one.of(self.rows)[0]] = True
            answered &= present
            with np.errstate(divide="ignore"):
                columns[one.column.name] = np.log(self._spread(one, _discrete(one).support))
        weight = np.where(answered, _log_expm1(budget) - fewer, -np.inf)
        return [Term(np.zeros(1)), Term(weight, columns)]

    def _alone(self, one: ReportedColumn) -> Floats:
        """Return one survey's log likelihood of a column alone."""
        return self._spread(one, _discrete(one).log_likelihood)

    def _spread(self, one: ReportedColumn, say: Callable[[NDArray[Any]], Floats]) -> Floats:
        """Return what is said of the reports, zeros for who sent none."""
        found = np.zeros((len(self.rows), one.column.size))
        places, reports = one.of(self.rows)
        found[places] = say(reports)
        return found


def _discrete(one: ReportedColumn) -> FrequencyOracle:
    if not isinstance(one.oracle, FrequencyOracle):
        raise ContractError(f"columns that are reported together are discrete; got {one.oracle!r}")
    return one.oracle


def column_size(column: Column, cells: int) -> int:
    """Return the number of a column's values, or of its cells."""
    return column.size if column.discrete else NumberCells(column, cells).size


def column_log_likelihood(release: Reports, column: Column, rows: NDArray[np.integer], cells: int) -> Floats:
    """Return what the reports of one column say of its values, or of its cells, ``(T, k)``."""
    if column.discrete:
        return release.log_likelihood(column.name, rows)
    return NumberCells(column, cells).see(release, rows).log_likelihood


def _log_expm1(value: float) -> float:
    return value + math.log(-math.expm1(-value)) if value > 0 else -math.inf
