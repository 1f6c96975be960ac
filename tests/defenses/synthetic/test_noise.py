"""Integer noise has the distribution that its docstring states."""

from __future__ import annotations

import numpy as np
import pytest

from defenses.synthetic.noise import discrete_gaussian, geometric
from privbench.rng import stream

N = 200_000


def deviation(drawn, weight, reach) -> float:
    """Return the largest deviation of a frequency from its probability, in standard errors."""
    values = np.arange(-reach, reach + 1)
    wide = np.arange(-40 * reach - 40, 40 * reach + 41)
    expected = weight(values) / weight(wide).sum()
    seen = np.array([(drawn == value).mean() for value in values])
    return float((np.abs(seen - expected) / np.sqrt(expected * (1 - expected) / N + 1e-9)).max())


@pytest.mark.parametrize("rate", [0.05, 0.4, 2.0])
def test_geometric(rate):
    drawn = geometric(N, rate=rate, rng=stream(0, "noise"))
    assert drawn.dtype == np.int64
    assert deviation(drawn, lambda x: np.exp(-rate * np.abs(x)), min(30, int(4 / rate) + 1)) < 5


@pytest.mark.parametrize("sigma", [0.3, 1.0, 2.7, 50.0])
def test_discrete_gaussian(sigma):
    drawn = discrete_gaussian(N, sigma=sigma, rng=stream(0, "noise"))
    assert drawn.dtype == np.int64
    assert len(drawn) == N
    assert deviation(drawn, lambda x: np.exp(-(x**2) / (2 * sigma**2)), min(40, int(4 * sigma) + 1)) < 5
