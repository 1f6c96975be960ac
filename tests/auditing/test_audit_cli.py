"""`privbench audit`: what it hands on, what it prints where, and its exit status."""

from __future__ import annotations

import json
import os
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from privbench.auditing.result import AuditResult
from privbench.cli import main
from privbench.datasets.alike_options import AlikeOptions
from privbench.record import to_frame
from tests.auditing import example
from tests.people import people


@pytest.fixture
def call(monkeypatch, tmp_path, capsys):
    """Return a function that runs `privbench audit` with a made-up answer: status, both outputs, what was called."""
    monkeypatch.chdir(tmp_path)
    Path("train.csv").write_text('age,sex,"pay, net"\n1,2,3\n')
    calls = []

    def run(*arguments, findings=None, train="train.csv"):
        def audit(*files, **options):
            calls.append((files, options))
            return AuditResult(example.findings() if findings is None else findings, to_frame([]))

        module = ModuleType("privbench.auditing.audit")
        module.audit = audit
        monkeypatch.setitem(sys.modules, "privbench.auditing.audit", module)
        monkeypatch.setattr(sys, "argv", ["privbench", "audit", "synthetic.csv", "--train", train, *arguments])
        status = 0
        try:
            main()
        except SystemExit as stop:
            status = stop.code or 0
        return status, *capsys.readouterr(), calls

    return run


def test_the_defaults_ask_everything_and_write_the_report(call):
    status, out, err, calls = call()
    ((files, options),) = calls
    assert status == 0
    assert files == (Path("train.csv"), Path("synthetic.csv"), None)
    assert options == {
        "secret": None, "known": None, "group": None, "label": None, "attacks": None, "targets": 2000, "seed": 0,
        "time_limit": None, "workers": None, "options": AlikeOptions(), "quiet": False,
    }  # fmt: skip
    assert "Because of this file" in out
    assert "Report: privbench-audit/report.html" in out
    assert "privbench-audit/exposed.csv. Keep it as safe as the data." in out
    assert "Traceback" not in err
    assert Path("privbench-audit/audit.json").exists()


def test_every_option_is_handed_on(call):
    _, _, _, calls = call(
        "--control", "control.csv", "--secret", "age", "--secret", "sex", "--known", "race", "--group", "sex",
        "--label", "income", "--positive", ">50K", "--attacks", "cap", "--targets", "50", "--seed", "3",
        "--time-limit", "9", "--workers", "2", "--delimiter", ";", "--encoding", "latin-1", "--thousands", ".",
        "--decimal", ",", "--dates", "%d.%m.%Y", "--continuous", "age", "--categorical", "zip", "--out", "there",
        "--quiet",
    )  # fmt: skip
    ((files, options),) = calls
    assert files[2] == Path("control.csv")
    assert options == {
        "secret": ("age", "sex"), "known": ("race",), "group": ("sex",), "label": "income", "attacks": ("cap",),
        "targets": 50, "seed": 3, "time_limit": 9.0, "workers": 2, "quiet": True,
        "options": AlikeOptions(label="income", positive=">50K", groups=("sex",), continuous=("age",),
                                categorical=("zip",), delimiter=";", encoding="latin-1", thousands=".", decimal=",",
                                dates="%d.%m.%Y"),
    }  # fmt: skip
    assert Path("there/report.html").exists()


def test_a_list_is_cut_at_its_commas_but_not_within_a_name(call):
    _, _, _, calls = call(
        "--secret", "age, sex", "--known", "pay, net", "--categorical", "age,sex", "--attacks", "cap,ensemble"
    )
    options = calls[0][1]
    assert options["secret"] == ("age", "sex")
    assert options["known"] == ("pay, net",)
    assert options["options"].categorical == ("age", "sex")
    assert options["attacks"] == ("cap", "ensemble")


def test_names_with_commas_are_known_from_compressed_and_parquet_files_too(call):
    import gzip

    frame = pd.DataFrame({"a, b": [1], "c": [2]})
    frame.to_parquet("train.parquet")
    with gzip.open("train.csv.gz", "wt", encoding="utf-8") as file:
        frame.to_csv(file, index=False)
    for train in ("train.parquet", "train.csv.gz"):
        assert call("--secret", "a, b", "--secret", "c,d", train=train)[3][-1][1]["secret"] == ("a, b", "c", "d")


def test_a_file_that_is_not_there_is_left_to_the_reader_of_files(call):
    assert call("--secret", "a,b", train="missing.csv")[3][0][1]["secret"] == ("a", "b")


def test_json_stands_alone_on_standard_output(call):
    status, out, err, _ = call("--json")
    assert status == 0
    assert json.loads(out)["columns"][0]["column"] == "relationship"
    assert out == Path("privbench-audit/audit.json").read_text()
    assert "Report: privbench-audit/report.html" in err


