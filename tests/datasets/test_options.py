"""Options of a file: read from a config, and refused where they contradict themselves."""

import pytest

from privbench.datasets.files import FileOptions
from privbench.errors import InputError

FULL = {
    "path": "p.csv", "label": "a", "positive": 1, "groups": ["g"], "continuous": ["c"], "categorical": ["d"],
    "ordinal": ["o"], "bounds": {"b": [0, 1.5]}, "domains": {"e": ["x", None]}, "test": 0.3, "name": "n",
}  # fmt: skip


def test_options_from_a_config():
    options = FileOptions.from_mapping(FULL)
    assert options == FileOptions(
        path="p.csv", label="a", positive=1, groups=("g",), continuous=("c",), categorical=("d",), ordinal=("o",),
        bounds={"b": (0, 1.5)}, domains={"e": ("x", None)}, test=0.3, name="n",
    )  # fmt: skip
    assert options.text == {"d", "e"}
    assert FileOptions.from_mapping({"path": "p.csv", "test": "q.csv"}).test == "q.csv"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lable": "a"}, ["'lable'", "did you mean 'label'"]),
        ({"groups": "sex"}, ["groups = 'sex'", "list of columns"]),
        ({"path": 3}, ["path = 3", "a path"]),
        ({"test": 1.5}, ["test = 1.5", "between 0 and 1"]),
        ({"test": True}, ["test = True", "a share"]),
        ({"bounds": {"b": [1]}}, ["bounds", "[low, high]"]),
        ({"bounds": {"b": [None, 1]}}, ["bounds", "[low, high]"]),
        ({"domains": {"e": []}}, ["domains", "lists of values"]),
        ({"continuous": ["d"]}, ["'d'", "`categorical`", "keep one"]),
        ({"ordinal": ["d"]}, ["'d'", "`ordinal`", "keep one"]),
        ({"bounds": {"e": [0, 1]}}, ["'e'", "`domains`", "keep one"]),
        ({"positive": [1]}, ["positive = [1]"]),
        ({"label": None}, ["positive = 1", "without a label"]),
        ({"bounds": {"b": [0, float("inf")]}}, ["bounds", "finite"]),
    ],
)
def test_bad_options_are_refused(change, words):
    with pytest.raises(InputError) as caught:
        FileOptions.from_mapping({**FULL, **change})
    for word in (*words, *([] if "path" in change else ["p.csv"])):
        assert word in str(caught.value)


def test_options_without_a_path_are_refused():
    with pytest.raises(InputError, match="'path'"):
        FileOptions.from_mapping({"label": "a"})
