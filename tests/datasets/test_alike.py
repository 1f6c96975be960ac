"""Three files of an audit under one schema: what is reconciled, left out, merged and counted, and what is said."""

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privbench.datasets.alike import Alike, AlikeOptions, Identifier, read_alike
from privbench.errors import InputError
from privbench.schema import Kind

OTHER_ROLES = ("synthetic", "control")


def read(train, synthetic, control=None, **options) -> Alike:
    """Read columns under the name x, beside one that keeps the control file from being the training file."""
    frames = []
    for place, cells in enumerate((train, synthetic, control)):
        if cells is not None:
            frames.append(pd.DataFrame({"x": cells, "beside": [place, *np.arange(len(cells) - 1) % 4]}))
    return read_alike(*frames, options=AlikeOptions(**options))


def cells(alike, role="train"):
    return getattr(alike, role).to_frame()["x"].tolist()


def said(alike, *words):
    """Return whether one note on the column holds all words."""
    notes = [note for note in alike.notes if note.startswith("column 'x': ")]
    return any(all(word in note for word in words) for note in notes)


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


def test_formats_give_the_same(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "n": rng.integers(0, 90, 300),
            "f": rng.normal(size=300),
            "t": rng.choice(["a", "b, c", "Zoë"], 300),
            "b": rng.choice([True, False], 300),
            "d": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 99, 300), unit="D"),
            "m": np.where(rng.random(300) < 0.1, np.nan, rng.integers(0, 5, 300)),
        }
    )
    frame.to_csv(tmp_path / "f.csv", index=False)
    frame.to_csv(tmp_path / "f.csv.gz", index=False)
    frame.to_parquet(tmp_path / "f.parquet")
    frame.to_csv(tmp_path / "g.csv", index=False, sep=";", decimal=",", encoding="utf-16", date_format="%d.%m.%Y")
    german = AlikeOptions(delimiter=";", decimal=",", encoding="utf-16")
    half = frame.iloc[:150]
    plain = read_alike(frame, half)
    for path, options in (
        ("f.csv", AlikeOptions()),
        ("f.csv.gz", AlikeOptions()),
        ("f.parquet", german),
        ("g.csv", german),
    ):
        alike = read_alike(tmp_path / path, half, options=options)
        assert alike.train.sha256 == plain.train.sha256
        assert alike.synthetic.sha256 == plain.synthetic.sha256
        assert alike.whole["training"].tolist() == plain.whole["training"].tolist()
        assert alike.names == (("training", path), ("synthetic", "DataFrame"))


def test_order_of_columns_and_blanks_around_names_do_not_matter():
    frame = pd.DataFrame({"x": [1, 2, 3], "y": ["a", "b", "b"]})
    turned = frame.rename(columns={"x": " x "})[["y", " x "]]
    alike, plain = read_alike(frame, turned, turned.iloc[:2]), read_alike(frame, frame, frame.iloc[:2])
    assert alike.synthetic.sha256 == plain.synthetic.sha256
    assert alike.control.sha256 == plain.control.sha256
    assert alike.whole["synthetic"].tolist() == plain.whole["training"].tolist()
    assert "control file: column 'x': blanks around its name removed." in alike.notes


def test_rows_keep_their_order_and_frames_are_left_alone():
    frame = pd.DataFrame({"x": np.random.default_rng(0).normal(size=50)})
    before = frame.copy()
    alike = read_alike(frame, frame[::-1])
    assert alike.train["x"].tolist() == frame["x"].tolist()
    assert alike.synthetic["x"].tolist() == frame["x"].tolist()[::-1]
    frame.loc[0, "x"] = 5.0  # the frame can still be written to, and the table does not follow
    assert alike.train["x"][0] == before.loc[0, "x"]


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


YES, BOOL, MANY = ["ja", "nein"] * 50, [True, False] * 50, list(range(50)) * 2


