"""What a release of altered rows promises beside being a table."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from privbench.errors import ContractError
from privbench.release import AlteredRows, Release, SyntheticTable
from tests.people import people

TRAIN = people(20, 1).records
BLANK = np.arange(20) < 5


def rows(**change) -> AlteredRows:
    given = {"private_records": 20, "altered": ("ill", "wage"), "suppressed": {"ill": BLANK}}
    return AlteredRows(TRAIN, **{**given, **change})


def test_altered_rows_are_a_table_to_every_attack():
    release = rows()
    assert isinstance(release, SyntheticTable)
    assert isinstance(release, Release)
    assert (release.values("ill") == TRAIN["ill"]).all()
    assert (release.features(["age", "ill"]) == TRAIN.features(["age", "ill"])).all()


def test_altered_rows_survive_a_pickle():
    release = rows()
    again = pickle.loads(pickle.dumps(release, protocol=5))
    assert type(again) is AlteredRows
    assert again.table.sha256 == release.table.sha256
    assert (again.private_records, again.claim, again.altered) == (20, None, ("ill", "wage"))
    assert again.suppressed.keys() == {"ill"}
    assert (again.suppressed["ill"] == BLANK).all()


def test_nobody_can_write_into_the_masks():
    mask = BLANK.copy()
    release = rows(suppressed={"ill": mask})
    mask[:] = True
    assert (release.suppressed["ill"] == BLANK).all(), "the release shares the caller's array"
    with pytest.raises(ValueError, match="read-only"):
        release.suppressed["ill"][0] = False
    with pytest.raises(TypeError, match="does not support item assignment"):
        release.suppressed["ill"] = mask


def test_a_marginal_counts_the_cells_that_were_left():
    counts = np.bincount(TRAIN["ill"][5:], minlength=3)
    np.testing.assert_allclose(rows().marginal("ill"), counts / 15)
    np.testing.assert_allclose(rows(suppressed={}).marginal("ill"), TRAIN.marginal("ill"))
    np.testing.assert_allclose(rows(suppressed={"ill": np.ones(20, dtype=bool)}).marginal("ill"), np.full(3, 1 / 3))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"private_records": 21}, "one a private record; got 20 for 21"),
        ({"altered": ("ill", "illness")}, "does not have: illness"),
        ({"suppressed": {"age": BLANK}}, "for an altered column.* for 'age'"),
        ({"suppressed": {"ill": BLANK[1:]}}, r"a mask of 20 booleans.* of shape \(19,\)"),
        ({"suppressed": {"ill": BLANK.astype(int)}}, "booleans for an altered column; got int64"),
    ],
    ids=["number of rows", "unknown column", "column not altered", "length", "no booleans"],
)
def test_what_does_not_fit_the_table_is_refused(change, said):
    with pytest.raises(ContractError, match=said):
        rows(**change)
