"""Releases of one's own, their targets' secrets drawn evenly, and what is seen in each. Not an attack itself."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attacks.kernels import Profiles
from attacks.known_rows import TARGETS, KnownRows
from attacks.learner import left
from attacks.reconstruction import Reconstruction
from attacks.release_features import WHOLE, ReleaseFeatures
from attacks.secret_cells import SecretCells
from attacks.target_queries import TargetQueries
from privbench.contracts import Defense, View
from privbench.errors import ContractError, PrivbenchError
from privbench.release import SyntheticTable

__all__ = ["QUERIES", "ShadowRelease", "Studio"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# features that are aimed at single targets
QUERIES = "queries"
# cells of a secret: each is to be seen in several shadows
_BINS, _MOST = 6, 20
# queries at least and at most, and numbers that all their answers are at most: 200 MB
_FEWEST_QUERIES, _MOST_QUERIES, _NUMBERS = 8, 48, 50_000_000
# parts of the records on which a mechanism is tried before it is given all, and fewest that are worth it
_PARTS, _PART = (64, 8), 8


@dataclass(frozen=True, slots=True, eq=False)
class ShadowRelease:
    """What is seen in a release.

    Parameters
    ----------
    cells : tuple of array of int, shape (T,)
        For each secret the targets' cells; empty for the real release.
    counts : tuple of array of shape (queries, combinations, cells)
        For each secret what the queries find.
    whole : array
        Features of the release as a whole.
    seconds : float
        How long it took.
    """

    cells: tuple[Ints, ...]
    counts: tuple[NDArray[np.float32], ...]
    whole: Floats
    seconds: float = 0.0

    def dump(self) -> bytes:
        """Return everything as one file."""
        file = io.BytesIO()
        arrays: dict[str, NDArray[Any]] = {f"cells{place}": cells for place, cells in enumerate(self.cells)}
        arrays |= {f"counts{place}": counts for place, counts in enumerate(self.counts)}
        np.savez_compressed(file, allow_pickle=False, whole=self.whole, seconds=np.array(self.seconds), **arrays)
        return file.getvalue()

    @classmethod
    def load(cls, content: bytes, studio: Studio) -> ShadowRelease | None:
        """Read a file; None if it is damaged or of another studio."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                found = dict(file)
        except (ValueError, OSError, EOFError, zipfile.BadZipFile):
            return None
        secrets = range(len(studio.cells))
        wanted = {"whole", "seconds", *(f"{what}{place}" for what in ("cells", "counts") for place in secrets)}
        if set(found) != wanted or found["whole"].shape != studio.real.whole.shape:
            return None
        cells, counts = (tuple(found[f"{what}{place}"] for place in secrets) for what in ("cells", "counts"))
        if any(mine.shape != real.shape for mine, real in zip(counts, studio.real.counts, strict=True)):
            return None
        return cls(cells, counts, found["whole"], float(found["seconds"]))


class Studio:
    """Where shadow releases are made and looked at.

    Parameters
    ----------
    view : View
        A release of at least one row; the targets in an order of their own.
    features : collection of str
        What is looked at.
    shadows : int
        How many releases are to be kept at once.
    rng : Generator
        Where the queries come from, and which rows resemble a record.
    """

    def __init__(self, view: View, features: Collection[str], shadows: int, rng: np.random.Generator) -> None:
        if not isinstance(view.release, SyntheticTable):
            raise TypeError("skip() refuses a release that is not a table")
        self.cells = {
            secret: SecretCells.of(secret, view.release.values(secret.name)[left(view, secret)], bins=_BINS, most=_MOST)
            for secret in view.secrets
        }
        self.known = KnownRows(view, self.cells)
        self.combinations = Profiles.of(self.known.ladders, TARGETS, len(view.targets))
        self.records = Reconstruction.of(view, rng=rng)
        distinct = view.targets.take(self.combinations.first)
        answers = shadows * len(distinct) * sum(cells.size for cells in self.cells.values())
        number = int(np.clip(_NUMBERS // max(1, answers), _FEWEST_QUERIES, _MOST_QUERIES))
        self._queries = TargetQueries.draw(distinct, number if QUERIES in features else 0, rng=rng)
        self._whole = ReleaseFeatures.of([kind for kind in WHOLE if kind in features], view.release.table)
        self.real = self._look(view.release, ())

    def _look(self, release: SyntheticTable, cells: tuple[Ints, ...]) -> ShadowRelease:
        counts = tuple(self._queries.count(release, self.cells).values())
        # a mechanism may publish no row: then it looks like nothing
        whole = self._whole.measure(release.table) if len(release.table) else np.zeros_like(self.real.whole)
        return ShadowRelease(cells, counts, whole)

    def make(self, defense: Defense, rng: np.random.Generator) -> ShadowRelease:
        """Make a shadow release.

        Raises
        ------
        ContractError
            If the mechanism makes no table this time.
        """
        records, places = self.records.draw(rng=rng)
        there = places >= 0
        drawn = tuple(rng.integers(cells.size, size=len(there)) for cells in self.cells.values())
        arrays = {}
        for (secret, cells), own in zip(self.cells.items(), drawn, strict=True):
            arrays[secret.name] = np.array(records[secret.name])
            arrays[secret.name][places[there]] = cells.draw(own[there], rng=rng)
        release = defense.release(records.replace(arrays), rng=rng)
        if not isinstance(release, SyntheticTable):
            raise ContractError(f"a mechanism that made a table made {type(release).__name__} when it was repeated")
        return self._look(release, drawn)

    def try_out(self, defense: Defense, rng: np.random.Generator) -> Iterator[float]:
        """Apply the mechanism to small parts of the records, and yield the seconds that each took: all take longer."""
        stream = rng.spawn(1)[0]
        records, _ = self.records.draw(rng=stream)
        for part in _PARTS:
            some = records.take(stream.permutation(len(records))[: len(records) // part])
            if len(some) >= _PART:
                begun = time.perf_counter()
                try:
                    defense.release(some, rng=stream)
                except PrivbenchError:  # too few for it: that says nothing about all of them
                    continue
                yield time.perf_counter() - begun
