"""Texts that are numbers: told from others, and written in one way.

A leading zero is no number's: it is part of a code, such as a postcode, unless another file holds the codes as numbers.

References
----------
The same rule for one file: privbench/datasets/csvfile.py.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from privbench.datasets.cells import Cells, files
from privbench.datasets.number_column import CONTINUOUS_ABOVE, EXACT
from privbench.datasets.texts import NUMBER, plain_text

__all__ = ["PADDED", "canonical", "few_beside", "is_number", "mostly_numbers"]

PADDED = re.compile(r"0\d+", re.ASCII)


def is_number(text: str) -> bool:
    """Whether a text is a number without leading zeros."""
    return NUMBER.fullmatch(text) is not None and not re.match(r"[+-]?0\d", text)


def mostly_numbers(cells: Mapping[str, Cells]) -> bool:
    """Whether texts beside numbers, or with a few other texts among them, are numbers."""
    native = any(part.sort == "numbers" for part in cells.values())
    numbers: set[float] = set()
    others: set[str] = set()
    for part in cells.values():
        if part.numbers is not None:
            numbers |= {*pd.unique(part.numbers[~np.isnan(part.numbers)]).tolist()}
        else:
            odd = {text for text in part.texts if not is_number(text)}
            if not few_beside(odd, part.texts):
                return False
            numbers |= {float(text) for text in part.texts if text not in odd}
            others |= odd
    if not others:
        return native
    return few_beside(others, numbers) and len(numbers) > CONTINUOUS_ABOVE and not any(map(PADDED.fullmatch, others))


def few_beside(others: Collection[str], beside: Collection[object]) -> bool:
    """Whether some texts are at most one, or a tenth of what they stand beside."""
    return len(others) <= max(1, len(beside) // 10)


def canonical(cells: Mapping[str, Cells], *, mixed: bool) -> tuple[dict[str, Cells], list[str]]:
    """Write texts of numbers in one way, and say so where that changed one."""
    padded = mixed and any(part.sort == "numbers" for part in cells.values())
    padded = padded and any(map(PADDED.fullmatch, np.concatenate([part.texts for part in cells.values()])))
    new = {role: [_one_way(text, padded=padded) for text in part.texts] for role, part in cells.items()}
    if not mixed and any(len({*texts}) < len(texts) for texts in new.values()):
        return dict(cells), []  # "1.1" and "1.10" may be two versions
    changed = {role: (part.texts != np.array(new[role], dtype=object)).any() for role, part in cells.items()}
    said = ["leading zeros of its numbers left out, as one file lacks them"] if padded else []
    if not padded and any(changed.values()):
        said = [f"numbers of {files([role for role in cells if changed[role]])} written in one way, 1.0 as 1"]
    return {role: part.renamed(new[role]) for role, part in cells.items()}, said


def _one_way(text: str, *, padded: bool) -> str:
    if padded and PADDED.fullmatch(text):
        return text.lstrip("0") or "0"
    if is_number(text) and abs(number := float(text)) < EXACT:
        return plain_text(number)
    return text
