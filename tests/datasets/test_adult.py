"""Adult: what UCI publishes about it, and the committed file is what the script writes."""

import importlib.util
import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from privbench.datasets import adult
from privbench.schema import Kind
from privbench.table import Table

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "privbench" / "datasets" / "adult.parquet"
SCRIPT = ROOT / "scripts" / "make_adult.py"


@pytest.fixture(scope="module")
def dataset():
    return adult.load()


@pytest.fixture(scope="module")
def everyone(dataset):
    return Table.concat([dataset.records, dataset.test])


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("make_adult", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_sizes_are_those_of_uci(dataset, everyone):
    assert (len(dataset.records), len(dataset.test), len(everyone)) == (32_561, 16_281, 48_842)
    assert len(everyone.schema.names) == 15
    assert FILE.stat().st_size < 600_000


@pytest.mark.parametrize(
    ("column", "value", "count"),
    [
        ("income", "<=50K", 37_155),
        ("income", ">50K", 11_687),
        ("sex", "Male", 32_650),
        ("sex", "Female", 16_192),
        ("race", "White", 41_762),
        ("workclass", None, 2_799),
        ("occupation", None, 2_809),
        ("native-country", None, 857),
        ("native-country", "Holand-Netherlands", 1),
        ("education", "Preschool", 83),
        ("education-num", 1, 83),
        ("education-num", 16, 594),
    ],
)
def test_counts_are_those_of_uci(everyone, column, value, count):
    assert (everyone[column] == everyone.schema[column].code(value)).sum() == count


def test_shares_of_the_favourable_label_in_each_part(dataset):
    # adult.names: 24.08 % of the training records; 7,841 and 3,846 are above 50K
    assert [int(part["income"].sum()) for part in (dataset.records, dataset.test)] == [7_841, 3_846]


def test_first_and_last_records_are_those_of_the_files(dataset):
    first, last = dataset.records.to_frame().iloc[0], dataset.test.to_frame().iloc[-1]
    assert first.tolist() == [
        39, "State-gov", 77516, "Bachelors", 13, "Never-married", "Adm-clerical", "Not-in-family", "White", "Male",
        2174, 0, 40, "United-States", "<=50K",
    ]  # fmt: skip
    assert last.tolist()[:5] == [35, "Self-emp-inc", 182148, "Bachelors", 13]
    assert dataset.test.to_frame()["fnlwgt"].iloc[0] == 226802


def test_education_is_in_the_order_of_schooling(everyone):
    assert (everyone["education"] == everyone["education-num"]).all()


@pytest.mark.parametrize(
    ("column", "smallest", "largest"),
    [
        ("age", 17, 90),
        ("fnlwgt", 12_285, 1_490_400),
        ("capital-gain", 0, 99_999),
        ("capital-loss", 0, 4_356),
        ("hours-per-week", 1, 99),
    ],
)
def test_numbers_are_whole_and_within_declared_bounds(everyone, column, smallest, largest):
    kind, numbers = everyone.schema[column], everyone[column]
    assert (numbers.min(), numbers.max()) == (smallest, largest)
    assert kind.low <= smallest <= largest <= kind.high
    assert kind.integer
    assert (numbers == np.floor(numbers)).all()


def test_schema_is_declared_and_holds_every_value(everyone):
    schema = everyone.schema
    assert schema.undeclared() == ()
    assert (schema.groups, schema.label, schema.positive) == (("sex", "race"), "income", ">50K")
    sizes = {c.name: c.size for c in schema.columns if c.discrete}
    assert {c.name: (c.low, c.high) for c in schema.columns if not c.discrete} == {
        "age": (17, 90), "fnlwgt": (0, 1_500_000), "capital-gain": (0, 99_999), "capital-loss": (0, 5_000),
        "hours-per-week": (1, 99),
    }  # fmt: skip
    assert sizes == {
        "workclass": 9, "education": 16, "education-num": 16, "marital-status": 7, "occupation": 15,
        "relationship": 6, "race": 5, "sex": 2, "native-country": 42, "income": 2,
    }  # fmt: skip
    for name, size in sizes.items():  # the documented domain is exactly what occurs
        assert len(np.unique(everyone[name])) == size
    assert {c.name for c in schema.columns if c.kind is Kind.ORDINAL} == {"education-num"}
    assert "?" not in {value for c in schema.columns for value in c.values}


def test_table_survives_a_trip_through_a_frame(everyone):
    again = Table.from_frame(everyone.to_frame(), everyone.schema, source="again")
    assert again.sha256 == everyone.sha256


def test_source_and_licence_are_named(dataset):
    for said in (dataset.source, adult.__doc__, adult.load.__doc__, pq.read_schema(FILE).metadata[b"source"].decode()):
        assert "10.24432/C5XW20" in said
    assert "CC BY 4.0" in dataset.source
    assert pq.read_schema(FILE).metadata[b"license"] == b"CC BY 4.0"
    assert any("missing value" in note for note in dataset.notes)


def _archive(table, script, *, drop=0):
    """Put the records back into an archive like the package's."""
    names = ["income-per-year" if name == "income" else name for name in table.column_names]
    table = table.rename_columns(names)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        start = 0
        for name, rows in script.ROWS.items():
            frame = table.slice(start, rows - drop).to_pandas().fillna("?")
            raw = frame.to_csv(index=False).encode()
            member = tarfile.TarInfo(f"{script.FOLDER}/{name}")
            member.size = len(raw)
            tar.addfile(member, io.BytesIO(raw))
            start += rows
    return buffer.getvalue()


def test_script_writes_the_committed_bytes_from_the_same_records(script, tmp_path):
    table = pq.read_table(FILE)
    archive = _archive(table, script)
    for name in ("once", "twice"):
        script.write(script.read(archive), tmp_path / name)
    assert (tmp_path / "once").read_bytes() == (tmp_path / "twice").read_bytes()
    assert pq.read_table(tmp_path / "once").equals(table)
    if pq.read_metadata(FILE).created_by.split()[-1] == pa.__version__:
        assert (tmp_path / "once").read_bytes() == FILE.read_bytes()


def test_script_refuses_an_archive_that_lacks_records(script):
    with pytest.raises(SystemExit, match=r"adult\.csv: 32,560 records instead of 32,561"):
        script.read(_archive(pq.read_table(FILE), script, drop=1))


def test_script_refuses_another_archive(tmp_path):
    (tmp_path / "other.tar.gz").write_bytes(b"another archive")
    line = [sys.executable, str(SCRIPT), "--archive", str(tmp_path / "other.tar.gz"), "--out", str(tmp_path / "out")]
    ended = subprocess.run(line, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "sha256" in ended.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif("PRIVBENCH_ADULT_ARCHIVE" not in os.environ, reason="PRIVBENCH_ADULT_ARCHIVE names no archive")
def test_committed_file_is_what_the_script_makes_of_the_archive(script, tmp_path):
    script.write(script.read(Path(os.environ["PRIVBENCH_ADULT_ARCHIVE"]).read_bytes()), tmp_path / "made")
    assert pq.read_table(tmp_path / "made").equals(pq.read_table(FILE))
