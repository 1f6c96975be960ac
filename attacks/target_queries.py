"""Queries aimed at targets: how many rows share some of a target's known values, and each value of a secret. No attack.

A query is a set of known columns, each compared as it is or in cells of some width; every query is asked for every
target, so that its answers can be pooled over them.

References
----------
F. Houssiau et al., "TAPAS: a Toolbox for Adversarial Privacy Auditing of Synthetic Data", 2022 (targeted counting
queries).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attacks.secret_cells import SecretCells
from privbench.release import AlteredRows, SyntheticTable
from privbench.schema import Column, Kind
from privbench.table import Table, to_bins

__all__ = ["TargetQueries"]

Ints = NDArray[np.int64]

# widths in which a number is compared: as it is, and in so many cells of its domain
_WIDTHS: tuple[int | None, ...] = (None, 64, 16, 5)
_UNUSED = -1


@dataclass(frozen=True, slots=True, eq=False)
class TargetQueries:
    """Queries for the targets of a view.

    Parameters
    ----------
    targets : Table
        The different combinations of known columns that targets have.
    plans : tuple of tuple of int
        For each query and known column its width, or -1 where the column is not looked at.
    """

    targets: Table
    plans: tuple[tuple[int, ...], ...]

    @classmethod
    def draw(cls, targets: Table, number: int, *, rng: np.random.Generator) -> TargetQueries:
        """Draw queries: all columns in each width, each column alone, none, and random sets of columns.

        Parameters
        ----------
        targets : Table
            Known columns, without repeats.
        number : int
            How many queries at most, if there are so many.
        rng : Generator
            Where the random sets come from.
        """
        widths = [_widths(column) for column in targets.schema.columns]
        finest = [tuple(min(width, most - 1) for most in widths) for width in range(max(widths, default=1))]
        alone = [
            tuple(most - 1 if other == place else _UNUSED for other, most in enumerate(widths))
            for place in range(len(widths))
        ]
        plans = dict.fromkeys([*finest, (_UNUSED,) * len(widths), *alone][:number])
        for _ in range(20 * number):
            if len(plans) >= number:
                break
            looked_at = rng.random(len(widths)) < rng.uniform(0.2, 1)
            plan = [int(rng.integers(most)) if some else _UNUSED for some, most in zip(looked_at, widths, strict=True)]
            plans.setdefault(tuple(plan))
        return cls(targets, tuple(plans))

    def count(
        self, release: SyntheticTable, secrets: Mapping[Column, SecretCells]
    ) -> dict[Column, NDArray[np.float32]]:
        """Return for each secret how many rows each query finds, ``(queries, targets, cells)``."""
        table = release.table
        blank = release.suppressed if isinstance(release, AlteredRows) else {}
        codes: dict[tuple[int, int], tuple[Ints, Ints]] = {}
        for place, width in {(place, width) for plan in self.plans for place, width in enumerate(plan)}:
            if width != _UNUSED:
                column = self.targets.schema.columns[place]
                mine, theirs = _together(column, self.targets[column.name], table[column.name], _WIDTHS[width])
                if column.name in blank:
                    theirs = np.where(blank[column.name], _UNUSED, theirs)
                codes[place, width] = mine, theirs
        found = [self._matches(plan, codes, len(table)) for plan in self.plans]
        counts = {}
        for secret, cells in secrets.items():
            own, size = cells.code(table[secret.name]), cells.size
            shown = ~blank[secret.name] if secret.name in blank else np.ones(len(table), dtype=bool)
            answers = np.empty((len(self.plans), len(self.targets), size), dtype=np.float32)
            for answer, (group, match, groups) in zip(answers, found, strict=True):
                some = (match >= 0) & shown
                number = np.bincount(match[some] * size + own[some], minlength=groups * size)
                answer[:] = number.reshape(groups, size)[group]
            counts[secret] = answers
        return counts

    def _matches(
        self, plan: Sequence[int], codes: Mapping[tuple[int, int], tuple[Ints, Ints]], rows: int
    ) -> tuple[Ints, Ints, int]:
        """Return the group of each target, that of each row, -1 for none, and how many there are."""
        group, match, groups = np.zeros(len(self.targets), np.int64), np.zeros(rows, np.int64), 1
        for place, width in enumerate(plan):
            if width == _UNUSED:
                continue
            mine, theirs = codes[place, width]
            size = int(mine.max(initial=0)) + 1
            keys, group = np.unique(group * size + mine, return_inverse=True)
            wanted = np.where((match >= 0) & (theirs >= 0), match * size + theirs, _UNUSED)
            near = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
            match = np.where(keys[near] == wanted, near, _UNUSED)
            group, groups = group.ravel(), len(keys)
        return group, match, groups


def _widths(column: Column) -> int:
    """Return in how many widths a column is compared."""
    return len(_WIDTHS) if column.kind is not Kind.CATEGORICAL and (not column.discrete or column.size > 5) else 1


def _together(column: Column, mine: NDArray[Any], theirs: NDArray[Any], cells: int | None) -> tuple[Ints, Ints]:
    """Return values as codes that are equal where the values are alike; -1 for rows unlike every target."""
    if cells is not None and not column.discrete:
        mine, theirs = (to_bins(column, values, bins=cells) for values in (mine, theirs))
    elif cells is not None and column.size > cells:
        mine, theirs = (values.astype(np.int64) * cells // column.size for values in (mine, theirs))
    keys, own = np.unique(mine, return_inverse=True)
    near = np.minimum(np.searchsorted(keys, theirs), len(keys) - 1)
    return own.ravel(), np.where(keys[near] == theirs, near, _UNUSED)
