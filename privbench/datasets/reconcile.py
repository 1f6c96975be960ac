"""One column of several files brought to one sort of values: numbers everywhere, or text everywhere.

| what the files hold | read as |
| --- | --- |
| numbers everywhere | numbers |
| dates, or texts that are dates | days since 1970-01-01 |
| true/false, and such, 0/1, yes/no, y/n or t/f in another file | the texts False and True |
| numbers in one file, texts of numbers in another | numbers |
| more than `CONTINUOUS_ABOVE` different numbers, and at most a tenth other texts | numbers, other texts missing |
| numbers in one file, other texts in another | text: 1, "1" and "1.0" are the same |
| digits after a leading zero beside numbers | text without the zeros |
| text everywhere | text; "1" and "1.0" are the same unless a file has both |

References
----------
RFC 4180, section 2: a CSV file says nothing of types, so that the same values come back as others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from privbench.datasets.cells import Cells, Codes, Floats, Sort, files
from privbench.datasets.dates import days_of_texts, looks_like_dates
from privbench.datasets.number_texts import PADDED, canonical, few_beside, is_number, mostly_numbers
from privbench.datasets.texts import count, shown
from privbench.errors import InputError

__all__ = ["Reconciled", "reconcile"]

_TRUTHS = {"true": "True", "false": "False"}
_ALSO_TRUTHS = {
    "1": "True",
    "0": "False",
    "yes": "True",
    "no": "False",
    "y": "True",
    "n": "False",
    "t": "True",
    "f": "False",
}
"""What true and false may be written as in another file than one that has the words."""


@dataclass(frozen=True, slots=True, eq=False)
class Reconciled:
    """One column of all files, in one sort of values.

    Attributes
    ----------
    name : str
    values : array of shape (k,) of str, or None
        The different texts of all files, sorted; None if the column holds numbers.
    parts : mapping of str to array
        For each role `n` codes into `values`, -1 where missing; or `n` numbers, NaN where missing.
    said : tuple of str
        What was reconciled, a sentence each without its point.
    dates : bool
        Whether the numbers are days.
    sorts : mapping of str to str
        What each role's file held before.
    """

    name: str
    values: NDArray[np.object_] | None
    parts: Mapping[str, Codes | Floats]
    said: tuple[str, ...]
    dates: bool = False
    sorts: Mapping[str, Sort] = field(default_factory=dict)


def reconcile(
    name: str, cells: Mapping[str, Cells], *, where: Mapping[str, str], kind: str | None, layout: str | None
) -> Reconciled:
    """Bring one column of several files to one sort of values.

    Parameters
    ----------
    name : str
        The column.
    cells : mapping of str to Cells
        What each role's file holds.
    where : mapping of str to str
        How to begin an error of each role's file.
    kind : str or None
        ``continuous`` or ``ordinal`` (numbers), ``categorical`` (text), or None.
    layout : str or None
        Of dates written as text.

    Raises
    ------
    InputError
        If numbers are asked for and most values of a file are none.
    """
    one = _one_sort(name, cells, where, kind, layout)
    return replace(one, sorts={role: part.sort for role, part in cells.items()})


def _one_sort(
    name: str, cells: Mapping[str, Cells], where: Mapping[str, str], kind: str | None, layout: str | None
) -> Reconciled:
    said = _storage(cells)
    sorts = {part.sort for part in cells.values()} - {"nothing"}
    texts = {role: part for role, part in cells.items() if part.numbers is None}
    if kind != "categorical":
        if sorts <= {"dates", "text"} and sorts and _all_dates(texts, "dates" in sorts, layout):
            return _dates(name, cells, said, layout)
        if sorts <= {"numbers"} and all(part.numbers is not None or part.sort == "nothing" for part in cells.values()):
            return _numbers(name, cells, said)
        if kind is None and (truths := _truths(cells)):
            return _texts(name, truths, [*said, *_sorts(cells, "true/false")])
        if sorts <= {"numbers", "text"} and (kind is not None or mostly_numbers(cells)):
            return _parsed(name, cells, said, where)
        if kind is not None:
            role = next(role for role, part in cells.items() if part.sort not in {"numbers", "nothing"})
            raise InputError(
                f"{where[role]}: {cells[role].sort} where `{kind}` asks for numbers; take it out of that list"
            )
    plain, more = canonical({role: part.as_text() for role, part in cells.items()}, mixed=len(sorts) > 1)
    return _texts(name, plain, [*said, *_sorts(cells, "text"), *more])


def _storage(cells: Mapping[str, Cells]) -> list[str]:
    """Say what stands differently in the files although the values are the same."""
    said = [
        f"blanks removed around {count(part.trimmed, 'different text')} of {files([role])}"
        for role, part in cells.items()
        if part.trimmed
    ]
    whole = [role for role, part in cells.items() if part.sort == "numbers" and part.whole]
    decimal = [role for role, part in cells.items() if part.sort == "numbers" and not part.whole]
    if whole and decimal and all(_is_whole(cells[role].numbers) for role in decimal):
        said.append(f"whole numbers, which {files(decimal)} write{'s' * (len(decimal) == 1)} as decimals")
    return said


def _is_whole(numbers: Floats | None) -> bool:
    return numbers is not None and bool((np.isnan(numbers) | (numbers == np.floor(numbers))).all())


def _sorts(cells: Mapping[str, Cells], result: str) -> list[str]:
    """Say which file holds what, if they differ."""
    held = [(part.sort, role) for role, part in cells.items() if part.sort != "nothing"]
    if len({sort for sort, _ in held}) < 2:
        return []
    groups = groupby(sorted(held, key=lambda pair: pair[0]), key=lambda pair: pair[0])
    parts = [f"{sort} in {files([role for _, role in pairs])}" for sort, pairs in groups]
    return [f"{', '.join(parts)}; read as {result}"]


def _all_dates(texts: Mapping[str, Cells], native: bool, layout: str | None) -> bool:
    distinct = pd.unique(np.concatenate([part.texts for part in texts.values()] or [np.empty(0, object)]))
    return (native and not len(distinct)) or looks_like_dates(distinct, layout)


def _dates(name: str, cells: Mapping[str, Cells], said: list[str], layout: str | None) -> Reconciled:
    roles = [role for role, part in cells.items() if part.numbers is None]
    read, order = days_of_texts([cells[role].texts for role in roles], layout)
    days = {role: part.numbers for role, part in cells.items() if part.numbers is not None}
    lost = {role: cells[role].texts[np.isnan(each)] for role, each in zip(roles, read, strict=True)}
    days |= {role: np.append(each, np.nan)[cells[role].codes] for role, each in zip(roles, read, strict=True)}
    said = [*said, "dates, read as days since 1970-01-01"]
    if order:
        said.append(
            f"its dates do not tell days from months; read with the {order}, `dates` (--dates '%d/%m/%Y') overrides"
        )
    return Reconciled(name, None, {role: days[role] for role in cells}, (*said, *_lost(lost, "dates")), dates=True)


def _numbers(name: str, cells: Mapping[str, Cells], said: list[str]) -> Reconciled:
    parts = {
        role: np.full(len(part.codes), np.nan) if part.numbers is None else part.numbers for role, part in cells.items()
    }
    single = [role for role, part in cells.items() if part.single]
    if single and len(single) < len(cells):
        said = [*said, f"in single precision in {files(single)}, and compared so in all"]
    if single:
        with np.errstate(over="ignore"):
            parts = {role: part.astype(np.float32).astype(np.float64) for role, part in parts.items()}
    infinite = [role for role, part in parts.items() if np.isinf(part).any()]
    if infinite:
        said = [*said, f"infinite numbers of {files(infinite)} read as missing"]
        parts |= {role: np.where(np.isinf(parts[role]), np.nan, parts[role]) for role in infinite}
    return Reconciled(name, None, parts, tuple(said))


def _truths(cells: Mapping[str, Cells]) -> dict[str, Cells]:
    """Return all files' cells as False and True, if one holds the words and the others nothing else but such."""
    plain, words = {}, False
    for role, part in cells.items():
        part = part.as_text()
        lower = [text.lower() for text in part.texts]
        if not {*lower} <= {*_TRUTHS, *_ALSO_TRUTHS}:
            return {}
        words |= bool(lower) and {*lower} <= {*_TRUTHS}
        plain[role] = part.renamed([(_TRUTHS | _ALSO_TRUTHS)[text] for text in lower])
    return plain if words else {}


