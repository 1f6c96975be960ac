"""One value a class, against the definitions."""

from __future__ import annotations

import numpy as np

from defenses.rows.classes import class_mean, class_median, class_mode
from defenses.rows.columns import ranks
from privbench.rng import stream
from privbench.schema import Column, Kind

CLASSES = np.array([1, 0, 1, 0, 2, 1, 0, 0])


def test_mean_is_the_mean_and_whole_where_the_column_is():
    values = np.array([5.0, 1.0, 6.0, 2.0, 9.0, 6.0, 2.0, 2.0])
    real = Column("x", Kind.CONTINUOUS, low=1.0, high=9.0)
    whole = Column("x", Kind.CONTINUOUS, low=1.0, high=9.0, integer=True)
    np.testing.assert_allclose(class_mean(real, values, CLASSES), np.choose(CLASSES, [1.75, 17 / 3, 9.0]))
    assert (class_mean(whole, values, CLASSES) == np.choose(CLASSES, [2.0, 6.0, 9.0])).all()


def test_a_mean_cannot_leave_the_domain_by_rounding():
    column = Column("x", Kind.CONTINUOUS, low=0.1, high=0.7)
    for value in (0.1, 0.7):
        assert (class_mean(column, np.full(7, value), np.zeros(7, dtype=int)) == value).all()


def test_median_is_a_middle_value_either_of_two():
    values = np.array([30, 1, 10, 4, 9, 20, 2, 3])
    seen = {tuple(class_median(values, values.astype(float), CLASSES, rng=stream(s))) for s in range(20)}
    assert {row[0] for row in seen} == {20}
    assert {row[1] for row in seen} == {2, 3}
    assert {row[4] for row in seen} == {9}
    assert all(row[1] == row[3] == row[6] == row[7] for row in seen)


def test_mode_is_the_commonest_any_of_several():
    codes = np.array([3, 0, 3, 0, 1, 2, 4, 4])
    seen = {tuple(class_mode(codes, 5, CLASSES, rng=stream(s))) for s in range(20)}
    assert {row[0] for row in seen} == {3}
    assert {row[1] for row in seen} == {0, 4}
    assert {row[4] for row in seen} == {1}


def test_ranks_follow_value_order_and_frequency():
    number = Column("x", Kind.CONTINUOUS, low=-1.0, high=3.0)
    np.testing.assert_allclose(ranks(number, np.array([-1.0, 1.0, 3.0])), [0, 0.5, 1])
    ordinal = Column("o", Kind.ORDINAL, (1, 2, None))
    np.testing.assert_allclose(ranks(ordinal, np.array([0, 1, 2])), [0.5, 1, 0])
    category = Column("c", Kind.CATEGORICAL, ("rare", "common", "never"))
    np.testing.assert_allclose(ranks(category, np.array([1, 0, 1])), [0, 0.5, 0])
    assert (ranks(Column("k", Kind.CONTINUOUS, low=2.0, high=2.0), np.full(3, 2.0)) == 0).all()
