"""Scorers: pure functions from numbers to scored figures; they know nothing of plugins, files or tables.

`METRICS` is the one table of what they measure. Importing this package imports numpy only; scipy and
fairlearn load when a function needs them.
"""

from privbench.scorers.calibration import score_calibration, score_coverage
from privbench.scorers.compare import Groups, Reference
from privbench.scorers.fairness import score_fairness
from privbench.scorers.leakage import score_categorical
from privbench.scorers.leakage_continuous import score_continuous
from privbench.scorers.metrics import METRICS, Metric, metric
from privbench.scorers.reported_groups import score_reported_groups
from privbench.scorers.score import Score
from privbench.scorers.utility import score_downstream, score_marginals, score_reported_marginals, score_reported_means

__all__ = [
    "METRICS",
    "Groups",
    "Metric",
    "Reference",
    "Score",
    "metric",
    "score_calibration",
    "score_categorical",
    "score_continuous",
    "score_coverage",
    "score_downstream",
    "score_fairness",
    "score_marginals",
    "score_reported_groups",
    "score_reported_marginals",
    "score_reported_means",
]
