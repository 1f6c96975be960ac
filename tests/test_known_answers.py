"""Answers known without running anything: a ceiling, a floor, a closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from privbench import registry
from privbench.contracts import View
from privbench.dataset import Dataset
from privbench.release import SyntheticTable
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.scorers.leakage import score_categorical
from privbench.table import Table

# what an attack is built with where its defaults do not do; those that need another kind of release are left out
BUILT: dict[str, dict[str, object]] = {
    "estimator": {"classifier": "sklearn.ensemble:ExtraTreesClassifier", "options": {"n_estimators": 20}},
    "mlp": {"epochs": 5},
    "shadow": {"shadows": 30},
}
OTHERWISE = ("averaging", "linked-row", "reidentification", "report-bayes", "report-joint", "sampled-column")
QUICK = ("majority", "nearest-neighbour", "prior", "random-forest")
ON_TABLES = [
    pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)
    for name in registry.names("attacks")
    if name not in OTHERWISE
]
CEILING = 1 - 1 / (2 * math.e)


def dataset(records: int, *, values: int, uniform: bool = False, seed: int = 0) -> Dataset:
    """Return records whose two known columns identify each, and tell nothing about the secret."""
    rng = stream(seed, "known answers")
    schema = Schema(
        (
            Column("x", Kind.CONTINUOUS, low=0.0, high=1.0),
            Column("y", Kind.CONTINUOUS, low=0.0, high=1.0),
            Column("secret", Kind.CATEGORICAL, tuple(f"v{i}" for i in range(values))),
        )
    )
    weights = None if uniform else np.arange(1, values + 1) / np.arange(1, values + 1).sum()
    arrays = {"x": rng.random(records), "y": rng.random(records), "secret": rng.choice(values, size=records, p=weights)}
    table = Table(schema, arrays)
    return Dataset("made up", table, table.take(np.arange(1)))


def hits(
    attack, defense, *, values=2, rounds=6, records=1000, game="randomised", params=None, rows=None, **game_params
):
    """Return the number of right guesses and of guesses over several rounds of a game."""
    right = asked = 0
    for seed in range(rounds):
        rng = stream(seed, attack, defense, str(values))
        data = dataset(records + 1000, values=values, seed=seed)
        asked_for = {"targets": 200, "records": records, "population": 300, **game_params}
        round_ = registry.make("games", game, asked_for).play(data, ("secret",), rng=rng)
        made = registry.make("defenses", defense, {"rows": rows} if rows else {})
        release = made.release(round_.train, rng=rng)
        built = registry.make("attacks", attack, BUILT.get(attack, {}) if params is None else params)
        guess = built.infer(round_.view(release, defense=made), rng=rng)
        right += int((guess.answers["secret"].argmax(axis=1) == round_.truth["secret"]).sum())
        asked += len(round_.targets)
    return right, asked


@pytest.mark.parametrize("attack", ON_TABLES)
def test_no_attack_on_a_bootstrap_beats_its_ceiling(attack):
    # a target outside the bootstrap (probability 1/e) leaves nothing but a coin
    right, asked = hits(attack, "resample")
    assert stats.binomtest(right, asked, CEILING, alternative="greater").pvalue > 0.001


STRONG = ["random-forest", "nearest-neighbour", "linear-reconstruction"]


@pytest.mark.parametrize("attack", STRONG)
def test_strong_attacks_on_a_bootstrap_come_near_its_ceiling(attack):
    right, asked = hits(attack, "resample", rounds=10)
    assert right / asked > CEILING - 0.03


@pytest.mark.parametrize("attack", STRONG)
def test_strong_attacks_on_a_large_bootstrap_find_nearly_everyone(attack):
    # a record is left out of ten times as many draws with probability e^-10
    right, asked = hits(attack, "resample", rounds=3, rows=10_000)
    assert right / asked > 0.98


@pytest.mark.parametrize("attack", ["naive-bayes", "logistic-regression"])
def test_attacks_that_cannot_remember_find_less(attack):
    right, asked = hits(attack, "resample")
    assert right / asked < CEILING - 0.1


@pytest.mark.parametrize("values", [2, 7])
def test_nearest_neighbour_on_the_training_rows_is_always_right(values):
    right, asked = hits("nearest-neighbour", "identity", values=values, rounds=2)
    assert right == asked


@pytest.mark.parametrize(
    "known",
    [
        np.arange(20_000.0),
        np.arange(20_000.0) * 50,
        1e9 + np.arange(20_000.0),
        1e15 + np.arange(20_000.0),
        np.linspace(0, 1, 20_000) ** 3,
    ],
    ids=["numbers", "large numbers", "from 1e9", "from 1e15", "close numbers"],
)
def test_nearest_neighbour_tells_any_two_numbers_apart(known):
    rng = stream(0, "apart")
    schema = Schema(
        (
            Column("x", Kind.CONTINUOUS, low=known.min(), high=known.max()),
            Column("secret", Kind.CATEGORICAL, ("a", "b")),
        ),
        secrets=("secret",),
    )
    train = Table(schema, {"x": known, "secret": rng.integers(2, size=len(known))})
    asked = rng.permutation(len(known))[:500]
    view = View(SyntheticTable(train, len(train)), train.take(asked).select(["x"]), secrets=(train.schema["secret"],))
    guess = registry.make("attacks", "nearest-neighbour", {}).infer(view, rng=rng)
    assert (guess.answers["secret"].argmax(axis=1) == train["secret"][asked]).all()


def test_nearest_neighbour_equals_gowers_distance_row_by_row():
    rng = stream(0, "gower")
    schema = Schema(
        (
            Column("c", Kind.CATEGORICAL, ("a", "b", "c")),
            Column("o", Kind.ORDINAL, (None, 1, 2, 5)),
            Column("x", Kind.CONTINUOUS, low=-3.0, high=5.0),
            Column("secret", Kind.CATEGORICAL, ("a", "b")),
        ),
        secrets=("secret",),
    )

    def drawn(n):
        arrays = {"c": rng.integers(3, size=n), "o": rng.integers(4, size=n), "x": rng.integers(-3, 6, size=n)}
        return Table(schema, {**arrays, "secret": rng.integers(2, size=n)})

    train, targets = drawn(300), drawn(60)
    ranks = [None, 0.0, 0.5, 1.0]  # of the ordinal values; a missing one is 1 from every other
    view = View(SyntheticTable(train, 300), targets.select(["c", "o", "x"]), secrets=(schema["secret"],))
    for neighbours in (1, 7):
        guess = registry.make("attacks", "nearest-neighbour", {"neighbours": neighbours}).infer(view, rng=rng)
        for t in range(60):
            distance = np.zeros(300)
            for r in range(300):
                first, second = ranks[train["o"][r]], ranks[targets["o"][t]]
                apart = float(first is not second) if first is None or second is None else abs(first - second)
                distance[r] = (train["c"][r] != targets["c"][t]) + apart + abs(train["x"][r] - targets["x"][t]) / 8
            near = distance <= np.sort(distance)[neighbours - 1] + 1e-9
            expected = np.bincount(train["secret"][near], minlength=2) / near.sum()
            assert guess.answers["secret"][t] == pytest.approx(expected)


@pytest.mark.parametrize("attack", [*ON_TABLES, "report-bayes"])
def test_the_interval_of_every_attack_covers_chance_where_nothing_leaks(attack):
    """Score 100 rounds of an independent release: at most 5 in 100 intervals may miss chance, and binomial slack."""
    missed = 0
    for seed in range(100):
        rng = stream(seed, "covers", attack)
        data = dataset(600, values=3, seed=seed)
        game = registry.make("games", "randomised", {"targets": 150, "records": 300, "rows": True, "population": 100})
        round_ = game.play(data, ("secret",), rng=rng)
        score = independent(attack, round_, seed=seed, rng=rng)(round_.member)["accuracy_advantage"]
        missed += not score.low <= 0 <= score.high
    assert missed <= stats.binom.ppf(0.999, 100, 0.05)


@pytest.mark.slow
@pytest.mark.parametrize("attack", [name for name in registry.names("attacks") if name not in OTHERWISE])
def test_members_and_controls_are_alike_to_every_attack_where_nothing_leaks(attack):
    """Score 200 rounds: the advantage covers 0, and the scores of members and of controls cover chance, 95 in 100."""
    missed = np.zeros(3, int)
    for seed in range(200):
        rng = stream(seed, "alike", attack)
        data = dataset(800, values=3, uniform=True, seed=seed)
        game = registry.make("games", "holdout", {"targets": 100, "records": 300, "population": 100, "roster": True})
        round_ = game.play(data, ("secret",), rng=rng)
        scored = independent(attack, round_, seed=seed, rng=rng)
        members, controls = scored(round_.member), scored(~round_.member)
        missed += [
            not members["accuracy_advantage"].low <= 0 <= members["accuracy_advantage"].high,
            *(not score["accuracy"].low <= 1 / 3 <= score["accuracy"].high for score in (members, controls)),
        ]
    assert (missed <= stats.binom.ppf(0.999, 200, 0.05)).all(), missed


def independent(attack, round_, *, seed, rng):
    """Attack a release made of other people; return what scores the targets once told who is a member."""
    other = dataset(300, values=3, seed=1000 + seed).records.with_schema(round_.train.schema)
    release = (
        registry.make("defenses", "ldp", {"epsilon": 3}).release(other, rng=rng)
        if attack == "report-bayes"
        else SyntheticTable(other, private_records=300)
    )
    built = registry.make("attacks", attack, BUILT.get(attack, {}))
    guess = built.infer(round_.view(release, defense=registry.make("defenses", "resample", {})), rng=rng)

    def scored(member):
        scores = score_categorical(
            guess.answers["secret"],
            round_.truth["secret"],
            prior=release.marginal("secret"),
            member=member,
            groups={},
            reference=round_.reference,
        )
        return {score.metric: score for score in scores if score.group is None}

    return scored


@pytest.mark.parametrize("attack", QUICK)
@pytest.mark.parametrize("values", [2, 5])
def test_a_release_independent_of_the_targets_leaves_chance(attack, values):
    right = asked = 0
    for seed in range(10):
        rng = stream(seed, "independent", attack)
        round_ = registry.make("games", "randomised", {"targets": 200, "records": 1000}).play(
            dataset(1000, values=values, seed=seed), ("secret",), rng=rng
        )
        other = dataset(1000, values=values, seed=1000 + seed).records
        view = round_.view(SyntheticTable(other, private_records=len(other)))
        guess = registry.make("attacks", attack, {}).infer(view, rng=rng)
        right += int((guess.answers["secret"].argmax(axis=1) == round_.truth["secret"]).sum())
        asked += 200
    # one of eight such tests fails by accident once in a thousand runs
    assert stats.binomtest(right, asked, 1 / values).pvalue > 0.001 / 8


@pytest.mark.parametrize("attack", QUICK)
def test_members_of_an_independent_release_are_guessed_no_better_than_controls(attack):
    member = control = 0
    for seed in range(8):
        rng = stream(seed, "controls", attack)
        round_ = registry.make("games", "holdout", {"targets": 200, "records": 500}).play(
            dataset(900, values=3, seed=seed), ("secret",), rng=rng
        )
        other = dataset(500, values=3, seed=1000 + seed).records
        guess = registry.make("attacks", attack, {}).infer(
            round_.view(SyntheticTable(other, private_records=len(other))), rng=rng
        )
        right = guess.answers["secret"].argmax(axis=1) == round_.truth["secret"]
        member += int(right[round_.member].sum())
        control += int(right[~round_.member].sum())
    table = [[member, 1600 - member], [control, 1600 - control]]
    assert stats.fisher_exact(table).pvalue > 0.001


@pytest.mark.parametrize("values", [2, 7, 42])
@pytest.mark.parametrize("epsilon", [0.5, 2.0, 5.0])
def test_report_bayes_is_right_as_often_as_grr_tells_the_truth(values, epsilon):
    data = dataset(20_000, values=values, uniform=True)
    round_ = registry.make("games", "report", {"targets": 20_000}).play(data, ("secret",), rng=stream(0, "grr"))
    release = registry.make("defenses", "ldp", {"epsilon": epsilon}).release(round_.train, rng=stream(1, "grr"))
    attack = registry.make("attacks", "report-bayes", {"prior": "uniform"})
    guess = attack.infer(round_.view(release), rng=stream(2, "grr"))
    right = int((guess.answers["secret"].argmax(axis=1) == round_.truth["secret"]).sum())
    expected = math.exp(epsilon) / (math.exp(epsilon) + values - 1)
    assert stats.binomtest(right, 20_000, expected).pvalue > 1e-4


def test_report_bayes_posterior_equals_bayes_rule_by_hand():
    # two values, prior .3/.7, E = 3: P[0 | report 0] = .9/1.6
    data = dataset(10, values=2)
    schema = data.records.schema.select(["secret"]).with_secrets(["secret"])
    train = Table(schema, {"secret": np.array([0] * 3 + [1] * 7)})
    release = registry.make("defenses", "ldp", {"epsilon": math.log(3)}).release(train, rng=stream(0))
    oracle = release.of("secret")[0].oracle
    prior = np.array([0.3, 0.7])
    posterior = prior * np.exp(oracle.log_likelihood(np.array([0, 1])))
    posterior /= posterior.sum(axis=1, keepdims=True)
    assert posterior[0] == pytest.approx([0.9 / 1.6, 0.7 / 1.6])
    assert posterior[1] == pytest.approx([0.3 / 2.4, 2.1 / 2.4])


def test_a_secret_collected_in_the_clear_is_read_off():
    right, asked = hits("report-bayes", "ldp", game="report", rounds=1)
    data = dataset(1000, values=5)
    round_ = registry.make("games", "report", {"targets": 300}).play(data, ("secret",), rng=stream(0))
    schema = round_.train.schema
    open_collection = registry.make("defenses", "ldp", {"columns": ["secret"]})
    assert open_collection.release(round_.train, rng=stream(0)).schema == schema
    two = Schema((*schema.columns, Column("other", Kind.CATEGORICAL, ("a", "b"))), secrets=("secret",))
    train = Table(two, {**round_.train.arrays, "other": np.zeros(len(round_.train), dtype=int)})
    release = registry.make("defenses", "ldp", {"columns": ["other"]}).release(train, rng=stream(0))
    guess = registry.make("attacks", "report-bayes", {}).infer(round_.view(release), rng=stream(0))
    assert (guess.answers["secret"].argmax(axis=1) == round_.truth["secret"]).all()
    assert 0 < right < asked


def test_continuous_secrets_are_recovered_from_the_training_rows():
    data = dataset(400, values=2)
    round_ = registry.make("games", "randomised", {"targets": 50, "known": ["x"]}).play(data, ("y",), rng=stream(0))
    release = registry.make("defenses", "identity", {}).release(round_.train, rng=stream(0))
    guess = registry.make("attacks", "nearest-neighbour", {}).infer(round_.view(release), rng=stream(0))
    assert guess.answers["y"] == pytest.approx(round_.truth["y"])
    assert guess.spread["y"] == pytest.approx(np.zeros(50))


@pytest.mark.parametrize("values", [1, 2, 5, 100])
@pytest.mark.parametrize("epsilon", [1e-3, 0.5, 5.0, 50.0, 200.0, 1000.0])
def test_grr_keeps_its_budget_and_estimates_without_bias(values, epsilon):
    oracle = registry.load("defenses", "ldp")  # importing the collection brings its protocols
    from defenses.ldp.grr import Grr

    assert oracle is not None
    grr = Grr(size=values, epsilon=epsilon)
    assert grr.p + (values - 1) * grr.q == pytest.approx(1)
    # the ratio of any two outputs' probabilities is at most e^epsilon
    if grr.q > 0:
        assert math.log(grr.p) - math.log(grr.q) <= epsilon * (1 + 1e-9) + 1e-9
    else:  # no float is as small as e^-epsilon, or there is no other value
        assert epsilon > 700 or values == 1
    codes = np.arange(20_000) % values
    reports = grr.randomise(codes, rng=stream(0, "grr", str(values), str(epsilon)))
    assert reports.min() >= 0
    assert reports.max() < values
    truthful = int((reports == codes).sum())
    assert stats.binomtest(truthful, 20_000, min(1.0, grr.p)).pvalue > 1e-4
    if epsilon >= 0.5:
        shares = np.bincount(codes, minlength=values) / len(codes)
        if values == 1:
            assert grr.estimate(reports) == pytest.approx(shares)
            return
        error = math.sqrt(max(grr.p * (1 - grr.p), grr.q * (1 - grr.q)) / len(codes)) / (grr.p - grr.q)
        assert np.abs(grr.estimate(reports) - shares).max() < 5 * error + 1e-9


def test_histogram_forgets_relations_and_keeps_marginals():
    data = dataset(5000, values=5)
    release = registry.make("defenses", "independent-histogram", {"epsilon": 50}).release(data.records, rng=stream(0))
    assert np.abs(release.marginal("secret") - data.records.marginal("secret")).max() < 0.03
    assert len(np.intersect1d(release.table["x"], data.records["x"])) == 0
