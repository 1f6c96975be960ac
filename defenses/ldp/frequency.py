r"""Frequencies from reports that support sets of values, whatever the protocol.

A report supports the true value with probability `p` and a given other one with probability `q`; :math:`C_v` of `n`
reports support value `v`.

References
----------
T. Wang, J. Blocki, N. Li and S. Jha, "Locally Differentially Private Protocols for Frequency Estimation", USENIX
Security 2017.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from privbench.errors import InputError

__all__ = ["estimate", "variance"]

Floats = NDArray[np.float64]


def estimate(counts: Floats, *, reports: int, p: float, q: float) -> Floats:
    r"""Return the unbiased estimate of the values' shares among those who reported; it may leave [0, 1].

    .. math:: \hat f_v = \frac{C_v / n - q}{p - q}

    Parameters
    ----------
    counts : array of float, shape (k,)
        How many reports support each value.
    reports : int
        Number of reports, n. Nobody's reports say nothing: the estimate is then uniform.
    p, q : float
        Probabilities that a report supports the true and a given other value, q < p.
    """
    if reports == 0:
        return np.full(len(counts), 1 / len(counts))
    return (np.asarray(counts, dtype=np.float64) / reports - q) / (p - q)


def variance(shares: Floats, *, reports: int, p: float, q: float) -> Floats:
    r"""Return the variance of the estimate of values with these shares among those who report.

    .. math:: \frac{q (1 - q)}{n (p - q)^2} + \frac{f_v (1 - p - q)}{n (p - q)}

    It is exact for n given people, of whom the share :math:`f_v` has value `v`: the reports alone are random. Where the
    people are themselves a random sample, and the population's shares are wanted, :math:`f_v (1 - f_v) / n` adds to it.

    Parameters
    ----------
    shares : array of float, shape (k,)
        Shares of the values; an estimate outside [0, 1] is moved to the nearest of them.
    reports : int
        Number of reports, n; the variance of an estimate from none is infinite, unless there is but one value.
    p, q : float
        As for `estimate`.

    Raises
    ------
    InputError
        If the number of reports is negative.
    """
    if reports < 0:
        raise InputError(f"the number of reports must be 0 or more; got {reports}")
    share, gap = np.clip(np.asarray(shares, dtype=np.float64), 0, 1), p - q
    one = q * (1 - q) / gap**2 + share * (1 - p - q) / gap
    if reports == 0:
        return np.where(one > 0, np.inf, 0.0)
    return one / reports
