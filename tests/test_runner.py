"""The runner: same figures however it is run, interrupted or not; a failure is a row, and stops nothing else."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
import yaml
from pyarrow import parquet

import privbench
from privbench.errors import InputError
from privbench.store import Store
from tests.people import people

CONFIG = {
    "secrets": ["sex"],
    "known": ["age", "race", "education"],
    "records": 400,
    "games": [
        {"name": "randomised", "targets": 60},
        {"name": "holdout", "targets": 60},
        {"name": "report", "targets": 60},
    ],
    "defenses": ["resample", {"name": "independent-histogram", "epsilon": [1, 10]}, {"name": "ldp", "epsilon": 2}],
    "attacks": ["majority", {"name": "random-forest", "trees": 10}, "nearest-neighbour", "report-bayes"],
    "downstream": {"models": ["logistic-regression"]},
    "seeds": 2,
}
ONE = {**CONFIG, "games": [{"name": "holdout", "targets": 60}], "defenses": ["resample"], "seeds": 1}


def figures(frame: pd.DataFrame) -> pd.DataFrame:
    """Return everything but how long it took."""
    return frame.drop(columns="seconds").reset_index(drop=True)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> privbench.Result:
    return privbench.run(CONFIG, out=tmp_path_factory.mktemp("undisturbed"), workers=1, quiet=True)


def test_rows_are_whole(undisturbed):
    frame = undisturbed.frame
    assert set(frame["status"]) == {"ok", "skipped"}
    ok = frame[frame["status"] == "ok"]
    assert ok["value"].notna().all()
    assert (ok.loc[ok["low"].notna(), "low"] <= ok.loc[ok["low"].notna(), "value"] + 1e-9).all()
    assert (ok.loc[ok["high"].notna(), "high"] >= ok.loc[ok["high"].notna(), "value"] - 1e-9).all()
    assert frame.loc[frame["status"] == "skipped", "reason"].str.split().str.len().min() > 4
    scored = {"accuracy", "accuracy_advantage", "balanced_accuracy", "auc", "brier", "tpr_at_fpr_1pct", "accuracy_gap"}
    judged = {
        "downstream_accuracy",
        "downstream_auc",
        "demographic_parity_difference",
        "prediction_entropy",
        "tvd_2way",
    }
    assert scored | judged <= set(ok["metric"])
    assert ok.loc[ok["metric"] == "accuracy", "n"].notna().all()
    budgets = frame[frame["defense"] == "independent-histogram"]
    assert set(budgets["epsilon"]) == {1.0, 10.0}
    assert frame.loc[frame["defense"] == "resample", "epsilon"].isna().all()


def test_fairness_and_utility_come_from_games_that_leave_records_as_they_are(undisturbed):
    frame = undisturbed.frame
    assert set(frame.loc[frame["model"].notna(), "game"]) == {"holdout", "report"}
    identity_like = frame[(frame["metric"] == "downstream_accuracy") & (frame["status"] == "ok")]
    assert identity_like["baseline"].between(0.6, 1).all()


def test_every_defense_faces_the_same_people(undisturbed):
    rows = undisturbed.frame
    # the majority value of the controls does not depend on the release where both releases agree on it
    majority = rows[(rows["attack"] == "majority") & (rows["metric"] == "accuracy") & rows["group"].isna()]
    for _, same_round in majority[majority["game"] == "holdout"].groupby("seed"):
        assert same_round["value"].nunique() == 1


def test_figures_do_not_depend_on_the_number_of_workers(undisturbed, tmp_path):
    two = privbench.run(CONFIG, out=tmp_path, workers=2, quiet=True)
    pd.testing.assert_frame_equal(figures(two.frame), figures(undisturbed.frame))


def test_a_second_run_runs_nothing_and_returns_the_same(undisturbed):
    before = {path: path.stat().st_mtime_ns for path in (undisturbed.folder / "cells").iterdir()}
    again = privbench.run(CONFIG, out=undisturbed.folder, workers=1, quiet=True)
    assert {path: path.stat().st_mtime_ns for path in (undisturbed.folder / "cells").iterdir()} == before
    pd.testing.assert_frame_equal(again.frame, undisturbed.frame)


def test_another_seed_gives_other_figures(undisturbed):
    frame = undisturbed.frame
    rows = frame[(frame["metric"] == "brier") & (frame["attack"] == "random-forest") & frame["group"].isna()]
    assert rows.groupby(["game", "defense", "defense_params"])["value"].nunique().min() == 2


def test_a_reused_release_gives_the_figures_of_a_fresh_one(undisturbed, tmp_path):
    few = {**CONFIG, "attacks": ["majority"]}
    privbench.run(few, out=tmp_path, workers=1, quiet=True)
    cached = {path: path.stat().st_mtime_ns for path in (tmp_path / "releases").iterdir()}
    whole = privbench.run(CONFIG, out=tmp_path, workers=1, quiet=True)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "releases").iterdir()} == cached
    pd.testing.assert_frame_equal(figures(whole.frame), figures(undisturbed.frame))


@pytest.mark.parametrize("wait", [0.0, 0.4, 0.9])
def test_killed_and_started_again_it_ends_with_the_same_rows(undisturbed, tmp_path, wait):
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(CONFIG))
    command = [sys.executable, "-m", "privbench", "run", str(config), "--out", str(tmp_path / "out"), "--workers", "1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    cells = tmp_path / "out" / "cells"
    limit = time.monotonic() + 60
    while not (cells.exists() and any(cells.iterdir())):
        assert process.poll() is None
        assert time.monotonic() < limit
        time.sleep(0.01)
    time.sleep(wait)
    process.send_signal(signal.SIGKILL)
    process.wait()
    written = len(list(cells.glob("*.parquet")))
    total = undisturbed.frame["key"].nunique()
    assert written < total, "the kill came too late to disturb anything"
    resumed = privbench.run(CONFIG, out=tmp_path / "out", workers=1, quiet=True)
    pd.testing.assert_frame_equal(figures(resumed.frame), figures(undisturbed.frame))


def test_a_half_written_file_is_never_read(tmp_path):
    store = Store(tmp_path)

    def breaks(path):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    from privbench.atomic import write_atomically

    with pytest.raises(KeyboardInterrupt):
        write_atomically(store.cell("k"), breaks)
    assert list(store.cell("k").parent.iterdir()) == []
    assert store.finished(["k"]) == set()


def test_a_failing_attack_is_a_row_with_its_reason_and_stops_nothing(trouble, tmp_path):
    result = privbench.run(
        {**ONE, "attacks": ["majority", "raises", "wrong-shape"]}, out=tmp_path, workers=1, quiet=True
    )
    failed = result.failures.set_index("attack")
    assert set(failed.index) == {"raises", "wrong-shape"}
    assert failed.loc["raises", "status"] == "failed"
    reason = failed.loc["raises", "reason"]
    assert reason.startswith("RuntimeError: the attack broke in two lines (trouble_plugins.py, line ")
    assert "must have shape (120, 2)" in failed.loc["wrong-shape", "reason"]
    assert (result.frame.loc[result.frame["attack"] == "majority", "status"] == "ok").all()
    assert "downstream_accuracy" in set(result.frame["metric"].dropna())


def test_a_failure_is_tried_again_and_replaced(trouble, tmp_path):
    config = {**ONE, "attacks": ["majority", "raises"]}
    privbench.run(config, out=tmp_path, workers=1, quiet=True)
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "cells").iterdir()}
    again = privbench.run(config, out=tmp_path, workers=1, quiet=True)
    changed = [path for path in (tmp_path / "cells").iterdir() if times[path] != path.stat().st_mtime_ns]
    assert len(changed) == 1
    assert len(again.failures) == 1


def test_a_defense_that_cannot_run_is_a_row_for_each_of_its_cells(trouble, tmp_path):
    config = {**ONE, "defenses": ["not-installed", "wrong-columns", "resample"], "attacks": ["majority"]}
    result = privbench.run(config, out=tmp_path, workers=1, quiet=True)
    status = result.frame.groupby("defense")["status"].agg(set).to_dict()
    assert status == {"not-installed": {"unavailable"}, "wrong-columns": {"failed"}, "resample": {"ok"}}
    reasons = result.failures.groupby("defense")["reason"].first()
    assert "pip install 'privbench[generators]'" in reasons["not-installed"]
    assert "must release the columns" in reasons["wrong-columns"]
    # an attack, a downstream model, the marginals
    assert (result.failures.groupby("defense")["key"].nunique() == 3).all()


def test_a_worker_that_dies_is_recorded_and_the_others_go_on(trouble, tmp_path):
    config = {**ONE, "defenses": ["dies", "resample", "identity"], "attacks": ["majority"], "seeds": 2}
    result = privbench.run(config, out=tmp_path, workers=2, quiet=True)
    assert set(result.failures["defense"]) == {"dies"}
    assert result.failures["reason"].str.contains("worker process died").all()
    assert result.frame[result.frame["status"] == "ok"].groupby("defense")["seed"].nunique().to_dict() == {
        "identity": 2,
        "resample": 2,
    }


@pytest.mark.parametrize("workers", [1, 2])
def test_a_plugin_that_ends_the_program_is_a_row(trouble, tmp_path, workers):
    result = privbench.run({**ONE, "attacks": ["exits", "majority"]}, out=tmp_path, workers=workers, quiet=True)
    assert result.failures["reason"].str.startswith("SystemExit: 0").all()
    assert set(result.failures["attack"]) == {"exits"}
    assert "downstream_accuracy" in set(result.frame["metric"].dropna())


def test_an_attack_that_kills_its_worker_costs_its_own_cell_only(trouble, tmp_path):
    config = {**ONE, "attacks": ["majority", "kills", "nearest-neighbour"], "seeds": 2}
    result = privbench.run(config, out=tmp_path, workers=2, quiet=True)
    assert result.failures[["attack", "seed"]].to_numpy().tolist() == [["kills", 0], ["kills", 1]]
    assert result.failures["reason"].str.contains("worker process died").all()
    assert set(result.frame.loc[result.frame["status"] == "ok", "attack"].dropna()) == {"majority", "nearest-neighbour"}


def test_a_defense_keeps_nothing_for_the_attack_and_one_attack_spoils_nothing_for_the_next(trouble, tmp_path):
    config = {**ONE, "defenses": ["remembers"], "attacks": ["reads-defense", "spoils", "nearest-neighbour"]}
    result = privbench.run(config, out=tmp_path, workers=1, quiet=True)
    reasons = result.failures.set_index("attack")["reason"]
    assert reasons["reads-defense"].startswith("RuntimeError: the defense kept nothing")
    assert "does not support item" in reasons["spoils"]
    alone = privbench.run({**config, "attacks": ["nearest-neighbour"]}, out=tmp_path / "b", workers=1, quiet=True)
    attacked = result.frame[result.frame["attack"] == "nearest-neighbour"]
    expected = alone.frame[alone.frame["attack"] == "nearest-neighbour"]
    pd.testing.assert_frame_equal(figures(attacked), figures(expected))


def test_a_game_that_breaks_is_a_row_and_stops_no_other(trouble, tmp_path):
    config = {**ONE, "games": ["stumbles", *ONE["games"]], "defenses": ["widths"], "attacks": ["majority"]}
    result = privbench.run(config, out=tmp_path, workers=1, quiet=True)
    assert set(result.failures["game"]) == {"stumbles"}
    assert result.failures["reason"].str.startswith("RuntimeError: the game broke").all()
    assert set(result.frame.loc[result.frame["status"] == "ok", "game"]) == {"holdout"}


def test_a_secret_that_a_defense_cannot_treat_is_skipped(tmp_path):
    ldp = {"name": "ldp", "allocation": "k-based"}
    config = {**ONE, "secrets": ["age"], "known": ["race", "sex"], "defenses": [ldp, "resample"]}
    result = privbench.run(config, out=tmp_path, workers=1, quiet=True)
    mine = result.frame[result.frame["defense"] == "ldp"]
    assert set(mine["status"]) == {"skipped"}
    assert mine["reason"].str.contains("'age' is continuous").all()
    assert len(result.failures) == 0


def test_a_rewritten_file_is_read_anew(tmp_path):
    path = tmp_path / "people.csv"
    people(300, 60).records.to_frame().to_csv(path, index=False)
    config = {**ONE, "dataset": {"path": str(path)}, "secrets": ["sex"], "known": ["age"], "records": 100}
    first = privbench.run(config, out=tmp_path / "out", workers=1, quiet=True)
    people(300, 60, seed=1).records.to_frame().to_csv(path, index=False)
    second = privbench.run(config, out=tmp_path / "out", workers=1, quiet=True)
    assert first.manifest["dataset"]["sha256"] != second.manifest["dataset"]["sha256"]
    assert set(first.frame["key"]).isdisjoint(second.frame["key"])


def test_a_relative_path_means_the_same_file_everywhere(tmp_path, monkeypatch):
    for name, seed in (("a", 0), ("b", 1)):
        (tmp_path / name).mkdir()
        people(300, 60, seed=seed).records.to_frame().to_csv(tmp_path / name / "people.csv", index=False)
    config = {
        **ONE,
        "dataset": {"path": "people.csv"},
        "secrets": ["sex"],
        "known": ["age"],
        "records": 100,
        "seeds": 3,
    }
    digests = set()
    for name in ("a", "b"):
        monkeypatch.chdir(tmp_path / name)
        result = privbench.run(config, out=tmp_path / f"out-{name}", workers=2, quiet=True)
        assert len(result.failures) == 0
        digests.add(result.manifest["dataset"]["sha256"])
    assert len(digests) == 2


def test_damaged_files_are_made_again_or_a_sentence(tmp_path):
    whole = privbench.run(ONE, out=tmp_path, workers=1, quiet=True)
    for path in [*(tmp_path / "cells").iterdir(), *(tmp_path / "releases").glob("*.pickle")]:
        path.write_bytes(b"")
    (tmp_path / "cells" / ".k.parquet.0.part").write_bytes(b"half")
    again = privbench.run(ONE, out=tmp_path, workers=1, quiet=True)
    pd.testing.assert_frame_equal(figures(again.frame), figures(whole.frame))
    assert not list(tmp_path.rglob("*.part"))
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(InputError, match="damaged"):
        privbench.Result.load(tmp_path)


def test_two_runs_do_not_write_into_one_folder(tmp_path):
    with Store(tmp_path).locked(), pytest.raises(InputError, match="another run is writing"):
        privbench.run(ONE, out=tmp_path, workers=1, quiet=True)
    privbench.run(ONE, out=tmp_path, workers=1, quiet=True)


def test_a_full_disk_is_one_sentence_and_what_is_finished_is_kept(tmp_path, monkeypatch):
    from privbench import trial

    write, left = Store.write, [2]

    def fills(store, key, rows, *, people=None):
        left[0] -= 1
        if left[0] < 0:
            monkeypatch.setattr(parquet, "write_table", full)
        write(store, key, rows, people=people)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    original = parquet.write_table
    monkeypatch.setattr(trial.Store, "write", fills)
    with pytest.raises(InputError, match="No space left on device"):
        privbench.run(ONE, out=tmp_path, workers=1, quiet=True)
    assert len(list((tmp_path / "cells").iterdir())) == 2
    monkeypatch.setattr(parquet, "write_table", original)
    left[0] = 1000
    assert len(privbench.run(ONE, out=tmp_path, workers=1, quiet=True).failures) == 0


def test_workers_end_with_the_run_that_started_them(trouble, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump({**ONE, "attacks": [{"name": "slow", "seconds": 60}], "seeds": 2}))
    command = [sys.executable, "-m", "privbench", "run", str(config), "--out", str(tmp_path / "out"), "--workers", "2"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)

    def members() -> list[str]:
        found = subprocess.run(["ps", "-eo", "sess=,pid=,args="], capture_output=True, text=True, check=True).stdout
        return [line for line in found.splitlines() if line.split()[0] == str(process.pid) and "defunct" not in line]

    limit = time.monotonic() + 60
    while len(list((tmp_path / "out").glob("releases/*.pickle"))) < 2:
        assert time.monotonic() < limit
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    limit = time.monotonic() + 20
    while members():
        assert time.monotonic() < limit, members()
        time.sleep(0.2)


def test_a_cluster_gives_the_same_figures(undisturbed, tmp_path):
    distributed = pytest.importorskip("distributed")
    config = {**CONFIG, "defenses": CONFIG["defenses"][:2], "seeds": 1}
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        result = privbench.run(config, out=tmp_path, scheduler=cluster.scheduler_address, quiet=True)
    whole = undisturbed.frame
    expected = whole[whole["key"].isin(result.frame["key"])]
    pd.testing.assert_frame_equal(figures(result.frame), figures(expected))


def test_an_attack_that_kills_a_worker_of_a_cluster_costs_its_own_cell_only(trouble, tmp_path):
    distributed = pytest.importorskip("distributed")
    config = {**ONE, "attacks": ["majority", "kills"]}
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        result = privbench.run(config, out=tmp_path, scheduler=cluster.scheduler_address, quiet=True)
    assert result.failures["attack"].tolist() == ["kills"]
    assert result.failures["reason"].str.contains("worker process died").all()
    assert "majority" in set(result.frame.loc[result.frame["status"] == "ok", "attack"].dropna())


def test_a_scheduler_that_does_not_answer_is_one_sentence(tmp_path):
    pytest.importorskip("distributed")
    with pytest.raises(InputError, match="does not answer"):
        privbench.run(ONE, out=tmp_path, scheduler="tcp://127.0.0.1:9", quiet=True)


def test_nothing_is_run_when_the_input_is_bad(tmp_path):
    with pytest.raises(InputError, match="workers"):
        privbench.run(ONE, out=tmp_path / "a", workers=0)
    for change, words in (
        ({"secrets": ["sx"]}, "unknown column"),
        ({"records": 40_000}, "32561 records"),
        ({"games": [{"name": "holdout", "targets": 401}]}, "targets: got 401"),
        ({"defenses": [{"name": "ldp", "columns": ["nope"]}]}, "unknown column in columns"),
    ):
        with pytest.raises(InputError, match=words):
            privbench.run({**ONE, **change}, out=tmp_path / "b")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be made a folder"):
        privbench.run(ONE, out=tmp_path / "file", quiet=True)
    assert not (tmp_path / "a").exists()
    assert not (tmp_path / "b").exists()


def test_progress_is_plain_lines_away_from_a_terminal(tmp_path, capsys):
    privbench.run(ONE, out=tmp_path, workers=1)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "[1/1] holdout / resample{} / seed 0: 5 ok, 1 skipped; about 0 s left" in shown.err


def test_results_say_what_they_are(undisturbed):
    manifest = undisturbed.manifest
    assert yaml.safe_load(manifest["config"])["secrets"] == ["sex"]
    assert manifest["dataset"]["name"] == "adult"
    assert "CC BY 4.0" in manifest["dataset"]["source"]
    assert {claim["defense"] for claim in manifest["claims"]} == {"independent-histogram", "ldp"}
    assert all(claim["assumes"] for claim in manifest["claims"])
    assert manifest["versions"]["privbench"] == privbench.__version__
