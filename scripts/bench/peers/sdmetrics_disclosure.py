"""SDMetrics' DisclosureProtection; run by scripts/bench/audit_beside_peers.py in its own environment.

Arguments: training, control and synthetic file (CSV), how many training rows are asked, seconds after which no column
is begun, and the columns to ask; a '+' marks a number, which it cuts into ten classes. It takes no control, and gives
no interval.
"""

import json
import sys
import time
import warnings

import pandas as pd
from sdmetrics.single_table import DisclosureProtection


def main() -> None:
    """Print a line of JSON a column: the score, seconds."""
    train_file, _, synthetic_file, attacks, limit, *columns = sys.argv[1:]
    train, synthetic = (pd.read_csv(file, keep_default_na=False) for file in (train_file, synthetic_file))
    train = train.sample(min(len(train), int(attacks)), random_state=0)
    numbers = [name[1:] for name in columns if name.startswith("+")]
    warnings.simplefilter("ignore")
    begun = time.perf_counter()
    for name in columns:
        if time.perf_counter() - begun > float(limit):
            break
        secret, started = name.removeprefix("+"), time.perf_counter()
        found = DisclosureProtection.compute_breakdown(
            train,
            synthetic,
            known_column_names=[other for other in train.columns if other != secret],
            sensitive_column_names=[secret],
            continuous_column_names=numbers or None,
        )
        seconds = time.perf_counter() - started
        print(json.dumps({"column": secret, "value": found["score"], "limits": None, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
