"""Who is exposed: the exposed come first, luck alone selects nobody, intervals are honest, nothing else is told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from privbench.record import to_frame
from privbench.report.exposed import LISTED, exposed, to_csv
from privbench.report.exposure import FALSE, FIGURES, exposure
from tests.report.figures_of_a_run import row

EMPTY = exposure(to_frame([]), pd.DataFrame(columns=["key"]), pd.DataFrame(columns=["round", "person"]))


def run(probabilities, *, member=None, baseline=0.25, decoy=None, record=None, seed=0, rare=None, game="holdout"):
    """Return the three tables of attacks on one release: an array of probabilities, a row an attack."""
    people = np.shape(probabilities)[1]
    member = np.ones(people, bool) if member is None else member
    rows, figures = [], []
    for attack, given in enumerate(np.asarray(probabilities)):
        key = f"{seed}-{attack}"
        rows.append(row(key=key, attack=f"attack{attack}", seed=seed, game=game, metric="accuracy", value=0.5))
        figures.append(
            pd.DataFrame(
                {
                    "key": key,
                    "round": f"r{seed}",
                    "person": np.arange(people),
                    "member": member,
                    "secret": "ill",
                    "right": (given > 0.5) * 1.0,
                    "right_baseline": baseline,
                    "probability": given,
                    "probability_baseline": baseline,
                    "decoy": np.nan if decoy is None else decoy[attack],
                }
            )
        )
    targets = pd.DataFrame(
        {"round": f"r{seed}", "person": np.arange(people),
         "record": pd.array([None] * people if record is None else record, "Int64"), "rare_in": "age",
         "rare_count": np.arange(people) if rare is None else rare, "rare_of": 1000, "known.age": np.arange(people)}
    )  # fmt: skip
    return to_frame(rows), pd.concat(figures, ignore_index=True), targets


def joined(*runs):
    return exposure(*(pd.concat(parts, ignore_index=True) for parts in zip(*runs, strict=True)))


def test_the_mean_over_attacks_is_the_figure_and_the_most_exposed_come_first():
    table = joined(run([[0.3, 0.9, 0.1], [0.5, 0.7, 0.2]]))
    assert table["person"].tolist() == [1, 0, 2]
    assert table["probability"].tolist() == pytest.approx([0.8, 0.4, 0.15])
    assert table["advantage"].tolist() == pytest.approx([0.55, 0.15, -0.1])
    assert table["right"].tolist() == [1, 0, 0]
    assert table["attacks"].tolist() == [2, 2, 2]
    assert ((table["low"] <= table["advantage"]) & (table["advantage"] <= table["high"])).all()


def test_what_anyone_could_say_is_no_attack():
    frame, figures, targets = run([[0.3, 0.9], [0.9, 0.3]])
    frame["attack"] = frame["attack"].replace("attack1", "majority")
    assert exposure(frame, figures, targets)["probability"].tolist() == pytest.approx([0.9, 0.3])


def test_an_attack_that_failed_in_one_seed_counts_in_the_other():
    frame, figures, targets = run([[0.4, 0.2], [0.8, 0.1]])
    frame.loc[frame["attack"] == "attack1", "status"] = "failed"
    assert exposure(frame, figures, targets)["attacks"].tolist() == [1, 1]


def test_a_record_attacked_again_is_one_person_and_twins_are_not():
    first = run([[0.9, 0.2, 0.3]], record=[7, None, 8])
    second = run([[0.5, 0.4, 0.1]], record=[9, None, 7], seed=1)
    table = joined(first, second)
    assert len(table) == 5
    again = table[table["record"] == 7].iloc[0]
    assert (again["seeds"], again["attacks"], again["answers"]) == (2, 2, 2)
    assert again["probability"] == pytest.approx(0.5)
    assert (again["seed"], again["person"]) == (0, 0)
    assert table["record"].isna().sum() == 2


def test_attacks_that_agree_count_as_one_answer_and_independent_ones_as_several():
    rng = np.random.default_rng(0)
    one = rng.random(2000)
    same = joined(run(np.tile(one, (4, 1))))
    apart = joined(run(rng.random((4, 2000))))
    assert same["answers"].to_numpy() == pytest.approx(1)
    assert apart["answers"].to_numpy() == pytest.approx(4, abs=0.3)


@pytest.mark.parametrize("attacks", [1, 3, 8])
def test_the_interval_of_a_person_holds_the_truth(attacks):
    """Give 2,000 people a chance of their own that an attack finds them out; attacks of a seed agree in part."""
    rng = np.random.default_rng(attacks)
    chance = rng.uniform(0, 1, 2000)
    common = rng.random(2000)
    own = np.where(rng.random((attacks, 2000)) < 0.5, common, rng.random((attacks, 2000)))
    table = joined(run((own < chance) * 1.0, baseline=0.0)).sort_values("person")
    missed = ~table["low"].le(chance + 1e-9) | ~table["high"].ge(chance - 1e-9)
    assert missed.mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)


@pytest.mark.parametrize("game", ["controls", "decoys"])
def test_luck_alone_selects_somebody_in_no_more_rounds_than_stated(game):
    """Play 100 rounds without leakage, with an attack that is sure of itself and often right by luck."""
    rng, rounds = np.random.default_rng(5), 0
    for _ in range(100):
        given = np.round(rng.beta(0.3, 0.9, (2, 120)), 2)  # with ties
        if game == "controls":
            table = joined(run(given, member=np.arange(120) < 60))
        else:
            table = joined(run(given[:, :60], decoy=given[:, 60:]))
        rounds += bool(table["stands_out"].any())
        assert not table.loc[~table["member"], "stands_out"].any()
    assert rounds <= stats.binom.ppf(0.999, 100, FALSE)


@pytest.mark.parametrize("game", ["controls", "decoys"])
def test_the_exposed_stand_out_and_few_others_do(game):
    rng, false, found = np.random.default_rng(6), [], []
    for _ in range(25):
        given = rng.beta(0.5, 1.5, (3, 800))
        given[:, :60] = rng.uniform(0.9, 1, (3, 60))  # of 400
        if game == "controls":
            table = joined(run(given, member=np.arange(800) < 400))
        else:
            decoys = given[:, 400:].copy()
            decoys[:, :60] = 0.0
            table = joined(run(given[:, :400], decoy=decoys))
        out = table[table["stands_out"].astype(bool)]
        found.append((out["person"] < 60).sum())
        false.append((out["person"] >= 60).mean() if len(out) else 0.0)
    assert np.mean(found) > 55
    assert np.mean(false) < FALSE + 3 * np.std(false) / np.sqrt(25)


def test_how_many_are_as_high_by_hand():
    given = [[0.9, 0.9, 0.5, 0.1, 0.9, 0.5, 0.2]]
    table = joined(run(given, member=np.arange(7) < 4)).set_index("person")
    assert table.loc[[0, 1, 2, 3], "reached"].tolist() == [2, 2, 3, 4]
    assert table.loc[[0, 1, 2, 3], "by_luck"].tolist() == pytest.approx([4 / 3, 4 / 3, 8 / 3, 4])
    assert table.loc[4:, "reached"].isna().all()


def test_the_report_game_does_not_claim_to_know_luck():
    table = joined(run([[0.9, 0.2]], game="report"))
    assert table[["reached", "by_luck", "false_share"]].isna().all(axis=None)
    assert not table["stands_out"].any()


def test_of_equals_the_rarest_comes_first():
    assert joined(run([[0.9, 0.9, 0.9]], rare=[5, 1, 3]))["person"].tolist() == [1, 2, 0]


def test_releases_and_secrets_are_kept_apart():
    frame, figures, targets = run([[0.9, 0.2], [0.1, 0.3]])
    frame.loc[1, "defense"] = "other"
    other = figures.assign(secret="rich", probability=1 - figures["probability"])
    table = exposure(frame, pd.concat([figures, other]), targets)
    assert len(table) == 8
    one = table[(table["defense"] == "other") & (table["secret"] == "rich")]
    assert one.set_index("person")["probability"].to_dict() == pytest.approx({0: 0.9, 1: 0.7})


def test_nothing_but_known_columns_and_figures():
    table = joined(run([[0.9, 0.2]]))
    assert list(table.columns) == [*FIGURES, "known.age"]
    assert list(EMPTY.columns) == list(FIGURES)
    assert exposed(EMPTY) == []


def test_the_file_lists_so_many_members_of_each_release():
    rng = np.random.default_rng(7)
    table = joined(run(rng.random((1, 300)), member=np.arange(300) < 200))
    lines = to_csv(table).splitlines()
    assert len(lines) == 1 + LISTED
    assert lines[0].split(",")[-1] == "known.age"
    assert {line.split(",")[3] for line in lines[1:]} == {"True"}
