"""A data set ready for games: records to play with, and test records that no game ever touches."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

from privbench.table import Table

__all__ = ["Dataset"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Records that may be published, attacked or granted, and real test records for downstream models.

    Parameters
    ----------
    name : str
        Its name in results.
    records : Table
        The pool from which a game draws training records, controls and a population.
    test : Table
        Records on which downstream models are judged; never published, attacked or granted.
    source : str
        Where the data come from, and under which licence.
    notes : tuple of str
        Everything that was decided while reading it: coercions, inferred kinds and domains.
    path : str
        A user's file as its path was given, for errors alone: no report shows it. Empty for a built-in data set.
    """

    name: str
    records: Table
    test: Table
    source: str = ""
    notes: tuple[str, ...] = field(default=())
    path: str = field(default="", repr=False)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of schema, records and test records: of their three digests in hexadecimal, in this order."""
        parts = (self.records.schema.sha256, self.records.sha256, self.test.sha256)
        return hashlib.sha256("".join(parts).encode()).hexdigest()
