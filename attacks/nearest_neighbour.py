"""The released rows that are nearest to a target in the known columns, and what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privbench.contracts import Guess, View
from privbench.errors import InputError
from privbench.release import SyntheticTable
from privbench.schema import Column, Kind

__all__ = ["NearestNeighbour"]

# a block of distances: 32 MB
_BLOCK = 4_000_000
# two sums of that many differences, each at most 1, may be the same and yet differ by so much a term
_ROUNDING = 4 * np.finfo(np.float64).eps
# lies a whole range or more from every number
_MISSING = -1.0


@dataclass(frozen=True)
class NearestNeighbour:
    """Let the k released rows nearest in the known columns vote, all those as near as the k-th included.

    The distance is Gower's: a mean over columns of 0 or 1 for a category, of the difference relative to the domain's
    range for a number (in ranks for an ordinal one), and 1 between a missing value and any other. It is exact, computed
    for a block of targets at a time.

    Parameters
    ----------
    neighbours : int
        k, the fewest rows that vote.

    References
    ----------
    J. Gower, "A General Coefficient of Similarity and Some of Its Properties", Biometrics 1971; as an inference attack:
    M. Giomi et al., "A Unified Framework for Quantifying Privacy Risk in Synthetic Data", PoPETs 2023.
    """

    neighbours: int = 1

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise InputError(f"neighbours must be at least 1, got {self.neighbours}")

    def skip(self, view: View) -> str | None:
        """Return a reason unless the release is a table with at least one row."""
        if not isinstance(view.release, SyntheticTable):
            return "neighbours are looked for among released rows, and this release is not a table"
        return None if len(view.release.table) else "the release has no row to compare with"

    def infer(self, view: View, *, rng: np.random.Generator) -> Guess:
        """Return the shares of the neighbours' values; for a continuous secret their mean and spread."""
        names = view.targets.schema.names
        rows = {secret.name: view.release.values(secret.name) for secret in view.secrets}
        number = len(next(iter(rows.values())))
        released = _scaled({name: view.release.values(name) for name in names}, view.targets.schema.columns)
        asked = _scaled({name: view.targets[name] for name in names}, view.targets.schema.columns)
        answers: dict[str, list[NDArray[np.float64]]] = {secret.name: [] for secret in view.secrets}
        spread: dict[str, list[NDArray[np.float64]]] = {s.name: [] for s in view.secrets if not s.discrete}
        step = max(1, _BLOCK // number)
        for start in range(0, len(view.targets), step):
            block = slice(start, min(start + step, len(view.targets)))
            target, row = self._nearest(released, asked, block, number)
            people = block.stop - block.start
            votes = np.bincount(target, minlength=people)
            for secret in view.secrets:
                values = rows[secret.name][row]
                if secret.discrete:
                    counts = np.bincount(target * secret.size + values, minlength=people * secret.size)
                    answers[secret.name].append(counts.reshape(people, secret.size) / votes[:, None])
                else:
                    mean = np.bincount(target, weights=values, minlength=people) / votes
                    answers[secret.name].append(mean)
                    squares = np.bincount(target, weights=np.square(values - mean[target]), minlength=people)
                    spread[secret.name].append(np.sqrt(squares / votes))
        return Guess(
            {name: np.concatenate(parts) for name, parts in answers.items()},
            {name: np.concatenate(parts) for name, parts in spread.items()},
        )

    def _nearest(
        self, released: list[NDArray[Any]], asked: list[NDArray[Any]], block: slice, number: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return who votes for whom: positions in the block, and of the rows as near as the k-th."""
        distance = np.zeros((block.stop - block.start, number))
        for row, target in zip(released, asked, strict=True):
            if np.issubdtype(row.dtype, np.integer):
                distance += target[block, None] != row
            else:
                apart = np.abs(target[block, None] - row)
                # only a missing value is further away than the whole range
                distance += np.minimum(apart, 1.0, out=apart)
        kth = np.partition(distance, min(self.neighbours, number) - 1, axis=1)[:, min(self.neighbours, number) - 1]
        near = distance <= kth[:, None] * (1 + _ROUNDING) + (kth[:, None] > 0) * len(released) * _ROUNDING
        people, rows = np.nonzero(near)
        return people, rows


def _scaled(arrays: dict[str, NDArray[Any]], columns: tuple[Column, ...]) -> list[NDArray[Any]]:
    """Return categories as they are, and numbers relative to the range of their domain."""
    scaled: list[NDArray[Any]] = []
    for column in columns:
        array = arrays[column.name]
        if column.kind is Kind.CATEGORICAL:
            scaled.append(array)
        elif column.discrete:
            present = np.array([value is not None for value in column.values])
            ranks = np.full(column.size, _MISSING)
            ranks[present] = np.linspace(0, 1, present.sum())
            scaled.append(ranks[array])
        else:
            scaled.append((array - column.low) / (column.range or 1.0))
    return scaled
