"""Figures on single people: joined across attacks, kept however a run went, with no column that should not be there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

import privbench
from privbench import registry
from privbench.people import FIGURES, IDENTITY
from privbench.report.exposure import FIGURES as JOINED
from privbench.store import Store
from tests.people import people

KNOWN = ["age", "race", "education"]
CONFIG = {
    "secrets": ["sex"],
    "known": KNOWN,
    "records": 400,
    "games": [
        {"name": "randomised", "targets": 60},
        {"name": "holdout", "targets": 60},
        {"name": "report", "targets": 60},
    ],
    "defenses": ["identity", {"name": "independent-histogram", "epsilon": 1}, {"name": "ldp", "epsilon": 2}],
    "attacks": ["majority", "cap", "nearest-neighbour", "report-bayes"],
    "downstream": {"models": []},
    "seeds": 2,
}
ONE = {**CONFIG, "games": CONFIG["games"][1:2], "defenses": ["identity"], "attacks": ["cap", "nearest-neighbour"]}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> privbench.Result:
    return privbench.run(CONFIG, out=tmp_path_factory.mktemp("undisturbed"), workers=1, quiet=True)


def own_file(folder, *, rename=None, records=600):
    path = folder / "people.csv"
    people(records, 1).records.to_frame().rename(columns=rename or {}).to_csv(path, index=False)
    return {"path": str(path)}


def test_no_column_but_the_known_ones_and_figures(undisturbed):
    known = [f"known.{name}" for name in KNOWN]
    for path in (undisturbed.folder / "people").iterdir():
        assert tuple(parquet.read_schema(path).names) == FIGURES
    for path in (undisturbed.folder / "targets").iterdir():
        assert parquet.read_schema(path).names == [*IDENTITY, *known]
    assert list(undisturbed.people.columns) == [*JOINED, *known]


def test_one_file_a_cell_with_figures_and_one_a_round(undisturbed):
    attacked = undisturbed.frame[undisturbed.frame["attack"].notna() & (undisturbed.frame["status"] == "ok")]
    assert {path.stem for path in (undisturbed.folder / "people").iterdir()} == set(attacked["key"])
    assert len(list((undisturbed.folder / "targets").iterdir())) == len(CONFIG["games"]) * 2


def test_figures_are_those_of_the_rows(undisturbed):
    figures, _ = Store(undisturbed.folder).read_people(undisturbed.frame["key"])
    accuracy = undisturbed.frame[(undisturbed.frame["metric"] == "accuracy") & undisturbed.frame["group"].isna()]
    members = figures[figures["member"]].groupby("key")
    assert members["right"].mean().to_dict() == pytest.approx(accuracy.set_index("key")["value"].to_dict(), abs=1e-6)
    assert set(members.size()) == {60}
    exact = accuracy[accuracy["game"] != "holdout"].set_index("key")["advantage"]
    gains = (figures["right"] - figures["right_baseline"]).groupby(figures["key"]).mean()
    assert gains[exact.index].to_dict() == pytest.approx(exact.to_dict(), abs=1e-6)


def test_attacks_and_defenses_of_a_seed_are_about_the_same_people(undisturbed):
    figures, targets = Store(undisturbed.folder).read_people(undisturbed.frame["key"])
    assert (figures.groupby(["round", "person"])["member"].nunique() == 1).all()
    assert not targets.duplicated(["round", "person"]).any()
    table = undisturbed.people
    holdout = table[(table["game"] == "holdout") & (table["seed"] == 0) & (table["seeds"] == 1)]
    shown = holdout.groupby("person")[["known.age", "known.race", "member"]].nunique()
    assert len(shown) > 10
    assert (shown == 1).all(axis=None)
    assert (table.loc[table["game"] == "holdout", "attacks"] % 2 == 0).all()


def test_decoys_are_only_where_secrets_are_random_and_controls_only_in_holdout(undisturbed):
    figures, _ = Store(undisturbed.folder).read_people(undisturbed.frame["key"])
    game = undisturbed.frame.drop_duplicates("key").set_index("key")["game"]
    by_game = figures.groupby(figures["key"].map(game))
    assert by_game["decoy"].apply(lambda d: d.notna().mean()).to_dict() == {"holdout": 0, "randomised": 1, "report": 0}
    assert by_game["member"].mean().to_dict() == {"holdout": 0.5, "randomised": 1, "report": 1}


def test_a_record_is_named_where_no_other_one_is_like_it(undisturbed):
    records = registry.load("datasets", "adult")().records.select(KNOWN).to_frame()
    table = undisturbed.people.dropna(subset="record")
    assert len(table) > 10
    found = records.iloc[table["record"].astype(int)]
    for name in KNOWN:
        assert found[name].astype(str).tolist() == table[f"known.{name}"].astype(str).tolist()
    twins = records.duplicated(keep=False).to_numpy()
    assert not twins[table["record"].astype(int)].any()


def test_rarity_counts_training_records(undisturbed):
    table = undisturbed.people
    assert set(table["rare_of"]) == {400}
    assert table.loc[table["member"], "rare_count"].min() >= 1
    assert table["rare_count"].max() <= 400
    assert set("; ".join(table["rare_in"]).replace(" x ", "; ").split("; ")) <= set(KNOWN)


def test_the_records_of_a_file_stand_out_and_those_of_an_independent_release_do_not(tmp_path):
    config = {
        **CONFIG,
        "dataset": own_file(tmp_path, records=1500),
        "secrets": ["ill"],
        "known": ["age", "wage"],
        "games": [{"name": "randomised", "targets": 150}, {"name": "holdout", "targets": 150}],
        "defenses": ["identity", {"name": "independent-histogram", "epsilon": 1}],
        "attacks": ["nearest-neighbour", {"name": "random-forest", "trees": 10}],
    }
    result = privbench.run(config, out=tmp_path / "out", workers=1, quiet=True)
    members = result.people[result.people["member"]]
    out = members.groupby(["game", "defense"])["stands_out"].sum()
    assert out["randomised", "identity"] > 200  # of 300, and about 150 of them in each seed
    assert out["holdout", "identity"] > 20
    assert out["randomised", "independent-histogram epsilon=1"] == 0
    assert out["holdout", "independent-histogram epsilon=1"] == 0
    first = members[(members["game"] == "randomised") & (members["defense"] == "identity")].iloc[0]
    assert first["right"] == 1
    assert first["advantage"] == pytest.approx(2 / 3, abs=0.1)
    again = members[members["seeds"] == 2]
    assert len(again) > 5, "nobody was attacked in both seeds"
    assert (again["answers"] > 1.9).all()


def test_a_run_that_was_broken_off_loses_nobody(undisturbed, tmp_path, monkeypatch):
    write, left = Store.write, [4]

    def breaks(store, key, rows, *, people=None):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        write(store, key, rows, people=people)

    monkeypatch.setattr(Store, "write", breaks)
    with pytest.raises(KeyboardInterrupt):
        privbench.run(CONFIG, out=tmp_path, workers=1, quiet=True)
    monkeypatch.setattr(Store, "write", write)
    half = {path: path.stat().st_mtime_ns for path in (tmp_path / "people").iterdir()}
    assert half
    result = privbench.run(CONFIG, out=tmp_path, workers=1, quiet=True)
    assert all(path.stat().st_mtime_ns == before for path, before in half.items())
    pd.testing.assert_frame_equal(result.people, undisturbed.people)


def test_people_are_kept_before_the_rows_that_make_a_cell_finished(tmp_path, monkeypatch):
    from privbench import store

    write, seen = store.write_atomically, []

    def records(path, content):
        seen.append(path.parent.name)
        write(path, content)

    monkeypatch.setattr(store, "write_atomically", records)
    privbench.run({**ONE, "seeds": 1}, out=tmp_path, workers=1, quiet=True)
    order = [name for name in seen if name in ("targets", "people", "cells")]
    assert order[:5] == ["targets", "people", "cells", "people", "cells"]


def test_people_do_not_depend_on_how_a_run_was_split(undisturbed, tmp_path):
    for attacks in (["cap"], CONFIG["attacks"]):
        result = privbench.run({**CONFIG, "attacks": attacks}, out=tmp_path, workers=2, quiet=True)
    pd.testing.assert_frame_equal(result.people, undisturbed.people)


def test_a_folder_of_an_earlier_version_opens(undisturbed, tmp_path):
    privbench.run(ONE, out=tmp_path, workers=1, quiet=True).write_report()
    assert (tmp_path / "exposed.csv").exists()
    for path in [*(tmp_path / "people").iterdir(), *(tmp_path / "targets").iterdir()]:
        path.unlink()
    result = privbench.Result.load(tmp_path)
    assert result.people.empty
    assert tuple(result.people.columns) == JOINED
    assert "No figures on single people" in result.write_report().read_text()
    assert not (tmp_path / "exposed.csv").exists(), "it was about another run"


def test_the_file_of_the_exposed_stays_with_the_results(tmp_path):
    result = privbench.run(ONE, out=tmp_path / "out", workers=1, quiet=True)
    result.write_report(tmp_path / "elsewhere" / "page.html")
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["page.html"]
    assert (tmp_path / "out" / "exposed.csv").stat().st_mode & 0o777 == 0o600
    listed = pd.read_csv(tmp_path / "out" / "exposed.csv")
    expected = result.people[result.people["member"]].head(100)
    assert listed["person"].tolist() == expected["person"].tolist()
    assert listed["known.education"].tolist() == expected["known.education"].tolist()


@pytest.mark.parametrize("known", [["person", "member", "Age", "age"], []])
def test_any_names_of_columns_and_none_will_do(tmp_path, known):
    data = own_file(tmp_path, rename={"age": "person", "grade": "member", "work": "Age", "wage": "age"})
    config = {
        **ONE,
        "dataset": data,
        "secrets": ["ill"],
        "known": known,
        "attacks": ["cap"] if known else ["report-bayes"],
    }
    config |= (
        {} if known else {"games": [{"name": "report", "targets": 60}], "defenses": [{"name": "ldp", "epsilon": 2}]}
    )
    result = privbench.run(config, out=tmp_path / "out", workers=1, quiet=True)
    assert len(result.failures) == 0
    assert list(result.people.columns) == [*JOINED, *(f"known.{name}" for name in known)]
    assert result.people["seeds"].sum() == (240 if known else 120)
    result.write_report()


def test_several_secrets_and_a_continuous_one(tmp_path):
    config = {**ONE, "secrets": ["age", "sex"], "known": ["race", "education"], "games": CONFIG["games"][:2]}
    result = privbench.run(config, out=tmp_path, workers=1, quiet=True)
    assert len(result.failures) == 0
    table = result.people
    assert set(table["secret"]) == {"age", "sex"}
    assert table["probability"].between(0, 1).all()
    assert np.isfinite(table[["advantage", "low", "high"]].to_numpy(dtype=float)).all()
    metrics = set(result.frame.loc[result.frame["secret"] == "age", "metric"])
    assert {"interval_coverage_50", "interval_coverage_95"} <= metrics
    assert "reliability_90_100" in set(result.frame.loc[result.frame["secret"] == "sex", "metric"])
    result.write_report()
