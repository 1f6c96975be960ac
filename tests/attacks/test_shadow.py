"""Shadow releases: what they find and what not, and that they keep their time and take up where they stopped."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import privbench
from attacks.release_features import WHOLE, ReleaseFeatures
from attacks.shadow_model import Shadows, learn_secret
from attacks.shadow_release import Studio
from attacks.target_queries import TargetQueries
from privbench.errors import ContractError, InputError, TimeLimitError
from privbench.release import SyntheticTable
from privbench.rng import stream
from privbench.store import Store
from privbench.table import Table
from tests.attacks.granted import (
    QUESTIONS,
    WHY,
    adult,
    answers_or_says_why,
    brier,
    keeps_its_contract,
    make,
    odd_views,
    play,
    right,
    see,
)

KNOWN = ("age", "grade", "sex", "work")


def attack(**params):
    return make("attacks", "shadow", **{"shadows": 16, **params})


def infer(view, **params):
    return attack(**params).infer(view, rng=stream(0, "attack"))


@dataclass
class Memory:
    """A scratch that may break down while something is saved."""

    kept: dict[str, bytes] = field(default_factory=dict)
    lasts: int = 1000

    def load(self, name):
        return self.kept.get(name)

    def save(self, name, content):
        if len(self.kept) >= self.lasts:
            raise KeyboardInterrupt
        self.kept[name] = content


@dataclass(frozen=True)
class Slow:
    """Publish the records, after a while."""

    seconds: float

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        time.sleep(self.seconds)
        return SyntheticTable(train, len(train))


@dataclass(frozen=True)
class Empty:
    """Publish no row."""

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        return SyntheticTable(train.take(np.arange(0)), len(train))


@pytest.mark.parametrize(("secrets", "known"), QUESTIONS[:2])
@pytest.mark.parametrize("grant", [{"roster": True}, {"population": 100}, {}], ids=str)
def test_the_contract(secrets, known, grant):
    view = see(play("randomised", secrets=secrets, known=known, **{"roster": False, **grant}), "resample")
    keeps_its_contract(attack(shadows=8), view)


def test_more_targets_than_records_and_people_who_cannot_be_told_apart():
    view = see(play(known=("sex",), targets=40, records=50), "resample")
    keeps_its_contract(attack(shadows=8), view)
    answer = infer(view, shadows=8).answers["ill"]
    assert np.ptp(answer[view.targets["sex"] == 0], axis=0).max() < 1e-12


@pytest.mark.parametrize("secret", ["ill", "wage"])
@pytest.mark.parametrize("what", ["one row", "one row many times", "a constant secret", "a column all missing",
                                  "a known column less", "no row"])  # fmt: skip
def test_odd_releases(what, secret):
    view = see(play("randomised", secrets=(secret,)), "resample")
    answers_or_says_why(attack(shadows=6), odd_views(view)[what], WHY.get(what))


def test_a_mechanism_that_publishes_nothing_or_something_else_the_next_time():
    view = see(play("randomised"), "resample")
    answers_or_says_why(attack(shadows=6), replace(view, defense=Empty()))
    with pytest.raises(ContractError, match="made Reports when it was repeated"):
        infer(replace(view, defense=make("defenses", "ldp", columns=["ill"])))


def test_what_it_cannot_do_is_a_sentence():
    view = see(play(), "resample")
    assert "is not known" in attack().skip(replace(view, defense=None))
    assert "not a table" in attack().skip(see(play(), "ldp"))
    assert "none is known" in attack().skip(see(play(known=()), "resample"))
    for params, words in (
        ({"shadows": 3}, "at least 4"),
        ({"time_limit": 0}, "time_limit positive"),
        ({"features": []}, "got none"),
        ({"features": ["naive", "odd"]}, "got odd; allowed: naive, histogram, correlation, queries"),
    ):
        with pytest.raises(InputError, match=words):
            attack(**params)


def test_killed_and_resumed_it_gives_the_guess_of_an_undisturbed_run():
    view = see(play("randomised", known=KNOWN), "resample")
    undisturbed = infer(view).answers["ill"]
    scratch = Memory(lasts=7)
    with pytest.raises(KeyboardInterrupt):
        infer(replace(view, scratch=scratch))
    assert len(scratch.kept) == 7
    before = dict(scratch.kept)
    scratch.lasts = 1000
    assert infer(replace(view, scratch=scratch)).answers["ill"].tobytes() == undisturbed.tobytes()
    assert len(scratch.kept) == 16
    assert all(scratch.kept[name] == content for name, content in before.items())
    # finished ones are not made again, damaged ones and those of something else are
    names = sorted(scratch.kept)
    scratch.kept[names[0]] = b"half"
    scratch.kept[names[1]] = scratch.kept[names[1]][:200]
    other = Memory()
    infer(replace(view, scratch=other, secrets=view.secrets), features=("naive",), shadows=4)
    scratch.kept[names[2]] = other.kept[names[2]]
    assert infer(replace(view, scratch=scratch)).answers["ill"].tobytes() == undisturbed.tobytes()


def test_the_time_limit_is_kept():
    view = replace(see(play("randomised", known=KNOWN)), defense=Slow(0.05))
    began = time.perf_counter()
    scratch = Memory()
    infer(replace(view, scratch=scratch), shadows=1000, time_limit=2.5)
    assert 20 <= len(scratch.kept) < 60
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(("seconds", "limit"), [(0.3, 1.0), (0.05, 0.2)])
def test_without_time_for_the_fewest_it_says_so_with_numbers(seconds, limit):
    view = replace(see(play("randomised", known=KNOWN)), defense=Slow(seconds))
    began = time.perf_counter()
    with pytest.raises(TimeLimitError) as error:
        infer(view, shadows=50, time_limit=limit)
    assert time.perf_counter() - began < limit + 3
    said = str(error.value)
    assert said.startswith("20 shadow releases are needed and ")
    assert f"left of a time_limit of {limit:g} s: raise it" in said


def test_a_slow_mechanism_is_found_out_on_a_part_of_the_records():
    view = replace(see(play("randomised", known=KNOWN, records=800)), defense=Slow(0.4))
    scratch = Memory()
    began = time.perf_counter()
    with pytest.raises(TimeLimitError, match="and 0 are made; 20 more"):
        infer(replace(view, scratch=scratch), shadows=50, time_limit=3)
    assert time.perf_counter() - began < 3
    assert not scratch.kept


CONFIG = {
    "secrets": ["sex"],
    "known": ["age", "race", "education"],
    "records": 200,
    "games": [{"name": "randomised", "targets": 40}],
    "defenses": ["resample"],
    "attacks": [{"name": "shadow", "shadows": 12}],
    "seeds": 1,
}


def test_the_runner_keeps_what_is_made_until_the_cell_is_finished(tmp_path, monkeypatch):
    whole = privbench.run(CONFIG, out=tmp_path / "undisturbed", workers=1, quiet=True)
    made, make_one = [0], Studio.make

    def breaks(self, defense, rng):
        made[0] += 1
        if made[0] == 6:
            raise MemoryError("no room left")
        return make_one(self, defense, rng)

    monkeypatch.setattr(Studio, "make", breaks)
    broken = privbench.run(CONFIG, out=tmp_path / "broken", workers=1, quiet=True)
    assert broken.failures["reason"].str.contains("no room left").all()
    key = broken.failures["key"].iloc[0]
    scratch = Store(tmp_path / "broken").scratch(key)
    assert len(list(scratch.folder.iterdir())) == 5
    again = privbench.run(CONFIG, out=tmp_path / "broken", workers=1, quiet=True)
    assert made[0] == 13  # the sixth once more, and those that were not made yet
    assert not scratch.folder.exists()
    pd.testing.assert_frame_equal(again.frame.drop(columns="seconds"), whole.frame.drop(columns="seconds"))


def test_out_of_time_is_recorded_as_such(tmp_path):
    config = {**CONFIG, "attacks": [{"name": "shadow", "shadows": 50, "time_limit": 1e-6}]}
    result = privbench.run(config, out=tmp_path, workers=1, quiet=True)
    assert set(result.failures["status"]) == {"timeout"}
    assert result.failures["reason"].str.contains("shadow releases are needed").all()


def test_a_copy_of_the_records_gives_nearly_everyone_away():
    round_ = adult("randomised", records=200, targets=100)
    for defense, least in (("identity", 0.75), ("resample", 0.45)):
        guess = infer(see(round_, defense), shadows=40)
        assert right(guess, round_, "marital-status").mean() > least
        assert brier(guess.answers["marital-status"], round_.truth["marital-status"]) < 0.7


def test_a_histogram_without_noise_gives_no_one_away():
    hits = asked = 0
    for seed in range(3):
        round_ = play("randomised", known=KNOWN, seed=seed, targets=100)
        view = see(round_, "independent-histogram", epsilon=1000)
        guess = infer(view, prior="uniform", shadows=24)
        hits, asked = hits + right(guess, round_).sum(), asked + 100
        assert brier(guess.answers["ill"], round_.truth["ill"]) < 2 / 3 + 0.02
    assert stats.binomtest(int(hits), asked, 1 / 3).pvalue > 0.001


@pytest.mark.parametrize("prior", ["auto", "uniform"])
def test_a_release_of_other_people_leaves_chance(prior):
    hits = asked = 0
    for seed in range(3):
        round_ = play("randomised", known=KNOWN, seed=seed, targets=100)
        other = play("randomised", known=KNOWN, seed=100 + seed).train.with_schema(round_.train.schema)
        release = make("defenses", "resample").release(other, rng=stream(seed))
        view = replace(see(round_, "resample"), release=release)
        hits, asked = hits + right(infer(view, prior=prior), round_).sum(), asked + 100
    assert stats.binomtest(int(hits), asked, 1 / 3).pvalue > 0.001


def test_members_are_guessed_better_than_controls_and_nobody_too_surely():
    inside = outside = 0
    for seed in range(3):
        round_ = play(known=KNOWN, seed=seed, targets=60)
        view = see(round_, "resample", seed=seed)
        guess = infer(view)
        hit, truth = right(guess, round_), round_.truth["ill"]
        inside, outside = inside + hit[round_.member].sum(), outside + hit[~round_.member].sum()
        prior = np.tile(view.release.marginal("ill"), (len(truth), 1))
        assert brier(guess.answers["ill"], truth) < brier(prior, truth) + 0.05
    assert inside > outside + 20


def test_one_who_is_not_on_the_roster_is_guessed_as_the_release_has_it():
    round_ = play(known=KNOWN, roster=True)
    view = see(round_)
    answers = [infer(view, prior=prior).answers["ill"][~round_.member] for prior in ("uniform", "conditional")]
    # a control with the known columns of a member is taken for one
    assert np.isclose(answers[0], 1 / 3).all(axis=1).mean() > 0.5
    assert np.ptp(answers[1], axis=1).max() > 0.1


@pytest.mark.parametrize("features", [(kind,) for kind in (*WHOLE, "queries")])
def test_each_kind_of_features_works_alone(features):
    view = see(play("randomised", known=KNOWN, records=100), "resample")
    guess = infer(view, features=list(features))
    guess.check(view)


def test_features_of_a_release_are_what_they_say():
    table = play().train
    numbers = table.select(("age", "grade", "sex"))
    for kind in WHOLE:
        assert len(ReleaseFeatures.of((kind,), table).measure(table)) > len(table.schema.names)
    mean, median, variance = ReleaseFeatures.of(("naive",), numbers).measure(numbers)[:3]
    unit = (table["age"] - 17) / 73
    np.testing.assert_allclose([mean, median, variance], [unit.mean(), np.median(unit), unit.var()])
    correlations = ReleaseFeatures.of(("correlation",), numbers).measure(numbers)
    assert np.isclose(correlations, np.corrcoef(table["age"], table["grade"])[0, 1]).any()
    shares = ReleaseFeatures.of(("histogram",), numbers).measure(numbers)
    assert shares.sum() == pytest.approx(3)


def test_queries_count_what_a_loop_counts():
    view = see(play("randomised", known=KNOWN), "suppress-cells", share=0.2)
    secret, release = view.secrets[0], view.release
    from attacks.secret_cells import SecretCells

    queries = TargetQueries.draw(view.targets, 40, rng=stream(0))
    assert len(set(queries.plans)) == len(queries.plans) == 40
    cells = SecretCells.of(secret, release.values(secret.name))
    counts = queries.count(release, {secret: cells})[secret]
    widths = (None, 64, 16, 5)
    for plan, answers in zip(queries.plans, counts, strict=True):
        for person in (0, 7, 20):
            match = ~release.suppressed[secret.name].copy()
            for name, width in zip(KNOWN, plan, strict=True):
                if width < 0:
                    continue
                mine, theirs = view.targets[name][person], release.values(name)
                if name == "age" and widths[width] is not None:
                    # the integers from 17 to 90 in equal cells
                    mine, theirs = ((value - 17) * widths[width] // 74 for value in (mine, theirs))
                match &= (theirs == mine) & ~release.suppressed[name]
            expected = np.bincount(release.values(secret.name)[match], minlength=3)
            np.testing.assert_array_equal(answers[person], expected)


def test_the_model_finds_a_count_that_tells_and_ignores_one_that_does_not():
    rng = stream(0, "model")
    cell = rng.integers(3, size=(60, 40))
    noise = rng.poisson(2, size=(60, 2, 40, 3)).astype(np.float32)
    telling = noise.copy()
    telling[:, 1] += np.eye(3, dtype=np.float32)[cell] * 2
    for counts, least, most in ((telling, 0.5, 1), (noise, 0.2, 0.45)):
        shadows = Shadows(cell[:-1], counts[:-1], np.arange(40), np.empty((59, 0)), (counts[-1], np.empty(0)))
        logs = learn_secret(shadows)
        np.testing.assert_allclose(np.exp(logs).sum(axis=1), 1)
        assert least <= (logs.argmax(axis=1) == cell[-1]).mean() <= most


def test_the_whole_of_a_release_tells_of_few_people():
    rng = stream(0, "whole")
    cell = rng.integers(2, size=(80, 3))
    whole = cell @ np.array([[1.0, 0.2], [0.1, 1.0], [0.5, 0.5]]) + rng.normal(0, 0.05, size=(80, 2))
    none = np.empty((80, 0, 3, 2), dtype=np.float32)
    shadows = Shadows(cell[:-1], none[:-1], np.arange(3), whole[:-1], (none[-1], whole[-1]))
    assert (learn_secret(shadows)[:2].argmax(axis=1) == cell[-1, :2]).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("defense", "params", "secret", "seeds"),
    [("privbayes", {"epsilon": 100}, "sex", 10), ("mst", {"epsilon": 1000}, "marital-status", 4)],
)
def test_few_records_of_a_model_with_little_noise_tell_more_than_a_forest_finds(defense, params, secret, seeds):
    mine = forest = 0
    for seed in range(seeds):
        round_ = adult("randomised", secrets=(secret,), seed=seed, records=150, targets=75)
        view = see(round_, defense, seed=seed, **params)
        mine += right(infer(view, shadows=60, prior="uniform"), round_, secret).sum()
        guess = make("attacks", "random-forest").infer(view, rng=stream(seed))
        forest += right(guess, round_, secret).sum()
    # the two face the same people: one standard error of the difference is about 0.02
    assert mine - forest > 0.02 * 75 * seeds
