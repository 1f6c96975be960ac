"""One column of several files brought to one sort of values, whatever each of them holds."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from privbench.schema import Kind
from tests.datasets.one_column import cells, read, said


@pytest.mark.parametrize(
    ("train", "synthetic", "values", "read_as", "words"),
    [
        ([1, 2, 1], [1.0, 2.0, 2.0], (1, 2), [1, 2, 2], ["synthetic file writes", "as decimals"]),
        (["a", "b", "a"], ["a ", " b", "b"], ("a", "b"), ["a", "b", "b"], ["blanks removed around 2 different"]),
        ([1, 2, 1], ["1", "2.0", " 2"], (1, 2), [1, 2, 2], ["numbers in the training", "text in the synthetic"]),
        ([1, 2, 1], ["1", "b", "2.0"], ("1", "2", "b"), ["1", "b", "2"], ["read as text"]),
        (["1", "2", "c"], ["1.0", "c", "2.00"], ("1", "2", "c"), ["1", "c", "2"], ["written in one way"]),
        (["1.1", "1.10", "c"], ["1.1", "c", "1.10"], ("1.1", "1.10", "c"), ["1.1", "c", "1.10"], []),
        (["007", "012", "007"], [7, 12, 12], ("12", "7"), ["7", "12", "12"], ["leading zeros"]),
        (["007", "012", "12"], ["012", "007", "12"], ("007", "012", "12"), ["012", "007", "12"], []),
        ([True, False, True], ["true", "FALSE", " True"], ("False", "True"), ["True", "False", "True"], ["blanks"]),
        ([True, False, True], [1, 0, 0], ("False", "True"), ["True", "False", "False"], ["read as true/false"]),
        (["True", "False", "True"], [1.0, 0.0, 0.0], ("False", "True"), ["True", "False", "False"], ["true/false"]),
        ([True, False, True], ["yes", "no", "no"], ("False", "True"), ["True", "False", "False"], ["true/false"]),
        (["yes", "no", "yes"], [1, 0, 0], ("0", "1", "no", "yes"), ["1", "0", "0"], ["read as text"]),
        ([1, 0, 1], ["0", "1", "1"], (0, 1), [0, 1, 1], ["read as numbers"]),
        (["a", None, "b"], ["a", "b", ""], ("a", "b", None), ["a", "b", None], ["training and synthetic"]),
        ([1, None, 2], [1, 2, 2], (1, 2, None), [1, 2, 2], ["missing in the training file", "value of its own"]),
        (pd.Categorical([1, 2, 1]), pd.Categorical(["1", "2", None]), (1, 2, None), [1, 2, None], ["read as numbers"]),
        (pd.array([1, 2, 1], "Int64"), pd.array([1, 2, None], "Int8"), (1, 2, None), [1, 2, None], ["missing"]),
        (pd.array([True, False, None], "boolean"), [False, True, True], ("False", "True", None),
         ["False", "True", "True"], ["missing in the training"]),
        ([10**18 + 1, 10**18, 10**18], [10**18, 10**18 + 1, 5], ("1" + "0" * 18, "1" + "0" * 17 + "1", "5"),
         ["1" + "0" * 18, "1" + "0" * 17 + "1", "5"], ["never seen in training: '5'"]),
        ([dt.time(9), dt.time(8), dt.time(8)], ["08:00:00", "09:00:00", "09:00:00"], ("08:00:00", "09:00:00"),
         ["08:00:00", "09:00:00", "09:00:00"], []),
    ],
)  # fmt: skip
def test_values_written_in_two_ways_are_the_same(train, synthetic, values, read_as, words):
    alike = read(train, synthetic)
    assert alike.train.schema["x"].values == values
    assert cells(alike, "synthetic") == read_as
    assert alike.train.schema == alike.synthetic.schema
    if words:
        assert said(alike, *words)
    else:
        assert not said(alike)


def test_a_few_texts_among_many_numbers_are_missing():
    numbers = list(range(0, 300, 3))
    alike = read([*map(str, numbers), "unknown"], [*numbers, 5])
    assert said(alike, "texts among its numbers read as missing: 1 text of the training file.")
    assert alike.train.schema["x"].values[:-1] == read(
        [*numbers, None], [*numbers, 5]
    ).train.schema["x"].values[:-1]  # fmt: skip
    # only the file that is to be published is quoted
    both = read([*map(str, numbers), "ask Dr May"], [*map(str, numbers), "no", "yes"], [*map(str, numbers), "he", "me"])
    words = ["1 text of the training file; 'no', 'yes' of the synthetic file; 2 texts of the control file"]
    assert said(both, *words)
    days = [f"2020-01-{n:02}" for n in range(1, 29)]
    assert said(read([*days, "soon"], days), "texts among its dates read as missing: 1 text of the training file.")
    few = read(["1", "2", "unknown"], [1, 2, 2])
    assert few.train.schema["x"].values == ("1", "2", "unknown")


def test_dates_are_days_in_all_files():
    days = [f"{n:02}.01.2020" for n in range(1, 29)]
    alike = read(days, pd.date_range("2020-01-01", periods=28), [f"2020-01-{n:02} 12:00" for n in range(1, 29)])
    column, first = alike.train.schema["x"], (dt.date(2020, 1, 1) - dt.date(1970, 1, 1)).days
    assert (column.kind, column.low, column.high) == (Kind.CONTINUOUS, first, first + 27.5)
    assert said(alike, "dates, read as days since 1970-01-01")
    assert alike.train["x"].tolist() == alike.synthetic["x"].tolist() == (alike.control["x"] - 0.5).tolist()
    american = read(["01/02/2020", "03/04/2020"] * 2, ["01/02/2020", "05/06/2020"] * 2)
    assert said(american, "do not tell days from months; read with the month first", "--dates")
    told = read(["01/02/2020", "03/04/2020"] * 2, ["01/02/2020", "05/06/2020"] * 2, dates="%d/%m/%Y")
    assert told.train["x"][0] != american.train["x"][0] or told.train.schema != american.train.schema
    assert not said(told, "do not tell")
    listed = read(days[:3], days[:3], categorical=("x",))
    assert listed.train.schema["x"].values == tuple(days[:3])


@pytest.mark.parametrize("hole", ["train", "synthetic"])
@pytest.mark.parametrize("values", [np.arange(60) / 7, ["a", "b", "c"] * 20, [0, 1, 2] * 20])
def test_a_column_may_be_all_missing_in_one_file(hole, values):
    files = {"train": values, "synthetic": values} | {hole: [None] * 60}
    alike = read(**files)
    assert alike.train.schema["x"].values[-1] is None
    assert {*cells(alike, hole)} == {None}
    assert None not in cells(alike, "synthetic" if hole == "train" else "train")


RNG = np.random.default_rng(0)
KINDS = {
    "few whole": RNG.integers(0, 5, 60),
    "many whole": RNG.integers(0, 10**6, 60),
    "fractions": RNG.normal(size=60),
    "single": RNG.normal(size=60).astype(np.float32),
    "tiny": RNG.normal(size=60) * 1e-300,
    "truths": RNG.random(60) < 0.5,
    "words": RNG.choice(["a", "b ", " c"], 60),
    "numbers as text": [f"{value:.2f}" for value in RNG.normal(size=60)],
    "codes": [f"{value:03}" for value in RNG.integers(0, 20, 60)],
    "identifiers": [f"p{value}" for value in RNG.permutation(60)],
    "moments": pd.date_range("2020-01-01", periods=60, freq="7h", tz="Asia/Tokyo"),
    "dates": [dt.date(2020, 1, 1) + dt.timedelta(days=int(value)) for value in RNG.integers(0, 900, 60)],
    "dates as text": [f"{value:02}.03.2020" for value in RNG.integers(1, 32, 60)],
    "all sorts": [1, "a", 2.5, True, dt.date(2020, 1, 1), " "] * 10,
    "huge": [2**60 + int(value) for value in RNG.integers(0, 30, 60)],
    "beyond": [10**25 + int(value) for value in RNG.integers(0, 30, 60)],
    "infinite": [np.inf, -np.inf, *RNG.normal(size=58)],
    "category": pd.Categorical(RNG.choice(["u", "v"], 60), categories=["w", "v", "u"]),
    "durations": pd.timedelta_range("1h", periods=60),
    "complex": RNG.integers(0, 3, 60) * 1j,
    "nothing": [None] * 60,
    "one": [1] * 60,
}


@pytest.mark.parametrize("kind", KINDS)
def test_columns_of_any_two_kinds_are_reconciled(kind):
    train = pd.Series(KINDS[kind]).astype(object).where(np.arange(60) % 7 > 0, None)  # some missing
    for other in KINDS.values():
        alike = read(train, other, KINDS[kind])
        tables = (alike.train, alike.synthetic, alike.control)
        assert [len(table) for table in tables] == [60, 60, 60]
        assert [len(alike.whole[role]) for role in ("training", "synthetic", "control")] == [60, 60, 60]
        if "x" in alike.train.schema:
            column = alike.train.schema["x"]
            assert column.discrete
            assert column.size <= 202
            assert all(value is None for value in alike.train.to_frame()["x"][train.isna()])
        else:
            assert said(alike, "left out")
