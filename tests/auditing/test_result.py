"""What an audit says as sentences, table, JSON and Markdown: the findings' own figures, and nothing half written."""

from __future__ import annotations

import io
import json
import math
import re
import stat
from dataclasses import asdict, fields, replace

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from privbench.auditing import page
from privbench.auditing.findings import Check, ColumnFinding, Findings
from privbench.auditing.result import AuditResult
from privbench.auditing.standing import standing
from privbench.auditing.thresholds import THRESHOLDS, check_possible, not_ruled_out, parse_thresholds
from privbench.auditing.verdict import verdict
from privbench.errors import InputError
from privbench.record import to_frame
from tests.auditing import example

ALL = {
    "plain": example.findings,
    "nothing": example.nothing_found,
    "no control": example.without_control,
    "empty": example.of_nothing,
    "odd": example.odd_names,
    "wide": example.wide,
    "alarms": lambda: example.findings(checks=example.ALARMS),
}
FILES = {"report.html", "summary.md", "audit.json", "figures.parquet", "exposed.csv"}


def result(found: Findings) -> AuditResult:
    return AuditResult(found, to_frame([]))


def printed(found: Findings) -> str:
    text = io.StringIO()
    result(found).print(Console(file=text, width=100))
    return text.getvalue()


# sentences


def test_the_verdict_names_the_column_the_figure_and_its_interval():
    assert result(example.findings()).verdict == (
        "Because of this file, someone who knows all other columns of a person guesses relationship right for 12.3 "
        "more in 100 people whose records were used than for people whose records were not (95 % interval, corrected "
        "for 3 columns: 9.1 to 15.6)."
    )


def test_other_columns_that_leak_are_named_with_their_figures():
    found = example.findings(columns=tuple(example.column(name, 0.2, 0.1) for name in "abcdefg"))
    assert result(found).verdict.endswith("The same is found for b (20.0), c (20.0), d (20.0), e (20.0) and 2 more.")


def test_a_number_is_right_within_a_tolerance_and_declared_columns_are_named():
    asked = replace(example.ASKED, known=("sex", "age", "race"))
    found = example.findings(asked=asked, columns=(example.column("age", 0.2, 0.1, metric="within_tolerance"),))
    assert result(found).verdict.startswith(
        "Because of this file, someone who knows sex and race of a person guesses age to within 5 % of its range for "
        "20.0 more in 100 people"
    )
    assert "corrected" not in result(found).verdict


def test_nothing_found_says_what_would_have_been_seen():
    said = result(example.nothing_found()).verdict
    assert "In none of the 3 columns" in said
    assert (
        "an advantage of more than 3.7 in 100 people is ruled out for them (95 % confidence, all columns together)"
        in said
    )


def test_without_a_control_that_is_said_first_and_nothing_found_is_unclear():
    found = example.without_control()
    assert result(found).verdict.startswith(example.NO_CONTROL.sentence)
    assert (
        "people of the training file than someone who learns from the records of other people" in result(found).verdict
    )
    assert not any("chosen on the other half" in sentence for sentence in verdict(found).sure)
    quiet = replace(found, columns=example.nothing_found().columns)
    assert verdict(quiet).standing == "unclear"
    assert "does not show that nothing leaks" in result(quiet).verdict


def test_without_a_control_a_surplus_is_leakage_only_if_rows_follow_single_records():
    """Rows without the noise of real ones tell more than other people's records, though nobody is behind them."""
    found = example.without_control()
    assert found.columns[0].advantage.low > 0
    assert verdict(found).standing == "unclear"
    assert "more regular than real records" in verdict(found).found
    assert not any("Do not hand" in step or "--targets" in step for step in verdict(
        replace(found, columns=found.columns[:1])).next)  # fmt: skip
    assert list(result(found).columns["verdict"]) == ["unclear", "unclear", "unclear", "untested"]
    close = Check("closeness", "warning", "It lies closer for 80 in 100 people.", 0.8, 0.7, 0.9, 400)
    followed = replace(found, checks=(*found.checks, close))
    assert verdict(followed).standing == "leaks"
    assert "more regular" not in verdict(followed).found
    assert standing(followed.columns[0], followed) == "leaks"


