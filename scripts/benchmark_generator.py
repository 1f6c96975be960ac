"""Benchmark one generator against four attacks in two games: what it leaks beyond what anyone could say.

For example:
  python scripts/benchmark_generator.py my_generator.py:generate --data people.csv --secret diagnosis
  python scripts/benchmark_generator.py --command 'Rscript my_generator.R {train} {out} {seed}'
"""

from __future__ import annotations

import argparse
from pathlib import Path

import privbench


def main() -> None:
    """Read the arguments, run, and print the leaderboard."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("generator", nargs="?", help="privbench list defenses; or a function of yours, file.py:name")
    parser.add_argument("--command", help="a generator that is a program, with {train} and {out} (also {seed}, {n})")
    parser.add_argument("--data", default="adult", help="a built-in data set, or a CSV or Parquet file")
    parser.add_argument("--label", help="what downstream models predict (own files)")
    parser.add_argument("--group", nargs="*", default=[], help="protected columns (own files)")
    parser.add_argument("--secret", nargs="+", default=["marital-status"], help="what the adversary wants")
    parser.add_argument("--known", nargs="+", help="what the adversary knows; all other columns by default")
    parser.add_argument("--epsilon", nargs="+", type=float, help="one or several budgets, for a private generator")
    parser.add_argument("--records", type=int, help="how many records the generator sees; as many as fit by default")
    parser.add_argument("--targets", type=int, default=500, help="people attacked in a round")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("privbench-results/generator"))
    given = parser.parse_args()
    if (given.generator is None) == (given.command is None):
        parser.error("give one of the two: the name of a generator, or --command")
    own = {"name": "command", "command": given.command}
    generator = own if given.command else {"name": given.generator}

    dataset = given.data
    if Path(dataset).suffix:
        dataset = {"path": dataset, "label": given.label, "groups": given.group}
    budgets = {"epsilon": given.epsilon} if given.epsilon else {}
    result = privbench.run(
        {
            "dataset": dataset,
            "records": given.records,
            "secrets": given.secret,
            "known": given.known,
            "games": [{"name": game, "targets": given.targets} for game in ("randomised", "holdout")],
            "defenses": ["identity", {**generator, **budgets}],
            "attacks": ["majority", "prior", "random-forest", "nearest-neighbour"],
            "seeds": given.seeds,
        },
        out=given.out,
    )
    result.print()
    print(f"Report: {result.write_report()}")


if __name__ == "__main__":
    privbench.one_sentence(main)
