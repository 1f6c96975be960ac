"""The greedy network: the sensitivity of its score, the parents that it finds, and what it pays for."""

from __future__ import annotations

from itertools import combinations_with_replacement, product

import numpy as np
import pytest

from defenses.synthetic.bayes_net import dependence, draw, fit_exact, fit_private, grow, mutual_information
from defenses.synthetic.coding import count, count_each
from defenses.synthetic.pure import PureLedger
from privbench.rng import stream


def planted(n=4000, seed=0) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return columns of which 2 is the exclusive or of 0 and 1, and 3 a noisy copy of 2; 4 is nobody's."""
    rng = stream(seed, "planted")
    a, b, e = rng.integers(2, size=(3, n))
    c = (a ^ b) * 2
    d = np.where(rng.random(n) < 0.9, c // 2, rng.integers(2, size=n))
    return np.stack([a, b, c, d, e]).astype(np.uint8), (2, 2, 3, 2, 2)


@pytest.mark.parametrize("shape", [(2, 2), (2, 3), (3, 2)])
@pytest.mark.parametrize("n", [3, 4, 5, 6])
def test_exchanging_a_record_moves_the_score_by_no_more_than_its_sensitivity(n, shape):
    cells = list(product(range(shape[0]), range(shape[1])))
    largest = 0.0
    for rest in combinations_with_replacement(cells, n - 1):
        table = np.zeros(shape, dtype=int)
        for cell in rest:
            table[cell] += 1
        scores = []
        for cell in cells:
            table[cell] += 1
            scores.append(dependence(table))
            table[cell] -= 1
        largest = max(largest, max(scores) - min(scores))
    bound = 3 / n + 2 / n**2
    assert 0.3 * bound < largest <= bound


def test_scores_of_known_tables():
    assert mutual_information(np.array([[5, 0], [0, 5]])) == pytest.approx(np.log(2))
    assert dependence(np.array([[5, 0], [0, 5]])) == pytest.approx(0.5)
    for score in (mutual_information, dependence):
        assert score(np.array([[1, 2], [2, 4]])) == pytest.approx(0, abs=1e-15)


def test_growth_finds_the_planted_parents_and_keeps_its_limits():
    codes, sizes = planted()
    families = grow(
        codes, sizes, degree=2, cells=100, score=mutual_information, choose=lambda s: int(s.argmax()), first=0
    )
    before: set[int] = set()
    for column, parents in families:
        assert set(parents) <= before
        assert len(parents) <= 2
        before.add(column)
    assert before == set(range(5))
    assert any({column, *parents} == {0, 1, 2} for column, parents in families)
    small = grow(codes, sizes, degree=2, cells=6, score=dependence, choose=lambda s: int(s.argmax()), first=2)
    assert all(np.prod([sizes[p] for p in parents], initial=sizes[column]) <= 6 for column, parents in small)


def test_of_the_sets_that_fit_only_those_that_cannot_grow_compete():
    offered = []
    codes, sizes = planted(200)

    def score(table):
        offered.append(table.size)
        return 0.0

    grow(codes, sizes, degree=4, cells=12, score=score, choose=lambda s: 0, first=0)
    assert max(offered) <= 12


def test_many_columns_have_fewer_parents():
    codes = stream(0, "many").integers(2, size=(48, 60)).astype(np.uint8)
    families = grow(codes, (2,) * 48, degree=5, cells=1e6, score=dependence, choose=lambda s: int(s.argmax()), first=0)
    assert max(len(parents) for _, parents in families) == 2
    few = grow(codes[:12], (2,) * 12, degree=5, cells=1e6, score=dependence, choose=lambda s: int(s.argmax()), first=0)
    assert max(len(parents) for _, parents in few) == 5


def test_counts_are_right():
    codes, sizes = planted(3000)
    for given in ((0,), (3, 1), (2, 0, 4)):
        for column, table in zip((1, 3), count_each(codes, given, (1, 3), sizes), strict=True):
            np.testing.assert_array_equal(table, count(codes, (*given, column), sizes).reshape(-1, sizes[column]))
    seen = np.zeros((2, 3), dtype=int)
    np.add.at(seen, (codes[1], codes[2]), 1)
    np.testing.assert_array_equal(count(codes, (1, 2), sizes), seen)


@pytest.mark.parametrize("epsilon", [0.05, 1.0, 50.0])
def test_the_private_network_spends_everything_once(epsilon):
    codes, sizes = planted()
    ledger = PureLedger(epsilon, stream(0, "ledger"))
    tables = fit_private(codes, sizes, degree=3, ledger=ledger)
    assert ledger.spent == pytest.approx(epsilon, rel=1e-9)
    choices = [what for what, _ in ledger.entries if what == "a column and its parents"]
    assert len(choices) == 4
    # every family is within a measured table, and no measured table within another one
    groups = [set(map(int, what[9:-1].replace(",", " ").split())) for what, _ in ledger.entries if "columns" in what]
    assert all(any({column, *parents} <= group for group in groups) for column, parents in tables)
    assert not any(one < other for one in groups for other in groups)
    for (column, _), table in tables.items():
        assert table.shape[1] == sizes[column]
        assert table.min() >= 0


def test_rows_follow_the_tables():
    codes, sizes = planted()
    drawn = draw(fit_exact(codes, sizes, degree=2, rng=stream(0)), sizes, rows=8000, rng=stream(1))
    for pair in ((0, 2), (1, 2), (2, 3), (3, 4)):
        before, after = (count(table, pair, sizes) / table.shape[1] for table in (codes, drawn))
        assert np.abs(before - after).max() < 0.02
    assert ((drawn[0] ^ drawn[1]) * 2 == drawn[2]).mean() > 0.99
