"""Systematic draws: exact probabilities, counts as close as whole numbers can be, nothing told by the order."""

from __future__ import annotations

import numpy as np
import pytest

from defenses.synthetic import ancestral
from defenses.synthetic.ancestral import draw_given
from privbench.rng import stream

WEIGHTS = np.array([[1.0, 2.0, 0.0, 4.0], [0.0, 0.0, 0.0, 0.0], [5.0, 0.0, 0.0, 0.0], [0.1, 0.2, 0.3, 0.4]])
SHARES = np.array([[1 / 7, 2 / 7, 0, 4 / 7], [0.25] * 4, [1, 0, 0, 0], [0.1, 0.2, 0.3, 0.4]])


def test_counts_are_within_one_of_what_is_expected():
    rng = stream(0, "draw")
    condition = rng.integers(4, size=1003)
    drawn = draw_given(condition, WEIGHTS, rng=rng)
    for value in range(4):
        counts = np.bincount(drawn[condition == value], minlength=4)
        assert np.abs(counts - SHARES[value] * (condition == value).sum()).max() < 1
        assert (counts[SHARES[value] == 0] == 0).all()


def test_every_row_has_exactly_the_probabilities():
    condition, rng, repeats = np.array([0, 0, 3, 1, 3]), stream(0, "draw"), 20_000
    drawn = np.array([draw_given(condition, WEIGHTS, rng=rng) for _ in range(repeats)])
    for row, value in enumerate(condition):
        seen = np.bincount(drawn[:, row], minlength=4) / repeats
        assert np.abs(seen - SHARES[value]).max() < 5 * 0.5 / np.sqrt(repeats)


def test_draws_are_independent_of_what_was_drawn_before():
    rng, n = stream(0, "draw"), 40_000
    together, half = np.zeros(n, dtype=int), np.full((1, 2), 0.5)
    columns = [draw_given(together, half, rng=rng).astype(float) for _ in range(4)]
    given = [draw_given(columns[0].astype(int), np.full((2, 2), 0.5), rng=rng).astype(float) for _ in range(2)]
    correlation = np.corrcoef([*columns, *given, np.arange(n)]) - np.eye(7)
    assert np.abs(correlation).max() < 5 / np.sqrt(n)


def test_blocks_change_nothing_but_the_rounding(monkeypatch):
    monkeypatch.setattr(ancestral, "_BLOCK", 100)
    condition = np.arange(1000) % 4
    drawn = draw_given(condition, WEIGHTS, rng=stream(0, "draw"))
    counts = np.bincount(drawn[condition == 3], minlength=4)
    assert np.abs(counts - 250 * SHARES[3]).max() < 10
    assert set(drawn[condition == 2]) == {0}


@pytest.mark.parametrize(("outcomes", "kind"), [(1, np.uint8), (256, np.uint8), (257, np.uint16)])
def test_the_smallest_type_holds_the_outcomes(outcomes, kind):
    drawn = draw_given(np.zeros(600, dtype=int), np.ones((1, outcomes)), rng=stream(0))
    assert drawn.dtype == kind
    assert drawn.max() == outcomes - 1


def test_no_row_is_no_draw():
    assert len(draw_given(np.zeros(0, dtype=int), WEIGHTS, rng=stream(0))) == 0