def test_markdown_goes_to_a_file_or_stands_alone(call):
    status, out, _, _ = call("--markdown", "job/summary.md")
    assert status == 0
    assert "Because of this file" in out
    assert Path("job/summary.md").read_text() == Path("privbench-audit/summary.md").read_text()
    _, out, err, _ = call("--markdown", "-")
    assert out == Path("privbench-audit/summary.md").read_text()
    assert "Report:" in err


@pytest.mark.parametrize("how", [[], ["--json"]])
def test_a_crossed_threshold_is_status_1_and_one_line_each(call, how):
    status, out, err, _ = call("--fail-above", "advantage=0.09", "--fail-above", "tvd_1way=0.5", *how)
    assert status == 1
    (line,) = [line for line in err.splitlines() if line.startswith("above the threshold")]
    assert line == "above the threshold: advantage of relationship: 0.1234 [0.0913, 0.1555] exceeds 0.09"
    assert "not asked, so without a threshold: id" in err
    assert Path("privbench-audit/report.html").exists()
    assert not how or json.loads(out)


def test_a_threshold_that_holds_is_status_0(call):
    status, _, err, _ = call("--fail-above", "advantage=0.0914")
    assert status == 0
    assert "above the threshold" not in err


def test_a_crossing_without_a_control_is_said_to_need_no_leakage(call):
    status, _, err, _ = call("--fail-above", "advantage=0.05", findings=example.without_control())
    assert status == 1
    assert "rows that are more regular than real records cross a threshold" in err


def test_a_threshold_beside_a_control_file_with_an_alarm_is_status_2(call):
    found = replace(example.nothing_found(), checks=example.ALARMS[1:])
    status, _, err, _ = call("--fail-above", "advantage=0.2", findings=found)
    assert status == 2
    assert "cannot be judged beside this control file" in err
    assert Path("privbench-audit/report.html").exists()


def test_a_crossing_is_status_1_though_another_threshold_cannot_be_judged(call):
    found = replace(example.small_groups(), groups=())
    status, _, err, _ = call(
        "--group", "race", "--fail-above", "group_advantage=0.1", "--fail-above", "advantage=0.05", findings=found
    )
    assert status == 1
    assert "above the threshold: advantage of relationship" in err
    assert "group_advantage: too few people of race=Other" in err


def test_people_who_stand_out_are_said_beside_a_threshold_that_holds(call):
    status, _, err, _ = call("--fail-above", "advantage=0.05", findings=example.standing_out())
    assert status == 0
    assert "no threshold is about single people (exposed=0), of whom 12 stand out" in err


def test_an_option_that_names_nothing_is_handed_on_as_nothing_not_as_the_default(call):
    options = call("--known", "", "--secret", "", "--group", ",", "--attacks", "")[3][0][1]
    assert [options[name] for name in ("known", "secret", "group", "attacks")] == [(), (), (), ()]


@pytest.mark.parametrize("arguments", [("--out", "new/folder"), ("--markdown", "new/summary.md")])
def test_a_place_that_cannot_be_written_is_refused_before_anything_runs(call, monkeypatch, arguments):
    Path("open").mkdir()

    def refuse(*, dir):  # whoever runs the tests may write everywhere
        if dir.name != "open":
            raise PermissionError(13, "Permission denied")
        return nullcontext()

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    status, out, err, calls = call("--out", "open", *arguments)
    assert (status, out, calls) == (2, "", [])
    assert arguments[1] in err
    assert "nothing can be written there (Permission denied); choose another" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fail-above", "advantag=1"], "did you mean 'advantage'"),
        (["--fail-above", "advantage"], "METRIC=VALUE"),
        (["--fail-above", "advantage=2"], "from 0 to 1"),
        (["--fail-above", "copies=0"], "--control"),
        (["--fail-above", "group_advantage=0"], "--group"),
        (["--json", "--markdown", "-"], "--markdown"),
        (["--markdown", ""], "markdown: the file's name is empty"),
        (["--markdown", "."], "markdown: .: is a folder; choose another file"),
        (["--markdown", "/"], "markdown: /: is a folder"),
        (["--markdown", "folder/"], "markdown: folder/: is a folder"),
        (["--markdown", "train.csv/summary.md"], "train.csv is a file"),
        (["--markdown", "long" * 100], "markdown: longlong"),
        (["--markdown", os.devnull], "is no regular file"),
        (["--markdown", "train.csv"], "train.csv: is a file of the audit; choose another file"),
        (["--json", "--markdown", ""], "markdown: the file's name is empty"),
        (["--out", "train.csv"], "is a file"),
        (["--out", "train.csv/sub/folder"], "train.csv is a file"),
        (["--decimal", "x"], "decimal sign 'x'"),
        (["--secret", "a,b", "--encoding", "klingon"], "klingon"),
        (["--dates", "soon"], "layout of dates"),
        (["--positive", "1"], "label"),
        (["--targets", "0"], "--targets"),
        (["--no-such-option"], "--no-such-option"),
    ],
)
def test_bad_usage_is_status_2_before_anything_runs(call, arguments, said):
    status, out, err, calls = call(*arguments)
    assert status == 2
    assert said in err
    assert "Traceback" not in err
    assert out == ""
    assert calls == []
    assert {path.name for path in Path().iterdir()} == {"train.csv"}