def _parsed(name: str, cells: Mapping[str, Cells], said: list[str], where: Mapping[str, str]) -> Reconciled:
    """Read all texts as numbers; those that are none are missing."""
    parts, lost = dict(cells), dict[str, NDArray[np.object_]]()
    for role, part in cells.items():
        if part.numbers is None:
            good = [is_number(text) or PADDED.fullmatch(text) is not None for text in part.texts]
            odd = part.texts[~np.array(good, dtype=bool)]
            if not few_beside(odd, part.texts):  # asked to be numbers
                raise InputError(
                    f"{where[role]}: value {shown(odd[0])} is no number, and so are others; `continuous` and `ordinal` "
                    "take numbers; list the column under `categorical` to read all of it as text"
                )
            numbers = [float(text) if number else np.nan for text, number in zip(part.texts, good, strict=True)]
            parts[role] = Cells("numbers", numbers=np.append(np.array(numbers, dtype=np.float64), np.nan)[part.codes])
            lost[role] = odd
    return _numbers(name, parts, [*said, *_sorts(cells, "numbers"), *_lost(lost, "numbers")])


def _lost(texts: Mapping[str, Iterable[str]], what: str) -> list[str]:
    """Say which texts are missing; those of real files are counted, as each may be what one person's record says."""
    said = []
    for role, odd in texts.items():
        few = [*odd]
        examples = ", ".join(map(shown, few[:5])) + ", ..." * (len(few) > 5)
        said += [f"{examples if role == 'synthetic' else count(len(few), 'text')} of {files([role])}"] if few else []
    return [f"texts among its {what} read as missing: {'; '.join(said)}"] if said else []


def _texts(name: str, cells: Mapping[str, Cells], said: Sequence[str]) -> Reconciled:
    """Code all files' texts by one sorted list."""
    values = np.sort(pd.unique(np.concatenate([part.texts for part in cells.values()])))
    index = pd.Index(values, dtype=object)
    parts = {}
    for role, part in cells.items():
        place = np.append(index.get_indexer(pd.Index(part.texts, dtype=object)), -1).astype(np.int32)
        parts[role] = place[part.codes]
    return Reconciled(name, values, parts, tuple(said))
