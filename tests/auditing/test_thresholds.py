"""Thresholds as they are written, and those that these files can have no figure for."""

from __future__ import annotations

import re

import pytest

from privbench.auditing.thresholds import check_possible, parse_thresholds
from privbench.errors import InputError


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
        ("exposed", {"group": True, "label": True}, "--control"),
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
