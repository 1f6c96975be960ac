r"""Which of a person's reports is the genuine one, where all others are fakes. Not an attack itself.

Column j is the genuine one with the probability

.. math:: P[J = j | y] \propto s_j \sum_v f_j(v) \, e^{r_j(v)}

with the share :math:`s_j` of genuine reports, what is expected of the value, :math:`f_j`, and the log odds :math:`r_j`
of the report being genuine with value v against fake. Under generalised randomised response with uniform fakes the sum
is :math:`k_j (q + (p - q) f_j(y_j))`; under unary encodings with fakes from the zero vector
:math:`\sum_v f_j(v) \, (B_v ? p / q : (1 - p) / (1 - q))`.

References
----------
H. Arcolezi, S. Gambs, J.-F. Couchot and C. Palamidessi, "On the Risks of Collecting Multidimensional Data Under Local
Differential Privacy", VLDB 2023 (the question, answered there by a learnt classifier).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from privbench.errors import InputError
from privbench.oracles import FakedOracle
from privbench.reported_column import ReportedColumn

__all__ = ["genuine_column", "genuine_scores"]

Floats = NDArray[np.float64]


def genuine_scores(
    survey: Sequence[ReportedColumn], rows: NDArray[np.integer], expected: Mapping[str, Floats]
) -> tuple[Floats, list[Floats]]:
    """Return how much the reports speak for each column being the genuine one.

    Parameters
    ----------
    survey : sequence of ReportedColumn
        The d columns of one survey, their oracles `FakedOracle`.
    rows : array of int, shape (T,)
        The people asked about.
    expected : mapping of str to array of shape (T or 1, k)
        What is expected of each column's value.

    Returns
    -------
    scores : array of shape (T, d)
        The logarithm of each column's term above; of who sent no report those of the shares.
    said : list of array of shape (T, k)
        log s + r of each column: its term for every value by itself; log s for who sent none.

    Raises
    ------
    InputError
        If an oracle does not know of fakes.
    """
    scores = np.empty((len(rows), len(survey)))
    said = []
    for place, one in enumerate(survey):
        if not isinstance(one.oracle, FakedOracle):
            raise InputError(f"column {one.column.name!r} has no fakes: which column is genuine is no question there")
        found = np.full((len(rows), one.column.size), math.log(one.oracle.share))
        places, reports = one.of(rows)
        found[places] += one.oracle.log_odds(reports)
        top = found.max(axis=1, keepdims=True)
        mean = np.sum(expected[one.column.name] * np.exp(found - top), axis=1)
        # a report that what is expected rules out is a fake
        scores[:, place] = top[:, 0] + np.log(np.maximum(mean, np.finfo(float).tiny))
        said.append(found)
    return scores, said


def genuine_column(
    survey: Sequence[ReportedColumn], rows: NDArray[np.integer], expected: Mapping[str, Floats]
) -> Floats:
    """Return the probability that each column is the genuine one, ``(T, d)``; parameters as for `genuine_scores`."""
    scores, _ = genuine_scores(survey, rows, expected)
    weight = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))
