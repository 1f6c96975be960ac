"""All of a person's reports together, through the correlation between the columns."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attacks.column_tree import ColumnTree, spanning_forest
from attacks.report_answer import as_guess
from attacks.report_evidence import Evidence, Term, column_size
from attacks.report_pairs import Affinity, PairPeople, learn_affinity
from attacks.report_parts import learnt_from_others
from attacks.report_prior import Expected, Group, LearntFrom, Prior, ReportPrior, indicators, reports_of
from privbench.contracts import Guess, View
from privbench.reports import Reports, Together
from privbench.schema import Column

__all__ = ["ReportJoint", "joint_posterior"]

Floats = NDArray[np.float64]

# pairs of columns with more pairs of values than this are taken as independent
_MOST = 10_000
# nothing is impossible beforehand
_FLOOR = 1e-12
# targets whose reports are looked at together
_BLOCK = 5_000


@dataclass(frozen=True)
class ReportJoint:
    r"""Let the reports of all of a person's columns speak for each of them.

    What is expected of each column (see `prior`) is joined by how well the values of two columns go together beyond it,
    along the maximum spanning tree of the columns. Given that model of a person's values the posterior is exact, for
    each way in which reports hang together: with :math:`\pi` the model,

    .. math:: P(v_j | y) \propto E_\pi \Bigl[ [v_j = v] \prod_m L_m(v_m) \Bigr], \quad
        E_\pi \Bigl[ [v_j = v] \sum_m s_m e^{r_m(v_m)} \Bigr], \quad
        \pi_j(v) + (e^\epsilon - 1) \pi(y) [v = y_j]

    for columns randomised on their own, one genuine column among fakes, and one joint value. Several surveys multiply
    (exactly, up to 256 products). Randomised columns that are known of the targets count with their true values.
    Where one column of a survey is genuine, that survey does not tell which values go together: only public records do,
    or another survey.

    Parameters
    ----------
    prior : str
        What is expected of a column alone: model: its shares given the known columns; marginal: the shares estimated
        from all reports; uniform: every value alike.
    model : str
        What correlations, and the prior `model`, are learnt from: released: the reports and the known columns of all
        people; public: public records, where the game grants them; auto: both, as far as there are.
    penalty : float
        Precision of the normal prior of the models' weights: the larger, the nearer to no correlation.
    cells : int
        Cells of a continuous column.

    References
    ----------
    C. Chow and C. Liu, "Approximating Discrete Probability Distributions with Dependence Trees", IEEE Trans.
    Information Theory 14, 1968; M. Gursoy, L. Liu, K.-H. Chow, S. Truex and W. Wei, "An Adversarial Approach to
    Protocol Analysis and Selection in Local Differential Privacy", IEEE TIFS 2022.
    """

    prior: Prior = "model"
    model: LearntFrom = "auto"
    penalty: float = 3.0
    cells: int = 20

    def __post_init__(self) -> None:
        self._prior  # noqa: B018 - refuses what is out of range

    @property
    def _prior(self) -> ReportPrior:
        return ReportPrior(self.prior, self.model, self.penalty, self.cells)

    def skip(self, view: View) -> str | None:
        """Return a reason unless the release is reports and the targets' own are known."""
        return self._prior.skip(view, learns=True)

    def infer(self, view: View, *, rng: np.random.Generator) -> Guess:
        """Return the posterior of every secret given all of the target's reports."""
        release = reports_of(view)
        columns = release.randomised
        if not columns:
            return as_guess(view, {}, cells=self.cells)
        names = [column.name for column in columns]
        posterior = {one.name: np.empty((len(view.targets), column_size(one, self.cells))) for one in columns}
        for places, others in learnt_from_others(view):
            expected = self._prior.expected(others, columns, rng=rng)
            tree = self._tree(reports_of(others), columns, expected)
            weights = [self._expected(column, others, expected) for column in columns]
            for first in range(0, len(places), _BLOCK):
                some = slice(first, first + _BLOCK)
                terms = [Term(np.zeros(1))]
                if view.rows is not None:
                    terms = Evidence(release, view.rows[places[some]], self.cells).terms(names)
                found = joint_posterior(tree, [weight[some] for weight in weights], terms, names=names)
                for name, part in zip(names, found, strict=True):
                    posterior[name][places[some]] = part
        return as_guess(view, posterior, cells=self.cells)

    def _expected(self, column: Column, view: View, expected: Expected) -> Floats:
        """Return the logarithm of what is expected of the targets; of what is known, only that."""
        weights = np.log(np.maximum(expected.of_targets(column), _FLOOR))
        if column.name in view.targets.schema:
            known = indicators(column, view.targets[column.name], cells=self.cells)
            weights = np.where(known > 0, weights, -np.inf)
        return weights

    def _tree(self, release: Reports, columns: Sequence[Column], expected: Expected) -> ColumnTree:
        learnt: dict[tuple[int, int], Affinity] = {}
        for i, j in itertools.combinations(range(len(columns)), 2):
            sizes = [column_size(columns[place], self.cells) for place in (i, j)]
            if min(sizes) > 1 and sizes[0] * sizes[1] <= _MOST:
                people = [
                    pairs
                    for group in expected.groups
                    if (pairs := _pairs(release, group, expected, columns[i], columns[j])) is not None
                ]
                if people:
                    learnt[i, j] = learn_affinity(people, penalty=self.penalty)
        chosen = spanning_forest({pair: affinity.gain for pair, affinity in learnt.items()})
        return ColumnTree({pair: learnt[pair].theta for pair in chosen})


