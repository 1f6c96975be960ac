"""Files of an audit made of people drawn from one population, and what the checks say of them."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from privbench.auditing.checks import check_files
from privbench.auditing.twins import row_keys
from privbench.datasets.alike import Alike
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table

SCHEMA = Schema(
    (
        *(Column(f"c{j}", Kind.CATEGORICAL, tuple("abcdefgh")) for j in range(8)),
        Column("age", Kind.CONTINUOUS, low=0.0, high=100.0, integer=True),
        Column("weight", Kind.CONTINUOUS, low=-1.0, high=3.0),
    )
)
SMALL = Schema(
    (
        Column("a", Kind.CATEGORICAL, tuple(range(6))),
        Column("b", Kind.CATEGORICAL, ("x", "y", None)),
        Column("c", Kind.ORDINAL, (1, 2, 3, 4, 5)),
    )
)


def people(n, *key, schema=SCHEMA, tilt=0.0):
    """Draw people whose columns depend on one another through a class; `tilt` moves the classes."""
    rng = stream(0, *map(str, key))
    kind = (rng.random(n) < 0.4 + tilt).astype(int)
    arrays = {}
    for column in schema.columns:
        if column.discrete:
            p = np.arange(1, column.size + 1) ** 1.0
            p = np.stack([p / p.sum(), p[::-1] / p.sum()])
            arrays[column.name] = (rng.random((n, 1)) > p.cumsum(axis=1)[kind][:, :-1]).sum(axis=1)
        else:
            value = rng.beta(2 + kind, 3, n) * column.range + column.low
            arrays[column.name] = np.floor(value) if column.integer else value
    return Table(schema, arrays, n)


def held(train, synthetic, control=None, *, identifiers=()):
    tables = {"training": train, "synthetic": synthetic} | ({} if control is None else {"control": control})
    names = tuple((role, f"{role}.csv") for role in tables)
    whole = MappingProxyType({role: row_keys(table) for role, table in tables.items()})
    return Alike(train, synthetic, control, names, (), whole, identifiers)


def checked(*tables, seed=1, **more):
    found = check_files(held(*tables, **more), rng=stream(seed, "checks"))
    return found, {check.name: check for check in found.checks}


def loud(found):
    return {check.name for check in found.checks if check.level != "fine"}


def both(*tables):
    return Table.concat(tables)


def changed(table, name, values):
    return table.replace({name: values})
