"""One domain for all files: their values and bounds, what is merged or cut, and which columns say nothing."""

import numpy as np
import pandas as pd
import pytest

from privbench.datasets.alike import read_alike
from privbench.schema import Kind
from tests.datasets.one_column import cells, read, said


def test_domains_cover_all_files_and_say_what_only_one_has():
    alike = read([1.5, 2.5, 4], [0.5, 2, 3], [3, 9.5, 2])
    column = alike.train.schema["x"]
    assert (column.kind, column.low, column.high, column.declared) == (Kind.CONTINUOUS, 0.5, 9.5, False)
    assert said(alike, "synthetic numbers from 0.5 to 3, beyond the range of the training file's")
    alike = read(["a", "b", "c"], ["a", "d", "e"], ["f", "a", "a"])
    assert alike.train.schema["x"].values == ("a", "b", "c", "d", "e", "f")
    assert said(alike, "2 values of the synthetic file never seen in training: 'd', 'e'.")
    assert said(alike, "2 values of the training file absent from the synthetic one.")
    assert alike.notes[-1] == "Domains and bounds of all columns are read off the files."


def test_a_wild_synthetic_number_does_not_widen_the_domain():
    real = np.arange(100) / 7
    alike = read(real, [*real[5:-1], 1e9, -1e9, real[-1] + 2], real[::-1])
    column = alike.train.schema["x"]
    assert (column.low, column.high) == (0, real[-1] + 2)
    assert alike.synthetic["x"].tolist()[-3:] == [real[-1] + 2, 0, real[-1] + 2]
    assert said(alike, "2 synthetic numbers far beyond the real ones, as", "read as the nearest bound.")
    # all that real records hold is kept, and hashes tell what was read
    assert read(real, real, [*real[1:], 1e9]).train.schema["x"].high == 1e9
    assert alike.whole["synthetic"][-2] != alike.whole["synthetic"][-1]
    assert read([1.5] * 9, [*[1.5] * 8, 2.5]).train.schema["x"].high == 2.5


def test_whole_numbers_are_ordinal_if_real_files_have_few():
    few, many = list(range(20)) * 2, list(range(21)) * 2
    assert read(few, [*few[:-1], 99]).train.schema["x"].kind is Kind.ORDINAL
    assert read(many, few).train.schema["x"].kind is Kind.CONTINUOUS
    assert read(few, many, many).train.schema["x"].kind is Kind.CONTINUOUS
    alike = read(few, np.array(few) + 0.5)
    assert (alike.train.schema["x"].kind, alike.train.schema["x"].integer) == (Kind.CONTINUOUS, False)
    assert said(alike, "fractions stand in the synthetic file alone")


def test_a_continuous_column_with_missing_values_is_cut_at_quantiles_of_the_training_file():
    rng = np.random.default_rng(0)
    train, synthetic = rng.exponential(9, 2000).round(3), rng.exponential(90, 500).round(3)
    train[::10], synthetic[3] = np.nan, np.nan
    alike = read(train, synthetic)
    column = alike.train.schema["x"]
    assert (column.kind, column.size, column.values[-1]) == (Kind.ORDINAL, 21, None)
    assert said(alike, "continuous, and has missing values; cut into 20 classes at quantiles of the training file")
    codes = alike.train["x"]
    assert np.array_equal(codes == 20, np.isnan(train))
    assert set(np.bincount(codes)[:20]) <= {89, 90, 91}  # 1800 there
    order = np.argsort(train[~np.isnan(train)])
    assert (np.diff(codes[~np.isnan(train)][order]) >= 0).all()
    # the rounded edges, and no end: that is one person's
    first, *middle, last = column.values[:-1]
    ends = [(0.0, _number(first, "up to ")), *(tuple(map(float, value.split(" to "))) for value in middle)]
    ends.append((_number(last, "above "), np.inf))
    for value, code in [*zip(train, codes, strict=True), *zip(synthetic, alike.synthetic["x"], strict=True)]:
        assert np.isnan(value) or ends[code][0] * 0.99 <= value <= ends[code][1] * 1.01


def _number(text, front):
    return float(text.removeprefix(front))


def test_classes_are_named_by_no_number_or_day_of_one_person():
    numbers = [*(np.arange(400) * 97.31 + 1e5), 987654321.5, None]
    days = [*pd.date_range("1950-01-01", periods=400, freq="45D").astype(str), "1899-12-24", None]
    for real, words in ((numbers, ["up to 102000", "above 137000"]), (days, ["up to 1952-05", "above 1996-09"])):
        values = read(real, real[:-2]).train.schema["x"].values
        assert (values[0], values[-2]) == tuple(words)
        assert not any(str(cell) in str(value) for value in values[:-1] for cell in real)
    alike = read([*np.arange(400) / 1e6 + 5, None], [5.0, 6.0])
    assert alike.train.schema["x"].values[:2] == ("class 1: up to 5", "class 2: 5 to 5")


@pytest.mark.parametrize("extreme", [np.inf, -np.inf, 1.7e308])
def test_numbers_that_no_table_holds_do_not_stop_an_audit(extreme):
    normal = np.random.default_rng(0).normal(size=200)
    alike = read(np.append(normal, -1e308), np.append(normal, extreme))
    assert alike.train.schema["x"].kind is Kind.ORDINAL
    assert said(alike, "cut into")
    assert said(alike, "infinite numbers of the synthetic file") == np.isinf(extreme)


def test_many_values_are_merged_but_the_200_most_frequent_of_real_records():
    common = [f"town {n:03}" for n in range(200) for _ in range(3)]
    train = [*common[:-3], *[f"rare {n}" for n in range(100)] * 2]
    control = [*["town 199"] * 9, "rarest", "a"]
    synthetic = [*["made up"] * 500, *[f"made {n}" for n in range(300)], "town 000", "rare 1"]
    alike = read(train, synthetic, control)
    column = alike.train.schema["x"]
    assert column.values == (*[f"town {n:03}" for n in range(200)], "(other)")
    assert said(alike, "603 values; the 200 most frequent of real records kept, the others merged into '(other)'")
    assert cells(alike, "synthetic")[-3:] == ["(other)", "town 000", "(other)"]
    assert cells(alike, "control") == [*["town 199"] * 9, "(other)", "(other)"]


def test_columns_that_say_nothing_are_left_out_with_a_note():
    rows = {"a": [1, 2, 2], "empty": [None] * 3, "one": [5] * 3, "same": ["s"] * 3, "gap": ["s", None, "s"]}
    alike = read_alike(pd.DataFrame(rows), pd.DataFrame(rows)[::-1])
    assert alike.train.schema.names == ("a", "gap")
    for note in (
        "'empty': no value in any file",
        "'one': the value 5 in every record",
        "'same': the value 's' in every",
    ):
        assert any(note in one and one.endswith("left out.") for one in alike.notes)


def test_listed_kinds():
    numbers = list(range(5)) * 4
    assert read(numbers, numbers, continuous=("x",)).train.schema["x"].kind is Kind.CONTINUOUS
    assert read(numbers, numbers, categorical=("x",)).train.schema["x"].values == ("0", "1", "2", "3", "4")
    assert read(["0.5", "1.5"] * 9, [0.5, 2] * 9, ordinal=("x",)).train.schema["x"].values == (0.5, 1.5, 2.0)
    wide = read(np.arange(900) / 7, np.arange(900) / 9, ordinal=("x",))
    assert (wide.train.schema["x"].kind, wide.train.schema["x"].size) == (Kind.ORDINAL, 20)
    assert said(wide, "values; cut into 20 classes")
