"""Cell suppression: the share, the places, the placeholders, and that nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from defenses.rows.suppress_cells import SuppressCells
from privbench.errors import InputError
from privbench.rng import stream
from tests.defenses.rows.odd_tables import TABLES, adult_records, table


@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("name", TABLES)
def test_cells_that_are_left_are_true(name, share):
    train = table(name)
    release = SuppressCells(share=share).release(train, rng=stream(0))
    for column in train.schema.names:
        left = ~release.suppressed.get(column, np.zeros(len(train), dtype=bool))
        assert (release.values(column)[left] == train[column][left]).all()
    assert share or not release.suppressed
    if share == 1:
        assert all(release.suppressed[column].all() for column in train.schema.names)


def test_the_share_is_kept_in_each_column_and_blanks_fall_independently():
    train = adult_records()
    release = SuppressCells(share=0.1).release(train, rng=stream(0))
    blank = np.column_stack([release.suppressed[name] for name in train.schema.names])
    for column in blank.T:
        assert stats.binomtest(int(column.sum()), len(train), 0.1).pvalue > 1e-5
    count = np.bincount(blank.sum(axis=1), minlength=16)[:5]
    expected = stats.binom(15, 0.1).pmf(np.arange(5)) * len(train)
    assert stats.chisquare([*count, len(train) - count.sum()], [*expected, len(train) - expected.sum()]).pvalue > 1e-4


def test_placeholders_are_the_missing_value_or_follow_what_is_left():
    train = adult_records()
    release = SuppressCells(share=0.3).release(train, rng=stream(0))
    for name in ("workclass", "sex", "age"):
        column, blank = train.schema[name], release.suppressed[name]
        shown = release.values(name)[blank]
        if name == "workclass":
            assert (shown == column.code(None)).all()
        elif name == "sex":
            counts = np.bincount(shown, minlength=2)
            assert stats.chisquare(counts, release.marginal("sex") * blank.sum()).pvalue > 1e-4
            # a placeholder tells nothing of the cell: it agrees as often as two strangers do
            chance = (release.marginal("sex") ** 2).sum()
            agree = int((shown == train["sex"][blank]).sum())
            assert stats.binomtest(agree, int(blank.sum()), chance).pvalue > 1e-4
        else:
            assert stats.ks_2samp(shown, release.values("age")[~blank]).pvalue > 1e-4


def test_the_marginal_is_that_of_the_cells_left():
    train = adult_records()
    release = SuppressCells(share=0.5).release(train, rng=stream(0))
    assert np.abs(release.marginal("workclass") - train.marginal("workclass")).max() < 0.02
    assert np.abs(release.table.marginal("workclass") - train.marginal("workclass")).max() > 0.3


def test_a_column_with_no_cell_left_shows_its_domain():
    train = table("people")
    release = SuppressCells(share=1.0).release(train, rng=stream(0))
    assert stats.kstest(release.values("wage"), stats.uniform(0, 100).cdf).pvalue > 1e-4
    assert stats.chisquare(np.bincount(release.values("ill"), minlength=3)).pvalue > 1e-4
    assert not np.isin(release.values("wage"), train["wage"]).any()


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_bad_share_is_one_sentence(share):
    with pytest.raises(InputError):
        SuppressCells(share=share)
