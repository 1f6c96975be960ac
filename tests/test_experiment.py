"""The config: checked whole before anything runs, and expanded into cells with keys."""

from __future__ import annotations

import json

import pytest

from privbench.errors import InputError
from privbench.experiment import Experiment, default_text

CONFIG = {
    "secrets": ["sex"],
    "records": 200,
    "games": [{"name": "holdout", "targets": 20}],
    "defenses": ["resample", {"name": "ldp", "epsilon": [1, 2]}],
    "attacks": ["majority", {"name": "random-forest", "trees": [5, 10]}],
    "seeds": 2,
}


def trials(**change):
    experiment = Experiment.read({**CONFIG, **change})
    return list(experiment.trials(experiment.load_dataset()))


def test_the_default_config_is_valid_and_commented():
    assert Experiment.read().seed_list() == (0, 1, 2)
    assert default_text().count("#") > 10


def test_grid_is_expanded():
    found = trials()
    assert len(found) == 1 * 3 * 2
    assert {trial.defense.params for trial in found} == {"{}", '{"epsilon":1}', '{"epsilon":2}'}
    # three attacks, one downstream model, the marginals
    assert all(len(trial.cells) == 5 for trial in found)
    keys = [cell.key for trial in found for cell in trial.cells]
    assert len(set(keys)) == len(keys) == 30


def test_a_list_is_the_value_of_a_parameter_that_takes_one():
    (trial, *_) = trials(defenses=[{"name": "ldp", "columns": ["sex", "race"]}], seeds=1)
    assert json.loads(trial.defense.params) == {"columns": ["sex", "race"]}
    assert len(trials(defenses=[{"name": "ldp", "columns": [["sex"], ["sex", "race"]]}], seeds=1)) == 2


def test_a_game_that_alters_records_trains_no_model():
    (trial,) = trials(games=[{"name": "randomised", "targets": 5}], defenses=["identity"], seeds=1)
    assert all(cell.attack for cell in trial.cells)


def test_records_and_known_reach_every_game_that_sets_none_of_its_own():
    (first, second) = trials(
        games=["holdout", {"name": "holdout", "records": 50, "known": ["age"]}],
        defenses=["identity"],
        seeds=1,
        known=["race"],
    )
    assert (json.loads(first.game.params)["records"], first.known) == (200, ("race",))
    assert (json.loads(second.game.params)["records"], second.known) == (50, ("age",))
    assert first.game_label != second.game_label


@pytest.mark.parametrize(
    "change",
    [
        {"records": 201},
        {"secrets": ["race"]},
        {"known": ["age"]},
        {"games": [{"name": "holdout", "targets": 21}]},
        {"games": ["randomised"]},
    ],
)
def test_every_setting_is_part_of_the_key(change):
    before = {cell.key for trial in trials() for cell in trial.cells}
    assert before.isdisjoint(cell.key for trial in trials(**change) for cell in trial.cells)


