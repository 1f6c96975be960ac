"""What the released rows nearest to each target hold: their secrets counted by target and distance. Not an attack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from attacks.gower import Points, collapse, measure, same, spans, split
from privbench.contracts import View
from privbench.schema import Column

__all__ = ["Votes", "nearest"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# a variance in units of the domain's range below this is rounding
_NO_VARIANCE = 1e-14


@dataclass(frozen=True, slots=True)
class Votes:
    """The rows nearest to each target, those that are equally far from it counted together.

    What they hold are sums with a place each: the number of rows at place 0, then for each secret either the number of
    rows with each value, or two sums, of the values and of their squares, in ranges from the middle of the domain.

    Parameters
    ----------
    people : array of int, shape (T,)
        Which distinct target each of the targets is.
    secrets : tuple of Column
        In the order of their places.
    target : array of int, shape (g,)
        Distinct targets, ascending.
    distance : array of shape (g,)
        Ascending for each target.
    place : array of int, shape (g,)
        Ascending for each target and distance.
    amount : array of shape (g,)
        The sum at this place over the rows at this distance from this target.
    """

    people: Ints
    secrets: tuple[Column, ...]
    target: Ints
    distance: Floats
    place: Ints
    amount: Floats

    @classmethod
    def none(cls, people: Ints, secrets: Sequence[Column]) -> Votes:
        """Return what there is before any row is looked at."""
        return cls(people, tuple(secrets), np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64), np.empty(0))

    def add(self, target: Ints, distance: Floats, place: Ints, amount: Floats) -> Votes:
        """Return these votes and others together."""
        target, distance = np.concatenate([self.target, target]), np.concatenate([self.distance, distance])
        place, amount = np.concatenate([self.place, place]), np.concatenate([self.amount, amount])
        order = np.lexsort((place, distance, target))
        target, distance, place = target[order], distance[order], place[order]
        new = np.ones(len(order), bool)
        new[1:] = np.diff(target).astype(bool) | (np.diff(distance) != 0) | np.diff(place).astype(bool)
        sums = np.bincount(np.cumsum(new) - 1, weights=amount[order]).astype(np.float64)
        return replace(self, target=target[new], distance=distance[new], place=place[new], amount=sums)

    def within(self, limit: Floats) -> Votes:
        """Return the votes of rows no further from each distinct target than a limit."""
        kept = self.distance <= limit[self.target]
        return replace(
            self,
            target=self.target[kept],
            distance=self.distance[kept],
            place=self.place[kept],
            amount=self.amount[kept],
        )

    def reach(self, neighbours: int, targets: int) -> Floats:
        """Return how far the k-th row is from each distinct target; infinite while there are fewer."""
        rows = self.place == 0
        target, distance, number = self.target[rows], self.distance[rows], self.amount[rows]
        seen = np.bincount(target, weights=number, minlength=targets)
        nearer = np.cumsum(number) - number - (np.cumsum(seen) - seen)[target]
        reach = np.where(seen < neighbours, np.inf, 0)
        np.maximum.at(reach, target, np.where(nearer < neighbours, distance, 0))
        return reach

    def answers(self, weight: Floats | None = None) -> tuple[dict[str, Floats], dict[str, Floats]]:
        """Return the shares of discrete secrets' values, and the means and spreads of continuous ones, for T targets.

        Parameters
        ----------
        weight : array of shape (g,), optional
            What each row counts; 1 without.
        """
        answers: dict[str, Floats] = {}
        spread: dict[str, Floats] = {}
        width = 1 + sum(_places(secret) for secret in self.secrets)
        targets = int(self.people.max(initial=-1)) + 1
        counted = self.amount if weight is None else self.amount * weight
        sums = np.bincount(self.target * width + self.place, weights=counted, minlength=targets * width)
        sums = sums.reshape(targets, width)
        begin = 1
        for secret in self.secrets:
            own = sums[:, begin : begin + _places(secret)] / sums[:, :1]
            begin += _places(secret)
            if secret.discrete:
                answers[secret.name] = own[self.people]
            else:
                variance = own[:, 1] - np.square(own[:, 0])
                deviation = np.sqrt(np.where(variance > _NO_VARIANCE, variance, 0)) * secret.range
                answers[secret.name] = (_middle(secret) + own[:, 0] * secret.range)[self.people]
                spread[secret.name] = deviation[self.people]
        return answers, spread


def nearest(view: View, rows: NDArray[np.intp], secrets: Sequence[Column], neighbours: int) -> Votes:
    """Find the k rows nearest to each target in the known columns, all those as near as the k-th included.

    Parameters
    ----------
    view : View
        A release of rows.
    rows : array of int, shape (r,)
        Positions of the rows that count, at least one.
    secrets : sequence of Column
        What is counted of these rows.
    neighbours : int
        k, at least 1.
    """
    columns = len(view.targets.schema.columns)
    targets = collapse(view)
    # the k smallest distances so far to different points: at least as many rows are as near
    best = np.full((len(targets), neighbours), np.inf)
    limit = np.full((len(targets), 1), np.inf)
    votes = Votes.none(targets.places, secrets)
    for block in split(rows):
        points = collapse(view, block)
        found = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
        for some, near, distance in measure(targets, points, limit):
            best[some] = _smallest(best[some], distance)
            limit[some, 0] = same(best[some].max(axis=1), columns)
            who, which = np.nonzero(distance <= limit[some])
            found.append((who + some.start, near[which], distance[who, which]))
        target, point, distance = (np.concatenate(parts) for parts in zip(*found, strict=True))
        close = distance <= limit[target, 0]
        votes = votes.add(*_held(view, block, points, votes.secrets, target[close], point[close], distance[close]))
        limit[:, 0] = same(votes.reach(neighbours, len(targets)), columns)
        votes = votes.within(limit[:, 0])
    return votes


def _smallest(best: Floats, distance: Floats) -> Floats:
    """Return the k smallest of each row of both arrays, the first of which has k columns."""
    if best.shape[1] == 1:
        return np.minimum(best, distance.min(axis=1, keepdims=True))
    place = best.shape[1] - 1
    return np.partition(np.hstack([best, distance]), place, axis=1)[:, : place + 1]


def _held(
    view: View,
    block: NDArray[np.intp],
    points: Points,
    secrets: Sequence[Column],
    target: Ints,
    point: Ints,
    distance: Floats,
) -> tuple[Ints, Floats, Ints, Floats]:
    """Return targets, distances, places and amounts of what the rows at these points hold."""
    used, which = np.unique(point, return_inverse=True)
    rows = block[points.order[spans(points.starts[used], points.starts[used + 1])]]
    owner = np.repeat(np.arange(len(used)), np.diff(points.starts)[used])
    parts = [(np.zeros(len(rows), np.int64), np.ones(len(rows)))]
    width = 1
    for secret in secrets:
        values = view.release.values(secret.name)[rows]
        if secret.discrete:
            parts.append((width + values.astype(np.int64), np.ones(len(rows))))
        else:
            unit = (values - _middle(secret)) / (secret.range or 1.0)
            parts += [(np.full(len(rows), width), unit), (np.full(len(rows), width + 1), np.square(unit))]
        width += _places(secret)
    key = np.concatenate([owner * width + place for place, _ in parts])
    key, inverse = np.unique(key, return_inverse=True)
    amount = np.bincount(inverse, weights=np.concatenate([numbers for _, numbers in parts]))
    starts = np.searchsorted(key, np.arange(len(used) + 1) * width)
    held = spans(starts[which], starts[which + 1])
    times = np.diff(starts)[which]
    return np.repeat(target, times), np.repeat(distance, times), key[held] % width, amount[held].astype(np.float64)


def _places(secret: Column) -> int:
    return secret.size if secret.discrete else 2


def _middle(secret: Column) -> float:
    return secret.low + secret.range / 2
