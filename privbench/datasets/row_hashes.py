"""A 64-bit hash a record over reconciled columns, so that exact copies are found, also of what a schema merges.

Numbers are compared to about twelve significant digits, as programs write different numbers of them. Two different
records of n have the same hash with probability n^2 / 2^65.

References
----------
pandas, `pandas.util.hash_array`: the hash of one value, the same in every run.
S. Vigna, "Further scramblings of Marsaglia's xorshift generators", 2017: the multiplier and shift that mix columns.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from privbench.datasets.reconcile import Reconciled

__all__ = ["RowHashes"]

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)
_BITS = 40  # of a number's mantissa

Hashes = NDArray[np.uint64]


class RowHashes:
    """Hashes of the rows of several files, built a column at a time.

    Parameters
    ----------
    rows : mapping of str to int
        How many rows each role's file has.
    """

    def __init__(self, rows: Mapping[str, int]) -> None:
        self.rows: dict[str, Hashes] = {role: np.zeros(count, dtype=np.uint64) for role, count in rows.items()}

    def add(self, column: Reconciled) -> None:
        """Mix one column into the hashes; the order of columns counts."""
        texts = None if column.values is None else _of_texts(column.values)
        for role, part in column.parts.items():
            values = _of_numbers(part.astype(np.float64)) if texts is None else texts[part]
            mixed = self.rows[role] * _MULTIPLIER + values
            self.rows[role] = mixed ^ (mixed >> _SHIFT)


def _of_texts(texts: NDArray[np.object_]) -> Hashes:
    """Return the hashes of texts and, as the last, of the missing value."""
    plain = np.array([text.encode("utf-8", "surrogatepass") for text in texts] + [b"\0missing"], dtype=object)
    return pd.util.hash_array(plain, categorize=False)


def _of_numbers(numbers: NDArray[np.float64]) -> Hashes:
    mantissa, exponent = np.frexp(numbers)
    rounded = np.ldexp(np.round(np.ldexp(mantissa, _BITS)), exponent - _BITS) + 0.0  # one zero, not two
    rounded[np.isnan(rounded)] = np.nan  # one NaN
    return pd.util.hash_array(rounded)
