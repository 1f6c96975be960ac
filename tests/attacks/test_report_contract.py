"""Every attack on reports keeps its contract on every kind of collection, also of two people and without their rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from privbench import registry
from privbench.contracts import View
from privbench.reports import Reports
from privbench.rng import stream
from tests.people import people

ATTACKS = {
    "averaging": {},
    "report-bayes": {"prior": "model"},
    "report-joint": {},
    "sampled-column": {"prior": "model"},
}
COLLECTIONS = [
    *({"protocol": protocol} for protocol in ("grr", "sue", "oue", "ss", "blh", "olh", "the")),
    *({"allocation": allocation} for allocation in ("k-based", "optimal", "combined", "sampled", "rs+fd", "rs+rfd")),
    *({"protocol": "oue", "allocation": "rs+fd", "fakes": fakes} for fakes in ("zero", "random")),
    {"protocol": "olh", "allocation": "rs+rfd"},
    {"rounds": 3, "protocol": "sue"},
    {"rounds": 3, "memoise": True},
    {"surveys": 3, "asked": 2},
    {"surveys": 3, "asked": 2, "allocation": "rs+fd"},
    {"surveys": 3, "asked": 2, "allocation": "combined"},
    {"surveys": 3, "allocation": "sampled"},
    *({"numeric": numeric, "columns": ("wage", "age", "ill")} for numeric in ("piecewise", "duchi", "square-wave")),
    {"numeric": "hybrid", "columns": ("wage", "age", "ill"), "allocation": "sampled"},
]
SECRETS = ("ill", "grade", "work")
# which always apply; the others need several reports a person, or fakes
ALWAYS = ("report-bayes", "report-joint")


def seen(collection, *, records: int = 200, targets: int = 30, **params) -> View:
    secrets = tuple(name for name in collection.get("columns", SECRETS) if name != "age")
    game = registry.make("games", "report", {"targets": targets, "records": records, **params})
    round_ = game.play(people(), secrets, rng=stream(0, "game"))
    made = registry.make("defenses", "ldp", {"epsilon": 3.0, **collection})
    return round_.view(made.release(round_.train, rng=stream(0, "defense")), defense=made)


def label(collection: dict) -> str:
    return " ".join(map(str, collection.values()))


def applying(view: View) -> list[str]:
    """Return the attacks that do not skip a view."""
    return [name for name, params in ATTACKS.items() if registry.make("attacks", name, params).skip(view) is None]


APPLYING = {label(collection): applying(seen(collection)) for collection in COLLECTIONS}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_applies_or_says_why(name):
    attack = registry.make("attacks", name, ATTACKS[name])
    reasons = [attack.skip(seen(collection)) for collection in COLLECTIONS]
    assert None in reasons
    assert all(reason is None for reason in reasons) == (name in ALWAYS)
    assert all(len(reason.split()) > 4 for reason in reasons if reason is not None)


@pytest.mark.parametrize(
    ("name", "collection"),
    [(name, collection) for collection in COLLECTIONS for name in APPLYING[label(collection)]],
    ids=lambda given: given if isinstance(given, str) else label(given),
)
def test_an_attack_keeps_its_contract(name, collection):
    attack = registry.make("attacks", name, ATTACKS[name])
    view = seen(collection)
    assert isinstance(view.release, Reports)
    before = view.targets.sha256, [one.reports.copy() for one in view.release.reported]
    first, again = (attack.infer(view, rng=stream(0, "attack")) for _ in range(2))
    first.check(view)
    order = stream(5, "order").permutation(len(view.targets))
    turned = attack.infer(
        replace(view, targets=view.targets.take(order), rows=view.rows[order]), rng=stream(0, "attack")
    )
    without = attack.infer(replace(view, rows=None), rng=stream(0, "attack"))
    without.check(view)
    for secret, answer in first.answers.items():
        assert answer.tobytes() == again.answers[secret].tobytes()
        np.testing.assert_allclose(answer[order], turned.answers[secret], atol=1e-9)
        assert not np.allclose(answer, without.answers[secret])
    for apart in (*first.spread.values(), *without.spread.values()):
        assert np.isfinite(apart).all()
        assert (apart >= 0).all()
    assert before[0] == view.targets.sha256
    assert all(np.array_equal(a, b.reports) for a, b in zip(before[1], view.release.reported, strict=True))
    for few in (seen(collection, records=2, targets=1), seen(collection, population=50)):
        attack.infer(few, rng=stream(0, "attack")).check(few)


@pytest.mark.parametrize("epsilon", [1e-3, 50.0, 200.0])
@pytest.mark.parametrize("collection", COLLECTIONS, ids=label)
def test_extreme_budgets_give_numbers(collection, epsilon):
    view = seen({**collection, "epsilon": epsilon})
    assert applying(view) == APPLYING[label(collection)]
    for name in APPLYING[label(collection)]:
        registry.make("attacks", name, ATTACKS[name]).infer(view, rng=stream(0, "attack")).check(view)


@pytest.mark.parametrize("allocation", ["uniform", "combined", "sampled", "rs+fd"])
def test_reidentification_keeps_its_contract(allocation):
    game = registry.make("games", "reidentify", {"targets": 30, "records": 200, "candidates": 60})
    round_ = game.play(people(), SECRETS, rng=stream(0, "game"))
    made = registry.make("defenses", "ldp", {"epsilon": 6.0, "allocation": allocation, "surveys": 2})
    view = round_.view(made.release(round_.train, rng=stream(0, "defense")), defense=made)
    attack = registry.make("attacks", "reidentification", {})
    assert attack.skip(view) is None
    first = attack.infer(view, rng=stream(0))
    first.check(view)
    order = stream(5, "order").permutation(30)
    turned = attack.infer(replace(view, targets=view.targets.take(order), rows=view.rows[order]), rng=stream(0))
    for secret, answer in first.answers.items():
        np.testing.assert_allclose(answer[order], turned.answers[secret], atol=1e-12)
    for name, params in ATTACKS.items():
        assert "no column 'identity'" in registry.make("attacks", name, params).skip(view)