@pytest.mark.parametrize(
    ("train", "synthetic", "control", "words"),
    [
        (YES, BOOL, YES, ["no value of the synthetic file is one of the training file's ('False', 'True' against 'ja', "
                          "'nein'); make them alike and audit again."]),
        (YES, BOOL, None, ["'False', 'True' against 'ja', 'nein'"]),
        (YES, BOOL, BOOL, ["value of the synthetic file", "value of the control file"]),
        (YES, YES, BOOL, ["no value of the control file is one of the training file's ('False', 'True' against"]),
        (BOOL, YES, BOOL, ["'ja', 'nein' against 'False', 'True'"]),
        (YES, [1, 2] * 50, YES, ["'1', '2' against 'ja', 'nein'"]),
        (YES, [*["Ja", "Nein"] * 200, "ja"], YES, ["next to no value of the synthetic file"]),
        (YES, [*["Ja", "Nein"] * 40, "ja"], YES, []),
        (YES, [*BOOL, *[None] * 500], YES, ["'False', 'True' against"]),
        (YES, ["ja"] * 100, YES, []),
        ([1] * 60, ["True"] * 60, BOOL[:1] * 60, []),
        ([1, 0] * 60, ["true", "false"] * 60, BOOL, []),
        (YES, [None] * 100, YES, ["synthetic file has no value that can be read"]),
        ([1, 2, 3] * 30, [10, 20, 30] * 30, [1, 2, 3] * 30, ["10, 20, 30 against 1, 2, 3"]),
        ([1, 2, 3] * 30, [1.5, 2.25, 2.75] * 30, [1, 2, 3] * 30, []),
        ([1, 2] * 30, ["1.0", "2.0"] * 30, ["1", "2"] * 30, []),
        # of towns that nearly nobody shares, nothing is expected
        ([f"t{n}" for n in range(85)] + ["t0"] * 15, [f"s{n}" for n in range(100)], [f"c{n}" for n in range(100)], []),
        ([f"t{n}" for n in range(100)], [f"s{n}" for n in range(100)], [f"t{n}" for n in range(50, 150)], []),
        # numbers
        (np.arange(300) * 150.5, np.arange(300) * 0.15 - 50, np.arange(300) * 149.5,
         ["none of the synthetic file's numbers lies among the training file's (half of them from -38.8 to -16.4 "
          "against 11200 to 33700)"]),
        ([0, *np.arange(299) * 150.5 + 9000], np.arange(300) * 0.15, None, ["none of the synthetic file's numbers"]),
        (np.arange(300) * 150.5, np.arange(300) * 150.5 + 40000, None, []),
        (np.arange(300) / 7, np.arange(300) / 7, np.arange(300) / 7 + 1e6, ["none of the control file's numbers"]),
        ([*[0] * 299, *np.arange(30) * 1000.5], np.linspace(-20, 20, 300), None, []),
        (pd.date_range("2020-01-01", periods=61, freq="4D"), pd.date_range("1970-01-01", periods=61), None,
         ["none of the synthetic file's dates", "1970-01-16 to 1970-02-15 against 2020-03-01 to 2020-06-29"]),
        ([*np.arange(60) / 7, None], [*np.arange(60) + 1e5, None], None, ["none of the synthetic file's numbers"]),
        (np.arange(99) / 7, [f"{n} EUR" for n in range(99)], np.arange(99) / 7, ["EUR'", "against numbers"]),
        (MANY, [f"{n} years" for n in MANY], MANY, ["years', ... against '0', '1', '10', ..."]),
        # identifiers are expected to differ, and counts of records too
        (range(1000, 1100), [f"q{n}" for n in range(100)], range(2000, 2100), []),
        (range(1000, 1100), range(9000, 9100), range(2000, 2100), []),
    ],
)  # fmt: skip
def test_columns_that_files_write_differently_are_apart(train, synthetic, control, words):
    alike = read(train, synthetic, control)
    assert alike.apart == (("x",) if words else ())
    assert all(sentence.startswith("column 'x': ") and sentence.endswith("audit again.") for sentence in alike.loud)
    assert all(word in " ".join(alike.loud) for word in words)
    assert len(alike.loud) == (2 if control is BOOL and train is YES and synthetic is BOOL else bool(words))


