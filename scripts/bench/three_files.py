"""Seconds and peak memory of reading the three files of an audit and holding them to one schema.

The files have whole numbers, measurements, text of few and of many values, dates and identifiers, a fifth of them with
missing cells. The peak is that of the whole process, after the files were written by another one.

Example: python scripts/bench/three_files.py --rows 1000000 --columns 50 --ending csv
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from privbench.datasets.alike import read_alike

ROLES = ("train", "synthetic", "control")


def main() -> None:
    """Write three files in another process, read them in this one, and print what that took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="of each file")
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--ending", choices=("csv", "csv.gz", "parquet"), default="csv")
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.write is not None:
        for seed, role in enumerate(ROLES):
            _write(given.write / f"{role}.{given.ending}", given.rows, given.columns, seed)
        return
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, *sys.argv, "--write", folder], check=True)
        paths = [Path(folder) / f"{role}.{given.ending}" for role in ROLES]
        size = sum(path.stat().st_size for path in paths) / 2**30
        start = time.perf_counter()
        alike = read_alike(*paths)
        seconds, busy = time.perf_counter() - start, time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    kept, found = len(alike.train.schema.names), len(alike.identifiers)
    print(
        f"3 {given.ending} files of {given.rows:,} rows x {given.columns} columns ({size:.2f} GiB): {seconds:.1f} s "
        f"({busy:.1f} s of a processor), peak {peak:.2f} GiB; {kept} columns in the schema, {found} identifiers, "
        f"{len(alike.notes)} notes"
    )


def _write(path: Path, rows: int, columns: int, seed: int) -> None:
    import gzip

    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    rng = np.random.default_rng(seed)
    few = np.array(["never married", "married", "divorced", "widowed", "separated"])
    data = {}
    for i in range(columns):
        match i % 10:
            case 0 | 1:
                values = pa.array(rng.integers(0, 90, rows))
            case 2:
                values = pa.array(rng.integers(10_000, 900_000, rows))
            case 3 | 4:
                values = pa.array(rng.lognormal(8, 1, rows).round(2))
            case 5 | 6 | 7:
                values = pa.DictionaryArray.from_arrays(rng.integers(0, len(few), rows), few).cast(pa.string())
            case 8:
                values = pa.array(rng.geometric(0.001, rows)).cast(pa.string())
                values = pa.compute.binary_join_element_wise("town ", values, "")
            case _ if i % 20 == 9:
                values = pa.array(rng.integers(7_000, 20_000, rows), pa.int32()).cast(pa.date32())
            case _:
                values = pa.compute.binary_join_element_wise(
                    f"person-{seed}-", pa.array(rng.permutation(rows)).cast(pa.string()), ""
                )
        if i % 5 == 0:
            values = pa.compute.if_else(pa.array(rng.random(rows) < 0.05), None, values)
        data[f"column {i}"] = values
    table = pa.table(data)
    if path.name.endswith(".parquet"):
        pa.parquet.write_table(table, path)
        return
    with gzip.open(path, "wb", compresslevel=1) if path.name.endswith(".gz") else path.open("wb") as file:
        pa.csv.write_csv(table, file)


if __name__ == "__main__":
    main()
