"""What was read off some runs: one row of numbers a run, and a fingerprint of each release.

They are set beside what was read off an earlier release of the same object, which gives away noise that was drawn once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Outcomes", "of_two_releases"]

Floats = NDArray[np.float64]

_EARLIER = "an earlier release of the same object"
_SAME = "the release is the same as an earlier one"


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """What was read off some runs.

    Parameters
    ----------
    names : tuple of str
        What each number is, p in all.
    numbers : array of float, shape (n, p)
        One row a run.
    prints : array of uint64, shape (n,)
        Fingerprint of the whole release; 0 where there was none.
    """

    names: tuple[str, ...]
    numbers: Floats
    prints: NDArray[np.uint64]

    def beside(self, reference: Outcomes) -> Outcomes:
        """Return them with what differs from an earlier release, the only run of `reference`.

        Parameters
        ----------
        reference : Outcomes
            Of one release that the same object made before.
        """
        names = (*self.names, *(f"{name}, more than in {_EARLIER}" for name in self.names))
        same = self.prints == reference.prints[0]
        moved = self.numbers - reference._under(self.names)
        return Outcomes(
            (*names, _SAME),
            np.column_stack([self.numbers, moved, same]),
            self.prints,
        )

    def take(self, rows: NDArray[Any]) -> Outcomes:
        """Return these runs."""
        return Outcomes(self.names, self.numbers[rows], self.prints[rows])

    @staticmethod
    def concat(parts: Sequence[Outcomes]) -> Outcomes:
        """Return the runs of several; a number that some do not have is 0 there."""
        names = tuple(dict.fromkeys(name for part in parts for name in part.names))
        numbers = np.concatenate([part._under(names) for part in parts])
        return Outcomes(names, numbers, np.concatenate([part.prints for part in parts]))

    def _under(self, names: tuple[str, ...]) -> Floats:
        """Return the numbers under other names: 0 where there is none."""
        if names == self.names:
            return self.numbers
        found = np.zeros((len(self.prints), len(names)))
        for place, name in enumerate(self.names):
            found[:, names.index(name)] = self.numbers[:, place]
        return found


def of_two_releases(name: str) -> bool:
    """Return whether a number, or an event by its name, sets a release beside an earlier one."""
    return _EARLIER in name or _SAME in name
