r"""How often the best guess from one report is right: the Bayes attack's exact success, for any prior.

The guess maximises prior times likelihood. A report's likelihood has two levels, R times higher for the values that it
supports. With the values in falling order of their probabilities :math:`f_1 \ge f_2 \ge \dots`, the guess is the first
supported value s if :math:`f_s R > f_1`, which holds for the first m values, else value 1, supported or not; so

.. math:: \sum_{s \le m} f_s\, p\, P[1..s-1 \text{ unsupported} \mid s \text{ true, supported}]
          + f_1 (1 - p)\, P[2..m \text{ unsupported} \mid 1 \text{ true, unsupported}].

Which of several equally likely values is taken does not change the sum.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["success_of_bits", "success_of_subsets"]

Floats = NDArray[np.float64]


def success_of_bits(prior: Floats, *, p: float, q: float, log_ratio: float) -> float:
    """Return the success where a report supports every other value on its own with probability `q`.

    Parameters
    ----------
    prior : array of float, shape (k,)
        Probabilities of the values.
    p, q : float
        Probabilities that a report supports the true and a given other value.
    log_ratio : float
        Log of the likelihood of a supported value over that of another one.

    Returns
    -------
    float
        Between the greatest prior probability and 1.
    """
    falling, guessed = _guessed(prior, log_ratio)
    silent = np.exp(np.arange(len(guessed)) * math.log1p(-q))
    return float(p * (guessed * silent).sum() + falling[0] * (1 - p) * silent[-1])


def success_of_subsets(prior: Floats, *, width: int, p: float, log_ratio: float) -> float:
    """Return the success where a report supports `width` of the k values, the false ones drawn without replacement.

    Parameters are those of `success_of_bits`; `width` is 1 for a report that is a value.
    """
    falling, guessed = _guessed(prior, log_ratio)
    size, count = len(falling), len(guessed)
    place = np.arange(1, count)
    # the s-th value is the first one supported: one factor for each value before it
    others = np.cumprod(np.append(1.0, np.maximum(0.0, 1 - (width - 1) / (size - place))))
    none = np.maximum(0.0, 1 - width / (size - place)).prod()
    return float(p * (guessed * others).sum() + falling[0] * (1 - p) * none)


def _guessed(prior: Floats, log_ratio: float) -> tuple[Floats, Floats]:
    """Return the probabilities in falling order, and the first m of them."""
    falling = np.sort(prior)[::-1]
    worth = falling > falling[0] * math.exp(-log_ratio)
    worth[0] = True
    return falling, falling[: int(worth.sum())]
