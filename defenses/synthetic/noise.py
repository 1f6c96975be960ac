"""Integer noise for counts, drawn from the generator handed in: the two-sided geometric and the discrete Gaussian.

OpenDP has samplers that are exact to the last bit, but none that can be seeded, and here one seed drives everything.
These work on integers, so the classic attack on the low bits of a double (Mironov 2012) finds nothing to read, but
their probabilities are computed in double precision: `stated_assumptions` says so in every claim that rests on them.

References
----------
A. Ghosh, T. Roughgarden and M. Sundararajan, "Universally Utility-Maximizing Privacy Mechanisms", STOC 2009.
C. Canonne, G. Kamath and T. Steinke, "The Discrete Gaussian for Differential Privacy", NeurIPS 2020.
I. Mironov, "On Significance of the Least Significant Bits for Differential Privacy", CCS 2012.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from privbench.schema import Schema

__all__ = ["discrete_gaussian", "geometric", "stated_assumptions"]

_LIMITS = "the noise is integer, but drawn with double-precision arithmetic: probabilities are exact to about 1e-16"


def geometric(size: int, *, rate: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw integers with P[x] proportional to exp(-rate |x|), as the difference of two geometric counts.

    Parameters
    ----------
    size : int
        How many.
    rate : float
        Positive: epsilon over the L1 sensitivity of the counts.
    rng : Generator
        The only source of randomness.
    """
    success = -math.expm1(-rate)
    return rng.geometric(success, size=size) - rng.geometric(success, size=size)


def discrete_gaussian(size: int, *, sigma: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw integers with P[x] proportional to exp(-x^2 / (2 sigma^2)).

    Proposals from a two-sided geometric distribution are kept with the probability that turns it into the discrete
    Gaussian; at least a third of them are, whatever sigma is.

    Parameters
    ----------
    size : int
        How many.
    sigma : float
        Positive; for integer counts of L2 sensitivity D the noise gives D^2 / (2 sigma^2)-zCDP.
    rng : Generator
        The only source of randomness.
    """
    scale = math.floor(sigma) + 1
    centre = sigma * sigma / scale
    drawn = np.empty(size, dtype=np.int64)
    filled = 0
    while filled < size:
        proposed = geometric(3 * (size - filled) + 16, rate=1 / scale, rng=rng)
        kept = proposed[rng.random(len(proposed)) < np.exp(-((np.abs(proposed) - centre) ** 2) / (2 * sigma * sigma))]
        take = min(len(kept), size - filled)
        drawn[filled : filled + take] = kept[:take]
        filled += take
    return drawn


def stated_assumptions(schema: Schema, *, public_size: bool = True) -> tuple[str, ...]:
    """Return what must be true, a sentence each, for a guarantee that rests on this noise and on a schema.

    Parameters
    ----------
    schema : Schema
        Domains that were read off the records are named.
    public_size : bool
        Whether the mechanism uses the number of records as it is.
    """
    said = ["the number of records is public"] if public_size else []
    said.append(_LIMITS)
    if undeclared := schema.undeclared():
        said.append(f"the domains of {', '.join(undeclared)} are public, though they were read off the file")
    return tuple(said)
