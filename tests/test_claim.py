"""Claims: conversion between adjacencies, composition, range."""

from __future__ import annotations

import math

import pytest

from privbench.claim import Adjacency, Claim
from privbench.errors import ContractError


def test_add_remove_is_used_twice_for_an_exchange():
    claim = Claim(1.0, 1e-6, Adjacency.ADD_REMOVE).as_replace_one()
    assert claim.epsilon == 2
    assert claim.delta == pytest.approx((1 + math.e) * 1e-6)
    assert claim.adjacency is Adjacency.REPLACE_ONE


@pytest.mark.parametrize("adjacency", [Adjacency.REPLACE_ONE, Adjacency.LOCAL])
def test_an_exchange_stays_what_it_is(adjacency):
    claim = Claim(1.0, 0.0, adjacency)
    assert claim.as_replace_one() is claim


def test_budgets_add_up_exactly():
    parts = [Claim(0.1, 1e-7, Adjacency.LOCAL, ("a",))] * 10
    whole = Claim.compose(parts)
    assert whole.epsilon == 1.0
    assert whole.delta == pytest.approx(1e-6)
    assert whole.assumes == ("a",)


def test_mixed_adjacencies_do_not_compose():
    with pytest.raises(ContractError, match="one adjacency"):
        Claim.compose([Claim(1, 0, Adjacency.LOCAL), Claim(1, 0, Adjacency.ADD_REMOVE)])


@pytest.mark.parametrize(("epsilon", "delta"), [(0, 0), (-1, 0), (math.inf, 0), (1, 1), (1, -0.1), (math.nan, 0)])
def test_a_claim_out_of_range_is_refused(epsilon, delta):
    with pytest.raises(ContractError, match="epsilon > 0"):
        Claim(epsilon, delta, Adjacency.LOCAL)


def test_an_adjacency_may_be_a_plain_text():
    assert Claim(1.0, 0.0, "add-remove").as_replace_one().epsilon == 2
    with pytest.raises(ContractError, match=r"allowed: .*add-remove"):
        Claim(1.0, 0.0, "add_remove")
