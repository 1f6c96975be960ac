"""What the report recommends among local collections, and theory beside what was measured."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from privbench.record import to_frame
from privbench.report.choice import advice, choice, choices
from privbench.report.page import render
from privbench.report.theory import beside_theory, theory
from tests.report.figures_of_a_run import MANIFEST, cost, leak, row, whole_run


def collection(
    name, *, leakage, error, accuracy, parity=0.1, epsilon=1.0, half=0.01, balanced=None, groups=(("sex=Female", 0.0),)
):
    """Return the rows of one collection: a label, and the four figures that are compared."""
    here = {
        "game": "report",
        "defense": "ldp",
        "defense_params": json.dumps({"allocation": name, "epsilon": epsilon}),
        "epsilon": epsilon,
    }
    attack = {"attack": "report-bayes", "attack_params": "{}"}
    release = {**here, "attack": None, "attack_params": None, "secret": None}
    model = {**here, "model": "lightgbm"}
    return [
        leak(leakage, half=half, **here, **attack),
        replace(
            leak(leakage if balanced is None else balanced, half=half, **here, **attack),
            metric="balanced_accuracy_advantage",
        ),
        *(leak(leakage + more, group=group, **here, **attack) for group, more in groups),
        row(metric="tvd_1way", value=error, low=error - half, high=error + half, baseline=0.6, n=900, **release),
        cost("downstream_accuracy", accuracy, **model),
        cost("demographic_parity_difference", parity, group="sex", **model),
        *(cost("group_accuracy", 0.8 - more, group=group, **model) for group, more in groups),
    ]


THREE = [
    *collection("uniform", leakage=0.10, error=0.05, accuracy=0.80),
    *collection("combined", leakage=0.30, error=0.20, accuracy=0.70, parity=0.2),
    *collection("sampled", leakage=0.20, error=0.01, accuracy=0.80, groups=(("sex=Female", 0.0), ("sex=Male", 0.07))),
]


def test_only_what_is_nowhere_worse_and_somewhere_clearly_better_dominates():
    table = choices(to_frame(THREE)).set_index("defense")
    beaten = table["dominated_by"]
    assert beaten.to_dict() == {
        "ldp allocation=uniform": "",
        "ldp allocation=sampled": "",
        "ldp allocation=combined": "ldp allocation=uniform",
    }
    near = [
        *collection("uniform", leakage=0.10, error=0.05, accuracy=0.80),
        *collection("sampled", leakage=0.105, error=0.055, accuracy=0.795),
    ]
    assert set(choices(to_frame(near))["dominated_by"]) == {""}, "within noise nothing dominates"


def test_it_says_for_whom_it_costs_most():
    table = choices(to_frame(THREE)).set_index("defense")
    row_ = table.loc["ldp allocation=sampled"]
    assert row_["leak_group"] == row_["cost_group"] == "sex=Male"
    assert row_["leak_there"] == pytest.approx(0.27)
    assert row_["cost_there"] == pytest.approx(-0.07)
    assert list(table["leakage"]) == sorted(table["leakage"])


def test_the_advice_is_plain_and_follows_the_figures():
    said = " ".join(advice(choices(to_frame(THREE))))
    assert "With a total epsilon of 1 ldp allocation=uniform leaks least (+10.0 points)" in said
    assert "ldp allocation=sampled errs least (off by 0.010)" in said
    assert "no reason to take ldp allocation=combined: ldp allocation=uniform is nowhere worse" in said
    assert "leaks most about sex=Male (+27.0 points, +20.0 over everyone)" in said.replace("\N{MINUS SIGN}", "-")


def test_a_larger_budget_never_dominates_a_smaller_one():
    rich = collection("rich", leakage=0.0, error=0.0, accuracy=0.9, parity=0.0, epsilon=8.0)
    table = choices(to_frame([*THREE, *rich])).set_index("defense")
    assert table["epsilon"].nunique() == 2
    assert "rich" not in " ".join(table["dominated_by"])
    poor = collection("poor", leakage=0.0, error=0.0, accuracy=0.9, parity=0.0, epsilon=0.5)
    table = choices(to_frame([*THREE, *poor])).set_index("defense")
    assert (table["dominated_by"].drop("ldp allocation=poor epsilon=0.5") != "").all()


def test_what_cannot_be_told_apart_is_said():
    near = [
        *collection("uniform", leakage=0.10, error=0.05, accuracy=0.80),
        *collection("sampled", leakage=0.105, error=0.5, accuracy=0.9),
    ]
    (first, *_) = advice(choices(to_frame(near)))
    assert "leaks least (+10.0 points), but ldp allocation=sampled cannot be told apart from it" in first
    assert first.endswith("ldp allocation=uniform errs least (off by 0.050).")


def test_a_frequent_value_does_not_hide_what_leaks_of_rare_ones():
    rows = [
        *collection("open", leakage=0.0, balanced=0.5, error=0.05, accuracy=0.80),
        *collection("tight", leakage=0.0, balanced=0.1, error=0.05, accuracy=0.80),
    ]
    table = choices(to_frame(rows)).set_index("defense")
    assert table.loc["ldp allocation=open", "balanced"] == pytest.approx(0.5)
    assert table.loc["ldp allocation=open", "dominated_by"] == "ldp allocation=tight"


def test_a_collection_that_learns_nothing_is_not_recommended_for_leaking_least():
    rows = [
        *collection("uniform", leakage=0.10, error=0.05, accuracy=0.80),
        *collection("combined", leakage=0.0, error=1.0, accuracy=0.80),
    ]
    said = advice(choices(to_frame(rows)))
    assert said[0] == (
        "With a total epsilon of 1 ldp allocation=combined is of no use: its estimates are no nearer to the truth than "
        "equal shares."
    )
    assert "ldp allocation=uniform leaks least" in said[1]


def test_groups_within_noise_are_not_named():
    (row_,) = choices(to_frame(collection("one", leakage=0.0, error=0.1, accuracy=0.8))).to_dict("records")
    assert row_["leak_group"] is None
    assert row_["cost_group"] is None


def test_numbers_have_an_error_too_and_skipped_ones_change_no_label():
    numbers = [
        row_ if row_.metric != "tvd_1way" else replace(row_, metric="mean_error", baseline=None)
        for row_ in collection("uniform", leakage=0.1, error=0.05, accuracy=0.8)
    ]
    other = collection("sampled", leakage=0.1, error=0.05, accuracy=0.8)
    skipped = replace(other[0], defense_params='{"allocation": "rs+fd"}', status="skipped", metric=None, reason="no")
    table = choices(to_frame([*numbers, *other, skipped]))
    assert len(table) == 2
    assert table["epsilon"].notna().all()
    assert choice(to_frame(numbers)) is None
    assert choice(whole_run()) is None, "tables are no collections"


def test_the_page_has_the_choice_and_names_stay_escaped():
    page = render(to_frame(THREE), MANIFEST)
    assert 'id="choice"' in page
    assert "no reason to take" in page
    assert 'id="choice"' not in render(whole_run(), MANIFEST)


def exact(value, *, prior, **values):
    return row(metric=f"exact_accuracy_{prior}", value=value, n=900, game="report", defense="ldp",
               defense_params='{"epsilon": 1}', attack=None, attack_params=None, **values)  # fmt: skip


def measured(value, *, params, half=0.01, **values):
    return row(metric="accuracy", value=value, low=value - half, high=value + half, n=500, game="report",
               defense="ldp", defense_params='{"epsilon": 1}', attack="report-bayes", attack_params=params,
               **values)  # fmt: skip


def test_each_prior_meets_its_own_closed_form():
    frame = to_frame(
        [
            exact(0.30, prior="uniform"),
            exact(0.50, prior="marginal"),
            measured(0.305, params='{"prior": "uniform"}'),
            measured(0.60, params="{}"),
            measured(0.99, params='{"prior": "model"}'),
        ]
    )
    table = beside_theory(frame).set_index("prior")
    assert table.loc["uniform", "measured"] == pytest.approx(0.305)
    assert table.loc["marginal", "measured"] == pytest.approx(0.60)
    (block,) = theory(frame)
    ((_, lines),) = block["table"].sections
    assert [line.cells[2].extra for line in lines] == ["", "does not meet the exact figure"]
    assert block["figure"] is not None
    page = render(frame, MANIFEST)
    assert 'id="theory"' in page
    assert 'id="theory-0"' in page


def test_an_exact_figure_without_a_measured_one_says_so():
    (block,) = theory(to_frame([exact(0.3, prior="uniform")]))
    assert block["figure"] is None
    assert block["table"].sections[0][1][0].cells[2].text == "not run"


def test_top_10_stands_below_the_leaderboard_where_there_are_more_values():
    near = row(metric="top_10_accuracy", value=0.041, low=0.03, high=0.05, baseline=0.001, n=500,
               game="reidentify", secret="identity")  # fmt: skip
    frame = to_frame([leak(0.01, game="reidentify", secret="identity"), near])
    page = render(frame, MANIFEST)
    assert "Among the ten likeliest values on identity" in page
    assert "4.1\N{NO-BREAK SPACE}%" in page
    assert "Among the ten likeliest" not in render(whole_run(), MANIFEST)


def test_the_table_has_a_heading_for_every_figure():
    table = choice(to_frame(THREE))["table"]
    assert all(len(line.cells) + 1 == len(table.head) for _, lines in table.sections for line in lines)
