"""How rows and people are told to be copies of one another, column by column."""

from __future__ import annotations

import numpy as np
import pytest

from attacks.copying import fit
from attacks.kernels import Profiles
from attacks.ladder import Ladder
from privbench.rng import stream


@pytest.mark.parametrize("columns", [4, 30, 100])
def test_the_share_of_copies_is_found_however_many_columns_there_are(columns):
    """Of each column one value in ten is drawn anew: more ways to agree than 64 bits count must not matter."""
    rng = stream(0, "copies", str(columns))
    rows = rng.integers(8, size=(columns, 300))
    source = rng.integers(300, size=60)
    people = np.where(rng.random((columns, 60)) < 0.1, rng.integers(8, size=(columns, 60)), rows[:, source])
    ladders = [Ladder.of_codes([own, asked]) for own, asked in zip(rows, people, strict=True)]
    found = fit(ladders, (1, np.arange(60)), Profiles.of(ladders, 0, 300))
    kept = np.array([shares[0] for shares in found.shares])
    assert kept.mean() == pytest.approx(0.9, abs=0.04)
    # late columns are as well understood as early ones
    assert kept[: columns // 2].mean() == pytest.approx(kept[columns // 2 :].mean(), abs=0.06)
