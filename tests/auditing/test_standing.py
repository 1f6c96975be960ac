"""What is said of a column, and of the file: leakage, nothing found, or that it is unclear."""

from __future__ import annotations

from dataclasses import replace

import pytest

from privbench.auditing.findings import Check, ColumnFinding
from privbench.auditing.standing import standing
from privbench.auditing.verdict import verdict
from tests.auditing import example


@pytest.mark.parametrize("name", ["copies", "closeness", "small-release", "control-differs"])
def test_a_warning_makes_nothing_found_unclear(name):
    found = example.nothing_found()
    assert verdict(found).standing == "none"
    warning = Check(name, "warning", "Something is odd.")
    assert verdict(replace(found, checks=(*found.checks, warning))).standing == "unclear"


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


def test_a_foreign_control_makes_nothing_found_unclear():
    assert verdict(example.nothing_found()).standing == "none"
    assert verdict(replace(example.nothing_found(), checks=example.ALARMS[1:])).standing == "unclear"


def test_without_a_control_only_rows_made_from_records_make_an_advantage_leakage():
    """Closeness alone may be regularity as well, as its own sentence says."""
    found = example.without_control()
    assert [standing(one, found) for one in found.columns] == ["unclear", "unclear", "unclear", "untested"]
    close = Check("closeness", "warning", "It lies closer for 80 in 100 people.", 0.8, 0.7, 0.9, 400)
    near = replace(found, checks=(*found.checks, close))
    assert (verdict(near).standing, standing(near.columns[0], near)) == ("unclear", "unclear")
    for name in ("copies", "exact-values", "linked-rows"):  # what training file and release show alone
        alone = replace(found, checks=(*found.checks, Check(name, "alarm", "Rows are made from records.")))
        assert (verdict(alone).standing, standing(alone.columns[0], alone)) == ("leaks", "leaks")


@pytest.mark.parametrize("name", ["control-differs", "control-in-release", "control-in-training"])
def test_beside_controls_with_an_alarm_no_column_is_one_in_which_nothing_was_found(name):
    found = example.nothing_found()
    assert {standing(one, found) for one in found.columns} == {"none"}
    alarm = replace(found, checks=(Check(name, "alarm", "The control file cannot be relied on."),))
    assert {standing(one, alarm) for one in alarm.columns} == {"unclear"}
    warned = replace(found, checks=(Check(name, "warning", "The control file is somewhat odd."),))
    assert {standing(one, warned) for one in warned.columns} == {"none"}
    assert verdict(warned).standing == "unclear"


@pytest.mark.parametrize("name", ["near-copies", "closeness", "identifiers"])
def test_alarms_that_rest_on_controls_are_no_leakage_beside_controls_of_another_population(name):
    alarm = Check(name, "alarm", "More members than controls.", 0.5, 0.4, 0.6, 1000)
    found = replace(example.findings(), checks=(alarm,), records=(), exposed=0)
    assert verdict(found).standing == "leaks"
    foreign = replace(found, checks=(alarm, example.ALARMS[1]))
    assert {standing(one, foreign) for one in foreign.columns} == {"unclear", "untested"}
    answer = verdict(foreign)
    assert answer.standing == "unclear"
    assert answer.first == (example.ALARMS[1].sentence,)


def test_people_who_stand_out_are_leakage_whatever_the_columns_say():
    found = example.standing_out()
    assert standing(found.columns[0], found) == "unclear"
    assert verdict(found).standing == "leaks"
    assert verdict(replace(found, records=(), exposed=0)).standing == "unclear"
    beside = replace(example.nothing_found(), records=found.records, exposed=found.exposed)
    assert verdict(beside).standing == "leaks"
    assert verdict(replace(beside, records=(), exposed=0)).standing == "none"


def test_one_or_two_people_who_stand_out_or_many_beside_foreign_controls_are_unclear():
    beside = replace(example.nothing_found(), records=example.standing_out(2).records, exposed=2)
    assert verdict(beside).standing == "unclear"
    many = replace(beside, records=example.standing_out(30).records, exposed=30)
    assert verdict(many).standing == "leaks"
    assert verdict(replace(many, checks=example.ALARMS[1:])).standing == "unclear"


def test_a_column_that_no_attack_was_made_on_for_lack_of_time_leaves_the_file_unclear():
    found = example.nothing_found()
    left = ColumnFinding("hiv", "categorical", (), None, None, None, reason="all values are alike")
    assert verdict(replace(found, columns=(*found.columns, left))).standing == "none"
    late = replace(found, columns=(*found.columns, replace(left, missed=("cap",), reason="cap: the time limit")))
    assert verdict(late).standing == "unclear"
    assert any("--time-limit" in step for step in verdict(late).next)
    assert not any("--time-limit" in step for step in verdict(found).next)


def test_copied_people_are_not_those_who_stand_out():
    copied = tuple(replace(one, columns=()) for one in example.standing_out().records)
    assert verdict(replace(example.nothing_found(), records=copied)).standing == "none"


@pytest.mark.parametrize(
    ("reference", "high", "said"),
    [(0.5, 0.1, "none"), (0.8, 0.1, "none"), (0.9, 0.05, "none"), (0.9, 0.051, "unclear"), (0.995, 0.004, "unclear")],
)
def test_nothing_is_found_only_if_half_of_what_there_is_to_gain_is_ruled_out(reference, high, said):
    found = example.nothing_found()
    one = replace(found.columns[0], advantage=example.advantage(0.0, high - 1e-12, reference=reference))
    assert standing(one, found) == said


def test_a_column_with_little_to_gain_does_not_hold_back_a_file_whose_other_columns_were_tested():
    found = example.nothing_found()
    assert verdict(found).standing == "none"
    full = replace(found.columns[0], advantage=example.advantage(0.0, 0.004, reference=0.995))
    assert verdict(replace(found, columns=(full, *found.columns[1:]))).standing == "none"
    assert full.column in verdict(replace(found, columns=(full, *found.columns[1:]))).found
    assert verdict(replace(found, columns=(full,))).standing == "unclear"
    wide = replace(full, advantage=example.advantage(0.0, 0.2, reference=0.5))
    assert verdict(replace(found, columns=(wide, *found.columns[1:]))).standing == "unclear"


def test_columns_of_controls_of_another_population_are_unclear_unless_records_are_copied():
    found = example.findings()
    assert standing(found.columns[0], found) == "leaks"
    foreign = replace(found, checks=tuple(check for check in example.ALARMS if check.name == "control-differs"))
    assert foreign.checks
    assert standing(foreign.columns[0], foreign) == "unclear"
    copies = tuple(check for check in example.ALARMS if check.name in ("control-differs", "copies"))
    assert standing(found.columns[0], replace(found, checks=copies)) == "leaks"


@pytest.mark.parametrize(
    ("value", "half", "said"),
    [(0.1, 0.0999, "leaks"), (0.1, 0.1, "unclear"), (0.0, 0.1, "none"), (0.0, 0.1001, "unclear")],
)
def test_what_is_said_of_a_column_turns_at_the_ends_of_its_interval(value, half, said):
    assert standing(example.column("a", value, half), example.findings()) == said
