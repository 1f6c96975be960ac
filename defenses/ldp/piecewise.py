"""The piecewise mechanism: a report near the number, or anywhere, unbiased as it stands."""

from __future__ import annotations

import math
from dataclasses import dataclass

from defenses.ldp.window import Window
from defenses.ldp.windowed import Windowed

__all__ = ["Piecewise"]


@dataclass(frozen=True)
class Piecewise(Windowed):
    r"""Report a number from a window around the true one, or from outside it, with two densities e^epsilon apart.

    On numbers t in [-1, 1] the paper's report lies in [-C, C], the window in [l, l + C - 1]:

    .. math:: C = \frac{e^{\epsilon/2} + 1}{e^{\epsilon/2} - 1}, \quad l = \frac{C + 1}{2} t - \frac{C - 1}{2}, \quad
        \mathrm{Var} = \frac{t^2}{e^{\epsilon/2} - 1} + \frac{e^{\epsilon/2} + 3}{3 (e^{\epsilon/2} - 1)^2}.

    Divided by (C + 1) / 2 that is a `Window` of half width e^(-epsilon/2) around t. So it is drawn and stored, in
    single precision and steps of 2^-23 of half the bounds' width; `debias` returns the paper's report in the column's
    unit.

    Parameters
    ----------
    low, high : float
        Public bounds of the numbers, both included.
    epsilon : float
        Local budget of one report, positive.

    Raises
    ------
    InputError
        If the bounds are not finite and in order, or epsilon is not a positive number.

    References
    ----------
    N. Wang et al., "Collecting and Analyzing Multidimensional Data with Local Differential Privacy", ICDE 2019.
    """

    @property
    def _name(self) -> str:
        return "piecewise"

    @property
    def window(self) -> Window:
        """The mechanism on [-1, 1]."""
        return Window(math.exp(-min(self.epsilon, 700.0) / 2), self.epsilon)
