"""Figures on single persons, and rarity: known answers, and members like controls where nothing leaks."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privbench.rng import stream
from privbench.scorers.leakage import score_categorical
from privbench.scorers.leakage_continuous import score_continuous
from privbench.scorers.persons import persons_categorical, persons_continuous
from privbench.scorers.rarity import rarest


def sample(people=200, k=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(k), people), rng.integers(0, k, people)


def of(posterior, truth, *, member=None, reference="chance", other=None):
    return persons_categorical(
        posterior,
        truth,
        member=np.ones(len(truth), bool) if member is None else member,
        reference=reference,
        reference_posterior=other,
        rng=stream(0, "decoy"),
    )


def test_means_are_the_scores_of_everybody():
    posterior, truth = sample()
    persons = of(posterior, truth)
    rows = score_categorical(
        posterior, truth, prior=np.ones(4), member=np.ones(200, bool), groups={}, reference="chance"
    )
    accuracy = next(row for row in rows if row.metric == "accuracy")
    assert persons.right.mean() == pytest.approx(accuracy.value)
    assert (persons.right - persons.right_baseline).mean() == pytest.approx(accuracy.advantage)
    assert persons.probability == pytest.approx(posterior[np.arange(200), truth])
    assert set(persons.probability_baseline) == {0.25}


def test_ties_count_as_their_share():
    persons = of(np.array([[0.5, 0.5, 0], [0, 0.5, 0.5], [0.2, 0.2, 0.6]]), np.array([0, 0, 2]))
    assert persons.right.tolist() == [0.5, 0, 1]


def test_a_decoy_is_another_value_the_same_for_every_attack_and_as_likely():
    people, k = 6000, 3
    truth = np.random.default_rng(1).integers(0, k, people)
    codes = of(np.tile(np.arange(k) / 3, (people, 1)), truth).decoy * 3
    assert codes == pytest.approx(codes.round())
    assert (codes.round() != truth).all()
    again = of(np.tile([0.0, 2 / 3, 1 / 3], (people, 1)), truth).decoy
    assert {(a, b) for a, b in zip(codes.round(), again, strict=True)} == {(0, 0), (1, 2 / 3), (2, 1 / 3)}
    pairs = Counter(zip(truth, codes.round().astype(int), strict=True))
    assert len(pairs) == 6
    assert all(abs(count - 1000) < 150 for count in pairs.values())


def test_without_the_report_is_the_same_person_s_baseline():
    posterior, truth = sample()
    other, _ = sample(seed=1)
    persons = of(posterior, truth, reference="no-report", other=other)
    assert persons.probability_baseline == pytest.approx(other[np.arange(200), truth])
    assert persons.right_baseline.mean() == pytest.approx((other.argmax(axis=1) == truth).mean())
    assert np.isnan(persons.decoy).all()


def test_controls_who_share_the_value_are_the_baseline_by_hand():
    posterior = np.array([[0.8, 0.2], [0.6, 0.4], [0.3, 0.7], [0.9, 0.1]])
    persons = of(posterior, np.array([0, 0, 1, 0]), member=np.array([True, False, False, False]), reference="controls")
    # controls with value 0: .6 and .9; what controls give to value 0 on average: (.6 + .3 + .9) / 3 = .6
    assert persons.probability_baseline[0] == pytest.approx((0.6 + 0.9 + 4 * 0.6) / 6)
    # the first control, without itself: .9, and (.3 + .9) / 2
    assert persons.probability_baseline[1] == pytest.approx((0.9 + 4 * 0.6) / 5)
    # nobody else has value 1: (.4 + .1) / 2
    assert persons.probability_baseline[2] == pytest.approx(0.25)
    assert persons.right_baseline[2] == 0


def test_members_are_controls_where_nothing_leaks():
    """Score 400 rounds in which membership is a coin: the mean gain of both is the same."""
    rng, gaps = np.random.default_rng(2), []
    for _ in range(400):
        truth = rng.choice(3, 60, p=[0.8, 0.15, 0.05])
        posterior = rng.dirichlet(np.ones(3), 60)
        posterior[np.arange(60), truth] += 0.3
        posterior /= posterior.sum(axis=1, keepdims=True)
        member = np.arange(60) < 30
        persons = of(posterior, truth, member=member, reference="controls")
        gain = persons.probability - persons.probability_baseline
        gaps.append(gain[member].mean() - gain[~member].mean())
    assert abs(np.mean(gaps)) < 4 * np.std(gaps) / 20


@given(seed=st.integers(0, 10**6), reference=st.sampled_from(["controls", "no-report"]))
@settings(max_examples=20, deadline=None)
def test_the_order_of_people_changes_nothing(seed, reference):
    rng = np.random.default_rng(seed)
    posterior, truth = sample(50, seed=seed)
    other, _ = sample(50, seed=seed + 1)
    member = rng.random(50) < 0.5 if reference == "controls" else np.ones(50, bool)
    order = rng.permutation(50)
    one = of(posterior, truth, member=member, reference=reference, other=other)
    two = of(posterior[order], truth[order], member=member[order], reference=reference, other=other[order])
    for name in ("right", "right_baseline", "probability", "probability_baseline"):
        assert getattr(one, name)[order] == pytest.approx(getattr(two, name))


def continuous(guess, truth, *, spread=None, integer=False, low=0.0, high=100.0, **change):
    given = {"member": np.ones(len(truth), bool), "reference": "chance", "reference_guess": None}
    return persons_continuous(guess, spread, truth, low=low, high=high, integer=integer, **{**given, **change})


@pytest.mark.parametrize("integer", [False, True])
def test_near_is_right_for_a_continuous_secret_too(integer):
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 101, 300).astype(float)
    guess = truth + rng.integers(-9, 10, 300)
    persons = continuous(guess, truth, integer=integer)
    rows = score_continuous(
        guess, truth, low=0, high=100, integer=integer, member=np.ones(300, bool), groups={}, reference="chance"
    )
    row = next(row for row in rows if row.metric == "within_tolerance")
    assert persons.right.mean() == pytest.approx(row.value)
    assert persons.right_baseline[0] == pytest.approx(row.baseline)
    assert persons.probability.tolist() == persons.right.tolist()


def test_a_spread_gives_a_probability_of_being_near():
    persons = continuous(np.array([50.0, 50.0, 50.0]), np.array([50.0, 60.0, 50.0]), spread=np.array([5.0, 5.0, 0.0]))
    assert persons.probability == pytest.approx([0.6827, 0.1573, 1], abs=1e-4)


@pytest.mark.parametrize(("integer", "low", "high"), [(False, -3.0, 5.0), (True, 17.0, 90.0), (True, 0.0, 10.0)])
def test_the_decoy_of_a_uniform_number_is_as_likely(integer, low, high):
    rng = np.random.default_rng(4)
    truth = rng.integers(int(low), int(high) + 1, 40_000).astype(float) if integer else rng.uniform(low, high, 40_000)
    persons = continuous(np.full(40_000, low + 1), truth, integer=integer, low=low, high=high)
    assert persons.decoy.mean() == pytest.approx(persons.right.mean(), abs=0.01)
    assert not ((persons.decoy == 1) & (persons.right == 1)).any()


def test_controls_of_about_the_same_number_are_the_baseline():
    truth = np.array([5.0, 6.0, 95.0, 96.0])
    persons = continuous(
        np.array([5.0, 6.0, 20.0, 96.0]), truth, member=np.array([True, False, True, False]), reference="controls"
    )
    assert persons.right.tolist() == [1, 1, 0, 1]
    # one control near, right; of the two controls one says about 5 and one about 95
    assert persons.right_baseline[[0, 2]] == pytest.approx([(1 + 4 * 0.5) / 5] * 2)


@given(seed=st.integers(0, 10**6), sizes=st.sampled_from([(2, 3, 4), (5, 400, 700), (3,)]))
@settings(max_examples=25, deadline=None)
def test_rarest_counts_are_those_of_a_search(seed, sizes):
    rng = np.random.default_rng(seed)
    records = [rng.integers(0, size, 300) for size in sizes]
    people = [
        np.concatenate([column[:20], rng.integers(0, size, 5)]) for column, size in zip(records, sizes, strict=True)
    ]
    columns, count = rarest(records, people, sizes=sizes)
    for person in range(25):
        sets = [(i,) for i in range(len(sizes))] + list(combinations(range(len(sizes)), 2))
        shared = {
            chosen: int(np.all([records[i] == people[i][person] for i in chosen], axis=0).sum()) for chosen in sets
        }
        found = tuple(int(i) for i in columns[person] if i >= 0)
        assert count[person] == min(shared.values()) == shared[found]
        assert not any(len(chosen) < len(found) and shared[chosen] == count[person] for chosen in sets)
