r"""What a report says, protocol by protocol, in one form: the set S of values that it supports.

Every discrete protocol here has :math:`P[S | v] = W(S)\, e^{\lambda [v \in S]}`, where W depends on the number of
values in S alone. A value that is drawn from weights :math:`\pi` and then randomised gives S with probability
:math:`W(S) (1 - \sigma + \sigma e^\lambda)`, :math:`\sigma` being the weight of S.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from defenses.ldp.grr import Grr
from defenses.ldp.pure_protocol import PureProtocol
from defenses.ldp.subset_selection import SubsetSelection
from defenses.ldp.unary import UnaryEncoding

__all__ = ["log_binomial", "log_mixed", "log_set", "log_zero", "widths"]

Floats = NDArray[np.float64]


def widths(protocol: PureProtocol) -> tuple[int, int]:
    """Return the least and the greatest number of values that a report can support."""
    if isinstance(protocol, Grr):
        return 1, 1
    if isinstance(protocol, SubsetSelection):
        return protocol.width, protocol.width
    return 0, protocol.size


def log_set(protocol: PureProtocol) -> Floats:
    """Return log W for each number of supported values, ``(k + 1,)``; -inf where there is no such report.

    Local hashing is taken over its seeds, for hashes that map every value to a cell independently. Of at least two
    values.
    """
    size, high = protocol.size, protocol.log_ratio
    count = np.arange(size + 1)
    weight = np.full(size + 1, -np.inf)
    if isinstance(protocol, Grr | SubsetSelection):
        width = widths(protocol)[0]
        weight[width] = math.log(protocol.p) - high - float(log_binomial(size - 1, width - 1))
    elif isinstance(protocol, UnaryEncoding):
        q = protocol.q
        weight = count * math.log(q) + (size - count) * math.log1p(-q) - log_zero(protocol)
    else:
        q = protocol.q
        weight = (count - 1) * math.log(q) + (size - count) * math.log1p(-q) + math.log(protocol.p) - high
    return weight


def log_zero(protocol: UnaryEncoding) -> float:
    """Return log P[S | no bit was set before it was randomised] - log P[S | a value outside S]: log (1-q)/(1-p)."""
    # not by 1 - p, which vanishes for a large budget
    return protocol.log_ratio - math.log(protocol.p / protocol.q)


def log_mixed(weight: Floats, ratio: float) -> Floats:
    """Return log(1 - weight + weight e^ratio) of weights in [0, 1], without overflow."""
    part = np.clip(weight, 0.0, 1.0)
    with np.errstate(divide="ignore"):
        return np.logaddexp(np.log1p(-part), np.log(part) + ratio)


def log_binomial(n: Floats | int, k: Floats | int) -> Floats:
    """Return the log of the binomial coefficients, 0 <= k <= n."""
    top, below = np.asarray(n, dtype=np.float64), np.asarray(k, dtype=np.float64)
    return np.asarray(gammaln(top + 1) - gammaln(below + 1) - gammaln(top - below + 1))
