"""What is expected of people before their own reports are looked at. Not an attack itself."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from attacks.number_cells import NumberCells, smoothed_shares
from attacks.report_evidence import Evidence, Term, column_size
from attacks.report_model import Encoder, SoftmaxModel, likely_shares
from privbench.contracts import View
from privbench.errors import InputError
from privbench.oracles import FrequencyOracle
from privbench.reports import Reports
from privbench.schema import Column
from privbench.table import Table, one_hot

__all__ = ["Expected", "Group", "LearntFrom", "Prior", "ReportPrior", "indicators", "reports_of"]

Floats = NDArray[np.float64]

Prior = Literal["uniform", "marginal", "model"]
"""Every value alike; the column's shares, estimated from all reports; or the shares given the known columns."""

LearntFrom = Literal["auto", "released", "public"]
"""From the reports and, where granted, public records together; from the reports; from public records."""

# people learnt from: so many reports of each column, and so many numbers held at once
_PEOPLE = 20_000
_NUMBERS = 10_000_000


def reports_of(view: View) -> Reports:
    """Return the release, for an attack that skips all that are not reports."""
    if not isinstance(view.release, Reports):
        raise TypeError("skip() refuses a release without reports")
    return view.release


def indicators(column: Column, values: NDArray[Any], *, cells: int) -> Floats:
    """Return the indicators of a column's values, or of their cells, ``(n, k)``."""
    codes = values if column.discrete else NumberCells(column, cells).codes(values)
    return one_hot(codes, column_size(column, cells)).astype(np.float64)


@dataclass(frozen=True, eq=False)
class Group:
    """People to learn from: those who report, or those of public records.

    Parameters
    ----------
    features : sparse array of shape (m, p)
        Their known columns.
    source : Evidence or Table
        Their reports, or their values.
    cells : int
        Cells of a continuous column.
    """

    features: scipy.sparse.csr_array
    source: Evidence | Table
    cells: int

    @property
    def size(self) -> int:
        """Number of people, m."""
        return int(self.features.shape[0])

    def terms(self, columns: Collection[Column]) -> list[Term]:
        """Return what is known of these columns together: reports, or the values themselves."""
        if isinstance(self.source, Evidence):
            return self.source.terms([column.name for column in columns])
        with np.errstate(divide="ignore"):
            return [Term(np.zeros(1), {column.name: np.log(self.likelihood(column)) for column in columns})]

    def likelihood(self, column: Column) -> Floats:
        """Return that of each value of a column alone, at most 1, ``(m, k)``."""
        if isinstance(self.source, Evidence):
            logs = self.source.column(column.name)
            return np.exp(logs - logs.max(axis=1, keepdims=True))
        return indicators(column, self.source[column.name], cells=self.cells)


@dataclass(frozen=True, eq=False)
class Expected:
    """The probability of each value of some columns, before the own reports.

    Parameters
    ----------
    release : Reports
        The release.
    targets : sparse array of shape (T, p)
        Known columns of the people attacked.
    groups : tuple of Group
        Those learnt from.
    prior : str
        See `Prior`.
    penalty : float
        Of the model.
    cells : int
        Cells of a continuous column.
    """

    release: Reports
    targets: scipy.sparse.csr_array
    groups: tuple[Group, ...]
    prior: Prior
    penalty: float
    cells: int
    _models: dict[str, SoftmaxModel] = field(default_factory=dict, repr=False)
    _shares: dict[str, Floats] = field(default_factory=dict, repr=False)

    def of_targets(self, column: Column) -> Floats:
        """Return the targets' probabilities, ``(T, k)``."""
        return self._of(column, self.targets)

    def of_group(self, column: Column, group: Group) -> Floats:
        """Return those of people learnt from, ``(m, k)``."""
        return self._of(column, group.features)

    def _of(self, column: Column, features: scipy.sparse.csr_array) -> Floats:
        if self.prior == "model":
            return self._model(column).probabilities(features)
        if column.name not in self._shares:
            self._shares[column.name] = self._marginal(column)
        return np.tile(self._shares[column.name], (features.shape[0], 1))

    def _marginal(self, column: Column) -> Floats:
        if self.prior == "uniform":
            size = column_size(column, self.cells)
            return np.full(size, 1 / size)
        if column.discrete:
            return likely_shares(*_whole(self.release, column))
        return smoothed_shares(np.concatenate([group.likelihood(column) for group in self.groups]))

    def _model(self, column: Column) -> SoftmaxModel:
        if column.name not in self._models:
            features = scipy.sparse.csr_array(scipy.sparse.vstack([group.features for group in self.groups]))
            likelihood = np.concatenate([group.likelihood(column) for group in self.groups])
            self._models[column.name] = SoftmaxModel.learn(features, likelihood, penalty=self.penalty)
        return self._models[column.name]


