"""Released rows that agree with a target in all known columns, or in as many of the telling ones as can be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attacks.agreement import Agreement, Key, blocks
from attacks.learner import left, skip_without_rows
from privbench.contracts import Guess, View
from privbench.errors import InputError
from privbench.schema import Column
from privbench.table import bin_count, to_bins

__all__ = ["Cap"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# a continuous secret is cut into so many cells to find the known columns that tell of it
_CELLS = 20
# so many rows are shuffled to see what chance tells; of more, the counts that a shuffle would leave are drawn
_SHUFFLED = 1 << 17


@dataclass(frozen=True)
class Cap:
    """Answer with the secrets of the released rows that match a target exactly (correct attribution probability).

    Where no row matches, known columns are left out one by one, the one that tells least about the secret in the
    release first; in the end nothing is matched and every row counts.

    Parameters
    ----------
    bins : int or None
        Cells of a continuous known column within which numbers count as equal; None compares the numbers themselves.

    References
    ----------
    M. Elliot, "Final Report on the Disclosure Risk Associated with the Synthetic Data Produced by the SYLLS Team",
    2014;
    J. Taub, M. Elliot, M. Pampaka and D. Smith, "Differential Correct Attribution Probability for Synthetic Data: An
    Exploration", PSD 2018.
    """

    bins: int | None = None

    def __post_init__(self) -> None:
        if self.bins is not None and self.bins < 1:
            raise InputError(f"bins must be at least 1 or None, got {self.bins}")

    def skip(self, view: View) -> str | None:
        """Return a reason unless the release is a table with at least one row."""
        return skip_without_rows(view, "matching")

    def infer(self, view: View, *, rng: np.random.Generator) -> Guess:
        """Return the matching rows' shares of values; for a continuous secret their mean and spread."""
        answers: dict[str, Floats] = {}
        spread: dict[str, Floats] = {}
        known = [
            Key.of(column, view.release.values(column.name), view.targets[column.name], bins=self.bins)
            for column in view.targets.schema.columns
        ]
        for secret in view.secrets:
            values, keys = view.release.values(secret.name), known
            shown = left(view, secret)
            if len(shown) < len(values):
                values, keys = values[shown], [replace(key, rows=key.rows[shown]) for key in known]
            cells = _cells(secret, values)
            told = [_information(key, cells, rng) for key in keys]
            order = np.argsort([-nats for nats in told], kind="stable")
            agreement = Agreement.of([keys[i] for i in order], len(values), len(view.targets))
            if secret.discrete:
                answers[secret.name] = _shares(agreement, values, secret.size)
            else:
                answers[secret.name], spread[secret.name] = _moments(agreement, values)
        return Guess(answers, spread)


def _shares(agreement: Agreement, values: NDArray[Any], size: int) -> Floats:
    """Return the shares of a secret's values in every target's group, ``(T, size)``."""
    groups = len(agreement.around)
    keys = (group * size + values[rows] for rows, group in agreement.members())
    counts = _counted(keys, groups * size).reshape(groups, size)
    for inner, outer in agreement.inmost_first():
        for one, other in zip(inner, outer, strict=True):
            counts[other] += counts[one]
    shares = counts / counts.sum(axis=1, keepdims=True)
    return shares[agreement.targets]


def _moments(agreement: Agreement, values: Floats) -> tuple[Floats, Floats]:
    """Return mean and standard deviation of a secret in every target's group, ``(T,)`` each."""
    groups = len(agreement.around)
    number, mean, squares = (np.zeros(groups) for _ in range(3))
    for rows, group in agreement.members():
        number += np.bincount(group, minlength=groups)
        mean += np.bincount(group, weights=values[rows], minlength=groups)
    mean /= np.maximum(number, 1)
    for rows, group in agreement.members():
        squares += np.bincount(group, weights=np.square(values[rows] - mean[group]), minlength=groups)
    # T. Chan, G. Golub and R. LeVeque's way of joining groups, in which nothing cancels
    for inner, outer in agreement.inmost_first():
        total = number + np.bincount(outer, weights=number[inner], minlength=groups)
        gap = mean[inner] - mean[outer]
        centre = mean + np.bincount(outer, weights=number[inner] * gap, minlength=groups) / np.maximum(total, 1)
        squares += number * np.square(centre - mean)
        apart = squares[inner] + number[inner] * np.square(mean[inner] - centre[outer])
        squares += np.bincount(outer, weights=apart, minlength=groups)
        number, mean = total, centre
    return mean[agreement.targets], np.sqrt(squares / number)[agreement.targets]


def _cells(secret: Column, values: NDArray[Any]) -> NDArray[Any]:
    """Return a secret in few cells, as codes that are quick to shuffle."""
    kind = np.min_scalar_type(bin_count(secret, _CELLS))
    return np.concatenate([to_bins(secret, values[part], bins=_CELLS).astype(kind) for part in blocks(len(values))])


def _information(key: Key, cells: NDArray[Any], rng: np.random.Generator) -> float:
    """Return what a column tells about the secret, in nats, beyond what it seems to tell of a shuffled one."""
    width = int(cells.max()) + 1
    pairs = _pairs(key, cells, width)
    if len(cells) <= _SHUFFLED or len(pairs) < key.size * width:
        return _entropy(_pairs(key, rng.permutation(cells), width)) - _entropy(pairs)
    return _entropy(_shuffled(pairs.reshape(key.size, width), rng)) - _entropy(pairs)


def _pairs(key: Key, cells: NDArray[Any], width: int) -> Ints:
    """Return how many rows have each pair of codes: all pairs, or if there are more of them than rows, those there."""
    if key.size * width <= len(cells):
        codes = (key.rows[block] * np.int64(width) + cells[block] for block in blocks(len(cells)))
        return _counted(codes, key.size * width)
    ordered = np.sort(key.rows * np.int64(width) + cells)
    return np.diff(np.flatnonzero(np.diff(ordered, prepend=-1)), append=len(ordered))


def _shuffled(table: Ints, rng: np.random.Generator) -> Ints:
    """Draw the table of counts that is left if one of its two columns is shuffled."""
    if table.shape[0] < table.shape[1]:
        return _shuffled(table.T, rng).T
    drawn, remaining = np.empty_like(table), table.sum(axis=1)
    for place, number in enumerate(table.sum(axis=0)):
        drawn[:, place] = rng.multivariate_hypergeometric(remaining, number)
        remaining -= drawn[:, place]
    return drawn


def _entropy(counts: Ints) -> float:
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def _counted(parts: Iterable[Ints], size: int) -> Ints:
    """Return how often each code below `size` occurs in all parts."""
    return sum((np.bincount(part, minlength=size) for part in _gathered(parts, size)), np.zeros(size, np.int64))


def _gathered(parts: Iterable[Ints], least: int) -> Iterator[Ints]:
    """Yield parts joined, so that going through a table of `least` numbers for each costs little."""
    waiting: list[Ints] = []
    length = 0
    for part in parts:
        waiting.append(part)
        length += len(part)
        if length >= least:
            yield np.concatenate(waiting)
            waiting, length = [], 0
    if waiting:
        yield np.concatenate(waiting)
