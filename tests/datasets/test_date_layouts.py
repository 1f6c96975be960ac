"""The layout of dates that was given, beside those in which the files are written."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from privbench.datasets.alike import AlikeOptions, read_alike
from privbench.errors import InputError


def write_dates(folder, **columns):
    path = folder / f"{len(list(folder.iterdir()))}.csv"
    pd.DataFrame({"n": np.arange(28) % 3, **columns}).to_csv(path, index=False)
    return path


ISO = [f"2020-05-{n:02}" for n in range(1, 29)]
GERMAN = [f"{n:02}.05.2020" for n in range(1, 29)]
AMERICAN = [f"5/{n}/2020 12:30" for n in range(1, 29)]


@pytest.mark.parametrize(
    ("cells", "layout", "fits", "value"),
    [
        (ISO, "%d.%m.%Y", "%Y-%m-%d", "2020-05-01"),
        (GERMAN, "%Y-%m-%d", "%d.%m.%Y", "01.05.2020"),
        (AMERICAN, "%d/%m/%Y", "%m/%d/%Y %H:%M", "5/1/2020 12:30"),
        (["unknown", *GERMAN[:27]], "%d/%m/%Y", "%d.%m.%Y", "01.05.2020"),
    ],
)
def test_a_layout_that_no_column_of_a_file_has_is_refused_with_the_one_that_fits(tmp_path, cells, layout, fits, value):
    path = write_dates(tmp_path, day=cells)
    good = pd.DataFrame({"n": [1, 2], "day": [dt.datetime(2020, 5, 1).strftime(layout)] * 2})
    with pytest.raises(InputError) as caught:
        read_alike(good, path, options=AlikeOptions(dates=layout))
    said = str(caught.value)
    assert said.startswith(f"{path}, column 'day': value {value!r} is not written as dates = {layout!r}")
    assert f"pass --dates {fits!r}" in said
    read_alike(path, path, options=AlikeOptions(dates=fits))
    listed = read_alike(path, path, options=AlikeOptions(dates=layout, categorical=("day",)))
    assert [one.name for one in listed.identifiers] == ["day"]  # as text


def test_a_layout_that_one_column_has_leaves_the_others_as_they_are(tmp_path):
    path = write_dates(tmp_path, born=GERMAN, came=ISO, name=["a", "b"] * 14)
    alike = read_alike(path, path, options=AlikeOptions(dates="%d.%m.%Y"))
    assert any("'born': dates, read as days" in note for note in alike.notes)
    notes = [note for note in alike.notes if "looks like dates" in note]
    expected = "column 'came': looks like dates written as '%Y-%m-%d', not as '%d.%m.%Y'; read as text."
    assert notes == [f"training file: {expected}", f"synthetic file: {expected}"]
    # a file without any dates has nothing to fit
    plain = write_dates(tmp_path, born=["a", "b"] * 14)
    assert "born" in read_alike(plain, plain, options=AlikeOptions(dates="%d.%m.%Y")).train.schema
