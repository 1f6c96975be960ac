"""What an audit says in sentences: the finding with its figures, how sure it is, and what to do."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from privbench.auditing.findings import Check, ColumnFinding, Findings
from privbench.auditing.verdict import verdict
from tests.auditing import example


def said(found: Findings) -> str:
    return verdict(found).sentence


def test_the_verdict_names_the_column_the_figure_and_its_interval():
    assert said(example.findings(records=(), exposed=0)) == (
        "Because of this file, someone who knows all other columns of a person guesses relationship right for 12.3 "
        "more in 100 people whose records were used than for people whose records were not (95 % interval, corrected "
        "for 3 columns: 9.1 to 15.6)."
    )


def test_other_columns_that_leak_are_named_with_their_figures():
    found = example.findings(columns=tuple(example.column(name, 0.2, 0.1) for name in "abcdefg"), records=(), exposed=0)
    assert said(found).endswith("The same is found for b (20.0), c (20.0), d (20.0), e (20.0) and 2 more.")


def test_a_column_that_is_guessed_as_well_without_the_file_does_not_lead_and_is_said_to_be_one():
    first, second = example.column("a", 0.3, 0.1), example.column("b", 0.2, 0.1)
    known = replace(first, attacks=(("cap", example.advantage(0.0, 0.1, reference=1.0)),))
    common = replace(first, majority=0.99)
    for column in (known, common):
        text = said(example.findings(columns=(column, second), records=(), exposed=0))
        assert "guesses b right for 20.0 more" in text
        assert text.endswith(
            "The same is found for a (30.0). In a people outside are guessed right as often by other means: there the "
            "advantage shows that rows follow single people, not that more can be guessed."
        )
    assert "by other means" not in said(example.findings(columns=(first, second), records=(), exposed=0))


def test_of_other_columns_that_hold_numbers_the_tolerance_is_said():
    age = example.column("age", 0.2, 0.1, metric="within_tolerance")
    text = said(example.findings(columns=(example.column("a", 0.3, 0.1), age), records=(), exposed=0))
    assert "The same is found for age (20.0), numbers to within 5 % of their range." in text


def test_a_number_is_right_within_a_tolerance_and_declared_columns_are_named():
    asked = replace(example.ASKED, known=("sex", "age", "race"))
    found = example.findings(asked=asked, columns=(example.column("age", 0.2, 0.1, metric="within_tolerance"),))
    assert said(found).startswith(
        "Because of this file, someone who knows sex and race of a person guesses age to within 5 % of its range for "
        "20.0 more in 100 people"
    )
    assert "corrected" not in said(found)


def test_nothing_found_says_what_would_have_been_seen():
    text = said(example.nothing_found())
    assert "In none of the 3 columns" in text
    assert text.endswith(
        "an advantage of more than 3.7 in 100 people is ruled out for them (95 % confidence, all columns together)."
    )


def test_where_the_controls_are_in_doubt_nothing_is_said_to_be_ruled_out():
    """A release made of the control file shows no advantage whatever it gives away."""
    swapped = Check("control-in-release", "alarm", "The synthetic file follows the control file.", -0.6, -0.7, -0.5, 90)
    text = said(replace(example.nothing_found(), checks=(swapped,)))
    assert text.endswith("as far as these attacks can tell; with that reservation no leakage is ruled out.")
    text = said(replace(example.nothing_found(), checks=(replace(swapped, level="warning"),)))
    assert "with that reservation an advantage of more than 3.7 in 100 people is ruled out" in text


def test_where_nearly_everybody_is_guessed_right_anyway_a_small_advantage_is_no_small_one():
    few = replace(example.column("hiv", 0.0, 0.004), advantage=example.advantage(0.0, 0.004, reference=0.995))
    words = (
        "But hiv is guessed right for 99.5 in 100 people outside anyway: there is so little left to gain there that "
        "even so small an advantage would be much of it."
    )
    assert said(replace(example.nothing_found(), columns=(few,))).endswith(words)
    more = replace(few, column="rare", advantage=example.advantage(0.0, 0.02, reference=0.97))
    both = replace(example.nothing_found(), columns=(few, more, *example.nothing_found().columns))
    assert "But hiv and rare are guessed right for at least 97.0 in 100 people outside anyway" in said(both)
    assert "But" not in said(example.nothing_found())
    alone = replace(example.nothing_found(), columns=(few,))
    assert any("--targets" in step for step in verdict(alone).next)
    assert not any("--targets" in step for step in verdict(both).next)


def test_people_who_stand_out_are_the_finding_where_the_columns_show_nothing():
    found = example.standing_out()
    answer = verdict(found)
    assert answer.found.startswith(
        "12 people of the training file are guessed right far more confidently than people outside with the same "
        "values (hiv): more than luck explains. On average over all people attacked that does not show: in column hiv, "
        "people"
    )
    assert "there is so little left to gain" not in answer.found
    assert answer.next[0] == "Do not hand the file out as it is."
    assert any(step.startswith("Look up the people listed") for step in answer.next)
    assert any(step.startswith("Make the file with a generator") for step in answer.next)
    assert not any("Finding nothing" in step or "--targets" in step for step in answer.next)
    assert "1 person of the training file is guessed" in said(example.standing_out(1))
    many = replace(example.standing_out(100), exposed=1234)  # not all are listed
    assert "1,234 people of the training file are guessed" in said(many)
    # where a column leaks, that comes first
    leaking = replace(found, columns=(example.column("a", 0.2, 0.1),))
    assert "Because of this file, someone" in said(leaking).partition("12 people of the training file")[0]


def test_people_who_stand_out_beside_controls_in_doubt_are_told_with_that_reservation():
    answer = verdict(replace(example.standing_out(), checks=example.ALARMS[1:]))
    assert answer.found.startswith("With that reservation: 12 people of the training file are guessed right")
    assert not any(step.startswith(("Do not hand", "Make the file", "Finding nothing")) for step in answer.next)


def test_finding_nothing_is_no_proof_stands_only_where_nothing_is_found():
    words = "Finding nothing is no proof"
    assert any(step.startswith(words) for step in verdict(example.nothing_found()).next)
    quiet = replace(example.without_control(), columns=example.nothing_found().columns)
    assert any(step.startswith(words) for step in verdict(quiet).next)
    assert example.without_control().columns[0].advantage.low > 0
    assert not any(step.startswith(words) for step in verdict(example.without_control()).next)


def test_without_a_control_that_is_said_first_and_nothing_found_is_unclear():
    found = example.without_control()
    assert said(found).startswith(example.NO_CONTROL.sentence)
    assert "people of the training file than someone who learns from the records of other people" in said(found)
    assert not any("chosen on the other half" in sentence for sentence in verdict(found).sure)
    quiet = replace(found, columns=example.nothing_found().columns)
    assert verdict(quiet).standing == "unclear"
    assert "does not show that nothing leaks" in said(quiet)


def test_without_a_control_a_surplus_may_be_regularity():
    """Rows without the noise of real ones tell more than other people's records, though nobody is behind them."""
    found = example.without_control()
    assert found.columns[0].advantage.low > 0
    assert verdict(found).standing == "unclear"
    assert "more regular than real records" in verdict(found).found
    assert not any("Do not hand" in step or "--targets" in step for step in verdict(
        replace(found, columns=found.columns[:1])).next)  # fmt: skip
    assert "more regular" not in verdict(replace(found, checks=(*found.checks, example.ALARMS[0]))).found


