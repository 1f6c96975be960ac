"""Pooled attacks: weights learnt in practice, practice made from the release alone, and parts built by name."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
import pytest

from attacks.pool import pool, pool_numbers, weights, weights_of_numbers
from attacks.practice import practise
from privbench import registry
from privbench.code_digest import code_digest
from privbench.contracts import Guess, View
from privbench.errors import DoesNotApplyError, InputError, TimeLimitError
from privbench.experiment import Experiment
from privbench.release import AlteredRows, SyntheticTable
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table

SCHEMA = Schema(
    (
        Column("x", Kind.CONTINUOUS, low=0.0, high=1.0),
        Column("secret", Kind.CATEGORICAL, ("a", "b", "c")),
        Column("wage", Kind.CONTINUOUS, low=0.0, high=100.0),
    ),
    secrets=("secret", "wage"),
)


def table(n: int, *, seed: int = 0) -> Table:
    """Return records whose secrets nothing known tells of; x is everyone's own."""
    rng = stream(seed, "pool")
    return Table(SCHEMA, {"x": rng.random(n), "secret": rng.integers(3, size=n), "wage": 100 * rng.random(n)})


def view(train: Table, people: Table, defense: object = None, release: object = None) -> View:
    made = release or SyntheticTable(train, len(train))
    return View(made, people.select(["x"]), (SCHEMA["secret"], SCHEMA["wage"]), defense=defense)


def said(truth: np.ndarray, right: float, rng: np.random.Generator) -> np.ndarray:
    """Return posteriors that name the truth so often, and are as sure as that."""
    k = 3
    named = np.where(rng.random(len(truth)) < right, truth, (truth + rng.integers(1, k, size=len(truth))) % k)
    return np.where(np.arange(k) == named[:, None], right, (1 - right) / (k - 1))


def test_weights_trust_who_is_right_and_not_who_guesses():
    rng = stream(0, "weights")
    truth = rng.integers(3, size=4000)
    good, fair = said(truth, 0.8, rng), said(truth, 0.6, rng)
    noise = rng.dirichlet(np.ones(3), size=4000)
    marginal = np.full(3, 1 / 3)
    found = weights([good, fair, noise], truth, marginal)
    # independent evidence multiplies: the product of the two is the posterior
    assert found == pytest.approx([1, 1, 0], abs=0.12)
    pooled = pool([good, fair, noise], marginal, found)
    np.testing.assert_allclose(pooled.sum(axis=1), 1)
    brier = [np.square(p - np.eye(3)[truth]).sum(axis=1).mean() for p in (pooled, good)]
    assert brier[0] < brier[1] - 0.02


def test_overconfidence_is_tempered():
    rng = stream(0, "sure")
    truth = rng.integers(3, size=4000)
    fair = said(truth, 0.6, rng)
    too_sure = fair**4 / (fair**4).sum(axis=1, keepdims=True)
    found = weights([too_sure], truth, np.full(3, 1 / 3))
    assert found[0] == pytest.approx(0.25, abs=0.03)


def test_without_practice_all_weigh_alike():
    assert weights([np.empty((0, 3))] * 4, np.empty(0, int), np.full(3, 1 / 3)) == pytest.approx([0.25] * 4)
    assert weights_of_numbers([np.empty(0)] * 2, np.empty(0), 1.0)[0] == pytest.approx([0.5, 0.5])


def test_numbers_are_weighed_by_their_errors():
    rng = stream(0, "numbers")
    truth = rng.uniform(0, 100, size=3000)
    answers = [truth + rng.normal(scale=s, size=3000) for s in (5.0, 10.0)] + [rng.uniform(0, 100, size=3000)]
    trust, missed = weights_of_numbers(answers, truth, 100.0)
    assert trust.sum() == pytest.approx(1)
    assert trust == pytest.approx([0.8, 0.2, 0.0], abs=0.05)  # inverse variances
    assert missed == pytest.approx(np.sqrt(20), rel=0.06)
    assert np.sqrt(np.mean((pool_numbers(answers, trust) - truth) ** 2)) == pytest.approx(missed)


@dataclass(frozen=True)
class Slow:
    """Publish the rows after a while."""

    seconds: float

    def release(self, train, *, rng):
        time.sleep(self.seconds * len(train))
        return SyntheticTable(train, private_records=len(train))


@dataclass(frozen=True)
class InPlace:
    """Publish every row in its place."""

    def release(self, train, *, rng):
        return AlteredRows(train, private_records=len(train))


@dataclass(frozen=True)
class Broken:
    """Fail."""

    def release(self, train, *, rng):
        raise RuntimeError("no")


