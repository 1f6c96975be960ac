"""Columns that files write so differently that comparing them tells nothing: they are said aloud."""

import numpy as np
import pandas as pd
import pytest

from tests.datasets.one_column import read

YES, BOOL, MANY = ["ja", "nein"] * 50, [True, False] * 50, list(range(50)) * 2


@pytest.mark.parametrize(
    ("train", "synthetic", "control", "words"),
    [
        (YES, BOOL, YES, ["no value of the synthetic file is one of the training file's ('False', 'True' against "
                          "text); make them alike and audit again."]),
        (YES, BOOL, None, ["'False', 'True' against text"]),
        (YES, BOOL, BOOL, ["value of the synthetic file", "value of the control file"]),
        (YES, YES, BOOL, ["no value of the control file is one of the training file's (true/false against text)"]),
        (BOOL, YES, BOOL, ["'ja', 'nein' against true/false"]),
        (YES, [1, 2] * 50, YES, ["'1', '2' against text"]),
        (YES, [*["Ja", "Nein"] * 200, "ja"], YES, ["next to no value of the synthetic file", "against other text"]),
        (YES, [*["Ja", "Nein"] * 40, "ja"], YES, []),
        (YES, [*BOOL, *[None] * 500], YES, ["'False', 'True' against"]),
        (YES, ["ja"] * 100, YES, []),
        ([1] * 60, ["True"] * 60, BOOL[:1] * 60, []),
        ([1, 0] * 60, ["true", "false"] * 60, BOOL, []),
        (YES, [None] * 100, YES, ["synthetic file has no value that can be read"]),
        ([1, 2, 3] * 30, [10, 20, 30] * 30, [1, 2, 3] * 30, ["10, 20, 30 against other numbers"]),
        ([1, 2, 3] * 30, [1.5, 2.25, 2.75] * 30, [1, 2, 3] * 30, []),
        ([1, 2] * 30, ["1.0", "2.0"] * 30, ["1", "2"] * 30, []),
        # of towns that nearly nobody shares, nothing is expected
        ([f"t{n}" for n in range(85)] + ["t0"] * 15, [f"s{n}" for n in range(100)], [f"c{n}" for n in range(100)], []),
        ([f"t{n}" for n in range(100)], [f"s{n}" for n in range(100)], [f"t{n}" for n in range(50, 150)], []),
        # numbers
        (np.arange(300) * 150.5, np.arange(300) * 0.15 - 50, np.arange(300) * 149.5,
         ["none of the synthetic file's numbers lies among the training file's: they are lower (half of them from "
          "-38.8 to -16.4)"]),
        ([0, *np.arange(299) * 150.5 + 9000], np.arange(300) * 0.15, None, ["none of the synthetic file's numbers"]),
        (np.arange(300) * 150.5, np.arange(300) * 150.5 + 40000, None, []),
        (np.arange(300) / 7, np.arange(300) / 7, np.arange(300) / 7 + 1e6,
         ["none of the control file's numbers lies among the training file's: they are higher; make them"]),
        ([*[0] * 299, *np.arange(30) * 1000.5], np.linspace(-20, 20, 300), None, []),
        (pd.date_range("2020-01-01", periods=61, freq="4D"), pd.date_range("1970-01-01", periods=61), None,
         ["none of the synthetic file's dates", "they are earlier (half of them from 1970-01-16 to 1970-02-15)"]),
        ([*np.arange(60) / 7, None], [*np.arange(60) + 1e5, None], None, ["none of the synthetic file's numbers"]),
        (np.arange(99) / 7, [f"{n} EUR" for n in range(99)], np.arange(99) / 7, ["EUR'", "against numbers"]),
        (MANY, [f"{n} years" for n in MANY], MANY, ["years', ... against numbers"]),
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
