"""The most exposed people of the training file: copied whole, copied but for little, or inferred far beyond others.

Inferred are those to whose true values the chosen attacks give more, on average over all columns asked, than to those
of controls who have the same values, by more than luck explains: controls have such figures too, and show what no
leakage looks like (`privbench.scorers.luck`). Without a control file nobody can be said to be inferred.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from privbench.auditing.checks import FileChecks
from privbench.auditing.findings import RecordFinding
from privbench.auditing.judgement import Judged
from privbench.auditing.people import People
from privbench.people import rarity
from privbench.rng import stream
from privbench.scorers.crossfit import picked
from privbench.scorers.luck import FALSE, beside_luck
from privbench.table import Table

__all__ = ["LISTED", "record_findings"]

LISTED = 100
"""How many people are listed at most of each kind: copied, nearly copied, told far better than others."""
_LOOKED_AT = 2000  # copied people of whom the rarest are listed
_COMPARED = 100_000  # training records among whom they are rare
_BEYOND = 0.99  # share of controls whose figure in a column is below that of a column named


def record_findings(
    train: Table,
    checked: FileChecks,
    judged: Sequence[Judged],
    people: People,
    *,
    known: Sequence[str] | None,
    secrets: Sequence[str],
    seed: int,
) -> tuple[tuple[RecordFinding, ...], int]:
    """Return the most exposed people, those copied first, and how many are told far better than others in all.

    Parameters
    ----------
    train : Table
        The training file.
    checked : FileChecks
        Which of its records stand in the release, and which nearly do, and how many of the people outside.
    judged : sequence of Judged
        The columns asked.
    people : People
        Who was attacked.
    known : sequence of str or None
        Columns in which a person may be rare; None for all.
    secrets : sequence of str
        Columns in which no person is said to be rare, as that tells of the value; where all are asked, none is kept
        out.
    seed : int
        Of a very large file some people are looked at only.
    """
    listed: list[RecordFinding] = []
    seen: set[int] = set()
    told = tuple(known or train.schema.names)
    rare = _Rare(train, tuple(name for name in told if name not in secrets) or told, seed)
    copied, near = checked.copied, checked.near & ~checked.copied
    for mask, usual, why in (
        (copied, checked.usual[0], "stands in the synthetic file as it is"),
        (near, checked.usual[1], "stands in the synthetic file, but for small differences"),
    ):
        if not mask.any():
            continue
        places, names = rare.first(np.flatnonzero(mask))
        listed += [
            RecordFinding(int(place) + 1, why, (), 1.0, usual, label)
            for place, label in zip(places, names, strict=True)
        ]
        seen |= set(places.tolist())
    inferred, number = _inferred(judged, people, rare)
    listed += [one for one in inferred if one.record - 1 not in seen]
    return tuple(listed), number


def _inferred(judged: Sequence[Judged], people: People, rare: _Rare) -> tuple[list[RecordFinding], int]:
    """Return the members who stand out, the highest first and not all where they are many, and their number."""
    if not judged or people.others is not None:
        return [], 0
    given, usual = (
        np.stack([picked(_stacked(one, side), one.fit, second=people.second) for one in judged if one.fit])
        for side in ("probability", "baseline")
    )
    gains = np.round(given - usual, 6)
    means = np.round(gains.mean(axis=0), 6)
    member, places = people.member, np.flatnonzero(people.member)
    false = beside_luck(means[member], means[~member])[2]
    out = places[(false <= FALSE) & (means[member] > 0)]
    number, out = len(out), out[np.argsort(-means[out], kind="stable")][:LISTED]
    bar = np.maximum(np.quantile(gains[:, ~member], _BEYOND, axis=1), 0.0)
    names = rare.of(people.record[out])
    found = []
    for place, label in zip(out, names, strict=True):
        beyond = np.flatnonzero(gains[:, place] > bar)
        if not len(beyond):  # a little in every column
            beyond = np.flatnonzero(gains[:, place] > 0)
        beyond = beyond[np.argsort(-gains[beyond, place], kind="stable")]
        columns = tuple(judged[int(c)].column for c in beyond)
        found.append(
            RecordFinding(
                int(people.record[place]) + 1,
                "guessed right with far more confidence than people outside with the same values",
                columns,
                float(given[beyond, place].mean()),
                float(usual[beyond, place].mean()),
                label,
            )
        )
    return found, number


def _stacked(one: Judged, side: str) -> NDArray[np.float64]:
    return np.stack([getattr(each, side) for each in one.answers])


class _Rare:
    """In what people of the training file are rare."""

    def __init__(self, train: Table, names: tuple[str, ...], seed: int) -> None:
        self._train, self._rng = train.select(names), stream(seed, "audit", "rare")
        some = np.arange(len(train))
        if len(train) > _COMPARED:
            some = np.sort(self._rng.permutation(len(train))[:_COMPARED])
        self._others = self._train.take(some)

    def of(self, places: NDArray[np.integer]) -> list[str]:
        """Return the columns in which the fewest records are like these people."""
        if not len(places):
            return []
        codes, names, _ = rarity(self._train.take(places), self._others)
        return [names[code] for code in codes]

    def first(self, places: NDArray[np.intp]) -> tuple[NDArray[np.intp], list[str]]:
        """Return the rarest of these people, at most as many as are listed, and in what they are."""
        if len(places) > _LOOKED_AT:
            places = np.sort(self._rng.permutation(places)[:_LOOKED_AT])
        codes, names, count = rarity(self._train.take(places), self._others)
        order = np.argsort(count, kind="stable")[:LISTED]
        return places[order], [names[code] for code in codes[order]]
