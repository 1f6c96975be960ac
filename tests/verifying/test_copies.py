"""A mechanism made anew: its own generator is another one in every copy, unless its author chose the seed."""

from __future__ import annotations

import pickle
import random
import threading
from random import gauss

import numpy as np
import pandas as pd
import pytest
from numpy.random import normal

from defenses.own.function import Function
from privbench.claim import Adjacency
from privbench.rng import stream
from privbench.table import Table
from privbench.verifying.arms import arms_for
from privbench.verifying.copies import Copies
from privbench.verifying.many_runs import test_on as run_test_on
from privbench.verifying.subject import defense_of
from tests.verifying.mechanisms import SMALL, Counts
from tests.verifying.planted import functions
from tests.verifying.planted.histograms import Histogram, NoiseKept, OwnGenerator

TRAIN = Table(SMALL, {"sex": np.array([0, 0, 0, 1])})
OWN = np.random.default_rng()
MODULE = """
import numpy as np
import pandas as pd
OWN = np.random.default_rng()
def generate(train, rng):
    return pd.DataFrame({"sex": np.array(["f", "m"])[OWN.integers(2, size=60)]})
"""


def drawn(numbers):
    """Return a table that says what numbers were drawn."""
    return pd.DataFrame({"sex": np.where(np.asarray(numbers) > 0, "f", "m")})


class Holds:
    """Draw from something held, as a mechanism of somebody's own does."""

    def __init__(self, own):
        self.own = own

    def __call__(self, train, rng):
        if isinstance(self.own, random.Random):
            return drawn([self.own.gauss(0, 1) for _ in range(60)])
        return drawn(self.own.normal(size=60))


def by_module(train, rng):
    return drawn(OWN.normal(size=60))


def by_default(train, rng, own=np.random.default_rng()):  # noqa: B008 - that is the point
    return drawn(own.normal(size=60))


def of_the_process(train, rng):
    return drawn([*normal(size=30), *(gauss(0, 1) for _ in range(30))])  # noqa: NPY002


class Keeps:
    """Make one release of every data set, and give it again."""

    def __init__(self):
        self.kept = {}

    def release(self, train, *, rng):
        return self.kept.setdefault(tuple(train["sex"]), Counts().release(train, rng=rng))


class Locked(Holds):
    """Cannot be pickled."""

    def __init__(self, own):
        super().__init__(own)
        self.lock = threading.Lock()


def rows(copies, *key, handed="handed"):
    return tuple(copies.anew(1, *key).release(TRAIN, rng=stream(0, handed)).table["sex"])


FRESH = {
    "held": Function(Holds(np.random.default_rng())),
    "of another kind": Function(Holds(np.random.Generator(np.random.Philox()))),
    "RandomState": Function(Holds(np.random.RandomState())),
    "in the function's module": Function(by_module),
    "by default": Function(by_default),
}


@pytest.mark.parametrize("defense", FRESH.values(), ids=FRESH)
def test_a_generator_of_the_operating_systems_is_another_one_in_every_copy(defense):
    copies = Copies.of(defense)
    assert rows(copies, "0") != rows(copies, "1"), "no two copies repeat each other"
    assert rows(copies, "0") == rows(copies, "0"), "but the same copy is the same again"
    elsewhere = pickle.loads(pickle.dumps(copies))
    assert rows(elsewhere, "0") == rows(copies, "0"), "in another process too"
    again = Copies.of(copies.anew(1, "0"))
    assert rows(again, "0") != rows(again, "1"), "and so are a copy's copies"


@pytest.mark.parametrize(
    "own",
    [np.random.default_rng(3), np.random.RandomState(3)],
    ids=["Generator", "RandomState"],
)
def test_noise_of_a_constant_seed_is_repeated(own):
    copies = Copies.of(Function(Holds(own)))
    assert rows(copies, "0") == rows(copies, "1") == rows(copies, "0", handed="other")


def test_one_generator_that_is_held_twice_stays_one():
    defense = OwnGenerator()
    object.__setattr__(defense, "again", defense.own)
    copy = Copies.of(defense).anew(1, "0")
    assert copy.own.bit_generator is copy.again.bit_generator


