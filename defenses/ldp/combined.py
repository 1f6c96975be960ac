"""Several columns randomised as one: generalised randomised response over the product of their domains."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defenses.ldp.domain import check_parameters, checked_codes
from defenses.ldp.grr import Grr
from privbench.errors import InputError

__all__ = ["LARGEST_DOMAIN", "CombinedColumn", "joint_size", "randomise_jointly"]

LARGEST_DOMAIN = 1_000_000
"""Beyond that many joint values an answer is a lie nearly always, at any budget that protects."""


def joint_size(sizes: Sequence[int]) -> int:
    """Return the number of joint values of several columns, K.

    Raises
    ------
    InputError
        If there is no column, or K exceeds a million.
    """
    if not sizes:
        raise InputError("combined: no column to randomise; name at least one")
    product = math.prod(int(size) for size in sizes)
    if product > LARGEST_DOMAIN:
        raise InputError(
            f"combined: {len(sizes)} columns have {product} joint values; allowed: at most {LARGEST_DOMAIN}; "
            "name fewer columns, group their values, or take another allocation"
        )
    return product


def randomise_jointly(
    columns: Sequence[NDArray[np.integer]], *, sizes: Sequence[int], epsilon: float, rng: np.random.Generator
) -> list[NDArray[np.unsignedinteger[Any]]]:
    """Randomise every person's vector of values as one value.

    Parameters
    ----------
    columns : sequence of array of int, shape (n,)
        Codes of each column.
    sizes : sequence of int
        Number of values of each column.
    epsilon : float
        Budget of the whole vector.

    Returns
    -------
    list of array of unsigned int, shape (n,)
        One reported code a column, in the smallest type that holds it; a person's are all true, or together another
        joint value.

    Raises
    ------
    InputError
        If the joint domain is too large, or a code is outside its domain.
    """
    joint = Grr(size=joint_size(sizes), epsilon=epsilon)
    if len(columns) != len(sizes):
        raise InputError(f"combined: got {len(columns)} columns and {len(sizes)} sizes; give one size a column")
    shape = tuple(int(size) for size in sizes)
    codes = tuple(checked_codes(column, size=size) for column, size in zip(columns, shape, strict=True))
    reported = joint.randomise(np.ravel_multi_index(codes, shape), rng=rng)
    parts = np.unravel_index(reported.astype(np.intp), shape)
    return [part.astype(np.min_scalar_type(size - 1)) for part, size in zip(parts, shape, strict=True)]


@dataclass(frozen=True)
class CombinedColumn:
    r"""One column's part of a joint report: alone, generalised randomised response with a smaller budget.

    Of the K / k joint values that share a column's true value one has probability p, the others q; every other value
    of the column is shared by K / k joint values of probability q:

    .. math:: p_j = p + (K / k_j - 1) q, \quad q_j = (K / k_j) q, \quad
              \epsilon_j = \ln(p_j / q_j) = \ln(1 + (e^\epsilon - 1) k_j / K)

    The reports of a person's columns are not independent: what they say together is `joint_epsilon`, which neither sums
    the parts nor follows from them.

    Parameters
    ----------
    size : int
        Number of values of the column, k_j.
    domain : int
        Number of joint values, K, a multiple of k_j.
    joint_epsilon : float
        Budget of the joint report, positive.

    References
    ----------
    P. Kairouz, K. Bonawitz and D. Ramage, "Discrete Distribution Estimation under Local Privacy", ICML 2016.
    """

    size: int
    domain: int
    joint_epsilon: float

    def __post_init__(self) -> None:
        if self.domain < 1 or self.domain % max(1, self.size):
            raise InputError(
                f"combined: {self.domain} joint values cannot belong to a column of {self.size}; "
                "the first must be a multiple of the second"
            )
        check_parameters("combined", size=self.size, epsilon=self.joint_epsilon)

    @property
    def alone(self) -> Grr:
        """The same channel as a protocol of one column."""
        return Grr(size=self.size, epsilon=self.epsilon)

    @property
    def epsilon(self) -> float:
        """Budget that the column's part of the report spends on its value, if the other parts are not seen."""
        part = self.size / self.domain
        if part == 1:
            return self.joint_epsilon
        # ln(1 - part + part e^epsilon), which cannot overflow; by expm1 where it would cancel
        if self.joint_epsilon < 1:
            return math.log1p(part * math.expm1(self.joint_epsilon))
        return float(np.logaddexp(math.log1p(-part), self.joint_epsilon + math.log(part)))

    @property
    def p(self) -> float:
        """Probability of the true value."""
        return self.alone.p

    @property
    def q(self) -> float:
        """Probability of a given other value."""
        return self.alone.q

    def randomise(self, codes: NDArray[np.integer], *, rng: np.random.Generator) -> NDArray[np.unsignedinteger[Any]]:
        """Return one reported code for each of `n` codes, as if the other columns were not reported."""
        return self.alone.randomise(codes, rng=rng)

    def support(self, reports: NDArray[Any]) -> NDArray[np.bool_]:
        """Return the ``(n, k)`` indicators of the reported values."""
        return self.alone.support(reports)

    def counts(self, reports: NDArray[Any]) -> NDArray[np.float64]:
        """Return how many reports are each value, ``(k,)``."""
        return self.alone.counts(reports)

    def log_likelihood(self, reports: NDArray[Any]) -> NDArray[np.float64]:
        """Return log P[reported value | value] up to a constant, ``(n, k)``, the column taken alone."""
        return self.alone.log_likelihood(reports)

    def estimate(self, reports: NDArray[Any]) -> NDArray[np.float64]:
        """Return the unbiased estimate of the values' shares, ``(k,)``."""
        return self.alone.estimate(reports)

    def variance(self, shares: NDArray[np.float64], *, reports: int) -> NDArray[np.float64]:
        """Return the variance of the estimate of each value."""
        return self.alone.variance(shares, reports=reports)

    def success(self, prior: NDArray[np.float64]) -> float | None:
        """Return how often the best guess from the column's own reported value is right."""
        return self.alone.success(prior)
