"""anonymeter's inference evaluator; run by scripts/bench/attack_speed.py in its own environment.

Arguments: released rows (CSV), the targets with their secrets (CSV), secret, known columns. The evaluator shuffles the
targets, attacks every one once and, as its baseline, guesses once at random. The first call compiles.
"""

import json
import sys
import time

import numpy as np
import pandas as pd
from anonymeter.evaluators import InferenceEvaluator

if __name__ == "__main__":
    rows_file, targets_file, secret, *known = sys.argv[1:]
    rows, targets = (pd.read_csv(file, keep_default_na=False) for file in (rows_file, targets_file))
    np.random.seed(0)  # noqa: NPY002 - the library shuffles by the global state
    seconds = []
    for _ in range(2):
        started = time.perf_counter()
        evaluator = InferenceEvaluator(
            ori=targets, syn=rows, aux_cols=known, secret=secret, regression=False, n_attacks=len(targets)
        )
        results = evaluator.evaluate(n_jobs=1).results()
        seconds.append(time.perf_counter() - started)
    print(json.dumps({"seconds": seconds, "right": [f"{results.n_success / len(targets):.3f}"]}))