def test_a_known_mechanism_is_rehearsed():
    train = table(400)
    asked = view(train, table(10, seed=1), InPlace())
    asked = replace(asked, roster=train.select(["x"]), rows=np.arange(10))
    (only,) = practise(asked, targets=100, time_limit=10, rng=stream(0, "rehearsal"))
    # the targets' own rows stand in the new release
    released = only.view.release.table
    own = released.take(only.view.rows)
    assert (own["x"] == only.view.targets["x"]).all()
    assert (own["secret"] == only.truth["secret"]).all()
    assert sorted(only.view.roster["x"]) == sorted(released["x"])


@pytest.mark.parametrize("defense", [None, Slow(0.001), Broken()])
def test_otherwise_the_rows_are_cross_validated(defense):
    train = table(400)
    started = time.perf_counter()
    rounds = practise(view(train, table(10, seed=1), defense), targets=100, time_limit=0.2, rng=stream(0, "folds"))
    assert time.perf_counter() - started < 0.4
    assert len(rounds) == 2
    for each in rounds:
        assert len(each.view.targets) == 50
        assert not np.isin(each.view.targets["x"], each.view.release.table["x"]).any()
        assert each.view.roster is None


def test_blank_cells_are_no_truth():
    train = table(300)
    blank = np.arange(300) % 3 == 0
    release = AlteredRows(train, 300, altered=("secret",), suppressed={"secret": blank})
    for each in practise(view(train, train, release=release), targets=300, time_limit=0, rng=stream(0, "blank")):
        at = np.searchsorted(np.sort(train["x"]), each.view.targets["x"])
        hidden = blank[np.argsort(train["x"])][at]
        assert (each.shown["secret"] == ~hidden).all()
        assert isinstance(each.view.release, AlteredRows)
        assert each.shown["wage"].all()


def test_who_remembers_rows_is_trusted_where_rows_are_given_away():
    """Secrets depend on nothing known. Published as they are, a neighbour tells all, on unrelated rows nothing."""
    train = table(600)
    parts = {"attacks": ["naive-bayes", "nearest-neighbour"]}
    ensemble = registry.make("attacks", "ensemble", parts)
    given_away = view(train, train, registry.make("defenses", "identity", {}))
    guess = ensemble.infer(given_away, rng=stream(0, "trust"))
    assert (guess.answers["secret"].argmax(axis=1) == train["secret"]).mean() > 0.98
    assert np.abs(guess.answers["wage"] - train["wage"]).mean() < 2
    apart = ensemble.infer(view(train, table(600, seed=1)), rng=stream(0, "trust"))
    assert apart.answers["secret"].max() < 0.7  # no one is sure of anything
    assert np.abs(apart.answers["wage"] - 50).mean() < 12
    assert apart.spread["wage"][0] == pytest.approx(100 / np.sqrt(12), rel=0.15)


def test_it_is_as_good_as_the_best_of_its_parts():
    rng = stream(0, "mix")

    def people(n):
        x = rng.random(n)
        secret = np.where(rng.random(n) < 0.8, (x * 40).astype(int) % 3, rng.integers(3, size=n))
        return Table(SCHEMA, {"x": x, "secret": secret, "wage": 100 * x**2})

    train, asked = people(2000), people(1500)
    names = ["naive-bayes", "random-forest", "logistic-regression"]
    v = view(train, asked)
    scores = {}
    for name, attack in [*((n, registry.make("attacks", n, {})) for n in names),
                         ("pool", registry.make("attacks", "ensemble", {"attacks": names}))]:  # fmt: skip
        guess = attack.infer(v, rng=stream(0, name))
        hits = (guess.answers["secret"].argmax(axis=1) == asked["secret"]).mean()
        brier = np.square(guess.answers["secret"] - np.eye(3)[asked["secret"]]).sum(axis=1).mean()
        scores[name] = hits, brier, np.abs(guess.answers["wage"] - asked["wage"]).mean()
    assert scores["pool"][0] > max(scores[n][0] for n in names) - 0.01
    assert scores["pool"][1] < min(scores[n][1] for n in names) + 0.01
    assert scores["pool"][2] < min(scores[n][2] for n in names) * 1.1 + 0.1


@dataclass(frozen=True)
class Never:
    """Apply to nothing."""

    def skip(self, view):
        return "it applies to no release that there is"

    def infer(self, view, *, rng) -> Guess:
        raise AssertionError("an attack that does not apply is not asked")


def test_attacks_that_do_not_apply_are_left_out():
    made = type(registry.make("attacks", "ensemble", {}))
    some = made(attacks=(Never(), registry.make("attacks", "naive-bayes", {})))
    asked = view(table(50), table(5, seed=1))
    some.infer(asked, rng=stream(0)).check(asked)
    assert "none of its 1 attacks" in made(attacks=(Never(),)).skip(asked)
    with pytest.raises(InputError, match="not built"):
        made(attacks=("naive-bayes",)).skip(asked)