def _pairs(release: Reports, group: Group, expected: Expected, one: Column, other: Column) -> PairPeople | None:
    """Return the people of a group of whom two columns are told, or None."""
    asked = isinstance(group.source, Evidence)
    if asked and release.together is Together.ONE_GENUINE:
        surveys = {(first.survey, second.survey) for first in release.of(one.name) for second in release.of(other.name)}
        # of one survey never both are genuine
        if all(first == second for first, second in surveys):
            return None
    told = np.ones(group.size, dtype=bool)
    if asked:
        for column in (one, other):
            told &= np.ptp(group.likelihood(column), axis=1) > 0
    some = np.flatnonzero(told)
    if not len(some):
        return None
    terms = []
    for term in group.terms([one, other]):
        factors = [term.columns.get(column.name, np.zeros((1, 1))) for column in (one, other)]
        tops = [_finite(factor.max(axis=1, keepdims=True)) for factor in factors]
        scale = term.weight[:, None] + tops[0] + tops[1]
        terms.append((scale, *(np.exp(factor - top) for factor, top in zip(factors, tops, strict=True))))
    highest = np.max([np.broadcast_to(scale, (group.size, 1)) for scale, *_ in terms], axis=0)
    beliefs = [np.maximum(expected.of_group(column, group)[some], _FLOOR) for column in (one, other)]
    shapes = [(group.size, belief.shape[1]) for belief in beliefs]
    whole = [
        (
            np.broadcast_to(np.exp(scale - highest) * first, shapes[0])[some],
            np.broadcast_to(second, shapes[1])[some],
        )
        for scale, first, second in terms
    ]
    return PairPeople(beliefs[0], beliefs[1], whole)


def joint_posterior(
    tree: ColumnTree, weights: Sequence[Floats], terms: Sequence[Term], *, names: Sequence[str]
) -> list[Floats]:
    """Return the posterior of every column, ``(T, k)``: the terms' beliefs, each by its share of the likelihood.

    Parameters
    ----------
    tree : ColumnTree
        How the columns hang together.
    weights : sequence of array of shape (T, k)
        Logarithms of what is expected of each column apart from that.
    terms : sequence of Term
        The likelihood of each person's reports, a sum of products.
    names : sequence of str
        The columns, in the order of the weights.
    """
    totals, beliefs = [], []
    for term in terms:
        together = [weight + term.columns.get(name, 0.0) for name, weight in zip(names, weights, strict=True)]
        total, found = tree.beliefs(together)
        totals.append(total + term.weight)
        beliefs.append(found)
    logs = np.stack(totals)
    shares = np.exp(logs - _finite(logs.max(axis=0)))
    mixed = []
    for place, weight in enumerate(weights):
        posterior = np.sum(
            [share[:, None] * found[place] for share, found in zip(shares, beliefs, strict=True)], axis=0
        )
        total = posterior.sum(axis=1, keepdims=True)
        # reports that rule everything out say nothing
        posterior = np.where(total > 0, posterior, np.exp(weight))
        mixed.append(posterior / posterior.sum(axis=1, keepdims=True))
    return mixed


def _finite(top: Floats) -> Floats:
    return np.where(np.isfinite(top), top, 0.0)
