"""Every output of a protocol at small k with its probability under each value, from the protocol's definition alone."""

from __future__ import annotations

import itertools
import math

import numpy as np

from defenses.ldp.grr import Grr
from defenses.ldp.local_hashing import Blh, LocalHashing, Olh
from defenses.ldp.subset_selection import SubsetSelection
from defenses.ldp.unary import Oue, Sue, The, UnaryEncoding

PROTOCOLS = (Grr, Sue, Oue, The, SubsetSelection, Blh, Olh)


def channel(oracle):
    """Return P[output | value], ``(k, outputs)``, and the values that each output supports, ``(outputs, k)``."""
    k, odds = oracle.size, math.exp(oracle.epsilon)
    if isinstance(oracle, Grr):
        return (np.ones((k, k)) + (odds - 1) * np.eye(k)) / (odds + k - 1), np.eye(k, dtype=bool)
    sets = np.array(list(itertools.product([False, True], repeat=k)))
    if isinstance(oracle, UnaryEncoding):
        return np.stack([bits(oracle, value, sets) for value in range(k)]), sets
    if isinstance(oracle, SubsetSelection):
        sets = sets[sets.sum(axis=1) == oracle.width]
        weight = np.where(sets.T, odds, 1.0)
        return weight / weight.sum(axis=1, keepdims=True), sets
    assert isinstance(oracle, LocalHashing)
    # every function from values to cells is as likely a hash as any other
    g = oracle.cells
    hashes = np.array(list(itertools.product(range(g), repeat=k)))
    sets = np.concatenate([hashes == cell for cell in range(g)])
    told = np.where(sets.T, odds, 1.0) / (odds + g - 1)
    return told / len(hashes), sets


def bits(oracle, value, sets):
    """Return the probability of each set of bits under one value; under the zero vector for None."""
    true = np.arange(oracle.size) == value
    one = np.where(true, oracle.p, oracle.q)
    return np.where(sets, one, 1 - one).prod(axis=1)


def as_reports(oracle, sets):
    """Return outputs in the protocol's own form; local hashing has none but its own draws."""
    if isinstance(oracle, Grr):
        return np.argmax(sets, axis=1).astype(np.uint8)
    return np.packbits(sets, axis=1)
