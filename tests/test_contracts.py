"""The contract of every registered attack, defense and game, whoever wrote it."""

from __future__ import annotations

import gc
import os
import random
import sys
import warnings
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import get_args

import joblib  # noqa: F401 - its import sets an environment variable; it is to be there before anything is measured
import numpy as np
import pytest
import scipy.sparse
import scipy.special  # noqa: F401 - so does this one
from threadpoolctl import threadpool_info

from privbench import contracts, registry
from privbench.cards import card_of
from privbench.contracts import Attack, Defense, Game, Guess, Round, View
from privbench.errors import ContractError
from privbench.release import Release, SyntheticTable
from privbench.reports import Reports
from privbench.rng import stream
from privbench.scorers import compare
from privbench.table import Table
from tests.people import people

ATTACKS, DEFENSES, GAMES = (registry.names(kind) for kind in ("attacks", "defenses", "games"))
RELEASES = ["resample", "suppress-cells", "independent-histogram", "ldp"]
# (secrets, known)
QUESTIONS = {
    "one categorical": (("ill",), None),
    "an ordinal and a continuous one": (("grade", "wage"), ("age", "sex")),
    "nothing known": (("ill",), ()),
}
# attacks on other collections than these, or on other secrets: tests/attacks/test_report_contract.py
ELSEWHERE = {"averaging", "reidentification", "sampled-column"}

# long trainings made short, where a plugin has such a parameter
QUICK = {"epochs": 1, "steps": 20, "k": 2, "shadows": 12}
COMMAND = """
import sys
import pandas as pd
train, out, seed = sys.argv[1:]
pd.read_csv(train).sample(frac=1, replace=True, random_state=int(seed)).to_csv(out, index=False)
"""
# what a plugin with required parameters is built with; one that is missing here fails
EXAMPLES: dict[str, dict[str, object]] = {
    "callable": {"function": f"{Path(__file__).parent / 'defenses' / 'own' / 'example.py'}:resample"},
    "command": {"command": f"'{sys.executable}' -c '{COMMAND}' {{train}} {{out}} {{seed}}"},
    "sdv": {"synthesizer": "GaussianCopulaSynthesizer"},
    "estimator": {
        "classifier": "sklearn.ensemble:ExtraTreesClassifier",
        "regressor": "sklearn.ensemble:ExtraTreesRegressor",
        "options": {"n_estimators": 10},
    },
}


def build(kind, name, **params):
    accepted = registry.parameters(kind, name)
    quick = {key: value for key, value in QUICK.items() if key in accepted}
    return registry.make(kind, name, {**quick, **EXAMPLES.get(name, {}), **params})


def play(game="holdout", secrets=("ill",), known=None, **params) -> Round:
    given = {"targets": 40, "records": 300, "known": known, **params}
    accepted = registry.parameters("games", game)
    return registry.make("games", game, {k: v for k, v in given.items() if k in accepted}).play(
        people(), secrets, rng=stream(0, "game")
    )


def release_of(name, round_, *, seed=0) -> Release:
    return build("defenses", name).release(round_.train, rng=stream(seed, "defense"))


def arrays_of(release: Release) -> dict[str, np.ndarray]:
    if isinstance(release, Reports):
        return {
            **release.clear.arrays,
            **{reported.column.name: reported.reports for reported in release.reported},
        }
    assert isinstance(release, SyntheticTable)
    return dict(release.table.arrays)


def same(first: dict, second: dict) -> bool:
    return all(np.array_equal(first[name], second[name]) for name in first) and first.keys() == second.keys()


def environment() -> dict[str, str]:
    """Return the environment, but for the name of the running test."""
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


def threads() -> dict[str, int]:
    """Return the thread counts of the libraries that are loaded."""
    return {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}


