"""The nearest distribution to noisy shares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["nearest_distribution"]


def nearest_distribution(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities nearest to noisy shares, by Euclidean distance: the projection onto the simplex.

    Parameters
    ----------
    shares : array of float
        Of any shape, negative ones and sums other than 1 included.

    References
    ----------
    M. Held, P. Wolfe and H. Crowder, "Validation of Subgradient Optimization", Mathematical Programming 6, 1974.
    """
    falling = np.sort(shares, axis=None)[::-1]
    excess = (np.cumsum(falling) - 1) / np.arange(1, falling.size + 1)
    last = np.flatnonzero(falling > excess)[-1]
    return np.maximum(shares - excess[last], 0.0)
