"""Tables on which methods stumble, for the tests of every method on rows."""

from __future__ import annotations

from functools import cache

import numpy as np

from privbench.datasets import adult
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table, bin_count, to_bins
from tests.people import people

METHODS = ("k-anonymity", "microaggregation", "pram", "rank-swap", "suppress-cells")
TABLES = ("people", "two", "one", "constants", "seen once", "alike", "wide", "missing", "huge numbers")


@cache
def table(name: str) -> Table:
    """Return one of `TABLES`; where there are secrets, the last column is it."""
    rng = stream(0, "odd tables", name)
    if name in ("people", "two", "one"):
        records = people(300, 1).records.take(np.arange({"people": 300, "two": 2, "one": 1}[name]))
        return records.with_schema(records.schema.with_secrets(("ill",)))
    n = 200
    if name == "wide":
        columns = tuple(
            Column(f"c{i}", Kind.CATEGORICAL, tuple(range(2 + i % 9)))
            if i % 2
            else Column(f"c{i}", Kind.CONTINUOUS, low=-1.0, high=1.0)
            for i in range(100)
        )
        arrays = {c.name: rng.integers(c.size, size=n) if c.discrete else rng.uniform(-1, 1, size=n) for c in columns}
        return Table(Schema(columns, secrets=("c99",)), arrays)
    secret = Column("secret", Kind.CATEGORICAL, ("no", "yes"))
    coin = rng.integers(2, size=n)
    once = (np.arange(n) == 7).astype(int)
    zeros = np.zeros(n, dtype=int)
    columns, arrays = {
        "constants": (
            (
                Column("one value", Kind.CATEGORICAL, ("a",)),
                Column("one number", Kind.CONTINUOUS, low=3.0, high=3.0),
                Column("always 5", Kind.CONTINUOUS, low=0.0, high=10.0),
                Column("x", Kind.CONTINUOUS, low=0.0, high=1.0),
            ),
            (zeros, np.full(n, 3.0), np.full(n, 5.0), rng.random(n)),
        ),
        "seen once": (
            (
                Column("rare", Kind.CATEGORICAL, ("common", "once", "never")),
                Column("grade", Kind.ORDINAL, (1, 2, 3)),
                Column("x", Kind.CONTINUOUS, low=0, high=1000, integer=True),
            ),
            (once, once * 2, once * 1000.0),
        ),
        "alike": ((Column("same", Kind.ORDINAL, (1, 2)), Column("too", Kind.CATEGORICAL, ("a", "b"))), (zeros, zeros)),
        "missing": (
            (
                Column("o", Kind.ORDINAL, (1, None, 2, 3)),
                Column("c", Kind.CATEGORICAL, (None, "a", "b")),
                Column("nothing", Kind.CATEGORICAL, ("a", None)),
            ),
            (rng.integers(4, size=n), rng.integers(3, size=n), zeros + 1),
        ),
        "huge numbers": (
            (
                Column("id", Kind.CONTINUOUS, low=1e15, high=1e15 + 300, integer=True),
                Column("tiny", Kind.CONTINUOUS, low=0.1, high=0.1 + 1e-9),
            ),
            (1e15 + np.arange(n), 0.1 + rng.random(n) * 1e-9),
        ),
    }[name]
    named = {column.name: array for column, array in zip(columns, arrays, strict=True)}
    return Table(Schema((*columns, secret), secrets=("secret",)), {**named, "secret": coin})


@cache
def adult_records() -> Table:
    """Return 10,000 records of Adult with a secret."""
    records = adult.load().records.take(stream(0, "records").permutation(32_561)[:10_000])
    return records.with_schema(records.schema.with_secrets(("marital-status",)))


def binned(records: Table) -> tuple[np.ndarray, list[int]]:
    """Return the records as codes, numbers cut into 20 cells, and the number of codes a column."""
    columns = records.schema.columns
    codes = np.column_stack([to_bins(column, records[column.name], bins=20) for column in columns])
    return codes, [bin_count(column, 20) for column in columns]
