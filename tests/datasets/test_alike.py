"""Three files of an audit under one schema: how they are read, their roles and options, and what is refused."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privbench.datasets.alike import AlikeOptions, read_alike
from privbench.errors import InputError
from tests.datasets.one_column import read, said


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


def test_roles_and_the_favourable_value():
    alike = read(["no", "yes", "no"], ["no", "zz", "no"], label="x", groups=("beside",))
    assert (alike.train.schema.label, alike.train.schema.positive, alike.train.schema.groups) == (
        "x",
        "yes",
        ("beside",),
    )
    # not the one that the synthetic file made up; and one that it lacks may be one real person's
    assert said(alike, "the favourable value is the last of the training file's, which the release lacks; `positive`")
    assert not said(alike, "'yes'")
    alike = read(["no", "yes", "no"], ["no", "zz", "yes"], label="x")
    assert said(alike, "the favourable value is 'yes', the last; `positive` overrides it.")
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
