"""No cell of a real file stands in anything that an audit says: its page, Markdown, JSON, notes and terminal output."""

from __future__ import annotations

import io
import re

import numpy as np
import pandas as pd
import pytest
import rich.console

import privbench
from privbench.datasets.alike import AlikeOptions
from privbench.rng import stream

NAME = "Musterfrau"
"""In every text that only a few real records hold."""
COMMON = "Kundin"
"""In those that many hold: they are names of groups, which have figures, and stand nowhere else."""
NUMBERS = re.compile(r"(?<![\d.])(777[,.]?123|666[,.]?321|555[,.]?123|(7\.77|6\.66|5\.55)\d*e\+)", re.IGNORECASE)
"""The numbers that real files alone hold, however they are written, but no others that begin so."""
DATES = re.compile(r"0[67]\.(190[67]|2177|2166)|(190[67]|2177|2166)-0")
N = 600


def real(key: str, digit: int) -> pd.DataFrame:
    """Return a real file with cells of every kind that are one person's own: `digit` tells the files apart."""
    rng = stream(0, "real values", key)
    born = pd.to_datetime("1950-01-01") + pd.to_timedelta(rng.integers(0, 9000, N), unit="D")
    came = pd.to_datetime("2001-01-01") + pd.to_timedelta(rng.integers(0, 40, N), unit="D")
    own = {6: 666321666.25, 7: 777123777.25}[digit]
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 90, N).astype(object),
            "wealth": np.exp(rng.normal(5, 1, N)),
            "debt": np.exp(rng.normal(5, 1, N)),
            "units": 555123000.5 + rng.random(N) * 99,
            "born": born.strftime("%d.%m.%Y").to_numpy(object),
            "came": came.strftime("%Y-%m-%d").to_numpy(object),
            "job": rng.choice(["baker", "clerk", "smith"], N).astype(object),
            "town": np.array([f"town {n}" for n in rng.integers(0, 250, N)], object),
            "answer": rng.choice([f"{COMMON} ja", f"{COMMON} nein"], N),
            "risk": rng.choice(["high", "low"], N).astype(object),
            "id": [f"{NAME}-{key}-{n}" for n in range(N)],
        }
    )
    frame.loc[3, "age"] = f"ask Dr {NAME} 0171-555"
    frame.loc[4, "age"] = f"see {NAME}"
    frame.loc[5, ["wealth", "debt"]] = own
    frame.loc[6, ["wealth", "debt"]] = -own
    frame.loc[7:30, "debt"] = np.nan
    frame.loc[8, "born"], frame.loc[9, "born"] = f"01.0{digit}.190{digit}", f"01.0{digit}.21{digit}{digit}"
    frame.loc[10, "born"] = f"with {NAME}"
    frame.loc[11, "came"] = f"190{digit}-01-01"
    frame.loc[12, "job"] = f"{NAME}'s job"
    frame.loc[13:14, "town"] = f"{NAME}'s town"
    frame.loc[15:40, "risk"] = f"zz {NAME}"
    return frame


def made(train: pd.DataFrame) -> pd.DataFrame:
    """Return a release: others' records, people of the training file, and cells of its own that are far beyond."""
    both = pd.concat([real("others", 6)[100:400], train[100:400]], ignore_index=True)
    both["units"] = np.arange(N) % 97 / 7
    both["answer"] = np.arange(N) % 2 == 0
    both["risk"] = both["risk"].replace(f"zz {NAME}", "low")
    both["id"] = [f"made {n}" for n in range(N)]
    both.loc[0, "age"], both.loc[1, ["wealth", "debt"]], both.loc[2, "wealth"] = "made-up text", 8.5e14, -8.5e14
    both.loc[3:5, "debt"], both.loc[6, "job"], both.loc[7, "born"] = np.nan, "made-up job", "01.01.2250"
    assert not re.search(f"{NAME}|{COMMON}", both.to_csv())
    return both


@pytest.mark.parametrize("beside", [True, False], ids=["control", "alone"])
@pytest.mark.parametrize("group", [None, ("debt", "job")], ids=["any group", "named"])
def test_no_cell_of_a_real_file_is_said(tmp_path, beside, group):
    train = real("train", 7)
    result = privbench.audit(
        train, made(train), real("control", 6) if beside else None, group=group, label="risk",
        attacks=("cap",), targets=N, workers=1, options=AlikeOptions(dates="%d.%m.%Y"),
    )  # fmt: skip
    result.write(tmp_path)
    printed = io.StringIO()
    result.print(rich.console.Console(file=printed, width=400))
    said = {
        "terminal": printed.getvalue(),
        "notes": "\n".join(result.findings.notes),
        "columns": result.columns.to_csv(),
        "figures": result.frame.select_dtypes(exclude="number").drop(columns="dataset_sha256").to_csv(),
        "verdict": repr(result) + result._repr_html_(),
        **{path.name: path.read_text() for path in tmp_path.iterdir() if path.suffix in {".html", ".md", ".json"}},
    }
    assert {"report.html", "summary.md", "audit.json"} < {*said}
    if group is None:  # a group goes by its name, whoever names a column wants its groups
        for where, text in said.items():
            assert NAME not in text, (where, text[text.index(NAME) - 200 :][:400])
    for where, text in said.items():
        for kind in (NUMBERS, DATES):
            assert not (found := kind.search(text)), (where, text[max(found.start() - 200, 0) :][:400])
    assert COMMON not in said["notes"] + said["summary.md"]
    # what is left out is counted, and what the release holds alone is quoted
    for words in (
        "read as missing: 2 texts of the training file; 'made-up text' of the synthetic file",
        "synthetic numbers far beyond the real ones",
        "looks like dates written as '%Y-%m-%d'",
        "never seen in training: 'made-up job'",
        "the favourable value is the last of the training file's",
        "no value of the synthetic file is one of the training file's ('False', 'True' against text)",
        "none of the synthetic file's numbers lies among the training file's: they are lower",
    ):
        assert words in said["notes"] + said["audit.json"], words


def test_nobody_is_said_to_be_rare_in_a_secret():
    train = real("train", 7)[["wealth", "job", "town", "risk"]]
    release = train.drop_duplicates().reset_index(drop=True)
    control = real("control", 6)[["wealth", "job", "town", "risk"]]
    result = privbench.audit(train, release, control, secret=("risk", "job"), attacks=("cap",), targets=100, workers=1)
    rare = {name for one in result.findings.records for name in one.rare_in.split(" x ")}
    assert rare
    assert rare <= {"wealth", "town"}
