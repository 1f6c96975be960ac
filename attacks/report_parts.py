"""Learning about people from other people's reports only. Not an attack itself.

A model learnt from all reports has learnt from the target's own, and weighs them once more when they are looked at. So
the targets are taken in parts, and what is expected of a part is learnt from the reports of everybody else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from privbench.contracts import View
from privbench.reports import Reports

__all__ = ["learnt_from_others"]


def learnt_from_others(view: View) -> Iterator[tuple[NDArray[np.intp], View]]:
    """Yield parts of the targets, each with the view of that part in which its reports do not exist.

    Parameters
    ----------
    view : View
        Of reports; where it does not tell which are the targets', it is the only one, for all of them.

    Yields
    ------
    places : array of int
        Who of the targets is in the part.
    others : View
        What to learn from.

    References
    ----------
    M. Stone, "Cross-Validatory Choice and Assessment of Statistical Predictions", JRSS B 36, 1974.
    """
    release = view.release
    if view.rows is None or not isinstance(release, Reports):
        yield np.arange(len(view.targets)), view
        return
    for places, rest in release.left_out(view.rows):
        yield places, replace(view, release=rest, targets=view.targets.take(places), rows=view.rows[places])
