"""The attack with all reports together equals Bayes' rule by enumeration, whatever way the reports hang together."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from attacks.column_tree import ColumnTree, spanning_forest
from attacks.report_bayes import ReportBayes
from attacks.report_evidence import Evidence
from attacks.report_joint import ReportJoint, joint_posterior
from attacks.report_pairs import PairPeople, learn_affinity
from defenses.ldp.piecewise import Piecewise
from privbench.blind import guess_without_reports
from privbench.reported_column import ReportedColumn
from privbench.reports import Reports, Together
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table, one_hot
from tests.attacks.reported import collect, law, table_of, view_of

SIZES = {"a": 2, "b": 3, "c": 4}
NAMES = tuple(SIZES)


def random_tree(rng, people: int) -> tuple[ColumnTree, list[np.ndarray]]:
    affinities = {(0, 1): rng.normal(size=(2, 3)), (1, 2): rng.normal(size=(3, 4))}
    weights = [np.log(rng.dirichlet(np.ones(size), size=people)) for size in SIZES.values()]
    return ColumnTree(affinities), weights


def enumerate_posterior(tree, weights, person: int, likelihood) -> list[np.ndarray]:
    """Return the posterior of every column of one person, over all vectors of values."""
    found = [np.zeros(size) for size in SIZES.values()]
    for vector in itertools.product(*(range(size) for size in SIZES.values())):
        log = sum(weight[person, value] for weight, value in zip(weights, vector, strict=True))
        log += sum(theta[vector[one], vector[other]] for (one, other), theta in tree.affinities.items())
        for place, value in enumerate(vector):
            found[place][value] += np.exp(log) * likelihood(vector)
    return [own / own.sum() for own in found]


def people(count: int, *, seed: int = 0) -> Table:
    """Draw people whose columns a, b, c form a chain."""
    rng = stream(seed, "chain")
    a = (rng.random(count) < 0.4).astype(int)
    b = np.where(rng.random(count) < 0.8, a, 2)
    c = np.where(rng.random(count) < 0.7, b, rng.integers(4, size=count))
    return table_of({"a": a, "b": b, "c": c}, SIZES)


@pytest.mark.parametrize("together", list(Together))
@pytest.mark.parametrize("surveys", [1, 2])
@pytest.mark.parametrize("epsilon", [0.5, 3.0])
def test_the_posterior_equals_enumeration(together, surveys, epsilon):
    table = people(40)
    release = collect(table, NAMES, epsilon=epsilon, together=together, surveys=surveys)
    tree, weights = random_tree(stream(1, "tree"), 40)
    terms = Evidence(release, np.arange(40)).terms(NAMES)
    found = joint_posterior(tree, weights, terms, names=NAMES)
    for person in range(40):

        def likelihood(vector, person=person):
            each = [[int(one.reports[person]) for one in survey] for survey in release.surveys]
            sizes = list(SIZES.values())
            return np.prod([law(vector, own, sizes=sizes, epsilon=epsilon, together=together) for own in each])

        expected = enumerate_posterior(tree, weights, person, likelihood)
        for own, known in zip(found, expected, strict=True):
            np.testing.assert_allclose(own[person], known, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("together", list(Together))
@pytest.mark.parametrize("names", [("b",), ("a", "c")])
def test_some_columns_alone_have_the_likelihood_summed_over_the_other_reports(together, names):
    table = people(12)
    release = collect(table, NAMES, epsilon=1.5, together=together)
    places = [NAMES.index(name) for name in names]
    terms = Evidence(release, np.arange(12)).terms(names)
    sizes = list(SIZES.values())
    for person in range(12):
        own = [int(one.reports[person]) for one in release.reported]
        expected, found = [], []
        for vector in itertools.product(*(range(sizes[place]) for place in places)):
            # the values of the others do not matter once their reports are summed over
            whole = dict(zip(places, vector, strict=True))
            value = [whole.get(place, 0) for place in range(3)]
            others = [range(size) if place not in whole else [own[place]] for place, size in enumerate(sizes)]
            expected.append(
                sum(law(value, y, sizes=sizes, epsilon=1.5, together=together) for y in itertools.product(*others))
            )
            logs = [
                np.broadcast_to(term.weight, 12)[person]
                + sum(
                    term.columns[name][person, v] for name, v in zip(names, vector, strict=True) if name in term.columns
                )
                for term in terms
            ]
            found.append(np.exp(logs).sum())
        np.testing.assert_allclose(np.array(found) / sum(found), np.array(expected) / sum(expected), rtol=1e-9)
        if len(names) == 1:
            alone = np.exp(release.log_likelihood(names[0], np.array([person])))[0]
            np.testing.assert_allclose(alone / alone.sum(), np.array(expected) / sum(expected), rtol=1e-9)


def test_a_forest_sums_over_all_vectors_also_where_values_are_ruled_out():
    rng = stream(0, "forest")
    sizes = (2, 3, 1, 4, 2)
    tree = ColumnTree(
        {(3, 0): rng.normal(size=(4, 2)) * 3, (3, 1): rng.normal(size=(4, 3)) * 3, (2, 4): np.zeros((1, 2))}
    )
    weights = [rng.normal(size=(6, size)) * 5 for size in sizes]
    weights[0][0, 1] = weights[3][1, :3] = -np.inf
    weights[1][2] = -np.inf
    total, beliefs = tree.beliefs(weights)
    for person in range(6):
        sums, own = 0.0, [np.zeros(size) for size in sizes]
        for vector in itertools.product(*(range(size) for size in sizes)):
            log = sum(weight[person, value] for weight, value in zip(weights, vector, strict=True))
            log += sum(theta[vector[one], vector[other]] for (one, other), theta in tree.affinities.items())
            sums += np.exp(log)
            for place, value in enumerate(vector):
                own[place][value] += np.exp(log)
        if sums == 0:
            assert total[person] == -np.inf
            continue
        assert total[person] == pytest.approx(np.log(sums))
        for place in range(5):
            np.testing.assert_allclose(beliefs[place][person], own[place] / sums, atol=1e-12)


def test_the_spanning_forest_has_the_greatest_gain():
    rng = stream(3, "spanning")
    for _ in range(20):
        gains = {pair: float(rng.normal()) for pair in itertools.combinations(range(5), 2)}
        best = 0.0
        for size in range(5):
            for edges in itertools.combinations(gains, size):
                parts = list(range(5))
                for one, other in edges:
                    if parts[one] == parts[other]:
                        break
                    parts = [parts[one] if part == parts[other] else part for part in parts]
                else:
                    best = max(best, sum(gains[edge] for edge in edges))
        assert sum(gains[edge] for edge in spanning_forest(gains)) == pytest.approx(best)


def true_posterior(table, release, rows, *, secret: str, epsilon: float, together: Together) -> np.ndarray:
    """Return the Bayes attack with the true distribution of the chain."""
    sizes = list(SIZES.values())
    joint = np.zeros(sizes)
    for a, b, c in itertools.product(*(range(size) for size in sizes)):
        joint[a, b, c] = (0.4 if a else 0.6) * (0.8 * (b == a) + 0.2 * (b == 2)) * (0.7 * (b == c) + 0.3 / 4)
    place, found = NAMES.index(secret), np.zeros((len(rows), SIZES[secret]))
    for number, row in enumerate(rows):
        own = [int(one.reports[row]) for one in release.reported]
        for vector in itertools.product(*(range(size) for size in sizes)):
            weight = law(vector, own, sizes=sizes, epsilon=epsilon, together=together)
            found[number, vector[place]] += joint[vector] * weight
    return found / found.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("together", "epsilon", "public", "most"),
    [
        (Together.INDEPENDENT, 2.0, False, 0.01),
        (Together.JOINT, 3.0, False, 0.01),
        (Together.ONE_GENUINE, 3.0, True, 0.01),
    ],
)
def test_the_learnt_attack_is_nearly_as_good_as_bayes_with_the_truth(together, epsilon, public, most):
    table, rows = people(20_000), np.arange(1_000)
    release = collect(table, NAMES, epsilon=epsilon, together=together)
    population = people(20_000, seed=1) if public else None
    view = view_of(release, table, rows, secrets=NAMES, population=population)
    guess = ReportJoint().infer(view, rng=stream(0))
    alone = ReportBayes().infer(view, rng=stream(0))
    for secret in NAMES:
        truth, own = table[secret][rows], np.arange(len(rows))
        best = true_posterior(table, release, rows, secret=secret, epsilon=epsilon, together=together)
        losses = [-np.log(answer[own, truth]).mean() for answer in (best, guess.answers[secret], alone.answers[secret])]
        assert losses[1] - losses[0] < most
        assert losses[2] - losses[1] > 3 * most  # there was something to gain


@pytest.mark.parametrize("epsilon", [0.01, 0.2])
def test_where_reports_say_next_to_nothing_the_joint_attack_does_no_harm(epsilon):
    table, rows = people(20_000), np.arange(2_000)
    release = collect(table, NAMES, epsilon=epsilon)
    view = view_of(release, table, rows, secrets=NAMES)
    guesses = [attack.infer(view, rng=stream(0)) for attack in (ReportJoint(), ReportBayes(prior="model"))]
    for name in NAMES:
        joint, alone = (-np.log(guess.answers[name][rows, table[name][rows]]).mean() for guess in guesses)
        assert joint < alone + 0.03


def test_affinity_with_known_values_is_the_ratio_to_what_was_expected():
    rng = stream(0, "affinity")
    joint = rng.dirichlet(np.ones(6)).reshape(2, 3)
    cells = rng.choice(6, size=400_000, p=joint.ravel())
    one, other = one_hot(cells // 3, 2), one_hot(cells % 3, 3)
    expected = [np.tile(part.mean(axis=0), (len(cells), 1)).astype(float) for part in (one, other)]
    learnt = learn_affinity([PairPeople(*expected, [(one, other)])], penalty=1e-6)
    shares = expected[0][:1].T * expected[1][:1] * np.exp(learnt.theta)
    counted = np.bincount(cells, minlength=6).reshape(2, 3) / len(cells)
    np.testing.assert_allclose(shares / shares.sum(), counted, atol=2e-4)
    information = np.sum(counted * np.log(counted / (expected[0][:1].T * expected[1][:1])))
    # six numbers were fitted
    assert learnt.gain == pytest.approx(len(cells) * information - 6, abs=0.5)


@pytest.mark.parametrize("likelier", [1.5, 4.0])
def test_columns_that_do_not_hang_together_gain_nothing(likelier):
    gains = []
    for seed in range(30):
        rng = stream(seed, "apart")
        codes = rng.integers(4, size=3_000), rng.integers(5, size=3_000)
        expected = [np.full((3_000, size), 1 / size) for size in (4, 5)]
        said = [
            np.where(rng.random(3_000) < 0.3, own, rng.integers(size, size=3_000))
            for own, size in zip(codes, (4, 5), strict=True)
        ]
        terms = tuple(np.where(one_hot(own, size), likelier, 1.0) for own, size in zip(said, (4, 5), strict=True))
        gains.append(learn_affinity([PairPeople(*expected, [terms])], penalty=3.0).gain)
    assert np.mean(gains) < 0


def test_a_randomised_column_that_is_known_counts_with_its_true_value():
    table, rows = people(20_000), np.arange(2_000)
    release = collect(table, NAMES, epsilon=2.0)
    losses = []
    for known in ((), ("b",)):
        guess = ReportJoint().infer(view_of(release, table, rows, secrets=("c",), known=known), rng=stream(0))
        losses.append(-np.log(guess.answers["c"][rows, table["c"][rows]]).mean())
    assert losses[1] < losses[0] - 0.1


@pytest.mark.parametrize("together", list(Together))
@pytest.mark.parametrize("epsilon", [1e-3, 50.0, 200.0])
def test_extreme_budgets_give_the_prior_or_the_truth(together, epsilon):
    table, rows = people(500), np.arange(100)
    release = collect(table, NAMES, epsilon=epsilon, together=together, surveys=2)
    view = view_of(release, table, rows, secrets=NAMES)
    guess = ReportJoint().infer(view, rng=stream(0))
    guess.check(view)
    without = ReportJoint().infer(replace(view, rows=None), rng=stream(0))
    for name in NAMES:
        if epsilon < 1:
            np.testing.assert_allclose(guess.answers[name], without.answers[name], atol=0.01)
        elif together is not Together.ONE_GENUINE:
            assert (guess.answers[name].argmax(axis=1) == table[name][rows]).all()


@pytest.mark.parametrize("together", list(Together))
def test_who_sent_no_report_and_a_column_of_one_value(together):
    codes = {"a": stream(0).integers(2, size=60), "one": np.zeros(60, dtype=int)}
    table = table_of(codes, {"a": 2, "one": 1})
    asked = np.arange(0, 60, 2)
    release = collect(table, ("a", "one"), epsilon=2.0, together=together, people=asked)
    view = view_of(release, table, np.arange(10), secrets=("a", "one"))
    guess = ReportJoint().infer(view, rng=stream(0))
    without = guess_without_reports(ReportJoint(), view, streams=lambda: stream(0))
    guess.check(view)
    np.testing.assert_allclose(guess.answers["a"][1::2], without.answers["a"][1::2])
    assert (np.abs(guess.answers["a"] - without.answers["a"])[::2].max(axis=1) > 0.01).all()
    assert (guess.answers["one"] == 1).all()


def test_a_number_and_a_value_speak_for_each_other():
    rng = stream(0, "number")
    ill = rng.integers(2, size=6_000)
    age = np.clip(rng.normal(30 + 40 * ill, 8), 0, 100)
    schema = Schema((Column("age", Kind.CONTINUOUS, low=0, high=100), Column("ill", Kind.CATEGORICAL, ("no", "yes"))))
    table = Table(schema, {"age": age, "ill": ill})
    whole = collect(table, ("ill",), epsilon=0.5)
    oracle = Piecewise(0, 100, 3.0)
    number = ReportedColumn(schema["age"], oracle, oracle.randomise(age, rng=rng))
    release = Reports(schema, table.select(()), (number, *whole.reported), 6_000, None)
    rows = np.arange(1_000)
    view = view_of(release, table, rows, secrets=("ill", "age"))
    joint, alone = (attack.infer(view, rng=stream(0)) for attack in (ReportJoint(), ReportBayes(prior="model")))
    joint.check(view)
    right = [(guess.answers["ill"].argmax(axis=1) == ill[rows]).mean() for guess in (alone, joint)]
    missed = [np.sqrt(np.mean(np.square(guess.answers["age"] - age[rows]))) for guess in (alone, joint)]
    assert right[1] > right[0] + 0.15
    assert missed[1] < missed[0]


def test_more_surveys_than_can_be_multiplied_out_are_taken_column_by_column():
    table, epsilon, sizes = people(60), 2.0, list(SIZES.values())
    release = collect(table, NAMES, epsilon=epsilon, together=Together.ONE_GENUINE, surveys=6)
    tree, weights = random_tree(stream(1, "tree"), 60)
    terms = Evidence(release, np.arange(60)).terms(NAMES)
    assert len(terms) == 3**5
    found = joint_posterior(tree, weights, terms, names=NAMES)
    apart, moved = [], []
    for person in range(60):

        def likelihood(vector, person=person):
            each = [[int(one.reports[person]) for one in survey] for survey in release.surveys]
            return np.prod(
                [law(vector, own, sizes=sizes, epsilon=epsilon, together=Together.ONE_GENUINE) for own in each]
            )

        exact = enumerate_posterior(tree, weights, person, likelihood)
        prior = enumerate_posterior(tree, weights, person, lambda vector: 1.0)
        apart.append([np.abs(own[person] - known).sum() for own, known in zip(found, exact, strict=True)])
        moved.append([np.abs(own - known).sum() for own, known in zip(prior, exact, strict=True)])
    assert np.mean(apart) < 0.2 * np.mean(moved)


def test_a_number_that_is_known_and_randomised_counts_with_its_cell_and_a_clear_secret_is_read_off():
    rng = stream(0, "known number")
    ill = rng.integers(2, size=4_000)
    age = np.clip(rng.normal(30 + 40 * ill, 8), 0, 100)
    codes = {"ill": ill, "job": rng.integers(3, size=4_000)}
    columns = table_of(codes, {"ill": 2, "job": 3}).schema.columns
    schema = Schema((Column("age", Kind.CONTINUOUS, low=0, high=100), *columns))
    table = Table(schema, {"age": age, **codes})
    whole = collect(table, ("ill",), epsilon=1.0)
    oracle = Piecewise(0, 100, 3.0)
    number = ReportedColumn(schema["age"], oracle, oracle.randomise(age, rng=rng))
    release = Reports(schema, table.select(["job"]), (number, *whole.reported), 4_000, None)
    rows = np.arange(500)
    view = view_of(release, table, rows, secrets=("ill", "job"), known=("age",))
    guess = ReportJoint().infer(view, rng=stream(0))
    guess.check(view)
    assert (guess.answers["ill"].argmax(axis=1) == ill[rows]).mean() > 0.9  # .73 of the reports are true
    assert (guess.answers["job"].argmax(axis=1) == codes["job"][rows]).all()
    without = ReportJoint().infer(replace(view, rows=None), rng=stream(0))
    np.testing.assert_allclose(without.answers["job"], np.tile(release.marginal("job"), (500, 1)))
