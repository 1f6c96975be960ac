"""For every value of the secret the closest released row that has it: the closer, the likelier."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attacks.gower import distances, same
from attacks.learner import left, skip_without_rows
from privbench.contracts import Guess, View
from privbench.errors import InputError

__all__ = ["ClosestRecord"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ClosestRecord:
    """Compare a target, once with each value of the secret, with the released row closest to it.

    A value counts as much as its closest row is near: the probability falls by e for each `scale` of distance. So the
    answer says how much closer the best row is than the best one with another value, which a vote does not. Rows are
    compared as in `nearest-neighbour`. For a continuous secret the answer is the closest row's value.

    Parameters
    ----------
    scale : float or None
        Distance, in columns, that makes a value e times less likely; None for the mean distance from targets to their
        closest row, and at least a thousandth of a column.

    References
    ----------
    P.-H. Lu, P.-C. Wang and C.-M. Yu, "Empirical Evaluation on Synthetic Data Generation with Generative Adversarial
    Network", WIMS 2019 (distance to the closest record).
    """

    scale: float | None = None

    def __post_init__(self) -> None:
        if self.scale is not None and not self.scale > 0:
            raise InputError(f"scale must be positive or None, got {self.scale}")

    def skip(self, view: View) -> str | None:
        """Return a reason unless the release is a table with at least one row, and something is known of a target."""
        if not view.targets.schema.names:
            return "it compares records in their known columns, and none is known"
        return skip_without_rows(view, "a comparison with the closest record")

    def infer(self, view: View, *, rng: np.random.Generator) -> Guess:
        """Return the values' probabilities; for a continuous secret the mean of the closest rows and their spread."""
        answers: dict[str, Floats] = {}
        spread: dict[str, Floats] = {}
        for secret in view.secrets:
            shown = left(view, secret)
            values = view.release.values(secret.name)[shown]
            if secret.discrete:
                # rows sorted by value: the closest of each value is a minimum over a stretch
                order = np.argsort(values, kind="stable")
                present, start = np.unique(values[order], return_index=True)
                closest = np.full((len(view.targets), secret.size), np.inf)
                for block, distance in distances(view, shown[order]):
                    closest[block, present] = np.minimum.reduceat(distance, start, axis=1)
                nearest = closest.min(axis=1, keepdims=True)
                scale = self.scale or max(float(nearest.mean()), 1e-3)
                weights = np.exp((nearest - closest) / scale)
                answers[secret.name] = weights / weights.sum(axis=1, keepdims=True)
            else:
                answers[secret.name], spread[secret.name] = _of_the_closest(view, shown, values.astype(np.float64))
        return Guess(answers, spread)


def _of_the_closest(view: View, shown: NDArray[np.intp], values: Floats) -> tuple[Floats, Floats]:
    mean, apart = np.empty(len(view.targets)), np.empty(len(view.targets))
    for block, distance in distances(view, shown):
        near = distance <= same(distance.min(axis=1, keepdims=True), len(view.targets.schema.columns))
        mean[block] = near @ values / near.sum(axis=1)
        squares = near @ np.square(values - values.mean()) / near.sum(axis=1)
        apart[block] = np.sqrt(np.maximum(squares - np.square(mean[block] - values.mean()), 0))
    return mean, apart
