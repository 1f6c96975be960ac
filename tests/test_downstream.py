"""Downstream models: what they learn from reports, from tables, and from odd releases."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import CategoricalNB

from defenses.ldp.collection import Collection
from defenses.ldp.duchi import Duchi
from defenses.ldp.grr import Grr
from defenses.ldp.piecewise import Piecewise
from privbench.datasets import adult
from privbench.downstream import MODELS, check_label, models, predict
from privbench.downstream.calibration import calibrated_features
from privbench.errors import InputError
from privbench.release import SyntheticTable
from privbench.reported_column import ReportedColumn
from privbench.reports import Reports
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.scorers import score_downstream
from privbench.table import Table
from tests.people import people

DEBIASED = ("debiased-logistic-regression", "debiased-naive-bayes")
COLUMNS = (
    Column("a", Kind.CATEGORICAL, ("x", "y", "z")),
    Column("b", Kind.CATEGORICAL, ("u", "v")),
    Column("c", Kind.CATEGORICAL, ("r", "s")),
    Column("label", Kind.CATEGORICAL, ("no", "yes")),
)
SCHEMA = Schema(COLUMNS, secrets=("a", "b"), label="label", positive="yes")
ALL = np.stack(np.meshgrid(range(3), range(2), range(2), indexing="ij"), axis=-1).reshape(-1, 3)
EFFECTS = (np.array([0.0, 0.8, -0.6]), np.array([0.0, 0.7]), np.array([0.0, 0.5]))


def columns(codes, label=0):
    return Table(
        SCHEMA,
        {**{column.name: codes[:, place] for place, column in enumerate(COLUMNS[:3])},
         "label": np.broadcast_to(label, len(codes))},
    )  # fmt: skip


CLEAN = columns(ALL)


def logistic(n, *, rng):
    """Draw records whose label is logistic in the columns, which hang together."""
    c = rng.random(n) < 0.4
    b = rng.random(n) < np.where(c, 0.6, 0.3)
    a = (rng.random((n, 1)) > np.array([[0.6, 0.8], [0.2, 0.5]])[b.astype(int)]).sum(axis=1)
    codes = np.stack([a, b, c], axis=1).astype(int)
    odds = -0.8 + sum(effect[codes[:, place]] for place, effect in enumerate(EFFECTS))
    return columns(codes, (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(int))


def independent(n, *, rng):
    """Draw records whose columns are independent in each class; return them and the log odds of all records."""
    label = (rng.random(n) < 0.3).astype(int)
    shares = ([[0.5, 0.3, 0.2], [0.2, 0.3, 0.5]], [[0.7, 0.3], [0.4, 0.6]], [[0.6, 0.4], [0.5, 0.5]])
    codes = np.stack(
        [(rng.random((n, 1)) > np.cumsum(share, axis=1)[label][:, :-1]).sum(axis=1) for share in shares], axis=1
    )
    odds = np.log(0.3 / 0.7) + sum(np.log(np.array(s)[1] / np.array(s)[0])[ALL[:, j]] for j, s in enumerate(shares))
    return columns(codes, label), odds


def log_odds(model, release):
    probability = predict(model, release, CLEAN, label="label", seed=0)
    assert probability.sum(axis=1) == pytest.approx(1)
    return np.log(probability[:, 1] / probability[:, 0])


def effects(odds):
    """Return the differences in log odds that a's and b's values make, the rest alike."""
    cube = odds.reshape(3, 2, 2)
    return np.array([*(cube[1:] - cube[0]).mean(axis=(1, 2)), (cube[:, 1] - cube[:, 0]).mean()])


TRUE = np.array([0.8, -0.6, 0.7])


@pytest.mark.parametrize(
    "collection",
    [
        pytest.param(Collection(epsilon=2.0), id="uniform"),
        pytest.param(Collection(epsilon=2.0, protocol="oue"), id="oue"),
        pytest.param(Collection(epsilon=2.0, allocation="combined"), id="combined"),
    ],
)
def test_logistic_regression_on_reports_is_attenuated_and_the_debiased_one_is_not(collection):
    error = {}
    for n in (20_000, 300_000):
        train = logistic(n, rng=stream(0, "logistic", str(n)))
        release = collection.release(train, rng=stream(1, "logistic", str(n)))
        for model in ("logistic-regression", "debiased-logistic-regression"):
            error[model, n] = np.abs(effects(log_odds(model, release)) - TRUE).mean()
    assert error["debiased-logistic-regression", 300_000] < 0.08
    assert error["logistic-regression", 300_000] > 3 * error["debiased-logistic-regression", 300_000]
    assert error["logistic-regression", 300_000] > 0.7 * error["logistic-regression", 20_000]  # no matter how many


@pytest.mark.parametrize("allocation", ["sampled", "rs+fd"])
def test_with_one_column_a_person_it_is_still_nearer_than_bits(allocation):
    """How the randomised columns hang together is not in such reports, so the effects of each are not identified."""
    train = logistic(300_000, rng=stream(0, "sampled"))
    release = Collection(epsilon=2.0, allocation=allocation).release(train, rng=stream(1, "sampled"))
    error = {model: np.abs(effects(log_odds(model, release)) - TRUE).mean() for model in MODELS if "logis" in model}
    assert error["debiased-logistic-regression"] < 0.8 * error["logistic-regression"]


@pytest.mark.parametrize("epsilon", [0.2, 1.0])
@pytest.mark.parametrize("allocation", ["uniform", "sampled", "rs+fd"])
def test_debiased_naive_bayes_nears_the_truth_at_any_epsilon(epsilon, allocation):
    error = {}
    sizes = (10_000, 1_000_000)
    for n in sizes:
        train, odds = independent(n, rng=stream(0, "nb", str(n)))
        collection = Collection(epsilon=epsilon, allocation=allocation)
        found = [
            np.abs(log_odds("debiased-naive-bayes", collection.release(train, rng=stream(seed, "nb", str(n)))) - odds)
            for seed in range(3)
        ]
        error[n] = np.mean(found)
    assert error[sizes[1]] < error[sizes[0]] / 3
    if epsilon == 1:
        assert error[sizes[1]] < 0.1
        assert (
            np.abs(log_odds("logistic-regression", collection.release(train, rng=stream(0, "bits"))) - odds).mean()
            > 0.15
        )


def test_on_a_table_naive_bayes_is_the_ordinary_one():
    train, _ = independent(500, rng=stream(0, "table"))
    ours = predict("debiased-naive-bayes", SyntheticTable(train, 500), CLEAN, label="label", seed=0)
    known = np.stack([train[name] for name in "abc"], axis=1)
    theirs = CategoricalNB(alpha=0.5, min_categories=[3, 2, 2]).fit(known, train["label"])
    assert ours == pytest.approx(theirs.predict_proba(ALL))


def test_on_a_table_logistic_regression_is_the_ordinary_one():
    release = SyntheticTable(logistic(2000, rng=stream(0, "table")), 2000)
    assert log_odds("debiased-logistic-regression", release) == pytest.approx(
        log_odds("logistic-regression", release), abs=1e-3
    )


def test_a_column_of_no_budget_does_not_drown_another_one():
    train = logistic(50_000, rng=stream(0, "drown"))
    release = Collection(epsilon=3.00001, allocation="custom", budgets={"a": 3.0, "b": 0.00001}).release(
        train, rng=stream(1, "drown")
    )
    found = effects(log_odds("debiased-logistic-regression", release))
    alone = Collection(epsilon=3.0, columns=("a",)).release(train.without(["b"]), rng=stream(1, "drown"))
    records = CLEAN.without(["b"])
    probability = predict("debiased-logistic-regression", alone, records, label="label", seed=0)
    expected = np.log(probability[:, 1] / probability[:, 0]).reshape(3, 4).mean(axis=1)
    assert found[:2] == pytest.approx(expected[1:] - expected[0], abs=0.1)


@pytest.mark.parametrize("model", DEBIASED)
def test_reports_with_hardly_any_noise_are_as_good_as_the_records(model):
    train = logistic(20_000, rng=stream(0, "clear"))
    release = Collection(epsilon=60.0).release(train, rng=stream(1, "clear"))
    clear = log_odds(model, SyntheticTable(train, len(train)))
    assert log_odds(model, release) == pytest.approx(clear, abs=0.02)


NUMBERS = Schema(
    (Column("age", Kind.CONTINUOUS, low=20, high=80), COLUMNS[2], COLUMNS[3]), label="label", positive="yes"
)


def numbers(n, mechanism, *, rng):
    """Draw records in which age moves the log odds by 2 from 35 to 65, and randomise it."""
    c = rng.integers(0, 2, n)
    age = np.clip(rng.normal(50 + 5 * c, 12, n), 20, 80)
    label = (rng.random(n) < 1 / (1 + np.exp(-(age - 50) / 15 + 0.5 * c))).astype(int)
    train = Table(NUMBERS, {"age": age, "c": c, "label": label})
    oracle = mechanism(20.0, 80.0, 2.0)
    one = ReportedColumn(NUMBERS["age"], oracle, oracle.randomise(age, rng=rng))
    return Reports(NUMBERS, train.without(["age"]), (one,), n, None)


@pytest.mark.parametrize("model", DEBIASED)
def test_a_randomised_number_is_learnt_without_attenuation(model):
    asked = Table(NUMBERS, {"age": np.array([35.0, 65.0]), "c": np.zeros(2, int), "label": np.zeros(2, int)})

    def slope(model, mechanism):
        release = numbers(100_000, mechanism, rng=stream(0, "numbers"))
        odds = np.log(predict(model, release, asked, label="label", seed=0)[:, 1])
        return float(np.diff(odds - np.log(predict(model, release, asked, label="label", seed=0)[:, 0]))[0])

    assert slope(model, Piecewise) == pytest.approx(2, abs=0.35)
    assert slope("logistic-regression", Piecewise) < 1.2
    # Duchi's bit tells nothing of the variance: numbers spread evenly are assumed, which are more than these
    assert 0.8 < slope(model, Duchi) < 2.35


@pytest.mark.parametrize("model", DEBIASED)
def test_odd_releases(model):
    """No clear column, a column of one value, a column that nobody was asked, and a single person."""
    train = logistic(300, rng=stream(0, "odd"))
    single = Column("one", Kind.CATEGORICAL, ("only",))
    schema = Schema((*COLUMNS[:2], single, COLUMNS[3]), label="label", positive="yes")

    def reported(column, codes, people=None):
        oracle = Grr(column.size, 1.0)
        codes = codes if people is None else codes[people]
        return ReportedColumn(column, oracle, oracle.randomise(codes, rng=stream(1, "odd", column.name)), people)

    for rows, asked in ((300, None), (300, np.arange(0, dtype=np.int64)), (2, None)):
        part = train.take(np.arange(rows))
        parts = (
            reported(COLUMNS[0], part["a"], asked),
            reported(COLUMNS[1], part["b"]),
            reported(single, np.zeros(rows, int)),
        )
        label = np.arange(rows) % 2 if rows == 2 else part["label"]
        clear = Table(schema.select(["label"]), {"label": label})
        records = Table(schema, {"a": ALL[:, 0], "b": ALL[:, 1], "one": ALL[:, 2] * 0, "label": ALL[:, 2]})
        release = Reports(schema, clear, parts, rows, None)
        probability = predict(model, release, records, label="label", seed=0)
        assert np.isfinite(probability).all()
        assert probability.sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize("model", MODELS)
def test_a_release_with_one_label_and_a_label_that_some_rows_lack(model):
    schema = Schema((*COLUMNS[:3], Column("label", Kind.CATEGORICAL, ("p", "q", "r"))), label="label", positive="p")
    train = logistic(200, rng=stream(0, "classes"))
    for shift in (0, 1):
        arrays = {**train.arrays, "label": train["label"] * 2 if shift else np.full(200, 2)}
        release = SyntheticTable(Table(schema, arrays), 200)
        probability = predict(model, release, Table(schema, CLEAN.arrays), label="label", seed=0)
        assert probability.shape == (12, 3)
        assert probability.sum(axis=1) == pytest.approx(1)
        assert (probability[:, 1] == 0).all()


@pytest.mark.parametrize("model", MODELS)
def test_same_seed_same_answer_whatever_the_release(model):
    train = logistic(400, rng=stream(0, "same"))
    for release in (SyntheticTable(train, 400), Collection(epsilon=1.0).release(train, rng=stream(1, "same"))):
        one, other = (predict(model, release, CLEAN, label="label", seed=3) for _ in range(2))
        assert (one == other).all()


def test_expected_indicators_have_the_true_covariance_with_the_reports():
    """The defining property of the best linear prediction, for correlated columns: Cov(x - x^, D) = 0."""
    train = logistic(300_000, rng=stream(0, "best"))
    release = Collection(epsilon=3.0).release(train, rng=stream(1, "best"))
    known, _ = calibrated_features(release, CLEAN, ["a", "b", "c"])
    true = release.encode(train, ["a", "b"])
    debiased = release.features(["a", "b"], encoding="debiased").astype(float)
    left = (true - known[:, :5]) - (true - known[:, :5]).mean(axis=0)
    spread = debiased - debiased.mean(axis=0)
    error = left.T @ spread / len(left)
    assert np.abs(error).max() < 0.01
    # and it spreads less than the indicators, as it knows less
    assert (known[:, :5].std(axis=0) < 0.8 * true.std(axis=0)).all()


@pytest.mark.parametrize("numeric", ["duchi", "piecewise", "hybrid", "square-wave"])
@pytest.mark.parametrize("allocation", ["uniform", "sampled"])
@pytest.mark.parametrize("epsilon", [1e-6, 1e-3, 0.1])
def test_what_reports_let_one_expect_stays_possible_at_any_budget(numeric, allocation, epsilon):
    data = people(400, 50)
    train = data.records.with_schema(data.records.schema.with_secrets(["wage", "age", "ill"]))
    release = Collection(epsilon=epsilon, numeric=numeric, allocation=allocation).release(train, rng=stream(1, numeric))
    names = [name for name in train.schema.names if name != "income"]
    randomised = calibrated_features(release, data.test, names)[0][:, :5]
    # indicators are within [0, 1] and numbers within [-1, 1]: a mean is, and a deviation is no larger
    assert np.abs(randomised.mean(axis=0)).max() <= 1 + 1e-6
    assert randomised.std(axis=0).max() < 2
    probability = predict("debiased-logistic-regression", release, data.test, label="income", seed=0)
    assert probability.sum(axis=1) == pytest.approx(1)


def test_a_solver_that_stops_early_is_no_warning(monkeypatch):
    def stopped(seed):
        return LogisticRegression(max_iter=1, random_state=seed)

    train, filters = logistic(300, rng=stream(0, "early")), list(warnings.filters)
    monkeypatch.setitem(MODELS, "stopped", models._on_features(stopped))
    with pytest.warns(ConvergenceWarning):
        stopped(0).fit(SyntheticTable(train, 300).features(["a", "b", "c"]), train["label"])
    assert np.isfinite(log_odds("stopped", SyntheticTable(train, 300))).all()
    assert warnings.filters == filters


def test_unknown_model_and_labels_that_cannot_be_learnt():
    train = logistic(50, rng=stream(0, "label"))
    with pytest.raises(InputError, match="debiased-naive-bayes"):
        predict("debiased-naive-bays", SyntheticTable(train, 50), CLEAN, label="label", seed=0)
    release = Collection(epsilon=1.0, columns=("label",)).release(train, rng=stream(0))
    assert "randomised" in str(check_label(release, "label"))
    assert check_label(SyntheticTable(train, 50), "label") is None


@pytest.mark.slow
def test_adult_at_epsilon_1():
    """Marital status, sex and race randomised; without `relationship`, which says the same in the clear."""
    data, found = adult.load(), {}
    train, test = (table.without(["relationship"]) for table in (data.records, data.test))
    collection = Collection(epsilon=1.0, columns=("marital-status", "sex", "race"))
    for seed in range(3):
        release = collection.release(train, rng=stream(seed, "adult"))
        for model in ("lightgbm", "logistic-regression", *DEBIASED):
            probability = predict(model, release, test, label="income", seed=seed)
            scores = {row.metric: row.value for row in score_downstream(test["income"], probability)}
            found.setdefault(model, []).append((scores["downstream_accuracy"], scores["downstream_auc"]))
    accuracy, area = np.array([np.mean(found[model], axis=0) for model in found]).T
    bits, plain, calibrated, bayes = area
    assert calibrated > plain + 0.02
    assert bayes > plain + 0.01
    assert abs(calibrated - bits) < 0.01
    assert accuracy[2] > accuracy[1] + 0.01
