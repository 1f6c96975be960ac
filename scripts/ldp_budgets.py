"""Compare local-privacy collections: protocol by allocation by epsilon, attack success beside what models lose.

Example: python scripts/ldp_budgets.py --columns marital-status race --epsilon 1 4 --with '{"numeric": "duchi"}'
"""

from __future__ import annotations

import argparse
import json
from itertools import product
from pathlib import Path

import privbench


def main() -> None:
    """Read the arguments, run, and print the leaderboard and what to choose."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", default="adult", help="a built-in data set, or a CSV or Parquet file")
    parser.add_argument("--label", help="what downstream models predict (own files)")
    parser.add_argument("--group", nargs="*", default=[], help="protected columns (own files)")
    parser.add_argument("--columns", nargs="+", default=["marital-status"], help="columns to randomise and to attack")
    parser.add_argument("--known", nargs="*", help="columns known of a person; all others by default")
    parser.add_argument("--protocol", nargs="+", default=["grr", "oue"], help="default: grr oue")
    parser.add_argument("--allocation", nargs="+", default=["uniform", "optimal"], help="default: uniform optimal")
    parser.add_argument("--epsilon", nargs="+", type=float, default=[0.5, 1.0, 2.0, 4.0], help="total budgets")
    parser.add_argument("--with", dest="more", type=json.loads, default={}, help="other parameters of ldp")
    parser.add_argument("--attack", nargs="+", default=["report-joint"], help="attacks beside report-bayes")
    parser.add_argument("--model", nargs="+", default=["lightgbm"], help="downstream models")
    parser.add_argument("--records", type=int, help="how many people report; all by default")
    parser.add_argument("--targets", type=int, default=1000, help="people attacked in a seed")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("privbench-results/ldp"))
    given = parser.parse_args()
    # joint values are randomised by grr only, and fakes are to claim no more than was asked for
    pairs = [pair for pair in product(given.protocol, given.allocation) if pair[1] != "combined" or pair[0] == "grr"]
    if not pairs:
        parser.error("allocation combined randomises by grr: add it to --protocol, or another allocation")
    fakes = {"rs+fd": {"amplify": False}, "rs+rfd": {"amplify": False}}
    grid = [{"protocol": p, "allocation": a, **fakes.get(a, {}), **given.more} for p, a in pairs]
    own = {"path": given.data, "label": given.label, "groups": given.group}
    config = {
        "dataset": own if Path(given.data).suffix else given.data,
        "records": given.records,
        "secrets": given.columns,
        "known": given.known,
        "games": [{"name": "report", "targets": given.targets}],
        "defenses": [{"name": "ldp", "epsilon": given.epsilon, **one} for one in grid],
        "attacks": [{"name": "report-bayes", "prior": ["uniform", "marginal", "model"]}, *given.attack],
        "downstream": {"models": given.model},
        "seeds": given.seeds,
    }
    result = privbench.run(config, out=given.out)
    result.print()
    print(f"Report: {result.write_report()}")


if __name__ == "__main__":
    privbench.one_sentence(main)
