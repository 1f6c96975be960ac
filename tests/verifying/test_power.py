"""What is said that a test would have caught is caught: the same test, made on the mechanism at the epsilon said."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from defenses.ldp.collection import Collection
from privbench import registry
from privbench.claim import Adjacency, Claim
from privbench.release import SyntheticTable
from privbench.scorers.events import Events, many_run_lower_bound, many_run_p_value
from privbench.table import Table
from privbench.verifying.arms import arms_for
from privbench.verifying.asked import Asked
from privbench.verifying.decision import Decision
from privbench.verifying.larger import Larger, with_epsilon_times
from privbench.verifying.power import event_power, extrapolated_power
from tests.verifying.mechanisms import SMALL, Counts, many_runs


@dataclass(frozen=True)
class Flip:
    """Randomised response on the last record's value, of two: exactly `factor` times the epsilon claimed."""

    epsilon: float = 2.0
    factor: float = 1.0

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        name = train.schema.names[0]
        kept = rng.random() < 1 / (1 + math.exp(-self.epsilon * self.factor))
        row = Table(train.schema, {name: np.array([train[name][-1] if kept else 1 - train[name][-1]])})
        return SyntheticTable(row, len(train), Claim(self.epsilon, 0.0, Adjacency.REPLACE_ONE))


@dataclass(frozen=True)
class LaplaceHistogram:
    """Publish each value as often as its count with Laplace noise says, for the exchange of a record."""

    epsilon: float = 1.0
    factor: float = 1.0

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        name = train.schema.names[0]
        counts = np.bincount(train[name], minlength=2) + 60
        noisy = np.maximum(np.round(counts + rng.laplace(0, 2 / (self.epsilon * self.factor), 2)), 0).astype(int)
        table = Table(train.schema, {name: np.repeat([0, 1], noisy)})
        return SyntheticTable(table, len(train), Claim(self.epsilon, 0.0, Adjacency.REPLACE_ONE))


class NoParameter:
    """The same as another mechanism, with no epsilon that could be set."""

    def __init__(self, mechanism: Any) -> None:
        self.mechanism = mechanism

    def release(self, train: Table, *, rng: np.random.Generator) -> Any:
        return self.mechanism.release(train, rng=rng)


def promised(test):
    """Return the epsilon and the probability that stand in the sentence."""
    return min(one for one in test.power if one[1] >= 0.95)


def holds_end_to_end(mechanism, *, repeats, seed, least):
    """Make the test of the honest mechanism, then of the same at the epsilon that it is said to catch."""
    said, caught = [], 0
    for repeat in range(seed, seed + repeats):
        test = many_runs(mechanism, SMALL, runs=2000, seed=repeat, workers=1)
        if test.power is None or test.power[-1][1] < 0.95:  # a false alarm, or nothing that is surely caught
            continue
        epsilon, probability = promised(test)
        said.append(probability)
        at = replace(mechanism, factor=epsilon / mechanism.epsilon)
        caught += many_runs(at, SMALL, runs=2000, seed=10_000 + repeat, workers=1, power=False).p_value < 0.05
    assert len(said) > 0.7 * repeats - 1
    found = binomtest(caught, len(said), float(np.mean(said)), alternative="less")
    assert found.pvalue > least, f"{caught} of {len(said)}"


