"""The value that most people have: what anyone could say who saw only the totals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privbench.contracts import Guess, View, each_secret
from privbench.reports import Reports
from privbench.schema import Column
from privbench.table import one_hot

__all__ = ["Majority"]


@dataclass(frozen=True)
class Majority:
    """Guess the release's most frequent value for everyone; the median of a continuous secret.

    References
    ----------
    None: a baseline, what no individual knowledge is needed for.
    """

    def skip(self, view: View) -> str | None:
        """Return a reason where the release does not have the secret as a column: else there always is a majority."""
        missing = [secret.name for secret in view.secrets if secret.name not in view.release.schema]
        return f"the release has no column {missing[0]!r}" if missing else None

    def infer(self, view: View, *, rng: np.random.Generator) -> Guess:
        """Return the same certain answer for every target."""
        return each_secret(view, lambda secret: self._answer(view, secret))

    def _answer(self, view: View, secret: Column) -> NDArray[np.float64]:
        people = len(view.targets)
        if secret.discrete:
            winner = int(view.release.marginal(secret.name).argmax())
            return one_hot(np.full(people, winner), secret.size).astype(np.float64)
        if isinstance(view.release, Reports) and secret.name in view.release:
            return np.full(people, view.release.mean(secret.name))
        values = view.release.values(secret.name)
        return np.full(people, np.median(values) if len(values) else (secret.low + secret.high) / 2)
