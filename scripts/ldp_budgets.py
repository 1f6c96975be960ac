"""Compare local-privacy collections: protocol by allocation by epsilon, attack success beside what models lose.

Example: python scripts/ldp_budgets.py --columns marital-status race --epsilon 1 4 --allocation uniform k-based sampled
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path

import privbench

# what some allocations can randomise with; the others take every protocol
ONLY = {"combined": ("grr",), "rs+fd": ("grr", "sue", "oue"), "rs+rfd": ("grr", "sue", "oue")}


def main() -> None:
    """Read the arguments, run, and print the leaderboard and what to choose."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", default="adult", help="a built-in data set, or a CSV or Parquet file")
    parser.add_argument("--label", help="what downstream models predict (own files)")
    parser.add_argument("--group", nargs="*", default=[], help="protected columns (own files)")
    parser.add_argument("--columns", nargs="+", default=["marital-status"], help="columns to randomise and to attack")
    parser.add_argument("--protocol", nargs="+", default=["grr", "oue"])
    parser.add_argument("--allocation", nargs="+", default=["uniform"])
    parser.add_argument("--epsilon", nargs="+", type=float, default=[0.5, 1.0, 2.0, 4.0], help="total budgets")
    parser.add_argument("--attack", nargs="+", default=["report-joint"], help="attacks beside report-bayes")
    parser.add_argument("--model", nargs="+", default=["lightgbm"], help="downstream models")
    parser.add_argument("--records", type=int, help="how many people report; all by default")
    parser.add_argument("--targets", type=int, default=1000, help="people attacked in a seed")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("privbench-results/ldp"))
    given = parser.parse_args()
    own = {"path": given.data, "label": given.label, "groups": given.group}
    pairs = list(product(given.protocol, given.allocation))
    grid = [{"protocol": p, "allocation": a} for p, a in pairs if p in ONLY.get(a, (p,))]
    if not grid:
        parser.error(f"allocation {given.allocation[0]} takes protocol {' or '.join(ONLY[given.allocation[0]])}")
    if left := [f"{a} with {p}" for p, a in pairs if p not in ONLY.get(a, (p,))]:
        print(f"Left out, as the allocation cannot use the protocol: {', '.join(left)}")
    config = {
        "dataset": own if Path(given.data).suffix else given.data,
        "records": given.records,
        "secrets": given.columns,
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
