r"""What counts say against a differential-privacy claim: p-values and lower bounds on epsilon, of one run or of many.

*One run.* T secrets are independent uniform draws, one of k values each. Given the release and the secrets before it,
the guess of a secret is right with a probability of at most p = e^epsilon / (e^epsilon + k - 1) if the mechanism is
epsilon-DP for the exchange of a record: so the number right of r guesses is dominated by Binomial(r, p), or by the
sum of such coins where the secrets differ in k, or several runs are counted together. Under (epsilon, delta) let
lambda be the least number with P[right] <= p + (1 - p) lambda, given the release and the secrets before. With Q_s the
law of the release where the secret is s, and g the guess,

.. math:: E \lambda = \frac1k \sum_g \sum_{y \to g} \Bigl(\frac{1}{k-1} \sum_{s \neq g}
    \bigl(Q_g(y) - e^\epsilon Q_s(y)\bigr)\Bigr)_+ \le \frac1k \sum_g \delta = \delta,

so that m secrets have leaks lambda of m delta in total, guessed or not. The mechanism may place them where they help
most, after seeing how many guesses were right so far; what that can reach is the value of a stopping problem, with
theta the price of a leak: V_0(need) = 1[need <= 0] and

.. math:: V_{j+1}(need) = \max\{p V_j(need - 1) + (1 - p) V_j(need), \; V_j(need - 1) - \theta\}, \qquad
    P[W \ge v] \le \min_\theta \; V_r(v) + \theta m \delta .

The coins are taken in a fixed order, so the number of guesses of each kind must be fixed before. For k = 2 the
published theorem is a little lower (4.1e-4 in place of 6.9e-4 for 400 of 500 right, epsilon 1, delta 1e-5).

*Many runs* are counted in `privbench.scorers.events`, which is offered from here too.

References
----------
T. Steinke, M. Nasr and M. Jagielski, "Privacy Auditing with One (1) Training Run", NeurIPS 2023 (k = 2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privbench.errors import ContractError
from privbench.scorers.events import Events, clopper_pearson_lower_bound, many_run_lower_bound, many_run_p_value
from privbench.scorers.intervals import LEVEL
from privbench.scorers.score import Score

__all__ = [
    "Events",
    "Guesses",
    "clopper_pearson_lower_bound",
    "largest_success",
    "many_run_lower_bound",
    "many_run_p_value",
    "one_run_critical",
    "one_run_lower_bound",
    "one_run_p_value",
    "right_law",
    "score_claim",
]

Floats = NDArray[np.float64]

# prices of a leak that are tried: each one is valid, the best is taken
_PRICES = np.geomspace(1e-4, 1.0, 17)
# leaks so few that adding them is close enough
_FEW = 1e-5


@dataclass(frozen=True, slots=True)
class Guesses:
    """How many secrets were guessed right in one run, or in several of one kind together.

    Parameters
    ----------
    correct, made : int
        Right ones, and all guesses; how many are made must be fixed before the truth is seen.
    values : int
        k, the number of values of the secret, at least 2.
    secrets : int or None
        All secrets drawn, those not guessed included; None for `made`. Only delta asks for it.

    Raises
    ------
    ContractError
        If the counts do not fit each other.
    """

    correct: int
    made: int
    values: int
    secrets: int | None = None

    def __post_init__(self) -> None:
        if not (0 <= self.correct <= self.made <= self.drawn and self.values >= 2):
            raise ContractError(f"counts must have 0 <= correct <= made <= secrets and values >= 2; got {self}")

    @property
    def drawn(self) -> int:
        """All secrets drawn."""
        return self.made if self.secrets is None else self.secrets


def largest_success(epsilon: float, values: int) -> float:
    """Return e^epsilon / (e^epsilon + k - 1): how often a uniform secret of k values can be guessed right."""
    return 1 / (1 + (values - 1) * math.exp(-epsilon))


def right_law(counts: Sequence[Guesses], *, epsilon: float) -> Floats:
    """Return the law of the number right if every guess is as good as epsilon allows: ``(r + 1,)`` probabilities."""
    from scipy.stats import binom

    law = np.ones(1)
    for part in counts:
        own = binom.pmf(np.arange(part.made + 1), part.made, largest_success(epsilon, part.values))
        law = np.convolve(law, own)
    return law


def one_run_p_value(counts: Sequence[Guesses], *, epsilon: float, delta: float = 0.0) -> float:
    """Return the largest probability, under the claim, of as many right guesses as there are.

    Parameters
    ----------
    counts : sequence of Guesses
        One entry a secret column and run; right ones are added up.
    epsilon, delta : float
        The claim, for the exchange of one record (`Claim.as_replace_one`), or local.

    Returns
    -------
    float
        In [0, 1]; uniform or larger under the claim.
    """
    correct = sum(part.correct for part in counts)
    leaks = delta * sum(part.drawn for part in counts)
    if correct == 0:
        return 1.0
    if leaks > _FEW:
        return _with_leaks(counts, correct, epsilon, leaks)
    return min(1.0, float(right_law(counts, epsilon=epsilon)[correct:].sum()) + leaks)


def one_run_lower_bound(counts: Sequence[Guesses], *, delta: float = 0.0, level: float = LEVEL) -> float:
    """Return the largest epsilon that the guesses refute at `level`, 0 if none; parameters as in `one_run_p_value`."""
    from scipy.optimize import brentq

    def excess(epsilon: float) -> float:
        return one_run_p_value(counts, epsilon=epsilon, delta=delta) - (1 - level)

    if excess(0.0) > 0:
        return 0.0
    high = 1.0
    while excess(high) <= 0:  # ends: as epsilon grows the probability goes to 1
        high *= 2
    return float(brentq(excess, high / 2 if high > 1 else 0.0, high, xtol=1e-6))


def one_run_critical(
    counts: Sequence[Guesses], *, epsilon: float, delta: float = 0.0, level: float = LEVEL
) -> int | None:
    """Return the least number right that refutes the claim at `level`; None if not even all right would.

    The numbers right in `counts` do not matter.
    """
    made = sum(part.made for part in counts)

    def p_value(correct: int) -> float:
        as_if, left = [], correct
        for part in counts:
            here = min(left, part.made)
            as_if.append(Guesses(here, part.made, part.values, part.drawn))
            left -= here
        return one_run_p_value(as_if, epsilon=epsilon, delta=delta)

    if p_value(made) > 1 - level:
        return None
    low, high = 0, made  # p_value(low) is above, p_value(high) not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if p_value(middle) <= 1 - level else (middle, high)
    return high


def _with_leaks(counts: Sequence[Guesses], correct: int, epsilon: float, leaks: float) -> float:
    """Return the bound of the stopping problem, the least over the prices."""
    value = np.zeros((len(_PRICES), correct + 1))  # by how many right ones are still needed
    value[:, 0] = 1.0
    price, made, done = _PRICES[:, None], sum(part.made for part in counts), 0
    for part in counts:
        success = largest_success(epsilon, part.values)
        for _ in range(part.made):
            done += 1
            # more than there are coins left cannot be reached, less than the coins before allow is not asked for
            low, high = max(1, correct - made + done), min(correct, done)
            fewer = value[:, low - 1 : high]
            value[:, low : high + 1] = np.maximum(
                success * fewer + (1 - success) * value[:, low : high + 1], fewer - price
            )
    return min(1.0, float((value[:, -1] + _PRICES * leaks).min()))


def score_claim(p_value: float, epsilon_lower_bound: float, *, n: int) -> list[Score]:
    """Return the two rows of a tested claim.

    Parameters
    ----------
    p_value : float
        Of the claim.
    epsilon_lower_bound : float
        For the neighbours that were tested, not negative.
    n : int
        Releases made.
    """
    return [
        Score("epsilon_lower_bound", epsilon_lower_bound, None, None, n, baseline=0.0),
        Score("claim_p_value", p_value, None, None, n),
    ]
