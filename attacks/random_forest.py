"""A random forest that learns the secret from the known columns of the released rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privbench.contracts import Guess, View
from privbench.errors import InputError
from privbench.release import SyntheticTable
from privbench.schema import Column

__all__ = ["RandomForest"]


@dataclass(frozen=True)
class RandomForest:
    """Train a random forest on the synthetic rows to predict each secret from the known columns.

    Parameters
    ----------
    trees : int
        Number of trees.
    depth : int or None
        Greatest depth of a tree; None grows every tree until its leaves are pure.
    leaf : int
        Fewest rows in a leaf.

    References
    ----------
    L. Breiman, "Random Forests", Machine Learning 2001; as an inference attack: T. Stadler, B. Oprisanu and
    C. Troncoso, "Synthetic Data - Anonymisation Groundhog Day", USENIX Security 2022.
    """

    trees: int = 50
    depth: int | None = None
    leaf: int = 1

    def __post_init__(self) -> None:
        if self.trees < 1 or self.leaf < 1 or (self.depth is not None and self.depth < 1):
            raise InputError(f"trees, depth and leaf must be at least 1; got {self.trees}, {self.depth}, {self.leaf}")

    def skip(self, view: View) -> str | None:
        """Return a reason unless the release is a table with at least one row."""
        if not isinstance(view.release, SyntheticTable):
            return "a random forest learns from released rows, and this release is not a table"
        return None if len(view.release.table) else "the release has no row to learn from"

    def infer(self, view: View, *, rng: np.random.Generator) -> Guess:
        """Return the forest's mean leaf shares; for a continuous secret the mean and spread of the trees."""
        names = view.targets.schema.names
        learn, ask = view.release.features(names), view.release.encode(view.targets, names)
        if not names:  # nothing is known: a forest needs one column, a constant says nothing
            learn, ask = np.zeros((len(learn), 1), np.float32), np.zeros((len(ask), 1), np.float32)
        answers, spread = {}, {}
        for secret in view.secrets:
            released = view.release.values(secret.name)
            if secret.discrete:
                answers[secret.name] = self._classify(learn, released, ask, secret, rng)
            else:
                answers[secret.name], spread[secret.name] = self._regress(learn, released, ask, rng)
        return Guess(answers, spread)

    def _classify(
        self,
        learn: NDArray[np.float32],
        released: NDArray[Any],
        ask: NDArray[np.float32],
        secret: Column,
        rng: np.random.Generator,
    ) -> NDArray[np.float64]:
        from sklearn.ensemble import RandomForestClassifier

        forest = RandomForestClassifier(
            self.trees, max_depth=self.depth, min_samples_leaf=self.leaf, random_state=_seed(rng), n_jobs=1
        )
        forest.fit(learn, released)
        posterior = np.zeros((len(ask), secret.size))
        posterior[:, forest.classes_] = forest.predict_proba(ask)
        return posterior

    def _regress(
        self,
        learn: NDArray[np.float32],
        released: NDArray[Any],
        ask: NDArray[np.float32],
        rng: np.random.Generator,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        from sklearn.ensemble import RandomForestRegressor

        forest = RandomForestRegressor(
            self.trees, max_depth=self.depth, min_samples_leaf=self.leaf, random_state=_seed(rng), n_jobs=1
        )
        forest.fit(learn, released)
        trees = np.stack([tree.predict(ask) for tree in forest.estimators_])
        return trees.mean(axis=0), trees.std(axis=0)


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31 - 1))