def test_free_text_is_no_identifier_in_a_note_and_names_are_no_free_text():
    rng = np.random.default_rng(0)
    notes = [" ".join(rng.choice(["pain", "in", "the", "left", "knee", "since", "May"], 12)) for _ in range(99)]
    alike = read(notes, [*notes[:30], *["none at all"] * 9], notes[20:])
    (one,) = alike.identifiers
    assert (one.words, one.train_in_synthetic, one.control_in_synthetic) == (True, 30, 10)
    assert said(alike, "text of its own for nearly everybody", "30 of them stand in the release", "left out")
    assert not said(alike, "identifier")
    streets = [f"{n} Long Meadow Street, 12345 Springfield Falls" for n in range(99)]
    assert not read(streets, streets).identifiers[0].words


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
    assert said(alike, "2 synthetic numbers far beyond the real ones, as", "read as the nearest bound, 0 or 16.1429")
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
    ends = [value.split(" to ") for value in column.values[:-1]]
    for value, code in [*zip(train, codes, strict=True), *zip(synthetic, alike.synthetic["x"], strict=True)]:
        assert np.isnan(value) or float(ends[code][0]) <= float(f"{value:.6g}") <= float(ends[code][1])


@pytest.mark.parametrize("extreme", [np.inf, -np.inf, 1.7e308])
def test_numbers_that_no_table_holds_do_not_stop_an_audit(extreme):
    normal = np.random.default_rng(0).normal(size=200)
    alike = read(np.append(normal, -1e308), np.append(normal, extreme))
    assert alike.train.schema["x"].kind is Kind.ORDINAL
    assert said(alike, "cut into")
    assert said(alike, "infinite numbers of the synthetic file") == np.isinf(extreme)


def test_a_few_texts_among_many_numbers_are_missing():
    numbers = list(range(0, 300, 3))
    alike = read([*map(str, numbers), "unknown"], [*numbers, 5])
    assert said(alike, "texts among its numbers read as missing: 'unknown'")
    assert alike.train.schema["x"].values[:-1] == read(
        [*numbers, None], [*numbers, 5]
    ).train.schema["x"].values[:-1]  # fmt: skip
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


@pytest.mark.parametrize(
    ("made", "counted"),
    [
        (np.arange(60), True),
        (np.arange(60) + 1, True),
        (np.arange(60)[::-1], False),  # the training file's own, in another order
        (np.arange(60) + 2, False),
        (np.append(np.arange(59), 70), False),
    ],
)
def test_a_release_that_numbers_its_own_rows_is_told_from_one_with_numbers_of_people(made, counted):
    files = [pd.DataFrame({"id": ids, "a": np.arange(60) % 3}) for ids in (np.arange(60), made, np.arange(60) + 60)]
    (one,) = read_alike(*files).identifiers
    assert (one.name, one.counted) == ("id", counted)


def test_text_identifiers_are_left_out_and_counted():
    ids = [f"p{n}" for n in range(100)]
    alike = read(ids, [*ids[:30], *[f"q{n}" for n in range(90)]], [*ids[25:29], *[f"c{n}" for n in range(46)]])
    assert alike.identifiers == (Identifier("x", train_in_synthetic=30, control_in_synthetic=4, synthetic=120),)
    assert alike.train.schema.names == ("beside",)
    assert said(alike, "value of its own for nearly every training record", "30 of them in the release", "left out")


@pytest.mark.parametrize(
    ("train", "is_one"),
    [
        (range(1000, 1100), True),
        (np.random.default_rng(0).permutation(400)[:100], True),
        (np.random.default_rng(0).permutation(10**6)[:100], False),  # all different by chance
        ([*range(99), 5], False),
        (np.arange(100) / 8, False),
        ([10**17 + 7 * n for n in range(100)], True),
        ([f"p{n % 89}" for n in range(100)], False),
        ([f"p{n % 90}" for n in range(100)], True),
        ([f"p{n}" for n in range(20)], False),
        ([*[f"p{n}" for n in range(25)], *[None] * 75], True),
    ],
)
def test_what_is_an_identifier(train, is_one):
    train = list(train)
    alike = read(train, train[::-1])
    assert [one.name for one in alike.identifiers] == ["x"] * is_one
    assert ("x" in alike.train.schema) != is_one
    filled = sum(cell is not None for cell in train)
    assert not is_one or alike.identifiers[0].train_in_synthetic == filled


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


@pytest.mark.parametrize("hole", ["train", "synthetic"])
@pytest.mark.parametrize("values", [np.arange(60) / 7, ["a", "b", "c"] * 20, [0, 1, 2] * 20])
def test_a_column_may_be_all_missing_in_one_file(hole, values):
    files = {"train": values, "synthetic": values} | {hole: [None] * 60}
    alike = read(**files)
    assert alike.train.schema["x"].values[-1] is None
    assert {*cells(alike, hole)} == {None}
    assert None not in cells(alike, "synthetic" if hole == "train" else "train")


