"""A random forest that learns the secret from the known columns of the released rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from attacks.learner import learn, skip_without_rows
from attacks.leaves import forest_guess
from privbench.contracts import Guess, View
from privbench.errors import InputError

__all__ = ["RandomForest"]

# a forest keeps a number for each value in each leaf: gigabytes where there are thousands
_VALUES = 100


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
        return skip_without_rows(view, "a random forest")

    def infer(self, view: View, *, rng: np.random.Generator) -> Guess:
        """Return the forest's mean leaf shares; for a continuous secret the mean and spread of the trees.

        A secret with many values in the release gets trees that tell cells of them apart, and the values of the rows in
        a target's leaves.
        """
        settings = {"n_estimators": self.trees, "max_depth": self.depth, "min_samples_leaf": self.leaf, "n_jobs": 1}
        many = [
            secret
            for secret in view.secrets
            if secret.discrete and np.count_nonzero(view.release.marginal(secret.name)) > _VALUES
        ]
        few = tuple(secret for secret in view.secrets if secret not in many)
        guess = learn(
            replace(view, secrets=few),
            classifier=("sklearn.ensemble:RandomForestClassifier", settings),
            regressor=("sklearn.ensemble:RandomForestRegressor", settings),
            deviation=lambda forest, people: np.std([tree.predict(people) for tree in forest.estimators_], axis=0),
            rng=rng,
        )
        answers = dict(guess.answers)
        for secret in many:
            alone = replace(view, secrets=(secret,))
            answers |= forest_guess(alone, trees=self.trees, depth=self.depth, leaf=self.leaf, rng=rng).answers
        return Guess(answers, guess.spread)
