"""Damaged files of an audit: they are read, or refused in one line that names the file; nothing else may happen."""

import gzip
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privbench.cli import main
from privbench.datasets.alike import Alike, AlikeOptions, read_alike
from privbench.errors import InputError

ROLES = ("training", "synthetic", "control")
ENDINGS = (".csv", ".csv.gz", ".parquet")


def people(seed, rows=60):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "id": [f"person {seed}-{i}" for i in range(rows)],
            "age": rng.integers(17, 90, rows),
            "wage": rng.lognormal(3, 1, rows).round(2),
            "job": rng.choice(["cook", "clerk", "nurse, retired", 'the "boss"', "Müller"], rows),
            "kids": rng.integers(0, 4, rows),
            "born": np.datetime_as_string(np.datetime64("1990-01-01") + rng.integers(0, 9000, rows)),
            "sick": rng.choice(["True", "False"], rows),
        }
    )  # fmt: skip


def as_bytes(frame, ending):
    if ending == ".parquet":
        frame.to_parquet(buffer := io.BytesIO(), index=False)
        return buffer.getvalue()
    return pack(frame.to_csv(index=False).encode(), ending)


def pack(content, ending):
    return gzip.compress(content, mtime=0) if ending == ".csv.gz" else content


FRAMES = {role: people(seed) for seed, role in enumerate(ROLES)}
FILES = {(role, ending): as_bytes(frame, ending) for role, frame in FRAMES.items() for ending in ENDINGS}


# what happens to bytes, whatever the format; `at` in [0, 1] is the place
def truncated(content, at):
    return content[: int(at * len(content))]


def flipped(content, at):
    place = min(int(at * len(content)), len(content) - 1)
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


def zeroed(content, at):
    place = int(at * len(content))
    return content[:place] + b"\0\0" + content[place:]


BYTES = (truncated, flipped, zeroed)


# what happens to the text of a CSV file
def lines(text):
    return text.split("\n")


TEXTS = {
    "cut in a line": lambda text, at: text[: int(at * len(text))],
    "semicolons": lambda text, at: text.replace(",", ";"),
    "tabs": lambda text, at: text.replace(",", "\t"),
    "bars after the header": lambda text, at: text.split("\n")[0] + "\n" + text.split("\n", 1)[1].replace(",", "|"),
    "header only": lambda text, at: lines(text)[0] + "\n",
    "no header": lambda text, at: "\n".join(lines(text)[1:]),
    "one row": lambda text, at: "\n".join(lines(text)[:2]),
    "two rows": lambda text, at: "\n".join(lines(text)[:3]),
    "a long line": lambda text, at: changed(text, at, lambda line: line + ",more,cells"),
    "a short line": lambda text, at: changed(text, at, lambda line: line.split(",")[0]),
    "an open quote": lambda text, at: changed(text, at, lambda line: '"' + line),
    "a NUL": lambda text, at: changed(text, at, lambda line: line[:3] + "\0" + line[3:]),
    "a name twice": lambda text, at: text.replace("wage", "age", 1),
    "a name of blanks": lambda text, at: text.replace("wage", "  ", 1),
    "blank first line": lambda text, at: "\n" + text,
    "carriage returns": lambda text, at: text.replace("\n", "\r"),
    "words for numbers": lambda text, at: changed(text, at, lambda line: ",".join(["x", "old", *line.split(",")[2:]])),
    "infinite": lambda text, at: changed(text, at, lambda line: ",".join(["x", "1e999", *line.split(",")[2:]])),
    "huge": lambda text, at: changed(text, at, lambda line: ",".join(["x", "9" * 30, *line.split(",")[2:]])),
    "a cell of a megabyte": lambda text, at: changed(text, at, lambda line: "x" * 1_000_000 + line),
    "blank lines": lambda text, at: text.replace("\n", "\n\n"),
}  # fmt: skip


def changed(text, at, change):
    rows = lines(text)
    place = min(int(at * len(rows)), len(rows) - 2)
    return "\n".join([*rows[:place], change(rows[place]), *rows[place + 1 :]])