def test_roles_and_the_favourable_value():
    alike = read(["no", "yes", "no"], ["no", "zz", "no"], label="x", groups=("beside",))
    assert (alike.train.schema.label, alike.train.schema.positive, alike.train.schema.groups) == (
        "x",
        "yes",
        ("beside",),
    )
    assert said(alike, "the favourable value is 'yes'")  # not the one that the synthetic file made up
    alike = read([0, 1, 1], [1.0, 0.0, 0.0], label="x", positive="0")
    assert alike.synthetic.schema.positive == 0
    assert read([True, False, True], [1, 0, 0], label="x", positive=True).train.schema.positive == "True"
    assert read([0, 1, 1], [0.5, 1, 0.25], label="x").train.schema["x"].values == (0, 0.25, 0.5, 1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"label": "texts"}, ["'texts'", "did you mean 'text'", "'label'", "training DataFrame"]),
        ({"groups": ("besides",)}, ["did you mean 'beside'"]),
        ({"categorical": ("q",)}, ["'categorical'", "'q'"]),
        ({"label": "only"}, ["synthetic DataFrame: lacks column 'only'", "'label'"]),
        ({"label": "x"}, ["'x': continuous", "'label'"]),
        ({"label": "one"}, ["'one'", "one value"]),
        ({"label": "empty"}, ["'empty': has no value"]),
        ({"continuous": ("text",)}, ["training DataFrame, column 'text': value 'a' is no number", "`categorical`"]),
        ({"ordinal": ("flag",)}, ["'flag'", "`ordinal`"]),
        ({"groups": ("empty",)}, ["'empty': has no value", "'groups'"]),
        ({"label": "text", "positive": "d"}, ["'text'", "'d'"]),
    ],
)
def test_roles_that_columns_cannot_play_are_refused(options, words):
    frame = pd.DataFrame(
        {"x": np.arange(60) / 7, "beside": [1, 2] * 30, "one": 1, "empty": np.nan, "text": ["a", "b", "c"] * 20}
    )
    frame["flag"] = [True, False] * 30
    with pytest.raises(InputError) as caught:
        read_alike(frame.assign(only=1), frame[::-1], options=AlikeOptions(**options))
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"categorical": ("a",), "ordinal": ("a",)}, ["'a'", "keep one"]),
        ({"positive": 1}, ["without a label"]),
        ({"delimiter": ";;"}, ["';;'", "one character"]),
        ({"dates": "dd.mm.yyyy"}, ["'dd.mm.yyyy'", "%d.%m.%Y"]),
        ({"thousands": "."}, ["thousands", "decimal"]),
    ],
)
def test_options_that_contradict_themselves_are_refused(options, words):
    with pytest.raises(InputError) as caught:
        AlikeOptions(**options)
    for word in words:
        assert word in str(caught.value)


def test_listed_kinds():
    numbers = list(range(5)) * 4
    assert read(numbers, numbers, continuous=("x",)).train.schema["x"].kind is Kind.CONTINUOUS
    assert read(numbers, numbers, categorical=("x",)).train.schema["x"].values == ("0", "1", "2", "3", "4")
    assert read(["0.5", "1.5"] * 9, [0.5, 2] * 9, ordinal=("x",)).train.schema["x"].values == (0.5, 1.5, 2.0)
    wide = read(np.arange(900) / 7, np.arange(900) / 9, ordinal=("x",))
    assert (wide.train.schema["x"].kind, wide.train.schema["x"].size) == (Kind.ORDINAL, 20)
    assert said(wide, "values; cut into 20 classes")


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
    expected = "column 'came': looks like dates, but '2020-05-01' is not written as '%d.%m.%Y'; read as text."
    assert notes == [f"training file: {expected}", f"synthetic file: {expected}"]
    # a file without any dates has nothing to fit
    plain = write_dates(tmp_path, born=["a", "b"] * 14)
    assert "born" in read_alike(plain, plain, options=AlikeOptions(dates="%d.%m.%Y")).train.schema


