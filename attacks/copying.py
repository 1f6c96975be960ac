r"""How likely one record came from another, column by column copied or drawn anew. Not an attack itself.

The value x of column j of a record that came from row r is drawn with a probability for each rung of the column's
ladder: on rung s from the values that are alike to that of r on it,

.. math:: K_j(x \mid r) = \sum_s \pi_{js} \, 1[x \sim_s r] \, \frac{g_j(x)}{G_{js}(x)},

g being the share of the value and G that of all values alike to it. The columns are independent given r, and a record
came from each row alike; this is a kernel density whose widths are probabilities, so that they are found by EM.

References
----------
J. Aitchison and C. Aitken, "Multivariate Binary Discrimination by the Kernel Method", Biometrika 63, 1976; R. Duin, "On
the Choice of Smoothing Parameters for Parzen Estimators of Probability Density Functions", IEEE Transactions on
Computers 1976 (leaving one out); A. Dempster, N. Laird and D. Rubin, "Maximum Likelihood from Incomplete Data via the
EM Algorithm", JRSS B 1977.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attacks.kernels import Profiles
from attacks.ladder import Ladder

__all__ = ["Copied", "Fit", "fit", "looked_at", "same_share"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# pairs that agree in different ways, people times combinations, on which EM works
_PAIRS = 200_000
# people whom it is given at least, if there are so many, and at most
_FEWEST, _MOST = 24, 200
_STEPS = 100
# EM ends when a step gains less than this a person, in nats
_GAIN = 1e-4
# where people are looked for in rows EM starts with them there, and copied: for little to go by that is what it ends at
_COPIED = 0.8
# observations of each rung, and of either side of a mixture, that are added to those there are
_PSEUDO = 0.5
# joint codes stay below: 64 bits hold them
_CODES = 1 << 62
_TINY = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class Copied:
    """The kernel of one column.

    Parameters
    ----------
    ladder : Ladder
        The column.
    shares : array of shape (L + 1,)
        How probable each rung is, "any value" last.
    people, rows : int
        Which of the ladder's tables hold them.
    """

    ladder: Ladder
    shares: Floats
    people: int
    rows: int

    def between(self, people: Ints, rows: Ints) -> Floats:
        """Return K(x | r); next to a blank cell the value's share among all."""
        mass = self.ladder.mass[self.people][:, people]
        asked, given = self.ladder.codes[self.people][:, people], self.ladder.codes[self.rows][:, rows]
        kernel = np.repeat((self.shares[-1] * mass[-1])[:, None], len(rows), axis=1)
        for share, own, one, other in zip(self.shares, mass, asked, given, strict=False):
            if share > 0:
                kernel += np.where(one[:, None] == other, (share * own)[:, None], 0.0)
        blank = given[0] < 0
        if blank.any():
            kernel[:, blank] = mass[-1][:, None]
        return kernel

    def itself(self, people: Ints) -> Floats:
        """Return K(x | x) for some people."""
        return np.asarray(self.shares @ self.ladder.mass[self.people][:, people], dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """What EM found.

    Parameters
    ----------
    shares : tuple of array
        For each column how probable each rung is.
    copied : float
        Share of the people who came from a row; the others are from the background.
    gain : float
        Log-likelihood a person, in nats.
    """

    shares: tuple[Floats, ...]
    copied: float
    gain: float


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """In how many rows each person agrees in which way.

    Parameters
    ----------
    person : array of int, shape (e,)
        Who, one entry a way.
    number : array of shape (e,)
        Of rows.
    mass : list of array of shape (L + 1, e)
        For each column the probability of the value on each rung, 0 where the two are not alike on it.
    blank : list of array of shape (e,)
        For each column the probability of the value next to a blank cell, 0 next to others.
    people : int
        How many there are.
    """

    person: Ints
    number: Floats
    mass: list[Floats]
    blank: list[Floats]
    people: int


def fit(
    ladders: Sequence[Ladder],
    people: tuple[int, Ints],
    rows: Profiles,
    *,
    background: Floats | None = None,
    itself: bool = False,
    certain: Sequence[bool] | None = None,
) -> Fit:
    """Find the probabilities of the rungs that make people's values most likely.

    Parameters
    ----------
    ladders : sequence of Ladder
        The columns.
    people : tuple of int and array of int
        Which table they are in, and where, at least one; `looked_at` thins them out.
    rows : Profiles
        Where they may have come from.
    background : array, optional
        The density of each person's values if they came from no row; without it all came from one.
    itself : bool
        The people are among the rows, and nobody came from the own one.
    certain : sequence of bool, optional
        Which columns are copied for certain; none without.
    """
    pairs = _compare(ladders, *people, rows, itself)
    total = max(1.0, float(rows.size.sum()) - itself)
    sure = [False] * len(ladders) if certain is None else list(certain)
    shares = [
        _start(ladder.rungs + 1, 1.0 if fixed else 1 / (ladder.rungs + 1) if background is None else _COPIED)
        for ladder, fixed in zip(ladders, sure, strict=True)
    ]
    copied, gain = (1.0 if background is None else _COPIED), -math.inf
    for _ in range(_STEPS):
        values = [own @ mass + gone for own, mass, gone in zip(shares, pairs.mass, pairs.blank, strict=True)]
        likely = pairs.number * (copied / total)
        for value in values:
            likely = likely * value
        every = np.bincount(pairs.person, weights=likely, minlength=pairs.people)
        every = np.maximum(every if background is None else every + (1 - copied) * background, _TINY)
        before, gain = gain, float(np.log(every).mean())
        if gain - before < _GAIN:
            break
        owed = likely / every[pairs.person]
        for column, value in enumerate(values):
            if not sure[column]:
                found = shares[column] * (pairs.mass[column] @ (owed / np.maximum(value, _TINY))) + _PSEUDO
                shares[column] = found / found.sum()
        if background is not None:
            copied = float((owed.sum() + _PSEUDO) / (pairs.people + 2 * _PSEUDO))
    return Fit(tuple(shares), copied, gain)


def _start(rungs: int, exact: float) -> Floats:
    """Return the probabilities of rungs with which EM starts."""
    return np.array([exact] + [(1 - exact) / max(1, rungs - 1)] * (rungs - 1))


def _compare(ladders: Sequence[Ladder], part: int, people: Ints, rows: Profiles, itself: bool) -> _Pairs:
    """Count for each person the rows that agree in each way: for every column the finest rung on which they do."""
    size = rows.size.astype(np.float64)
    shape = tuple(ladder.rungs + 2 for ladder in ladders)
    possible = math.prod(shape)
    every = np.indices(shape).reshape(len(shape), possible) if possible <= 4 * len(size) else None
    parts: list[tuple[Ints, Ints, Floats]] = []
    for place, person in enumerate(people):
        level = np.empty((len(ladders), len(rows.first)), dtype=np.int64)
        way, width = np.zeros(len(rows.first), dtype=np.int64), 1
        for own, ladder in zip(level, ladders, strict=True):
            given = ladder.codes[rows.part]
            own[:] = given[0, rows.first] < 0
            for asked, other in zip(ladder.codes[part][:, person], given, strict=True):
                own += asked != other[rows.first]
            if width * (ladder.rungs + 2) >= _CODES:
                way = np.unique(way, return_inverse=True)[1].ravel()
                width = len(way)
            way, width = way * (ladder.rungs + 2) + own, width * (ladder.rungs + 2)
        if every is not None:
            level, number = every, np.bincount(way, weights=size, minlength=every.shape[1]).astype(np.float64)
        else:
            first, way = np.unique(way, return_index=True, return_inverse=True)[1:]
            level, number = level[:, first], np.bincount(way.ravel(), weights=size).astype(np.float64)
        if itself:
            number[way.ravel()[rows.of_row[person]]] -= 1
        some = number > 0
        parts.append((np.full(int(some.sum()), place), level[:, some], number[some]))
    who, number = (np.concatenate([found[i] for found in parts]) for i in (0, 2))
    levels = np.concatenate([found[1] for found in parts], axis=1)
    mass, blank = [], []
    for rung, ladder in zip(levels, ladders, strict=True):
        shares = ladder.mass[part][:, people[who]]
        mass.append(np.where(rung <= np.arange(ladder.rungs + 1)[:, None], shares, 0.0))
        blank.append(np.where(rung > ladder.rungs, shares[-1], 0.0))
    return _Pairs(who, number, mass, blank, len(people))


def looked_at(everyone: Ints, ladders: Sequence[Ladder], rows: Profiles) -> Ints:
    """Return positions in `everyone`, from its whole length: the fewer the more ways there are to agree."""
    ways = min(math.prod(ladder.rungs + 1 for ladder in ladders), len(rows.first))
    number = min(len(everyone), max(_FEWEST, min(_MOST, _PAIRS // max(1, ways))))
    return np.arange(number) * len(everyone) // max(1, number)


def same_share(shares: Sequence[Floats]) -> float:
    """Return how probable it is, on average over columns, that a value was not drawn from all; 1 without columns."""
    return float(np.mean([1 - own[-1] for own in shares])) if shares else 1.0