@pytest.fixture(autouse=True)
def _global_state_is_left_alone(monkeypatch, tmp_path):
    """Fail any test here whose plugin touches the global generators, or leaves a file or anything else behind."""
    monkeypatch.chdir(tmp_path)
    random.seed(12)
    np.random.seed(12)  # noqa: NPY002 - the global state is what is tested
    before = random.getstate(), np.random.get_state()  # noqa: NPY002 - the global state is what is tested
    around = environment(), list(warnings.filters), threads()
    yield
    assert Path.cwd() == tmp_path, "the working directory was changed"
    assert not list(tmp_path.iterdir()), "a file was left behind"
    assert (environment(), list(warnings.filters)) == around[:2], "the environment or a warning filter was changed"
    assert around[2].items() <= threads().items(), "a thread count was changed"
    after = random.getstate(), np.random.get_state()  # noqa: NPY002 - the global state is what is tested
    assert before[0] == after[0], "the global state of random was touched"
    assert all(np.array_equal(a, b) for a, b in zip(before[1], after[1], strict=True)), (
        "numpy's global state was touched"
    )


@pytest.mark.parametrize("kind", ["attacks", "defenses", "games"])
def test_every_plugin_says_what_it_is(kind):
    protocol = {"attacks": Attack, "defenses": Defense, "games": Game}[kind]
    assert registry.names(kind)
    for name in registry.names(kind):
        card = card_of(kind, name)
        assert isinstance(build(kind, name), protocol)
        assert card.summary.endswith(".")
        assert card.source
        assert all(meaning for *_, meaning in card.parameters), f"{name}: a parameter has no meaning in the docstring"


@pytest.mark.parametrize("name", DEFENSES)
class TestDefense:
    def test_release_conforms_and_states_its_origin(self, name):
        round_ = play()
        release = release_of(name, round_)
        assert isinstance(release, Release)
        assert release.schema.columns == round_.train.schema.columns
        assert release.private_records == 300
        for column in release.schema.columns:
            if column.discrete:
                shares = release.marginal(column.name)
                assert shares.shape == (column.size,)
                assert shares.sum() == pytest.approx(1)
                assert shares.min() >= 0
        names = [column for column in release.schema.names if column != "income"]
        assert release.features(names).shape[1] == release.encode(people().test, names).shape[1]

    def test_same_rng_same_release_and_another_rng_another(self, name):
        round_ = play()
        first, again, other = (arrays_of(release_of(name, round_, seed=seed)) for seed in (0, 0, 1))
        assert same(first, again)
        assert not same(first, other)

    def test_input_is_unchanged(self, name):
        round_ = play()
        before = round_.train.sha256
        release_of(name, round_)
        assert round_.train.sha256 == before

    def test_two_records_are_enough(self, name):
        round_ = play(records=2, targets=1)
        assert arrays_of(release_of(name, round_))["age"].shape == (2,)

    def test_a_claim_is_what_was_asked_for(self, name):
        if "epsilon" not in registry.parameters("defenses", name):
            assert release_of(name, play()).claim is None
            return
        if registry.parameters("defenses", name)["epsilon"].default is None:
            assert release_of(name, play()).claim is None
        for epsilon in (0.1, 1.0, 7.5):
            claim = build("defenses", name, epsilon=epsilon).release(play().train, rng=stream(0)).claim
            # what was spent: never more than was asked for, and little of it wasted
            assert 0.9 * epsilon <= claim.epsilon <= epsilon * (1 + 1e-9)
            assert claim.assumes


# whose secret is the person's place in a roster, not a column: tests/games/test_reidentify.py
OF_PERSONS = {"reidentify"}


