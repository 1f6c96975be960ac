"""A collection, a differentially private synthesizer and a bootstrap in one table: the advantage over chance."""

from __future__ import annotations

import math

import pytest

import privbench
from privbench.report.strongest import strongest


def test_reports_and_synthetic_rows_count_from_the_same_baseline(tmp_path):
    config = {
        "dataset": "adult",
        "records": 1000,
        "secrets": ["marital-status"],
        "known": ["age", "sex", "race", "education"],
        "games": [{"name": "randomised", "targets": 300, "rows": True}],
        "defenses": ["resample", {"name": "independent-histogram", "epsilon": 1}, {"name": "ldp", "epsilon": 3}],
        "attacks": ["report-bayes", "nearest-neighbour"],
        "seeds": 2,
    }
    result = privbench.run(config, out=tmp_path, workers=1, quiet=True)
    assert not len(result.failures)
    top = strongest(result.frame)
    top.index = top["defense"].str.split(" ").str[0]
    assert set(top["baseline"].round(9)) == {round(1 / 7, 9)}
    exact = math.exp(3) / (math.exp(3) + 6) - 1 / 7  # generalised randomised response of uniform values
    assert top.loc["ldp", "advantage"] == pytest.approx(exact, abs=4 * math.sqrt(0.25 / 600))
    assert top.loc["ldp", "advantage"] > top.loc["resample", "low"] > 0.1
    assert top.loc["independent-histogram", "low"] < 0
    result.write_report()
