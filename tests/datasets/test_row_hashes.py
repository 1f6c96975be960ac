"""Hashes of whole records: equal however records are written, different for different ones, and of all columns."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from privbench.datasets.alike import read_alike


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ([1, 2, 3], [1.0, 2.0, 3.0]),
        (["1", "b", "2"], ["1.0", "b ", "2"]),
        ([True, False, None], ["true", "0", None]),
        ([0.1 + 0.2, -0.0, np.nan], [0.3, 0.0, None]),
        ([np.float64(0.1), 0.7, 12345.678], np.float32([0.1, 0.7, 12345.678])),
        (["2020-01-31", "2020-02-01", ""], [dt.date(2020, 1, 31), dt.date(2020, 2, 1), None]),
    ],
)
def test_equal_rows_have_equal_hashes_however_written(left, right):
    frame, other = pd.DataFrame({"x": left, "y": [1, 2, 3]}), pd.DataFrame({"y": [3, 1, 2]})
    other["x"] = pd.Series(right)[[2, 0, 1]].reset_index(drop=True)
    alike = read_alike(frame, other)
    assert alike.whole["synthetic"].tolist() == alike.whole["training"][[2, 0, 1]].tolist()
    assert len({*alike.whole["training"].tolist()}) == 3


def test_hashes_tell_rows_apart_and_are_the_same_in_every_run():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.integers(0, 50, 20_000), "b": rng.integers(0, 50, 20_000).astype(str)})
    frame["c"] = rng.integers(0, 50, 20_000) / 8
    frame.loc[:9, "a"], frame.loc[:9, "b"] = range(10), [str(value) for value in range(9, -1, -1)]
    whole = read_alike(frame, frame).whole["training"]
    assert len({*whole.tolist()}) == len(frame.drop_duplicates())
    assert whole.dtype == np.uint64
    pd.testing.assert_series_equal(
        pd.Series(whole).duplicated(keep=False), frame.duplicated(keep=False), check_names=False
    )
    again = read_alike(frame, frame.iloc[:2]).whole
    assert again["synthetic"].tolist() == whole[:2].tolist()


def test_hashes_see_what_the_schema_merges_or_leaves_out():
    rng = np.random.default_rng(0)
    towns = [f"town {n}" for n in rng.permutation(np.repeat(np.arange(400), 3))]
    frame = pd.DataFrame({"town": towns, "id": [f"p{n}" for n in range(1200)], "n": rng.integers(0, 9, 1200)})
    other = frame.assign(town=frame["town"].where(frame.index != 5, "elsewhere"))
    other.loc[7, "id"] = "nobody"
    alike = read_alike(frame, other)
    assert alike.train.schema.names == ("town", "n")
    assert np.flatnonzero(alike.whole["training"] != alike.whole["synthetic"]).tolist() == [5, 7]
