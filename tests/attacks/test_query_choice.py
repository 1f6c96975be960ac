"""Which queries and which solver linear reconstruction chooses, from the release alone."""

from __future__ import annotations

import numpy as np

from attacks.known_values import Rows
from attacks.query_choice import choose
from privbench import registry
from privbench.rng import stream
from tests.attacks.identified import KNOWN, SCHEMA, attack, bootstrap, even, records, view


def test_the_kind_of_query_is_chosen_on_the_release():
    train = records(500)
    prior = even(2)

    def chosen(released):
        asked = view(train, released)
        rows, options = Rows(asked, SCHEMA["ill"], 10), {"columns": [2, 3, 4], "scalings": ["conditional", "marginal"]}
        kind, trial, solver = choose(rows, asked.roster, prior, bins=[16, 16384], groups=5000, rng=stream(0), **options)
        assert min(trial.undecided, trial.missed, trial.blind) >= 0
        return kind, solver

    copied, solver = chosen(bootstrap(train, 5000))
    assert (copied.bins, solver) == (16384, "whole")
    # a generator that draws numbers anew within 16 cells: finer queries find nobody
    rng = stream(0, "blurred")
    rows = bootstrap(train, 50_000)
    cell = np.floor(rows["x"] / 10 * 16)
    blurred = rows.replace({"x": (cell + rng.random(len(rows))) * 10 / 16})
    assert chosen(blurred)[0].bins == 16
    shuffled = rows.replace({"ill": rng.permutation(rows["ill"])})
    assert chosen(shuffled)[1] == "squares"


def test_the_defenses_own_cells_are_among_the_choices():
    defense = registry.make("defenses", "independent-histogram", {"epsilon": 1, "bins": 7})
    train = records(50)
    assert 7 in attack()._cuts(view(train, train, defense=defense), train.select(KNOWN))
    assert attack(bins=9)._cuts(view(train, train, defense=defense), train.select(KNOWN)) == [9]
    # no column of numbers: every choice would cut alike
    assert len(attack()._cuts(view(train, train), train.select(["size", "town"]))) == 1
