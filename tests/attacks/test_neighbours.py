"""The search for the nearest released rows: what it answers is what measuring to every row answers."""

from __future__ import annotations

import numpy as np
import pytest

from attacks import gower
from privbench import registry
from privbench.contracts import View
from privbench.datasets import adult
from privbench.release import AlteredRows, SyntheticTable
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table

SECRETS = (
    Column("secret", Kind.CATEGORICAL, ("no", "yes", "often", "unseen")),
    Column("degree", Kind.ORDINAL, (1, None, 2, 3)),
    Column("wage", Kind.CONTINUOUS, low=-50.0, high=300.0),
)
KNOWN = {
    "mixed": (
        Column("x", Kind.CONTINUOUS, low=0.0, high=10.0),
        Column("group", Kind.CATEGORICAL, ("a", "b", "c")),
        Column("size", Kind.ORDINAL, (1, None, 2, 3)),
        Column("many", Kind.CATEGORICAL, tuple(range(300))),
    ),
    "categories": tuple(Column(f"c{i}", Kind.CATEGORICAL, (0, 1, 2, 3)) for i in range(6)),
    "numbers": tuple(Column(f"n{i}", Kind.CONTINUOUS, low=0.0, high=9.0, integer=i % 2 == 0) for i in range(3)),
    "large numbers": (Column("n", Kind.CONTINUOUS, low=1e15, high=1e15 + 500, integer=True),),
    "wide numbers": tuple(Column(f"n{i}", Kind.CONTINUOUS, low=0.0, high=2e9, integer=True) for i in range(4)),
    "ordinal": (Column("o", Kind.ORDINAL, (None, 1, 2)), Column("p", Kind.ORDINAL, (5,))),
    "constant": (Column("x", Kind.CONTINUOUS, low=3.0, high=3.0), Column("c", Kind.CATEGORICAL, ("only",))),
    "nothing": (),
}
BLOCKS = {"as they are": {}, "tiny": {"_ROWS": 37, "_BLOCK": 40, "_TARGETS": 4}}


def drawn(schema, n, rng):
    """Return records of which many are alike, as are many distances."""
    arrays = {}
    for column in schema.columns:
        if column.discrete:
            arrays[column.name] = rng.integers(column.size, size=n) % max(1, column.size - (column.name == "secret"))
        elif column.integer or rng.random() < 0.5:
            arrays[column.name] = column.low + np.floor(rng.random(n) * 8) * np.floor(column.range / 8)
        else:
            arrays[column.name] = column.low + rng.random(n) * column.range
    return Table(schema, arrays, n)


def question(known, rows=150, people=40, seed=0):
    """Return a view in which some targets agree with a released row, and some with one another."""
    rng = stream(seed, "neighbours", known)
    schema = Schema((*KNOWN[known], *SECRETS), secrets=tuple(secret.name for secret in SECRETS))
    train, targets = drawn(schema, rows, rng), drawn(schema, people, rng)
    targets = Table.concat([targets, targets.take(np.arange(5)), train.take(np.arange(min(rows, 10)))])
    return View(SyntheticTable(train, rows), targets.select([c.name for c in KNOWN[known]]), SECRETS)


def every_distance(view):
    """Return the distance from each target to each row, one column at a time."""
    total = np.zeros((len(view.targets), len(view.release.table)))
    for column in view.targets.schema.columns:
        first, second = view.targets[column.name][:, None], view.release.values(column.name)
        if column.kind is Kind.CATEGORICAL:
            total += first != second
        elif column.discrete:
            present = [value for value in column.values if value is not None]
            rank = [np.nan if v is None else present.index(v) / max(1, len(present) - 1) for v in column.values]
            apart = np.abs(np.array(rank)[first] - np.array(rank)[second])
            total += np.where(np.isnan(apart), first != second, apart)
        else:
            total += np.abs(first - second) / (column.range or 1)
    return total


def expected(view, secret, weights):
    """Return shares, or means and spreads, of the rows by these weights, one row of weights a target."""
    values = view.release.values(secret.name)
    weights = weights / weights.sum(axis=1, keepdims=True)
    if secret.discrete:
        return weights @ np.eye(secret.size)[values], None
    mean = weights @ values
    return mean, np.sqrt((weights * np.square(values - mean[:, None])).sum(axis=1))


def agree(guess, view, weights):
    for secret in view.secrets:
        answer, spread = expected(view, secret, weights)
        np.testing.assert_allclose(guess.answers[secret.name], answer, rtol=1e-9, atol=1e-9)
        if spread is not None:
            np.testing.assert_allclose(guess.spread[secret.name], spread, atol=1e-4)


@pytest.fixture(params=BLOCKS)
def _blocks(request, monkeypatch):
    for name, value in BLOCKS[request.param].items():
        monkeypatch.setattr(gower, name, value)


