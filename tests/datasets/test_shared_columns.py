"""Columns that one of the files lacks or spells otherwise: they are named, and the rest is audited."""

import numpy as np
import pandas as pd
import pytest

from privbench.datasets.alike import read_alike
from privbench.errors import InputError


def test_extra_and_missing_columns_are_named_and_the_rest_is_audited():
    train = pd.DataFrame({"x": [1, 2], "y": [1, 2], "z": [1, 2]})
    alike = read_alike(train, train[["x", "y"]].assign(new=1), train[["x", "z"]][::-1].assign(x=[5, 6]))
    assert alike.train.schema.names == ("x",)
    for note in (
        "column 'y': in the training and synthetic files, but not in the control file; left out.",
        "column 'z': in the training and control files, but not in the synthetic file; left out.",
        "column 'new': in the synthetic file, but not in the training and control files; left out.",
    ):
        assert note in alike.notes


@pytest.mark.parametrize(
    ("train", "synthetic", "control", "loud"),
    [
        ("xy", "xy", "xy", []),
        ("xyz", "xyz", "xy", ["'z' is not in the control file; it was not asked."]),
        ("xyz", "xy", "xy", ["'z' is not in the synthetic file nor in the control file; it was not asked."]),
        ("xy", "xyz", "xy", ["'z' is not in the training file nor in the control file; it was not asked."]),
        ("xy", "xy", "xyz", []),  # a note is enough
        (
            ["x", "alter"],
            ["x", "alter"],
            ["x", "alter_"],
            [
                "'alter' is not in the control file, which has 'alter_'; it was not asked; name it alike in all files "
                "and audit again."
            ],
        ),
        (
            ["x", "Alter"],
            ["x", "alter"],
            ["x", "alters", "after"],
            [
                "'Alter' is not in the synthetic file, which has 'alter', nor in the control file, which has 'alters'; "
                "it was not asked; name it alike in all files and audit again."
            ],
        ),
        # a name that all files have is nobody's misspelling
        (["x", "date1", "date2"], ["x", "date1"], ["x", "date1"],
         ["'date2' is not in the synthetic file nor in the control file; it was not asked."]),
    ],
)  # fmt: skip
def test_columns_that_a_file_lacks_are_said_aloud_with_the_nearest_spelling(train, synthetic, control, loud):
    files = [
        pd.DataFrame({name: np.arange(12) % (3 + place) for name in names})
        for place, names in enumerate((train, synthetic, control))
    ]
    alike = read_alike(*files)
    assert alike.loud == tuple(f"column {sentence}" for sentence in loud)
    assert not alike.apart
    assert all(name in alike.train.schema for name in {*train} & {*synthetic} & {*control})


def test_files_without_a_column_in_common_are_refused():
    with pytest.raises(InputError, match="the training DataFrame: shares no column with the synthetic DataFrame"):
        read_alike(pd.DataFrame({"x": [1, 2]}), pd.DataFrame({"y": [1, 2]}))
    ids = pd.DataFrame({"x": [f"p{n}" for n in range(30)]})
    with pytest.raises(InputError, match=r"no column that all share can be audited.*\(x\)"):
        read_alike(ids, ids)
