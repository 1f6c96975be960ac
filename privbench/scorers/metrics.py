"""The table of all metrics: name, family, direction, range, chance and meaning, one row each.

References
----------
H. Weerts et al., "Fairlearn: Assessing and Improving Fairness of AI Systems", JMLR 24, 2023 (fairness names).
N. Carlini et al., "Membership Inference Attacks From First Principles", IEEE S&P 2022 (TPR at a fixed FPR).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from privbench.errors import unknown

__all__ = ["METRICS", "Metric", "metric"]

Family = Literal["leakage", "calibration", "claim", "fairness", "utility"]
Direction = Literal["worse", "better", "neither"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the table of metrics.

    Attributes
    ----------
    name : str
        As it stands in the column `metric` of the results.
    family : str
        ``leakage``, ``calibration``, ``claim``, ``fairness`` or ``utility``.
    higher_is : str
        ``worse`` or ``better`` for the people in the data or the users of the release; ``neither`` for a
        count or a rate that is good or bad only in comparison.
    low, high : float
        The range of the value.
    chance : str or None
        What is scored without any information, as a formula; None where nothing such exists.
    meaning : str
        One sentence.
    """

    name: str
    family: Family
    higher_is: Direction
    low: float
    high: float
    chance: str | None
    meaning: str

    @property
    def sign(self) -> int:
        """Return -1 where a high value is better (`brier`, but also `downstream_accuracy` and p-values), else 1.

        Of leakage it says which value an adversary wants, as an advantage needs; of others only what is better.
        """
        return -1 if self.higher_is == "better" else 1


_INF = float("inf")

METRICS: tuple[Metric, ...] = (
    Metric("accuracy", "leakage", "worse", 0, 1, "1/k",
           "Share of people whose secret is the adversary's most probable value; ties count as their share."),
    Metric("balanced_accuracy", "leakage", "worse", 0, 1, "1/k",
           "Mean over the secret's values of the share guessed right, decoded by posterior over prior."),
    Metric("top_10_accuracy", "leakage", "worse", 0, 1, "10/k",
           "Share of people whose secret is among the adversary's ten most probable values, of more than ten."),
    Metric("auc", "leakage", "worse", 0, 1, "1/2",
           "Probability that someone with a value is ranked above someone without, mean over the values."),
    Metric("tpr_at_fpr_1pct", "leakage", "worse", 0, 1, "(floor(n0/100) + 1)/(n0 + 1), n0 negatives",
           "Share of the people with a value who are found at 1 % false alarms, mean over the values."),
    Metric("brier", "leakage", "better", 0, 2, "(k-1)/k",
           "Squared error of the adversary's probabilities; low is a good guess, so advantage = baseline - value."),
    Metric("within_tolerance", "leakage", "worse", 0, 1, "best constant guess; 2 x tolerance if continuous",
           "Share of people whose secret is guessed to within a set fraction of the domain's range."),
    Metric("nrmse", "leakage", "better", 0, 1, "1/sqrt(12) if continuous",
           "RMSE of the guess over the domain's range; low is a good guess, so advantage = baseline - value."),
    Metric("accuracy_advantage_gap_p_value", "leakage", "better", 0, 1, "uniform",
           "Share of permutations with as large differences between groups in the advantage in accuracy."),
    Metric("within_tolerance_advantage_gap_p_value", "leakage", "better", 0, 1, "uniform",
           "Share of permutations with as large differences between groups in the advantage in within_tolerance."),
    Metric("reliability", "calibration", "neither", 0, 1, "the confidence stated",
           "Share right of the people guessed with a confidence in a bin, as in reliability_80_90: of 80 to 90 %."),
    Metric("calibration_error", "calibration", "neither", -1, 1, "0",
           "Mean distance of stated confidence and share right in ten bins, less what noise adds."),
    Metric("interval_coverage", "calibration", "neither", 0, 1, "the probability stated",
           "Share of truths within the range that states a probability, as in interval_coverage_80: of 80 %."),
    Metric("exact_accuracy_uniform", "leakage", "worse", 0, 1, "1/k",
           "Accuracy that theory gives the Bayes attack on one report if all values are alike; exact, not measured."),
    Metric("exact_accuracy_marginal", "leakage", "worse", 0, 1, "largest share",
           "The same where values are as frequent as among the records, and the adversary knows the shares."),
    Metric("epsilon_lower_bound", "claim", "worse", 0, _INF, "0",
           "The largest epsilon that the audit refutes with 95 % confidence."),
    Metric("claim_p_value", "claim", "better", 0, 1, None,
           "Probability of an audit result at least this strong if the claimed guarantee were true."),
    Metric("demographic_parity_difference", "fairness", "worse", 0, 1, "0",
           "Largest difference between groups in the share predicted positive; 0 if all are predicted alike."),
    Metric("demographic_parity_difference_p_value", "fairness", "better", 0, 1, "uniform",
           "Share of permutations of the group labels with as large a difference in the share predicted positive."),
    Metric("demographic_parity_ratio", "fairness", "better", 0, 1, "1",
           "Smallest over largest share predicted positive among the groups; absent if nobody is."),
    Metric("equalized_odds_difference", "fairness", "worse", 0, 1, "0",
           "The larger of the largest differences between groups in true and in false positive rate."),
    Metric("equal_opportunity_difference", "fairness", "worse", 0, 1, "0",
           "Largest difference between groups in true positive rate."),
    Metric("demographic_parity_difference_reported", "fairness", "worse", 0, 1, "0",
           "Demographic parity difference over the groups that randomised reports support: biased towards 0."),
    Metric("equalized_odds_difference_reported", "fairness", "worse", 0, 1, "0",
           "Equalized odds difference over the groups that randomised reports support: biased towards 0."),
    Metric("equal_opportunity_difference_reported", "fairness", "worse", 0, 1, "0",
           "Equal opportunity difference over the groups that randomised reports support: biased towards 0."),
    Metric("demographic_parity_difference_corrected", "fairness", "worse", 0, 1, "0",
           "Demographic parity difference from randomised group reports, corrected by their known probabilities."),
    Metric("equalized_odds_difference_corrected", "fairness", "worse", 0, 1, "0",
           "Equalized odds difference from randomised group reports, corrected by their known probabilities."),
    Metric("equal_opportunity_difference_corrected", "fairness", "worse", 0, 1, "0",
           "Equal opportunity difference from randomised group reports, corrected by their known probabilities."),
    Metric("group_accuracy", "fairness", "better", 0, 1, None,
           "Share of a group's test records predicted right."),
    Metric("group_selection_rate", "fairness", "neither", 0, 1, None,
           "Share of a group's test records predicted positive."),
    Metric("group_true_positive_rate", "fairness", "better", 0, 1, None,
           "Share of a group's positive test records predicted positive."),
    Metric("group_false_positive_rate", "fairness", "worse", 0, 1, None,
           "Share of a group's negative test records predicted positive."),
    Metric("cell_count", "fairness", "neither", 0, _INF, None,
           "Number of test records with one group value, label and prediction."),
    Metric("prediction_entropy", "fairness", "neither", 0, 1, "0",
           "Entropy in bits of the predictions; 0 for a constant classifier, whose parity says nothing."),
    Metric("downstream_accuracy", "utility", "better", 0, 1, None,
           "Accuracy on real test records of a model trained on the release."),
    Metric("downstream_auc", "utility", "better", 0, 1, "1/2",
           "Area under the ROC curve on real test records, mean over classes, of a model trained on the release."),
    Metric("tvd_1way", "utility", "worse", 0, 1, None,
           "Total variation distance of release and training data, mean over columns."),
    Metric("mean_error", "utility", "worse", 0, 1, None,
           "Distance of a continuous column's mean as estimated from reports from the true one, over its range."),
    Metric("tvd_2way", "utility", "worse", 0, 1, None,
           "Total variation distance of release and training data, mean over pairs of columns."),
    Metric("tvd_3way", "utility", "worse", 0, 1, None,
           "Total variation distance of release and training data, mean over triples of columns."),
)  # fmt: skip

