"""Solvers of linear reconstruction: sums, projections, and solutions known by other means."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from attacks.absolute_fit import absolute, exact
from attacks.group_sums import Sums, project
from attacks.squares_fit import squares, whole
from privbench.rng import stream
from privbench.simplex import nearest_distribution
from tests.attacks.identified import even


def equations(records: int, groupings: int, size: int, values: int, noise: float, seed: int = 0):
    """Return random equations, their answers, and the secrets that solve them but for the noise."""
    rng = stream(seed, "equations")
    groups = np.array([rng.integers(size, size=records) + size * j for j in range(groupings)], dtype=np.int32)
    sums = Sums(groups, size * groupings)
    truth = np.eye(values)[rng.integers(values, size=records)]
    return sums, sums.over(truth) + noise * rng.standard_normal((sums.number, values)), truth


def test_sums_are_those_of_the_matrix():
    sums, _, truth = equations(30, 4, 5, 3, 0)
    dense = np.zeros((20, 30))
    for row in sums.groups:
        dense[row, np.arange(30)] = 1
    np.testing.assert_array_equal(sums.matrix.toarray(), dense)
    np.testing.assert_allclose(sums.over(truth), dense @ truth)
    y = stream(0).standard_normal((20, 2))
    np.testing.assert_allclose(sums.back(y), dense.T @ y)
    np.testing.assert_array_equal(sums.records, dense.sum(axis=1))


def test_projection_is_the_nearest_distribution():
    x = stream(0).normal(0, 2, size=(50, 6))
    np.testing.assert_allclose(project(x), [nearest_distribution(row) for row in x], atol=1e-12)


@pytest.mark.parametrize("values", [2, 3])
def test_exact_solution_is_the_best_of_all(values):
    """Compare with every whole assignment of five records, and with the first-order method."""
    sums, answers, _ = equations(5, 3, 3, values, 0.4, seed=values)
    weights = stream(values).uniform(0.5, 2, size=answers.shape)

    def loss(x):
        return float((weights * np.abs(sums.over(x) - answers)).sum())

    best = exact(sums, answers, weights)
    np.testing.assert_allclose(best.sum(axis=1), 1)
    every = [np.eye(values)[list(given)] for given in product(range(values), repeat=5)]
    assert loss(best) <= min(map(loss, every)) + 1e-6
    mixed = stream(1).dirichlet(np.ones(values), size=(500, 5))
    assert loss(best) <= min(map(loss, mixed)) + 1e-6
    assert loss(absolute(sums, answers, weights, start=even(values), steps=5000)) <= loss(best) * 1.001


@pytest.mark.parametrize(("values", "noise"), [(2, 0.0), (2, 0.7), (4, 0.7)])
def test_first_order_steps_come_near_the_linear_programme(values, noise):
    sums, answers, _ = equations(150, 12, 20, values, noise)
    weights = stream(3).uniform(0, 2, size=answers.shape) * (stream(4).random(answers.shape) > 0.1)
    found = [
        float((weights * np.abs(sums.over(x) - answers)).sum())
        for x in (exact(sums, answers, weights), absolute(sums, answers, weights, start=even(values)))
    ]
    assert found[0] - 1e-6 <= found[1] <= 1.02 * found[0] + 1e-3 * sums.number


def test_squares_of_two_values_are_least_squares_in_a_box():
    sums, answers, _ = equations(60, 6, 8, 2, 0.5)
    weights = stream(5).uniform(0.1, 2, size=answers.shape)
    pull, start = 0.3, np.array([0.3, 0.7])
    matrix = sums.matrix.toarray().astype(float)
    root = np.sqrt(weights)
    # x_0 = 1 - x_1 in the first half
    left = np.vstack([root[:, :1] * matrix, root[:, 1:] * matrix, math.sqrt(pull) * np.eye(60)])
    zero = root[:, 0] * (sums.records - answers[:, 0])
    right = np.concatenate([zero, root[:, 1] * answers[:, 1], np.full(60, math.sqrt(pull) * start[1])])
    expected = lsq_linear(left, right, bounds=(0, 1), tol=1e-12).x
    x = squares(sums, answers, weights, start=start, pull=pull, steps=3000)
    np.testing.assert_allclose(x[:, 1], expected, atol=5e-3)
    np.testing.assert_allclose(x.sum(axis=1), 1)


def test_squares_of_many_values_cannot_be_bettered_by_a_step():
    sums, answers, _ = equations(60, 6, 8, 4, 0.5)
    x = squares(sums, answers, np.ones_like(answers), start=even(4), pull=0.3, steps=5000)
    slope = sums.back(sums.over(x) - answers) + 0.3 * (x - 0.25)
    # at the least value every probability stands where the slope is as small as any of the record's
    assert ((slope - slope.min(axis=1, keepdims=True)) * x).max() < 0.02
    np.testing.assert_allclose(x.sum(axis=1), 1)


@pytest.mark.parametrize("values", [2, 4])
def test_without_noise_every_solver_finds_the_truth(values):
    sums, answers, truth = equations(100, 40, 25, values, 0)
    ones, start = np.ones_like(answers), even(values)
    for x in (
        exact(sums, answers, ones),
        absolute(sums, answers, ones, start=start, steps=3000),
        squares(sums, answers, ones, start=start, steps=2000),
        whole(sums, answers, ones, start=start),
    ):
        assert (x.argmax(axis=1) == truth.argmax(axis=1)).all()


@pytest.mark.parametrize(("values", "groupings", "size", "noise"), [(2, 12, 20, 0.8), (3, 10, 13, 0.5)])
def test_that_every_record_has_one_value_settles_what_noise_leaves_open(values, groupings, size, noise):
    wrong = {squares: 0, whole: 0}
    for seed in range(10):
        sums, answers, truth = equations(200, groupings, size, values, noise, seed=seed)
        for solver in wrong:
            x = solver(sums, answers, np.ones_like(answers), start=even(values))
            np.testing.assert_allclose(x.sum(axis=1), 1)
            assert x.min() >= 0
            wrong[solver] += int((x.argmax(axis=1) != truth.argmax(axis=1)).sum())
    assert wrong[whole] < 0.75 * wrong[squares]
