r"""A report that is e^epsilon times as likely within a window around the number as anywhere else.

The piecewise mechanism and the square wave are both this, up to the unit of the report; they differ in the window's
width alone. On numbers t in [-1, 1] with a half width w the report y has density

.. math:: f(y \mid t) = \frac{e^\epsilon [|y - t| \le w] + [|y - t| > w]}{2 (w e^\epsilon + 1)},
    \quad |y| \le 1 + w, \qquad E[y \mid t] = a t, \quad a = \frac{w (e^\epsilon - 1)}{w e^\epsilon + 1}.

References
----------
N. Wang et al., "Collecting and Analyzing Multidimensional Data with Local Differential Privacy", ICDE 2019.
Z. Li et al., "Estimating Numerical Distributions under Local Differential Privacy", SIGMOD 2020.
I. Mironov, "On Significance of the Least Significant Bits for Differential Privacy", CCS 2012.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["STEP", "Window"]

Floats = NDArray[np.float64]

STEP = 2.0**-23
"""Distance of the numbers that a report is rounded to; up to 2 all of them are exact in single precision."""

_ROUNDING = 2.0**-50  # what double precision may do to a window's edge


@dataclass(frozen=True)
class Window:
    """Randomise numbers in [-1, 1] by a window.

    Two things keep the guarantee in floating point. Reports are rounded to multiples of `STEP` = 2^-23, whatever the
    number, so that low-order bits tell nothing of it: each multiple is reached from about 2^30 uniform draws, and
    the ratio of two inputs exceeds e^epsilon by a factor of 1 + 2^-26 at most. And a report falls outside the
    window where a uniform draw is below its probability, which rounds that probability up to a multiple of 2^-53:
    at epsilon above 70 a little more noise is drawn than the formulas say.

    Parameters
    ----------
    half : float
        Half the window's width, in (0, 1].
    epsilon : float
        Local budget of one report.
    """

    half: float
    epsilon: float

    @property
    def _small(self) -> float:
        return math.exp(-min(self.epsilon, 700.0))  # neither overflows nor is 0

    @property
    def miss(self) -> float:
        """Probability of the report lying anywhere but in the window, 1 / (w e^epsilon + 1)."""
        return self._small / (self.half + self._small)

    @property
    def slope(self) -> float:
        """Factor a between a number and its report's expectation."""
        return -self.half * math.expm1(-self.epsilon) / (self.half + self._small)

    def randomise(self, numbers: Floats, *, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return one report for each number in [-1, 1], ``(n,)``, a multiple of `STEP` of at most 1 + w."""
        draw = 2 * rng.random(len(numbers)) - 1
        outside = rng.random(len(numbers)) < self.miss
        # all but the window is as long as [-1, 1]: a draw left of the number moves out to the left, else to the right
        report = np.where(outside, draw + np.copysign(self.half, draw - numbers), numbers + self.half * draw)
        last = math.floor((1 + self.half) / STEP)  # a step that is cut short is added to the one before
        return np.asarray(np.clip(np.rint(report / STEP), -last, last) * STEP, dtype=np.float32)

    def mean(self, reports: NDArray[np.float32]) -> float:
        """Return the unbiased estimate of the mean number; 0 without a report."""
        return float(reports.mean(dtype=np.float64)) / self.slope if len(reports) else 0.0

    def debias(self, reports: NDArray[np.float32]) -> Floats:
        """Return the unbiased estimate of each number."""
        return np.asarray(reports, dtype=np.float64) / self.slope

    def variance(self, numbers: Floats) -> Floats:
        """Return the variance of the debiased report of each number: a sum of positive terms, exact at any epsilon."""
        a, w, miss = self.slope, self.half, self.miss
        outside = miss * ((1 + w) ** 3 / 3 + (1 + w) * a * np.square(numbers))
        return np.asarray((outside + a * w**2 / 3) / a**2)

    def log_likelihood(self, reports: NDArray[np.float32], at: Floats) -> Floats:
        """Return log P[report | number] up to a constant, ``(n, g)``: that of the cell which was rounded to the report.

        A cell that the window's edge cuts has a likelihood in between, so a report rounded across an edge never
        speaks against its own number.
        """
        room = STEP / 2 - np.abs(reports[:, None].astype(np.float64) - at)
        covered = np.clip(room + self.half + _ROUNDING, 0, min(2 * self.half, STEP)) / STEP
        return np.asarray(np.log(covered + (1 - covered) * self._small))

    def cumulative(self, edges: Floats, *, cells: int) -> Floats:
        """Return P[report <= edge] for a number uniform in each of so many equal cells of [-1, 1], ``(e, cells)``."""
        w, start = self.half, np.linspace(-1, 1, cells + 1)
        gap = edges[:, None] - start + w  # how far an edge has passed the window of a number at a cell's end
        # the share of the window that was passed, integrated over the number
        area = np.clip(gap, 0, 2 * w) ** 2 / (4 * w) + np.maximum(gap - 2 * w, 0)
        inside = (area[:, :-1] - area[:, 1:]) * cells / 2
        # the rest is uniform: the part passed of all but the window, whose length is 2
        return np.asarray((1 - self.miss) * inside + self.miss * (edges[:, None] + 1 + w - 2 * w * inside) / 2)
