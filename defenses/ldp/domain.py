"""What every discrete protocol asks of its input: a domain, a budget, and codes within the domain."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privbench.errors import InputError

__all__ = ["check_parameters", "checked_codes", "checked_prior"]


def check_parameters(protocol: str, *, size: int, epsilon: float) -> None:
    """Refuse a domain without values, or a budget that is not a positive number.

    Parameters
    ----------
    protocol : str
        Its name, for the message.
    size : int
        Number of values, k, at least 1.
    epsilon : float
        Local budget of one report, positive and finite.

    Raises
    ------
    InputError
        If either is out of range.
    """
    if not isinstance(size, int | np.integer) or size < 1:
        raise InputError(f"{protocol}: size is the number of values, a whole number from 1; got {size}")
    if not (epsilon > 0 and math.isfinite(epsilon)):
        raise InputError(f"{protocol}: epsilon must be a positive number; got {epsilon}")


def checked_codes(codes: NDArray[Any], *, size: int) -> NDArray[np.integer]:
    """Return codes, or refuse the first one that is none of 0..k-1.

    Parameters
    ----------
    codes : array of int, shape (n,)
        One value a person; n may be 0.
    size : int
        Number of values, k.

    Raises
    ------
    InputError
        If they are not one row of whole numbers within 0..k-1; NaN is no code.
    """
    array = np.asarray(codes)
    if array.ndim != 1:
        raise InputError(f"codes must be one value a person, of shape (n,); got an array of shape {array.shape}")
    if array.size == 0:
        return np.zeros(0, dtype=np.int64)
    if not np.issubdtype(array.dtype, np.integer):
        raise InputError(
            f"codes must be whole numbers from 0 to {size - 1}; got {array.dtype} values such as {array[_odd(array)]}; "
            "code the values first, a missing one as a value of its own"
        )
    # as unsigned numbers the negative ones are the largest: one pass finds both kinds
    if array.view(array.dtype.str.replace("i", "u")).max() >= size:
        place = int(((array < 0) | (array >= size)).argmax())
        raise InputError(
            f"codes must be whole numbers from 0 to {size - 1}; got {array[place]} (person {place + 1}); "
            "give the protocol the size of the whole domain"
        )
    return array


def _odd(array: NDArray[Any]) -> int:
    """Return the place of the first value that is not a number, else 0."""
    return int(np.isnan(array).argmax()) if np.issubdtype(array.dtype, np.inexact) else 0


def checked_prior(prior: NDArray[np.float64], *, size: int) -> NDArray[np.float64]:
    """Return the probabilities of k values, with sum 1, or refuse what is no distribution over them.

    Raises
    ------
    InputError
        If the shape is not ``(k,)``, one is negative or NaN, or they do not sum to 1 (within 1e-6).
    """
    array = np.asarray(prior, dtype=np.float64)
    if array.shape != (size,) or not (array >= 0).all() or not abs(array.sum() - 1) <= 1e-6:
        raise InputError(
            f"a prior must be {size} probabilities that sum to 1; got {array.size} numbers, their sum {array.sum():g}, "
            f"the least {array.min(initial=np.inf):g}; move an estimate to the nearest distribution first"
        )
    return array / array.sum()
