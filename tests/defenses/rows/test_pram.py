"""PRAM: its transition frequencies are the stated matrix, and its claim stands exactly where it is true."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from defenses.rows.pram import Pram
from privbench.claim import Adjacency
from privbench.errors import InputError
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table
from tests.defenses.rows.odd_tables import table

N = 60_000
SHARES = np.array([0.6, 0.3, 0.1, 0.0])


def discrete(*columns: Column) -> Table:
    rng = stream(0, "pram")
    columns = columns or (Column("c", Kind.CATEGORICAL, ("a", "b", "c", "d")),)
    drawn = {c.name: rng.choice(4, size=N, p=SHARES) if c.size == 4 else rng.integers(c.size, size=N) for c in columns}
    return Table(Schema(columns), drawn)


@pytest.mark.parametrize("draw", ["marginal", "uniform"])
@pytest.mark.parametrize("keep", [0.25, 0.8, 1.0])
def test_transitions_follow_the_stated_matrix(draw, keep):
    train = discrete()
    released = Pram(keep=keep, draw=draw).release(train, rng=stream(1)).values("c")
    new = train.marginal("c") if draw == "marginal" else np.full(4, 1 / 4)
    matrix = keep * np.eye(4) + (1 - keep) * new
    for code in range(3):
        counts = np.bincount(released[train["c"] == code], minlength=4)
        possible = matrix[code] > 0
        assert counts[~possible].sum() == 0
        if possible.sum() > 1:
            expected = matrix[code][possible] * counts.sum()
            assert stats.chisquare(counts[possible], expected).pvalue > 1e-4


def test_a_continuous_column_keeps_its_numbers_or_takes_others():
    train = table("people")
    made = Pram(keep=0.5).release(train, rng=stream(0))
    assert set(made.values("wage")) <= set(train["wage"])
    assert 0.4 < (made.values("wage") == train["wage"]).mean() < 0.6
    made = Pram(keep=0.5, draw="uniform").release(train, rng=stream(0))
    new = made.values("wage")[made.values("wage") != train["wage"]]
    assert stats.kstest(new, stats.uniform(0, 100).cdf).pvalue > 1e-4


def test_the_claim_is_the_largest_log_ratio_of_the_matrix():
    train = discrete(Column("c", Kind.CATEGORICAL, ("a", "b", "c", "d")), Column("o", Kind.ORDINAL, (1, 2)))
    keep = 0.7
    epsilon = 0.0
    for k in (4, 2):
        matrix = keep * np.eye(k) + (1 - keep) / k
        epsilon += max(math.log(a / b) for column in matrix.T for a in column for b in column)
    claim = Pram(keep=keep, draw="uniform").release(train, rng=stream(0)).claim
    assert claim.epsilon == pytest.approx(epsilon)
    assert (claim.delta, claim.adjacency) == (0.0, Adjacency.LOCAL)


def one_column(column: Column, value: float) -> Table:
    return Table(Schema((column,)), {column.name: np.full(40_000, value)})


def test_whole_numbers_count_as_values_each_drawn_alike():
    column = Column("x", Kind.CONTINUOUS, low=-2, high=2, integer=True)
    made = Pram(keep=0.5, draw="uniform").release(one_column(column, 1), rng=stream(0))
    assert made.claim.epsilon == pytest.approx(math.log(1 + 0.5 * 5 / 0.5))
    counts = np.bincount((made.values("x") + 2).astype(int), minlength=5)
    assert stats.chisquare(counts, 40_000 * np.array([0.1, 0.1, 0.1, 0.6, 0.1])).pvalue > 1e-4


@pytest.mark.parametrize(
    ("params", "train"),
    [
        ({}, discrete()),
        ({"draw": "uniform", "keep": 1.0}, discrete()),
        ({"draw": "uniform"}, table("people")),
        (
            {"draw": "uniform", "columns": ("a",)},
            discrete(Column("a", Kind.CATEGORICAL, (1, 2)), Column("b", Kind.CATEGORICAL, (1, 2))),
        ),
        ({"draw": "uniform"}, discrete(Column("c", Kind.CATEGORICAL, ("only",)))),
        ({"draw": "uniform"}, one_column(Column("x", Kind.CONTINUOUS, low=0.5, high=3, integer=True), 2)),
    ],
    ids=["marginal", "kept", "real numbers", "not all columns", "constant", "bounds between whole numbers"],
)
def test_nothing_is_claimed_where_nothing_holds(params, train):
    assert Pram(**params).release(train, rng=stream(0)).claim is None


def test_a_domain_read_off_the_file_is_said():
    column = Column("c", Kind.CATEGORICAL, ("a", "b"), declared=False)
    claim = Pram(draw="uniform").release(discrete(column), rng=stream(0)).claim
    assert any("read off the file" in sentence for sentence in claim.assumes)


@pytest.mark.parametrize("wrong", [{"keep": 0.0}, {"keep": 1.1}, {"keep": math.nan}, {"draw": "other"}])
def test_bad_parameters_are_one_sentence(wrong):
    with pytest.raises(InputError):
        Pram(**wrong)
