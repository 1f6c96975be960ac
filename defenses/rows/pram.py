"""PRAM, the post-randomisation method: every value is kept with a known probability, else drawn anew."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from defenses.rows.columns import check_columns, chosen
from privbench.claim import Adjacency, Claim
from privbench.errors import InputError
from privbench.release import AlteredRows
from privbench.schema import Column, Schema
from privbench.table import Table, from_bins

__all__ = ["Pram"]


@dataclass(frozen=True)
class Pram:
    r"""Keep each value with probability `keep`, and draw it anew otherwise, every column on its own.

    The Markov matrix of a column with k values and marginal :math:`\pi` is :math:`c I + (1 - c) 1 \pi^\top`, c being
    `keep`: it leaves the marginal as it is on average (invariant PRAM), but it is made of the data, so nothing is
    claimed. With uniform draws it is :math:`c I + (1 - c) 1 1^\top / k`, the generalised randomised response, and a
    record is altered without a look at the others: then, if every column is altered and none holds real numbers, the
    release states the local budget

    .. math:: \epsilon = \sum_j \ln \left(1 + \frac{c k_j}{1 - c}\right)

    over the columns with more than one value. A continuous column is treated as one whose categories are its numbers.
    Uniform draws of real numbers, or a column left out, void the claim, as a true value may then be told for certain.

    Parameters
    ----------
    keep : float
        Probability that a value is not drawn anew, more than 0 and at most 1; a new draw may hit the old value.
    draw : str
        Where new values come from: marginal, the column's own values; uniform, its domain.
    columns : tuple of str or None
        The columns that are altered; None for all, secrets included.

    References
    ----------
    J. Gouweleeuw, P. Kooiman, L. Willenborg and P.-P. de Wolf, "Post Randomisation for Statistical Disclosure Control:
    Theory and Implementation", Journal of Official Statistics 1998; S. Warner, "Randomized Response", JASA 1965.
    """

    keep: float = 0.8
    draw: Literal["marginal", "uniform"] = "marginal"
    columns: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if not 0 < self.keep <= 1:
            raise InputError(f"keep must be more than 0 and at most 1, got {self.keep}")
        if self.draw not in ("marginal", "uniform"):
            raise InputError(f"draw: got {self.draw!r}; allowed: marginal, uniform")
        check_columns(self.columns)

    def release(self, train: Table, *, rng: np.random.Generator) -> AlteredRows:
        """Return the records with some of their values drawn anew."""
        names = chosen(self.columns, train, default=train.schema.names)
        altered = {}
        for name in names:
            column, values = train.schema[name], np.array(train[name])
            lost = np.flatnonzero(rng.random(len(values)) >= self.keep)
            if self.draw == "uniform":
                values[lost] = _from_domain(column, len(lost), rng)
            else:
                values[lost] = train[name][rng.integers(len(values), size=len(lost))]
            altered[name] = values
        claim = self._claim(train.schema, names)
        return AlteredRows(train.replace(altered), private_records=len(train), claim=claim, altered=names)

    def _claim(self, schema: Schema, names: tuple[str, ...]) -> Claim | None:
        """Return the guarantee of one record on its own, where there is one."""
        counts = [_values(column) for column in schema.columns]
        if self.draw == "marginal" or names != schema.names or self.keep == 1 or math.inf in counts:
            return None
        epsilon = math.fsum(math.log1p(self.keep * k / (1 - self.keep)) for k in counts if k > 1)
        if epsilon == 0:
            return None
        said = ["probabilities are exact to about 1e-16, that of double-precision arithmetic"]
        if undeclared := schema.undeclared():
            said.append(f"the domains of {', '.join(undeclared)} are public, though they were read off the file")
        return Claim(epsilon, 0.0, Adjacency.LOCAL, tuple(said))


def _values(column: Column) -> float:
    """Return the number of values in the domain; no number where uniform draws do not hit each of them."""
    if column.discrete:
        return column.size
    return int(column.range) + 1 if column.integer and float(column.low).is_integer() else math.inf


def _from_domain(column: Column, size: int, rng: np.random.Generator) -> NDArray[Any]:
    """Draw values uniformly: codes, whole numbers, or reals between the bounds."""
    if column.discrete:
        return rng.integers(column.size, size=size)
    return from_bins(column, np.zeros(size, dtype=np.int64), bins=1, rng=rng)
