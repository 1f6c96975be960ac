"""The game whose secret is the person: the roster, its order, and what is scored."""

from __future__ import annotations

import numpy as np
import pytest

import privbench
from privbench import registry
from privbench.errors import InputError
from privbench.games.reidentify import IDENTITY
from privbench.release import SyntheticTable
from privbench.rng import stream
from tests.people import people

SECRETS = ("grade", "ill", "sex")


def play(**params):
    game = registry.make("games", "reidentify", {"targets": 40, "records": 300, **params})
    return game, game.play(people(), SECRETS, rng=stream(0, "game"))


@pytest.mark.parametrize("candidates", [None, 300, 120, 40])
def test_the_identity_is_the_place_in_the_roster(candidates):
    _, round_ = play(candidates=candidates)
    assert len(round_.roster) == round_.truth.schema[IDENTITY].size == (candidates or 300)
    assert round_.roster.schema.names == SECRETS
    place = round_.truth[IDENTITY]
    assert len(set(place)) == 40
    for name in SECRETS:
        assert (round_.roster[name][place] == round_.train[name][round_.rows]).all()
    # the order of the roster tells nothing of who is a target
    assert abs(np.corrcoef(np.arange(40), place)[0, 1]) < 4 / np.sqrt(40)


def test_nothing_else_is_known_and_the_baseline_is_chance():
    _, round_ = play()
    assert round_.targets.schema.names == ()
    assert len(round_.targets) == 40
    assert round_.reference == "chance"
    assert round_.member.all()


@pytest.mark.parametrize("params", [{"candidates": 39}, {"targets": 0}, {"candidates": 301}])
def test_impossible_numbers_are_refused(params):
    with pytest.raises(InputError, match=r"candidates|targets"):
        play(**params)


def test_a_table_cannot_be_asked_whose_report_it_is():
    game, round_ = play()
    assert "no" in game.skip(SyntheticTable(round_.train, len(round_.train)))


def test_a_run_has_top_1_and_top_10_over_chance_and_skips_what_guesses_columns(tmp_path):
    config = {
        "dataset": "adult",
        "records": 500,
        "secrets": ["education", "occupation", "relationship", "sex"],
        "games": [{"name": "reidentify", "targets": 200}, {"name": "report", "targets": 50}],
        "defenses": [{"name": "ldp", "epsilon": [1, 80]}, "resample"],
        "attacks": ["reidentification", "majority", "report-bayes", "random-forest"],
    }
    result = privbench.run(config, out=tmp_path, workers=1, quiet=True)
    assert not len(result.failures)
    result.write_report()  # people of whom nothing is known stand beside those of the other game
    frame = result.frame[result.frame["group"].isna() & (result.frame["game"] == "reidentify")]
    assert set(frame.loc[frame["status"] == "ok", "attack"]) == {"reidentification"}
    found = frame[frame["status"] == "ok"].pivot_table(index="epsilon", columns="metric", values="value")
    assert set(frame["secret"].dropna()) == {IDENTITY}
    # with so much budget a report is the truth: found as often as the four columns tell people apart
    assert found.loc[80.0, "accuracy"] > 0.4
    assert found.loc[80.0, "top_10_accuracy"] > 0.85
    assert found.loc[1.0, "top_10_accuracy"] < 0.2
    assert frame.loc[frame["metric"] == "top_10_accuracy", "baseline"].iloc[0] == pytest.approx(10 / 500)
