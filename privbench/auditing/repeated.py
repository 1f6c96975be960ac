"""People who stand in a real file several times: each is to count once, or every figure seems surer than it is.

People who happen to be alike do not repeat one another in this sense, and there are many of them where a file has few
columns. Three signs tell repeated people from them:

- An identifier repeats together with all other columns.
- Hardly anybody is nearly alike. Where many people have twins by nature, values are so common that nearly everybody who
  has a twin has also somebody who differs in one column (of people of Adult with twins 97 to 100 %, wherever one record
  in 20 had one). Who repeats has no more such neighbours than others.
- Records have a twin in their own file more often than records of the other real file have one there, which would be as
  often for people drawn from one population (Good's coverage, see `privbench.auditing.twins`).

By the first two signs one record of each is kept. By the third alone many twins are natural, and to keep one of each
would leave mainly rare values: there each value keeps its share, and all are thinned by how often records repeat.

References
----------
I. Good, "The population frequencies of species and the estimation of population parameters", Biometrika 40, 1953.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from privbench.auditing.excess import Excess, Share, share
from privbench.auditing.findings import Check
from privbench.auditing.nearness import have_neighbours
from privbench.auditing.twins import SMALLEST, find_twins, row_keys, stands_in
from privbench.auditing.two_sample import judge_control
from privbench.datasets.alike import Alike
from privbench.report.words import begun, percent
from privbench.table import Table

__all__ = ["Repeats", "find_repeats"]

Keys = NDArray[np.uint64]
Mask = NDArray[np.bool_]

PART = 0.01
"""Where fewer records repeat others, nothing is said: a few of any file do."""
LONELY = 1 / 3
"""Where surely more of the values that occur several times have no neighbour, people repeat."""
_MOST = 0.5  # a file of whose records more repeat others


@dataclass(frozen=True, slots=True, eq=False)
class Repeats:
    """Which records count, so that everybody counts once.

    Attributes
    ----------
    checks : tuple of Check
        ``training-repeats`` and ``control-repeats``, warnings; none of a file in which nobody repeats.
    alike : Alike
        The files with the records kept.
    train, control : array of bool, shapes (n,) and (m,)
        Who they are; `control` is empty without a control file.
    natural : Share or None
        Where one training record of each was kept, the share of them who are like another but for one column: what
        part of the population has the values of a training record at most. None where twins show that themselves.
    """

    checks: tuple[Check, ...]
    alike: Alike
    train: Mask
    control: Mask
    natural: Share | None


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """What is kept of one file, and why."""

    records: Mask
    check: Check
    natural: Share | None = None


def find_repeats(alike: Alike, *, rng: np.random.Generator) -> Repeats:
    """Look for people who stand in one of the real files several times.

    Parameters
    ----------
    alike : Alike
        The files under one schema.
    rng : numpy.random.Generator
        Thins records, where that is how repeats are evened out.

    Returns
    -------
    Repeats
    """
    tables = {"training": alike.train} | ({} if alike.control is None else {"control": alike.control})
    found: dict[str, _Kept] = {}
    for role, table in tables.items():
        by = _by_identifier(role, alike.whole[role]) if alike.identifiers else None
        if one := by or _without_neighbours(role, table):
            found[role] = one
    for role, other in (("training", "control"), ("control", "training")):
        if alike.control is not None and role not in found:
            outside = tables[other].take(found[other].records) if other in found else tables[other]
            if one := _beside(role, tables[role], other, outside, rng=rng):
                found[role] = one
    kept = {role: found[role].records if role in found else np.ones(len(table), bool) for role, table in tables.items()}
    return Repeats(
        tuple(one.check for one in found.values()),
        _only(alike, kept) if found else alike,
        kept["training"],
        kept.get("control", np.zeros(0, bool)),
        found["training"].natural if "training" in found else None,
    )


def _only(alike: Alike, kept: Mapping[str, Mask]) -> Alike:
    whole = {role: keys[kept[role]] if role in kept else keys for role, keys in alike.whole.items()}
    control = None if alike.control is None else alike.control.take(np.flatnonzero(kept["control"]))
    train = alike.train.take(np.flatnonzero(kept["training"]))
    return replace(alike, train=train, control=control, whole=MappingProxyType(whole))


def _by_identifier(role: str, whole: Keys) -> _Kept | None:
    """Keep one of the records that are alike in all columns, where one of them is an identifier."""
    first = _first(whole)
    if np.mean(~first) < PART:
        return None
    why = "identifiers and all, so that they are no two people who are alike"
    return _Kept(first, _check(role, first, why))


def _without_neighbours(role: str, table: Table) -> _Kept | None:
    """Keep one of the records that are alike, where hardly any of them are nearly like others."""
    keys = row_keys(table)
    first = _first(keys)
    if not len(table) or np.mean(~first) < PART:
        return None
    neighbours = have_neighbours(table.take(np.flatnonzero(first)))
    several = stands_in(keys[first], keys[~first])
    lonely = share(int((several & ~neighbours).sum()), int(several.sum()))
    if lonely.low <= LONELY:
        return None
    why = (
        f"though for {percent(lonely.value)} of these nobody is alike in all columns but one, as somebody is for "
        "nearly all who are alike by chance"
    )
    return _Kept(first, _check(role, first, why), share(int(neighbours.sum()), len(neighbours)))


def _beside(role: str, table: Table, other: str, outside: Table, *, rng: np.random.Generator) -> _Kept | None:
    """Thin records that have a twin in their own file more often than people of the other file have one there."""
    keys, others = row_keys(table), row_keys(outside)
    coverage, there = find_twins(keys).coverage, stands_in(others, keys)
    inside = share(int(there.sum()), len(there))
    low, high = (-limit for limit in reversed(Excess(inside, coverage).limits))
    value = coverage.value - inside.value
    if low <= 0 or value < SMALLEST:
        return None
    unique, place, counts = np.unique(keys, return_inverse=True, return_counts=True)
    spots = np.minimum(np.searchsorted(unique, others), len(unique) - 1)
    times = float((counts[place] - 1).mean() - np.where(there, counts[spots], 0).mean())
    kept = _thinned(place, counts / (1 + max(times, 0.0)), rng=rng)
    # people of another population have few twins here, too
    everybody = {"members": np.ones(int(kept.sum()), bool), "controls": np.ones(len(outside), bool)}
    if judge_control(table.take(np.flatnonzero(kept)), outside, **everybody, rng=rng).level == "alarm":
        return None
    text = (
        f"{percent(coverage.value)} of the {role} records have a twin in their own file, of the {other} records "
        f"{inside.text} ({percent(inside.value)}) have one there: the same people seem to stand in the {role} file "
        f"several times. As many records of each kind are left out as repeat others, which leaves {int(kept.sum()):,} "
        f"of {len(table):,} behind the figures; better leave one record of everybody in the file."
    )
    return _Kept(kept, Check(f"{role}-repeats", "warning", text, value, low, high, len(table)))


def _thinned(place: NDArray[np.intp], wanted: NDArray[np.float64], *, rng: np.random.Generator) -> Mask:
    """Keep so many records of each value on average, the first of them."""
    most = np.floor(wanted + rng.random(len(wanted)))
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(wanted)))
    rank = np.empty(len(place))
    rank[order] = np.arange(len(place)) - starts[place[order]]
    return rank < most[place]


def _first(keys: Keys) -> Mask:
    first = np.zeros(len(keys), bool)
    first[np.unique(keys, return_index=True)[1]] = True
    return first


def _check(role: str, kept: Mask, why: str) -> Check:
    again = share(int((~kept).sum()), len(kept))
    people = int(kept.sum())
    text = (
        f"{again.text} {role} records ({percent(again.value)}) repeat another one word for word, {why}: the same "
        f"people stand in the {role} file several times. One record of each is used, so that {people:,} people are "
        "behind the figures."
    )
    if again.value > _MOST:
        text = f"most of the {role} file is repetition: it holds about {people:,} people, not {len(kept):,}. {text}"
    return Check(f"{role}-repeats", "warning", begun(text), again.value, again.low, again.high, len(kept))
