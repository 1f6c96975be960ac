"""A collection as a whole: what its allocations spend, estimate and leave to learn from, whatever the protocol."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

from privbench import registry
from privbench.errors import DoesNotApplyError, InputError
from privbench.marginals import variance_of_shares
from privbench.oracles import FakedOracle, FrequencyOracle, NumericOracle
from privbench.reports import Together
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table
from tests.people import SCHEMA, people

PROTOCOLS = ("grr", "sue", "oue", "ss", "blh", "olh", "the")
SPLITS = ("uniform", "k-based", "optimal")
ALLOCATIONS = (*SPLITS, "sampled", "combined", "rs+fd", "rs+rfd")
COLUMNS = ("grade", "work", "ill")
TOGETHER = {"combined": Together.JOINT, "rs+fd": Together.ONE_GENUINE, "rs+rfd": Together.ONE_GENUINE}
PAIRS = [(a, p) for a in ALLOCATIONS for p in PROTOCOLS if a != "combined" or p == "grr"]


def train(records=4000):
    table = people(records, 1).records
    return table.with_schema(SCHEMA.with_secrets(COLUMNS))


def collect(*, seed=0, table=None, **params):
    made = registry.make("defenses", "ldp", params)
    return made.release(train() if table is None else table, rng=stream(seed, "collect"))


@pytest.mark.parametrize(("allocation", "protocol"), PAIRS)
@pytest.mark.parametrize("epsilon", [0.5, 3.0])
def test_estimates_are_unbiased_within_their_stated_error(allocation, protocol, epsilon):
    table = train()
    release = collect(allocation=allocation, protocol=protocol, epsilon=epsilon, table=table)
    assert release.together == TOGETHER.get(allocation, Together.INDEPENDENT)
    for name in COLUMNS:
        error = (release.estimate(name) - table.marginal(name)) / np.sqrt(variance_of_shares(release, name))
        assert np.abs(error).max() < 4
        assert release.marginal(name).sum() == pytest.approx(1)
        assert (release.marginal(name) >= 0).all()


@pytest.mark.parametrize(("allocation", "protocol"), PAIRS)
def test_a_release_survives_a_pickle_and_is_fixed_by_its_seed(allocation, protocol):
    first, again, other = (collect(allocation=allocation, protocol=protocol, seed=seed) for seed in (1, 1, 2))
    copy = pickle.loads(pickle.dumps(first))
    for one, two, three, kept in zip(first.reported, again.reported, other.reported, copy.reported, strict=True):
        assert np.array_equal(one.reports, two.reports)
        assert np.array_equal(one.reports, kept.reports)
        assert not np.array_equal(one.reports, three.reports)
        assert kept.oracle == one.oracle


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("allocation", SPLITS)
@pytest.mark.parametrize("epsilon", [1e-3, 0.7, 5.0, 50.0, 200.0])
def test_split_budgets_sum_to_epsilon_and_never_above(protocol, allocation, epsilon):
    release = collect(allocation=allocation, protocol=protocol, epsilon=epsilon, table=train(20))
    spent = math.fsum(one.oracle.epsilon for one in release.reported)
    assert epsilon * (1 - 1e-12) <= spent <= epsilon
    assert release.claim.epsilon == epsilon


def test_custom_budgets_reach_their_columns():
    budgets = {"ill": 0.5, "grade": 1.25, "work": 0.25}
    release = collect(allocation="custom", budgets=budgets, epsilon=2)
    assert "epsilon is split over the columns: grade 1.25, work 0.25, ill 0.5" in release.claim.assumes
    for name, budget in budgets.items():
        assert release.of(name)[0].oracle.epsilon == pytest.approx(budget, rel=1e-12)


@pytest.mark.parametrize("objective", ["variance", "success"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_optimal_is_no_worse_than_the_other_splits(protocol, objective):
    def worth(allocation):
        extra = {"objective": objective} if allocation == "optimal" else {}
        release = collect(allocation=allocation, protocol=protocol, epsilon=2, table=train(20), **extra)
        found = []
        for one in release.reported:
            even = np.full(one.column.size, 1 / one.column.size)
            found.append(
                one.oracle.variance(even, reports=1).sum() if objective == "variance" else one.oracle.success(even)
            )
        return sum(found) if objective == "variance" else max(found)

    assert worth("optimal") <= min(worth("uniform"), worth("k-based")) * (1 + 1e-9)


@pytest.mark.parametrize("protocol", ["grr", "oue"])
def test_every_person_answers_one_column_of_a_sample(protocol):
    release = collect(allocation="sampled", protocol=protocol, epsilon=2)
    asked = np.concatenate([one.people for one in release.reported])
    assert np.array_equal(np.sort(asked), np.arange(4000))
    assert release.claim.epsilon == 2
    features = release.features(["ill"])
    absent = np.setdiff1d(np.arange(4000), release.of("ill")[0].people)
    assert not features[absent].any()
    shares = release.features(["ill"], encoding="debiased")[absent]
    np.testing.assert_allclose(shares, np.tile(release.estimate("ill"), (len(absent), 1)), atol=1e-5)
    likelihood = release.log_likelihood("ill", absent)
    assert not likelihood.any()
    # one who answered may have sent no bit or every bit, which says nothing
    assert release.log_likelihood("ill", release.of("ill")[0].people).any(axis=1).mean() > 0.5


@pytest.mark.parametrize("allocation", ["rs+fd", "rs+rfd"])
def test_fakes_claim_what_a_whole_record_loses(allocation):
    release = collect(allocation=allocation, protocol="grr", epsilon=1)
    amplified = math.log(3 * (math.e - 1) + 1)
    assert release.claim.epsilon == pytest.approx(amplified if allocation == "rs+fd" else release.claim.epsilon)
    assert release.claim.epsilon > 1.7
    assert any("single column" in said for said in release.claim.assumes)
    plain = collect(allocation="rs+fd", protocol="grr", epsilon=1, amplify=False)
    assert plain.claim.epsilon == pytest.approx(1)
    assert all(isinstance(one.oracle, FakedOracle) for one in release.reported)


def test_several_surveys_ask_for_every_column_and_pay_each():
    release = collect(surveys=3, asked=2, epsilon=0.5)
    assert release.claim.epsilon == pytest.approx(1.5)
    assert [len(survey) for survey in release.surveys] == [2, 2, 2]
    assert {one.column.name for one in release.reported} == set(COLUMNS)
    twice = collect(surveys=2, epsilon=2.0)
    assert [len(twice.of(name)) for name in COLUMNS] == [2, 2, 2]
    rows = np.arange(5)
    one, two = (each.oracle.log_likelihood(each.reports[rows]) for each in twice.of("ill"))
    np.testing.assert_allclose(twice.log_likelihood("ill", rows), one + two)
    alone = twice.of("ill")[0]
    assert variance_of_shares(twice, "ill").sum() < alone.oracle.variance(twice.estimate("ill"), reports=4000).sum()


@pytest.mark.parametrize("protocol", ["grr", "sue", "oue"])
def test_rounds_add_up_unless_they_are_memoised(protocol):
    table = train()
    fresh = collect(protocol=protocol, rounds=5, epsilon=1, table=table)
    assert fresh.claim.epsilon == pytest.approx(5)
    kept = collect(protocol=protocol, rounds=5, epsilon=3, memoise=True, first_share=0.3, table=table)
    spent = math.fsum(one.oracle.epsilon_of(5) for one in kept.reported)
    assert 0.3 * 3 < spent < 3
    assert kept.claim.epsilon == pytest.approx(spent, rel=1e-12)
    assert any("do not change" in said for said in kept.claim.assumes)
    assert any("further rounds it is at most 3 in total" in said for said in kept.claim.assumes)
    for release in (fresh, kept):
        for name in COLUMNS:
            assert isinstance(release.of(name)[0].oracle, FrequencyOracle)
            error = (release.estimate(name) - table.marginal(name)) / np.sqrt(variance_of_shares(release, name))
            assert np.abs(error).max() < 4
        assert release.features(["ill"]).shape == (4000, 3)


@pytest.mark.parametrize("protocol", ["grr", "sue", "oue"])
def test_a_memoised_claim_is_what_its_rounds_spent(protocol):
    def claim(**params):
        given = {"rounds": 3, "epsilon": 1.2, "memoise": True, "first_share": 0.3, "table": train(50), **params}
        return collect(protocol=protocol, **given)

    # from what one round spends towards the bound, which many rounds reach and never exceed
    few, more, many = (claim(rounds=rounds).claim.epsilon for rounds in (2, 5, 1000))
    assert 0.3 * 1.2 < few < more < many <= 1.2
    assert many == pytest.approx(1.2)
    one = claim(allocation="sampled")
    assert one.claim.epsilon == max(own.oracle.epsilon_of(3) for own in one.reported)
    thrice = claim(surveys=3)
    assert thrice.claim.epsilon == pytest.approx(3 * claim().claim.epsilon, rel=1e-12)
    assert any("at most 3.6 in total" in said for said in thrice.claim.assumes)


@pytest.mark.parametrize("params", [{"rounds": 3, "memoise": True}, {"allocation": "rs+fd"}, {"allocation": "rs+rfd"}])
def test_columns_of_one_value_spend_nothing_and_claim_the_bound(params):
    columns = tuple(Column(name, Kind.CATEGORICAL, ("only",)) for name in "ab")
    table = Table(Schema(columns, secrets=("a", "b")), {name: np.zeros(9, dtype=int) for name in "ab"})
    release = collect(epsilon=2, table=table, **{"amplify": False, **params} if "allocation" in params else params)
    assert release.claim.epsilon == 2
    assert release.estimate("a") == pytest.approx([1.0])


EXTREME = [
    *({"allocation": a, "protocol": p} for a, p in PAIRS),
    *({"allocation": "optimal", "objective": "success", "protocol": p} for p in PROTOCOLS),
    *({"protocol": p, "rounds": 4} for p in PROTOCOLS),
    *({"protocol": p, "rounds": 4, "memoise": True, "first_share": s} for p in ("grr", "sue") for s in (0.001, 0.999)),
    *({"protocol": "oue", "rounds": 4, "memoise": True, "first_share": share} for share in (0.001, 0.5)),
    {"allocation": "rs+fd", "surveys": 5},
    {"allocation": "rs+rfd", "priors": {"ill": (1e-300, 0.5, 0.5)}},
    *({"numeric": numeric, "columns": ("wage", "ill")} for numeric in ("duchi", "piecewise", "hybrid", "square-wave")),
]


@pytest.mark.parametrize("params", EXTREME, ids=lambda given: " ".join(map(str, given.values())))
@pytest.mark.parametrize("epsilon", [1e-6, 500.0])
def test_the_least_and_the_most_budget_are_computed_with(params, epsilon):
    release = collect(epsilon=epsilon, table=train(300), **params)
    assert epsilon * 1e-9 < release.claim.epsilon < math.inf
    for name in {one.column.name for one in release.reported}:
        assert np.isfinite(release.features([name], encoding="debiased")).all()
        numbers = release.schema[name].discrete
        likelihood = release.log_likelihood(name, np.arange(300), None if numbers else np.linspace(0, 100, 7))
        assert np.isfinite(likelihood.max(axis=1)).all()
        if numbers:
            assert np.isfinite(release.estimate(name)).all()
            assert (variance_of_shares(release, name) >= 0).all()
            assert release.marginal(name).sum() == pytest.approx(1)


@pytest.mark.parametrize("numeric", ["duchi", "piecewise", "hybrid", "square-wave"])
@pytest.mark.parametrize("allocation", ["uniform", "sampled"])
def test_continuous_columns_are_randomised_within_their_bounds(numeric, allocation):
    table = people(6000, 1).records.with_schema(SCHEMA.with_secrets(["wage", "ill"]))
    release = collect(numeric=numeric, allocation=allocation, epsilon=2, table=table)
    (own,) = release.of("wage")
    assert isinstance(own.oracle, NumericOracle)
    people_asked = slice(None) if own.people is None else own.people
    error = math.sqrt(own.oracle.variance(table["wage"][people_asked]).mean() / len(own.reports))
    drawn = table["wage"].std() / math.sqrt(len(own.reports))
    assert abs(release.mean("wage") - table["wage"].mean()) < 4 * math.hypot(error, drawn)
    assert release.features(["wage", "ill"]).shape == (6000, 4)
    assert release.encode(table, ["wage", "ill"]).shape == (6000, 4)
    at = np.linspace(0, 100, 11)
    assert release.log_likelihood("wage", np.arange(7), at).shape == (7, 11)
    with pytest.raises(InputError, match="candidate"):
        release.log_likelihood("wage", np.arange(7))


@pytest.mark.parametrize("encoding", ["support", "debiased"])
def test_debiased_features_have_the_indicators_as_their_mean(encoding):
    table = train(20_000)
    release = collect(protocol="oue", epsilon=3, table=table)
    mean = np.array([release.features(["ill"], encoding=encoding)[table["ill"] == v].mean(axis=0) for v in range(3)])
    if encoding == "debiased":
        assert np.abs(mean - np.eye(3)).max() < 0.1
    else:
        assert (mean[~np.eye(3, dtype=bool)] > 0.2).all()


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"allocation": "combined", "protocol": "oue"}, "grr"),
        ({"allocation": "custom"}, "budgets"),
        ({"allocation": "custom", "budgets": {"ill": 1.0}}, "no budget for 'grade', 'work'"),
        ({"allocation": "custom", "budgets": {"ill": 0.3, "grade": 0.3, "work": 0.3}}, "sum to 0.9"),
        ({"budgets": {"ill": 1.0}}, "allocation custom"),
        ({"fakes": "zero"}, "allocation rs\\+fd"),
        ({"allocation": "rs+fd", "fakes": "zero"}, "allowed for this protocol: uniform"),
        ({"allocation": "rs+rfd", "priors": {"ill": (0.5, 0.5, 0.0)}}, "value 2 is 0"),
        ({"allocation": "rs+rfd", "priors": {"ill": (0.5, 0.5)}}, "prior must be 3"),
        ({"allocation": "combined", "rounds": 2}, "no rounds"),
        ({"protocol": "olh", "memoise": True, "rounds": 2}, "memoise is for grr"),
        ({"memoise": True, "rounds": 2, "first_share": 1.0}, "first_share"),
        ({"surveys": 0}, "numbers from 1"),
        ({"surveys": 1, "asked": 2}, "cannot ask for each of 3"),
        ({"surveys": 2, "asked": 4}, "asked to a number from 2 to 3"),
        ({"surveys": 2, "asked": 1}, "set asked to a number from 2 to 3"),
        ({"surveys": 1, "asked": 1}, "set asked to 3$"),
        ({"surveys": 1, "asked": 2, "columns": ("ill",)}, "set asked to 1$"),
        ({"memoise": True}, "one round only adds noise"),
        ({"memoise": True, "rounds": 2, "first_share": 1e-9}, "from 0.001 to 0.999"),
        ({"first_share": 0.3}, "first_share belongs to memoise"),
        ({"rounds": 3, "first_share": 0.3}, "first_share belongs to memoise"),
        ({"objective": "success"}, "objective belongs to allocation optimal"),
        ({"allocation": "k-based", "objective": "success"}, "objective belongs to allocation optimal"),
        ({"amplify": False}, r"amplify belongs to allocations rs\+fd and rs\+rfd"),
        ({"allocation": "rs+rfd", "priors": {"il": (0.5, 0.3, 0.2)}}, "'il'; did you mean 'ill'"),
        ({"allocation": "rs+rfd", "priors": {"income": (0.5, 0.5)}}, "column in the priors 'income'"),
        ({"allocation": "custom", "budgets": {"ill": 1 - 2e-9, "grade": 1e-9, "work": 1e-9}}, "1e-09 for column"),
        ({"rounds": 0}, "numbers from 1"),
        ({"epsilon": 500.1}, "to 500.*got 500.1"),
        ({"epsilon": 1e308, "surveys": 3}, "to 500"),
        ({"epsilon": 1e-200}, "from 1e-06"),
        ({"epsilon": math.inf}, "positive"),
        ({"epsilon": -1}, "positive"),
        ({"epsilon": math.nan}, "positive"),
        ({"protocol": "grrr"}, "grr"),
        ({"columns": ("ill", "ill")}, "twice"),
    ],
)
def test_what_does_not_fit_is_one_sentence(params, said):
    with pytest.raises(InputError, match=said):
        collect(**params)


@pytest.mark.parametrize("params", [{"allocation": "k-based"}, {"allocation": "rs+fd"}, {"rounds": 2}])
def test_what_is_for_discrete_columns_does_not_apply_to_others(params):
    with pytest.raises(DoesNotApplyError, match="'wage' is continuous"):
        collect(columns=("ill", "wage"), **params)


def test_a_column_of_one_value_and_one_observed_value_are_no_trouble():
    table = Table(train(200).schema, {**train(200).arrays, "ill": np.zeros(200, dtype=int)})
    for allocation, protocol in PAIRS:
        release = collect(allocation=allocation, protocol=protocol, epsilon=200, table=table)
        assert release.marginal("ill")[0] > 0.6
        likelihood = release.log_likelihood("ill", np.arange(200))
        assert not np.isnan(likelihood).any()
        assert (likelihood.max(axis=1) < np.inf).all()


@pytest.mark.parametrize(
    "params",
    [
        {"allocation": "custom", "budgets": {"a": 0.3, "b": 0.3}},
        {"allocation": "rs+rfd", "priors": {"a": (0.5, 0.5, 0.0)}},
        {"allocation": "rs+rfd", "priors": {"a": (0.5, 0.4)}},
        {"allocation": "rs+rfd", "priors": {"a": (0.5, 0.5)}, "columns": ("b", "c")},
        {"allocation": "custom", "budgets": {"a": 0.5, "b": 0.5}, "columns": ("a", "c")},
        {"allocation": "custom", "budgets": {"a": 0.5, "b": 0.5}, "columns": ("a", "b", "c")},
        {"columns": ("a", "b", "c"), "asked": 1, "surveys": 2},
        {"columns": ()},
    ],
)
def test_what_is_wrong_whatever_the_data_is_refused_before_anything_runs(params):
    said = r"sum to 0.6|value 2 is 0|sum to 1|in the priors 'a'|in the budgets 'b'|no budget for 'c'|2 to 3|no column"
    with pytest.raises(InputError, match=said):
        registry.make("defenses", "ldp", {"epsilon": 1, **params})
