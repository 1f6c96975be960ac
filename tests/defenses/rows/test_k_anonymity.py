"""k-anonymity holds in what is released, and the partition is no coarser than it must be."""

from __future__ import annotations

import numpy as np
import pytest

from defenses.rows.k_anonymity import KAnonymity
from privbench.errors import InputError
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table
from tests.defenses.rows.odd_tables import TABLES, adult_records, table


def combinations(released: Table, names) -> tuple[np.ndarray, np.ndarray]:
    """Return which combination each row has, and how often each occurs."""
    rows = np.column_stack([released[name] for name in names])
    _, which, counts = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
    return which.ravel(), counts


@pytest.mark.parametrize("k", [1, 2, 5, 50])
@pytest.mark.parametrize("name", TABLES)
def test_every_released_combination_occurs_k_times(name, k):
    train = table(name)
    if k > len(train):
        with pytest.raises(InputError, match=f"k {k} cannot be had with {len(train)} records"):
            KAnonymity(k=k).release(train, rng=stream(0))
        return
    release = KAnonymity(k=k).release(train, rng=stream(0))
    assert release.altered == train.schema.without(train.schema.secrets).names
    assert combinations(release.table, release.altered)[1].min() >= k
    for secret in train.schema.secrets:
        assert (release.values(secret) == train[secret]).all()


@pytest.mark.parametrize(("k", "fewest"), [(2, 3500), (5, 1300), (50, 110)])
def test_adult_falls_into_many_classes(k, fewest):
    release = KAnonymity(k=k).release(adult_records(), rng=stream(0))
    counts = combinations(release.table, release.altered)[1]
    assert counts.min() >= k
    assert len(counts) >= fewest


def line(values, *, secret=None) -> Table:
    schema = Schema(
        (Column("x", Kind.CONTINUOUS, low=0, high=100, integer=True), Column("s", Kind.ORDINAL, (0, 1, 2))),
        secrets=("s",),
    )
    return Table(schema, {"x": np.array(values, dtype=float), "s": np.array(secret or [0] * len(values))})


def test_a_line_is_cut_at_medians_and_equal_values_stay_together():
    rng = stream(0)
    values = KAnonymity(k=2).release(line([1, 2, 3, 11, 12, 13]), rng=rng).values("x")
    assert values.tolist() == [2, 2, 2, 12, 12, 12]
    # the middle is 7 | 7: the only places are beside the sevens
    values = KAnonymity(k=2).release(line([1, 2, 7, 7, 7, 7, 7]), rng=rng).values("x")
    assert values.tolist()[2:] == [7] * 5
    assert values[0] == values[1] < 7
    # a single value of another kind cannot stand alone
    assert len(set(KAnonymity(k=2).release(line([1, 7, 7, 7, 7]), rng=rng).values("x"))) == 1


def test_diversity_keeps_values_of_the_secret_in_every_class():
    x, secret = [1, 2, 3, 4, 5, 6, 7, 8], [0, 0, 0, 1, 1, 1, 1, 1]
    train = line(x, secret=secret)
    plain = KAnonymity(k=2).release(train, rng=stream(0))
    assert len(combinations(plain.table, ["x"])[1]) == 4
    diverse = KAnonymity(k=2, diversity=2).release(train, rng=stream(0))
    which = combinations(diverse.table, ["x"])[0]
    assert all(len(set(np.array(secret)[which == c])) == 2 for c in set(which))
    train = table("people")
    release = KAnonymity(k=2, diversity=3).release(train, rng=stream(0))
    which, counts = combinations(release.table, release.altered)
    assert len(counts) > 10
    assert all(len(np.unique(train["ill"][which == c])) == 3 for c in range(len(counts)))


def test_diversity_that_cannot_be_had_is_one_sentence():
    with pytest.raises(InputError, match="fewer different values"):
        KAnonymity(diversity=2).release(line([1, 2, 3]), rng=stream(0))
    train = line([1, 2, 3])
    with pytest.raises(InputError, match="needs a secret"):
        KAnonymity(diversity=2).release(train.with_schema(train.schema.with_secrets(())), rng=stream(0))


def test_nothing_to_alter_and_bad_parameters_are_one_sentence():
    train = line([1, 2, 3])
    with pytest.raises(InputError, match="every column is a secret"):
        KAnonymity().release(train.with_schema(train.schema.with_secrets(("x", "s"))), rng=stream(0))
    for wrong in ({"k": 0}, {"diversity": 0}):
        with pytest.raises(InputError):
            KAnonymity(**wrong)