CONFIG = {
    "records": 300,
    "secrets": ["income"],
    "games": [{"name": "holdout", "targets": 20}],
    "defenses": ["resample"],
}


def digests(*attacks) -> list[str]:
    return [plugin.digest for plugin in Experiment.read({**CONFIG, "attacks": list(attacks)}).plugins("attacks")]


def test_parts_are_written_as_attacks_are_and_count_in_the_key():
    whole = {"name": "ensemble", "attacks": ["naive-bayes", {"name": "nearest-neighbour", "neighbours": 3}]}
    other = {"name": "ensemble", "attacks": ["naive-bayes", {"name": "nearest-neighbour", "neighbours": 4}]}
    assert len(set(digests(whole, other, "ensemble"))) == 3
    (made,) = (p.make() for p in Experiment.read({**CONFIG, "attacks": [whole]}).plugins("attacks"))
    assert made.attacks[1].neighbours == 3
    code = code_digest("attacks", "ensemble", {"attacks": ["naive-bayes"]})
    assert code != code_digest("attacks", "ensemble", {"attacks": ["mlp"]})


@pytest.mark.parametrize(
    ("attacks", "said"),
    [
        (["naive-byes"], "did you mean 'naive-bayes'"),
        ([{"name": "nearest-neighbour", "neighbours": 0}], "neighbours must be at least 1"),
        ([{"neighbours": 3}], "a mapping with a 'name'"),
        ([], "is an empty list"),
        ([3], "a name or a mapping"),
        (None, "a name or a mapping"),
        ([Never()], "a config names its plugins"),
        ([{"name": "estimator", "classifier": "sklearn.tree:DecisionTreeClassifier"}], "brings code of your own"),
    ],
)
def test_a_bad_part_is_one_sentence(attacks, said):
    with pytest.raises(InputError, match=said):
        Experiment.read({**CONFIG, "attacks": [{"name": "ensemble", "attacks": attacks}]})


def test_one_setting_has_one_name_in_parts_too():
    entries = [{"name": "ensemble", "attacks": [{"name": "random-forest", "leaf": leaf}]} for leaf in (3, 3.0)]
    assert digests(entries[0]) == digests(entries[1])


@dataclass(frozen=True)
class OutOfTime(Never):
    """Take too long."""

    def skip(self, view):
        return None

    def infer(self, view, *, rng) -> Guess:
        raise TimeLimitError("it took too long")


def test_an_attack_that_runs_out_of_time_or_cannot_be_tried_is_left_out():
    made = type(registry.make("attacks", "ensemble", {}))
    bayes, reconstruction = (registry.make("attacks", name, {}) for name in ("naive-bayes", "linear-reconstruction"))
    train = table(300)
    asked = replace(view(train, train.take(np.arange(40))), roster=train.select(["x"]))
    made(attacks=(bayes, OutOfTime())).infer(asked, rng=stream(0, "late")).check(asked)
    # cross-validation grants no roster: what needs one cannot be tried, and alone it answers all the same
    made(attacks=(reconstruction, OutOfTime())).infer(asked, rng=stream(0, "roster")).check(asked)
    with pytest.raises(DoesNotApplyError, match="could answer"):
        made(attacks=(OutOfTime(), OutOfTime())).infer(asked, rng=stream(0, "none"))


def test_who_has_not_practised_is_not_certain_of_numbers():
    alone = table(1)
    guess = registry.make("attacks", "ensemble", {"attacks": ["nearest-neighbour"]}).infer(
        view(alone, table(5, seed=1)), rng=stream(0, "alone")
    )
    assert guess.answers["wage"] == pytest.approx(np.full(5, alone["wage"][0]))
    assert guess.spread["wage"] == pytest.approx(np.full(5, 100 / np.sqrt(12)))


def test_a_single_attack_is_calibrated():
    """The nearest of unrelated rows is always sure of itself, and right by chance."""
    train, people = table(1000), table(1000, seed=1)
    sure = registry.make("attacks", "nearest-neighbour", {}).infer(view(train, people), rng=stream(0))
    calm = registry.make("attacks", "ensemble", {"attacks": ["nearest-neighbour"]}).infer(
        view(train, people), rng=stream(0)
    )
    assert sure.answers["secret"].max(axis=1).mean() > 0.99
    assert calm.answers["secret"].max(axis=1).mean() < 0.4


def test_a_mechanism_that_does_nothing_to_altered_rows_is_not_rehearsed():
    train = table(400)
    defense = registry.make("defenses", "microaggregation", {"columns": ("x",)})
    release = defense.release(train.with_schema(SCHEMA), rng=stream(0, "twice"))
    asked = view(train, train.take(np.arange(5)), defense, release=release)
    assert len(practise(asked, targets=50, time_limit=10, rng=stream(0, "twice"))) == 2
