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
from privbench.table import one_hot

__all__ = ["NearestNeighbour"]

# a block of distances: 32 MB
_BLOCK = 8_000_000
# two distances that differ by rounding only are the same
_ROUNDING = 1e-5


@dataclass(frozen=True)
class NearestNeighbour:
    """Let the k released rows nearest in the known columns vote, all those as near as the k-th included.

    The distance is Gower's: a mean over columns of 0 or 1 for a category, of the difference relative to the domain's
    range for a number. It is exact, computed for a block of targets at a time.

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
            votes = self._votes(released, asked, block, number)
            for secret in view.secrets:
                values = rows[secret.name]
                if secret.discrete:
                    answers[secret.name].append((votes @ one_hot(values, secret.size)).astype(np.float64))
                else:
                    mean = votes @ values
                    answers[secret.name].append(mean)
                    squares = votes @ np.square(values.astype(np.float64)) - mean**2
                    spread[secret.name].append(np.sqrt(np.maximum(squares, 0)))
        return Guess(
            {name: _normalised(np.concatenate(parts)) for name, parts in answers.items()},
            {name: np.concatenate(parts) for name, parts in spread.items()},
        )

    def _votes(
        self, released: list[NDArray[Any]], asked: list[NDArray[Any]], block: slice, number: int
    ) -> NDArray[np.float64]:
        """Return the ``(targets of the block, rows)`` weights of the votes, each row summing to 1."""
        distance = np.zeros((block.stop - block.start, number), dtype=np.float32)
        for row, target in zip(released, asked, strict=True):
            if np.issubdtype(row.dtype, np.integer):
                distance += target[block, None] != row
            else:
                distance += np.abs(target[block, None] - row)
        kth = np.partition(distance, min(self.neighbours, number) - 1, axis=1)[:, min(self.neighbours, number) - 1]
        near = distance <= kth[:, None] + _ROUNDING
        return near / near.sum(axis=1, keepdims=True)


def _scaled(arrays: dict[str, NDArray[Any]], columns: tuple[Column, ...]) -> list[NDArray[Any]]:
    """Return categories as they are, and numbers relative to the range of their domain."""
    scaled: list[NDArray[Any]] = []
    for column in columns:
        array = arrays[column.name]
        if column.kind is Kind.CATEGORICAL:
            scaled.append(array)
        else:
            width = column.size - 1 if column.discrete else column.range
            scaled.append((array / (width or 1)).astype(np.float32))
    return scaled


def _normalised(answer: NDArray[np.float64]) -> NDArray[np.float64]:
    return answer / answer.sum(axis=1, keepdims=True) if answer.ndim == 2 else answer
