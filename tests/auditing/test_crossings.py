"""Which thresholds are crossed, which cannot be judged, and what is said beside it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from privbench.auditing.crossings import crossed, not_judged, not_ruled_out, reservations
from privbench.auditing.findings import Check
from privbench.auditing.standing import standing
from privbench.auditing.thresholds import THRESHOLDS
from privbench.auditing.verdict import verdict
from privbench.errors import InputError
from tests.auditing import example


def test_a_threshold_is_crossed_only_above_the_lower_bound():
    found = example.findings()
    low = found.columns[0].advantage.low
    assert crossed(found, {"advantage": low}) == ()
    (crossing,) = crossed(found, {"advantage": math.nextafter(low, 0)})
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
    found = example.findings(checks=(example.ALARMS[0], *example.FINE[2:]))
    assert crossed(found, {name: low + 1e-9}) == ()
    (crossing,) = crossed(found, {name: low - 1e-9})
    assert crossing.where == where


def test_a_figure_of_continuous_columns_leaves_others_alone():
    columns = (example.column("a", 0.5, 0.1), example.column("b", 0.4, 0.1, metric="within_tolerance"))
    found = example.findings(columns=columns)
    assert [one.where for one in crossed(found, {"within_tolerance_advantage": 0.0})] == ["b"]
    assert [one.where for one in crossed(found, {"accuracy_advantage": 0.0})] == ["a"]
    assert [one.where for one in crossed(found, {"advantage": 0.0})] == ["a", "b"]


@pytest.mark.parametrize("name", THRESHOLDS)
def test_a_threshold_without_its_figure_is_refused(name):
    empty = replace(example.of_nothing(), usefulness=replace(example.USEFUL, fidelity=(), downstream=()))
    with pytest.raises(InputError, match=f"{name}: this audit has no such figure"):
        crossed(empty, {name: 0.5})


def test_an_attack_that_was_not_made_leaves_a_column_unclear_and_a_threshold_unjudged():
    found = example.nothing_found()
    short = replace(found, columns=(found.columns[0], replace(found.columns[1], missed=("lightgbm",))))
    assert standing(found.columns[1], found) == "none"
    assert standing(short.columns[1], short) == "unclear"
    assert "Not all attacks were made on age." in verdict(short).found
    assert crossed(found, {"advantage": 0.2}) == ()
    with pytest.raises(InputError, match="lightgbm was not made on age, so that no threshold"):
        crossed(short, {"advantage": 0.2})
    assert crossed(short, {"tvd_1way": 0.5}) == ()
    leaking = replace(short, columns=(example.column("a", 0.5, 0.1), short.columns[1]))
    assert [one.where for one in crossed(leaking, {"advantage": 0.2})] == ["a"]  # more time changes nothing


def test_a_threshold_that_may_be_exceeded_is_said():
    found = example.nothing_found()
    high = found.columns[0].advantage.high
    (said,) = not_ruled_out(found, {"advantage": high - 1e-6})
    assert said.startswith("advantage is not surely above 0.036899")
    assert "up to 0.0369 (relationship)" in said
    assert not_ruled_out(found, {"advantage": high}) == ()
    leaking = example.findings(records=(), exposed=0)
    assert not_ruled_out(leaking, {"advantage": 0.01}) == ()  # it is crossed, which is said otherwise


def test_leakage_that_no_threshold_is_about_is_said():
    found = replace(example.findings(), checks=(Check("copies", "alarm", "They are out."), *example.FINE))
    said = not_ruled_out(found, {"tvd_1way": 1.0})
    assert "no threshold is crossed, but the audit finds leakage (copies, relationship): see the report" in said
    assert not any("no threshold is crossed" in one for one in not_ruled_out(found, {"advantage": 0.01}))
    assert not any(
        "no threshold is crossed" in one for one in not_ruled_out(example.nothing_found(), {"tvd_1way": 1.0})
    )
    assert not_ruled_out(found, {}) == ()


def test_people_who_stand_out_are_said_beside_thresholds_which_are_about_others():
    (said,) = not_ruled_out(example.standing_out(), {"advantage": 0.05})
    assert said.startswith("no threshold is about single people (exposed=0), of whom 12 stand out")
    assert crossed(example.standing_out(), {"advantage": 0.05}) == ()
    assert not_ruled_out(example.standing_out(), {}) == ()


@pytest.mark.parametrize(("people", "crosses"), [(12, True), (3, True), (2, False), (0, False)])
def test_several_people_who_stand_out_cross_a_threshold_of_their_own(people, crosses):
    found = example.standing_out(people)
    assert [one.value for one in crossed(found, {"exposed": 0.0})] == [people / found.asked.members] * crosses
    assert crossed(found, {"exposed": 0.05}) == ()
    assert not [said for said in not_ruled_out(found, {"exposed": 0.0}) if "single people" in said]
    foreign = replace(found, checks=tuple(check for check in example.ALARMS if check.name == "control-differs"))
    with pytest.raises(InputError, match="exposed: this audit has no such figure"):
        crossed(foreign, {"exposed": 0.0})


@pytest.mark.parametrize("check", [example.ALARMS[1], Check("control-in-release", "alarm", "They are swapped.")])
def test_no_threshold_passes_beside_controls_that_cannot_be_trusted(check):
    found = example.nothing_found()
    thresholds = {"advantage": 0.2, "copies": 0.2}
    assert crossed(found, thresholds) == ()
    doubted = replace(found, checks=(check, *found.checks))
    with pytest.raises(InputError, match="advantage, copies: cannot be judged beside this control file"):
        crossed(doubted, thresholds)
    assert crossed(doubted, {"tvd_1way": 0.5}) == ()
    warned = replace(found, checks=(replace(check, level="warning"), *found.checks))
    assert crossed(warned, thresholds) == ()


def test_a_group_with_too_few_people_leaves_its_threshold_unjudged_and_others_alone():
    found = example.small_groups()
    with pytest.raises(InputError, match=r"too few people of race=Other and 1 more group\b"):
        crossed(found, {"group_advantage": 0.5})
    assert crossed(replace(found, small_groups=()), {"group_advantage": 0.5}) == ()
    assert crossed(found, {"advantage": 0.5}) == ()
    assert [one.metric for one in crossed(found, {"group_advantage": 0.05})] == ["group_advantage"]


def test_a_crossing_is_named_though_another_threshold_has_no_figure():
    found = example.findings(columns=(example.column("a", 0.5, 0.1),))
    thresholds = {"within_tolerance_advantage": 0.1, "advantage": 0.1}
    assert [one.where for one in crossed(found, thresholds)] == ["a"]
    (said,) = not_judged(found, thresholds)
    assert said.startswith("--fail-above within_tolerance_advantage: this audit has no such figure")
    with pytest.raises(InputError, match="within_tolerance_advantage: this audit has no such figure"):
        crossed(found, {**thresholds, "advantage": 0.9})


def test_a_crossing_that_may_be_something_else_is_said_to():
    thresholds = {"advantage": 0.05}
    lone = example.without_control()
    (said,) = reservations(lone, crossed(lone, thresholds))
    assert said.startswith("without a control file rows that are more regular than real records")
    copied = replace(lone, checks=(*lone.checks, example.ALARMS[0]))
    assert reservations(copied, crossed(copied, thresholds)) == ()
    foreign = example.findings(checks=example.ALARMS[1:])
    (said,) = reservations(foreign, crossed(foreign, thresholds))
    assert said.startswith("the control file is of another population")
    assert reservations(example.findings(), crossed(example.findings(), thresholds)) == ()
    assert reservations(lone, crossed(lone, {"tvd_1way": 0.01})) == ()
