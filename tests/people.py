"""Small made-up data sets for tests: mixed kinds, a missing value, and columns that identify each person."""

from __future__ import annotations

import numpy as np

from privbench.dataset import Dataset
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table

SCHEMA = Schema(
    (
        Column("age", Kind.CONTINUOUS, low=17, high=90, integer=True),
        Column("wage", Kind.CONTINUOUS, low=0.0, high=100.0),
        Column("grade", Kind.ORDINAL, (1, 2, 3, 4)),
        Column("work", Kind.CATEGORICAL, ("private", "state", "self", None)),
        Column("sex", Kind.CATEGORICAL, ("Female", "Male")),
        Column("ill", Kind.CATEGORICAL, ("no", "yes", "unsure")),
        Column("income", Kind.CATEGORICAL, ("<=50K", ">50K")),
    ),
    groups=("sex",),
    label="income",
    positive=">50K",
)


def people(records: int = 600, test: int = 200, *, seed: int = 0) -> Dataset:
    """Return people whose secret depends on what is known of them, so that there is something to learn."""
    rng = stream(seed, "people")
    n = records + test
    age = rng.integers(17, 91, size=n)
    sex = rng.integers(2, size=n)
    grade = rng.integers(4, size=n)
    work = rng.choice(4, size=n, p=[0.6, 0.2, 0.15, 0.05])
    ill = np.where(rng.random(n) < 0.5, (age > 60).astype(int), rng.integers(3, size=n))
    income = (grade + rng.integers(4, size=n) + sex > 4).astype(int)
    table = Table(
        SCHEMA,
        {
            "age": age.astype(float),
            "wage": np.round(rng.uniform(0, 100, size=n), 6),
            "grade": grade,
            "work": work,
            "sex": sex,
            "ill": ill,
            "income": income,
        },
    )
    return Dataset("people", table.take(np.arange(records)), table.take(np.arange(records, n)), source="made up")
