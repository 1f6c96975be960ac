"""Secrets guessed together: exact messages, trees found, cells and leaves counted, and what the whole attack finds."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from attacks.belief_propagation import _near
from attacks.cells import Cells
from attacks.leaves import _points, forest_guess
from attacks.tree_model import Edge, Node, beliefs, spanning_tree
from privbench import registry
from privbench.contracts import View
from privbench.errors import InputError
from privbench.release import AlteredRows, SyntheticTable
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table


def test_messages_equal_enumeration():
    """A chain and a fork of four hidden columns and a seen one, potentials of each person's own."""
    rng = stream(0, "tree")
    sizes, people = (2, 3, 4, 2, 3), 5
    priors = [rng.dirichlet(np.ones(size), size=people) for size in sizes[:4]]
    seen = rng.integers(sizes[4], size=people)
    nodes = [*(Node(size, prior) for size, prior in zip(sizes, priors, strict=False)), Node(sizes[4], None, seen)]
    joined = [(0, 1), (1, 2), (1, 3), (2, 4)]
    edges = [Edge(i, j, rng.normal(size=(people if i else 1, sizes[i], sizes[j]))) for i, j in joined]
    found = beliefs(nodes, edges, cautious=False)
    for person in range(people):
        expected = [np.zeros(size) for size in sizes[:4]]
        for values in itertools.product(*map(range, sizes[:4])):
            everything = (*values, seen[person])
            weight = np.prod([prior[person, value] for prior, value in zip(priors, values, strict=True)])
            for edge in edges:
                table = edge.affinity[person if len(edge.affinity) > 1 else 0]
                weight *= np.exp(table[everything[edge.one], everything[edge.other]])
            for place, value in enumerate(values):
                expected[place][value] += weight
        for belief, exact in zip(found, expected, strict=True):
            np.testing.assert_allclose(belief[person], exact / exact.sum(), rtol=1e-9)


def test_the_unsure_say_less():
    """A column without any idea of its own says nothing, a sure one all that it knows."""
    affinity = np.log(np.array([[[0.9, 0.1], [0.1, 0.9]]]))
    for own, said in (([0.5, 0.5], 0.5), ([1.0, 0.0], 0.9)):
        nodes = [Node(2, np.array([own])), Node(2, np.array([[0.5, 0.5]]))]
        assert beliefs(nodes, [Edge(0, 1, affinity)], cautious=True)[1][0, 0] == pytest.approx(said, abs=1e-6)


def test_the_tree_joins_what_belongs_together():
    rng = stream(0, "span")
    one = rng.integers(4, size=2000)
    two = (one + (rng.random(2000) < 0.1)) % 4  # near the first
    three = (two + (rng.random(2000) < 0.2)) % 4  # near the second
    apart = rng.integers(4, size=2000)
    every = [np.ones(2000, bool)] * 4
    tree = spanning_tree([one, two, three, apart], every, [4] * 4, hidden=4)
    assert {(0, 1), (1, 2)} <= set(tree)
    assert len(tree) == 3
    # what is known needs no edge to something else known
    assert all(i < 1 for i, _ in spanning_tree([one, two, three, apart], every, [4] * 4, hidden=1))


@pytest.mark.parametrize("most", [1, 5, 40])
def test_cells_hold_about_as_many_rows(most):
    rng = stream(0, "cells")
    values = np.where(rng.random(5000) < 0.6, 7, rng.integers(300, size=5000))
    cells = Cells.of(values, 400, most=most)
    used = np.unique(cells.of_value[values])
    assert len(used) <= max(most, 3)  # a common value alone has a cell on either side
    assert (np.diff(cells.of_value) >= 0).all()
    posterior = rng.dirichlet(np.ones(cells.size), size=3)
    spread = cells.spread(posterior)
    np.testing.assert_allclose(spread.sum(axis=1), 1)
    # in a cell the probability is shared as the rows are
    cell = cells.of_value[values[0]]
    inside = cells.of_value == cell
    counts = np.bincount(values, minlength=400)[inside]
    np.testing.assert_allclose(spread[:, inside], posterior[:, [cell]] * counts / counts.sum())
    if most >= 5:
        assert (cells.of_value == cells.of_value[7]).sum() == 1


def test_few_values_stay_as_they_are():
    cells = Cells.of(np.array([3, 0, 3]), 10, most=2)
    posterior = np.eye(10)
    assert cells.spread(posterior) is posterior


SCHEMA = Schema(
    (
        Column("x", Kind.CONTINUOUS, low=0.0, high=1.0),
        Column("one", Kind.CATEGORICAL, tuple("abcd")),
        Column("two", Kind.CATEGORICAL, tuple("abcd")),
        Column("number", Kind.ORDINAL, tuple(range(3000))),
        Column("wage", Kind.CONTINUOUS, low=0.0, high=100.0),
    ),
    secrets=("one", "two", "number", "wage"),
)


def table(n: int, *, seed: int = 0) -> Table:
    """Return records whose second secret nearly is the first, which the known number tells a little of."""
    rng = stream(seed, "table")
    x = rng.random(n)
    one = np.clip((4 * x + rng.normal(scale=0.7, size=n)).astype(int), 0, 3)
    two = np.where(rng.random(n) < 0.95, one, rng.integers(4, size=n))
    number = np.clip((2999 * x).astype(int) + rng.integers(-2, 3, size=n), 0, 2999)
    return Table(SCHEMA, {"x": x, "one": one, "two": two, "number": number, "wage": 100 * x})


