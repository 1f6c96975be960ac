r"""How much more one set of rows tells than another of the same kind, about the same people: pure numbers.

An attack is made once with each set; the people are the same, so what is random is which rows the sets hold. A fitted
model is better or worse for everybody at once, which differences between single people do not show: a paired interval
over people flags four in five releases that are real rows of others. But under the null hypothesis, that the one set
is drawn like the other, rows can change sets: the two are pooled and cut anew at random, into sets of the same sizes,
and the attack is made again with both. With the mean :math:`\bar d` and standard deviation s of B such differences,
:math:`(d - \bar d) / (s \sqrt{1 + 1/B})` has about Student's distribution of B - 1 degrees of freedom; the mean is what
the sizes of the sets do. Where hardly anybody is guessed wrong, or right, B differences may all be 0 by chance, and one
person more or less would look certain: s is taken to be at least one person, 1/n.

References
----------
R. Fisher, "The Design of Experiments", 1935 (exchanging labels); H. Scheffé, "The Analysis of Variance", 1959 (the
prediction interval of one more difference).
"""

from __future__ import annotations

import math

import numpy as np

from privbench.scorers.intervals import Floats, t_value

__all__ = ["exchanged_interval", "exchanged_p_value"]


def exchanged_interval(difference: float, drawn: Floats, *, people: int, level: float) -> tuple[float, float]:
    """Return the limits of a difference beyond what a random exchange of rows gives.

    Parameters
    ----------
    difference : float
        In [-1, 1].
    drawn : ndarray, shape (B,)
        The same after exchanges, B at least 2.
    people : int
        How many the differences are means over, at least 1.
    level : float
        Confidence, in (0, 1).

    Returns
    -------
    low, high : float
        Of ``difference - drawn.mean()``, in [-1, 1].
    """
    centre, unit = difference - float(drawn.mean()), _unit(drawn, people)
    half = t_value(len(drawn) - 1, level) * unit
    return max(centre - half, -1.0), min(centre + half, 1.0)


def exchanged_p_value(difference: float, drawn: Floats, *, people: int) -> float:
    """Return the one-sided p-value of no difference; parameters as in `exchanged_interval`."""
    from scipy.special import stdtr

    return float(stdtr(len(drawn) - 1, -(difference - float(drawn.mean())) / _unit(drawn, people)))


def _unit(drawn: Floats, people: int) -> float:
    return max(float(np.std(drawn, ddof=1)), 1 / people) * math.sqrt(1 + 1 / len(drawn))
