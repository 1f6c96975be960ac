"""Whether the targets' secrets look drawn evenly, as a game may have done, or are their own. Not an attack itself.

In one game the secrets of the targets are exchanged for uniform draws before anything is published, in others they are
their own, and a view does not say which is played. It shows in the release: where each value is as common near the
targets as chance has it, rather than as common as near other people, the targets' secrets were drawn.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["drawn_evenly"]

Floats = NDArray[np.float64]

# how far the mix must have moved towards an even one, as a share of the way and in standard errors
_SHARE, _ERRORS = 0.03, 3.0


def drawn_evenly(targets: Floats, others: Floats) -> bool:
    """Compare the mix of secrets near targets with the mix near other people of the same population.

    Parameters
    ----------
    targets, others : array of shape (T, k), (S, k)
        For each person weights of the k values among the rows that are near; those without any are left out.

    Returns
    -------
    bool
        True only beyond doubt, three standard errors: otherwise secrets are taken to be people's own.
    """
    near, far = (shares[shares.sum(axis=1) > 0] for shares in (targets, others))
    if min(len(near), len(far)) < 2:
        return False
    near, far = (shares / shares.sum(axis=1, keepdims=True) for shares in (near, far))
    usual = far.mean(axis=0)
    way = 1 / len(usual) - usual
    length = way @ way
    if length < 1e-6:  # the usual mix is even itself
        return False
    moved = (near @ way).mean() - (far @ way).mean()
    error = np.sqrt((near @ way).var() / len(near) + (far @ way).var() / len(far))
    return bool(moved > _SHARE * length and moved > _ERRORS * error)
