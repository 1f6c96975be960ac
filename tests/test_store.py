"""Files are written whole or not at all, and what is no file's name is said in a sentence."""

from pathlib import Path

import pytest

from privbench.errors import InputError
from privbench.store import write_atomically


@pytest.mark.parametrize("name", ["", ".", "/"])
def test_a_name_that_is_no_files_is_refused(name):
    with pytest.raises(InputError, match="is a folder, where a file is to be written"):
        write_atomically(Path(name), lambda half: half.write_text("x"))


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path):
    path = tmp_path / "new" / "file.txt"
    for text in ("old", "new"):
        write_atomically(path, lambda half, text=text: half.write_text(text))
    assert path.read_text() == "new"

    def broken(half):
        half.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match=r"cannot be written \(No space left on device\)"):
        write_atomically(path, broken)
    assert path.read_text() == "new"
    assert [one.name for one in path.parent.iterdir()] == ["file.txt"]
