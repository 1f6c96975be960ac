"""Rows of bits, eight a byte: drawn at any probability exactly, changed at one place a row, and summed by column.

Row i holds the bits of k values in ceil(k / 8) bytes, the first value in the highest bit of the first byte, as
`numpy.packbits` has it; the bits beyond the k-th are 0.

References
----------
D. Knuth and A. Yao, "The Complexity of Nonuniform Random Number Generation", in Algorithms and Complexity, 1976.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from defenses.ldp.draws import random_words

__all__ = ["bernoulli_rows", "bit_of", "blocks", "column_sums", "row_bytes", "row_sums", "set_bits", "unpacked"]

Bytes = NDArray[np.uint8]

# what is worked on at a time must stay in the processor's cache, and in memory that is used again
_BLOCK = 1 << 18
_ROWS = 1 << 15


def row_bytes(size: int) -> int:
    """Return how many bytes hold the bits of `size` values."""
    return -(-size // 8)


def blocks(rows: int, *, width: int) -> Iterator[slice]:
    """Return slices that cut so many rows of `width` bytes into blocks of bounded size."""
    step = min(_ROWS, max(256, _BLOCK // width))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


def unpacked(rows: Bytes, *, size: int) -> NDArray[np.bool_]:
    """Return rows of bits as booleans, ``(n, size)``."""
    return np.unpackbits(rows, axis=1, count=size).view(np.bool_)


def bernoulli_rows(rows: int, size: int, probability: float, *, rng: np.random.Generator) -> Bytes:
    """Return rows of `size` bits that are 1 with this probability, independently; ``(rows, ceil(size / 8))``.

    A bit is 1 if a uniform number is below the probability. The binary digits of both are compared one by one, 64 bits
    at a time, and no further than to the first that differ: the probability is exact, at about nine random bits each.

    Parameters
    ----------
    rows, size : int
        How many rows, and bits in each.
    probability : float
        In [0, 1].
    """
    width = row_bytes(size)
    bits = _bernoulli_words(-(-rows * width // 8), probability, rng)
    packed = bits.view(np.uint8)[: rows * width].reshape(rows, width)
    if size % 8:
        packed[:, -1] &= np.uint8(0xFF << (8 - size % 8) & 0xFF)
    return packed


def _bernoulli_words(count: int, probability: float, rng: np.random.Generator) -> NDArray[np.uint64]:
    """Return words of independent bits, by rounds of some digits; only words with open bits enter the next round."""
    words = np.zeros(count, dtype=np.uint64)
    places = np.arange(0)
    below, still = words, ~words
    rest, digits = probability, 8
    while rest and still.size:
        for _ in range(digits):
            draw = random_words(still.size, rng=rng)
            rest *= 2
            if rest >= 1:
                rest -= 1
                # an open bit is settled, and 1, where the draw has 0 and the probability 1
                draw &= still
                still ^= draw
                below |= still
                still = draw
            else:
                np.invert(draw, out=draw)
                still &= draw
        if below is not words:
            words[places] = below
        # whether a word is 0 is found faster than where the words are that are not
        left = np.flatnonzero(still != 0)
        places = left if below is words else places[left]
        below, still = words[places], still[left]
        digits = 4
    return words


def bit_of(places: NDArray[np.integer]) -> Bytes:
    """Return each place's bit within its byte."""
    return np.right_shift(np.uint8(128), (places & 7).astype(np.uint8))


def set_bits(rows: Bytes, places: NDArray[np.integer], to: NDArray[np.bool_]) -> None:
    """Set one bit of each row, at a place of its own, to 1 or 0, in place; `rows` must be contiguous."""
    flat, bit = rows.reshape(-1), bit_of(places)
    at = np.arange(0, flat.size, rows.shape[1]) + (places >> 3)
    flat[at] = (flat.take(at) & ~bit) | (bit * to)


def row_sums(rows: Bytes) -> NDArray[np.int32]:
    """Return how many bits each row has set, ``(n,)``."""
    # a product of floats is quicker than a sum of small rows
    return (np.bitwise_count(rows).astype(np.float32) @ np.ones(rows.shape[1], dtype=np.float32)).astype(np.int32)


def column_sums(rows: Bytes, *, size: int) -> NDArray[np.float64]:
    """Return how many rows have each bit set, ``(size,)``, block by block."""
    width = row_bytes(size)
    total = np.zeros(8 * width, dtype=np.int64)
    # 255 rows of bits are what a byte can count; `tall` such rows side by side make a long inner loop
    tall = max(1, (1 << 20) // (255 * 8 * width))
    for start in range(0, len(rows), 255 * tall):
        bits = np.unpackbits(rows[start : start + 255 * tall].reshape(-1)).reshape(-1, 8 * width)
        whole = len(bits) // 255 * 255
        total += bits[:whole].reshape(255, -1, 8 * width).sum(axis=0, dtype=np.uint8).sum(axis=0, dtype=np.int64)
        total += bits[whole:].sum(axis=0, dtype=np.int64)
    return total[:size].astype(np.float64)
