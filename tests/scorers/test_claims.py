"""Counts against a claim: closed forms against enumeration, validity and power computed exactly, not sampled."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.stats import binom, binomtest

from privbench.errors import ContractError
from privbench.rng import stream
from privbench.scorers.claims import (
    Events,
    Guesses,
    clopper_pearson_lower_bound,
    largest_success,
    many_run_lower_bound,
    many_run_p_value,
    one_run_critical,
    one_run_lower_bound,
    one_run_p_value,
    right_law,
    score_claim,
)
from privbench.scorers.metrics import metric


def test_largest_success_is_that_of_randomised_response():
    """GRR over k values tells the truth with E / (E + k - 1); a uniform guess is right with 1 / k."""
    assert largest_success(math.log(3), 2) == pytest.approx(3 / 4)
    assert largest_success(math.log(3), 5) == pytest.approx(3 / 7)
    assert largest_success(0.0, 7) == pytest.approx(1 / 7)
    assert largest_success(800.0, 7) == 1.0


def test_right_law_of_secrets_of_different_sizes_against_enumeration():
    counts = [Guesses(0, 3, 2), Guesses(0, 2, 5)]
    chances = [largest_success(0.7, 2)] * 3 + [largest_success(0.7, 5)] * 2
    law = np.zeros(6)
    for outcome in itertools.product((0, 1), repeat=5):
        law[sum(outcome)] += math.prod(p if hit else 1 - p for p, hit in zip(chances, outcome, strict=True))
    assert right_law(counts, epsilon=0.7) == pytest.approx(law)
    seen = [Guesses(2, 3, 2), Guesses(2, 2, 5)]
    assert one_run_p_value(seen, epsilon=0.7) == pytest.approx(law[4:].sum())


def test_runs_are_combined_by_their_sums():
    together = one_run_p_value([Guesses(70, 100, 2)], epsilon=0.5)
    apart = one_run_p_value([Guesses(30, 40, 2), Guesses(40, 60, 2)], epsilon=0.5)
    assert apart == pytest.approx(together)
    assert one_run_lower_bound([Guesses(140, 200, 2)]) > one_run_lower_bound([Guesses(70, 100, 2)])


@pytest.mark.parametrize(("values", "epsilon", "made"), [(2, 1.0, 60), (5, 0.3, 40), (2, 3.0, 150)])
def test_one_run_p_value_is_uniform_or_larger_and_the_bound_covers(values, epsilon, made):
    """GRR attains the bound, so its law is known: exact probabilities, no sampling."""
    law = binom.pmf(np.arange(made + 1), made, largest_success(epsilon, values))
    p_values = np.array([one_run_p_value([Guesses(w, made, values)], epsilon=epsilon) for w in range(made + 1)])
    for level in (0.01, 0.05, 0.3):
        assert law[p_values <= level].sum() <= level + 1e-12
    bounds = np.array([one_run_lower_bound([Guesses(w, made, values)]) for w in range(made + 1)])
    assert (np.diff(bounds) >= 0).all()
    assert law[bounds > epsilon].sum() <= 0.05
    assert law[bounds > epsilon].sum() > 0.01  # it is not valid by saying nothing


def test_one_run_bound_inverts_the_p_value():
    counts = [Guesses(45, 50, 3, 400)]
    for delta in (0.0, 1e-5, 1e-4):
        bound = one_run_lower_bound(counts, delta=delta)
        assert one_run_p_value(counts, epsilon=bound, delta=delta) == pytest.approx(0.05, abs=1e-5)
    assert one_run_lower_bound(counts, delta=1e-4) < one_run_lower_bound(counts)
    assert one_run_lower_bound([Guesses(0, 50, 3)]) == 0.0


def test_all_right_refutes_every_small_epsilon():
    """An identity release: r right of r refutes p with p^r < .05."""
    bound = one_run_lower_bound([Guesses(500, 500, 2)])
    assert largest_success(bound, 2) ** 500 == pytest.approx(0.05, rel=1e-4)
    assert bound == pytest.approx(5.11, abs=0.01)


def _most_by_stopping(made: int, needed: int, success: float, leaks: float) -> float:
    """Return the largest P[W >= needed] with that many leaks expected: a linear programme over occupancies."""
    states = [(j, w) for j in range(made) for w in range(j + 1)]
    index = {state: i for i, state in enumerate(states)}
    size = 2 * len(states)  # the second half leaks
    equal, right = np.zeros((len(states), size)), np.zeros(len(states))
    right[index[0, 0]] = 1.0
    gain = np.zeros(size)
    for (j, w), i in index.items():
        equal[i, [i, i + len(states)]] += 1
        for action, chance in ((i, success), (i + len(states), 1.0)):
            for step, probability in ((1, chance), (0, 1 - chance)):
                if j + 1 == made:
                    gain[action] += probability * (w + step >= needed)
                else:
                    equal[index[j + 1, w + step], action] -= probability
    leaking = np.concatenate([np.zeros(len(states)), np.ones(len(states))])[None, :]
    return -linprog(-gain, A_ub=leaking, b_ub=[leaks], A_eq=equal, b_eq=right).fun


@pytest.mark.parametrize("delta", [1e-4, 3e-3, 2e-2])
@pytest.mark.parametrize(("made", "correct"), [(6, 6), (8, 6), (10, 5)])
def test_leaks_cost_what_the_worst_placing_of_them_reaches(made, correct, delta):
    """The bound is the dual of a linear programme: never below its solution, and sharp but for the grid of prices."""
    success = largest_success(0.5, 3)
    worst = _most_by_stopping(made, correct, success, made * delta)
    bound = one_run_p_value([Guesses(correct, made, 3)], epsilon=0.5, delta=delta)
    assert worst - 1e-7 <= bound <= 1.1 * worst


def test_mechanisms_that_reveal_with_probability_delta_stay_below_the_bound():
    """One reveals single records, one everything at once; else both are GRR: their laws are known."""
    made, values, epsilon = 100, 4, 1.0
    success = largest_success(epsilon, values)
    for delta in (1e-4, 1e-3, 1e-2):
        for correct in (50, 60, 70):
            bound = one_run_p_value([Guesses(correct, made, values)], epsilon=epsilon, delta=delta)
            single = binom.sf(correct - 1, made, success + (1 - success) * delta)
            whole = (1 - delta) * binom.sf(correct - 1, made, success) + delta
            assert bound >= max(single, whole)
    # all targets may have been revealed, the attack then guesses those: the secrets not guessed count too
    few = [Guesses(10, 10, 2, 1000)]
    assert one_run_p_value(few, epsilon=0.0, delta=1e-3) > one_run_p_value(
        [Guesses(10, 10, 2)], epsilon=0.0, delta=1e-3
    )


@pytest.mark.parametrize("delta", [0.0, 1e-4])
def test_critical_count_is_the_least_that_refutes(delta):
    counts = [Guesses(0, 40, 2, 80), Guesses(0, 20, 5, 20)]
    critical = one_run_critical(counts, epsilon=1.0, delta=delta)

    def p_value(correct: int) -> float:
        seen = [Guesses(min(correct, 40), 40, 2, 80), Guesses(max(correct - 40, 0), 20, 5, 20)]
        return one_run_p_value(seen, epsilon=1.0, delta=delta)

    assert p_value(critical) <= 0.05 < p_value(critical - 1)
    assert one_run_critical([Guesses(0, 3, 2)], epsilon=5.0) is None


def test_counts_that_do_not_fit_are_refused():
    for wrong in ((5, 4, 2), (-1, 4, 2), (1, 4, 1), (1, 4, 2, 3)):
        with pytest.raises(ContractError, match="correct <= made"):
            Guesses(*wrong)
    for wrong in ((5, 4, 1, 4), (1, 0, 0, 4), (1, 4, -1, 4)):
        with pytest.raises(ContractError, match="hits <= runs"):
            Events(*wrong)


def _table(runs: int, value) -> np.ndarray:
    return np.array([[value(Events(x1, runs, x0, runs)) for x0 in range(runs + 1)] for x1 in range(runs + 1)])


@pytest.mark.parametrize(("epsilon", "delta"), [(0.0, 0.0), (0.7, 0.0), (0.7, 0.02), (1.2, 0.0)])
def test_many_run_p_value_is_valid_over_the_whole_composite_claim(epsilon, delta):
    """Exact size at every P0, and at P1 below what the claim allows, over all pairs of counts."""
    runs = 16
    p_values = _table(runs, lambda events: many_run_p_value(events, epsilon=epsilon, delta=delta))
    simple = _table(runs, lambda events: clopper_pearson_lower_bound(events, delta=delta)) > epsilon
    largest = 0.0
    for p0 in np.linspace(0, 1, 60):
        for share in (1.0, 0.8):
            p1 = min(1.0, share * (math.exp(epsilon) * p0 + delta))
            law = np.outer(binom.pmf(range(runs + 1), runs, p1), binom.pmf(range(runs + 1), runs, p0))
            for level in (0.01, 0.05, 0.2):
                assert law[p_values <= level].sum() <= level
            largest = max(largest, law[p_values <= 0.05].sum())
    assert largest > 0.02  # valid, and not by saying nothing
    # whatever the simple bound refutes this refutes as well, and more
    assert (p_values[simple] <= 0.05 + 2e-4).all()
    assert (p_values <= 0.05).sum() > simple.sum()


def test_many_run_p_value_is_the_supremum_sharply():
    """Against a dense grid of P0 with the region written out count by count."""
    events = Events(14, 20, 3, 20)
    simple = _table(20, lambda one: clopper_pearson_lower_bound(one, delta=0.01))
    region = simple >= clopper_pearson_lower_bound(events, delta=0.01) - 1e-9
    worst, sure = 0.0, binomtest(3, 20).proportion_ci(1 - 1e-4)
    for p0 in np.linspace(sure.low, sure.high, 4001):
        p1 = min(1.0, math.exp(0.5) * p0 + 0.01)
        law = np.outer(binom.pmf(range(21), 20, p1), binom.pmf(range(21), 20, p0))
        worst = max(worst, law[region].sum())
    assert worst <= many_run_p_value(events, epsilon=0.5, delta=0.01) <= 1.02 * worst + 1.1e-4


def test_many_run_bound_inverts_the_p_value_and_beats_the_simple_one():
    rng = stream(0, "counts")
    for _ in range(12):
        runs = int(rng.integers(50, 3000))
        p0 = rng.uniform(0, 0.4)
        hits, other = rng.binomial(runs, min(1.0, 2 * p0 + 0.05)), rng.binomial(runs, p0)
        events = Events(int(hits), runs, int(other), runs)
        bound = many_run_lower_bound(events, delta=1e-4)
        assert bound >= clopper_pearson_lower_bound(events, delta=1e-4) - 0.005
        if bound:
            assert many_run_p_value(events, epsilon=bound, delta=1e-4) == pytest.approx(0.05, abs=1e-3)
    assert many_run_lower_bound(Events(10, 100, 10, 100)) == 0.0
    assert many_run_lower_bound(Events(10, 100, 10, 100), delta=0.5) == 0.0


def test_several_events_are_paid_for():
    events = Events(30, 100, 12, 100)
    one, two = (many_run_p_value(events, epsilon=0.2, tried=tried) for tried in (1, 2))
    assert two == pytest.approx(2 * one)
    assert many_run_lower_bound(events, tried=2) < many_run_lower_bound(events)


def test_scores_are_rows_of_the_table_of_metrics():
    bound, p_value = score_claim(0.03, 1.7, n=100)
    assert (bound.metric, bound.value, p_value.metric, p_value.value) == (
        *("epsilon_lower_bound", 1.7),
        *("claim_p_value", 0.03),
    )
    assert metric(bound.metric).family == metric(p_value.metric).family == "claim"
    assert bound.n == p_value.n == 100
