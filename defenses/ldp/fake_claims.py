r"""What one genuine report among fakes guarantees: less than published, for a whole record.

With column j genuine with probability :math:`s_j`, all reports of a person have the probability

.. math:: P[y | x] = \prod_i F_i(y_i) \sum_j s_j\, r_j(y_j, x_j), \quad r_j(y, x) = P[y | x, \text{genuine}] / F_j(y).

The published budget of the genuine report, :math:`\epsilon' = \ln(d (e^\epsilon - 1) + 1)`, is amplification by
sampling: it would hold if the other columns' reports told nothing of the record. A change of the whole record can move
every term of the sum by :math:`e^{\epsilon'}` at once, whichever column is genuine: the record has
:math:`\epsilon'`, no less. A change of one column moves one term beside :math:`M = \sum_{i \ne j} s_i \min r_i`. That
is epsilon where fakes are zero vectors, or where all GRR columns have equally many values; it is more where they do
not, or where fakes are random one-hots or follow a prior.

References
----------
H. Arcolezi, J.-F. Couchot, B. Al Bouna and X. Xiao, "Random Sampling Plus Fake Data: Multidimensional Frequency
Estimates With Local Differential Privacy", CIKM 2021.
N. Li, W. Qardaji and D. Su, "On Sampling, Anonymization, and Differential Privacy", ASIACCS 2012 (amplification).
W. Dinkelbach, "On Nonlinear Fractional Programming", Management Science 13(7), 1967.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from defenses.ldp.fakes import Faked
from privbench.errors import InputError

__all__ = ["RecordClaim", "amplified", "claims"]


@dataclass(frozen=True, slots=True)
class RecordClaim:
    """The exact log ratio, in the worst case over all reports, of two records' probabilities.

    Parameters
    ----------
    record : float
        The records differ in any number of columns: the local budget of a person's reports.
    columns : tuple of float
        They differ in this column alone, one figure a column.
    """

    record: float
    columns: tuple[float, ...]

    @property
    def one_column(self) -> float:
        """The worst of the columns."""
        return max(self.columns)


def amplified(epsilon: float, *, columns: int) -> float:
    r"""Return the published budget of the genuine report: :math:`\ln(d (e^\epsilon - 1) + 1)`.

    Parameters
    ----------
    epsilon : float
        The budget that it was published to keep, positive; `claims` says what is kept.
    columns : int
        Number of columns, d, of which one is genuine.

    Raises
    ------
    InputError
        If an argument is out of range.
    """
    if columns < 1 or not (epsilon > 0 and math.isfinite(epsilon)):
        raise InputError(f"fakes: epsilon must be positive and columns at least 1; got {epsilon} and {columns}")
    if epsilon < 1:
        return math.log1p(columns * math.expm1(epsilon))
    return epsilon + math.log(columns - (columns - 1) * math.exp(-epsilon))


def claims(oracles: Sequence[Faked]) -> RecordClaim:
    """Return what the reports of all columns guarantee together, exactly.

    Parameters
    ----------
    oracles : sequence of Faked
        One a column; their shares sum to 1, as one column is genuine.

    Returns
    -------
    RecordClaim
        Exact for GRR, unary encodings and subset selection; for local hashing it is that of hashes which can put any
        set of values into one cell, and an upper bound for a given hash.

    Raises
    ------
    InputError
        If the shares do not sum to 1.
    """
    total = math.fsum(oracle.share for oracle in oracles)
    if not math.isclose(total, 1.0, rel_tol=1e-9):
        raise InputError(f"fakes: one column is genuine, so the shares must sum to 1; got {total:g}")
    pairs = [_pairs(oracle) for oracle in oracles]
    least = [min(low for _, low in options) for options in pairs]
    columns = []
    for place, options in enumerate(pairs):
        rest = math.fsum(least[:place] + least[place + 1 :])
        columns.append(max(math.log((high + rest) / (low + rest)) for high, low in options))
    return RecordClaim(_worst_ratio(pairs), tuple(columns))


def _pairs(oracle: Faked) -> list[tuple[float, float]]:
    """Return the extremes of (s r(y, x), s r(y, x')) over a report y and two values.

    They are those of a supported and an unsupported value under the fake's extremes, and of two alike; the others lie
    between them in every sum of the form a - c b.
    """
    if oracle.size == 1:
        return [(oracle.share, oracle.share)]
    ratio, (rare, common) = oracle.genuine.log_ratio, oracle.log_fake_range
    least = oracle.share * math.exp(-common)
    return [
        (oracle.share * math.exp(ratio - rare), oracle.share * math.exp(-rare)),
        (oracle.share * math.exp(ratio - common), least),
        (least, least),
    ]


def _worst_ratio(pairs: Sequence[Sequence[tuple[float, float]]]) -> float:
    """Return the greatest log of a ratio of sums, one pair chosen from each column: Dinkelbach's iteration."""
    ratio = 1.0
    while True:
        chosen = [max(options, key=lambda pair: pair[0] - ratio * pair[1]) for options in pairs]
        better = math.fsum(high for high, _ in chosen) / math.fsum(low for _, low in chosen)
        if better <= ratio * (1 + 1e-15):
            return math.log(ratio)
        ratio = better
