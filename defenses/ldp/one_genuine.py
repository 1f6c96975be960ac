"""One genuine report and a fake for every other column: random sampling plus fake data, uniform or realistic.

References
----------
H. Arcolezi, J.-F. Couchot, B. Al Bouna and X. Xiao, "Random Sampling Plus Fake Data: Multidimensional Frequency
Estimates With Local Differential Privacy", CIKM 2021.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defenses.ldp.fakes import Faked
from privbench.errors import InputError

__all__ = ["randomise_one_genuine"]


def randomise_one_genuine(
    columns: Sequence[NDArray[np.integer]], oracles: Sequence[Faked], *, rng: np.random.Generator
) -> tuple[list[NDArray[Any]], NDArray[np.int64]]:
    """Randomise one column of every person, drawn uniformly; their other columns get fakes.

    Parameters
    ----------
    columns : sequence of array of int, shape (n,)
        Codes of each of d columns.
    oracles : sequence of Faked
        One a column, of share 1 / d.

    Returns
    -------
    reports : list of array
        One report a person and column.
    which : array of int, shape (n,)
        Each person's genuine column: the secret of the mechanism, for tests, never to be released.

    Raises
    ------
    InputError
        If the columns differ in length or number from the oracles, or a share is not 1 / d.
    """
    count = len(oracles)
    if not count or len(columns) != count or len({len(codes) for codes in columns}) != 1:
        raise InputError(
            f"fakes: got {len(columns)} columns for {count} oracles; give one oracle a column, of equal rows"
        )
    for oracle in oracles:
        if not math.isclose(oracle.share, 1 / count, rel_tol=1e-12):
            raise InputError(
                f"fakes: one of {count} columns is genuine, so share must be {1 / count}; got {oracle.share}"
            )
    which = rng.integers(0, count, size=len(columns[0]))
    reports = [
        oracle.randomise_some(codes, which == place, rng=rng)
        for place, (codes, oracle) in enumerate(zip(columns, oracles, strict=True))
    ]
    return reports, which
