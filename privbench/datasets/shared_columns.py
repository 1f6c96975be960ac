"""Which columns several files share, and what is said of those that one of them lacks or spells otherwise.

A column that a file lacks is not asked, and what is not asked reads as safe; so its absence is said aloud.

References
----------
J. W. Ratcliff and D. E. Metzener, "Pattern Matching: The Gestalt Approach", Dr. Dobb's Journal, 1988: the nearest
spelling, as Python's difflib finds it.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from privbench.datasets.cells import files

__all__ = ["SharedColumns", "shared_columns"]


@dataclass(frozen=True, slots=True)
class SharedColumns:
    """What several files have in common.

    Attributes
    ----------
    names : tuple of str
        The columns that all files have, in the training file's order.
    notes : tuple of str
        A sentence on every other column.
    loud : tuple of str
        A sentence on every column that could have been asked had the files been alike.
    """

    names: tuple[str, ...]
    notes: tuple[str, ...]
    loud: tuple[str, ...]


def shared_columns(columns: Mapping[str, Collection[str]]) -> SharedColumns:
    """Compare the names of columns.

    Parameters
    ----------
    columns : mapping of str to collection of str
        For each role its file's names; ``training`` and ``synthetic`` are among the roles.
    """
    everywhere = dict.fromkeys(name for names in columns.values() for name in names)
    lacking = {name: [role for role, names in columns.items() if name not in names] for name in everywhere}
    notes, loud, spelt = [], [], set[str]()
    for name, without in lacking.items():
        if not without:
            continue
        having = [role for role in columns if role not in without]
        notes.append(f"column {name!r}: in {files(having)}, but not in {files(without)}; left out.")
        if having == ["control"] or name in spelt:  # said beside the name that it is a spelling of
            continue
        near = {role: _nearest(name, [one for one in columns[role] if lacking[one]]) for role in without}
        spelt |= {one for one in near.values() if one}
        said = " nor in ".join(files([role]) + (f", which has {one!r}," if one else "") for role, one in near.items())
        advice = "; name it alike in all files and audit again" if any(near.values()) else ""
        loud.append(f"column {name!r} is not in {said.rstrip(',')}; it was not asked{advice}.")
    return SharedColumns(tuple(name for name in columns["training"] if not lacking[name]), tuple(notes), tuple(loud))


def _nearest(name: str, others: Collection[str]) -> str:
    """Return the nearest spelling among names that not all files have; capitals do not count."""
    lower = {other.casefold(): other for other in others}
    found = difflib.get_close_matches(name.casefold(), lower, n=1, cutoff=0.75)
    return lower[found[0]] if found else ""
