"""The mixture of independent columns meets the marginals that it is given, pairs and triples."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from defenses.synthetic.coding import count
from defenses.synthetic.marginals import _measured, _side_by_side
from defenses.synthetic.product_mixture import fit_mixture
from privbench.rng import stream

SIZES = (3, 2, 4, 2)


def records(n=3000) -> np.ndarray:
    """Return columns tied in threes: the last is the exclusive or of two others, which no pair shows."""
    rng = stream(0, "records")
    a, c = rng.integers(3, size=n), rng.integers(4, size=n)
    b = rng.integers(2, size=n)
    return np.stack([a, b, np.where(rng.random(n) < 0.5, a, c), b ^ (a > 0)]).astype(np.uint8)


def worst(made, codes, degree) -> float:
    """Return the largest total variation distance of a marginal."""
    return max(
        np.abs(count(made, group, SIZES) / made.shape[1] - count(codes, group, SIZES) / codes.shape[1]).sum() / 2
        for group in combinations(range(4), degree)
    )


def fitted(degree, codes, *, steps=400):
    pairs, triples = _side_by_side(_measured(codes, SIZES, degree, None), SIZES)
    assert (triples is None) == (degree == 2)
    mixture = fit_mixture(pairs, triples, SIZES, components=200, steps=steps, rng=stream(0, "fit"))
    return mixture.sample(20_000, rng=stream(0, "rows"))


@pytest.mark.parametrize("degree", [2, 3])
def test_the_marginals_given_are_met(degree):
    codes = records()
    assert worst(fitted(degree, codes), codes, degree) < 0.03


def test_pairs_do_not_show_what_triples_do():
    codes = records()
    assert worst(fitted(3, codes), codes, 3) < 0.5 * worst(fitted(2, codes), codes, 3)


def test_more_steps_agree_better():
    codes = records()
    assert worst(fitted(2, codes), codes, 2) < 0.5 * worst(fitted(2, codes, steps=3), codes, 2)


def test_side_by_side_holds_every_share_where_it_belongs():
    codes = records(500)
    edges = np.cumsum((0, *SIZES))
    pairs, _ = _side_by_side(_measured(codes, SIZES, 2, None), SIZES)
    _, triples = _side_by_side(_measured(codes, SIZES, 3, None), SIZES)
    assert triples is not None
    for i, j in combinations(range(4), 2):
        np.testing.assert_allclose(
            pairs[edges[j] : edges[j + 1], edges[i] : edges[i + 1]], count(codes, (j, i), SIZES) / 500, rtol=1e-6
        )
    np.testing.assert_allclose(np.diag(pairs)[: SIZES[0]], count(codes, (0,), SIZES) / 500, rtol=1e-6)
    np.testing.assert_allclose(
        triples[2][:, edges[3] : edges[4], edges[0] : edges[1]], count(codes, (2, 3, 0), SIZES) / 500, rtol=1e-6
    )


def test_fewer_rows_than_components_and_one_row():
    mixture = fit_mixture(
        *_side_by_side(_measured(records(), SIZES, 2, None), SIZES), SIZES, components=50, steps=5, rng=stream(0)
    )
    assert mixture.sample(1, rng=stream(0)).shape == (4, 1)
    assert mixture.sample(33, rng=stream(0)).shape == (4, 33)