_BY_NAME = {row.name: row for row in METRICS}


def _derived(name: str) -> Metric | None:
    if stem := re.fullmatch(r"(reliability(?=_\d+_\d+$)|interval_coverage(?=_\d+$)).*", name):
        return replace(_BY_NAME[stem[1]], name=name)
    for suffix in ("_advantage_gap", "_gap", "_advantage"):
        base = _BY_NAME.get(name.removesuffix(suffix)) if name.endswith(suffix) else None
        if base is None or base.family != "leakage" or base.name.endswith("_p_value"):
            continue
        span = base.high - base.low
        if suffix == "_advantage":
            versus = "Baseline minus" if base.sign < 0 else "Excess over the baseline of"
            return Metric(name, "leakage", "worse", -span, span, "0", f"{versus} {base.name}: what the release gave.")
        what = f"the advantage in {base.name}" if suffix == "_advantage_gap" else base.name
        high = 2 * span if suffix == "_advantage_gap" else span
        return Metric(name, "leakage", "worse", 0, high, "0", f"Largest difference between groups in {what}.")
    return None


def metric(name: str) -> Metric:
    """Return the row of a metric, derived names included.

    Parameters
    ----------
    name : str
        A name in `METRICS`, or for a leakage metric ``m`` one of ``m_advantage``, ``m_gap``,
        ``m_advantage_gap``; of `reliability` and `interval_coverage` also one with the bin, or the range, behind it.

    Raises
    ------
    InputError
        If there is no such metric; the message has the nearest spelling.

    Examples
    --------
    >>> metric("brier").sign, metric("brier_advantage").sign
    (-1, 1)
    """
    found = _BY_NAME.get(name) or _derived(name)
    if found is None:
        raise unknown("metric", name, _BY_NAME, hint="See 'privbench list metrics'.")
    return found