def test_the_generators_of_the_process_stay_those_that_are_seeded_for_each_release():
    copies = Copies.of(Function(of_the_process))
    assert rows(copies, "0") == rows(copies, "1")
    assert rows(copies, "0") != rows(copies, "0", handed="other")


@pytest.mark.parametrize("way", ["file", "module", "imported"])
def test_a_function_is_the_same_however_it_is_given(way, tmp_path, monkeypatch):
    (tmp_path / "mine_for_copies.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    given = {"file": "mine_for_copies.py:generate", "module": "mine_for_copies:generate"}.get(way)
    if given is None:
        import mine_for_copies

        given = mine_for_copies.generate
    copies = Copies.of(defense_of(given, {})[0])
    assert rows(copies, "0") != rows(copies, "1")
    assert rows(copies, "0") == rows(copies, "0")


def after(defense):
    """Return what makes the runs once the mechanism has released something."""
    copies = Copies.of(defense)
    for number in range(2):
        defense.release(TRAIN, rng=stream(number, "before"))
    return copies.after(defense, TRAIN, seed=0)


def test_a_state_that_decides_on_the_next_release_is_left_to_one_object():
    copies = after(Function(Holds(random.Random())))
    assert copies.single
    assert "one object made all of them" in copies.why
    assert rows(copies, "0") != rows(copies, "1"), "it goes on"


@pytest.mark.parametrize(
    "defense",
    [Histogram(), NoiseKept(), Keeps(), OwnGenerator(), OwnGenerator(constant=3)],
    ids=["none", "noise", "results", "own generator", "constant seed"],
)
def test_what_is_kept_does_not_hinder_copies(defense):
    copies = after(defense)
    assert not copies.single
    assert copies.why == ""


def test_the_copies_are_of_what_has_not_released_anything():
    defense = NoiseKept()
    arms, _ = arms_for(defense, SMALL, adjacency=Adjacency.REPLACE_ONE, seed=0)
    assert defense.kept, "it was tried"
    assert arms[0].copies.anew(0).kept == {}


def test_what_cannot_be_copied_makes_all_releases_and_it_is_said():
    defense = Function(Locked(np.random.default_rng()), epsilon=1.0)
    arms, notes = arms_for(defense, SMALL, adjacency=Adjacency.REPLACE_ONE, seed=0)
    assert arms[0].copies.anew(0) is defense
    assert any("cannot be copied (TypeError" in note and "one object made all releases" in note for note in notes)


@pytest.mark.parametrize("defense", [OwnGenerator(epsilon=2.0), Counts()], ids=["own", "handed"])
def test_figures_do_not_depend_on_the_number_of_processes(defense):
    found = []
    for workers in (1, 2):
        arms, _ = arms_for(defense, SMALL, adjacency=Adjacency.REPLACE_ONE, seed=0)
        found.append(run_test_on(arms, defense, runs=600, seed=3, workers=workers, power=False))
    assert (found[0].event, found[0].p_value) == (found[1].event, found[1].p_value)
    assert found[0].p_value > 0.05


def test_a_release_that_is_kept_may_keep_the_claim_and_it_is_said():
    arms, _ = arms_for(Keeps(), SMALL, adjacency=Adjacency.REPLACE_ONE, seed=0)
    found = run_test_on(arms, Keeps(), runs=2000, seed=0, workers=1, power=False)
    assert found.p_value < 0.05
    assert "an earlier" in found.event
    assert "what is released once may keep the claim" in found.event


@pytest.mark.parametrize(("function", "constant"), [(functions.unseeded, False), (functions.seeded, True)])
def test_the_planted_functions_differ_in_their_seed_alone(function, constant):
    frame = pd.DataFrame({"sex": ["sex0"] * 30 + ["sex1"] * 30})
    defense = Copies.of(Function(function, epsilon=functions.EPSILON))
    made = [defense.anew(0, key).function(frame, None)["sex"].value_counts() for key in "ab"]
    assert made[0].equals(made[1]) is constant