def test_options_of_csv_files_hold_for_all_three(tmp_path):
    for role, wage in (("t", "1.234,5"), ("s", "2.000"), ("c", "3.456,25")):
        (tmp_path / f"{role}.csv").write_text(f"name;wage;on\nZoë;{wage};01.02.2020\nAl;7;02.02.2020\n", "latin-1")
    paths = [tmp_path / f"{role}.csv" for role in "tsc"]
    options = AlikeOptions(
        delimiter=";", encoding="latin-1", thousands=".", decimal=",", dates="%d.%m.%Y", continuous=("wage",)
    )
    alike = read_alike(*paths, options=options)
    assert [table["wage"].tolist() for table in (alike.train, alike.synthetic, alike.control)] == [
        [1234.5, 7], [2000, 7], [3456.25, 7],
    ]  # fmt: skip
    assert alike.train.schema["name"].values == ("Al", "Zoë")
    assert alike.names == (("training", "t.csv"), ("synthetic", "s.csv"), ("control", "c.csv"))
    assert not any(str(tmp_path) in note for note in alike.notes)


def test_parquet_columns_of_odd_types(tmp_path):
    column = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, None]), ["u", "u ", "v"])
    pq.write_table(pa.table({"x": column, "y": pa.array([1, 2, None, 4], pa.uint8())}), tmp_path / "t.parquet")
    pq.write_table(
        pa.table({"x": ["v", "u", None, "u"], "y": pa.array([1, 2, 3, 4], pa.decimal128(5, 1))}), tmp_path / "s.parquet"
    )
    alike = read_alike(tmp_path / "t.parquet", tmp_path / "s.parquet")
    assert alike.train.schema["x"].values == ("u", "v", None)
    assert alike.train.to_frame()["x"].tolist() == ["u", "u", "v", None]
    assert alike.train.schema["y"].values == (1, 2, 3, 4, None)


def test_few_records_are_said_and_one_is_refused():
    assert sum("hardly anything can be found" in note for note in read([1, 2], range(10)).notes) == 1
    for rows, word in ([1], "one"), ([], "no"):
        with pytest.raises(InputError, match=f"the synthetic DataFrame: has {word} record; at least two"):
            read_alike(pd.DataFrame({"x": [1, 2]}), pd.DataFrame({"x": rows}))


def test_a_control_file_that_is_the_training_file_is_refused(tmp_path):
    frame = pd.DataFrame({"id": [f"p{n}" for n in range(40)], "x": np.arange(40) % 7, "t": ["a", "b"] * 20})
    frame.to_csv(tmp_path / "train.csv", index=False)
    frame.sample(frac=1, random_state=0)[["t", "x", "id"]].to_parquet(tmp_path / "control.parquet", index=False)
    paths = [tmp_path / name for name in ("train.csv", "train.csv", "control.parquet")]
    with pytest.raises(InputError, match=r"control\.parquet: holds the same records as .*train\.csv.*give records of"):
        read_alike(*paths)
    frame.iloc[1:].to_parquet(tmp_path / "control.parquet", index=False)
    assert len(read_alike(*paths).control) == 39


def test_files_without_a_column_in_common_are_refused():
    with pytest.raises(InputError, match="the training DataFrame: shares no column with the synthetic DataFrame"):
        read_alike(pd.DataFrame({"x": [1, 2]}), pd.DataFrame({"y": [1, 2]}))
    ids = pd.DataFrame({"x": [f"p{n}" for n in range(30)]})
    with pytest.raises(InputError, match=r"no column that all share can be audited.*\(x\)"):
        read_alike(ids, ids)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (pd.DataFrame([[1, 2], [3, 4]], columns=["x", "x"]), ["control DataFrame", "'x' occurs twice"]),
        (pd.DataFrame([[1, 2], [3, 4]], columns=["x", " x"]), ["control DataFrame", "'x' occurs twice"]),
        (pd.DataFrame([[1, 2], [3, 4]]), ["control DataFrame", "column name 0 is no text"]),
        (pd.DataFrame({"x": [[1], [2]]}), ["control DataFrame, column 'x'", "[1]", "take it apart"]),
        (pd.DataFrame({"x": [{"a": 1}, None]}), ["control DataFrame, column 'x'", "take it apart"]),
        (pd.DataFrame(index=[0, 1]), ["control DataFrame", "no column"]),
    ],
)
def test_frames_that_are_no_records_are_refused(frame, words):
    good = pd.DataFrame({"x": [1, 2]})
    with pytest.raises(InputError) as caught:
        read_alike(good, good, frame)
    for word in words:
        assert word in str(caught.value)


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
