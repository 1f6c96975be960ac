"""The one domain of a column that stands in several files: its values, which are merged, or why it is left out.

Whoever audits a release holds all files, so domains and bounds are read off all of them: they claim no guarantee. A
column is left out if it says nothing (one value, or none) or has a value of its own for nearly everybody (an
identifier); how many identifiers of real people stand in the release is counted instead.

References
----------
M. Giomi et al., "A Unified Framework for Quantifying Privacy Risk in Synthetic Data", PoPETs 2023: direct identifiers
are no attribute to infer.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from privbench.datasets.cells import Codes, Floats
from privbench.datasets.number_column import CONTINUOUS_ABOVE
from privbench.datasets.number_domains import place_numbers
from privbench.datasets.placed import MANY, Placed, identified, left_out, listed, own_values
from privbench.datasets.reconcile import Reconciled
from privbench.datasets.texts import shown
from privbench.schema import Kind

__all__ = ["OTHER", "OWN", "place"]

OTHER = "(other)"
"""What all but the `MANY` most frequent texts of real records are merged into."""

OWN = 0.9
"""An identifier has this many different values a training record, or more."""

LONG, WORDS = 40, 8
"""Characters and words from which on a text is free text; an address has fewer."""


def place(one: Reconciled, *, kind: str | None, role: str | None) -> Placed:
    """Give a column its domain.

    Parameters
    ----------
    one : Reconciled
        Its values in all files; ``training`` and ``synthetic`` are among the roles.
    kind : str or None
        ``continuous`` or ``ordinal`` if that is not to be inferred.
    role : str or None
        ``label`` or ``groups`` for a column that must stay, and discrete if it can.
    """
    if one.values is None:
        numbers: dict[str, Floats] = {name: np.asarray(part, dtype=np.float64) for name, part in one.parts.items()}
        return place_numbers(one, numbers, kind=kind, role=role)
    codes: dict[str, Codes] = {name: np.asarray(part, dtype=np.int32) for name, part in one.parts.items()}
    return _texts(one.name, one.values, codes, role, one.said)


def _texts(
    name: str, texts: NDArray[np.object_], codes: dict[str, Codes], role: str | None, said: tuple[str, ...]
) -> Placed:
    counts = {key: np.bincount(part + 1, minlength=len(texts) + 1)[1:] for key, part in codes.items()}
    missing = {key: part < 0 for key, part in codes.items()}
    if not len(texts):
        return left_out(said, "no value in any file")
    if len(texts) == 1 and not any(mask.any() for mask in missing.values()) and role is None:
        return left_out(said, f"the value {shown(texts[0])} in every record")
    own, filled = int((counts["training"] > 0).sum()), int(counts["training"].sum())
    if own > CONTINUOUS_ABOVE and own >= OWN * filled and role is None:
        there = np.append(counts["synthetic"] > 0, False)
        found = {key: there[part] for key, part in codes.items()}
        words = _are_sentences(texts[counts["training"] > 0])
        return identified(name, found, codes, said, words=words)
    said = (*said, *_own_texts(texts, counts))
    if len(texts) <= MANY:
        return listed(name, Kind.CATEGORICAL, texts.tolist(), codes, missing, said)
    real = sum(part for key, part in counts.items() if key != "synthetic")
    kept = np.sort(np.argsort(-np.asarray(real), kind="stable")[:MANY])
    place = np.full(len(texts), MANY, dtype=np.int32)
    place[kept] = np.arange(MANY, dtype=np.int32)
    values = texts[kept].tolist()
    if OTHER in values:
        place[place == MANY] = values.index(OTHER)
    else:
        values.append(OTHER)
    merged = f"{len(texts):,} values; the {MANY} most frequent of real records kept, the others merged into {OTHER!r}"
    return listed(
        name, Kind.CATEGORICAL, values, {key: place[part] for key, part in codes.items()}, missing, (*said, merged)
    )


def _are_sentences(texts: NDArray[np.object_]) -> bool:
    """Whether most texts are long and of many words: no name, code or address."""
    long = [len(text) >= LONG and len(text.split()) >= WORDS for text in texts]
    return sum(long) > len(long) / 2


def _own_texts(texts: NDArray[np.object_], counts: Mapping[str, NDArray[np.int64]]) -> list[str]:
    made, real = counts["synthetic"] > 0, counts["training"] > 0
    return own_values(
        [shown(text) for text in texts[made & ~real][:3]], int((made & ~real).sum()), int((real & ~made).sum())
    )
