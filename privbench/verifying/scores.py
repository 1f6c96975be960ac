"""Numbers by which releases of one data set may be told from those of its neighbour: read off, counted, or learnt."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from privbench.verifying.outcomes import Outcomes

__all__ = ["Classifier", "Number", "Scorer", "Seen", "classifiers", "seen"]

Floats = NDArray[np.float64]


class Scorer(Protocol):
    """A number for every run."""

    def __call__(self, outcomes: Outcomes) -> Floats:
        """Return one number a run."""
        ...


@dataclass(frozen=True, slots=True)
class Number:
    """One of the numbers as it is."""

    place: int

    def __call__(self, outcomes: Outcomes) -> Floats:
        """Return that number."""
        return outcomes.numbers[:, self.place]


@dataclass(frozen=True, slots=True)
class Seen:
    """How much more often the same release was seen on the first data set than on the second, as a log ratio."""

    known: Mapping[int, float]

    def __call__(self, outcomes: Outcomes) -> Floats:
        """Return it for each run's release, 0 for one not seen before."""
        return np.array([self.known.get(int(one), 0.0) for one in outcomes.prints])


@dataclass(frozen=True, slots=True)
class Classifier:
    """The score of a fitted model that tells the first data set from the second."""

    model: Any
    centre: Floats
    spread: Floats

    def __call__(self, outcomes: Outcomes) -> Floats:
        """Return the probability that the model gives the first data set."""
        given = (outcomes.numbers - self.centre) / self.spread
        return np.asarray(self.model.predict_proba(given)[:, 1], dtype=np.float64)


def seen(first: Outcomes, second: Outcomes) -> Seen:
    """Return the score by how often each release was seen on either."""
    counts: dict[int, list[int]] = {}
    for side, outcomes in enumerate((first, second)):
        for one in outcomes.prints:
            counts.setdefault(int(one), [0, 0])[side] += 1
    # seen once tells nothing where every release is another one
    told = {one: math.log((a + 0.5) / (b + 0.5)) for one, (a, b) in counts.items() if a + b > 1}
    return Seen(told)


def classifiers(first: Outcomes, second: Outcomes, *, seed: int) -> list[tuple[str, Scorer]]:
    """Return the scores of models fitted to runs of both, with their names; none if no number differs."""
    numbers = np.concatenate([first.numbers, second.numbers])
    side = np.repeat([1, 0], [len(first.prints), len(second.prints)])
    centre, spread = numbers.mean(axis=0), numbers.std(axis=0)
    if not spread.any():
        return []
    spread = np.where(spread > 0, spread, 1.0)
    given = (numbers - centre) / spread
    from lightgbm import LGBMClassifier
    from sklearn.linear_model import LogisticRegression

    boosted = LGBMClassifier(
        n_estimators=60, num_leaves=8, learning_rate=0.1, min_child_samples=20, n_jobs=1, verbose=-1,
        random_state=seed, deterministic=True, force_row_wise=True,
    )  # fmt: skip
    logistic = LogisticRegression(C=0.05, max_iter=500, tol=1e-3)
    found: list[tuple[str, Any]] = [("logistic regression", logistic), ("boosted trees", boosted)]
    fitted = [(name, model.fit(given, side)) for name, model in found]
    return [(f"the score of {name} on the release", Classifier(model, centre, spread)) for name, model in fitted]