@pytest.mark.parametrize("name", [name for name in GAMES if name not in OF_PERSONS])
class TestGame:
    def test_round_is_whole(self, name):
        round_ = play(name)
        people_attacked = len(round_.targets)
        assert people_attacked == len(round_.truth) == len(round_.groups) == len(round_.member)
        assert round_.member.sum() == 40
        assert len(round_.train) == 300
        assert set(round_.targets.schema.names).isdisjoint(round_.truth.schema.names)
        assert round_.truth.schema.names == ("ill",)

    def test_same_rng_same_round(self, name):
        assert play(name).train.sha256 == play(name).train.sha256
        assert play(name).targets.sha256 == play(name).targets.sha256

    def test_a_natural_game_publishes_true_records(self, name):
        original = {row.tobytes() for row in people().records.features()}
        true_rows = [row.tobytes() in original for row in play(name).train.features()]
        assert all(true_rows) == registry.load("games", name).natural

    def test_members_are_in_the_training_data_and_others_are_not(self, name):
        # wage identifies a person
        round_ = play(name)
        inside = np.isin(round_.targets["wage"], round_.train["wage"])
        assert (inside == round_.member).all()

    def test_grants_only_what_is_asked(self, name):
        accepted = registry.parameters("games", name)
        withheld = play(name, roster=False, rows=False, population=0)
        assert withheld.roster is None
        assert withheld.population is None
        assert withheld.rows is None or "rows" not in accepted
        granted = play(name, roster=True, rows=True, population=50)
        assert (granted.roster is not None) == ("roster" in accepted)
        assert len(granted.population) == 50
        assert not np.isin(granted.population["wage"], granted.train["wage"]).any()
        assert not np.isin(granted.population["wage"], granted.targets["wage"]).any()
        # whoever collects reports knows whose they are, asked for or not
        assert (granted.rows is not None) == ("rows" in accepted or granted.reference == "no-report")
        if granted.rows is not None:
            assert (granted.train["wage"][granted.rows] == granted.targets["wage"]).all()

    def test_the_truth_is_out_of_reach(self, name):
        """Walk everything that a view refers to: the true secrets must not be there in any form."""
        round_ = play(name, roster=True, population=50)
        view = round_.view(release_of("ldp", round_), defense=build("defenses", "ldp"))
        reached = reachable_arrays(view)
        truth, member = round_.truth["ill"], round_.member
        assert len(reached) > 5
        for array in reached:
            assert array is not truth
            assert array is not member
            assert not np.shares_memory(array, truth)
            assert not np.shares_memory(array, round_.train["ill"])
            if array.ndim == 1 and len(array) == len(truth):
                assert not np.array_equal(array, truth)
            if array.ndim == 1 and len(array) == len(round_.train):
                assert not np.array_equal(array, round_.train["ill"])

    def test_members_and_controls_are_shuffled_together(self, name):
        round_ = play(name)
        assert round_.member.all() == (round_.reference != "controls")
        if round_.reference == "controls":
            position = np.arange(len(round_.member))
            correlation = np.corrcoef(position, round_.member)[0, 1]
            assert abs(correlation) < 4 / np.sqrt(len(position))


def reachable_arrays(start: object) -> list[np.ndarray]:
    """Return every array reachable from an object by references; modules and classes lead out of the view."""
    seen, stack, found = set(), [start], []
    while stack:
        item = stack.pop()
        if id(item) in seen or isinstance(item, type) or type(item).__name__ in ("module", "function", "builtin"):
            continue
        seen.add(id(item))
        if isinstance(item, np.ndarray):
            found.append(item)
            if item.base is not None:
                stack.append(item.base)
        stack.extend(gc.get_referents(item))
    return found


@cache
def seen(defense: str, question: str, rows: int | None = None) -> View:
    """Return the view of a release, or of its first few rows alone: one for all attacks, which may not change it."""
    secrets, known = QUESTIONS[question]
    if defense == "ldp":  # generalised randomised response takes discrete columns only
        secrets = tuple("ill" if name == "wage" else name for name in secrets)
    round_ = play("randomised", secrets=secrets, known=known, rows=True, population=50)
    view = round_.view(release_of(defense, round_), defense=build("defenses", defense))
    if rows is None:
        return view
    assert isinstance(view.release, SyntheticTable)
    return replace(view, release=SyntheticTable(view.release.table.take(np.arange(rows)), private_records=300))


