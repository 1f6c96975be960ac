"""Many runs: honest mechanisms pass, and each kind of bug is caught."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import binom

from privbench.claim import Adjacency, Claim
from privbench.errors import ContractError, InputError
from privbench.release import AlteredRows, SyntheticTable
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table
from privbench.verifying.arms import arms_for
from privbench.verifying.asked import Asked
from privbench.verifying.events import learn, promise
from privbench.verifying.many_runs import test_on as run_test_on
from privbench.verifying.neighbours import neighbours
from privbench.verifying.outcomes import Outcomes
from privbench.verifying.reading import look
from tests.verifying.mechanisms import (
    SEX,
    SMALL,
    WIDE,
    ConstantSeed,
    Counts,
    DomainFromData,
    ReusedNoise,
    Sometimes,
    many_runs,
)


def found_for(defense, schema=SMALL, *, claim=None, runs=2000, seed=0):
    return many_runs(defense, schema, claim, runs=runs, seed=seed, workers=1)


@pytest.mark.parametrize(
    "defense",
    [Counts(), Counts(sensitivity=1, adjacency=Adjacency.ADD_REMOVE), Sometimes(delta=0.1, claimed=0.1)],
    ids=["replace-one", "add-remove", "delta"],
)
def test_the_honest_are_rarely_refuted(defense):
    repeats = 5
    refuted = sum(found_for(defense, runs=600, seed=seed).p_value < 0.05 for seed in range(repeats))
    assert binom.sf(refuted - 1, repeats, 0.05) > 1e-3


def test_the_bound_comes_near_the_truth_and_stays_below():
    test = found_for(Counts(epsilon=2.0), runs=5000)
    assert 1.2 < test.epsilon_lower_bound < 2.0
    assert test.claimed == 2.0


@pytest.mark.parametrize("seed", range(3))
def test_noise_too_small_is_refuted(seed):
    test = found_for(Counts(factor=4), seed=seed)
    assert test.p_value < 0.001
    assert 2.0 < test.epsilon_lower_bound < 4.0, "what it truly is"


def test_adjacency_is_converted():
    """Noise for one record more keeps 2 epsilon for an exchange: no false alarm as add-remove, a bug as replace-one."""
    honest = Counts(sensitivity=1, adjacency=Adjacency.ADD_REMOVE)
    assert found_for(honest).p_value > 0.05
    assert found_for(Counts(sensitivity=1, adjacency=Adjacency.REPLACE_ONE)).p_value < 0.01
    # the same through a claim given by hand
    assert found_for(honest, claim=Claim(1.0, 0.0, Adjacency.REPLACE_ONE)).p_value < 0.01
    assert found_for(Counts(), claim=Claim(1.0, 0.0, Adjacency.ADD_REMOVE)).p_value > 0.05


def test_one_record_more_is_tested_at_epsilon_itself():
    caught = found_for(Counts(sensitivity=1, factor=4, adjacency=Adjacency.ADD_REMOVE))
    assert caught.p_value < 0.001
    assert (caught.adjacency, caught.claimed) in {("add-remove", 1.0), ("replace-one", 2.0)}


@pytest.mark.parametrize("schema", [SMALL, WIDE], ids=["one column", "three"])
@pytest.mark.parametrize("defense", [ConstantSeed(), ReusedNoise(), DomainFromData()], ids=lambda d: type(d).__name__)
def test_what_is_certain_is_caught_in_few_runs(defense, schema):
    test = found_for(defense, schema, runs=600)
    assert test.p_value < 0.001
    assert test.epsilon_lower_bound > 3


def test_delta_excuses_what_it_allows_and_no_more():
    assert found_for(Sometimes(delta=0.1, claimed=0.1)).epsilon_lower_bound == 0
    assert found_for(Sometimes(delta=0.1, claimed=0.0)).p_value < 0.001
    assert found_for(Sometimes(delta=0.3, claimed=0.1)).p_value < 0.001


def test_figures_follow_the_seed_and_not_the_number_of_processes():
    alone = many_runs(Counts(), SMALL, None, runs=600, seed=3, workers=1)
    again = many_runs(Counts(), SMALL, None, runs=600, seed=3, workers=2)
    other = many_runs(Counts(), SMALL, None, runs=600, seed=4, workers=1)
    assert (alone.event, alone.p_value, alone.power) == (again.event, again.p_value, again.power)
    assert alone.event != other.event


@dataclass(frozen=True)
class Fails:
    """Fail where some record is of the second kind, or always, or never."""

    when: str

    def release(self, train, *, rng):
        if self.when == "always" or (self.when == "rare" and (train[train.schema.names[0]] > 0).sum() == 1):
            raise ValueError("a cell with one record")
        row = Table(SMALL, {"sex": np.array([0])})
        return SyntheticTable(row, len(train), Claim(1.0, 0.0, Adjacency.REPLACE_ONE))


def test_a_failure_that_depends_on_a_record_is_a_violation():
    test = found_for(Fails("rare"), runs=600)
    assert test.p_value < 0.001
    assert "fails" in test.event
    assert found_for(Fails("never"), runs=600).p_value == 1
    with pytest.raises(InputError, match="a cell with one record"):
        found_for(Fails("always"), runs=600)


@dataclass(frozen=True)
class OwnDomain:
    """Release the honest counts in a domain of its own, with the values in either order."""

    def release(self, train, *, rng):
        made = Counts().release(train, rng=rng).table
        codes, values = made["sex"], SEX.values
        if rng.random() < 0.5:
            codes, values = 1 - codes, values[::-1]
        rows = Table(Schema((Column("sex", Kind.CATEGORICAL, values),)), {"sex": codes})
        return SyntheticTable(rows, len(train), Claim(1.0, 0.0, Adjacency.REPLACE_ONE))


def test_a_release_with_a_domain_of_its_own_is_read_by_its_values():
    pair = next(neighbours(SMALL, adjacency=Adjacency.REPLACE_ONE))
    releases = [OwnDomain().release(pair.first, rng=stream(0, "own", str(run))) for run in range(20)]
    assert len({release.schema for release in releases}) == 2, "both orders of the values are there"
    seen = look(releases, pair)
    counted = seen.numbers[:, seen.names.index("rows with sex = f")]
    assert counted.tolist() == [sum(r.table["sex"] == r.schema["sex"].code("f")) for r in releases]
    other = Table(Schema((Column("sex", Kind.CATEGORICAL, ("x",)),)), {"sex": np.array([0])})
    with pytest.raises(InputError, match="'x'"):
        look([SyntheticTable(other, 10)], pair)
    number = Table(Schema((Column("sex", Kind.CONTINUOUS, low=0, high=1),)), {"sex": np.array([0.5])})
    with pytest.raises(ContractError, match="'sex' is categorical in the data set, continuous as released"):
        look([SyntheticTable(number, 10)], pair)


@dataclass(frozen=True)
class DeltaOfNumber(Counts):
    """Claim a delta that falls with the number of records."""

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        made = super().release(train, rng=rng)
        return SyntheticTable(made.table, len(train), Claim(self.epsilon, 0.5 / len(train), self.adjacency))


def test_what_is_not_given_of_a_claim_is_what_each_release_states():
    arms, _ = arms_for(DeltaOfNumber(), SMALL, Asked(2.0, None, None), adjacency=Adjacency.REPLACE_ONE, seed=0)
    assert {arm.claim.epsilon for arm in arms} == {2.0}
    assert len({len(arm.pair.first) for arm in arms}) > 1
    for arm in arms:
        assert arm.claim.delta == 0.5 / len(arm.pair.first)


@dataclass(frozen=True)
class Flips:
    """Randomise the one column there is, row by row."""

    epsilon: float = 1.0

    def release(self, train: Table, *, rng: np.random.Generator) -> AlteredRows:
        column = train.schema.columns[0]
        kept = rng.random(len(train)) < math.exp(self.epsilon) / (math.exp(self.epsilon) + column.size - 1)
        other = (train[column.name] + rng.integers(1, column.size, size=len(train))) % column.size
        rows = train.replace({column.name: np.where(kept, train[column.name], other).astype(np.int32)})
        claim = Claim(self.epsilon, 0.0, Adjacency.ADD_REMOVE)
        return AlteredRows(rows, len(train), claim, altered=train.schema.names)


def test_rows_of_the_records_own_tell_their_number_which_is_taken_as_public():
    schema = SMALL.select(["sex"])
    arms, notes = arms_for(Flips(), schema, adjacency=Adjacency.ADD_REMOVE, seed=0)
    assert {arm.pair.adjacency for arm in arms} == {Adjacency.REPLACE_ONE}
    assert any("taken as public" in note for note in notes)
    test = many_runs(Flips(), schema, None, runs=1000, seed=0, workers=1)
    assert test.p_value > 0.05
    assert test.claimed == 2.0


def test_a_time_limit_is_for_the_choice_of_a_pair_as_well():
    arms, _ = arms_for(Counts(), SMALL, adjacency=Adjacency.REPLACE_ONE, seed=0)
    for arm in arms:
        arm.seconds = 1.0
    options = {"runs": 20_000, "seed": 0, "time_limit": 1100.0, "workers": 1}
    assert 900 < run_test_on(arms, Counts(), power=False, **options).runs < 1300
    assert many_runs(Counts(), SMALL, None, runs=600, seed=0, time_limit=1e-3, workers=1).runs < 700


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="at least 600"):
        found_for(Counts(), runs=100)


def made(first, second):
    def wrapped(numbers):
        return Outcomes(("noise", "told"), np.asarray(numbers, float), np.arange(len(numbers), dtype=np.uint64))

    return wrapped(first), wrapped(second)


def test_the_event_that_tells_is_learnt():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(2, 400))
    told = [rng.random(400) < share for share in (0.9, 0.1)]
    first, second = made(*(np.column_stack([noise[side], told[side]]) for side in (0, 1)))
    event = learn(first, second, epsilon=1.0, delta=0.0)
    assert event.bound > math.log(0.8 / 0.2)
    assert event.holds(first).mean() > 0.8 if event.on_first else event.holds(second).mean() > 0.8
    assert promise(first, second, delta=0.0) > 1.5
    blind = made(noise[0][:, None] * [1, 0], noise[1][:, None] * [1, 0])
    assert promise(*blind, delta=0.0) < 0.7, "chosen and counted on the same runs it would promise more"
