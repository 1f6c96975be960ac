"""The released rows that are nearest to a target in the known columns, and what they say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attacks.learner import left, skip_without_rows
from attacks.votes import Votes, nearest
from privbench.contracts import Guess, View
from privbench.errors import InputError
from privbench.schema import Column

__all__ = ["NearestNeighbour"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class NearestNeighbour:
    """Let the k released rows nearest in the known columns vote, all those as near as the k-th included.

    The distance is Gower's: a mean over columns of 0 or 1 for a category, of the difference relative to the domain's
    range for a number (in ranks for an ordinal one), and 1 between a missing value and any other. The search is exact.

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
        answers: dict[str, Floats] = {}
        spread: dict[str, Floats] = {}
        for shown, secrets in _by_rows_that_show(view):
            votes = nearest(view, shown, secrets, self.neighbours)
            found = votes.answers(self._weight(votes) if self.weighted else None)
            answers |= found[0]
            spread |= found[1]
        return Guess(answers, spread)

    def _weight(self, votes: Votes) -> Floats:
        """Return what each vote counts: the nearest 1, one twice as far away a half."""
        first = np.flatnonzero(np.diff(votes.target, prepend=-1))
        closest = np.repeat(votes.distance[first], np.diff(first, append=len(votes.target)))
        # beside rows at no distance none other counts
        return np.where(votes.distance > 0, closest / np.where(votes.distance > 0, votes.distance, 1), 1.0)


def _by_rows_that_show(view: View) -> list[tuple[NDArray[np.intp], list[Column]]]:
    """Return the secrets in groups whose values stand in the same rows: one measuring of distances does for all."""
    groups: dict[bytes, tuple[NDArray[np.intp], list[Column]]] = {}
    for secret in view.secrets:
        shown = left(view, secret)
        groups.setdefault(shown.tobytes(), (shown, []))[1].append(secret)
    return list(groups.values())
