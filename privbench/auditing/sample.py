"""Some rows of a table, drawn from all in the order of their values: the order of rows in a file changes nothing.

References
----------
NumPy, `numpy.random.Generator.choice`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from privbench.auditing.twins import row_keys
from privbench.table import Table

__all__ = ["draw_places", "draw_rows"]

Places = NDArray[np.intp]


def draw_places(table: Table, among: Places, most: int, *, rng: np.random.Generator) -> Places:
    """Draw at most so many of these places without replacement; all of them, as they are, where they are no more."""
    if len(among) <= most:
        return among
    keys = row_keys(table)[among]
    return among[np.argsort(keys, kind="stable")[rng.choice(len(among), most, replace=False)]]


def draw_rows(table: Table, most: int, *, rng: np.random.Generator, among: NDArray[np.bool_] | None = None) -> Table:
    """Draw at most so many rows without replacement, of all or of those in the mask `among`."""
    everybody = np.arange(len(table)) if among is None else np.flatnonzero(among)
    places = draw_places(table, everybody, most, rng=rng)
    return table if len(places) == len(table) else table.take(places)
