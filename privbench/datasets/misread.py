"""Columns of a CSV file that are text only because the signs of numbers were not given.

References
----------
International Bureau of Weights and Measures, "The International System of Units (SI)", section 5.4.4: the two decimal
signs, and digits in groups of three.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from privbench.datasets.dialect import Dialect
from privbench.datasets.texts import shown
from privbench.errors import InputError

__all__ = ["NEARLY", "refuse_misread"]

NEARLY = 0.95
"""Of the different texts of a column: that many numbers, and it is one of numbers."""

_GROUPING = (" ", "'", "\u00a0", "\u202f", "\u2019")


def refuse_misread(texts: Any, dialect: Dialect, where: str) -> None:
    """Refuse a column of text whose values are nearly all numbers in another dialect.

    Parameters
    ----------
    texts : Arrow array
        The different texts of a column, no blanks around them.
    dialect : Dialect
        In which it is no column of numbers.
    where : str
        How to begin an error: the path and the column.

    Raises
    ------
    InputError
        Naming a value and the options with which it is a number.
    """
    import pyarrow.compute as pc

    texts = texts.filter(pc.fill_null(pc.not_equal(texts, ""), False))
    alone = pc.match_substring_regex(texts, f"^[-+0-9.,eE{''.join(_GROUPING)}]+$")
    if (pc.sum(alone).as_py() or 0) < NEARLY * len(texts):  # most columns of text, which are not looked at further
        return
    here = dialect.numbers(texts)
    fits = []
    for other in _others(dialect):
        there = other.numbers(texts)
        gained = pc.and_not(there, here)
        some = pc.sum(gained).as_py() or 0
        if some and pc.sum(there).as_py() >= NEARLY * len(texts) and some >= (1 - NEARLY) * len(texts):
            fits.append((other, texts[pc.index(gained, True).as_py()].as_py()))
    if not fits:
        return
    best, value = fits[0]
    chosen = [_options(best, dialect)]
    # digits in threes behind one sign may be decimals, too: the other sign is its only rival
    if best.decimal == dialect.decimal and best.thousands in {",", "."}:
        chosen += [_options(other, dialect) for other, _ in fits if other.decimal == best.thousands][:1]
    signs = f"the decimal sign is {dialect.decimal!r}"
    signs += (
        f" and the thousands sign {dialect.thousands!r}" if dialect.thousands else " and no thousands sign is given"
    )
    raise InputError(
        f"{where}: value {shown(value)} is no number where {signs}; pass {' or '.join(chosen)} (`decimal`, `thousands` "
        "in Python or a config), or list the column under `categorical` to read it as text"
    )


def _others(dialect: Dialect) -> Sequence[Dialect]:
    """Return the dialects to try, the plainest first: what fits without a sign of thousands fits with one."""
    same, other = dialect.decimal, "." if dialect.decimal == "," else ","
    signs = [(same, other), (other, ""), (other, same)]
    signs += [(decimal, grouping) for grouping in _GROUPING for decimal in (same, other)]
    found = [replace(dialect, decimal=decimal, thousands=thousands) for decimal, thousands in signs]
    return [one for one in found if one != dialect]


def _options(wanted: Dialect, given: Dialect) -> str:
    """Write what to pass, and what to leave out, to get from one dialect to another."""
    parts = [f"--decimal {wanted.decimal!r}"] if wanted.decimal != given.decimal else []
    if wanted.thousands not in {given.thousands, ""}:
        parts.append(f"--thousands {wanted.thousands!r}")
    if given.thousands and not wanted.thousands:
        parts.append("no --thousands")
    return " and ".join(parts) if "no --thousands" in parts else " ".join(parts)