def view(train: Table, people: Table, secrets: tuple[str, ...] = SCHEMA.secrets) -> View:
    return View(SyntheticTable(train, len(train)), people.select(["x"]), tuple(SCHEMA[name] for name in secrets))


def test_leaves_remember_their_rows():
    """Nobody shares a row's number: each target that is a row finds its own values, those of thousands too."""
    train = table(800)
    guess = forest_guess(view(train, train), trees=30, depth=None, leaf=1, rng=stream(0, "leaves"))
    assert (guess.answers["number"].argmax(axis=1) == train["number"]).mean() > 0.6
    assert np.abs(guess.answers["wage"] - train["wage"]).mean() < 1
    assert (guess.spread["wage"] < 3).mean() > 0.9


def test_leaves_count_shares_and_moments_exactly():
    """One tree on one column with two values: its leaves are the two groups."""
    train = table(500)
    halves = np.where(train["x"] < 0.5, 0.2, 0.8)
    train = train.replace({"x": halves})
    asked = train.take(np.arange(20))
    found = forest_guess(view(train, asked), trees=1, depth=1, leaf=1, rng=stream(0, "leaves"))
    for place in range(20):
        same = halves == halves[place]
        np.testing.assert_allclose(
            found.answers["one"][place], np.bincount(train["one"][same], minlength=4) / same.sum()
        )
        counts = np.bincount(train["number"][same], minlength=3000)
        np.testing.assert_allclose(found.answers["number"][place], counts / same.sum())
        assert found.answers["wage"][place] == pytest.approx(train["wage"][same].mean())
        assert found.spread["wage"][place] == pytest.approx(train["wage"][same].std(), rel=1e-6)


def test_rows_lie_apart_as_their_secrets_differ():
    """With few values the variance of the points is the Gini impurity, with many nearly."""
    train = table(2000)
    few = _points(view(train, train, ("one", "two")), stream(0, "points"))
    assert few.shape == (2000, 8)
    impurity = sum(1 - np.square(np.bincount(train[name]) / 2000).sum() for name in ("one", "two"))
    assert few.var(axis=0).sum() == pytest.approx(impurity)
    many = _points(view(train, train), stream(0, "points"))
    assert many.shape == (2000, 8)
    apart = np.unique(many, axis=0, return_inverse=True)[1]
    for code in range(apart.max() + 1):
        assert len(np.unique(train["two"][apart == code])) == 1


def test_small_pairs_are_counted_together_as_alone():
    train = table(300)
    asked = view(train, table(20, seed=1), ("one", "two"))
    pairs, rows = [(train["one"].astype(int), 4), (train["two"] * 4 + train["one"], 16)], np.arange(0, 300, 2)
    together = list(_near(asked, pairs, rows, 30))
    for pair, shares in zip(pairs, together, strict=True):
        (alone,) = _near(asked, [pair], rows, 30)
        np.testing.assert_array_equal(shares, alone)
        nearest = np.argsort(np.abs(train["x"][rows] - asked.targets["x"][0]))[:30]
        np.testing.assert_allclose(shares[0], np.bincount(pair[0][rows][nearest], minlength=pair[1]) / 30)


def test_secrets_correct_one_another():
    """Where the forest overfits, agreement along the tree finds more people."""
    train, people = table(1500), table(3000, seed=1)
    asked = view(train, people, ("one", "two"))
    alone = forest_guess(asked, trees=25, depth=25, leaf=1, rng=stream(0, "both"))
    together = registry.make("attacks", "belief-propagation", {}).infer(asked, rng=stream(0, "both"))
    right = [
        sum((guess.answers[name].argmax(axis=1) == people[name]).mean() for name in ("one", "two"))
        for guess in (alone, together)
    ]
    assert right[1] > right[0] + 0.01


def test_blank_cells_are_not_learnt_from():
    train = table(1000)
    blank = np.arange(1000) % 2 == 0
    misled = train.replace({"one": np.where(blank, 3, 0)})
    release = AlteredRows(misled, 1000, altered=("one",), suppressed={"one": blank})
    asked = replace(view(train, table(50, seed=1), ("one", "two")), release=release)
    guess = registry.make("attacks", "belief-propagation", {}).infer(asked, rng=stream(0, "blank"))
    assert guess.answers["one"][:, 3].max() < 0.05


def test_a_known_column_called_pair_is_no_trouble():
    columns = (Column("pair", Kind.CATEGORICAL, ("u", "v")), SCHEMA["one"], replace(SCHEMA["two"], name="pair'"))
    rng = stream(0, "names")
    release = SyntheticTable(
        Table(Schema(columns), {"pair": rng.integers(2, size=50), "one": rng.integers(4, size=50),
                                "pair'": rng.integers(4, size=50)}), 50)  # fmt: skip
    asked = View(release, release.table.select(["pair", "pair'"]), (columns[1],))
    registry.make("attacks", "belief-propagation", {}).infer(asked, rng=rng).check(asked)


@pytest.mark.parametrize("bad", [{"trees": 0}, {"depth": 0}, {"neighbours": 0}, {"values": 0}, {"correction": 1.1}])
def test_bad_settings_are_one_sentence(bad):
    with pytest.raises(InputError, match="must be"):
        registry.make("attacks", "belief-propagation", bad)
