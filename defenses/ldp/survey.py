"""One survey: how the columns that it asks for are randomised together, and what that spends of a person's budget.

References
----------
H. Arcolezi, S. Gambs, J.-F. Couchot and C. Palamidessi, "On the Risks of Collecting Multidimensional Data Under Local
Differential Privacy", VLDB 2023 (splitting, sampling, fakes).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from defenses.ldp.combined import CombinedColumn, joint_size, randomise_jointly
from defenses.ldp.fake_claims import claims
from defenses.ldp.fakes import Faked
from defenses.ldp.memoised import Memoised
from defenses.ldp.one_genuine import randomise_one_genuine
from privbench.oracles import FrequencyOracle, NumericOracle
from privbench.reported_column import ReportedColumn
from privbench.reports import Together
from privbench.schema import Column
from privbench.table import Table

__all__ = ["Oracle", "Survey", "jointly", "one_by_one", "one_genuine", "sampled"]

Oracle = FrequencyOracle | NumericOracle
Maker = Callable[[Column, float], Oracle]
"""From a column and its budget to its randomiser."""


@dataclass(frozen=True, eq=False)
class Survey:
    """What one survey collected.

    Parameters
    ----------
    reported : tuple of ReportedColumn
        One a column.
    epsilon : float
        Budget of a person's reports in it together, in the worst case over records that differ in all columns.
    said : tuple of str
        What must be known beside it, a sentence each.
    together : Together
        How a person's reports hang together.
    joint_epsilon : float
        Of the vector of values, where it is randomised as one.
    """

    reported: tuple[ReportedColumn, ...]
    epsilon: float
    said: tuple[str, ...] = ()
    together: Together = Together.INDEPENDENT
    joint_epsilon: float = 0.0


def one_by_one(
    train: Table, columns: Sequence[Column], budgets: Mapping[str, float], make: Maker, *, total: float, number: int,
    rng: np.random.Generator,
) -> Survey:  # fmt: skip
    """Randomise every column on its own, each with its part of the budget.

    Parameters
    ----------
    train : Table
        The records.
    columns : sequence of Column
        Those asked for.
    budgets : mapping of str to float
        Of each column.
    make : callable
        From a column and its budget to its randomiser.
    total : float
        What the columns' randomisers spend together; memoised ones at most, in any number of rounds.
    number : int
        Of the survey.
    rng : Generator
        The only source of randomness.
    """
    reported = []
    for column in columns:
        oracle = make(column, budgets[column.name])
        reported.append(ReportedColumn(column, oracle, oracle.randomise(train[column.name], rng=rng), survey=number))
    parts = ", ".join(f"{column.name} {budgets[column.name]:.4g}" for column in columns)
    said = (f"epsilon is split over the columns: {parts}",) if len(columns) > 1 else ()
    return Survey(tuple(reported), _spent(reported, total, math.fsum), said)


def sampled(
    train: Table, columns: Sequence[Column], make: Maker, *, epsilon: float, total: float, number: int,
    rng: np.random.Generator,
) -> Survey:  # fmt: skip
    """Ask every person for one column, drawn uniformly and known to the collector, with the whole budget.

    Parameters are those of `one_by_one`; `epsilon` is what a column's randomiser is made with, `total` what it spends.
    """
    drawn = rng.integers(len(columns), size=len(train))
    reported = []
    for place, column in enumerate(columns):
        people = np.flatnonzero(drawn == place)
        oracle = make(column, epsilon)
        reports = oracle.randomise(train[column.name][people], rng=rng)
        reported.append(ReportedColumn(column, oracle, reports, people, number))
    return Survey(tuple(reported), _spent(reported, total, max))


def _spent(reported: Sequence[ReportedColumn], total: float, together: Callable[[Iterable[float]], float]) -> float:
    """Return what the columns' reports spend together: of memoised ones what their rounds do, below `total`."""
    oracles = [one.oracle for one in reported if isinstance(one.oracle, Memoised)]
    if len(oracles) < len(reported):
        return total
    # rounding may not lead beyond the permanent step's budget
    spent = together(min(max(oracle.epsilon_of(oracle.rounds), 0.0), oracle.epsilon) for oracle in oracles)
    # a claim is positive: of columns of one value, which spend nothing, it is the bound
    return min(spent, total) or total


def jointly(
    train: Table, columns: Sequence[Column], *, epsilon: float, number: int, rng: np.random.Generator
) -> Survey:
    """Randomise a person's vector of values as one value of the product domain, by generalised randomised response."""
    sizes = [column.size for column in columns]
    reports = randomise_jointly([train[column.name] for column in columns], sizes=sizes, epsilon=epsilon, rng=rng)
    domain = joint_size(sizes)
    reported = tuple(
        ReportedColumn(
            column, CombinedColumn(size=column.size, domain=domain, joint_epsilon=epsilon), own, survey=number
        )
        for column, own in zip(columns, reports, strict=True)
    )
    return Survey(reported, epsilon, together=Together.JOINT, joint_epsilon=epsilon)


def one_genuine(
    train: Table, columns: Sequence[Column], oracles: Sequence[Faked], *, number: int, rng: np.random.Generator
) -> Survey:
    """Randomise one column of every person, drawn uniformly and kept secret, and fake the others."""
    reports, _ = randomise_one_genuine([train[column.name] for column in columns], oracles, rng=rng)
    reported = tuple(
        ReportedColumn(column, oracle, own, survey=number)
        for column, oracle, own in zip(columns, oracles, reports, strict=True)
    )
    claim = claims(oracles)
    said = (f"for records that differ in a single column epsilon is {claim.one_column:.4g}",)
    # as for memoised reports, of columns of one value alone
    return Survey(reported, claim.record or oracles[0].genuine.epsilon, said, Together.ONE_GENUINE)
