"""anonymeter's inference evaluator on every column; run by scripts/bench/audit_beside_peers.py in its own environment.

Arguments: training, control and synthetic file (CSV), attacks a column, seconds after which no column is begun, and the
columns to ask; one behind a '+' is a number and is attacked as such. The first column is asked twice, as the first call
compiles, and only the second is counted.
"""

import json
import sys
import time
import warnings

import numpy as np
import pandas as pd
from anonymeter.evaluators import InferenceEvaluator


def main() -> None:
    """Print a line of JSON a column: the risk, its interval, seconds."""
    train_file, control_file, synthetic_file, attacks, limit, *columns = sys.argv[1:]
    train, control, synthetic = (
        pd.read_csv(f, keep_default_na=False) for f in (train_file, control_file, synthetic_file)
    )
    warnings.simplefilter("ignore")
    np.random.seed(0)  # noqa: NPY002 - the library shuffles by the global state
    begun = time.perf_counter()
    for place, name in enumerate([columns[0], *columns]):
        if time.perf_counter() - begun > float(limit):
            break
        secret, number = name.removeprefix("+"), name.startswith("+")
        started = time.perf_counter()
        evaluator = InferenceEvaluator(
            ori=train,
            syn=synthetic,
            control=control,
            aux_cols=[other for other in train.columns if other != secret],
            secret=secret,
            regression=number,
            n_attacks=int(attacks),
        )
        evaluator.evaluate(n_jobs=2)
        risk = evaluator.risk(confidence_level=0.95)
        if place:
            seconds = time.perf_counter() - started
            print(
                json.dumps({"column": secret, "value": risk.value, "limits": risk.ci, "seconds": seconds}), flush=True
            )


if __name__ == "__main__":
    main()
