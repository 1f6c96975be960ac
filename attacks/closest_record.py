"""For every value of the secret the closest released row that has it: the closer, the likelier."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attacks.gower import collapse, measure, split
from attacks.learner import left, skip_without_rows
from attacks.votes import nearest
from privbench.contracts import Guess, View
from privbench.errors import InputError
from privbench.schema import Column

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
            if secret.discrete:
                closest = _closest(view, shown, secret)
                least = closest.min(axis=1, keepdims=True)
                scale = self.scale or max(float(least.sum()) / max(1, len(least)), 1e-3)
                weights = np.exp((least - closest) / scale)
                answers[secret.name] = weights / weights.sum(axis=1, keepdims=True)
            else:
                found = nearest(view, shown, [secret], 1).answers()
                answers |= found[0]
                spread |= found[1]
        return Guess(answers, spread)


def _closest(view: View, rows: NDArray[np.intp], secret: Column) -> Floats:
    """Return the distance from every target to the closest row with each value; infinite where no row has it."""
    targets = collapse(view)
    closest = np.full((len(targets), secret.size), np.inf)
    for block in split(rows):
        points = collapse(view, block, view.release.values(secret.name)[block])
        values = np.repeat(points.labels, np.diff(points.cells))
        for some, near, distance in measure(targets, points, closest):
            # points are ordered by value: the closest of each is a minimum over a stretch
            found = values[near]
            start = np.flatnonzero(np.diff(found, prepend=-1))
            least = np.minimum.reduceat(distance, start, axis=1)
            closest[some, found[start]] = np.minimum(closest[some, found[start]], least)
    return closest[targets.places]
