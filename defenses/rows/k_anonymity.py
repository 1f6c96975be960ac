"""k-anonymity by a multidimensional partition (Mondrian): nobody's quasi-identifiers are shared by fewer than k."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defenses.rows.classes import class_median, class_mode
from defenses.rows.columns import check_columns, chosen, ranks
from privbench.errors import InputError
from privbench.release import AlteredRows
from privbench.schema import Kind
from privbench.table import Table

__all__ = ["KAnonymity"]


@dataclass(frozen=True)
class KAnonymity:
    """Give every record the quasi-identifiers of a class of at least k similar ones (Mondrian); no guarantee of DP.

    The records are cut in two at a median, and each half again, across the column in which they spread most (relative
    to its domain; categories stand in order of how common they are), as long as both sides keep k records. Equal values
    are never parted. A publisher would then print ranges; so that the release conforms to the schema, every class shows
    one value a column instead: a median of numbers and ordinal values (so some member's own), the mode of categories,
    ties broken at random.
    All other columns, the secrets above all, stay as they are: k-anonymity does not alter them. With fewer than k
    records all form one class.

    Parameters
    ----------
    k : int
        Fewest records that share one combination of released quasi-identifiers.
    diversity : int
        Fewest different values of each secret in a class (distinct l-diversity); 1 asks for nothing.
    columns : tuple of str or None
        The quasi-identifiers; None for every column that is not a secret.

    References
    ----------
    K. LeFevre, D. DeWitt and R. Ramakrishnan, "Mondrian Multidimensional K-Anonymity", ICDE 2006; L. Sweeney,
    "k-Anonymity: A Model for Protecting Privacy", IJUFKS 2002; A. Machanavajjhala et al., "l-Diversity: Privacy Beyond
    k-Anonymity", TKDD 2007.
    """

    k: int = 5
    diversity: int = 1
    columns: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.k < 1 or self.diversity < 1:
            raise InputError(f"k and diversity must be at least 1, got {self.k} and {self.diversity}")
        check_columns(self.columns)

    def release(self, train: Table, *, rng: np.random.Generator) -> AlteredRows:
        """Return the records with the quasi-identifiers of their classes.

        Raises
        ------
        InputError
            If there is no quasi-identifier, there are fewer than k records, or
            a secret has fewer different values than `diversity` asks for.
        """
        schema = train.schema
        names = chosen(self.columns, train, default=schema.without(schema.secrets).names)
        secrets = [train[name] for name in schema.secrets] if self.diversity > 1 else []
        if self.diversity > 1 and not secrets:
            raise InputError(f"diversity {self.diversity} needs a secret; name one, or leave diversity out")
        if not self._diverse(secrets, np.arange(len(train))):
            raise InputError(
                f"diversity {self.diversity} cannot be had: a secret has fewer different values in the "
                f"{len(train)} records; lower it"
            )
        if self.k > len(train):
            raise InputError(f"k {self.k} cannot be had with {len(train)} records; lower k, or give more records")
        order = {name: ranks(schema[name], train[name]) for name in names}
        # which of two equally wide columns is cut is a matter of chance
        turned = [names[place] for place in rng.permutation(len(names))]
        classes = self._partition(np.column_stack([order[name] for name in turned]), secrets)
        altered: dict[str, NDArray[Any]] = {}
        for name in names:
            column, values = schema[name], train[name]
            altered[name] = (
                class_mode(values, column.size, classes, rng=rng)
                if column.kind is Kind.CATEGORICAL
                else class_median(values, order[name], classes, rng=rng)
            )
        return AlteredRows(train.replace(altered), private_records=len(train), altered=names)

    def _partition(self, points: NDArray[np.float64], secrets: list[NDArray[Any]]) -> NDArray[np.int64]:
        """Return the class of each of the ``(n, d)`` points."""
        classes = np.zeros(len(points), dtype=np.int64)
        found = 0
        waiting = [np.arange(len(points))]
        while waiting:
            rows = waiting.pop()
            halves = self._cut(points[rows], rows, secrets)
            if halves is None:
                classes[rows] = found
                found += 1
            else:
                waiting += halves
        return classes

    def _cut(
        self, block: NDArray[np.float64], rows: NDArray[np.int64], secrets: list[NDArray[Any]]
    ) -> list[NDArray[np.int64]] | None:
        """Return the two halves across the widest column that can be cut, or None if none can."""
        size = len(rows)
        if size < 2 * self.k:
            return None
        ordered = np.sort(block, axis=0)
        # row p of `edges`: whether a cut after the p + k lowest parts different values
        edges = ordered[self.k - 1 : size - self.k] < ordered[self.k : size - self.k + 1]
        width = np.where(edges.any(axis=0), ordered[-1] - ordered[0], 0.0)
        for column in np.argsort(-width, kind="stable"):
            if width[column] == 0:
                break
            places = np.flatnonzero(edges[:, column]) + self.k
            place = places[np.abs(2 * places - size).argmin()]
            low = block[:, column] < ordered[place, column]
            halves = [rows[low], rows[~low]]
            if all(self._diverse(secrets, half) for half in halves):
                return halves
        return None

    def _diverse(self, secrets: list[NDArray[Any]], rows: NDArray[np.int64]) -> bool:
        return all(len(np.unique(secret[rows])) >= self.diversity for secret in secrets)