# what happens to a frame, in every format
FRAMED = {
    "nothing": lambda frame, at: frame,
    "all missing": lambda frame, at: frame.assign(**dict.fromkeys(frame.columns)),
    "a column missing": lambda frame, at: frame.assign(**{pick(frame, at): None}),
    "half a column missing": lambda frame, at: frame.assign(
        **{pick(frame, at): frame[pick(frame, at)].astype(object).where(np.arange(len(frame)) % 2 == 0, None)}
    ),
    "a column dropped": lambda frame, at: frame.drop(columns=pick(frame, at)),
    "one column left": lambda frame, at: frame[[pick(frame, at)]],
    "other names": lambda frame, at: frame.add_prefix("the "),
    "columns turned round": lambda frame, at: frame[frame.columns[::-1]],
    "a constant": lambda frame, at: frame.assign(**{pick(frame, at): 7}),
    "all alike": lambda frame, at: frame.assign(**dict.fromkeys(frame.columns, "same")),
    "values of another column": lambda frame, at: frame.assign(**{pick(frame, at): frame[pick(frame, 1 - at)]}),
    "text around numbers": lambda frame, at: frame.assign(age=" " + frame["age"].astype(str) + ".0 "),
    "a row index": lambda frame, at: frame.reset_index(names="Unnamed: 0"),
    "no rows": lambda frame, at: frame.iloc[:0],
    "one row": lambda frame, at: frame.iloc[:1],
}


def pick(frame, at):
    return frame.columns[min(int(at * len(frame.columns)), len(frame.columns) - 1)]


@st.composite
def damages(draw):
    """Return a role, an ending and the bytes of its damaged file."""
    role, at = draw(st.sampled_from(ROLES)), draw(st.floats(0, 1))
    ending = draw(st.sampled_from(ENDINGS))
    kinds = [("bytes", damage) for damage in BYTES] + [("frame", name) for name in FRAMED]
    kinds += [("text", name) for name in TEXTS] if ending != ".parquet" else []
    sort, damage = draw(st.sampled_from(kinds))
    if sort == "bytes":
        return role, ending, damage(FILES[role, ending], at)
    if sort == "frame":
        return role, ending, as_bytes(FRAMED[damage](FRAMES[role], at), ending)
    text = TEXTS[damage](FILES[role, ".csv"].decode(), at)
    return role, ending, pack(text.encode(draw(st.sampled_from(["utf-8", "latin-1", "utf-16"]))), ending)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("damaged")
    for role in ROLES:
        (folder / f"{role}.csv").write_bytes(FILES[role, ".csv"])
    return folder


def paths(folder: Path, role, ending, content) -> dict[str, Path]:
    """Write the damaged file, and return it among sound ones."""
    files = {each: folder / f"{each}.csv" for each in ROLES}
    files[role] = folder / f"bad-{role}{ending}"
    files[role].write_bytes(content)
    return files


def refused(files, role, **options) -> str | None:
    """Return the line that refuses the files, or None where they are read."""
    try:
        alike = read_alike(files["training"], files["synthetic"], files["control"], options=AlikeOptions(**options))
    except InputError as error:
        message = str(error)
        assert len(message.splitlines()) == 1
        assert str(files[role]) in message
        assert len(message) < 500 + sum(len(str(path)) for path in files.values())
        return message
    assert isinstance(alike, Alike)
    tables = {"training": alike.train, "synthetic": alike.synthetic, "control": alike.control}
    for name, table in tables.items():
        assert table.schema == alike.train.schema
        assert len(table) == len(alike.whole[name]) >= 2
    return None


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    damages(),
    st.sampled_from([{}, {"label": "kids", "groups": ("sick",)}, {"encoding": "latin-1"}, {"delimiter": ";"}]),
)
def test_damaged_files_are_read_or_refused_in_one_line(folder, damage, options):
    role, ending, content = damage
    files = paths(folder, role, ending, content)
    if options.get("delimiter"):  # the sound files, too, must be written so
        for each in ROLES:
            if each != role:
                files[each] = folder / f"{each}-semicolons.csv"
                FRAMES[each].to_csv(files[each], sep=";", index=False)
    refused(files, role, **options)


NO_TEXT = gzip.compress(b"id,age\n1,2\n3,\xff", mtime=0)  # in the last line, so that its end is read, too

