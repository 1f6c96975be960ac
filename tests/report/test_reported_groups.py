"""The page's figures on groups that are seen through a randomiser: as they are, as they look, and corrected."""

from __future__ import annotations

from privbench.record import to_frame
from privbench.report.page import render
from privbench.report.per_group import fairness
from privbench.report.summary import costs, over_seeds
from tests.report.figures_of_a_run import MANIFEST, cost, whole_run


def run(*more):
    here = {"defense": "noisy", "defense_params": '{"epsilon": 1}', "epsilon": 1.0}
    base = [cost("downstream_accuracy", 0.8, **here), cost("demographic_parity_difference", 0.242, group="sex", **here)]
    return to_frame([*base, *(cost(name, value, group="sex", **here) for name, value in more)])


def test_true_randomised_and_corrected_groups_stand_under_one_another():
    frame = run(("demographic_parity_difference_reported", 0.091), ("demographic_parity_difference_corrected", 0.241))
    (block,) = fairness(over_seeds(frame), costs(frame))
    ((column, lines),) = block["reported"].sections
    assert column == "sex"
    assert [line.cells[0].text for line in lines] == ["true groups", "randomised groups", "corrected"]
    assert [line.cells[1].text for line in lines] == ["0.242", "0.091", "0.241"]
    assert "randomised groups" in render(frame, MANIFEST)


def test_where_no_group_is_randomised_there_is_no_such_table():
    frame = whole_run()
    assert all(block["reported"] is None for block in fairness(over_seeds(frame), costs(frame)))