def test_swapped_files_are_said_first_and_are_the_first_thing_to_look_at():
    swapped = Check("control-in-release", "alarm", "The synthetic file follows the control file.", -0.6, -0.7, -0.5, 90)
    answer = verdict(replace(example.nothing_found(), checks=(swapped,)))
    assert (answer.standing, answer.first) == ("unclear", (swapped.sentence,))
    assert answer.next[0].startswith("Make sure which file is which")


@pytest.mark.parametrize("name", ["copies", "closeness", "small-release", "control-differs"])
def test_a_warning_makes_nothing_found_unclear(name):
    found = example.nothing_found()
    assert verdict(found).standing == "none"
    warning = Check(name, "warning", "Something is odd.")
    assert verdict(replace(found, checks=(*found.checks, warning))).standing == "unclear"


def test_columns_that_were_not_asked_are_named_where_nothing_is_found():
    left = tuple(ColumnFinding(name, "categorical", (), None, None, None, (), "late") for name in "abcdef")
    found = replace(example.nothing_found(), columns=(*example.nothing_found().columns, *left))
    assert "Not asked, so that nothing is said of them: a, b, c, d and 2 more." in verdict(found).found
    assert "Not asked" not in verdict(example.nothing_found()).found


def test_how_files_were_read_stands_in_terminal_and_summary_what_is_left_out_first():
    notes = tuple(f"column 'c{i}': blanks removed." for i in range(12))
    found = example.findings(
        notes=(*notes, "column 'pay': in the training file, but not in the control file; left out.")
    )
    late = "The time limit of 1 s ended before lightgbm was made on age."
    found = replace(found, notes=(*found.notes, late))
    text = printed(found)
    assert text.index("The time limit") < text.index("column 'c0'")
    assert text.index("column 'pay'") < text.index("column 'c0'")
    assert "and 4 more, in the report" in text
    assert "column 'c11'" not in text
    assert all(note.partition(":")[0] in result(found).to_markdown() for note in found.notes)


def test_alarms_come_first_those_of_the_control_before_copies():
    copies, differs = example.ALARMS
    found = example.findings(checks=(copies, differs, *example.FINE))
    assert verdict(found).first == (differs.sentence, copies.sentence)
    assert "With that reservation: because of this file" in verdict(found).found


def test_copies_are_leakage_whatever_the_columns_say():
    found = replace(example.nothing_found(), checks=example.ALARMS[:1])
    assert verdict(found).standing == "leaks"
    assert verdict(found).next[0].startswith("Do not hand the file out as it is.")


def test_identifiers_carried_over_are_leakage_if_controls_show_that_they_are_no_row_numbers():
    carried = Check("identifiers", "alarm", "Column id: 90 of 100 training records.", 0.9, 0.8, 1.0, 100)
    assert verdict(replace(example.nothing_found(), checks=(carried,))).standing == "leaks"
    lone = replace(example.without_control(), checks=(carried,), columns=example.nothing_found().columns)
    assert verdict(lone).standing == "unclear"
    assert "Leave columns that identify people out of it" in " ".join(verdict(lone).next)


def test_rows_that_follow_single_records_are_leakage():
    close = Check("closeness", "alarm", "Members lie closer in 81.8 of 100 pairs.", 0.818, 0.8, 0.83, 4000)
    answer = verdict(replace(example.nothing_found(), checks=(close,)))
    assert answer.standing == "leaks"
    assert answer.first == (close.sentence,)
    assert any("follow single records" in step for step in answer.next)


def test_few_columns_can_be_left_out_many_cannot():
    few, many = (
        example.findings(columns=tuple(example.column(n, 0.2, 0.1) for n in names)) for names in ("abcd", "abcde")
    )
    assert any(step.startswith("Coarsen or leave out a, b, c and d, or make") for step in verdict(few).next)
    assert any(step.startswith("So many columns leak: make the file") for step in verdict(many).next)


def test_what_not_to_do_is_said_once():
    carried = Check("identifiers", "alarm", "Column id: 90 of 100 training records.", 0.9, 0.8, 1.0, 100)
    found = example.findings(checks=(carried, *example.ALARMS))
    assert " ".join(verdict(found).next).count("Do not hand the file out") == 1


def test_a_foreign_control_makes_nothing_found_unclear():
    assert verdict(example.nothing_found()).standing == "none"
    assert verdict(replace(example.nothing_found(), checks=example.ALARMS[1:])).standing == "unclear"


