"""fairlearn's values, constant classifiers, missing cells and coverage of the fairness scorers."""

import fairlearn.metrics
import numpy as np
import pytest
from scipy import stats

from privbench.errors import InputError
from privbench.scorers.fairness import score_fairness
from privbench.scorers.intervals import wilson
from privbench.scorers.metrics import metric

DIFFERENCES = (
    "demographic_parity_difference",
    "demographic_parity_ratio",
    "equalized_odds_difference",
    "equal_opportunity_difference",
)


def by_name(rows, group):
    return {row.metric: row for row in rows if row.group == group}


def score(truth, prediction, groups, **change):
    return score_fairness(truth, prediction, groups=groups, rng=np.random.default_rng(0), **change)


def sample(seed=0, n=600):
    rng = np.random.default_rng(seed)
    groups = {"sex": (rng.integers(0, 2, n), ["Female", "Male"]), "race": (rng.integers(0, 3, n), ["a", "b", "c"])}
    truth = rng.integers(0, 2, n)
    return truth, (rng.random(n) < 0.2 + 0.3 * truth + 0.2 * groups["sex"][0]).astype(int), groups


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_values_are_fairlearns(seed):
    truth, prediction, groups = sample(seed)
    other = 1 - prediction
    rows = score(truth, prediction, groups, reference_prediction=other)
    crossed = groups["race"][0] * 2 + groups["sex"][0]
    for column, codes in (("sex", groups["sex"][0]), ("race", groups["race"][0]), ("sex & race", crossed)):
        found = by_name(rows, column)
        for name in DIFFERENCES:
            function = getattr(fairlearn.metrics, name)
            assert found[name].value == pytest.approx(function(truth, prediction, sensitive_features=codes))
            assert found[name].baseline == pytest.approx(function(truth, other, sensitive_features=codes))
            assert found[name].low <= found[name].value <= found[name].high
            assert found[name].n == 600
    mine = groups["race"][0] == 1
    group = by_name(rows, "race=b")
    for name, function in (
        ("group_selection_rate", fairlearn.metrics.selection_rate),
        ("group_true_positive_rate", fairlearn.metrics.true_positive_rate),
        ("group_false_positive_rate", fairlearn.metrics.false_positive_rate),
    ):
        assert group[name].value == pytest.approx(function(truth[mine], prediction[mine]))
    assert group["group_accuracy"].value == pytest.approx((truth == prediction)[mine].mean())
    positives = mine & (truth == 1)
    low, high = wilson(prediction[positives].sum(), n=positives.sum())
    row = group["group_true_positive_rate"]
    assert (row.low, row.high, row.n) == (low, high, positives.sum())


def test_cell_counts_add_up():
    truth, prediction, groups = sample()
    rows = [row for row in score(truth, prediction, groups) if row.metric == "cell_count"]
    assert sum(row.value for row in rows if row.group.startswith("sex=")) == 600
    cell = next(row for row in rows if row.group == "sex=Male, label=1, prediction=0")
    assert cell.value == ((groups["sex"][0] == 1) & (truth == 1) & (prediction == 0)).sum()
    assert cell.n == 600


@pytest.mark.parametrize("constant", [0, 1])
def test_a_constant_classifier_has_parity_and_no_entropy(constant):
    truth, _, groups = sample()
    rows = score(truth, np.full(600, constant), groups)
    sex = by_name(rows, "sex")
    for name in ("demographic_parity_difference", "equalized_odds_difference", "equal_opportunity_difference"):
        assert sex[name].value == 0
        assert 0 == sex[name].low < sex[name].high
    assert ("demographic_parity_ratio" in sex) == (constant == 1)
    entropy = by_name(rows, None)["prediction_entropy"]
    assert (entropy.value, entropy.low) == (0, 0)
    assert entropy.high > 0


def test_a_reference_that_selects_nobody_gives_the_ratio_no_baseline():
    truth, prediction, groups = sample()
    sex = by_name(score(truth, prediction, groups, reference_prediction=np.zeros(600, int)), "sex")
    assert sex["demographic_parity_ratio"].baseline is None
    assert sex["demographic_parity_difference"].baseline == 0


def test_entropy_of_a_fair_coin_is_one_bit():
    row = score(np.zeros(40, int), np.arange(40) % 2, {}, reference_prediction=np.zeros(40, int))[0]
    assert (row.value, row.high, row.baseline) == (1, 1, 0)
    assert 0.8 < row.low < 1


def test_a_group_without_positives_is_left_out_of_their_rate_only():
    truth, prediction, groups = sample()
    codes, labels = groups["race"]
    truth = np.where(codes == 2, 0, truth)
    rows = score(truth, prediction, {"race": (codes, labels)})
    assert "group_true_positive_rate" not in by_name(rows, "race=c")
    kept = codes != 2
    expected = fairlearn.metrics.equal_opportunity_difference(
        truth[kept], prediction[kept], sensitive_features=codes[kept]
    )
    assert by_name(rows, "race")["equal_opportunity_difference"].value == pytest.approx(expected)
    expected = fairlearn.metrics.demographic_parity_difference(truth, prediction, sensitive_features=codes)
    assert by_name(rows, "race")["demographic_parity_difference"].value == pytest.approx(expected)