# what must be refused, with words of the line that says so, for each of the three files
REFUSED = {
    "empty": (".csv", b"", "is empty"),
    "header only": (".csv", b"id,age,wage,job,kids,born,sick\n", "no record"),
    "one row": (".csv", b"id,age,wage,job,kids,born,sick\np,3,2.5,cook,1,2020-01-01,True\n", "one record"),
    "no text": (".csv", b"id,age\n1,2\n3,\xff\n", "line 3 is not UTF-8; give the option --encoding"),
    "latin-1": (".csv", FILES["training", ".csv"].decode().encode("latin-1"), "not UTF-8; give the option --encoding"),
    "semicolons": (".csv", b"id;age\n1;2\n3;4\n", "is separated by ';'; give the option --delimiter ';'"),
    "tabs": (".csv", b"id\tage\n1\t2\n3\t4\n", "is separated by '\\t'; give the option --delimiter '\\t'"),
    "a name twice": (".csv", b"id,age,age\n1,2,3\n4,5,6\n", "'age' occurs twice"),
    "a ragged line": (".csv", b"id,age\n1,2\n3\n4,5\n", "line 3 does not match the header"),
    "no name in common": (".csv", b"a,b\n1,2\n3,4\n", "shares no column"),
    "half of a gz": (".csv.gz", FILES["training", ".csv.gz"][:-200], "check that the file is complete"),
    "no gz": (".csv.gz", FILES["training", ".csv"], "cannot be read"),
    "a gz of other bytes": (".csv.gz", NO_TEXT[:-8] + bytes(8), "check that the file is complete"),
    "half of a gz of no text": (".csv.gz", NO_TEXT[:-8], "check that the file is complete"),
    "a name that is no text": (".parquet", FILES["training", ".parquet"].replace(b"sick", b"\x8cick"), "no Parquet"),
    "half of a Parquet file": (".parquet", FILES["training", ".parquet"][:-200], "is no Parquet file"),
    "no Parquet file": (".parquet", FILES["training", ".csv"], "is no Parquet file"),
    "another ending": (".txt", FILES["training", ".csv"], "unknown ending; allowed: a file that ends in .csv"),
}  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("damage", REFUSED)
def test_what_cannot_be_used_is_refused(folder, role, damage):
    ending, content, words = REFUSED[damage]
    assert words in refused(paths(folder, role, ending, content), role)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "damage",
    ["nothing", "a column missing", "half a column missing", "a column dropped", "columns turned round", "a constant",
     "values of another column", "text around numbers", "a row index"],
)  # fmt: skip
@pytest.mark.parametrize("at", [0.2, 0.4, 0.6, 0.8])
def test_what_can_be_reconciled_is_read(folder, role, damage, at):
    files = paths(folder, role, ".parquet", as_bytes(FRAMED[damage](FRAMES[role], at), ".parquet"))
    assert refused(files, role) is None


@pytest.mark.parametrize("role", ROLES)
def test_a_hundred_thousand_categories(folder, role):
    rows = 100_000
    many = people(9, rows).assign(job=[f"job {n}" for n in range(rows)])
    files = paths(folder, role, ".csv", as_bytes(many, ".csv"))
    alike = read_alike(files["training"], files["synthetic"], files["control"])
    left_out = [one.name for one in alike.identifiers]
    assert left_out == (["id", "job"] if role == "training" else ["id"])
    assert role == "training" or alike.train.schema["job"].size == 201


def test_a_control_file_that_is_the_training_file(folder):
    shuffled = FRAMES["training"].sample(frac=1, random_state=1)
    files = paths(folder, "control", ".parquet", as_bytes(shuffled, ".parquet"))
    assert "holds the same records as" in refused(files, "control")


COMMAND_LINE = ("empty", "latin-1", "semicolons", "half of a gz", "half of a Parquet file", "no name in common")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("damage", COMMAND_LINE)
def test_the_command_line_says_one_line_and_leaves_nothing_behind(folder, tmp_path, capfd, monkeypatch, role, damage):
    ending, content, words = REFUSED[damage]
    files, out = paths(folder, role, ending, content), tmp_path / "out"
    options = ["--train", files["training"], "--control", files["control"], "--out", out]
    monkeypatch.setattr("sys.argv", [str(part) for part in ("privbench", "audit", files["synthetic"], *options)])
    with pytest.raises(SystemExit) as left:
        main()
    printed = capfd.readouterr()
    assert left.value.code == 2
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert line.startswith("error: ")
    assert words in line
    assert str(files[role]) in line
    assert not out.exists()


def test_the_command_line_refuses_a_control_file_that_is_the_training_file(folder, tmp_path, capfd, monkeypatch):
    train = str(folder / "training.csv")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "sys.argv", ["privbench", "audit", str(folder / "synthetic.csv"), "--train", train, "--control", train]
    )
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert "holds the same records as" in capfd.readouterr().err
    assert not list(tmp_path.iterdir())