@dataclass(frozen=True)
class ReportPrior:
    """How attacks on reports come to expect something of a person.

    The known columns that a model learns from are those collected in the clear; from public records alone, all.

    Parameters
    ----------
    prior : str
        See `Prior`.
    model : str
        See `LearntFrom`.
    penalty : float
        Of the model's weights, positive.
    cells : int
        Cells of a continuous column, at least 1.
    """

    prior: Prior
    model: LearntFrom
    penalty: float
    cells: int

    def __post_init__(self) -> None:
        if not (self.penalty > 0 and math.isfinite(self.penalty)) or self.cells < 1:
            raise InputError(f"penalty must be positive and cells at least 1; got {self.penalty} and {self.cells}")

    def skip(self, view: View, *, learns: bool) -> str | None:
        """Return a reason unless the release is reports, of the secrets too, and the targets' own are known.

        Parameters
        ----------
        view : View
            What the adversary has.
        learns : bool
            Whether the attack learns anything from people's other columns, so that it needs them.
        """
        if not isinstance(view.release, Reports):
            return "it needs randomised reports, and this release has none"
        for secret in view.secrets:
            if secret.name not in view.release.schema:
                return f"the release has no column {secret.name!r}"
        if view.rows is None:
            return "it needs to know which report is the target's, and this game does not tell"
        if learns and self.model == "public" and view.population is None:
            return "it is to learn from public records, and this game grants none; set model to released or auto"
        return None

    def expected(self, view: View, columns: Sequence[Column], *, rng: np.random.Generator) -> Expected:
        """Return what is expected of the targets in these randomised columns.

        Parameters
        ----------
        view : View
            A view that is not skipped; whose reports are the targets' is not looked at.
        columns : sequence of Column
            Randomised ones.
        rng : Generator
            Draws the people who are learnt from where they are too many.
        """
        release = reports_of(view)
        public = view.population if self.model != "released" else None
        alone = self.model == "public" and public is not None
        reference = public if alone and public is not None else release.clear
        known = view.targets.schema.names if self.prior == "model" else ()
        names = tuple(name for name in known if name in reference.schema)
        encoder = Encoder.of(reference, names)
        groups = []
        if not alone:
            rows = self._sample(release, columns, rng)
            groups.append(Group(encoder(release.clear.take(rows)), Evidence(release, rows, self.cells), self.cells))
        if public is not None:
            groups.append(Group(encoder(public), public, self.cells))
        return Expected(release, encoder(view.targets), tuple(groups), self.prior, self.penalty, self.cells)

    def _sample(self, release: Reports, columns: Sequence[Column], rng: np.random.Generator) -> NDArray[np.int64]:
        everyone = release.private_records
        wanted = {column.name for column in columns}
        answered = [len(one.reports) / max(1, everyone) for one in release.reported if one.column.name in wanted]
        width = sum(column_size(column, self.cells) for column in columns)
        enough = math.ceil(_PEOPLE / max(min(answered, default=1.0), 1e-3))
        most = min(enough, max(_NUMBERS // max(1, width), 1000))
        if everyone <= most:
            return np.arange(everyone)
        return np.sort(rng.choice(everyone, size=most, replace=False))


def _whole(release: Reports, column: Column) -> tuple[Floats, Floats]:
    """Return the likelihood of a discrete column's values given all reports, and how many people each row stands for.

    Equal reports are one row where a person has sent one; else, of more people than memory allows, it is that of
    evenly spaced ones.
    """
    reported = release.of(column.name)
    if len(reported) == 1 and reported[0].reports.ndim == 1:
        one = reported[0]
        distinct, counts = np.unique(one.reports, return_counts=True)
        if len(distinct) * column.size <= _NUMBERS and isinstance(one.oracle, FrequencyOracle):
            logs = one.oracle.log_likelihood(distinct)
            return np.exp(logs - logs.max(axis=1, keepdims=True)), counts.astype(np.float64)
    everyone = release.private_records
    some = min(everyone, max(_NUMBERS // column.size, 1000))
    logs = release.log_likelihood(column.name, np.arange(some) * everyone // some if some else np.arange(0))
    return np.exp(logs - logs.max(axis=1, keepdims=True)), np.ones(some)
