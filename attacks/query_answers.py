"""What a release answers to queries about a roster's records, how noisy the answers are, and who solves them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from attacks.absolute_fit import absolute, exact
from attacks.group_sums import Floats, Sums
from attacks.queries import Grouping
from attacks.squares_fit import squares, whole

__all__ = ["Answers", "Scaling", "Solver", "ask", "solve"]

Scaling = Literal["marginal", "conditional"]
Solver = Literal["squares", "whole", "absolute", "exact"]


@dataclass(frozen=True)
class Answers:
    """Queries and their answers.

    Parameters
    ----------
    sums : Sums
        Which of the roster's records each query sums over.
    values : array of shape (J, k)
        How many records of each group should have each value of the secret.
    noise : array of shape (J, k)
        Variance of the answers, as far as it comes from drawing the rows.
    told : array of bool, shape (J,)
        Whether the answers of a group are used.
    """

    sums: Sums
    values: Floats
    noise: Floats
    told: NDArray[np.bool_]

    def at_most(self, groups: int, *, rng: np.random.Generator) -> Answers:
        """Leave out groups at random where more than so many are used."""
        used = np.flatnonzero(self.told)
        if len(used) <= groups:
            return self
        told = np.zeros_like(self.told)
        told[rng.choice(used, size=groups, replace=False)] = True
        return replace(self, told=told)


def ask(
    groupings: Sequence[Grouping], counts: NDArray[np.int64], prior: Floats, *, rows: int, scaling: Scaling
) -> Answers:
    """Turn counts in m released rows into answers about n records.

    A marginal answer is ``count n / m``. A conditional one is ``count N_real / N_syn``, the share among the group's
    N_syn rows times the number of its records, N_real, which is known; it tells nothing where the group has no row.

    Parameters
    ----------
    groupings : sequence of Grouping
        The groups.
    counts : array of int, shape (J, k)
        Their rows with each value of the secret.
    prior : array of shape (k,)
        Shares of the values in the release, all positive.
    rows : int
        m.
    scaling : str
        `marginal` or `conditional`.
    """
    first = np.cumsum([0, *(len(grouping.records) for grouping in groupings)])
    places = [grouping.group + start for grouping, start in zip(groupings, first[:-1], strict=True)]
    sums = Sums(np.array(places, dtype=np.int32), int(first[-1]))
    shown, people = counts.sum(axis=1, keepdims=True), sums.records[:, None]
    if scaling == "marginal":
        scale = sums.groups.shape[1] / rows
        values, told = counts * scale, np.ones(len(counts), dtype=bool)
        noise = (counts + 1) * (1 - counts / (rows + 1)) * scale**2
    else:
        share = (counts + prior) / (shown + 1)
        noise = np.square(people) * share * (1 - share) / np.maximum(shown, 1)
        values, told = counts * people / np.maximum(shown, 1), shown[:, 0] > 0
    if len(prior) > 2:
        # a record has one step size for all its values: a rare one, with little noise, would hold up the others
        noise = np.repeat(noise.mean(axis=1, keepdims=True), len(prior), axis=1)
    return Answers(sums, values, noise, told)


def solve(answers: Answers, solver: Solver, prior: Floats, *, extra: float) -> Floats:
    """Return the distribution of each record's secret, ``(n, k)``.

    Parameters
    ----------
    answers : Answers
        The queries.
    solver : str
        `squares`, `whole`, `absolute` or `exact`.
    prior : array of shape (k,)
        What is believed of a record that no query tells of.
    extra : float
        Variance of the answers beyond their noise: a query weighs one over both together.
    """
    if not answers.told.any():
        return np.tile(prior, (answers.sums.groups.shape[1], 1))
    weights = answers.told[:, None] / (answers.noise + extra)
    if solver == "squares":
        return squares(answers.sums, answers.values, weights, start=prior)
    if solver == "whole":
        return whole(answers.sums, answers.values, weights, start=prior)
    # an absolute difference counts in units of its standard deviation
    weights = np.sqrt(weights)
    if solver == "absolute":
        return absolute(answers.sums, answers.values, weights, start=prior)
    return exact(answers.sums, answers.values, weights)
