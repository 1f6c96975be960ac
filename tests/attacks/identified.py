"""People whose secrets are nothing but chance, each of them identified by a number: who is to be reconstructed."""

from __future__ import annotations

import numpy as np

from privbench import registry
from privbench.contracts import View
from privbench.release import AlteredRows, SyntheticTable
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table

SCHEMA = Schema(
    (
        Column("x", Kind.CONTINUOUS, low=0.0, high=10.0),
        Column("y", Kind.CONTINUOUS, low=0, high=1000, integer=True),
        Column("size", Kind.ORDINAL, (1, 2, 3, None)),
        Column("town", Kind.CATEGORICAL, tuple("abcdefgh")),
        Column("ill", Kind.CATEGORICAL, ("no", "yes")),
        Column("job", Kind.CATEGORICAL, ("p", "q", "r", "never")),
        Column("wage", Kind.CONTINUOUS, low=100.0, high=300.0),
    ),
    secrets=("ill", "job", "wage"),
)
KNOWN = ("x", "y", "size", "town")


def records(n: int, seed: int = 0) -> Table:
    """Return people whose secrets are nothing but chance, and whom their number x identifies."""
    rng = stream(seed, "reconstruction")
    return Table(
        SCHEMA,
        {
            "x": rng.uniform(0, 10, size=n),
            "y": np.round(rng.exponential(80, size=n).clip(0, 1000)),
            "size": rng.integers(4, size=n),
            "town": rng.choice(8, size=n, p=np.arange(1, 9) / 36),
            "ill": rng.integers(2, size=n),
            "job": rng.integers(3, size=n),
            "wage": rng.uniform(100, 300, size=n),
        },
    )


def attack(**params):
    return registry.make("attacks", "linear-reconstruction", params)


def view(train: Table, released: Table | AlteredRows, *, secrets=("ill",), known=KNOWN, targets=None, **how) -> View:
    release = SyntheticTable(released, len(train)) if isinstance(released, Table) else released
    people = train if targets is None else targets
    given = {"roster": train.select(known).take(stream(1).permutation(len(train))), **how}
    return View(release, people.select(known), tuple(SCHEMA[name] for name in secrets), **given)


def bootstrap(train: Table, rows: int, seed: int = 0) -> Table:
    return train.take(stream(seed, "bootstrap").integers(len(train), size=rows))


def even(values: int) -> np.ndarray:
    return np.full(values, 1 / values)
