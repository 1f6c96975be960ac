"""The claim that is put to the test: given by hand, or stated by a release; and what a release costs."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np

from privbench.claim import Adjacency, Claim
from privbench.contracts import Defense
from privbench.dataset import Dataset
from privbench.errors import InputError, PrivbenchError
from privbench.rng import stream
from privbench.schema import Schema
from privbench.verifying.failures import in_one_line
from privbench.verifying.neighbours import column_sets, neighbours

__all__ = ["NOTHING", "Asked", "stated_on_data", "try_on_tiny"]

# a first release may have imported a library: one that took longer is made again
_QUICK = 0.03


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the claim was given by hand, each None if it was not.

    Parameters
    ----------
    epsilon, delta : float or None
    adjacency : str or None
    """

    epsilon: float | None
    delta: float | None
    adjacency: str | None

    @property
    def given(self) -> bool:
        """Whether any part of it was."""
        return (self.epsilon, self.delta, self.adjacency) != (None, None, None)

    def complete(self, own: Claim | None) -> Claim:
        """Return the claim to test: what was given, else what a release states.

        Raises
        ------
        InputError
            If neither says an epsilon, or what was given is no claim.
        """
        epsilon = self.epsilon if self.epsilon is not None else None if own is None else own.epsilon
        if epsilon is None:
            raise InputError("the defense claims no guarantee; give --epsilon (and --delta, --adjacency) to test one")
        delta = self.delta if self.delta is not None else own.delta if own is not None else 0.0
        adjacency = self.adjacency or (own.adjacency if own is not None else Adjacency.REPLACE_ONE)
        if not (epsilon > 0 and epsilon < 500 and 0 <= delta < 1):
            raise InputError(
                f"a claim has an epsilon above 0 and below 500 and a delta in [0, 1); got {epsilon}, {delta}"
            )
        return Claim(epsilon, delta, Adjacency(adjacency), own.assumes if own is not None else ())


NOTHING = Asked(None, None, None)
"""Where the claim is what a release says of itself."""


def try_on_tiny(defense: Defense, schema: Schema, seed: int) -> tuple[Claim | None, float] | None:
    """Return what a release of a tiny data set claims, and its seconds; None if the mechanism fails on all of them."""
    fixed = getattr(defense, "columns", None)
    sets = column_sets(schema, fixed if isinstance(fixed, tuple) else ())
    for names in (*sets[::-1], schema.names):
        for pair in neighbours(schema.select(names), adjacency=Adjacency.REPLACE_ONE):
            seconds, release = math.inf, None
            try:
                for again in range(3):
                    started = time.perf_counter()
                    release = defense.release(pair.first, rng=stream(seed, "verify try", pair.name, str(again)))
                    seconds = min(seconds, time.perf_counter() - started)
                    if seconds < _QUICK:
                        break
            except Exception:  # a user's code may raise anything; another shape may do
                continue
            if release is not None:
                return release.claim, seconds
    return None


def stated_on_data(defense: Defense, data: Dataset, seed: int, *, records: int) -> Claim | None:
    """Return what a release of so many records of the data set claims: of another number it may claim another thing."""
    rng = stream(seed, "verify records", data.name)
    rows = rng.permutation(len(data.records))[:records]
    train = data.records.take(np.sort(rows))
    train = train.with_schema(train.schema.with_secrets(train.schema.names))
    try:
        return defense.release(train, rng=stream(seed, "verify claim")).claim
    except PrivbenchError:
        raise
    except Exception as error:  # a user's code may raise anything
        raise InputError(f"the defense fails: {in_one_line(error)}; it cannot be tested") from error