def test_adding_to_the_grid_keeps_the_keys_that_stand():
    before = {cell.key for trial in trials() for cell in trial.cells}
    after = {cell.key for trial in trials(attacks=[*CONFIG["attacks"], "prior"], seeds=3) for cell in trial.cells}
    assert before < after


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"atacks": []}, ["'atacks'", "did you mean 'attacks'", "--print-config"]),
        ({"attacks": ["forst"]}, ["'forst'", "privbench list attacks"]),
        ({"attacks": []}, ["attacks", "at least 1"]),
        ({"attacks": [{"trees": 3}]}, ["attacks", "'name'"]),
        ({"attacks": ["majority", "majority"]}, ["listed twice", "majority"]),
        ({"defenses": [{"name": "resample", "row": 5}]}, ["'row'", "did you mean 'rows'"]),
        ({"defenses": [{"name": "ldp", "epsilon": []}]}, ["epsilon", "empty list"]),
        ({"defenses": [{"name": "ldp", "epsilon": [1, -1]}]}, ["epsilon", "positive", "-1"]),
        ({"games": ["holdot"]}, ["unknown game", "did you mean 'holdout'"]),
        ({"records": 1}, ["records", "greater than or equal to 2", "got 1"]),
        ({"records": "many"}, ["records", "'many'"]),
        ({"secrets": []}, ["secrets"]),
        ({"seeds": 0}, ["seeds", "at least one"]),
        ({"seeds": [1, 1]}, ["seeds", "1 is listed twice"]),
        ({"seeds": [-1]}, ["seeds", "from 0 to 4294967295"]),
        ({"secrets": ["sex", "sex"]}, ["secrets", "'sex' is listed twice"]),
        ({"known": ["age", "age"]}, ["known", "'age' is listed twice"]),
        ({"downstream": {"models": ["lightgbm", "lightgbm"]}}, ["lightgbm", "listed twice"]),
        ({"defenses": ["resample", {"name": "resample", "rows": None}]}, ["resample", "listed twice", "once as"]),
        ({"defenses": [{"name": "ldp", "epsilon": [1, 1.0]}]}, ["ldp", "listed twice"]),
        ({"defenses": [{"name": "ldp", "epsilon": True}]}, ["epsilon", "True"]),
        ({"defenses": [{"name": "ldp", "columns": [["sex", "sex"]]}]}, ["columns", "twice"]),
        ({"downstream": {"models": ["xgboost"]}}, ["downstream model", "'xgboost'", "lightgbm"]),
        ({"downstream": {"model": ["lightgbm"]}}, ["downstream", "model"]),
    ],
)
def test_a_bad_config_is_refused_before_anything_runs(change, words):
    with pytest.raises(InputError) as caught:
        Experiment.read({**CONFIG, **change})
    assert all(word in str(caught.value) for word in words), caught.value


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dataset": "adlt"}, ["unknown dataset", "did you mean 'adult'"]),
        ({"secrets": ["sx"]}, ["'sx'", "did you mean 'sex'"]),
        ({"known": ["age", "sex"]}, ["'sex'", "secret too"]),
        ({"known": ["agge"]}, ["'agge'", "did you mean 'age'"]),
        ({"dataset": {"path": "nowhere.csv"}}, ["nowhere.csv"]),
        ({"dataset": {"pth": "x.csv"}}, ["'pth'", "did you mean 'path'"]),
    ],
)
def test_a_config_that_does_not_fit_the_data_is_refused(change, words):
    with pytest.raises(InputError) as caught:
        trials(**change)
    assert all(word in str(caught.value) for word in words), caught.value


def test_one_name_is_a_list_of_one():
    assert Experiment.read({**CONFIG, "secrets": "sex"}).secrets == ("sex",)


def test_versions_of_libraries_are_part_of_the_key(monkeypatch):
    from privbench import code_digest, keys

    before = {cell.key for trial in trials() for cell in trial.cells}
    monkeypatch.setattr(code_digest, "_version", lambda package: "another")
    assert len(before & {cell.key for trial in trials() for cell in trial.cells}) < len(before)
    monkeypatch.undo()
    monkeypatch.setattr(keys, "version", lambda package: "another")
    keys.code_version.cache_clear()
    try:
        assert before.isdisjoint(cell.key for trial in trials() for cell in trial.cells)
    finally:
        keys.code_version.cache_clear()


def test_overrides_reach_into_mappings():
    experiment = Experiment.read(CONFIG, overrides={"downstream.models": ["random-forest"], "seeds": [7, 9]})
    assert experiment.downstream.models == ("random-forest",)
    assert experiment.seed_list() == (7, 9)
    with pytest.raises(InputError, match="no mapping"):
        Experiment.read(CONFIG, overrides={"seeds.x": 1})


@pytest.mark.parametrize(("text", "words"), [("a: [", "not valid YAML"), ("- a", "mapping"), (None, "does not exist")])
def test_an_unreadable_config_file_is_one_sentence(tmp_path, text, words):
    path = tmp_path / "config.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=words) as caught:
        Experiment.read(path)
    assert "\n" not in str(caught.value)
