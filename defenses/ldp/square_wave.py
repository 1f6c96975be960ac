"""The square wave: a report near the number, or anywhere, made to recover the whole distribution of a column."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import hyp1f1

from defenses.ldp.window import Window
from defenses.ldp.windowed import Windowed
from privbench.errors import InputError

__all__ = ["SquareWave"]

Floats = NDArray[np.float64]

_ROUNDS = 10_000


@dataclass(frozen=True)
class SquareWave(Windowed):
    r"""Report a number within b of the true one e^epsilon times as likely as another one.

    On numbers v in [0, 1] the report lies in [-b, 1 + b]; b maximises an upper bound of what a report tells of v:

    .. math:: b = \frac{\epsilon e^\epsilon - e^\epsilon + 1}{2 e^\epsilon (e^\epsilon - 1 - \epsilon)}.

    On [-1, 1] that is a `Window` of half width 2b, and so it is drawn and stored, in single precision and steps of
    2^-23 of half the bounds' width. The report's expectation is affine in the number, which gives an unbiased mean; but
    what the mechanism is made for is `histogram`: at large epsilon it still reports from outside the window with a
    probability of about 1 / (1 + epsilon), so that for means `Piecewise` is far better.

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
    Z. Li et al., "Estimating Numerical Distributions under Local Differential Privacy", SIGMOD 2020.
    """

    @property
    def _name(self) -> str:
        return "square wave"

    @property
    def window(self) -> Window:
        """The mechanism on [-1, 1]."""
        # (e^x - 1 - x) / x^2 = 1F1(1; 3; x) / 2: the formula of b without its cancellation at small epsilon
        finite = min(self.epsilon, 700.0)
        return Window(float(hyp1f1(1, 3, -finite) / hyp1f1(1, 3, finite)), self.epsilon)

    def histogram(self, reports: NDArray[np.float32], cells: int, *, smooth: bool = True) -> Floats:
        """Return the shares of equal cells of the bounds, likeliest given the reports, by expectation maximisation.

        They are a distribution, and therefore not unbiased. The paper's rules end the rounds: a change in log
        likelihood below .001, or without smoothing .001 e^epsilon (here at most .15).

        Parameters
        ----------
        reports : array of shape (n,)
            Of `randomise`.
        cells : int
            Number of cells, at least 1; the reports are cut into as many.
        smooth : bool
            After each round average every cell with its neighbours, weights 1, 2, 1 (the paper's EMS); without, noise
            is fitted too.

        Returns
        -------
        array of shape (cells,)
            Non-negative, with sum 1; equal shares without a report.

        Raises
        ------
        InputError
            If there is no cell.
        """
        if cells < 1:
            raise InputError(f"histogram: needs at least one cell, got {cells}")
        reach = 1 + self.window.half
        place = np.floor((reports.astype(np.float64) / reach + 1) / 2 * cells).astype(np.int64)
        counts = np.bincount(np.clip(place, 0, cells - 1), minlength=cells).astype(np.float64)
        passed = self.window.cumulative(np.linspace(-reach, reach, cells + 1), cells=cells)
        chance = np.maximum(np.diff(passed, axis=0), np.finfo(float).tiny)
        shares = np.full(cells, 1 / cells)
        if not len(reports):
            return shares
        enough = 1e-3 if smooth else 1e-3 * math.exp(min(self.epsilon, 5.0))
        before = -math.inf
        for _ in range(_ROUNDS):
            expected = chance @ shares
            likelihood = float(counts @ np.log(expected))
            if abs(likelihood - before) < enough:
                break
            before = likelihood
            shares = shares * (chance.T @ (counts / expected))
            if smooth:
                ends = np.pad(shares, 1, mode="edge")
                shares = ends[:-2] + 2 * ends[1:-1] + ends[2:]
            shares = shares / shares.sum()
        return shares
