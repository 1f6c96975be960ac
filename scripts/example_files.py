"""Write the three files of an audit, made from Adult: train.csv, control.csv, and synthetic.csv by a defense.

Example: python scripts/example_files.py resample
"""

from __future__ import annotations

import argparse
from pathlib import Path

from privbench import one_sentence, registry
from privbench.errors import InputError
from privbench.release import SyntheticTable
from privbench.rng import stream
from privbench.table import Table


def main() -> None:
    """Read the arguments and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("defense", nargs="?", default="resample", help="a name, as in: privbench list defenses")
    parser.add_argument("--records", type=int, default=10_000, help="of the training file, and of the control file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(), help="folder; the current one by default")
    given = parser.parse_args()

    dataset = registry.load("datasets", "adult")()
    everyone = Table.concat([dataset.records, dataset.test])
    if not 2 <= given.records <= len(everyone) // 2:
        raise InputError(
            f"--records: got {given.records}; allowed: 2 to {len(everyone) // 2}, as Adult has two such files"
        )
    order = stream(given.seed, "example files").permutation(len(everyone))
    train, control = (
        everyone.take(part) for part in (order[: given.records], order[given.records : 2 * given.records])
    )
    made = registry.make("defenses", given.defense, {}).release(train, rng=stream(given.seed, given.defense))
    if not isinstance(made, SyntheticTable):
        raise InputError(f"defense {given.defense!r} releases no rows, and an audit compares rows; take another one")
    given.out.mkdir(parents=True, exist_ok=True)
    for name, table in (("train", train), ("control", control), ("synthetic", made.table)):
        table.to_frame().to_csv(given.out / f"{name}.csv", index=False)
        print(f"{given.out / name}.csv: {len(table):,} records")


if __name__ == "__main__":
    one_sentence(main)
