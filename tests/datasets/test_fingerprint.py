"""Fingerprints of files, and digests of the data sets in them: what they follow and what they do not."""

import os
from pathlib import Path

import pytest

from privbench.datasets.files import fingerprint
from privbench.errors import InputError
from tests.datasets.small_file import PEOPLE, load


def test_digest_of_a_data_set_covers_schema_records_and_test(write):
    plain = load(write(PEOPLE))
    assert len(plain.sha256) == 64
    digests = {
        plain.sha256,
        load(write(PEOPLE), test=0.5).sha256,
        load(write(PEOPLE), groups=("job",)).sha256,
        load(write(PEOPLE.replace("20,cook", "20,clerk"))).sha256,
    }
    assert len(digests) == 4
    assert not any(digest.startswith(plain.records.sha256[:32]) for digest in digests)
    assert load(write(PEOPLE, "other.csv"), name="people.csv").sha256 == plain.sha256


def test_fingerprint_follows_the_bytes_and_the_place(write, tmp_path, monkeypatch):
    path = write(PEOPLE)
    spec = {"path": str(path), "label": "job"}
    first = fingerprint(spec)
    assert len(first) == 64
    stamp = path.stat()
    path.write_text(PEOPLE.replace("20,cook", "20,cock"))  # as long, and as old
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert fingerprint(spec) != first
    path.write_text(PEOPLE)
    assert fingerprint({"path": str(path)}) == first
    assert fingerprint({"path": str(write(PEOPLE, "copy.csv"))}) != first
    monkeypatch.chdir(tmp_path)
    assert fingerprint({"path": "./people.csv"}) == first


def test_fingerprint_covers_the_test_file(write):
    spec = {"path": str(write(PEOPLE)), "test": str(write(PEOPLE, "test.csv"))}
    first = fingerprint(spec)
    assert first != fingerprint({**spec, "test": 0.2})
    Path(spec["test"]).write_text(PEOPLE + "30,cook,1\n")
    assert fingerprint(spec) != first


def test_fingerprint_of_what_is_no_file(tmp_path):
    assert fingerprint("adult") == fingerprint("other") == "built-in"
    with pytest.raises(InputError, match=r"none\.csv: does not exist"):
        fingerprint({"path": str(tmp_path / "none.csv")})
    with pytest.raises(InputError, match="no 'path'"):
        fingerprint({"label": "job"})