def test_columns_of_controls_of_another_population_are_unclear_unless_rows_follow_records():
    found = example.findings()
    assert standing(found.columns[0], found) == "leaks"
    foreign = replace(found, checks=tuple(check for check in example.ALARMS if check.name == "control-differs"))
    assert foreign.checks
    assert standing(foreign.columns[0], foreign) == "unclear"
    copies = tuple(check for check in example.ALARMS if check.name in ("control-differs", "copies"))
    assert standing(found.columns[0], replace(found, checks=copies)) == "leaks"


def test_an_attack_that_was_not_made_leaves_a_column_unclear_and_a_threshold_unjudged():
    found = example.nothing_found()
    short = replace(found, columns=(found.columns[0], replace(found.columns[1], missed=("lightgbm",))))
    assert standing(found.columns[1], found) == "none"
    assert standing(short.columns[1], short) == "unclear"
    assert "Not all attacks were made on age." in result(short).verdict
    assert result(found).crossed({"advantage": 0.2}) == ()
    with pytest.raises(InputError, match="lightgbm was not made on age, so that no threshold"):
        result(short).crossed({"advantage": 0.2})
    assert result(short).crossed({"tvd_1way": 0.5}) == ()
    leaking = replace(short, columns=(example.column("a", 0.5, 0.1), short.columns[1]))
    assert [one.where for one in result(leaking).crossed({"advantage": 0.2})] == ["a"]  # more time changes nothing


def test_a_threshold_that_may_be_exceeded_is_said():
    found = example.nothing_found()
    high = found.columns[0].advantage.high
    (said,) = not_ruled_out(found, {"advantage": high - 1e-6})
    assert said.startswith("advantage is not surely above 0.036899")
    assert "up to 0.0369 (relationship)" in said
    assert not_ruled_out(found, {"advantage": high}) == ()
    assert not_ruled_out(example.findings(), {"advantage": 0.01}) == ()  # it is crossed, which is said otherwise


@pytest.mark.parametrize(
    ("value", "half", "said"),
    [(0.1, 0.0999, "leaks"), (0.1, 0.1, "unclear"), (0.0, 0.1, "none"), (0.0, 0.1001, "unclear")],
)
def test_what_is_said_of_a_column_turns_at_the_ends_of_its_interval(value, half, said):
    assert standing(example.column("a", value, half), example.findings()) == said


@pytest.mark.parametrize("name", ALL)
def test_no_verdict_calls_a_file_safe(name):
    answer = verdict(ALL[name]())
    text = " ".join((answer.sentence, *answer.sure, *answer.next))
    assert not re.search(r"\b(safe|private|anonymous|anonymi[sz]ed|secure)\b", text, re.IGNORECASE)
    assert answer.next
    assert not re.search(r"[a-z%][.;][A-Z]|  |\.\.", text), "a blank is missing, or one too many"


# table


def test_the_table_has_the_findings_figures_in_their_order():
    found = example.findings()
    table = result(found).columns
    assert list(table["column"]) == [one.column for one in found.columns]
    assert list(table["verdict"]) == ["leaks", "unclear", "none", "untested"]
    for row, one in zip(table.to_dict("records"), found.columns, strict=True):
        if one.advantage is None:
            assert pd.isna(row["advantage"])
            assert row["reason"] == one.reason
            continue
        mine = one.advantage
        assert (row["advantage"], row["low"], row["high"]) == (mine.advantage, mine.low, mine.high)
        assert (row["members"], row["controls"], row["score"]) == (mine.members, mine.controls, mine.value)
        assert (row["reference"], row["majority"], row["p_value"]) == (mine.reference, one.majority, one.p_value)
        assert row["attack"] == "lightgbm, nearest-neighbour"
    assert list(result(example.of_nothing()).columns.columns) == list(table.columns)


@pytest.mark.parametrize("name", ALL)
def test_the_terminal_has_every_figure_within_its_width(name):
    found = ALL[name]()
    text = printed(found)
    assert max(map(len, text.splitlines())) <= 100
    assert " ".join(verdict(found).found.split()) in " ".join(text.split())
    for one in found.columns[:20]:
        if one.advantage is not None:
            assert f"{100 * one.advantage.advantage:+.1f} [".replace("-", "\u2212") in text
            assert f"{100 * one.advantage.value:.1f}" in text


