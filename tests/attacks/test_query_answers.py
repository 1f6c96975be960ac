"""Answers to queries, scaled from released rows to people: their definitions and their noise."""

from __future__ import annotations

import numpy as np
import pytest

from attacks.known_values import Coding, Rows
from attacks.queries import count, draw_groupings
from attacks.query_answers import ask
from privbench.rng import stream
from tests.attacks.identified import SCHEMA, bootstrap, even, records, view


def test_answers_are_what_their_definitions_say():
    train, released = records(60), bootstrap(records(60), 240)
    asked = view(train, released)
    coding = Coding(asked.roster, 4)
    groupings = draw_groupings(coding, 1, groups=100, places=100, rng=stream(0))
    counts = count(coding, groupings, Rows(asked, SCHEMA["ill"], 10), 2)
    marginal = ask(groupings, counts, even(2), rows=240, scaling="marginal")
    np.testing.assert_allclose(marginal.values, counts * 60 / 240)
    conditional = ask(groupings, counts, even(2), rows=240, scaling="conditional")
    real = np.concatenate([grouping.records for grouping in groupings])
    shown = counts.sum(axis=1)
    np.testing.assert_allclose(conditional.values.sum(axis=1)[shown > 0], real[shown > 0])
    np.testing.assert_allclose(conditional.values[shown > 0] * (shown / real)[shown > 0, None], counts[shown > 0])
    assert (conditional.told == (shown > 0)).all()
    assert conditional.at_most(5, rng=stream(0)).told.sum() == 5


def test_the_noise_of_an_answer_is_that_of_drawing_rows():
    """Draw the same 400 rows often: the answers scatter as said, on average over the groups."""
    train = records(80)
    asked = view(train, train)
    coding = Coding(asked.roster, 4)
    groupings = draw_groupings(coding, 1, groups=100, places=100, rng=stream(0))
    for scaling in ("marginal", "conditional"):
        seen, said = [], []
        for seed in range(200):
            rows = Rows(view(train, bootstrap(train, 400, seed)), SCHEMA["ill"], 10)
            answers = ask(groupings, count(coding, groupings, rows, 2), even(2), rows=400, scaling=scaling)
            seen.append(answers.values)
            said.append(answers.noise)
        large = np.concatenate([grouping.records for grouping in groupings]) >= 10
        ratio = np.var(seen, axis=0)[large].sum() / np.mean(said, axis=0)[large].sum()
        assert ratio == pytest.approx(1, abs=0.1), scaling
