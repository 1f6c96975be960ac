"""Sums over groups of records: the equations that the answers to queries are, and what may solve them.

Record i has an unknown row x_i of k probabilities, which sum to 1. A query (j, v) asks for the sum of x_iv over the
records of group j, and b_jv is its answer: A x = b, where A marks who is in which group. With two values
x_i0 = 1 - x_i1, and what remains is one number between 0 and 1 a record.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

with warnings.catch_warnings():  # scipy.sparse adds a filter of its own when it is imported
    import scipy.sparse as sp

__all__ = ["Floats", "Singles", "Sums", "both", "project"]

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
"""What first-order methods count in: they wait for memory, and their answers are as good as the noise allows."""


@dataclass(frozen=True)
class Sums:
    """Who is in which group: A, with one group a record in each of S groupings.

    Parameters
    ----------
    groups : array of int, shape (S, n)
        Group of each record in each grouping, numbered through from 0.
    number : int
        How many groups there are, J.
    """

    groups: NDArray[np.int32]
    number: int

    @cached_property
    def records(self) -> Floats:
        """How many records each group has, ``(J,)``."""
        return np.bincount(self.groups.ravel(), minlength=self.number).astype(np.float64)

    @cached_property
    def _transposed(self) -> sp.csr_array:
        groupings, records = self.groups.shape
        where = np.ascontiguousarray(self.groups.T).ravel()
        start = np.arange(records + 1, dtype=np.int64) * groupings
        return sp.csr_array((np.ones(len(where), dtype=np.float32), where, start), shape=(records, self.number))

    @cached_property
    def matrix(self) -> sp.csc_array:
        """A itself, ``(J, n)``."""
        return self._transposed.T

    def over(self, x: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return A x."""
        return self.matrix @ x

    def back(self, y: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return A' y."""
        return self._transposed @ y


def project(x: NDArray[np.floating]) -> Singles:
    """Return the distribution nearest to each row, or the share nearest to a single number."""
    if x.shape[1] == 1:
        return np.clip(x, 0, 1)
    falling = np.sort(x, axis=1)[:, ::-1]
    excess = (np.cumsum(falling, axis=1) - 1) / np.arange(1, x.shape[1] + 1, dtype=x.dtype)
    last = (falling > excess).sum(axis=1) - 1
    return np.maximum(x - np.take_along_axis(excess, last[:, None], axis=1), 0)


def both(x: NDArray[np.floating]) -> Floats:
    """Return distributions in double precision, whether x has all k columns or the second of two."""
    x = x.astype(np.float64)
    if x.shape[1] == 1:
        return np.column_stack([1 - x[:, 0], x[:, 0]])
    return np.asarray(x / x.sum(axis=1, keepdims=True))