def test_the_notebook_shows_names_and_no_markup():
    shown = result(example.odd_names())._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


# JSON


def document(found: Findings) -> dict:
    return json.loads(result(found).to_json(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


@pytest.mark.parametrize("name", ALL)
def test_json_has_all_of_the_findings(name):
    found = ALL[name]()
    plain = document(found)
    assert plain["schema_version"] == 1
    assert set(plain) == {"schema_version", "verdict", *(field.name for field in fields(Findings))}
    for mine, one in zip(plain["columns"], found.columns, strict=True):
        for field in fields(ColumnFinding):
            if field.name == "advantage":
                assert mine["advantage"] == (None if one.advantage is None else asdict(one.advantage))
            elif field.name == "attacks":
                assert mine["attacks"] == [{"attack": name, **asdict(figure)} for name, figure in one.attacks]
            elif field.name in ("chosen", "missed"):
                assert mine[field.name] == list(getattr(one, field.name))
            else:
                assert mine[field.name] == getattr(one, field.name)
    assert plain["checks"] == [asdict(one) for one in found.checks]
    assert plain["groups"] == [asdict(one) for one in found.groups]
    assert plain["usefulness"]["downstream"] == [asdict(one) for one in found.usefulness.downstream]
    assert plain["asked"]["files"] == [{"role": r, "name": n, "rows": rows} for r, n, rows in found.asked.files]
    assert plain["asked"]["seconds"] == found.asked.seconds
    assert plain["notes"] == list(found.notes)


def test_json_keeps_to_itself_what_may_tell_a_value():
    (first, *_) = document(example.findings())["records"]
    assert first["record"] == 4321
    assert "baseline" not in first


def test_json_has_numbers_of_numpy_and_no_nan():
    odd = example.column("a", 0.1, 0.05)
    odd = replace(odd, p_value=np.float64(0.25), majority=math.nan, advantage=replace(odd.advantage, high=math.inf))
    first = document(example.findings(columns=(odd,)))["columns"][0]
    assert (first["p_value"], first["majority"], first["advantage"]["high"]) == (0.25, None, None)


# Markdown


def rows_of(text: str) -> list[list[str]]:
    """Return the cells of the lines of tables, cut where Markdown cuts."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_markdown_has_the_figures_of_every_column():
    found = example.findings()
    rows = {row[0]: row for row in rows_of(result(found).to_markdown())}
    assert rows["relationship"] == [
        "relationship", "leakage found", "+12.3", "+9.1, +15.6", "72.3\u00a0%", "60.0\u00a0%", "45.7\u00a0%",
        "lightgbm, nearest-neighbour", "0.021",
    ]  # fmt: skip
    assert rows["sex"][2:4] == ["\u22120.2", "\u22122.2, +1.8"]
    assert all(check.sentence in result(found).to_markdown() for check in found.checks)


def test_markdown_shows_fifteen_columns_and_counts_the_rest():
    text = result(example.wide(60)).to_markdown()
    assert sum(row[0].startswith("a\\_rather") for row in rows_of(text)) == 15
    assert "And 45 more columns" in text


def test_markdown_escapes_names():
    text = result(example.odd_names()).to_markdown()
    widths = {len(row) for row in rows_of(text)}
    assert widths == {9, 3}
    assert not re.search(r"(?<!\\)<script", text)
    assert "\\*c\\*" in text


# thresholds


def test_a_threshold_is_crossed_only_above_the_lower_bound():
    found = example.findings()
    low = found.columns[0].advantage.low
    assert result(found).crossed({"advantage": low}) == ()
    (crossing,) = result(found).crossed({"advantage": math.nextafter(low, 0)})
    assert (crossing.where, crossing.low, crossing.value) == ("relationship", low, found.columns[0].advantage.advantage)
    assert "relationship" in str(crossing)
    assert "[0.0913, 0.1555]" in str(crossing)


@pytest.mark.parametrize(
    ("name", "low", "where"),
    [
        ("accuracy_advantage", 0.1234 - 0.0321, "relationship"),
        ("group_advantage", 0.1511 - 0.0522, "relationship (sex=Female)"),
        ("copies", 0.0771, "the training file"),
        ("tvd_1way", 0.0134, "the release"),
        ("tvd_2way", 0.0456, "the release"),
        ("demographic_parity_difference", 0.1211, "sex"),
    ],
)
def test_every_threshold_looks_at_its_own_figure(name, low, where):
    found = example.findings(checks=(*example.ALARMS, *example.FINE[2:]))
    assert result(found).crossed({name: low + 1e-9}) == ()
    (crossing,) = result(found).crossed({name: low - 1e-9})
    assert crossing.where == where


def test_a_figure_of_continuous_columns_leaves_others_alone():
    columns = (example.column("a", 0.5, 0.1), example.column("b", 0.4, 0.1, metric="within_tolerance"))
    found = result(example.findings(columns=columns))
    assert [one.where for one in found.crossed({"within_tolerance_advantage": 0.0})] == ["b"]
    assert [one.where for one in found.crossed({"accuracy_advantage": 0.0})] == ["a"]
    assert [one.where for one in found.crossed({"advantage": 0.0})] == ["a", "b"]


@pytest.mark.parametrize("name", THRESHOLDS)
def test_a_threshold_without_its_figure_is_refused(name):
    empty = replace(example.of_nothing(), usefulness=replace(example.USEFUL, fidelity=(), downstream=()))
    with pytest.raises(InputError, match=f"{name}: this audit has no such figure"):
        result(empty).crossed({name: 0.5})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("advantage", "allowed is METRIC=VALUE"),
        ("advantages=0.1", "did you mean 'advantage'"),
        ("downstream_accuracy=0.1", "unknown metric"),
        ("advantage=much", "a number from 0 to 1"),
        ("advantage=nan", "a number from 0 to 1"),
        ("advantage=5", "a number from 0 to 1"),
        ("advantage=-0.1", "a number from 0 to 1"),
    ],
)
def test_a_threshold_that_cannot_be_read_is_refused(text, said):
    with pytest.raises(InputError, match=re.escape(said)):
        parse_thresholds([text])


def test_of_two_thresholds_the_lower_holds():
    assert parse_thresholds(["copies=0.2", "copies=.1", "copies=1"]) == {"copies": 0.1}


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("copies", {"group": True, "label": True}, "--control"),
        ("near_copies", {"group": True, "label": True}, "--control"),
        ("group_advantage", {"control": True, "label": True}, "--group"),
        ("equalized_odds_difference", {"control": True, "group": True}, "--label"),
    ],
)
def test_a_threshold_that_the_files_cannot_answer_is_refused_before(name, given, said):
    everything = {"control": True, "group": True, "label": True}
    check_possible([name], **everything)
    with pytest.raises(InputError, match=said):
        check_possible([name], **{**dict.fromkeys(everything, False), **given})


# files


def test_the_folder_holds_all_of_it_and_the_records_are_for_the_owner_only(tmp_path):
    audit = result(example.findings())
    assert audit.write(tmp_path / "out") == tmp_path / "out" / "report.html"
    folder = tmp_path / "out"
    assert {path.name for path in folder.iterdir()} == FILES
    assert stat.S_IMODE((folder / "exposed.csv").stat().st_mode) == 0o600
    assert (folder / "audit.json").read_text() == audit.to_json()
    assert (folder / "summary.md").read_text() == audit.to_markdown()
    assert (folder / "report.html").read_text() == audit.to_html()
    listed = pd.read_csv(folder / "exposed.csv")
    assert listed[["record", "probability", "baseline"]].to_numpy().tolist() == [
        [4321, 0.987, 0.412],
        [17, 0.876, 0.234],
    ]
    assert list(pd.read_parquet(folder / "figures.parquet").columns) == list(audit.frame.columns)


def test_records_of_an_earlier_audit_do_not_stay(tmp_path):
    result(example.findings()).write(tmp_path)
    result(example.nothing_found()).write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES - {"exposed.csv"}


def test_nothing_is_written_when_a_page_cannot_be_made(tmp_path, monkeypatch):
    def broken(_):
        raise RuntimeError("no page")

    monkeypatch.setattr(page, "render", broken)
    with pytest.raises(RuntimeError, match="no page"):
        result(example.findings()).write(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(InputError, match="is a file"):
        result(example.findings()).write(tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_no_p_value_is_nothing():
    found = example.findings(columns=(replace(example.column("a", 0.3, 0.1), p_value=0.00012),))
    assert rows_of(result(found).to_markdown())[2][-1] == "\\< 0.001"
    assert "&lt; 0.001" in result(found).to_html()
