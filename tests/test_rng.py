"""Random streams: named, independent, repeatable; global generators are put back."""

from __future__ import annotations

import random

import numpy as np

from privbench.rng import seeded_globals, stream


def test_same_name_same_stream():
    assert stream(3, "a", "b").integers(10**9) == stream(3, "a", "b").integers(10**9)


def test_seed_and_every_part_of_the_name_matter():
    first = {
        stream(*key).integers(2**62) for key in [(0, "a", "b"), (1, "a", "b"), (0, "ab"), (0, "a", "c"), (0, "b", "a")]
    }
    assert len(first) == 5


def test_streams_are_uncorrelated():
    draws = np.stack([stream(0, str(i)).standard_normal(2000) for i in range(20)])
    off = np.corrcoef(draws)[~np.eye(20, dtype=bool)]
    assert np.abs(off).max() < 5 / np.sqrt(2000)


def test_seeded_globals_are_repeatable_and_put_back():
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002 - the global state is what is tested
    expected = random.random(), np.random.rand()  # noqa: NPY002 - the global state is what is tested
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002 - the global state is what is tested
    inside = []
    for _ in range(2):
        with seeded_globals(stream(0, "x")):
            inside.append((random.random(), np.random.rand()))  # noqa: NPY002 - the global state is what is tested
    assert inside[0] == inside[1]
    assert (random.random(), np.random.rand()) == expected  # noqa: NPY002 - the global state is what is tested
