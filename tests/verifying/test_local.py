"""Local claims: exact ratios of the channels stated, and sampling that finds where the code draws from another one."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from defenses.ldp.collection import Collection
from privbench.claim import Adjacency, Claim
from privbench.reports import Reports
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table
from privbench.verifying import local
from privbench.verifying.arms import arms_for
from privbench.verifying.crowd import fingerprints
from privbench.verifying.local import test_local as run_test
from privbench.verifying.stated import largest_log_ratio
from privbench.verifying.verification import Test as Found
from tests.defenses.ldp.channels import PROTOCOLS, channel
from tests.verifying.mechanisms import RACE, SEX, Response

FOUR = Schema((RACE,))
TWO = Schema((SEX, RACE))
AGE = Column("age", Kind.CONTINUOUS, low=0, high=100)


@pytest.fixture(autouse=True)
def fewer_people(monkeypatch):
    for name, people in (("_SHOWN", 3000), ("_SCREENED", 500), ("_LEARNT", 2000), ("_BOUND", 10_000)):
        monkeypatch.setattr(local, name, people)


def collected(defense, schema, people=6000):
    """Return the reports of people with every combination of values."""
    rng = stream(0, "everybody")
    arrays = {
        c.name: rng.integers(c.size, size=people) if c.discrete else rng.uniform(c.low, c.high, people)
        for c in schema.columns
    }
    release = defense.release(Table(schema.with_secrets(schema.names), arrays, people), rng=rng)
    assert isinstance(release, Reports)
    return release


def found_for(defense, schema=FOUR, *, runs=600, seed=0):
    arms, _ = arms_for(defense, schema, adjacency=Adjacency.LOCAL, seed=seed)
    return run_test(arms, defense, runs=runs, seed=seed, workers=1)


@pytest.mark.parametrize("kind", PROTOCOLS, ids=lambda kind: kind.__name__)
def test_the_exact_ratio_is_that_of_the_enumerated_channel(kind):
    """Against every output with its probability, worked out from the protocol's definition alone."""
    name = {"UnaryEncoding": "sue", "SubsetSelection": "ss"}.get(kind.__name__, kind.__name__.lower())
    outputs, _ = channel(kind(size=4, epsilon=1.3))
    ratio = np.log(outputs.max(axis=0) / outputs.min(axis=0)).max()
    assert largest_log_ratio(collected(Collection(1.3, protocol=name), FOUR)) == pytest.approx(ratio, rel=1e-9)


def test_randomised_response_has_exactly_epsilon():
    assert largest_log_ratio(collected(Response(0.7), FOUR)) == pytest.approx(0.7, rel=1e-12)


@pytest.mark.parametrize(
    "settings",
    [
        {"allocation": "uniform"},
        {"allocation": "k-based"},
        {"allocation": "combined"},
        {"allocation": "sampled"},
        {"allocation": "rs+fd"},
        {"allocation": "rs+fd", "protocol": "sue"},
        {"allocation": "rs+rfd", "protocol": "oue"},
        {"surveys": 3, "asked": 1},
        {"rounds": 2},
    ],
    ids=lambda settings: "-".join(map(str, settings.values())),
)
def test_the_exact_ratio_of_whole_records_is_what_is_claimed(settings):
    release = collected(Collection(0.8, **settings), TWO, people=20_000)
    assert largest_log_ratio(release) == pytest.approx(release.claim.epsilon, rel=1e-9)


def test_the_ratio_with_a_secret_genuine_column_is_the_largest_over_all_outputs():
    release = collected(Collection(0.8, allocation="rs+fd"), TWO)
    odds = [np.unique(np.exp(one.oracle.log_odds(one.reports)), axis=0) for one in release.reported]
    best = 0.0
    for outputs in itertools.product(*odds):  # one output of each column: every record's likelihood
        told = [a + b for a, b in itertools.product(*outputs)]
        best = max(best, max(told) / min(told))
    assert largest_log_ratio(release) == pytest.approx(math.log(best), rel=1e-12)


def test_numbers_have_a_ratio_within_the_claim():
    release = collected(Collection(1.0, numeric="piecewise"), Schema((AGE,)))
    assert 0.9 < largest_log_ratio(release) <= 1.0 + 1e-9


def test_honest_reports_pass_and_the_bound_comes_near():
    test = found_for(Response(1.0))
    assert test.p_value > 0.05
    assert 0.85 < test.epsilon_lower_bound < 1.0
    assert test.adjacency == "local"
    assert "ratio of 1 over" in test.event
    assert test.power_by == "simulation"
    assert min(epsilon for epsilon, caught in test.power if caught >= 0.95) < 1.4


def test_one_value_too_few_in_the_formula_is_refuted_by_what_it_states():
    test = found_for(Response(1.0, "off"))
    p = 1 / (1 + 2 * math.exp(-1.0))
    assert test.p_value == 0
    assert test.epsilon_lower_bound == pytest.approx(math.log(p / ((1 - p) / 3)), rel=1e-9)


