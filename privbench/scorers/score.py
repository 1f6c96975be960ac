"""One scored figure: what is measured, on whom, how surely, and against what.

References
----------
R. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17, 1998.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Score"]


@dataclass(frozen=True, slots=True)
class Score:
    """A figure that is never bare.

    Attributes
    ----------
    metric : str
        A name that `privbench.scorers.metric` knows.
    value : float
        The figure, finite.
    low, high : float or None
        Limits of the 95 % interval, ``low <= value <= high``; None where no interval exists.
    n : int
        Number of people, records or rows behind `value`.
    group : str or None
        None for everyone, ``sex=Female`` for one group, ``sex`` for a comparison of all its groups.
    baseline : float or None
        The same figure with no individual leakage (leakage), the confidence stated (calibration), or that of the model
        trained on real data (the rest).
    control : float or None
        The same figure on people whose records were not in the training data.
    advantage : float or None
        How far the adversary is ahead of `baseline`; positive means leakage, also where low values are good
        guesses.
    """

    metric: str
    value: float
    low: float | None
    high: float | None
    n: int
    group: str | None = None
    baseline: float | None = None
    control: float | None = None
    advantage: float | None = None
