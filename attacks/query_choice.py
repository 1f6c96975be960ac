"""Which queries to put to a release, chosen on the release alone: by how well the solution of some foretells others.

A part of the queries is held out and the rest is solved. Three shares of what there is to find, the variance of the
secret, are added up: what the solution leaves undecided, by how much it misses the held-out answers, and how much of
secrets that were planted for a trial, with answers as noisy, the same queries do not find. Of a secret with many values
one value is tried against all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from attacks.group_sums import Floats
from attacks.known_values import Coding, Rows
from attacks.queries import Grouping, count, draw_groupings
from attacks.query_answers import Answers, Scaling, Solver, ask
from attacks.squares_fit import squares, whole
from privbench.table import Table

__all__ = ["Kind", "Trial", "choose", "try_out"]

# variance of an answer beyond that of drawing the rows: to begin with, and at least
_EXTRA, _LEAST = 0.05, 0.02
# share of the queries that is held out, rows that are counted in a trial, and steps of its solver
_HELD, _ROWS, _STEPS = 0.25, 50_000, 60
# what single values may miss of held-out answers: measured were up to .27 where a release keeps records apart (copies,
# a fit to all marginals of three columns), and .49 to 1.4 where large ones keep what is common (networks, copulas)
_SINGLE = 0.4
# records times column sets in a trial
_PLACES = 1_000_000


@dataclass(frozen=True)
class Kind:
    """A kind of query.

    Parameters
    ----------
    columns : int
        Columns of a query, the secret among them.
    bins : int
        Cells of a continuous known column.
    scaling : str
        `marginal` or `conditional`.
    """

    columns: int
    bins: int
    scaling: Scaling


@dataclass(frozen=True)
class Trial:
    """How well some queries foretell others: shares of the secret's variance, 0 is best.

    Parameters
    ----------
    undecided : float
        What the solution leaves open.
    missed : float
        Mean square by which it misses the answers that were held out, a record.
    blind : float
        What it does not find of planted secrets.
    extra : float
        Variance of an answer that drawing the rows does not explain.
    """

    undecided: float
    missed: float
    blind: float
    extra: float

    @property
    def loss(self) -> float:
        """All three together."""
        return self.undecided + self.missed + self.blind


def choose(
    rows: Rows,
    roster: Table,
    prior: Floats,
    *,
    columns: Sequence[int],
    bins: Sequence[int],
    scalings: Sequence[Scaling],
    groups: int,
    rng: np.random.Generator,
) -> tuple[Kind, Trial, Solver]:
    """Return the kind of query that loses least, how it did, and what solver suits the release.

    First the columns and bins are chosen, with the first scaling, then the scaling. Each record is given a single value
    (`whole`) where single values foretell most of what the secrets of single records add to the held-out answers, as
    they only can if the release keeps records apart. Elsewhere distributions (`squares`) say what is common.

    Parameters
    ----------
    rows : Rows
        The release; at most 50,000 of its rows are counted here.
    roster : Table
        Known columns of the training records.
    prior : array of shape (k,)
        Shares of the secret's values in the release, all positive.
    columns, bins, scalings : sequence
        What there is to choose from, as in `Kind`.
    groups : int
        How many groups are asked about in a trial.
    rng : Generator
        Where the trials' randomness comes from.
    """
    sample = rows.sample(_ROWS, rng=rng)
    tested = int(np.abs(prior - 0.5).argmin())
    shares = np.array([1 - prior[tested], prior[tested]])
    counted: dict[tuple[int, int], tuple[list[Grouping], NDArray[np.int64]]] = {}
    for number, cells in product(columns, bins):
        coding = Coding(roster, cells)
        groupings = draw_groupings(coding, number - 1, groups=groups, places=_PLACES, rng=rng)
        counts = count(coding, groupings, sample, len(prior))
        counts = np.column_stack([counts.sum(axis=1) - counts[:, tested], counts[:, tested]])
        counted[number, cells] = groupings, counts
    tried: dict[Kind, tuple[Trial, Answers]] = {}

    def best(kinds: list[Kind]) -> Kind:
        for kind in kinds:
            if kind not in tried:
                answers = ask(*counted[kind.columns, kind.bins], shares, rows=len(sample), scaling=kind.scaling)
                tried[kind] = try_out(answers, shares, rng=rng), answers
        return min(kinds, key=lambda kind: tried[kind][0].loss)

    found = best([Kind(number, cells, scalings[0]) for number, cells in counted])
    found = best([replace(found, scaling=scaling) for scaling in scalings])
    trial, answers = tried[found]
    left, held = _hold_out(answers, rng)
    x = whole(answers.sums, answers.values, left / (answers.noise + trial.extra), start=shares)
    single = np.eye(2)[x.argmax(axis=1)]
    return found, trial, "whole" if _missed(answers, single, held, shares) < _SINGLE else "squares"


def try_out(answers: Answers, prior: Floats, *, rng: np.random.Generator) -> Trial:
    """Hold out a random part of the queries, solve the rest, and see how well."""
    variance = float((prior * (1 - prior)).sum())
    left, held = _hold_out(answers, rng)
    x = squares(answers.sums, answers.values, left / (answers.noise + _EXTRA), start=prior, steps=_STEPS)
    weights = held / (answers.noise + _EXTRA)
    beyond = np.square(answers.values - answers.sums.over(x)) - answers.noise
    extra = max(float((weights * beyond).sum() / max(weights.sum(), 1e-300)), _LEAST)

    planted = np.eye(len(prior))[rng.choice(len(prior), size=len(x), p=prior)]
    noise = np.sqrt(answers.noise + extra) * rng.standard_normal(answers.noise.shape)
    told = answers.told[:, None] / (answers.noise + extra)
    found = squares(answers.sums, answers.sums.over(planted) + noise, told, start=prior, steps=_STEPS)
    return Trial(
        undecided=float(1 - np.square(x).sum(axis=1).mean()) / variance,
        missed=_missed(answers, x, held, prior),
        blind=float(np.square(found - planted).sum(axis=1).mean()) / variance,
        extra=extra,
    )


def _hold_out(answers: Answers, rng: np.random.Generator) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Part the groups at random into those that are solved and those that are held out, ``(J, 1)`` each."""
    held = rng.random((len(answers.told), 1)) < _HELD
    return answers.told[:, None] & ~held, answers.told[:, None] & held


def _missed(answers: Answers, x: Floats, held: NDArray[np.bool_], prior: Floats) -> float:
    """Return by how much x misses answers, as a share of what the secret's variance adds to them."""
    variance = answers.sums.records[:, None] * prior * (1 - prior)
    weights = held / (variance + answers.noise)
    there = float((weights * variance).sum())
    return float((weights * np.square(answers.values - answers.sums.over(x))).sum()) / there if there > 0 else 1.0
