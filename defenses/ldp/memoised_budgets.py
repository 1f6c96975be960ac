r"""The two steps of memoisation for given budgets: of all rounds together, and of the first report.

The step published for L-GRR solves :math:`(p_1 p_2 + q_1 q_2) / (p_1 q_2 + q_1 p_2) = e^{\epsilon_1}`, which leaves out
that the permanent answer may be a third value. Above two values its first report keeps less than :math:`\epsilon_1`,
at the price of precision; here the first report keeps :math:`\epsilon_1` exactly.

References
----------
U. Erlingsson, V. Pihur and A. Korolova, "RAPPOR: Randomized Aggregatable Privacy-Preserving Ordinal Response",
CCS 2014.
H. Arcolezi, J.-F. Couchot, B. Al Bouna and X. Xiao, "Improving the Utility of Locally Differentially Private Protocols
for Longitudinal and Multidimensional Frequency Estimates", arXiv:2111.04636, 2021.
"""

from __future__ import annotations

import math

from scipy.optimize import brentq

from defenses.ldp.grr import Grr
from defenses.ldp.memoised import Memoised
from defenses.ldp.unary import Oue, Sue
from privbench.errors import InputError

__all__ = ["memoised"]

_LARGEST = 700.0  # whose inverse exponential is still a number


def memoised(
    permanent: type[Grr] | type[Sue] | type[Oue],
    instantaneous: type[Grr] | type[Sue] | type[Oue] | None = None,
    *,
    size: int,
    epsilon: float,
    epsilon_first: float,
    rounds: int,
) -> Memoised:
    """Return the memoised reports whose rounds together keep one budget, and whose first report keeps a smaller one.

    Parameters
    ----------
    permanent, instantaneous : Grr, Sue or Oue
        Protocols of the steps; the second defaults to the first. Grr, Grr is L-GRR; Sue, Sue is RAPPOR or L-SUE; Oue,
        Sue is L-OSUE, Sue, Oue L-SOUE and Oue, Oue L-OUE.
    size : int
        Number of values, k, at least 1.
    epsilon : float
        Budget of any number of rounds, positive.
    epsilon_first : float
        Budget of the first report, positive and below `epsilon`; where the instantaneous step is Oue, which loses half
        of the set bits at any budget, below a lower bound still.
    rounds : int
        Number of rounds, R, at least 1.

    Raises
    ------
    InputError
        If no instantaneous step gives the first report that budget, or the steps do not fit together.
    """
    again = instantaneous or permanent
    if not 0 < epsilon_first < epsilon:
        raise InputError(
            f"memoised: the first report's epsilon must be positive and below that of all rounds, {epsilon:g}; "
            f"got {epsilon_first:g}; lower it, or raise the other"
        )

    def chain(budget: float) -> Memoised:
        return Memoised(permanent(size=size, epsilon=epsilon), again(size=size, epsilon=budget), rounds)

    if again is Grr and size > 1:
        return chain(_of_answers(size, epsilon, epsilon_first))
    if size == 1:
        return chain(epsilon_first)
    # the step's own budget is at least that of the chain, up to rounding
    low, high = epsilon_first * (1 - 1e-9), _LARGEST
    if (most := chain(high).epsilon_first) < epsilon_first:
        raise InputError(
            f"memoised: {again.__name__} in every round leaves the first report at most {most:.6g} "
            f"of epsilon = {epsilon:g}; got {epsilon_first:g}; lower it, or take Sue"
        )
    return chain(float(brentq(lambda budget: chain(budget).epsilon_first - epsilon_first, low, high, xtol=1e-13)))


def _of_answers(size: int, epsilon: float, first: float) -> float:
    """Return the budget of the instantaneous GRR: E_2 = (E_1 (E + k - 2) - (k - 1)) / (E - E_1), in logs."""
    gain = (size - 2) * math.exp(-epsilon) - (size - 1) * math.exp(-epsilon - first)
    return first + math.log1p(gain) - math.log(-math.expm1(first - epsilon))
