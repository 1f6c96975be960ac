"""Released rows that agree with a target in all known columns, or in as many of the telling ones as can be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attacks.learner import left, skip_without_rows
from privbench.contracts import Guess, View
from privbench.errors import InputError
from privbench.schema import Column
from privbench.table import to_bins

__all__ = ["Cap"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

# a continuous secret is cut into so many cells to find the known columns that tell of it
_CELLS = 20


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
        for secret in view.secrets:
            shown = left(view, secret)
            values = view.release.values(secret.name)[shown]
            keys = [
                self._together(column, view.release.values(column.name)[shown], view.targets[column.name])
                for column in view.targets.schema.columns
            ]
            cells = to_bins(secret, values, bins=_CELLS)
            told = [_information(rows, cells, rng) for rows, _ in keys]
            order = np.argsort([-bits for bits in told], kind="stable")
            answer = np.empty((len(view.targets), secret.size) if secret.discrete else len(view.targets))
            apart = np.empty(len(view.targets))
            for targets, group, rows, voter in _ended([keys[i] for i in order], len(values), len(view.targets)):
                groups = int(group.max()) + 1
                voted = values[rows]
                number = np.bincount(voter, minlength=groups)
                if secret.discrete:
                    counts = np.bincount(voter * secret.size + voted, minlength=groups * secret.size)
                    answer[targets] = (counts.reshape(groups, secret.size) / number[:, None])[group]
                else:
                    mean = np.bincount(voter, weights=voted, minlength=groups) / number
                    squares = np.bincount(voter, weights=np.square(voted - mean[voter]), minlength=groups)
                    answer[targets], apart[targets] = mean[group], np.sqrt(squares / number)[group]
            answers[secret.name] = answer
            if not secret.discrete:
                spread[secret.name] = apart
        return Guess(answers, spread)

    def _together(self, column: Column, rows: NDArray[Any], people: NDArray[Any]) -> tuple[Codes, Codes]:
        """Return released and asked values as codes in which equal values are equal."""
        if column.discrete:
            return rows.astype(np.int64), people.astype(np.int64)
        if self.bins is not None:
            return to_bins(column, rows, bins=self.bins), to_bins(column, people, bins=self.bins)
        codes = np.unique(np.concatenate([rows, people]), return_inverse=True)[1]
        return codes[: len(rows)], codes[len(rows) :]


def _ended(keys: list[tuple[Codes, Codes]], number: int, people: int) -> Iterator[tuple[Codes, Codes, Codes, Codes]]:
    """Match on one column more at a time; yield the targets whose matches end there, and the rows that they had.

    Yields
    ------
    targets, group : array
        Positions of targets, and which group of rows each of them matched.
    rows, voter : array
        Positions of the rows in these groups, and which one each is in.
    """
    near, asked, active = np.zeros(number, np.int64), np.zeros(people, np.int64), np.arange(people)
    for row_codes, target_codes in keys:
        width = 1 + max(int(row_codes.max()), int(target_codes.max(initial=0)))
        joined = np.concatenate([near * width + row_codes, asked * width + target_codes[active]])
        codes = np.unique(joined, return_inverse=True)[1]
        closer, wanted = codes[:number], codes[number:]
        found = np.bincount(closer, minlength=codes.max() + 1)[wanted] > 0
        if not found.all():
            yield _group(active[~found], asked[~found], near)
        near, asked, active = closer, wanted[found], active[found]
        if not len(active):
            return
    yield _group(active, asked, near)


def _group(targets: Codes, asked: Codes, near: Codes) -> tuple[Codes, Codes, Codes, Codes]:
    """Return targets, their groups numbered from 0, and the rows that are in one."""
    labels, group = np.unique(asked, return_inverse=True)
    place = np.minimum(np.searchsorted(labels, near), len(labels) - 1)
    rows = np.flatnonzero(labels[place] == near)
    return targets, group, rows, place[rows]


def _information(known: Codes, secret: Codes, rng: np.random.Generator) -> float:
    """Return what a column tells about the secret, in nats, beyond what it seems to tell of a shuffled one."""
    return _mutual_information(known, secret) - _mutual_information(known, rng.permutation(secret))


def _mutual_information(one: Codes, other: Codes) -> float:
    pairs = np.unique(one * (int(other.max()) + 1) + other, return_counts=True)[1]

    def entropy(counts: Codes) -> float:
        shares = counts[counts > 0] / len(one)
        return float(-(shares * np.log(shares)).sum())

    return entropy(np.bincount(one)) + entropy(np.bincount(other)) - entropy(pairs)
