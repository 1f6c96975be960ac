"""Dates as days: layouts, orders of day and month, and what is no date."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from privbench.datasets.dates import check_format, days_of, days_of_texts, looks_like_dates
from privbench.errors import InputError


def day(*date):
    return (dt.date(*date) - dt.date(1970, 1, 1)).days


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("1970-01-01", 0),
        ("2020-02-29", day(2020, 2, 29)),
        ("2020/2/9", day(2020, 2, 9)),
        ("31.12.1899", day(1899, 12, 31)),
        ("9999-12-31", day(9999, 12, 31)),
        ("12/31/68", day(2068, 12, 31)),
        ("12/31/69", day(1969, 12, 31)),
        ("1970-01-02T06:00:00Z", 1.25),
        ("1970-01-02 18:00:36.5+02:00", 1.75 + 36.5 / 86_400),
        ("01/13/1970 12:30 AM", 12 + 0.5 / 24),
        ("01/13/1970 12:30 PM", 12 + 12.5 / 24),
        ("01/13/1970 11:30 pm", 12 + 23.5 / 24),
        ("30.02.2020", np.nan),
        ("2021-02-29", np.nan),
        ("unknown", np.nan),
    ],
)
def test_a_text_is_days(text, days):
    (read,), order = days_of_texts([[text]], None)
    np.testing.assert_allclose(read, [days], rtol=0, atol=1e-9)
    assert not order


def test_every_day_of_four_centuries_agrees_with_python():
    dates = [
        dt.date.fromordinal(n) for n in range(dt.date(1699, 12, 30).toordinal(), dt.date(2101, 1, 3).toordinal(), 7)
    ]
    (read,), _ = days_of_texts([[f"{date:%d.%m.%Y}" for date in dates]], None)
    assert read.tolist() == [day(date.year, date.month, date.day) for date in dates]


def test_all_files_together_decide_whether_the_day_comes_first():
    files = [["03/04/2020", "01/02/2020"], ["13/01/2020"]]
    (first, second), order = days_of_texts(files, None)
    assert first.tolist() == [day(2020, 4, 3), day(2020, 2, 1)]
    assert second.tolist() == [day(2020, 1, 13)]
    assert not order
    assert days_of_texts([["03/13/2020", "01/02/2020"]], None)[0][0].tolist() == [day(2020, 3, 13), day(2020, 1, 2)]


@pytest.mark.parametrize(
    ("texts", "order", "first"),
    [
        (["03/04/2020"], "month first", day(2020, 3, 4)),
        (["03.04.2020"], "day first", day(2020, 4, 3)),
        (["13/13/2020"], "month first", np.nan),
        (["03.04.2020", "13.01.2020", "01.13.2020"], "day first", day(2020, 4, 3)),
    ],
)
def test_an_open_order_is_said(texts, order, first):
    (read,), said = days_of_texts([texts], None)
    assert said == order
    np.testing.assert_array_equal(read[0], first)


def test_a_layout_overrides_and_is_strict():
    (read,), order = days_of_texts([["03/04/2020", "04.05.2020", "31/12/2020"]], "%d/%m/%Y")
    np.testing.assert_array_equal(read, [day(2020, 4, 3), np.nan, day(2020, 12, 31)])
    assert not order


@pytest.mark.parametrize(
    "moments",
    [
        [dt.date(2020, 1, 31), None],
        [dt.datetime(2020, 1, 31), None],
        [dt.datetime(2020, 1, 31, tzinfo=dt.timezone(dt.timedelta(hours=5))), None],
        pd.Series(pd.to_datetime(["2020-01-31", None])),
        pd.Series(pd.to_datetime(["2020-01-31", None])).dt.tz_localize("Asia/Tokyo"),
        pd.Series(np.array(["2020-01-31", "NaT"], dtype="datetime64[s]")),
    ],
)
def test_dates_of_all_types(moments):
    np.testing.assert_array_equal(days_of(moments), [day(2020, 1, 31), np.nan])


def test_which_texts_look_like_dates():
    days = [f"2020-01-{n:02}" for n in range(1, 29)]
    assert looks_like_dates([*days, "unknown", "never"], None)
    assert not looks_like_dates([*days[:5], "unknown", "never"], None)
    assert not looks_like_dates(["1.2.10", "1.2.11"], None)
    assert not looks_like_dates([], None)
    assert looks_like_dates(["3 May 2020", "4 May 2020"], "%d %B %Y")
    assert not looks_like_dates(["3 May 2020", "4 May 2020"], "%Y-%m-%d")


def test_layouts_are_checked():
    check_format("%d.%m.%Y")
    for bad in ("", "d.m.Y", "%Q", "%"):
        with pytest.raises(InputError, match=r"is no layout of dates; allowed: one such as '%d\.%m\.%Y'"):
            check_format(bad)