def test_swapped_files_are_said_first_and_are_the_first_thing_to_look_at():
    swapped = Check("control-in-release", "alarm", "The synthetic file follows the control file.", -0.6, -0.7, -0.5, 90)
    answer = verdict(replace(example.nothing_found(), checks=(swapped,)))
    assert (answer.standing, answer.first) == ("unclear", (swapped.sentence,))
    assert answer.next[0].startswith("Make sure which file is which")


def test_columns_that_were_not_asked_are_named_where_nothing_is_found():
    left = tuple(ColumnFinding(name, "categorical", (), None, None, None, (), "late") for name in "abcdef")
    found = replace(example.nothing_found(), columns=(*example.nothing_found().columns, *left))
    assert "Not asked, so that nothing is said of them: a, b, c, d and 2 more." in verdict(found).found
    assert "Not asked" not in verdict(example.nothing_found()).found


def test_alarms_come_first_those_of_the_control_before_copies():
    copies, differs = example.ALARMS
    found = example.findings(checks=(copies, differs, *example.FINE))
    assert verdict(found).first == (differs.sentence, copies.sentence)
    assert "With that reservation: because of this file" in verdict(found).found


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


@pytest.mark.parametrize("name", example.ALL)
def test_no_verdict_calls_a_file_safe(name):
    answer = verdict(example.ALL[name]())
    text = " ".join((answer.sentence, *answer.sure, *answer.next))
    assert not re.search(r"\b(safe|private|anonymous|anonymi[sz]ed|secure)\b", text, re.IGNORECASE)
    assert answer.next
    assert not re.search(r"[a-z%][.;][A-Z]|  |\.\.", text), "a blank is missing, or one too many"
