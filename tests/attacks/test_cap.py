"""Matching on as many of the telling columns as can be: what it answers is what looking at every row answers."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from attacks import agreement, cap
from privbench import registry
from privbench.contracts import View
from privbench.release import AlteredRows, SyntheticTable
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table, to_bins

KNOWN = (
    Column("group", Kind.CATEGORICAL, ("a", "b", "c")),
    Column("many", Kind.ORDINAL, tuple(range(60))),
    Column("age", Kind.CONTINUOUS, low=17.0, high=40.0, integer=True),
    Column("x", Kind.CONTINUOUS, low=0.0, high=1.0),
    Column("only", Kind.CATEGORICAL, ("one",)),
)
SECRETS = (Column("job", Kind.CATEGORICAL, tuple("abcde")), Column("wage", Kind.CONTINUOUS, low=-50.0, high=300.0))


def drawn(n, rng, *, high=60):
    """Return records in which groups and jobs hang together, and many a value is had by several."""
    group, many, age = rng.integers(3, size=n), rng.integers(high, size=n), 17.0 + rng.integers(8, size=n)
    job = np.where(rng.random(n) < 0.5, group, rng.integers(4, size=n))
    x = np.where(rng.random(n) < 0.8, rng.integers(4, size=n) / 4, rng.random(n))
    wage = np.clip(100 * x + 10 * job + rng.normal(size=n), -50, 300)
    arrays = {"group": group, "many": many, "age": age, "x": x, "only": np.zeros(n, int), "job": job, "wage": wage}
    return Table(Schema((*KNOWN, *SECRETS), secrets=("job", "wage")), arrays)


def question(rows, seed, *, known=tuple(column.name for column in KNOWN), hidden=None):
    rng = stream(seed, "cap")
    # some of the targets are rows, and some agree with none in anything
    train, people = drawn(rows, rng, high=20), drawn(30, rng)
    people = Table.concat([people, train.take(np.arange(min(rows, 10)))]).select(known)
    release = SyntheticTable(train, rows)
    if hidden is not None:
        release = AlteredRows(train, rows, altered=("job",), suppressed={"job": hidden})
    return View(release, people, SECRETS)


def entropy(values):
    shares = np.array(list(Counter(values).values())) / len(values)
    return -(shares * np.log(shares)).sum()


def pairs(one, other):
    return list(zip(one, other.tolist(), strict=True))


def brute_force(view, rng, bins):
    """Return for every secret the mask of the rows that each target matches, ``(T, n)``."""
    masks = {}
    for secret in view.secrets:
        everything = np.ones(len(view.release.table), bool)
        hidden = getattr(view.release, "suppressed", {}).get(secret.name, ~everything)
        cells = to_bins(secret, view.release.values(secret.name), bins=20)[~hidden]
        same, told = [], []
        for column in view.targets.schema.columns:
            rows, people = view.release.values(column.name), view.targets[column.name]
            if bins is not None:
                rows, people = to_bins(column, rows, bins=bins), to_bins(column, people, bins=bins)
            same.append((people[:, None] == rows) & ~hidden)
            chance = rng.permutation(cells)
            known = rows[~hidden].tolist()
            told.append(entropy(pairs(known, chance)) - entropy(pairs(known, cells)))
        mask = np.tile(~hidden, (len(view.targets), 1))
        going = np.ones(len(view.targets), bool)
        for place in sorted(range(len(told)), key=lambda place: -told[place]):
            closer = mask & same[place]
            going &= closer.any(axis=1)
            mask[going] = closer[going]
        masks[secret.name] = mask
    return masks


@pytest.fixture(params=[{}, {"_ROWS": 13, "_TABLE": 1}], ids=["as it is", "tiny"])
def _sizes(request, monkeypatch):
    for name, value in request.param.items():
        monkeypatch.setattr(agreement, name, value)


@pytest.mark.usefixtures("_sizes")
@pytest.mark.parametrize("bins", [None, 3])
@pytest.mark.parametrize(
    ("rows", "seed", "how"),
    [
        *((rows, seed, {}) for rows in (1, 2, 40, 900) for seed in range(3)),
        (100, 0, {"known": ()}),
        (100, 0, {"known": ("only",)}),
        (99, 0, {"hidden": np.arange(99) % 3 == 0}),
    ],
)
def test_answers_are_those_of_looking_at_every_row(rows, seed, how, bins):
    view = question(rows, seed, **how)
    guess = registry.make("attacks", "cap", {"bins": bins}).infer(view, rng=stream(0))
    masks = brute_force(view, stream(0), bins)
    number = masks["job"].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(guess.answers["job"], masks["job"] @ np.eye(5)[view.release.values("job")] / number)
    wage = view.release.values("wage")
    for place, mask in enumerate(masks["wage"]):
        assert guess.answers["wage"][place] == pytest.approx(wage[mask].mean())
        assert guess.spread["wage"][place] == pytest.approx(wage[mask].std(), rel=1e-9, abs=1e-9)


def test_what_chance_tells_may_be_drawn(monkeypatch):
    """With many rows no row is shuffled: columns that tell clearly more are still matched first."""
    view = question(3000, 0, known=("only", "many", "group"))
    shuffled = registry.make("attacks", "cap", {}).infer(view, rng=stream(0))
    monkeypatch.setattr(cap, "_SHUFFLED", 0)
    drawn = registry.make("attacks", "cap", {}).infer(view, rng=stream(1))
    np.testing.assert_array_equal(shuffled.answers["job"], drawn.answers["job"])


@pytest.mark.parametrize("shape", [(3, 40), (40, 3)])
def test_drawn_counts_are_those_of_shuffling(shape):
    rng = stream(0, "shuffled")
    one, other = rng.integers(shape[0], size=500), rng.integers(shape[1], size=500)
    table = np.bincount(one * shape[1] + other, minlength=shape[0] * shape[1]).reshape(shape)
    drawn = [cap._shuffled(table, rng) for _ in range(300)]
    for counts, axis in itertools.product(drawn, (0, 1)):
        assert (counts.sum(axis=axis) == table.sum(axis=axis)).all()
    by_shuffling = [entropy(pairs(one.tolist(), rng.permutation(other))) for _ in range(300)]
    by_drawing = [cap._entropy(counts) for counts in drawn]
    assert np.mean(by_drawing) == pytest.approx(np.mean(by_shuffling), abs=4 * np.std(by_shuffling) / np.sqrt(150))
    assert np.std(by_drawing) == pytest.approx(np.std(by_shuffling), rel=0.2)


def test_no_target_is_no_answer():
    view = question(50, 0)
    nobody = View(view.release, view.targets.take(np.arange(0)), view.secrets)
    registry.make("attacks", "cap", {}).infer(nobody, rng=stream(0)).check(nobody)
