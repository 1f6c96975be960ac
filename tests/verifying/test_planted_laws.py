"""The planted bugs and their honest versions by themselves: what each does to a claim, whatever a test says of it."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import chisquare

from privbench.claim import Adjacency
from privbench.reports import Reports
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table
from tests.verifying.planted.cases import CASES
from tests.verifying.planted.deltas import DomainFromData, Truncated
from tests.verifying.planted.histograms import (
    BoundsFromData,
    CountsTwice,
    Histogram,
    NoiseTooSmall,
    WrongSensitivity,
)
from tests.verifying.planted.local import Bits, FewSeeds, Genuine, Remembered, Response
from tests.verifying.planted.marginals import Chosen, Columns, CopiesRows, Weighted

ONE = Schema((Column("sex", Kind.CATEGORICAL, ("f", "m")),))
FIRST = np.array([1, 0, 0, 0])  # two neighbours, as codes
SECOND = np.array([0, 0, 0, 0])


def counted(defense, codes, runs, *, schema=ONE):
    """Return the published counts of the values of a single column, ``(runs, k)``."""
    train = Table(schema, {schema.names[0]: codes})
    found = np.empty((runs, schema.columns[0].size), dtype=np.int64)
    for run in range(runs):
        released = defense.release(train, rng=stream(run, "planted"))
        found[run] = np.bincount(released.table[schema.names[0]], minlength=found.shape[1])
    return found


def law(defense, count):
    """Return the probabilities of a published count 0, 1, ... 80, from the definition of the mechanism alone."""
    x = np.arange(-400, 401)
    weights = np.exp(-defense.rate * np.abs(x - count))
    weights /= weights.sum()
    if isinstance(defense, Truncated):
        noise = np.exp(-defense.rate * np.abs(x))
        noise /= noise.sum()
        weights = np.zeros(len(x))
        np.add.at(weights, np.clip(x, -defense.bound, defense.bound) + count + 400, noise)
    if isinstance(defense, DomainFromData):
        weights = np.where(x >= defense.threshold, weights, 0) if count else np.zeros(len(x))
    told = weights[400:481].copy()
    told[0] += 1 - told.sum()
    return told


def exact(defense, first, second):
    """Return the two laws of both published counts together, where the counts are given."""
    return [np.outer(law(defense, counts[0]), law(defense, counts[1])) for counts in (first, second)]


def hockey(one, other, epsilon):
    return np.maximum(one - math.exp(epsilon) * other, 0).sum()


HISTOGRAMS = [
    Histogram(),
    Histogram(adjacency=Adjacency.ADD_REMOVE),
    NoiseTooSmall(factor=2),
    WrongSensitivity(),
    DomainFromData(threshold=3, admitted=True),
    Truncated(bound=3, admitted=True),
]


@pytest.mark.parametrize("defense", HISTOGRAMS, ids=lambda defense: type(defense).__name__)
def test_a_histogram_has_the_law_by_which_it_is_judged(defense):
    runs = 1500
    found = counted(defense, FIRST, runs)
    for cell, count in enumerate((3, 1)):
        expected = law(defense, count)
        likely = expected > 5 / runs
        observed = np.bincount(np.minimum(found[:, cell], 80), minlength=81)
        rest = 1 - expected[likely].sum()
        assert observed[expected == 0].sum() == 0
        tallies, shares = observed[likely], expected[likely]
        if rest * runs > 5:
            tallies, shares = np.append(tallies, runs - tallies.sum()), np.append(shares, rest)
            assert chisquare(tallies, shares * runs).pvalue > 1e-4
        else:
            assert chisquare(tallies, shares * (tallies.sum() / shares.sum())).pvalue > 1e-4


# counts of the two cells before and after a record moved, or came
EXCHANGED = [((3, 1), (4, 0)), ((0, 1), (1, 0)), ((9, 1), (10, 0)), ((9, 9), (8, 10))]
ADDED = [((3, 1), (3, 0)), ((0, 1), (0, 0)), ((9, 5), (9, 4))]


@pytest.mark.parametrize(
    ("defense", "times"),
    [
        (Histogram(), 1),
        (Histogram(adjacency=Adjacency.ADD_REMOVE), 1),
        (NoiseTooSmall(factor=1.5), 1.5),
        (WrongSensitivity(), 2),
    ],
    ids=["honest", "add-remove", "too small", "wrong sensitivity"],
)
def test_the_true_epsilon_of_a_histogram(defense, times):
    pairs = ADDED if defense.adjacency is Adjacency.ADD_REMOVE else EXCHANGED
    worst = 0.0
    for first, second in pairs:
        one, other = exact(defense, first, second)
        inner = (one > 1e-12) & (other > 1e-12)  # beyond, rounding
        worst = max(worst, np.abs(np.log(one[inner] / other[inner])).max())
    assert math.isclose(worst, times * defense.claim.epsilon, rel_tol=1e-6)


@pytest.mark.parametrize("defense", [Truncated(bound=3, admitted=True), DomainFromData(threshold=3, admitted=True)])
def test_an_admitted_delta_is_the_smallest_true_one(defense):
    claim = defense.claim
    assert claim.delta > 0.05
    deltas = []
    for first, second in EXCHANGED:
        one, other = exact(defense, first, second)
        deltas += [hockey(one, other, claim.epsilon), hockey(other, one, claim.epsilon)]
    assert math.isclose(max(deltas), claim.delta, rel_tol=1e-6)
    assert type(defense)(**{**vars_of(defense), "admitted": False}).claim.delta == 0


def vars_of(defense):
    return {name: getattr(defense, name) for name in type(defense).__dataclass_fields__}


def test_thresholds_of_the_honest_domain_tell_little_by_what_stays_away():
    for case in CASES:
        if isinstance(case.honest, DomainFromData):
            assert case.honest.leak <= 1 - math.exp(-case.honest.rate)


def test_counting_twice_moves_a_count_by_more_than_one():
    honest, twice = (CountsTwice(times=times) for times in (1, 3))
    codes = np.array([[1, 0, 1]], dtype=np.uint8)
    assert honest.counts(codes, (2,)).tolist() == [1, 2]
    assert twice.counts(codes, (2,)).tolist() == [1, 6]


def test_learnt_bounds_are_those_of_the_records():
    schema = Schema((Column("wage", Kind.CONTINUOUS, low=0, high=100),))
    train = Table(schema, {"wage": np.array([20.0, 30.0, 40.0])})
    for defense, inside in ((BoundsFromData(), True), (Histogram(), False)):
        values = np.concatenate([defense.release(train, rng=stream(run, "bounds")).table["wage"] for run in range(50)])
        assert ((values >= 20) & (values <= 40)).all() == inside


def test_only_rare_cells_are_filled_with_real_rows():
    schema = Schema((Column("wage", Kind.CONTINUOUS, low=0, high=100),))
    train = Table(schema, {"wage": np.array([20.5, 70.1, 72.2])})
    values = np.concatenate([CopiesRows().release(train, rng=stream(run, "rows")).table["wage"] for run in range(50)])
    assert set(values[values < 25]) == {20.5}
    assert not {70.1, 72.2} & set(values)


@pytest.mark.parametrize("clipped", [True, False])
def test_a_weight_moves_the_sums_by_its_limit_only_where_it_is_clipped(clipped):
    schema = Schema((ONE.columns[0], Column("weight", Kind.CONTINUOUS, low=0, high=40, integer=True)))
    sums = {}
    for weight in (40, 0):
        train = Table(schema, {"sex": np.array([0, 1]), "weight": np.array([float(weight), 3])})
        defense = Weighted(("sex", "weight"), epsilon=10_000, limit=10, clipped=clipped)
        released = defense.release(train, rng=stream(0, "weights"))
        sums[weight] = np.bincount(released.table["sex"], minlength=2).tolist()
    # with next to no noise
    assert sums == {40: [10 if clipped else 40, 3], 0: [0, 3]}


def test_an_exchange_moves_the_count_that_a_pair_is_chosen_by_at_most_by_one():
    values = list(itertools.product(range(2), range(3)))
    for records in itertools.combinations_with_replacement(values, 3):
        for other in values:
            greatest = [
                max(np.unique(np.array(part), axis=0, return_counts=True)[1])
                for part in (records, (*records[:-1], other))
            ]
            assert abs(greatest[0] - greatest[1]) <= 1


@pytest.mark.parametrize(("defense", "spent"), [(Columns(), 1), (Columns(split=False), 3), (Chosen(), 1)])
def test_what_generators_spend_on_their_marginals(defense, spent, monkeypatch):
    entries = []
    monkeypatch.setattr(
        "defenses.synthetic.pure.PureLedger._spend", lambda self, what, epsilon: entries.append(epsilon)
    )
    schema = Schema(tuple(Column(name, Kind.CATEGORICAL, (0, 1)) for name in "abc"))
    train = Table(schema, {name: np.array([0, 1, 1]) for name in "abc"})
    released = defense.release(train, rng=stream(0, "ledger"))
    assert math.isclose(sum(entries), spent)
    assert released.claim.epsilon == 1


def law_of_reports(defense, record, *, sizes, people=60_000):
    """Return how often each report occurs for one record, by counting: keys of all columns together."""
    schema = Schema(tuple(Column(f"x{i}", Kind.CATEGORICAL, tuple(range(size))) for i, size in enumerate(sizes)))
    train = Table(schema, {f"x{i}": np.full(people, value) for i, value in enumerate(record)})
    released = defense.release(train, rng=stream(1, "reports", str(record)))
    assert isinstance(released, Reports)
    whole = np.column_stack([one.reports.reshape(people, -1) for one in released.reported])
    keys, counts = np.unique(whole, axis=0, return_counts=True)
    return {tuple(map(int, key)): count / people for key, count in zip(keys, counts, strict=True)}, released.claim


def epsilon_of_fakes(sizes, avoiding):
    """Return the true epsilon of one genuine report among fakes that may avoid the truth, by enumeration."""
    odds = math.e

    def chance(report, record):
        genuine = [
            (odds if said == true else 1) / (odds + size - 1)
            for said, true, size in zip(report, record, sizes, strict=True)
        ]
        faked = [
            (1 - avoiding) / size + avoiding * (said != true) / (size - 1)
            for said, true, size in zip(report, record, sizes, strict=True)
        ]
        columns = range(len(sizes))
        return sum(math.prod(genuine[i] if i == j else faked[i] for i in columns) for j in columns) / len(sizes)

    values = list(itertools.product(*map(range, sizes)))
    table = np.array([[chance(report, record) for record in values] for report in values])
    with np.errstate(divide="ignore"):
        return float(np.log(table.max(axis=1) / table.min(axis=1)).max())


LOCAL = [
    (Response(), (4,), 1),
    (Response(values=-1), (4,), 1 + math.log(3 / 2)),
    (Response(), (2, 3), 1),
    (Response(split=False), (2, 3), 2),
    (Bits(), (3,), 1),
    (Bits(factor=2), (3,), 2),
    (Remembered(), (3,), None),
    # the first report by what it keeps alone, the last one by the step that was made for a randomised answer
    (Remembered(fresh=1), (3,), 1.05 + Remembered().oracle(3).instantaneous.epsilon),
    (Genuine(), (2, 3), epsilon_of_fakes((2, 3), 0)),
    (Genuine(avoiding=0.75), (2, 3), epsilon_of_fakes((2, 3), 0.75)),
    (Genuine(avoiding=1), (2, 3), epsilon_of_fakes((2, 3), 1)),
    (FewSeeds(), (3,), 1),
    (FewSeeds(shared=True), (3,), math.inf),
]


@pytest.mark.parametrize(("defense", "sizes", "epsilon"), LOCAL, ids=[repr(case[0]) for case in LOCAL])
def test_the_true_epsilon_of_reports(defense, sizes, epsilon):
    """The greatest log ratio of how often a report was counted for any two records."""
    laws = {}
    for record in itertools.product(*map(range, sizes)):
        laws[record], claim = law_of_reports(defense, record, sizes=sizes)
    keys = set().union(*laws.values())
    shares = np.array([[one.get(key, 0.0) for one in laws.values()] for key in keys])
    high, low = shares.max(axis=1), shares.min(axis=1)
    if epsilon == math.inf:
        assert (low[high > 0.05] == 0).any()
        return
    # None: what is claimed; the rarest shares are about .01 of 60,000, so one standard error of a ratio is .06
    expected = claim.epsilon if epsilon is None else epsilon
    assert abs(np.log(high / low).max() - expected) < 0.25
