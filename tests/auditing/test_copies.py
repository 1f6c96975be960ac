"""Copies and identifiers in the release: counted exactly, against controls or the training file alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from privbench.auditing.checks import check_files
from privbench.auditing.twins import row_keys
from privbench.datasets.alike import Identifier
from privbench.rng import stream
from tests.auditing.three_files import SCHEMA, SMALL, both, checked, held, loud, people


def test_copies_are_counted_exactly_and_their_records_named():
    train, rows = people(4000, "t"), np.array([3, 17, 17, 256, 3999])
    rows = np.concatenate([rows, np.arange(1000, 1036)])
    found, by_name = checked(train, both(people(2000, "s"), train.take(rows)), people(4000, "c"))
    distinct = np.unique(rows)
    assert np.array_equal(np.flatnonzero(found.copied), distinct)
    check = by_name["copies"]
    assert check.level == "alarm"
    assert check.value == pytest.approx(len(distinct) / 4000)
    assert check.sentence.startswith("40 of 4,000 training records (1.0\N{NO-BREAK SPACE}%) stand in the release word")
    assert "0 (0 of 4,000 controls) would" in check.sentence
    assert found.checks[0].level == "alarm"


@pytest.mark.parametrize(("part", "seed"), [(0.01, 0), (0.01, 1), (0.002, 0), (0.002, 1)])
def test_few_copies_among_independent_rows_are_found(part, seed):
    train, copies = people(10_000, "t", seed), int(10_000 * part)
    found, by_name = checked(
        train, both(people(10_000 - copies, "s", seed), train.take(np.arange(copies))), people(10_000, "c", seed)
    )
    assert by_name["copies"].level == "alarm"
    assert found.copied[:copies].all()


def test_copies_are_found_although_the_release_has_new_identifiers():
    train, synthetic, control = people(2000, "t"), people(1000, "s"), people(1500, "c")
    alike = held(
        train, both(synthetic, train.take(np.arange(60))), control, identifiers=(Identifier("id", 0, 0, 1060),)
    )
    keys = {role: np.arange(len(part), dtype=np.uint64) + np.uint64(10**6 * place)
            for place, (role, part) in enumerate(alike.whole.items())}  # fmt: skip
    found = check_files(replace(alike, whole=keys), rng=stream(0, "x"))
    assert np.array_equal(np.flatnonzero(found.copied), np.arange(60))
    assert next(check for check in found.checks if check.name == "copies").level == "alarm"


def test_bootstrap_of_the_training_file_alarms_with_and_without_controls():
    train = people(2000, "t")
    synthetic = train.take(stream(0, "boot").integers(0, 2000, 2000))
    for control in (people(1000, "c"), None):
        found, by_name = checked(train, synthetic, control)
        assert by_name["copies"].level == "alarm"
        assert by_name["closeness"].level == ("warning" if control is None else "alarm")
        assert found.copied.sum() == len(np.unique(row_keys(synthetic)))


def test_without_controls_twins_are_the_yardstick():
    runs, said, closer = 60, 0, 0
    for seed in range(runs):
        found, by_name = checked(people(600, "t", seed, schema=SMALL), people(500, "s", seed, schema=SMALL))
        closer += by_name["closeness"].level != "fine"
        assert by_name["no-control"].level == "warning"
        assert "near-copies" not in by_name
        said += by_name["copies"].level != "fine"
        assert found.copied.any() == (by_name["copies"].level != "fine")
    assert max(said, closer) <= binom.ppf(0.999, runs, 0.005)
    train = people(4000, "t")
    found, by_name = checked(train, both(people(2000, "s"), train.take(np.arange(40))))
    assert by_name["copies"].level == "warning"
    assert np.array_equal(np.flatnonzero(found.copied), np.arange(40))


def test_copies_are_found_although_all_controls_are_training_records():
    train = people(2000, "t")
    found, by_name = checked(train, both(people(1000, "s"), train.take(np.arange(400))), train.take(np.arange(1500)))
    assert by_name["copies"].level == "alarm"
    assert "with no control left it cannot be said" in by_name["copies"].sentence
    assert np.array_equal(np.flatnonzero(found.copied), np.arange(400))
    assert by_name["copies"].value is None  # no surplus over controls, so none that a threshold may look at


def test_few_controls_do_not_hide_copies_that_the_training_file_alone_shows():
    train = people(4000, "t")
    rows = both(people(3960, "s"), train.take(np.arange(40)))
    found, by_name = checked(train, rows, people(150, "c"))
    check = by_name["copies"]
    assert check.level == "warning"
    assert check.low < 0 < check.value == 0.01
    assert "not surely more often" in check.sentence
    assert "with so few controls it cannot be said" in check.sentence
    assert np.array_equal(np.flatnonzero(found.copied), np.arange(40))


@pytest.mark.parametrize(
    ("own", "other", "control", "level"),
    [(0, 0, True, "fine"), (900, 0, True, "alarm"), (900, 450, True, "fine"), (900, 0, False, "alarm")],
)
def test_identifiers(own, other, control, level):
    found, by_name = checked(
        people(1000, "t"), people(400, "s"), people(500, "c") if control else None,
        identifiers=(Identifier("mail", own, other, 400),),
    )  # fmt: skip
    assert by_name["identifiers"].level == level
    assert f"Column mail: the identifiers of {own:,} of 1,000" in by_name["identifiers"].sentence
    assert ("identifiers" in loud(found)) == (level != "fine")


def test_row_numbers_of_the_release_are_nobodys_identifiers():
    """Files cut from one table: its numbers begin at 0 in the training file, and in a release that counts its rows."""
    numbered = Identifier("id", 400, 0, 400, counted=True)
    for control in (people(500, "c"), None):
        _, by_name = checked(people(1000, "t"), people(400, "s"), control, identifiers=(numbered,))
        assert by_name["identifiers"].level == "fine"
        assert "numbers its own rows" in by_name["identifiers"].sentence
        named = (replace(numbered, counted=False),)
        _, by_name = checked(people(1000, "t"), people(400, "s"), control, identifiers=named)
        assert by_name["identifiers"].level == "alarm"


def test_a_training_file_of_repeated_people_does_not_explain_its_own_copies():
    """Twins of the training file are the yardstick of copies; where they are the same people, they are none."""
    some = people(500, "t")
    twice = both(some, some)
    thrice = both(people(300, "u"), some, some, some)
    for train, rows in ((twice, twice), (thrice, both(some, some, some))):
        found, by_name = checked(train, rows)
        assert by_name["training-repeats"].level == "warning"
        assert by_name["copies"].level == "alarm"
        assert f"{len(rows):,} of {len(rows):,} synthetic rows" in by_name["copies"].sentence
        assert np.array_equal(found.copied, np.isin(row_keys(train), row_keys(some)))
    _, by_name = checked(twice, people(1000, "s"))
    assert by_name["copies"].level == "fine"
    few = some.select(SCHEMA.names[:5])
    _, by_name = checked(both(few, few), people(1000, "s", schema=few.schema))
    assert by_name["training-repeats"].level == "warning"
    assert by_name["copies"].level == "warning"
    assert "cannot be said how many rows would stand there by chance" in by_name["copies"].sentence


def test_rows_that_only_prefer_common_values_copy_nobody():
    """More of them stand in the training file than people would, but not as the records of single ones."""
    train = people(600, "t", schema=SCHEMA.select(["c0", "c1", "c2"]))
    common = people(6000, "s", schema=train.schema)
    common = common.take(np.flatnonzero((common["c0"] > 4) & (common["c1"] > 4)))
    found, by_name = checked(train, common)
    assert by_name["copies"].level == "warning"
    assert "the two cannot be told apart" in by_name["copies"].sentence
    assert not found.copied.any()


def test_copies_are_counted_of_all_training_records_though_few_can_be_compared():
    train = people(1500, "t", schema=SCHEMA.select(["c0", "c1", "c2", "c3"]))
    control = both(people(700, "c", schema=train.schema), train.take(np.arange(700)))
    found, by_name = checked(train, train.take(np.arange(1500)[::-1]), control)
    check = by_name["copies"]
    assert not found.members.all()
    assert found.copied.all()
    assert check.sentence.startswith("1,500 of 1,500 training records")
    assert "of about 1,500 people are out" in check.sentence
    assert f"Compared are the {check.n:,} without a twin, of whom {check.n:,} stand there" in check.sentence
    assert found.usual == (0.0, 0.0)


def test_what_is_usual_is_the_share_of_controls():
    train, control = people(1000, "t"), people(500, "c")
    rows = both(people(500, "s"), train.take(np.arange(900)), control.take(np.arange(50)))
    found, by_name = checked(train, rows, control)
    assert by_name["copies"].level == "alarm"
    assert found.usual[0] == 0.1


def test_copies_beside_controls_of_another_population_rest_on_the_training_file():
    """Of people of whom no control is like, more stand in any release."""
    schema = SCHEMA.select(["c0", "c1", "c2", "c3"])
    train, rows = people(2000, "t", schema=schema, tilt=-0.4), people(2000, "s", schema=schema, tilt=-0.4)
    control = people(2000, "c", schema=schema, tilt=0.6)
    _, by_name = checked(train, rows, control)
    assert by_name["control-differs"].level == "alarm"
    assert (by_name["copies"].level, by_name["copies"].value) == ("fine", None)
    train = people(2000, "t", tilt=-0.4)
    _, by_name = checked(train, train.take(np.arange(2000)[::-1]), people(2000, "c", tilt=0.6))
    assert by_name["copies"].level == "alarm"
    assert "with controls of another population it cannot be said" in by_name["copies"].sentence
