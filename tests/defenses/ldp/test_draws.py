"""Coins, wheels, packed bits and the hash, exactly where that is possible."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import binom, chi2, norm

from defenses.ldp import packed
from defenses.ldp.cells import cells_of, in_cell
from defenses.ldp.draws import WIDEST, coins, parts
from privbench.rng import stream


class Given:
    """A generator whose words and uniform numbers are given beforehand."""

    def __init__(self, *words, uniform=0.0):
        self.words, self.uniform = list(words), uniform

    def integers(self, low, high, *, size, dtype, endpoint):
        assert (low, high, dtype, endpoint) == (0, 2**64 - 1, np.uint64, True)
        return np.resize(self.words.pop(0), size)

    def random(self, size):
        return np.full(size, self.uniform)


EVERY_DIGIT = np.arange(65536, dtype=np.uint16).view(np.uint64)


@pytest.mark.parametrize("probability", [0.0, 1.0, 0.5, 1 / 3, 2.0**-40, 1 - 2.0**-53, math.exp(-50)])
def test_coins_compare_every_digit(probability):
    for second in (0, 1, 30_000, 65_535):
        zeros = [np.zeros(1, dtype=np.uint64)] * 6
        rng = Given(EVERY_DIGIT, np.full(4, second, dtype=np.uint16).view(np.uint64), *zeros)
        # numbers of two digits and zeros after them: floats hold them exactly
        uniform = (np.arange(65536) + second / 65536) / 65536
        np.testing.assert_array_equal(coins(65536, probability, rng=rng), uniform < probability)


@pytest.mark.parametrize("width", [1, 1.0001, 2, 3, math.e + 9, 99, 100.5, 255.9, 256, 1000.25, WIDEST - 0.5, WIDEST])
@pytest.mark.parametrize("uniform", [0.0, 0.5, 1 - 2.0**-53])
def test_parts_of_a_wheel_are_right_for_every_draw(width, uniform):
    part = parts(65536, width, rng=Given(EVERY_DIGIT, uniform=uniform))
    exact = (np.arange(65536) + uniform) * (width / 65536)
    # the further bits are used only where they matter: the part is that of any number that begins with these 16 bits
    np.testing.assert_array_equal(part, np.minimum(np.floor(exact), math.ceil(width) - 1))


@pytest.mark.parametrize("probability", [0.0, 1.0, 0.5, 0.2689414213699951, 1 / 3, 1e-4, 0.999, 2.0**-12])
def test_bernoulli_bits_have_their_probability_at_every_place(probability):
    rng, rows, size = stream(0, "bernoulli", str(probability)), 40_000, 19
    bits = packed.bernoulli_rows(rows, size, probability, rng=rng)
    assert bits.shape == (rows, 3)
    assert not (bits[:, -1] & 0b00011111).any()
    wide = packed.unpacked(bits, size=size)
    error = math.sqrt(probability * (1 - probability) / rows)
    assert np.abs(wide.mean(axis=0) - probability).max() <= norm.isf(norm.sf(4) / size) * error
    if error:
        together = np.cov(wide.T.astype(float))[np.triu_indices(size, 1)] / (error**2 * rows)
        assert np.abs(together).max() <= norm.isf(norm.sf(4) / len(together)) / math.sqrt(rows) + 1e-3


def test_bernoulli_bits_are_settled_by_the_first_digit_that_differs():
    probability = 0b10110111_0110 / 2**12
    digits = [int(digit) for digit in f"{0b10110111_0110:012b}"]
    # every bit agrees with the probability on the first `same` digits, then differs
    for same, differs in itertools.product(range(12), (0, 1)):
        if digits[same] == differs:
            continue
        words = [digit * np.full(1, 2**64 - 1, dtype=np.uint64) for digit in (*digits[:same], differs, *[1] * 12)]
        bits = packed.bernoulli_rows(8, 8, probability, rng=Given(*words))
        assert (bits == (255 if differs < digits[same] else 0)).all()


@pytest.mark.parametrize("rows", [0, 1, 254, 255, 256, 20_000])
@pytest.mark.parametrize("size", [1, 8, 13, 300])
def test_column_sums_count_every_row(rows, size):
    wide = stream(1, "sums").random((rows, size)) < 0.7
    np.testing.assert_array_equal(packed.column_sums(np.packbits(wide, axis=1), size=size), wide.sum(axis=0))
    full = np.ones((rows, size), dtype=bool)
    np.testing.assert_array_equal(packed.column_sums(np.packbits(full, axis=1), size=size), full.sum(axis=0))


def test_one_bit_a_row_is_changed():
    rng = stream(2, "set")
    wide = rng.random((500, 21)) < 0.5
    rows, places, to = np.packbits(wide, axis=1), rng.integers(0, 21, size=500), rng.random(500) < 0.5
    packed.set_bits(rows, places, to)
    wide[np.arange(500), places] = to
    np.testing.assert_array_equal(packed.unpacked(rows, size=21), wide)
    np.testing.assert_array_equal(packed.row_sums(rows), wide.sum(axis=1))


# the hash


@pytest.mark.parametrize("cells", [2, 3, 4, 149, 22_027, 1 << 24])
def test_a_cell_is_recognised_by_its_bounds(cells):
    rng = stream(3, "bounds")
    seeds, values = rng.integers(0, 2**32, size=5000, dtype=np.uint32), rng.integers(0, 7, size=5000)
    every = np.array([cells_of(seeds, np.full(5000, value), cells=cells) for value in range(7)])
    own = cells_of(seeds, values, cells=cells)
    assert own.max() < cells
    inside = np.array([one.copy() for one in in_cell(seeds, own, size=7, cells=cells)])
    np.testing.assert_array_equal(inside, every == own)
    assert inside[values, np.arange(5000)].all()


def collisions(values, cells, seeds):
    """Return how often each two of the values share a cell."""
    at = [cells_of(seeds, np.full(len(seeds), value), cells=cells) for value in values]
    return np.array([np.count_nonzero(a == b) for a, b in itertools.combinations(at, 2)])


@pytest.mark.parametrize("cells", [2, 4, 149])
@pytest.mark.parametrize("values", [(0, 1, 2, 3), (7, 8, 1000, 65_536)])
def test_values_collide_as_often_as_independent_ones(values, cells):
    seeds = stream(4, "collisions").integers(0, 2**32, size=1_000_000, dtype=np.uint32)
    rates = collisions(values, cells, seeds) / len(seeds)
    error = math.sqrt((1 - 1 / cells) / cells / len(seeds))
    assert np.abs(rates - 1 / cells).max() <= norm.isf(norm.sf(4) / len(rates)) * error


@pytest.mark.slow
@pytest.mark.parametrize("cells", [2, 4])
def test_values_collide_within_a_ten_thousandth_of_one_in_g(cells):
    step, steps, values = 1 << 20, 1 << 8, (0, 1, 2, 50)
    total = sum(
        collisions(values, cells, np.arange(at * step, (at + 1) * step, dtype=np.uint32)) for at in range(steps)
    )
    # the standard error of so many seeds is 3e-5 for two cells
    assert np.abs(total / (step * steps) - 1 / cells).max() <= 1e-4


@pytest.mark.parametrize(("size", "cells"), [(100, 2), (100, 4), (400, 149)])
def test_as_many_values_share_a_cell_as_if_drawn_independently(size, cells):
    seeds = stream(5, "shared").integers(0, 2**32, size=100_000, dtype=np.uint32)
    own = cells_of(seeds, np.zeros(len(seeds), dtype=int), cells=cells)
    shared = sum(inside.astype(int) for inside in in_cell(seeds, own, size=size, cells=cells)) - 1
    expected = binom.pmf(np.arange(size), size - 1, 1 / cells) * len(seeds)
    seen, often = np.bincount(shared, minlength=size), expected > 10
    seen, expected = (np.append(one[often], one[~often].sum()) for one in (seen, expected))
    assert ((seen - expected) ** 2 / expected).sum() < chi2.isf(norm.sf(4), len(seen) - 1)