@pytest.mark.parametrize("mechanism", [Flip(), LaplaceHistogram()], ids=lambda one: type(one).__name__)
def test_what_would_have_been_caught_is_caught(mechanism):
    holds_end_to_end(mechanism, repeats=3, seed=0, least=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("mechanism", [Flip(), LaplaceHistogram()], ids=lambda one: type(one).__name__)
def test_what_would_have_been_caught_is_caught_as_often_as_said(mechanism):
    holds_end_to_end(mechanism, repeats=60, seed=100, least=0.01)


def test_p_values_are_the_same_whether_power_is_computed_or_not():
    alone, with_power = (many_runs(Flip(), SMALL, runs=600, seed=1, workers=1, power=power) for power in (False, True))
    assert (alone.event, alone.p_value, alone.runs) == (with_power.event, with_power.p_value, with_power.runs)
    assert (alone.power, alone.power_by) == (None, "not computed")
    assert with_power.power_by == "simulation"


def test_without_a_parameter_power_is_extrapolated_and_nothing_is_run():
    test = many_runs(NoParameter(Flip()), SMALL, runs=2000, seed=0, workers=1)
    assert test.power_by == "extrapolation"
    assert promised(test)[0] > 2.3, "at 2.31 half of all tests refute"


def test_a_time_limit_leaves_out_what_does_not_fit():
    test = many_runs(Flip(), SMALL, runs=600, seed=0, workers=1, time_limit=1e-3)
    assert test.power_by == "extrapolation"


@pytest.mark.parametrize(("p1", "p0"), [(0.5, 0.1), (0.9, 0.3), (0.97, 0.02)])
def test_the_power_of_a_decision_is_that_of_all_counts(p1, p0):
    n, exact, hits = 40, 0.0, 0
    for other in range(n + 1):  # the more on the neighbour, the more are needed
        while hits <= n and many_run_p_value(Events(hits, n, other, n), epsilon=0.7) >= 0.05:
            hits += 1
        exact += binom.pmf(other, n, p0) * binom.sf(hits - 1, n, p1)
    assert Decision(n, n, 0.7, 0.0, 0.95).power(p1, p0) == pytest.approx(exact, abs=1e-3)


def response(values, epsilon):
    """Return how often randomised response says a value that is true, and one that is not."""
    return math.exp(epsilon) / (math.exp(epsilon) + values - 1), 1 / (math.exp(epsilon) + values - 1)


@pytest.mark.parametrize("runs", [150, 600, 2000])
@pytest.mark.parametrize("epsilon", [1.0, 2.0])
@pytest.mark.parametrize("values", [2, 4])
def test_an_event_as_frequent_as_it_gets_is_not_promised_too_much(values, epsilon, runs):
    """Exact randomised response: as epsilon grows the event becomes rarer on the neighbour, not more frequent."""
    p1, p0 = response(values, epsilon)
    events = Events(round(runs * p1), runs, round(runs * p0), runs)
    decision = Decision(runs, runs, epsilon, 0.0, 0.95)
    curve = extrapolated_power(events, decision, bound=many_run_lower_bound(events))
    assert curve
    for larger, probability in curve:
        assert decision.power(*response(values, larger)) >= probability - 0.01


def test_nothing_is_promised_out_of_noise():
    """27 of 600 against 18 of 600: what tells nothing of the data may look so."""
    for events in (Events(27, 600, 18, 600), Events(100, 1000, 100, 1000)):
        bound = many_run_lower_bound(events)
        claim = Claim(1.0, 0.0, Adjacency.REPLACE_ONE)
        curve, how = event_power(
            events, lambda factor, runs: None, None, learnt=100, bound=bound, claim=claim, level=0.95
        )
        assert (bound, curve, how) == (0.0, (), "extrapolation")


def at(mechanism, factor, *, claim=None, adjacency=Adjacency.REPLACE_ONE, schema=SMALL):
    arms, _ = arms_for(mechanism, schema, claim or Asked(None, None, None), adjacency=adjacency, seed=0)
    arm = next(arm for arm in arms if arm.pair.adjacency is not Adjacency.ADD_REMOVE)
    return arm.claim.epsilon, Larger(arm, 0).at(factor)


def test_the_larger_epsilon_is_that_of_the_claim_and_what_is_then_stated():
    claimed, (larger, stated) = at(Counts(), 1.5)
    assert (claimed, larger.epsilon, stated) == (1.0, 1.5, 1.5)
    # a claim given by hand: its multiple, not that of the mechanism's own
    claimed, (larger, stated) = at(Counts(), 1.5, claim=Asked(2.0, None, None))
    assert (claimed, larger.epsilon, stated) == (2.0, 3.0, 3.0)
    # add-remove, on the exchange of a record
    claimed, (larger, stated) = at(Counts(sensitivity=1, adjacency=Adjacency.ADD_REMOVE), 1.5, adjacency=None)
    assert (claimed, larger.epsilon, stated) == (2.0, 1.5, 3.0)
    claimed, (larger, stated) = at(Collection(epsilon=2.0), 2.0, adjacency=Adjacency.LOCAL)
    assert (claimed, larger.epsilon, stated) == (2.0, 4.0, 4.0)


@dataclass(frozen=True)
class Stubborn(Flip):
    """State the same epsilon whatever it is set to."""

    def release(self, train, *, rng):
        made = super().release(train, rng=rng)
        return SyntheticTable(made.table, len(train), Claim(2.0, 0.0, Adjacency.REPLACE_ONE))


@dataclass(frozen=True)
class Refuses(Flip):
    """Refuse an epsilon above 2."""

    def __post_init__(self):
        if self.epsilon > 2:
            raise ValueError("too much")


@pytest.mark.parametrize("mechanism", [NoParameter(Flip()), Stubborn(), Refuses()], ids=lambda one: type(one).__name__)
def test_no_larger_epsilon_is_made_up(mechanism):
    assert at(mechanism, 1.5)[1] is None


def test_the_epsilon_of_a_users_own_code_is_a_word():
    own = registry.make("defenses", "callable", {"function": lambda train, rng: train, "epsilon": 1.0})
    assert with_epsilon_times(own, 2.0) is None
    assert with_epsilon_times(registry.make("defenses", "command", {"command": "cp {train} {out}"}), 2.0) is None
    assert with_epsilon_times(Flip(), 2.0) == Flip(epsilon=4.0)
