"""The released rows that are nearest to a target in the known columns, and what they say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attacks.gower import distances, same
from attacks.learner import left, skip_without_rows
from privbench.contracts import Guess, View
from privbench.errors import InputError
from privbench.schema import Column

__all__ = ["NearestNeighbour"]

Floats = NDArray[np.float64]


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
    weighted : bool
        Count a vote by the inverse of its distance; otherwise all are alike.

    References
    ----------
    J. Gower, "A General Coefficient of Similarity and Some of Its Properties", Biometrics 1971; as an inference attack:
    M. Giomi et al., "A Unified Framework for Quantifying Privacy Risk in Synthetic Data", PoPETs 2023.
    """

    neighbours: int = 1
    weighted: bool = False

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise InputError(f"neighbours must be at least 1, got {self.neighbours}")

    def skip(self, view: View) -> str | None:
        """Return a reason unless the release is a table with at least one row."""
        return skip_without_rows(view, "a vote of neighbours")

    def infer(self, view: View, *, rng: np.random.Generator) -> Guess:
        """Return the shares of the neighbours' values; for a continuous secret their mean and spread."""
        people = len(view.targets)
        answers: dict[str, Floats] = {}
        spread: dict[str, Floats] = {}
        for shown, secrets in _by_rows_that_show(view):
            for secret in secrets:
                answers[secret.name] = np.empty((people, secret.size) if secret.discrete else people)
                if not secret.discrete:
                    spread[secret.name] = np.empty(people)
            values = {secret.name: view.release.values(secret.name)[shown] for secret in secrets}
            for block, distance in distances(view, shown):
                target, row, weight = self._votes(distance, len(view.targets.schema.columns))
                asked = len(distance)
                total = np.bincount(target, weights=weight, minlength=asked)
                for secret in secrets:
                    voted = values[secret.name][row]
                    if secret.discrete:
                        size = secret.size
                        counts = np.bincount(target * size + voted, weights=weight, minlength=asked * size)
                        answers[secret.name][block] = counts.reshape(asked, size) / total[:, None]
                    else:
                        mean = np.bincount(target, weights=weight * voted, minlength=asked) / total
                        squares = weight * np.square(voted - mean[target])
                        answers[secret.name][block] = mean
                        spread[secret.name][block] = np.sqrt(
                            np.bincount(target, weights=squares, minlength=asked) / total
                        )
        return Guess(answers, spread)

    def _votes(self, distance: Floats, columns: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
        """Return who votes for whom with what weight: positions in the block, and of the rows as near as the k-th."""
        place = min(self.neighbours, distance.shape[1]) - 1
        kth = np.partition(distance, place, axis=1)[:, place] if place else distance.min(axis=1)
        people, rows = np.nonzero(distance <= same(kth, columns)[:, None])
        if not self.weighted:
            return people, rows, np.ones(len(people))
        # the nearest counts 1, one twice as far away a half; beside rows at no distance none other counts
        nearest = distance.min(axis=1)[people]
        own = distance[people, rows]
        return people, rows, np.where(own > 0, nearest / np.where(own > 0, own, 1), 1.0)


def _by_rows_that_show(view: View) -> list[tuple[NDArray[np.intp], list[Column]]]:
    """Return the secrets in groups whose values stand in the same rows: one measuring of distances does for all."""
    groups: dict[bytes, tuple[NDArray[np.intp], list[Column]]] = {}
    for secret in view.secrets:
        shown = left(view, secret)
        groups.setdefault(shown.tobytes(), (shown, []))[1].append(secret)
    return list(groups.values())