@pytest.mark.usefixtures("_blocks")
@pytest.mark.parametrize("known", KNOWN)
class TestAnswersAreThoseOfEveryDistance:
    @pytest.mark.parametrize("neighbours", [1, 2, 9, 1000])
    @pytest.mark.parametrize("weighted", [False, True])
    def test_nearest_neighbour(self, known, neighbours, weighted):
        view = question(known)
        distance = every_distance(view)
        place = min(neighbours, distance.shape[1]) - 1
        near = distance <= np.sort(distance, axis=1)[:, [place]] + 1e-12
        weights = near.astype(float)
        if weighted:
            least = distance.min(axis=1, keepdims=True)
            weights *= np.where(distance > 0, least / np.where(distance > 0, distance, 1), 1)
        attack = registry.make("attacks", "nearest-neighbour", {"neighbours": neighbours, "weighted": weighted})
        agree(attack.infer(view, rng=stream(0)), view, weights)


@pytest.mark.usefixtures("_blocks")
@pytest.mark.parametrize("known", [known for known in KNOWN if known != "nothing"])
@pytest.mark.parametrize("scale", [None, 0.3])
def test_closest_record_weighs_every_distance(known, scale):
    view = question(known)
    attack = registry.make("attacks", "closest-record", {"scale": scale})
    assert attack.skip(view) is None
    distance = every_distance(view)
    least = distance.min(axis=1, keepdims=True)
    guess = attack.infer(view, rng=stream(0))
    for secret in view.secrets:
        if secret.discrete:
            values = view.release.values(secret.name)
            closest = np.full((len(distance), secret.size), np.inf)
            for value in np.unique(values):
                closest[:, value] = distance[:, values == value].min(axis=1)
            odds = np.exp((least - closest) / (scale or max(least.mean(), 1e-3)))
            np.testing.assert_allclose(
                guess.answers[secret.name], odds / odds.sum(axis=1, keepdims=True), rtol=1e-9, atol=1e-12
            )
        else:
            answer, spread = expected(view, secret, (distance <= least + 1e-12).astype(float))
            np.testing.assert_allclose(guess.answers[secret.name], answer, rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(guess.spread[secret.name], spread, atol=1e-4)


def test_closest_record_needs_a_known_column():
    assert "none is known" in registry.make("attacks", "closest-record", {}).skip(question("nothing"))


@pytest.mark.parametrize("rows", [1, 2])
def test_more_neighbours_than_rows_are_all_rows(rows):
    view = question("mixed", rows=rows)
    guess = registry.make("attacks", "nearest-neighbour", {"neighbours": 5}).infer(view, rng=stream(0))
    agree(guess, view, np.ones((len(view.targets), rows)))


@pytest.mark.usefixtures("_blocks")
@pytest.mark.parametrize("name", ["nearest-neighbour", "closest-record"])
def test_rows_that_hide_a_secret_do_not_count_for_it(name):
    view = question("mixed")
    hidden = np.arange(150) % 3 == 0
    release = AlteredRows(view.release.table, 150, altered=("secret",), suppressed={"secret": hidden})
    shown = SyntheticTable(view.release.table.take(~hidden), 100)
    attack = registry.make("attacks", name, {})
    found = attack.infer(View(release, view.targets, view.secrets), rng=stream(0)).answers
    alone = attack.infer(View(shown, view.targets, view.secrets), rng=stream(0)).answers
    both = attack.infer(view, rng=stream(0)).answers
    np.testing.assert_allclose(found["secret"], alone["secret"])
    np.testing.assert_allclose(found["wage"], both["wage"])


def test_no_target_is_no_answer():
    view = question("mixed")
    nobody = View(view.release, view.targets.take(np.arange(0)), view.secrets)
    for name in ("nearest-neighbour", "closest-record"):
        registry.make("attacks", name, {}).infer(nobody, rng=stream(0)).check(nobody)


@pytest.mark.parametrize(
    ("known", "share"), [(("age", "sex", "race", "education"), 0.01), (("age", "fnlwgt", "hours-per-week"), 0.4)]
)
def test_few_distances_need_be_measured(known, share, monkeypatch):
    records = adult.load().records
    view = View(
        SyntheticTable(records.take(np.arange(20_000)), 20_000),
        records.take(np.arange(20_000, 20_500)).select(known),
        (records.schema["marital-status"],),
    )
    measured = 0

    def counted(*given):
        nonlocal measured
        for block, near, distance in gower.measure(*given):
            measured += distance.size
            yield block, near, distance

    monkeypatch.setattr("attacks.votes.measure", counted)
    registry.make("attacks", "nearest-neighbour", {}).infer(view, rng=stream(0))
    assert 500 <= measured < share * 500 * 20_000
