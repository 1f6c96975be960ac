r"""Records that are word for word alike: how many there are by nature, and what they do to a comparison.

The share of a new person's record that stands among n others is their *coverage*. With :math:`N_j` the number of values
that occur j times among the n, Good's estimate of it is :math:`1 - N_1/n`, the share of records with a twin among the
others. Summing over values, with Poisson counts, :math:`E (\lambda 1[X=0] - 1[X=1])^2 = E N_1 + 2 E N_2`; as the n are
fixed, Esty's variance of the error is :math:`(N_1 + 2 N_2 - N_1^2/n)/n^2`. Likewise a new record has the value of a
record without twin with a probability that :math:`2 N_2 / n` estimates, with variance :math:`(4 N_2 + 6 N_3)/n^2`.

A control that was drawn like the training file stands in it as often as its coverage says. Where it does more often,
some controls are members: members and controls are then taken only among records without a twin among the (other)
training records, which treats both alike, and none of the controls left is a member.

References
----------
I. Good, "The population frequencies of species and the estimation of population parameters", Biometrika 40, 1953.
W. Esty, "A normal limit law for a nonparametric estimator of the coverage of a random sample", Ann. Stat. 11, 1983.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from privbench.auditing.excess import LEVEL, Excess, Share, share
from privbench.auditing.findings import Check
from privbench.report.words import percent
from privbench.scorers.intervals import wilson_effective, z_value
from privbench.table import Table

__all__ = ["SMALLEST", "Twins", "find_twins", "judge_twins", "row_keys", "stands_in"]

Keys = NDArray[np.uint64]
Mask = NDArray[np.bool_]

SMALLEST = 0.001
"""A smaller surplus of controls that are members, or of records that repeat, changes no figure that is shown."""
MOST = 0.5
"""A surplus above which the control file is hardly one."""
_ODD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True, eq=False)
class Twins:
    """Who has a twin in the training file.

    Attributes
    ----------
    train : array of bool, shape (n,)
        Training records with the same values as another one.
    coverage : Share
        Their share, with the limits of what part of the population it stands for.
    singles : Share
        What part of the population has the values of a training record without twin; `count` is how many of those
        there are.
    """

    train: Mask
    coverage: Share
    singles: Share


def find_twins(train: Keys, *, natural: Share | None = None, level: float = LEVEL) -> Twins:
    """Find the training records that have a twin, by one key a record.

    Parameters
    ----------
    train : array of uint64, shape (n,)
    natural : Share or None
        Where one record of each key was kept, so that no twins are left to tell how many there would be: what part of
        the population has the values of a training record at most.
    level : float
        Of the limits, two-sided.
    """
    n = len(train)
    _, place, counts = np.unique(train, return_inverse=True, return_counts=True)
    mask = counts[place] > 1
    one, two, three = (int((counts == times).sum()) for times in (1, 2, 3))
    if not n:
        return Twins(mask, share(0, 0, level=level), share(0, 0, level=level))
    if natural is not None:
        return Twins(mask, natural, natural)
    coverage = _outer(1 - one / n, variance=max(one + 2 * two - one**2 / n, 0.0) / n**2, n=n, level=level)
    hit = min(2 * two / n, 1.0)
    # half of n where no value occurs twice: each would have counted two
    singles = _outer(hit, variance=(4 * two + 6 * three) / n**2, n=n / 2, level=level)
    return Twins(mask, Share(n - one, n, 1 - one / n, *coverage), Share(one, n, hit, *singles))


def _outer(value: float, *, variance: float, n: float, level: float) -> tuple[float, float]:
    """Return the outer ones of Wilson's limits, for shares near 0 or 1, and normal ones.

    Where all rare values happen to have been seen the share missed is 0, which Wilson's limits never reach.
    """
    low, high = wilson_effective(value, variance=variance, n=n, level=level)
    half = z_value(level) * variance**0.5
    return max(min(low, value - half), 0.0), min(max(high, value + half), 1.0)


def stands_in(records: Keys, others: Keys) -> Mask:
    """Return which records have the key of one of the others."""
    from pandas import Series

    return Series(records).isin(others).to_numpy()


def judge_twins(twins: Twins, control: Mask, *, left: tuple[int, int], nearly: bool = False) -> tuple[Check, bool]:
    """Say whether the control file holds people of the training file.

    Parameters
    ----------
    twins : Twins
        Of the training file.
    control : array of bool, shape (m,)
        Controls that stand in the training file.
    left : tuple of (int, int)
        Training and control records that are left if those with a twin are left out.
    nearly : bool
        Whether records count as twins whose numbers differ a little.

    Returns
    -------
    Check
        ``control-in-training``; its value is the surplus.
    alone : bool
        Whether records with a twin must be left out.
    """
    excess = Excess(share(int(control.sum()), len(control)), twins.coverage)
    low, high = excess.limits
    alone = excess.found and excess.value >= SMALLEST
    text = (
        f"{excess.own.text} control records ({percent(excess.own.value)}) stand in the training file, too"
        f"{', but for small differences of numbers' if nearly else ''}; of other people of the "
        f"population {percent(twins.coverage.value)} would, as some are alike"
    )
    level: Literal["alarm", "warning", "fine"] = "fine"
    if alone:
        level = "alarm" if excess.value > MOST else "warning"
        text += (
            ". People in both files count as outsiders and make leakage look smaller than it is, so only records "
            f"without a twin in the training file are compared: {left[0]:,} training and {left[1]:,} control "
            "records are left."
        )
    else:
        text += ": no sign that people of the training file are among the controls."
    return Check("control-in-training", level, text, excess.value, low, high, len(control)), alone


def row_keys(table: Table) -> Keys:
    """Return a 64-bit hash a record over the table's columns, whatever their order.

    Equal records have equal ones; of records that differ, one pair in 2^64 does.
    """
    keys = np.zeros(len(table), np.uint64)
    for name in sorted(table.schema.names):
        keys = mixed(keys * _ODD + bits(table[name]))
    return keys


def bits(array: NDArray[np.generic]) -> Keys:
    """Return numbers or codes as 64 bits; equal ones have the same."""
    return (array.astype(np.float64) + 0.0).view(np.uint64)  # one zero, not two


def mixed(keys: Keys) -> Keys:
    """Mix 64 bits (SplitMix64's last steps), without loss."""
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))
