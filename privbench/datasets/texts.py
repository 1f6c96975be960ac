"""Values as text: what a number and a date look like, a column read as text, and values shown in a sentence."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["DATE", "NUMBER", "as_text", "count", "plain_text", "shown"]

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
"""A decimal number, with or without an exponent."""
_DAY, _MONTH = r"(0?[1-9]|[12]\d|3[01])", r"(0?[1-9]|1[0-2])"
DATE = re.compile(
    rf"(\d{{4}}(?P<i>[-/.]){_MONTH}(?P=i){_DAY}|{_DAY}(?P<s>[-/.]){_DAY}(?P=s)\d{{4}}|{_DAY}/{_DAY}/\d\d)"
    r"([T ]+\d{1,2}:\d\d(:\d\d([.,]\d+)?)?( ?[AaPp][Mm])?( ?(Z|UTC|[+-]\d\d(:?\d\d)?))?)?",
    re.ASCII,
)
"""A date written with numbers, in any usual order, and perhaps a time of day."""


def as_text(series: pd.Series[Any]) -> tuple[pd.Series[Any], tuple[str, ...]]:
    """Read any column as text: blanks around it removed, the empty text missing; and say what was changed."""
    codes, distinct = pd.factorize(series)
    raw = [value if isinstance(value, str) else plain_text(value) for value in distinct]
    texts = [text.strip() for text in raw]
    counts = np.bincount(codes[codes >= 0], minlength=len(raw))
    padded = [code for code, text in enumerate(raw) if text != texts[code]]
    notes = []
    if padded:
        notes.append(
            f"blanks around the text removed in {count(counts[padded].sum(), 'cell')}, as in {raw[padded[0]]!r}"
        )
    if any(not isinstance(value, str) for value in distinct):
        notes.append("read as text")
    values = sorted({*texts} - {""})
    position = {text: code for code, text in enumerate(values)}
    coded = np.array([*(position.get(text, -1) for text in texts), -1])[codes]  # -1 is missing
    clean = pd.Categorical.from_codes(coded, categories=pd.Index(values, dtype=object))
    return pd.Series(clean, index=series.index, name=series.name), tuple(notes)


def plain_text(value: object) -> str:
    """Write a value as text, a whole decimal number without its point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def shown(value: object) -> str:
    """Write a value for an error: on one line, and not all of a long one."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:76]} ..."


def count(number: int, noun: str) -> str:
    """Write how many there are of a thing, with its plural."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
