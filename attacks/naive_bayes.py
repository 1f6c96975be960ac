"""Naive Bayes: each known column speaks for itself about the secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attacks.learner import left, skip_without_rows
from privbench.contracts import Guess, View
from privbench.errors import InputError
from privbench.table import bin_count, to_bins

__all__ = ["NaiveBayes"]


@dataclass(frozen=True)
class NaiveBayes:
    """Multiply, for every value of the secret, how common it is with how common each known value is beside it.

    Shares are counted in the released rows; numbers, a continuous secret too, are cut into cells of equal width.

    Parameters
    ----------
    bins : int
        Cells of a continuous column.
    smoothing : float
        Rows added to every cell, positive: a combination never released remains possible.

    References
    ----------
    D. Hand and K. Yu, "Idiot's Bayes: Not So Stupid after All?", International Statistical Review 69, 2001.
    """

    bins: int = 20
    smoothing: float = 0.5

    def __post_init__(self) -> None:
        if self.bins < 1 or not self.smoothing > 0:
            raise InputError(f"bins must be at least 1 and smoothing positive, got {self.bins} and {self.smoothing}")

    def skip(self, view: View) -> str | None:
        """Return a reason unless the release is a table with at least one row."""
        return skip_without_rows(view, "naive Bayes")

    def infer(self, view: View, *, rng: np.random.Generator) -> Guess:
        """Return the posterior; for a continuous secret its mean and spread over the cells' mean values."""
        from scipy.special import softmax

        columns = view.targets.schema.columns
        answers: dict[str, NDArray[np.float64]] = {}
        spread: dict[str, NDArray[np.float64]] = {}
        for secret in view.secrets:
            shown = left(view, secret)
            values = view.release.values(secret.name)[shown]
            cells, size = to_bins(secret, values, bins=self.bins), bin_count(secret, self.bins)
            counts = np.bincount(cells, minlength=size)
            logs = np.tile(np.log(counts + self.smoothing), (len(view.targets), 1))
            for column in columns:
                own = bin_count(column, self.bins)
                seen = to_bins(column, view.release.values(column.name)[shown], bins=self.bins)
                table = np.bincount(seen * size + cells, minlength=own * size).reshape(own, size) + self.smoothing
                asked = to_bins(column, view.targets[column.name], bins=self.bins)
                logs += np.log(table / table.sum(axis=0))[asked]
            posterior = softmax(logs, axis=1)
            if secret.discrete:
                answers[secret.name] = posterior
            else:
                middles = _means(values, cells, counts, float(values.mean()))
                answers[secret.name] = posterior @ middles
                squares = posterior @ np.square(middles) - np.square(answers[secret.name])
                spread[secret.name] = np.sqrt(np.maximum(squares, 0))
        return Guess(answers, spread)


def _means(
    values: NDArray[Any], cells: NDArray[np.int64], counts: NDArray[np.int64], otherwise: float
) -> NDArray[np.float64]:
    """Return the mean released value in each cell."""
    sums = np.bincount(cells, weights=values, minlength=len(counts))
    return np.where(counts > 0, sums / np.maximum(counts, 1), otherwise)
