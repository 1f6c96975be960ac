"""Means and intervals over seeds, the strongest attack without its bias, labels and reasons."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from privbench.record import to_frame
from privbench.report.strongest import strongest
from privbench.report.summary import costs, labels, leaderboard, over_seeds, problems
from tests.report.figures_of_a_run import leak, nothing_but_failures, row, whole_run

EMPTY = to_frame([])


def test_one_seed_keeps_its_own_interval():
    table = over_seeds(to_frame([leak(0.2, half=0.07)]))
    assert table[["value", "low", "high", "seeds"]].iloc[0].tolist() == pytest.approx([0.2, 0.13, 0.27, 1])


def test_seeds_that_differ_widely_get_students_interval():
    values = [0.1, 0.3, 0.5, 0.2]
    table = over_seeds(to_frame([leak(value, half=0.01, seed=seed) for seed, value in enumerate(values)]))
    half = stats.t.ppf(0.975, 3) * np.std(values, ddof=1) / 2
    assert table["value"][0] == pytest.approx(0.275)
    assert (table["low"][0], table["high"][0]) == pytest.approx((0.275 - half, 0.275 + half))


def test_seeds_that_agree_by_accident_get_the_pooled_interval():
    rows = [leak(value, half=0.06, seed=seed) for seed, value in enumerate([0.1, 0.1001, 0.0999])]
    table = over_seeds(to_frame(rows))
    assert table["high"][0] - table["value"][0] == pytest.approx(0.06 / math.sqrt(3), rel=0.01)


def test_limits_stay_within_the_range_of_the_metric():
    rows = [row(metric="accuracy", value=value, low=0.9, high=1.0, n=9, seed=s) for s, value in enumerate([0.91, 0.99])]
    assert over_seeds(to_frame(rows))["high"][0] == 1.0


def test_the_interval_over_seeds_covers_the_truth():
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(200):
        values = rng.normal(0.1, 0.03, size=3)  # 0.03 * 1.96 is what each seed says of itself
        table = over_seeds(to_frame([leak(value, half=0.0588, seed=s) for s, value in enumerate(values)]))
        inside += bool(table["low"][0] <= 0.1 <= table["high"][0])
    assert inside >= 190


def test_the_interval_of_figures_judged_on_the_same_records_covers_the_truth():
    rng = np.random.default_rng(2)
    inside = 0
    for _ in range(200):
        # one test set for all seeds is off by 0.03 (what each seed says of itself), training adds 0.02
        values = rng.normal(0.7, 0.03) + rng.normal(0, 0.02, size=3)
        rows = [
            row(attack=None, model="m", metric="downstream_accuracy", n=9, seed=seed,
                value=value, low=value - 0.0588, high=value + 0.0588)
            for seed, value in enumerate(values)
        ]  # fmt: skip
        table = over_seeds(to_frame(rows))
        inside += bool(table["low"][0] <= 0.7 <= table["high"][0])
    assert inside >= 185


def test_leaderboard_puts_the_most_leaking_first_and_keeps_games_apart():
    rows = [
        leak(0.1, defense="a"), leak(0.4, defense="b"), leak(0.2, defense="b", attack="second"),
        leak(0.9, defense="a", game="randomised"),
    ]  # fmt: skip
    board = leaderboard(to_frame(rows))
    assert board[["game", "defense", "attack"]].to_numpy().tolist() == [
        ["holdout", "b", "guess"],
        ["holdout", "b", "second"],
        ["holdout", "a", "guess"],
        ["randomised", "a", "guess"],
    ]
    assert board["score"].tolist() == pytest.approx([0.9, 0.7, 0.6, 1.4])


def test_strongest_of_many_equal_attacks_is_not_biased():
    rng = np.random.default_rng(1)
    gaps, naive = [], []
    for _ in range(60):
        rows = [
            leak(value, defense="a", attack=f"attack{m}", seed=seed)
            for seed, values in enumerate(rng.normal(0, 0.05, size=(3, 8)))
            for m, value in enumerate(values)
        ]
        best = strongest(to_frame(rows)).iloc[0]
        gaps.append(best["advantage"])
        naive.append(best["maximum"])
        assert best["corrected"]
    error = np.std(gaps) / math.sqrt(len(gaps))
    assert abs(np.mean(gaps)) < 4 * error
    assert np.mean(naive) > 0.03


def test_strongest_with_one_seed_is_the_maximum_with_a_wider_interval():
    best = strongest(to_frame([leak(0.2), leak(0.1, attack="second")])).iloc[0]
    assert best["advantage"] == 0.2
    assert not best["corrected"]
    assert best["high"] - best["advantage"] == pytest.approx(0.05 * stats.norm.ppf(1 - 0.025 / 2) / 1.959964, rel=1e-4)


@pytest.mark.parametrize(
    ("values", "half", "verdict"),
    [
        ([0.3, 0.2], 0.05, "leaks"),
        ([0.0, 0.01], 0.05, "none"),
        ([0.042, 0.0], 0.04, "unclear"),  # its own interval excludes 0, the one that allows for the choice does not
        ([0.0, 0.01], 0.2, "unclear"),  # an advantage of .2 is not ruled out
    ],
)
def test_verdicts(values, half, verdict):
    rows = [leak(value, half=half, attack=f"attack{m}") for m, value in enumerate(values)]
    assert strongest(to_frame(rows))["verdict"].tolist() == [verdict]


def test_p_values_over_seeds_are_twice_their_mean():
    rows = [
        row(metric="accuracy_advantage_gap_p_value", group="sex", value=p, seed=s) for s, p in enumerate((0.1, 0.3))
    ]
    table = over_seeds(to_frame(rows))
    assert table["value"][0] == pytest.approx(0.4)
    assert table[["low", "high"]].isna().all(axis=None)
    assert over_seeds(to_frame(rows[:1]))["value"][0] == pytest.approx(0.1)


def test_what_anyone_could_say_is_no_strongest_attack():
    rows = [leak(0.2, attack="majority"), leak(0.1, attack="prior"), leak(0.0), leak(0.3, attack="prior", defense="b")]
    assert strongest(to_frame(rows))[["defense", "attack", "attacks"]].to_numpy().tolist() == [["copy", "guess", 1]]


def test_labels_show_what_tells_variants_apart():
    rows = [
        row(defense="noisy", defense_params='{"epsilon": 1, "rows": 10}', metric="accuracy", value=0.1),
        row(defense="noisy", defense_params='{"epsilon": 2, "rows": 10}', metric="accuracy", value=0.1),
        row(defense="copy", defense_params='{"rows": 10}', metric="accuracy", value=0.1),
    ]
    assert labels(to_frame(rows))["defense"].tolist() == ["noisy epsilon=1", "noisy epsilon=2", "copy rows=10"]


def test_costs_are_those_of_holdout_beside_the_model_on_real_data():
    frame = whole_run()
    other = frame[frame["model"].notna()].assign(game="report", value=0.1)
    table = costs(pd.concat([other, frame]))
    assert table["game"].tolist() == ["holdout", "holdout"]
    assert table["downstream_accuracy"].tolist() == pytest.approx([0.75, 0.75])
    assert table["downstream_accuracy_baseline"].tolist() == pytest.approx([0.8, 0.8])
    assert table["demographic_parity_difference"].tolist() == pytest.approx([0.1, 0.1])


def test_problems_are_counted_failures_first():
    table = problems(whole_run())
    assert table[["status", "what", "count"]].to_numpy().tolist() == [["failed", "broken", 2], ["skipped", "third", 2]]


@pytest.mark.parametrize("frame", [EMPTY, nothing_but_failures()], ids=["empty", "failures"])
def test_a_run_without_figures_has_empty_tables(frame):
    for table in (over_seeds(frame), leaderboard(frame), strongest(frame), costs(frame)):
        assert table.empty
    assert len(problems(frame)) == len(frame)


@pytest.mark.parametrize("seeds", [1, 3])
def test_in_the_report_game_the_attack_that_is_right_most_often_is_strongest(seeds):
    # who takes nothing for granted gains more from a report, and still knows less
    rows = []
    for seed in range(seeds):
        here = {"game": "report", "seed": seed, "key": f"k{seed}"}
        ignorant, informed = leak(0.40, attack="ignorant", **here), leak(0.05, half=0.01, attack="informed", **here)
        rows += [replace(ignorant, baseline=0.2), replace(informed, baseline=0.8)]
    best = strongest(to_frame(rows)).iloc[0]
    assert (best["attack"], best["attacks"]) == ("informed", 2)
    assert best["advantage"] == pytest.approx(0.05)
    assert best["ceiling"] < 0.1
    assert best["verdict"] == "leaks"
    elsewhere = strongest(to_frame([replace(row, game="holdout") for row in rows])).iloc[0]
    assert elsewhere["attack"] == "ignorant"
