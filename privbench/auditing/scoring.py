"""What a guess of one column is worth, person by person."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from privbench.contracts import Guess
from privbench.schema import Column
from privbench.scorers.estimate import hit_shares
from privbench.scorers.intervals import Floats
from privbench.scorers.leakage_continuous import TOLERANCE
from privbench.table import Table

__all__ = ["hits_of", "majority", "metric_of"]


def metric_of(column: Column) -> str:
    """Return the metric by which guesses of a column are judged."""
    return "accuracy" if column.discrete else "within_tolerance"


def hits_of(column: Column, guess: Guess, truth: NDArray[Any]) -> Floats:
    """Return how right a guess is of each person, ``(n,)`` in [0, 1]: ties as their share, numbers 0 or 1."""
    if column.discrete:
        return hit_shares(guess.answers[column.name], truth.astype(np.intp))
    return _near(column, guess.answers[column.name], truth)


def majority(column: Column, release: Table, people: Table) -> float:
    """Return the score on people of always saying the value that the release has most often; its median if numbers."""
    values, truth = release[column.name], people[column.name]
    if column.discrete:
        return float((truth == np.bincount(values, minlength=column.size).argmax()).mean())
    return float(_near(column, np.full(len(truth), np.median(values)), truth).mean())


def _near(column: Column, guess: Floats, truth: Floats) -> Floats:
    # whole numbers at the very edge of the tolerance must not fall to rounding
    reach = (TOLERANCE + 1e-9) * column.range
    return (np.abs(np.clip(guess, column.low, column.high) - truth) <= reach).astype(float)
