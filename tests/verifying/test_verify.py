"""`privbench.verify`: what may be passed, which test is made, and what may be said of it."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace

import pytest

import privbench
from defenses.synthetic.independent_histogram import IndependentHistogram
from privbench.claim import Adjacency, Claim
from privbench.dataset import Dataset
from privbench.errors import InputError
from privbench.record import to_frame
from privbench.release import SyntheticTable
from privbench.verifying.verification import Test as Found
from privbench.verifying.verification import Verification
from privbench.verifying.verify import verify
from tests.verifying.mechanisms import WIDE, Counts

POWER = ((1.5, 0.5), (1.9, 0.96), (2.3, 0.99))
HONEST = Found("many-runs", 0.4, 0.6, 4000, 1.0, "an event", 1.0, power=POWER, power_by="simulation")
CAUGHT = Found("one-run", 0.001, 1.4, 3, 1.0, "another event", 1.0, power=(), power_by="simulation")


def verified(*tests, claim=None):
    return Verification(claim or Claim(1.0, 0.0, Adjacency.REPLACE_ONE), tests, to_frame([]))


def small():
    import numpy as np

    from privbench.table import Table

    rng = np.random.default_rng(0)
    arrays = {"sex": rng.integers(2, size=300), "race": rng.integers(4, size=300), "age": rng.integers(101, size=300)}
    table = Table(WIDE, arrays, 300)
    return Dataset("small", table, table)


def test_what_is_said_of_no_violation_has_power_in_it():
    found = verified(HONEST)
    assert not found.refuted
    assert found.sentence == (
        "no violation found; this test would have caught epsilon above 1.9 with probability 0.96 "
        "(claimed 1, replace-one)"
    )


def test_what_is_said_of_a_refuted_claim_has_its_bound():
    found = verified(CAUGHT, claim=Claim(0.5, 0.0, Adjacency.ADD_REMOVE))
    assert found.refuted
    assert found.sentence == (
        "the claim is refuted: epsilon is at least 1.4 (95 %, p-value 0.001), claimed 1 (replace-one)"
    )


@pytest.mark.parametrize(
    ("bound", "claimed", "shown"),
    [
        (1.4, 1.0, "1.4"),
        (6.0389, 1.0, "6.03"),
        (1.004, 1.0, "1.004"),
        (1.00004, 1.0, "1.00004"),
        (0.9999, 1.0, "0.999"),
        (2.719, 2.7182818, "2.719"),
        (math.inf, 1.0, "inf"),
    ],
)
def test_a_bound_is_rounded_down_and_set_apart_from_the_claim(bound, claimed, shown):
    found = verified(replace(CAUGHT, epsilon_lower_bound=bound, claimed=claimed))
    assert f"at least {shown} (95 %" in found.sentence


def test_what_is_promised_is_not_rounded_up():
    found = verified(replace(HONEST, power=((2.314, 0.9589),)))
    assert "epsilon above 2.32 with probability 0.95 (" in found.sentence


def test_what_is_extrapolated_is_said_so():
    found = verified(replace(HONEST, power_by="extrapolation"))
    assert found.sentence == (
        "no violation found in the event looked at (claimed 1, replace-one); a leak that shows there as this one's "
        "does would have been caught above epsilon 1.9 with probability 0.96 (extrapolated), another one perhaps not"
    )
    assert any("extrapolated from this event alone" in line for line in found.details)


@pytest.mark.parametrize(
    ("power", "power_by", "said"),
    [
        ((), "extrapolation", ", and the test has too little power to say which epsilon it would have caught"),
        (((4.0, 0.0),), "simulation", ", and the test has too little power to say which epsilon it would have caught"),
        (None, "not computed", "; what this test would have caught was not computed"),
        (None, "not known", "; what this test would have caught is not known"),
    ],
)
def test_too_little_power_is_another_thing_than_power_that_is_not_known(power, power_by, said):
    found = verified(replace(HONEST, power=power, power_by=power_by))
    assert found.sentence == f"no violation found{said} (claimed 1, replace-one)"


@pytest.mark.parametrize("tests", [(HONEST,), (CAUGHT,), (HONEST, CAUGHT), (replace(HONEST, power=None),)])
def test_private_is_never_a_verdict(tests):
    found = verified(*tests)
    for text in (found.sentence, found._repr_html_(), found.to_json()):
        assert not re.search(r"\bprivate\b|\bsafe\b", text)


def test_several_tests_share_the_level():
    nearly = replace(HONEST, p_value=0.03, epsilon_lower_bound=1.1)
    assert verified(nearly).refuted
    assert not verified(nearly, HONEST).refuted, "0.03 is not below 0.05 / 2"
    assert verified(nearly, HONEST).p_value == pytest.approx(0.06)


def test_the_strongest_bound_is_relative_to_what_its_neighbours_are_promised():
    exchanged = Found("many-runs", 0.4, 1.5, 9, 1.0, "x", 2.0)
    added = Found("many-runs", 0.4, 0.9, 9, 1.0, "x", 1.0, adjacency="add-remove")
    found = verified(exchanged, added, claim=Claim(1.0, 0.0, Adjacency.ADD_REMOVE))
    assert found.epsilon_lower_bound == 0.9
    plain = json.loads(found.to_json())
    assert (plain["epsilon_lower_bound"], plain["claimed"], plain["adjacency"]) == (0.9, 1.0, "add-remove")


def test_json_says_the_same():
    plain = json.loads(verified(HONEST, CAUGHT).to_json())
    assert plain["refuted"] is True
    assert plain["p_value"] == pytest.approx(0.002)
    assert [test["method"] for test in plain["tests"]] == ["many-runs", "one-run"]
    assert plain["tests"][1]["claimed"] == 1.0
    assert plain["claim"]["adjacency"] == "replace-one"


def test_a_plugin_is_tested_with_its_settings():
    found = verify("independent-histogram", settings={"epsilon": 2.0}, dataset=small(), runs=800, workers=1)
    assert found.claim.epsilon == 2.0
    assert not found.refuted
    assert found.tests[0].method == "many-runs"
    assert any("400 rows are released" in note for note in found.notes)
    frame = found.frame
    assert list(frame["metric"]) == ["epsilon_lower_bound", "claim_p_value"]
    assert frame["value"].tolist() == [found.tests[0].epsilon_lower_bound, found.tests[0].p_value]
    assert json.loads(frame["defense_params"][0]) == {"epsilon": 2.0}
    assert frame["defense"][0] == "independent-histogram"


def test_the_claim_may_be_given_in_place_of_the_stated_one():
    found = privbench.verify(Counts(epsilon=4.0), epsilon=0.5, dataset=small(), runs=800, workers=1)
    assert found.refuted
    assert found.claim == Claim(0.5, 0.0, Adjacency.REPLACE_ONE)
    kept = verify(Counts(epsilon=2.0), adjacency="add-remove", dataset=small(), runs=800, workers=1)
    assert (kept.claim.epsilon, kept.claim.adjacency) == (2.0, "add-remove")


def test_a_users_function_is_tested():
    def leaks(train, rng):
        return train

    one = small()
    one = Dataset("one column", one.records.select(["sex"]), one.records.select(["sex"]))
    found = verify(leaks, epsilon=1.0, dataset=one, runs=600, workers=1)
    assert found.refuted
    assert found.frame["defense"][0] == "leaks"


@pytest.mark.parametrize("method", ["auto", "many-runs"])
def test_a_mechanism_that_always_fails_is_one_sentence(method):
    def broken(train, rng):
        raise KeyError("age")

    with pytest.raises(InputError, match=r"fails.*KeyError: 'age'"):
        verify(broken, epsilon=1.0, dataset=small(), method=method)


@pytest.mark.parametrize("method", ["auto", "one-run", "many-runs"])
def test_what_a_mechanism_raises_is_one_line(method):
    def broken(train, rng):
        raise ValueError("first\nsecond" + 300 * "x")

    with pytest.raises(InputError, match=r"ValueError: first secondx+\.\.\.") as raised:
        verify(broken, epsilon=1.0, dataset=small(), method=method)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 300


def test_a_local_claim_is_tested_as_one(monkeypatch):
    monkeypatch.setattr("privbench.verifying.local._BOUND", 10_000)
    found = verify("ldp", settings={"epsilon": 1.5}, dataset=small(), runs=600, workers=1)
    assert found.tests[0].method == "local"
    assert not found.refuted


def test_a_slow_mechanism_is_tested_in_one_run(monkeypatch):
    import privbench.verifying.verify as module

    monkeypatch.setattr(module, "_MINUTE", 1e-6)
    seen = {}

    def one_run(defense, dataset, claim, **options):
        seen.update(options, claim=claim, rows=defense.rows)
        return CAUGHT

    monkeypatch.setattr("privbench.verifying.one_run.test_one_run", one_run)
    found = verify(IndependentHistogram(), dataset=small(), targets=50, attacks=["majority"], runs=700)
    assert found.tests == (CAUGHT,)
    assert (seen["targets"], seen["attacks"], seen["rows"]) == (50, ["majority"], None)
    assert seen["runs"] is None, "so many releases were meant for the many runs, not so many repetitions of the one"
    assert found.notes == (
        "runs 700 was meant for many runs, and the one run is not repeated so often: --method one-run sets it",
    )


@pytest.mark.parametrize(("p_value", "said"), [(0.01, False), (0.06, True), (0.19, True), (0.2, False), (0.7, False)])
def test_a_small_p_value_that_refutes_nothing_calls_for_more_releases(monkeypatch, p_value, said):
    near = replace(HONEST, p_value=p_value)
    monkeypatch.setattr("privbench.verifying.verify.test_on", lambda *args, **options: near)
    found = verify(Counts(), dataset=small(), method="many-runs", workers=1)
    assert any("make several times as many releases" in note for note in found.notes) == said


def test_what_was_given_to_no_purpose_is_said():
    found = verify(Counts(), dataset=small(), targets=50, attacks=["majority"], runs=600, workers=1, power=False)
    assert [note.partition(" is for the one run")[0] for note in found.notes] == ["targets 50", "attacks majority"]


class LessForMore:
    """Claim the less the more records there are, as what draws a sample of them may."""

    def release(self, train, *, rng):
        made = Counts().release(train, rng=rng)
        return SyntheticTable(made.table, len(train), Claim(200 / len(train), 0.0, Adjacency.REPLACE_ONE))


def test_the_one_run_is_held_to_what_is_claimed_of_as_many_records(monkeypatch):
    seen = []

    def one_run(defense, dataset, claim, **options):
        seen.append(claim.epsilon)
        return HONEST

    monkeypatch.setattr("privbench.verifying.one_run.test_one_run", one_run)
    alone = verify(LessForMore(), dataset=small(), method="one-run", targets=50)
    verify(LessForMore(), dataset=small(), method="both", targets=50, runs=600, workers=1)
    verify(LessForMore(), dataset=small(), method="both", targets=50, runs=600, workers=1, epsilon=0.5)
    assert seen == [2.0, 2.0, 0.5], "of 100 records, not of all, nor of the tiny data sets; or what is given by hand"
    assert alone.claim.epsilon == 2.0


def test_both_share_the_level_and_the_seed(monkeypatch):
    seen = {}

    def one_run(defense, dataset, claim, **options):
        seen.update(options)
        return HONEST

    monkeypatch.setattr("privbench.verifying.one_run.test_one_run", one_run)
    found = verify(Counts(), dataset=small(), method="both", runs=600, seed=5, workers=1)
    assert [test.method for test in found.tests] == ["many-runs", "many-runs"]
    assert (seen["level"], seen["seed"], seen["runs"]) == (pytest.approx(0.975), 5, None)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"defense": "resample"}, "claims no guarantee; give --epsilon"),
        ({"defense": "independent-histogramm"}, "did you mean 'independent-histogram'"),
        ({"defense": 7}, "got int; allowed: a name"),
        ({"defense": Counts(), "method": "many"}, "did you mean 'many-runs'"),
        ({"defense": Counts(), "adjacency": "replace"}, "did you mean 'replace-one'"),
        ({"defense": Counts(), "epsilon": -1.0}, "epsilon above 0"),
        ({"defense": Counts(), "delta": 1.0}, "delta in"),
        ({"defense": Counts(), "time_limit": 0}, "positive number of seconds"),
        ({"defense": Counts(), "runs": 10}, "at least 600"),
        ({"defense": Counts(), "method": "local"}, "tests a local claim"),
        ({"defense": Counts(), "dataset": "adlut"}, "did you mean 'adult'"),
    ],
)
def test_bad_input_is_one_sentence(given, said):
    with pytest.raises(InputError, match=re.escape(said)):
        verify(**{"dataset": small(), **given})