def test_a_threshold_on_what_the_audit_could_not_measure_is_status_2(call):
    found = replace(example.findings(), groups=())
    status, _, err, _ = call("--group", "sex", "--fail-above", "group_advantage=0.1", findings=found)
    assert status == 2
    assert "group_advantage: this audit has no such figure" in err


@pytest.fixture
def files(monkeypatch, tmp_path):
    """Write a training file, a control file, and a release of which half stands in the training file."""
    monkeypatch.chdir(tmp_path)
    frame = people(900, 0).records.to_frame()
    frame[:300].to_csv("train.csv", index=False)
    frame[300:600].to_csv("control.csv", index=False)
    pd.concat([frame[:150], frame[600:750]]).to_csv("synthetic.csv", index=False)
    return tmp_path


def really(*arguments, monkeypatch, capfd):
    monkeypatch.setattr(sys, "argv", ["privbench", "audit", *arguments])
    status = 0
    try:
        main()
    except SystemExit as stop:
        status = stop.code or 0
    return status, *capfd.readouterr()


SMALL = ("--train", "train.csv", "--attacks", "nearest-neighbour", "--targets", "100", "--workers", "1")


def test_a_real_audit_finds_the_copies_and_only_json_is_on_standard_output(files, monkeypatch, capfd):
    status, out, err = really(
        "synthetic.csv", *SMALL, "--control", "control.csv", "--label", "income", "--group", "sex", "--json",
        "--fail-above", "copies=0.3", "--fail-above", "tvd_2way=0.9", monkeypatch=monkeypatch, capfd=capfd,
    )  # fmt: skip
    assert status == 1
    found = json.loads(out)
    (copies,) = (check for check in found["checks"] if check["name"] == "copies")
    assert copies["value"] == pytest.approx(0.5, abs=0.01)
    assert copies["sentence"] in found["verdict"]["first"]
    assert {one["column"] for one in found["columns"]} == {"age", "wage", "grade", "work", "sex", "ill", "income"}
    (line,) = [line for line in err.splitlines() if line.startswith("above the threshold")]
    assert "copies of the training file: 0.5 [" in line
    listed = pd.read_csv("privbench-audit/exposed.csv")
    copied = listed[listed["why"] == "stands in the synthetic file as it is"]
    assert set(copied["record"]) <= set(range(1, 151))
    assert len(copied) == 100
    assert copied.index[-1] == 99, "copies come first"
    assert len(pd.read_parquet("privbench-audit/figures.parquet")) > 0


def test_a_real_audit_without_a_control_says_so_in_its_first_line(files, monkeypatch, capfd):
    status, out, _ = really("synthetic.csv", *SMALL, "--secret", "ill", "--quiet", monkeypatch=monkeypatch, capfd=capfd)
    assert status == 0
    assert out.startswith("No control file was given")


@pytest.mark.parametrize("content", ["", "age,sex\n", "age;sex\n1;2\n", "age,age\n1,2\n3,4\n", "\xff\xfe"])
def test_a_bad_file_is_one_sentence_and_nothing_is_written(files, monkeypatch, capfd, content):
    Path("bad.csv").write_text(content, encoding="latin-1")
    status, out, err = really("bad.csv", *SMALL, monkeypatch=monkeypatch, capfd=capfd)
    assert status == 2
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert "bad.csv" in err
    assert {path.name for path in files.iterdir()} == {"train.csv", "control.csv", "synthetic.csv", "bad.csv"}


def test_columns_that_the_files_do_not_share_or_write_alike_are_said_first_and_no_threshold_passes(
    files, monkeypatch, capfd
):
    synthetic, control = pd.read_csv("synthetic.csv"), pd.read_csv("control.csv")
    synthetic["ill"] = synthetic["ill"].map({value: f"is {value}" for value in synthetic["ill"].unique()})
    synthetic.to_csv("synthetic.csv", index=False)
    control.rename(columns={"grade": "grades"}).to_csv("control.csv", index=False)
    arguments = ("synthetic.csv", *SMALL, "--control", "control.csv", "--quiet", "--fail-above", "advantage=1")
    status, out, err = really(*arguments, monkeypatch=monkeypatch, capfd=capfd)
    assert status == 0
    first = " ".join(out.split("\n\n")[0].split())
    assert "Column 'grade'" in first
    assert "Column 'ill'" in first
    assert "not asked, so without a threshold: ill" in err
    status, _, err = really(*arguments, "--secret", "ill,sex", monkeypatch=monkeypatch, capfd=capfd)
    assert status == 2
    assert "ill was to be asked (--secret), and could not be" in err