# (defense, question) and (defense, question, rows); a collection has a report a person, so no fewer
WHOLE = list(product(RELEASES, QUESTIONS))
FEW = list(product([defense for defense in RELEASES if defense != "ldp"], QUESTIONS, [1, 0]))


def applies_to(name: str, views: list[tuple]) -> list[tuple]:
    """Return the views that an attack does not skip."""
    attack = build("attacks", name)
    return [given for given in views if attack.skip(seen(*given)) is None]


def applying(views: list[tuple]) -> pytest.MarkDecorator:
    """Run a test with every attack and every view that it applies to."""
    cases = [(name, given) for name in ATTACKS for given in applies_to(name, views)]
    return pytest.mark.parametrize(
        ("name", "given"), cases, ids=[" ".join(map(str, (name, *given))) for name, given in cases]
    )


@pytest.mark.parametrize("name", ATTACKS)
def test_it_applies_somewhere(name):
    """An attack that skips every view keeps its contract by doing nothing; the few that must are tested elsewhere."""
    assert bool(applies_to(name, WHOLE)) == (name not in ELSEWHERE)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_that_does_not_apply_says_why(name):
    attack = build("attacks", name)
    for given in (*WHOLE, *FEW):
        reason = attack.skip(seen(*given))
        assert reason is None or len(reason.split()) > 4, "a skip is a sentence"
        assert reason is None or len(reason.splitlines()) == 1, "one sentence is one line"


def infer(name: str, view: View) -> Guess:
    return build("attacks", name).infer(view, rng=stream(0, "attack"))


@applying(WHOLE)
class TestAttack:
    def test_guess_keeps_its_contract(self, name, given):
        infer(name, seen(*given)).check(seen(*given))

    def test_same_rng_same_guess(self, name, given):
        first, again = infer(name, seen(*given)), infer(name, seen(*given))
        assert same(first.answers, again.answers)

    def test_input_is_unchanged(self, name, given):
        view = seen(*given)
        before = view.targets.sha256, {k: v.copy() for k, v in arrays_of(view.release).items()}
        infer(name, view)
        assert view.targets.sha256 == before[0]
        assert same(before[1], arrays_of(view.release))

    def test_order_of_targets_is_irrelevant(self, name, given):
        view = seen(*given)
        order = stream(5, "order").permutation(len(view.targets))
        turned = replace(view, targets=view.targets.take(order), rows=view.rows[order])
        first, second = infer(name, view), infer(name, turned)
        for secret, answer in first.answers.items():
            np.testing.assert_allclose(answer[order], second.answers[secret], atol=1e-9)


@applying(FEW)
def test_one_released_row_or_none_is_enough(name, given):
    infer(name, seen(*given)).check(seen(*given))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("shape", "must have shape"),
        ("sum", "sum to 1"),
        ("nan", "not finite"),
        ("missing", "must answer each secret"),
        ("negative", "sum to 1"),
    ],
)
def test_a_guess_that_breaks_the_contract_is_refused(wrong, said):
    round_ = play()
    view = round_.view(release_of("resample", round_))
    answer = np.full((80, 3), 1 / 3)
    answers = {
        "shape": {"ill": answer[:, :2]},
        "sum": {"ill": answer * 2},
        "nan": {"ill": answer * np.nan},
        "missing": {},
        "negative": {"ill": np.tile([2.0, -1.0, 0.0], (80, 1))},
    }[wrong]
    with pytest.raises(ContractError, match=said):
        Guess(answers).check(view)


def test_contracts_and_scorers_know_the_same_references():
    """Neither imports the other, so each has the list."""
    assert get_args(contracts.Reference) == get_args(compare.Reference)


def test_reports_of_a_release_are_not_its_values():
    round_ = play()
    release = release_of("ldp", round_)
    assert isinstance(release, Reports)
    assert set(release.clear.schema.names) == set(Table.select(round_.train, release.clear.schema.names).schema.names)
    assert "ill" not in release.clear.schema