def test_odd_groups_never_fail():
    truth, prediction, _ = sample(n=30)
    nobody = {"g": (np.zeros(30, int), ["all", "nobody"])}
    rows = score(truth, prediction, nobody)
    assert not set(by_name(rows, "g")) & set(DIFFERENCES)
    assert set(by_name(rows, "g=nobody")) == set()
    rows = score(np.zeros(30, int), prediction, {"g": (np.arange(30) % 2, ["a", "b"])})
    assert set(by_name(rows, "g")) & set(DIFFERENCES) == {
        "demographic_parity_difference",
        "demographic_parity_ratio",
    }


def test_order_of_records_and_names_of_groups_change_nothing():
    truth, prediction, groups = sample()
    order = np.random.default_rng(1).permutation(600)
    codes = groups["sex"][0]
    one = score(truth, prediction, {"sex": (codes, ["x", "y"])})
    two = score(truth[order], prediction[order], {"sex": (codes[order], ["p", "q"])})
    assert [(r.metric, r.value, r.low, r.high, r.n) for r in one] == [
        (r.metric, r.value, r.low, r.high, r.n) for r in two
    ]


def test_every_row_is_in_the_table_and_in_its_range():
    for row in score(*sample()):
        entry = metric(row.metric)
        assert entry.low <= row.value <= entry.high
        assert row.low is None or entry.low <= row.low <= row.value <= row.high <= entry.high


@pytest.mark.parametrize("bad", [np.full(600, 2), np.zeros(599), np.full(600, np.nan)])
def test_bad_input_is_refused(bad):
    truth, prediction, groups = sample()
    with pytest.raises(InputError):
        score(truth, bad, groups)
    with pytest.raises(InputError):
        score(bad if bad.size == 600 else np.array([]), prediction, groups)


@pytest.mark.parametrize(("n", "rates"), [(1000, [0.4, 0.2, 0.3]), (250, [0.1, 0.1, 0.1, 0.1]), (300, [0.02, 0.02])])
def test_coverage_of_the_differences(n, rates, monkeypatch):
    def from_counts(counts, name):
        rate = fairness._rates(counts, name)
        return float(np.nanmax(rate) - np.nanmin(rate)), float(np.nanmin(rate) / max(np.nanmax(rate), 1e-9))

    from privbench.scorers import fairness

    monkeypatch.setattr(fairness, "_fairlearn", from_counts)  # the same values (tested above), a hundred times faster
    rng, rates = np.random.default_rng(3), np.array(rates)
    share = np.r_[0.5, np.full(len(rates) - 1, 0.5 / (len(rates) - 1))]
    true = dict.fromkeys(DIFFERENCES, np.ptp(rates)) | {"demographic_parity_ratio": rates.min() / rates.max()}
    missed, repeats = dict.fromkeys(DIFFERENCES, 0), 200
    for _ in range(repeats):
        codes = rng.choice(len(rates), n, p=share)
        truth, prediction = rng.random(n) < 0.4, rng.random(n) < rates[codes]
        rows = score_fairness(truth, prediction, groups={"g": (codes, list("abcd")[: len(rates)])}, rng=rng)
        found = by_name(rows, "g")
        for name in DIFFERENCES:
            row = found[name]
            missed[name] += not row.low - 1e-9 <= true[name] <= row.high + 1e-9
    assert max(missed.values()) <= stats.binom.ppf(0.9995, repeats, 0.05)


def test_intersections_have_rows_of_their_own_without_tiny_groups():
    truth, prediction, groups = sample()
    sex, race = groups["sex"][0], groups["race"][0].copy()
    race[(sex == 0) & (race == 2)] = 0
    race[np.flatnonzero((sex == 0) & (race == 0))[:9]] = 2  # nine of Female, c
    rows = score(truth, prediction, {"sex": groups["sex"], "race": (race, ["a", "b", "c"])})
    kept = (sex == 1) | (race < 2)
    found = by_name(rows, "sex & race")
    for name in DIFFERENCES:
        function = getattr(fairlearn.metrics, name)
        expected = function(truth[kept], prediction[kept], sensitive_features=(2 * race + sex)[kept])
        assert found[name].value == pytest.approx(expected)
        assert found[name].n == kept.sum() == 591
    mine = (sex == 1) & (race == 2)
    row = by_name(rows, "sex & race=Male, c")["group_selection_rate"]
    assert (row.value, row.n) == (pytest.approx(prediction[mine].mean()), mine.sum())
    assert not by_name(rows, "sex & race=Female, c")
    cell = by_name(rows, "sex & race=Male, c, label=1, prediction=0")["cell_count"]
    assert cell.value == (mine & (truth == 1) & (prediction == 0)).sum()
    few = score(truth[:15], prediction[:15], {"sex": (sex[:15], "fm"), "race": (race[:15], "abc")})
    assert not by_name(few, "sex & race")
