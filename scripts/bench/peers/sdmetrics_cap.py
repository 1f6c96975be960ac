"""SDMetrics' CategoricalCAP; run by scripts/bench/attack_speed.py in its own environment.

Arguments: released rows (CSV), the targets with their secrets (CSV), secret, known columns. It scores the share of the
matching rows that have a target's secret, leaves out targets that no row matches, and returns one less the mean.
"""

import json
import sys
import time
import warnings

import pandas as pd
from sdmetrics.single_table import CategoricalCAP

if __name__ == "__main__":
    rows_file, targets_file, secret, *known = sys.argv[1:]
    # numbers are categories to it
    rows, targets = (pd.read_csv(file, keep_default_na=False, dtype=str) for file in (rows_file, targets_file))
    warnings.simplefilter("ignore")
    seconds = []
    for _ in range(2):
        started = time.perf_counter()
        score = CategoricalCAP.compute(targets, rows, key_fields=known, sensitive_fields=[secret])
        seconds.append(time.perf_counter() - started)
    print(json.dumps({"seconds": seconds, "right": [f"({1 - score:.3f})"]}))