def test_one_value_too_few_is_refuted_by_sampling_where_the_code_says_another_thing():
    test = found_for(Response(1.0, "silent"))
    assert test.p_value < 0.01
    assert 1.0 < test.epsilon_lower_bound < 1.0 + math.log(3 / 2)


def test_a_constant_seed_shows_in_single_collections():
    test = found_for(Constant())
    assert test.p_value < 0.001
    assert test.epsilon_lower_bound > 3


class Constant:
    """Randomise with the same seed in every collection."""

    def release(self, train, *, rng):
        return Response(1.0).release(train, rng=np.random.default_rng(3))


@pytest.mark.parametrize("protocol", ["grr", "oue", "olh"])
def test_the_same_report_has_the_same_print_in_every_collection(protocol):
    """Else what was learnt in one collection says nothing about the next one."""
    release = collected(Collection(1.0, protocol=protocol), FOUR, people=400)
    reports = release.reported[0].reports
    plain = [row.tobytes() for row in reports]
    whole, part = fingerprints(reports), fingerprints(reports[150:])
    assert (whole[150:] == part).all()
    assert len(set(whole.tolist())) == len(set(plain)) == len(set(zip(plain, whole.tolist(), strict=True)))


class FailsOn:
    """Randomise the first column, but fail for one record of it, or for many people."""

    def __init__(self, *, code=None, people=None):
        self.code, self.people = code, people

    def release(self, train, *, rng):
        if self.code is not None and (train[train.schema.names[0]] == self.code).any():
            raise KeyError("a record that was not thought of")
        if self.people is not None and len(train) > self.people:
            raise MemoryError("too many people")
        return Response(1.0).release(train, rng=rng)


def test_a_failure_for_one_record_is_what_tells_and_not_a_column_in_the_clear():
    test = found_for(FailsOn(code=1), TWO)
    assert test.p_value < 0.001
    assert "the mechanism fails" in test.event
    assert "race" not in test.event, "it is collected as it is, and no claim is made about it"


@pytest.mark.parametrize("defense", [FailsOn(people=100), FailsOn(code=2)], ids=["many people", "a value in no pair"])
def test_a_failure_for_many_people_leaves_that_part_out(defense):
    test = found_for(defense)
    assert test.p_value > 0.05
    assert "were not asked" in test.event


def test_rounding_in_the_ratio_of_an_honest_channel_accuses_nobody(monkeypatch):
    stub = Found("local", 0.5, 0.2, 9, 0.1, "an event", claimed=1.0)
    monkeypatch.setattr(local, "test_on", lambda *args, **options: stub)
    monkeypatch.setattr(local, "_at_once", lambda *args, **options: stub)
    for excess, p_value in ((5e-7, 1.0), (1e-4, 0.0)):  # a log-likelihood in single precision, and a larger ratio
        monkeypatch.setattr(local, "largest_log_ratio", lambda release, excess=excess: 1.0 + excess)
        assert found_for(Response(1.0)).p_value == p_value


@pytest.mark.parametrize(("defense", "each"), [(FailsOn(people=100), 0.95), (Response(1.0), 0.975)])
def test_the_level_is_shared_by_the_tests_that_are_made(monkeypatch, defense, each):
    seen = []
    stub = Found("local", 0.5, 0.2, 9, 0.1, "an event", claimed=1.0)
    for name in ("test_on", "_at_once"):
        monkeypatch.setattr(local, name, lambda *args, level, **options: seen.append(level) or stub)
    found_for(defense)
    assert seen == [pytest.approx(each)] * len(seen)
    assert len(seen) == round(0.05 / (1 - each))


def test_a_budget_that_is_not_split_is_refuted_over_whole_records():
    class NotSplit:
        def release(self, train, *, rng):
            release = Collection(2.0).release(train, rng=rng)
            return Reports(
                release.schema, release.clear, release.reported, len(train), Claim(1.0, 0.0, Adjacency.LOCAL)
            )

    test = found_for(NotSplit(), TWO)
    assert test.p_value < 0.01
    assert test.epsilon_lower_bound == pytest.approx(2.0)


def test_columns_in_the_clear_are_no_part_of_the_claim():
    test = found_for(Collection(1.0, columns=("race",)), TWO)
    assert test.p_value > 0.05


def test_a_local_mechanism_of_rows_is_tested_by_single_records():
    from privbench.release import SyntheticTable

    class Rows:
        def release(self, train, *, rng):
            told = np.where(rng.random(len(train)) < 0.9, train["sex"], 1 - train["sex"])
            rows = Table(train.schema, {"sex": told}, len(train))
            return SyntheticTable(rows, len(train), Claim(1.0, 0.0, Adjacency.LOCAL))

    test = found_for(Rows(), Schema((SEX,)), runs=2000)
    assert test.p_value < 0.01
    assert 1.0 < test.epsilon_lower_bound < math.log(9)
