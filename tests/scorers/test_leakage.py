"""Known answers, sklearn's values, invariances and false alarms of the leakage scorers."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from privbench.errors import InputError
from privbench.scorers.intervals import wilson
from privbench.scorers.leakage import score_categorical
from privbench.scorers.leakage_continuous import score_continuous
from privbench.scorers.metrics import METRICS, metric

NAMES = ("accuracy", "balanced_accuracy", "auc", "tpr_at_fpr_1pct", "brier")


def by_name(rows, group=None):
    return {row.metric: row for row in rows if row.group == group}


def score(posterior, truth, *, prior=None, member=None, groups=None, reference="chance", other=None):
    k = np.asarray(posterior).shape[1]
    return score_categorical(
        posterior,
        truth,
        prior=np.ones(k) if prior is None else prior,
        member=np.ones(len(truth), bool) if member is None else member,
        groups=groups or {},
        reference=reference,
        reference_posterior=other,
    )


def sample(seed=0, people=300, k=4, skill=0.2):
    rng = np.random.default_rng(seed)
    truth, posterior = rng.integers(0, k, people), rng.dirichlet(np.ones(k), people)
    posterior[np.arange(people), truth] += skill
    posterior /= posterior.sum(axis=1, keepdims=True)
    groups = {
        "sex": (rng.integers(0, 2, people), ["Female", "Male"]),
        "race": (rng.choice(3, people, p=[0.7, 0.25, 0.05]), ["a", "b", "c"]),
    }
    return posterior, truth, groups


def test_perfect_guess():
    truth = np.arange(300) % 3
    rows = by_name(score(np.eye(3)[truth], truth))
    for name in NAMES:
        assert rows[name].value == (0 if name == "brier" else 1)
        assert rows[name].low < rows[name].high
    assert rows["accuracy_advantage"].value == pytest.approx(2 / 3)
    assert rows["brier_advantage"].value == pytest.approx(2 / 3)
    assert rows["auc"].advantage == 0.5


def test_always_the_mode():
    truth = np.repeat([0, 1, 2], [80, 15, 5])
    prior = np.array([0.8, 0.15, 0.05])
    rows = by_name(score(np.tile(prior, (100, 1)), truth, prior=prior))
    assert rows["accuracy"].value == 0.8
    assert rows["balanced_accuracy"].value == pytest.approx(1 / 3)
    assert rows["auc"].value == 0.5
    assert rows["tpr_at_fpr_1pct"].value == 0


def test_uniform_guess_scores_chance_exactly_by_its_ties():
    truth = np.repeat([0, 1, 2], [80, 15, 5])
    rows = by_name(score(np.full((100, 3), 1 / 3), truth))
    for name in ("accuracy", "balanced_accuracy", "auc", "brier"):
        assert rows[name].advantage == pytest.approx(0, abs=1e-12)
        assert rows[f"{name}_advantage"].low < 0 < rows[f"{name}_advantage"].high


def test_decoding_follows_the_metric():
    posterior, prior = np.array([[0.6, 0.4]] * 4), np.array([0.8, 0.2])
    rows = by_name(score(posterior, np.array([0, 0, 0, 1]), prior=prior))
    assert rows["accuracy"].value == 0.75  # says 0 to all
    assert rows["balanced_accuracy"].value == 0.5  # says 1 to all
    rows = by_name(score(np.array([[0.6, 0.4], [0.9, 0.1]]), np.array([1, 0]), prior=prior))
    assert (rows["accuracy"].value, rows["balanced_accuracy"].value) == (0.5, 1)


def test_values_are_sklearns():
    posterior, truth, _ = sample()
    rows, guess = by_name(score(posterior, truth)), posterior.argmax(axis=1)
    assert rows["accuracy"].value == pytest.approx((guess == truth).mean())
    assert rows["balanced_accuracy"].value == pytest.approx(balanced_accuracy_score(truth, guess))
    assert rows["auc"].value == pytest.approx(roc_auc_score(truth, posterior, multi_class="ovr"))
    assert rows["brier"].value == pytest.approx(((posterior - np.eye(4)[truth]) ** 2).sum(axis=1).mean())
    low, high = wilson((guess == truth).sum(), n=300)
    assert (rows["accuracy"].low, rows["accuracy"].high) == pytest.approx((float(low), float(high)))


def brute_tpr(score_, positive):
    best = 0.0
    for bar in [*np.unique(score_), np.inf]:
        if (score_[~positive] >= bar).mean() <= 0.01:
            best = max(best, (score_[positive] >= bar).mean())
    return best


@given(seed=st.integers(0, 10**6), levels=st.sampled_from([3, 40, 10**6]))
@settings(max_examples=40)
def test_tpr_is_the_largest_threshold_set_with_few_enough_false_alarms(seed, levels):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, 260)
    first = np.clip(np.round((rng.random(260) * 0.8 + 0.2 * (truth == 0)) * levels) / levels, 0, 1)
    rows = by_name(score(np.column_stack([first, 1 - first]), truth))
    expected = (brute_tpr(first, truth == 0) + brute_tpr(1 - first, truth == 1)) / 2
    assert rows["tpr_at_fpr_1pct"].value == pytest.approx(expected)


def test_references_fill_baseline_and_control():
    posterior, truth, groups = sample()
    member = np.arange(300) < 150
    chance = by_name(score(posterior, truth))
    assert [chance[name].baseline for name in ("accuracy", "auc", "brier")] == [0.25, 0.5, 0.75]
    assert 0.01 < chance["tpr_at_fpr_1pct"].baseline < 0.02
    assert chance["accuracy"].control is None
    held = by_name(score(posterior, truth, member=member, reference="controls"))
    alone = by_name(score(posterior[member], truth[member]))
    other = by_name(score(posterior[~member], truth[~member]))
    for name in NAMES:
        row = held[name]
        assert (row.value, row.control, row.n) == (alone[name].value, other[name].value, 150)
        assert row.baseline == row.control
        assert row.advantage == pytest.approx(metric(name).sign * (row.value - row.baseline))
        assert held[f"{name}_advantage"].value == row.advantage
    report = by_name(score(posterior, truth, reference="no-report", other=np.full((300, 4), 0.25), groups=groups))
    assert report["accuracy"].baseline == 0.25
    assert report["accuracy"].control is None


def test_swapping_members_and_controls_flips_the_advantage():
    posterior, truth, _ = sample()
    member = np.arange(300) < 140
    one = by_name(score(posterior, truth, member=member, reference="controls"))
    two = by_name(score(posterior, truth, member=~member, reference="controls"))
    for name in NAMES:
        a, b = one[f"{name}_advantage"], two[f"{name}_advantage"]
        assert (a.value, a.low, a.high) == pytest.approx((-b.value, -b.high, -b.low))


def test_pairing_narrows_and_the_same_answer_has_no_advantage():
    posterior, truth, _ = sample(people=1000)
    same = by_name(score(posterior, truth, reference="no-report", other=posterior))
    for name in NAMES:
        row = same[f"{name}_advantage"]
        assert row.value == 0
        assert row.low < 0 < row.high
    twice = by_name(
        score(
            np.tile(posterior, (2, 1)),
            np.tile(truth, 2),
            member=np.arange(2000) < 1000,
            reference="controls",
        )
    )
    for name in ("accuracy", "balanced_accuracy", "auc"):
        paired, apart = same[f"{name}_advantage"], twice[f"{name}_advantage"]
        assert paired.high - paired.low < 0.5 * (apart.high - apart.low)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_order_of_people_and_names_of_groups_change_nothing(seed):
    posterior, truth, groups = sample(seed=seed, people=120)
    order = np.random.default_rng(seed).permutation(120)
    member = np.arange(120) < 70
    rows = score(posterior, truth, member=member, groups=groups, reference="controls")
    codes, labels = groups["race"]
    moved = {
        "sex": (groups["sex"][0][order], ["Female", "Male"]),
        "race": ((2 - codes)[order], labels[::-1]),
    }
    again = score(posterior[order], truth[order], member=member[order], groups=moved, reference="controls")
    assert len(again) == len(rows)
    second = {(row.metric, row.group): row for row in again}
    for row in rows:
        twin = second[row.metric, row.group]
        assert (row.value, row.low, row.high, row.n) == pytest.approx((twin.value, twin.low, twin.high, twin.n))


def test_groups_have_their_own_rows_and_gaps():
    posterior, truth, groups = sample()
    rows = score(posterior, truth, groups=groups)
    mine = groups["sex"][0] == 1
    alone, male = by_name(score(posterior[mine], truth[mine])), by_name(rows, "sex=Male")
    female, gaps = by_name(rows, "sex=Female"), by_name(rows, "sex")
    for name, row in alone.items():
        twin = male[name]
        assert (twin.value, twin.low, twin.high, twin.n) == (row.value, row.low, row.high, row.n)
        gap = gaps[f"{name}_gap"]
        assert gap.value == pytest.approx(abs(male[name].value - female[name].value))
        assert gap.n == male[name].n + female[name].n
        assert 0 <= gap.low <= gap.value <= gap.high
    assert all(row.low <= row.value <= row.high for row in rows)


def test_odd_groups_never_fail():
    posterior, truth, _ = sample(people=40)
    codes = np.zeros(40, int)
    codes[:3] = [1, 2, 3]  # a member alone, a control alone, and nobody's 4
    member = np.arange(40) != 1
    rows = score(posterior, truth, member=member, groups={"g": (codes, list("abcde"))}, reference="controls")
    assert not by_name(rows, "g=c")
    assert not by_name(rows, "g=e")
    single = by_name(rows, "g=b")
    assert set(single) == {"accuracy", "balanced_accuracy", "brier"}
    assert single["accuracy"].baseline is None
    assert by_name(rows, "g")["accuracy_gap"].n == 39
    one_group = score(posterior, truth, groups={"g": (np.zeros(40, int), ["all"])})
    assert not by_name(one_group, "g")


def test_a_value_that_only_members_hold_is_not_compared():
    truth = np.array([0, 0, 1, 1, 2, 0, 0, 1, 1])
    posterior = np.eye(3)[truth] * 0.7 + 0.1
    rows = by_name(score(posterior, truth, member=np.arange(9) < 5, reference="controls"))
    assert rows["balanced_accuracy"].n == 4
    assert rows["accuracy"].n == 5
    assert rows["balanced_accuracy"].advantage == 0


def test_one_class_gives_no_ranking_rows():
    rows = by_name(score(np.full((9, 3), 1 / 3), np.zeros(9, int)))
    assert "auc" not in rows
    assert "tpr_at_fpr_1pct" not in rows
    assert rows["balanced_accuracy"].value == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "change",
    [
        {"posterior": np.full((9, 3), np.nan)},
        {"posterior": np.full((9, 3), 0.5)},
        {"posterior": np.tile([1.2, -0.2, 0.0], (9, 1))},
        {"posterior": np.full((8, 3), 1 / 3)},
        {"truth": np.full(9, 3)},
        {"truth": np.zeros(9)},
        {"truth": np.full(9, -1)},
        {"prior": np.zeros(3)},
        {"member": np.zeros(9, bool), "reference": "controls"},
        {"member": np.arange(9) < 4},
        {"reference": "control"},
        {"reference": "no-report"},
        {"groups": {"g": (np.full(9, 2), ["a", "b"])}},
    ],
)
def test_bad_input_is_refused(change):
    good = {
        "posterior": np.full((9, 3), 1 / 3),
        "truth": np.arange(9) % 3,
        "prior": np.ones(3),
        "member": np.ones(9, bool),
        "groups": {},
        "reference": "chance",
    }
    score_categorical(**good)
    with pytest.raises(InputError):
        score_categorical(**{**good, **change})


def false_alarms(make, repeats):
    alarms = Counter()
    for _ in range(repeats):
        for row in make():
            if row.metric.endswith("_advantage") and row.group in (None, "g=b"):
                alarms[row.metric, row.group] += not row.low <= 0 <= row.high
            elif row.metric.endswith("_gap"):
                alarms[row.metric, row.group] += row.low > 0
    return alarms


def test_coverage_without_leakage_in_the_randomised_game():
    rng, k = np.random.default_rng(8), 8

    def make():
        groups = {"g": (rng.choice(3, 400, p=[0.8, 0.15, 0.05]), list("abc"))}
        return score(rng.dirichlet(np.ones(k), 400), rng.integers(0, k, 400), groups=groups)

    alarms = false_alarms(make, 150)
    del alarms["brier_advantage", None], alarms["brier_advantage", "g=b"]  # confident noise is worse than chance
    assert len(alarms) >= 15
    assert max(alarms.values()) <= stats.binom.ppf(0.9995, 150, 0.05)


def test_coverage_without_leakage_in_the_holdout_game():
    rng, k = np.random.default_rng(9), 3

    def make():
        truth, posterior = rng.choice(k, 400, p=[0.6, 0.3, 0.1]), rng.dirichlet(np.ones(k), 400)
        posterior[np.arange(400), truth] += 0.3
        posterior /= posterior.sum(axis=1, keepdims=True)
        groups = {"g": (rng.choice(3, 400, p=[0.7, 0.25, 0.05]), list("abc"))}
        rows = score(
            posterior, truth, prior=[6, 3, 1], member=np.arange(400) < 200, groups=groups, reference="controls"
        )
        return [row for row in rows if not row.metric.endswith("_gap") or "advantage" in row.metric]

    alarms = false_alarms(make, 150)
    assert max(alarms.values()) <= stats.binom.ppf(0.9995, 150, 0.05)


def test_coverage_of_paired_differences():
    rng, missed = np.random.default_rng(10), Counter()
    for _ in range(200):
        truth = rng.integers(0, 3, 150)
        common = rng.gamma(1, size=(150, 3))
        own, other = common * rng.gamma(4, size=(150, 3)), common * rng.gamma(4, size=(150, 3))
        own, other = (x / x.sum(axis=1, keepdims=True) for x in (own, other))
        for name, row in by_name(score(own, truth, reference="no-report", other=other)).items():
            if name.endswith("_advantage"):
                missed[name] += not row.low <= 0 <= row.high
    assert max(missed.values()) <= stats.binom.ppf(0.9995, 200, 0.05)


def test_coverage_of_a_mean_of_few_losses():
    rng, alpha, missed = np.random.default_rng(12), np.array([2.0, 2.0]), 0
    for _ in range(400):  # five people; E brier is 2 E (1 - p)^2 = .6 for p ~ Beta(2, 2)
        row = by_name(score(rng.dirichlet(alpha, 5), rng.integers(0, 2, 5)))["brier"]
        missed += not row.low <= 0.6 <= row.high
    assert missed <= stats.binom.ppf(0.999, 400, 0.05)


def continuous(guess, truth, **change):
    settings_ = {
        "low": 0,
        "high": 100,
        "integer": False,
        "member": np.ones(len(truth), bool),
        "groups": {},
        "reference": "chance",
    }
    return by_name(score_continuous(guess, truth, **{**settings_, **change}))


def test_continuous_known_answers():
    truth = np.array([0.0, 10.0, 50.0, 100.0])
    rows = continuous(truth, truth)
    assert (rows["within_tolerance"].value, rows["nrmse"].value) == (1, 0)
    assert rows["within_tolerance"].baseline == pytest.approx(0.1)
    assert rows["nrmse"].baseline == pytest.approx(1 / np.sqrt(12))
    assert rows["nrmse_advantage"].value == pytest.approx(1 / np.sqrt(12))
    rows = continuous(truth + np.array([-7.0, 5.0, -5.0, 900.0]), truth)
    assert rows["within_tolerance"].value == 1  # clipped to the domain, and 5 is within 5 %
    assert rows["nrmse"].value == pytest.approx(np.sqrt(50 / 4) / 100)
    assert continuous(truth + np.array([6.0, 6.0, 6.0, -6.0]), truth)["within_tolerance"].value == 0


@pytest.mark.parametrize(("high", "tolerance"), [(9, 0.05), (73, 0.05), (100, 0.05), (10, 0.3), (4, 1.0)])
def test_chance_for_integers_is_the_best_constant(high, tolerance):
    domain = np.arange(high + 1.0)
    rows = continuous(domain, domain, high=high, integer=True, tolerance=tolerance)
    guesses = np.linspace(0, high, 8 * high + 1)
    hits = (np.abs(guesses[:, None] - domain) <= tolerance * high + 1e-9).mean(axis=1)
    errors = np.sqrt(((guesses[:, None] - domain) ** 2).mean(axis=1)) / high
    assert rows["within_tolerance"].baseline == pytest.approx(hits.max())
    assert rows["nrmse"].baseline == pytest.approx(errors.min())


def test_continuous_references():
    rng = np.random.default_rng(11)
    truth = rng.uniform(0, 100, 200)
    guess = truth + rng.normal(size=200) * 4
    paired = continuous(guess, truth, reference="no-report", reference_guess=np.full(200, 50.0))
    assert paired["nrmse"].baseline == pytest.approx(np.sqrt(((truth - 50) ** 2).mean()) / 100)
    assert paired["nrmse_advantage"].low > 0
    member = np.arange(200) < 90
    one = continuous(guess, truth, reference="controls", member=member)
    two = continuous(guess, truth, reference="controls", member=~member)
    for name in ("within_tolerance_advantage", "nrmse_advantage"):
        assert one[name].value == pytest.approx(-two[name].value)
        assert one[name].low == pytest.approx(-two[name].high)


@pytest.mark.parametrize(
    "change", [{"high": 0}, {"guess": np.full(4, np.nan)}, {"truth": np.full(4, 101.0)}, {"tolerance": -1}]
)
def test_continuous_bad_input_is_refused(change):
    arguments = {"guess": np.full(4, 3.0), "truth": np.full(4, 3.0), **change}
    with pytest.raises(InputError):
        continuous(**arguments)


def test_every_row_is_in_the_table_and_in_its_range():
    posterior, truth, groups = sample()
    rows = score(posterior, truth, groups=groups, member=np.arange(300) < 150, reference="controls")
    for row in rows:
        entry = metric(row.metric)
        assert entry.low <= row.low <= row.high <= entry.high
    assert {row.metric for row in rows if row.group is None} == {n + s for n in NAMES for s in ("", "_advantage")}


def test_the_table_of_metrics():
    assert len({row.name for row in METRICS}) == len(METRICS)
    assert all(row.meaning.endswith(".") and row.low < row.high for row in METRICS)
    assert (metric("accuracy_gap").low, metric("brier_advantage").low) == (0, -2)
    with pytest.raises(InputError, match="balanced_accuracy"):
        metric("balanced_acuracy")
    with pytest.raises(InputError):
        metric("group_accuracy_gap")


def test_top_10_counts_the_true_value_among_the_ten_likeliest_and_shares_ties():
    posterior = np.tile(np.arange(20, 0, -1) / 210, (4, 1))
    posterior[3] = 1 / 20
    truth = np.array([0, 9, 10, 5])
    scores = score_categorical(
        posterior,
        truth,
        prior=np.full(20, 1 / 20),
        member=np.ones(4, dtype=bool),
        groups={},
        reference="chance",
    )
    found = {score.metric: score for score in scores}
    assert found["top_10_accuracy"].value == pytest.approx((1 + 1 + 0 + 0.5) / 4)
    assert found["top_10_accuracy"].baseline == pytest.approx(10 / 20)
    few = score_categorical(
        np.full((4, 10), 0.1),
        truth % 10,
        prior=np.full(10, 0.1),
        member=np.ones(4, dtype=bool),
        groups={},
        reference="chance",
    )
    assert not any(score.metric.startswith("top_10") for score in few), "with ten values it is always right"
