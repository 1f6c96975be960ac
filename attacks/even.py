"""Whether the targets' secrets look drawn evenly, as a game may have done, or are their own. Not an attack itself.

In one game the secrets of the targets are exchanged for uniform draws before anything is published, in others they are
their own, and a view does not say which is played. It shows in the release: where each value is as common near the
targets as chance has it, rather than as common as near other people, the targets' secrets were drawn.

References
----------
C. R. Rao, "Large Sample Tests of Statistical Hypotheses Concerning Several Parameters", Proceedings of the Cambridge
Philosophical Society 44, 1948 (the score test).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["drawn_evenly"]

Floats = NDArray[np.float64]

# how far the mix must have moved towards an even one, as a share of the way and in standard errors
_SHARE, _ERRORS = 0.02, 3.0
# a value counts by how rare it is, but for those rarer than this
_RARE = 0.02


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
    # the slope of a mix's log-likelihood where it starts to move from the usual to an even one
    score = way / np.maximum(usual, _RARE)
    if way @ score < 1e-6:  # the usual mix is even itself
        return False
    moved = (near @ score).mean() - (far @ score).mean()
    error = np.sqrt((near @ score).var() / len(near) + (far @ score).var() / len(far))
    return bool(moved > _SHARE * (way @ score) and moved > _ERRORS * error)
