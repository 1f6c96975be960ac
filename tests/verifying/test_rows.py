"""The rows of tested claims: bound and claim are of the same neighbours."""

from __future__ import annotations

import json
import math

import numpy as np

from privbench.claim import Adjacency, Claim
from privbench.dataset import Dataset
from privbench.table import Table
from privbench.verifying.rows import rows_of
from privbench.verifying.verification import Test as Found
from tests.verifying.mechanisms import SMALL

TABLE = Table(SMALL, {"sex": np.array([0, 1])})


def test_a_row_has_the_claim_in_the_sense_of_its_bound():
    tests = [
        Found("many-runs", 0.4, 0.475, 600, 1.0, "x", claimed=1.0, adjacency="replace-one"),
        Found("many-runs", 0.4, 0.3, 600, 1.0, "x", claimed=0.5, adjacency="add-remove"),
    ]
    claim = Claim(0.5, 1e-3, Adjacency.ADD_REMOVE)
    frame = rows_of(tests, claim, Dataset("two", TABLE, TABLE), defense="mine", params={"f": len}, seed=3)
    assert list(frame["metric"]) == ["epsilon_lower_bound", "claim_p_value"] * 2
    assert frame["value"].tolist() == [0.475, 0.4, 0.3, 0.4]
    assert frame["epsilon"].tolist() == [1.0, 1.0, 0.5, 0.5]
    assert frame["delta"].tolist() == [(1 + math.exp(0.5)) * 1e-3] * 2 + [1e-3] * 2
    assert [json.loads(one)["adjacency"] for one in frame["attack_params"]] == ["replace-one"] * 2 + ["add-remove"] * 2
    assert frame["n"].tolist() == [600] * 4
