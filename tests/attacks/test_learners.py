"""Attacks that learn from released rows: what they find, and what they do with rows that say little."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from privbench import registry
from privbench.contracts import View
from privbench.errors import InputError
from privbench.release import AlteredRows, SyntheticTable
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table

LEARNERS = ("lightgbm", "logistic-regression", "mlp", "naive-bayes", "random-forest", "estimator")
OTHERS = ("belief-propagation", "cap", "closest-record", "ensemble", "nearest-neighbour")
SCHEMA = Schema(
    (
        Column("group", Kind.CATEGORICAL, ("a", "b", "c", "never")),
        Column("size", Kind.ORDINAL, (1, 2, 3, None)),
        Column("x", Kind.CONTINUOUS, low=0.0, high=10.0),
        Column("secret", Kind.CATEGORICAL, ("no", "yes", "unseen")),
        Column("wage", Kind.CONTINUOUS, low=100.0, high=300.0),
    ),
    secrets=("secret", "wage"),
)


def attack(name, **params):
    if name == "estimator":
        trees = {"classifier": "sklearn.tree:DecisionTreeClassifier", "regressor": "sklearn.tree:DecisionTreeRegressor"}
        params = {**trees, "options": {"min_samples_leaf": 5}, **params}
    return registry.make("attacks", name, params)


def records(n, seed=0) -> Table:
    """Return people whose secret is told by their group and number, and whose wage by the number."""
    rng = stream(seed, "learners")
    group, size, x = rng.integers(3, size=n), rng.integers(4, size=n), rng.uniform(0, 10, size=n)
    secret = ((group == 0) ^ (rng.random(n) < 0.05)).astype(int)
    wage = 100 + 20 * x * (1 + 0 * size)
    return Table(SCHEMA, {"group": group, "size": size, "x": x, "secret": secret, "wage": wage})


def view(
    train: Table, people: Table, *, secrets=("secret", "wage"), known=("group", "size", "x"), release=None
) -> View:
    made = release or SyntheticTable(train, len(train))
    return View(made, people.select(known), tuple(SCHEMA[name] for name in secrets))


@pytest.mark.parametrize("name", [*LEARNERS, *OTHERS])
def test_what_the_known_columns_tell_is_found(name):
    train, people = records(3000), records(400, seed=1)
    params = {"epochs": 60} if name == "mlp" else {"bins": 10} if name == "cap" else {}
    guess = attack(name, **params).infer(view(train, people), rng=stream(0, name))
    right = (guess.answers["secret"].argmax(axis=1) == people["secret"]).mean()
    assert right > 0.85
    assert (guess.answers["secret"][:, 2] < 0.02).all()  # nobody has it
    missed = np.abs(guess.answers["wage"] - people["wage"]).mean()
    assert missed < 0.25 * np.abs(people["wage"] - np.median(people["wage"])).mean()
    assert (guess.spread["wage"] >= 0).all()


@pytest.mark.parametrize("name", ["mlp", "logistic-regression"])
def test_an_answer_does_not_depend_on_who_stands_beside(name):
    """To the last digits of double precision: a product of matrices adds up in another order for another batch."""
    train, people = records(400), records(33, seed=1)
    together = attack(name).infer(view(train, people), rng=stream(0, name)).answers
    for person in range(0, 33, 8):
        alone = attack(name).infer(view(train, people.take(np.array([person]))), rng=stream(0, name)).answers
        for secret, answer in alone.items():
            np.testing.assert_allclose(answer[0], together[secret][person], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", [*LEARNERS, *OTHERS])
class TestOddReleases:
    def ask(self, name, rows, people, **how):
        asked = view(rows, people, **how)
        assert attack(name).skip(asked) is None
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            guess = attack(name).infer(asked, rng=stream(0, name))
        guess.check(asked)
        return guess

    def test_a_constant_secret(self, name):
        train = records(200).replace({"secret": np.ones(200, dtype=int), "wage": np.full(200, 150.0)})
        guess = self.ask(name, train, records(20, seed=1))
        assert (guess.answers["secret"].argmax(axis=1) == 1).all()
        assert np.allclose(guess.answers["wage"], 150, atol=6)

    def test_one_row(self, name):
        self.ask(name, records(1), records(20, seed=1))

    def test_nothing_known(self, name):
        rows, people = records(300), records(20, seed=1)
        if name == "closest-record":
            assert "none is known" in attack(name).skip(view(rows, people, known=()))
        else:
            guess = self.ask(name, rows, people, known=())
            assert np.ptp(guess.answers["secret"], axis=0).max() < 1e-6

    def test_a_category_never_released_and_a_column_all_missing(self, name):
        train = records(300).replace({"size": np.full(300, 3)})
        people = records(20, seed=1).replace({"group": np.full(20, 3)})
        self.ask(name, train, people)

    @pytest.mark.parametrize("lost", ["x", "secret"])
    def test_a_column_that_the_release_lacks(self, name, lost):
        train = records(100).without([lost])
        asked = view(train, records(5, seed=1), release=SyntheticTable(train, 100))
        assert f"no column '{lost}'" in attack(name).skip(asked)

    def test_a_secret_that_no_row_shows(self, name):
        train = records(100)
        release = AlteredRows(train, 100, altered=("secret",), suppressed={"secret": np.ones(100, bool)})
        assert "every cell of 'secret' is blank" in attack(name).skip(view(train, records(5, seed=1), release=release))

    def test_cells_left_blank_are_not_learnt_from(self, name):
        train = records(600)
        blank = np.arange(600) % 2 == 0
        # a placeholder stands where a cell is blank, and it would mislead
        filled = train.replace({"secret": np.where(blank, 2, train["secret"])})
        release = AlteredRows(filled, 600, altered=("secret",), suppressed={"secret": blank})
        guess = self.ask(name, filled, records(50, seed=1), secrets=("secret",), release=release)
        assert guess.answers["secret"][:, 2].max() < 0.02


def test_matching_drops_the_column_that_tells_least():
    train = records(2000)
    people = records(100, seed=1)
    # nobody's number is released to the last digit: only by leaving it out can anything be matched
    guess = attack("cap").infer(view(train, people, secrets=("secret",)), rng=stream(0))
    for place in range(100):
        same = (train["group"] == people["group"][place]) & (train["size"] == people["size"][place])
        shares = np.bincount(train["secret"][same], minlength=3) / same.sum()
        np.testing.assert_allclose(guess.answers["secret"][place], shares)


def test_matching_takes_all_columns_where_a_row_has_them():
    train = records(500)
    guess = attack("cap").infer(view(train, train), rng=stream(0))
    assert (guess.answers["secret"].argmax(axis=1) == train["secret"]).all()
    np.testing.assert_allclose(guess.answers["wage"], train["wage"])


def test_the_closest_record_counts_the_more_the_closer_it_is():
    train = records(2).replace(
        {"group": np.zeros(2, int), "size": np.zeros(2, int), "x": np.array([2.0, 8.0]), "secret": np.array([0, 1])}
    )
    people = records(3).replace({"group": np.zeros(3, int), "size": np.zeros(3, int), "x": np.array([2.0, 5.0, 7.0])})
    answer = attack("closest-record").infer(view(train, people, secrets=("secret",)), rng=stream(0)).answers["secret"]
    scale = np.mean([0.0, 0.3, 0.1])
    odds = np.exp(np.array([0.6, 0.0, -0.4]) / scale)
    np.testing.assert_allclose(answer[:, 0] / answer[:, 1], odds)


def test_weights_favour_the_nearer_of_several_neighbours():
    train = records(2).replace(
        {"group": np.zeros(2, int), "size": np.zeros(2, int), "x": np.array([2.0, 8.0]), "secret": np.array([0, 1])}
    )
    people = records(2).replace({"group": np.zeros(2, int), "size": np.zeros(2, int), "x": np.array([4.0, 2.0])})
    asked = view(train, people, secrets=("secret",))
    even = attack("nearest-neighbour", neighbours=2).infer(asked, rng=stream(0)).answers["secret"]
    np.testing.assert_allclose(even[:, :2], 0.5)
    weighted = attack("nearest-neighbour", neighbours=2, weighted=True).infer(asked, rng=stream(0)).answers["secret"]
    np.testing.assert_allclose(weighted[:, :2], [[2 / 3, 1 / 3], [1, 0]])


@pytest.mark.parametrize(
    ("name", "bad", "said"),
    [
        ("estimator", {"classifier": "", "regressor": ""}, "a classifier or a regressor is needed"),
        ("naive-bayes", {"smoothing": 0}, "smoothing positive"),
        ("mlp", {"hidden": ()}, "at least 1"),
        ("mlp", {"learning_rate": 0}, "must be positive"),
        ("lightgbm", {"leaves": 1}, "leaves at least 2"),
        ("logistic-regression", {"inverse_penalty": 0}, "must be positive"),
        ("closest-record", {"scale": 0}, "positive or None"),
        ("cap", {"bins": 0}, "at least 1"),
    ],
)
def test_bad_settings_are_one_sentence(name, bad, said):
    with pytest.raises(InputError, match=said):
        attack(name, **bad)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"classifier": "sklearn.tree:NoSuch"}, "unknown name"),
        ({"classifier": "json:loads"}, "is no estimator"),
        ({"options": {"no_such": 1}}, "does not take these options"),
    ],
)
def test_an_estimator_that_cannot_be_is_one_sentence(how, said):
    with pytest.raises(InputError, match=said):
        attack("estimator", **how).infer(view(records(50), records(5)), rng=stream(0))


def test_boosting_ends_where_there_is_nothing_to_learn():
    train, people = records(2000), records(2000, seed=1)
    noise = [stream(seed, "noise").integers(3, size=2000) for seed in (0, 1)]
    guess = attack("lightgbm").infer(view(train.replace({"secret": noise[0]}), people), rng=stream(0))
    brier = np.square(guess.answers["secret"] - np.eye(3)[noise[1]]).sum(axis=1).mean()
    assert brier < 2 / 3 + 0.03  # that of equal probabilities


def test_a_secret_of_many_values_is_learnt_in_cells():
    schema = Schema((SCHEMA["x"], Column("code", Kind.ORDINAL, tuple(range(2000)))), secrets=("code",))
    rng = stream(0, "many")
    x = rng.uniform(0, 10, size=3000)
    code = np.clip((x * 200).astype(int) + rng.integers(-3, 4, size=3000), 0, 1999)
    train = Table(schema, {"x": x, "code": code})
    asked = View(SyntheticTable(train, 3000), train.take(np.arange(300)).select(["x"]), (schema["code"],))
    for name in ("random-forest", "lightgbm", "logistic-regression"):
        answer = attack(name).infer(asked, rng=stream(0, name)).answers["code"]
        middle = answer @ np.arange(2000)
        assert np.abs(middle - code[:300]).mean() < (60 if name != "logistic-regression" else 200), name
