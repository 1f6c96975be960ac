"""Junction trees and the model on them, against enumeration of the whole joint distribution."""

from __future__ import annotations

from itertools import combinations
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defenses.synthetic.aim import _that_fit
from defenses.synthetic.graphical_model import Measurement, fit, total_of
from defenses.synthetic.junction_tree import JunctionTree
from privbench.rng import stream

SIZES = (3, 4, 2, 5, 3)
STRUCTURES = [
    [(0, 1), (1, 2), (2, 3), (3, 4)],  # a chain
    [(0, 1), (1, 2), (2, 3), (0, 3), (3, 4)],  # a circle
    [(0, 1), (2, 3), (4,)],  # three parts
    [(0, 1, 2), (2, 3, 4), (1, 4)],
    [(0,), (1,), (2,), (3,), (4,)],
]
groups = st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=3, unique=True), max_size=10)


def marginal(joint, columns):
    return joint.sum(axis=tuple(axis for axis in range(joint.ndim) if axis not in columns))


def measured(joint, structure, *, sigma=1.0, total=1000):
    return [Measurement(columns, marginal(joint, columns) * total, sigma) for columns in structure]


def joint_of(model):
    """Enumerate the whole distribution from the potentials."""
    logs = np.zeros(SIZES)
    for columns, potential in model.potentials.items():
        logs = logs + potential.reshape([SIZES[c] if c in columns else 1 for c in range(len(SIZES))])
    weights = np.exp(logs - logs.max())
    return weights / weights.sum()


def random_joint(seed=0):
    weights = stream(seed, "joint").random(SIZES) ** 3
    return weights / weights.sum()


@given(groups)
def test_a_tree_holds_every_group_and_keeps_its_separators(wanted):
    sizes = (2, 3, 4, 2, 5, 3, 2)
    tree = JunctionTree.build(wanted, sizes)
    assert all(tree.home(group) is not None for group in wanted)
    assert {column for clique in tree.cliques for column in clique} == set(range(7))
    occurring = {column for group in wanted for column in group}
    held = [clique for clique in tree.cliques if occurring & set(clique)]
    assert JunctionTree.cells(wanted, sizes) == sum(prod(sizes[c] for c in clique) for clique in held)
    before: set[int] = set()
    for clique, parent, separator in zip(tree.cliques, tree.parents, tree.separators, strict=True):
        # running intersection: what a clique has in common with all before it stands in its parent
        assert set(separator) == set(clique) & before
        assert parent == -1 or set(separator) <= set(tree.cliques[parent])
        before |= set(clique)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_marginals_are_those_of_the_whole_distribution(structure):
    model = fit(measured(random_joint(), structure), SIZES, total=1000, steps=50)
    joint = joint_of(model)
    for size in (1, 2, 3):
        for columns in combinations(range(5), size):
            np.testing.assert_allclose(model.marginal(columns), marginal(joint, columns), atol=1e-10)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_exact_measurements_are_met(structure):
    joint = random_joint()
    model = fit(measured(joint, structure, sigma=0.01), SIZES, total=1000, steps=2000)
    for columns in structure:
        np.testing.assert_allclose(model.marginal(columns), marginal(joint, columns), atol=1e-4)


def test_what_was_not_measured_is_independent():
    joint = random_joint()
    model = fit(
        measured(joint, [(0, 1), (1, 2)], sigma=0.001) + measured(joint, [(3,), (4,)]), SIZES, total=1000, steps=2000
    )
    three = model.marginal((0, 1, 2))
    given_middle = three.sum(axis=2)[:, :, None] * three.sum(axis=0)[None] / three.sum(axis=(0, 2))[None, :, None]
    np.testing.assert_allclose(three, given_middle, atol=1e-12)
    np.testing.assert_allclose(model.marginal((2, 3)), np.outer(model.marginal((2,)), model.marginal((3,))), atol=1e-12)


def test_a_precise_measurement_outweighs_a_noisy_one_and_equal_ones_are_averaged():
    def shares(first, second, sigma):
        measurements = [
            Measurement((0,), np.array([first, 100 - first]), 1.0),
            Measurement((0,), np.array([second, 100 - second]), sigma),
        ]
        return fit(measurements, (2,), total=100, steps=2000).marginal((0,))[0]

    assert shares(30.0, 60.0, 1.0) == pytest.approx(0.45, abs=0.005)
    assert shares(30.0, 60.0, 0.1) == pytest.approx(0.6, abs=0.01)


def test_impossible_counts_give_a_distribution_all_the_same():
    model = fit([Measurement((0, 1), np.array([[-50.0, 160.0], [-20.0, 10.0]]), 1.0)], (2, 2), total=100, steps=500)
    shares = model.marginal((0, 1))
    assert shares.sum() == pytest.approx(1)
    assert shares[0, 1] > 0.95


def test_the_total_is_weighted_by_noise():
    assert total_of([Measurement((0,), np.array([40.0, 60.0]), 1.0)]) == 100
    assert total_of(
        [Measurement((0,), np.full(4, 50.0), 1e6), Measurement((1,), np.array([100.0]), 1.0)]
    ) == pytest.approx(100)
    assert total_of([Measurement((0,), np.array([-40.0]), 1.0)]) == 1


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_rows_have_the_models_marginals(seed):
    model = fit(measured(random_joint(seed), STRUCTURES[1]), SIZES, total=1000, steps=30)
    codes = model.sample(20_000, rng=stream(seed, "sample"))
    assert codes.shape == (5, 20_000)
    for columns in combinations(range(5), 2):
        seen = np.zeros([SIZES[c] for c in columns])
        np.add.at(seen, tuple(codes[list(columns)]), 1 / 20_000)
        assert np.abs(seen - model.marginal(columns)).max() < 5 * 0.5 / np.sqrt(20_000)


@given(
    groups,
    st.lists(st.integers(0, 6), min_size=1, max_size=3, unique=True).map(sorted).map(tuple),
    st.sampled_from([-1, 0]),
)
def test_what_fits_is_what_the_whole_tree_says(wanted, candidate, spare):
    sizes = (2, 3, 4, 2, 5, 3, 2)
    measured_groups = [*((column,) for column in range(7)), *(tuple(sorted(group)) for group in wanted)]
    measurements = [Measurement(group, np.zeros([sizes[c] for c in group]), 1.0) for group in measured_groups]
    tree = JunctionTree.build(measured_groups, sizes)
    whole = JunctionTree.cells([*measured_groups, candidate], sizes)
    room = whole + spare
    allowed = tree.home(candidate) is not None or whole <= room
    assert (_that_fit({candidate: 1.0}, measurements, sizes, room) == [candidate]) == allowed
