"""Columns that two files write so differently that nothing can be learned by comparing them.

If real files hold ja and nein and the release True and False, no guess made from the release is ever right, and the
column reads as safe though nobody asked it anything. How many values a file should share with the training file is
told from the training file itself: the share of records whose value another one has, too, or from the control file.

References
----------
I. J. Good, "The Population Frequencies of Species and the Estimation of Population Parameters", Biometrika 40, 1953:
of new records, those whose value was never seen are the share of values seen once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from privbench.datasets.cells import date_text
from privbench.datasets.number_domains import counts_up
from privbench.datasets.placed import Placed
from privbench.datasets.reconcile import Reconciled
from privbench.datasets.texts import shown

__all__ = ["NOTHING", "apart"]

NOTHING = 0.01
"""A file of whose filled cells a smaller share holds what the training file holds has next to nothing in common."""

EXPECTED = 0.2
"""A column is judged if at least this share of new records is expected to hold a value that the training file has."""

EDGE = 0.005
"""Of the training file's numbers on either side: single people's, and zeros that mean missing."""

_NUMERIC = {"numbers", "dates"}


def apart(one: Reconciled, placed: Placed) -> list[str]:
    """Say which files hold next to nothing of what the training file holds in a column.

    Parameters
    ----------
    one : Reconciled
        The column's values in all files.
    placed : Placed
        What became of it: identifiers are expected to differ.

    Returns
    -------
    list of str
        A whole sentence for each file; empty if the column can be compared.
    """
    filled = {
        role: part[part >= 0] if one.values is not None else part[~np.isnan(part)] for role, part in one.parts.items()
    }
    if not len(filled["training"]):
        return []
    said = []
    for role in filled:
        if role == "training" or (placed.column is None and not _other_sort(one, role)):
            continue
        if not len(filled[role]):
            said.append(
                f"column {one.name!r}: the {role} file has no value that can be read, so that nothing can be compared; "
                "fill it and audit again."
            )
        elif one.values is None and not _listed(placed):
            said += _numbers_apart(one, role, filled)
        else:
            said += _values_apart(one, role, filled)
    return said


def _listed(placed: Placed) -> bool:
    """Whether numbers are a discrete column's values, not cut into classes."""
    return placed.column is not None and any(isinstance(value, (int, float)) for value in placed.column.values)


def _other_sort(one: Reconciled, role: str) -> bool:
    """Whether a file has texts where the training file has numbers that do not just count its records."""
    if one.values is None or one.sorts.get("training") not in _NUMERIC or one.sorts.get(role) != "text":
        return False
    if one.sorts["training"] == "dates":
        return True
    own = one.parts["training"]
    numbers = pd.to_numeric(pd.Series(one.values[own[own >= 0].astype(np.int64)]), errors="coerce").to_numpy(np.float64)
    distinct = np.unique(numbers)
    # where true/false are meant, 1 and 0 are no numbers any more
    return not (np.isnan(distinct).any() or (counts_up(distinct, numbers) and (distinct == np.floor(distinct)).all()))


def _values_apart(one: Reconciled, role: str, filled: dict[str, NDArray[Any]]) -> list[str]:
    own, counts = np.unique(filled["training"], return_counts=True)
    shares = {key: float(np.isin(part, own).mean()) for key, part in filled.items() if len(part)}
    expected = 1 - float((counts == 1).sum()) / len(filled["training"])
    if role != "control":
        expected = max(expected, shares.get("control", 0.0))
    if shares[role] >= NOTHING or (expected < EXPECTED and not _other_sort(one, role)):
        return []
    few = "no value" if shares[role] == 0 else "next to no value"
    seen, held = (one.sorts.get(key, "values") for key in ("training", role))
    # what real files hold stands in no sentence, as it may be one person's
    made = _examples(one, *np.unique(filled[role], return_counts=True)) if role == "synthetic" else held
    return [
        f"column {one.name!r}: {few} of the {role} file is one of the training file's ({made} against "
        f"{'other ' * (seen == held)}{seen}); make them alike and audit again."
    ]


def _examples(one: Reconciled, values: NDArray[Any], counts: NDArray[np.int64]) -> str:
    """Write the most frequent values, in their order."""
    first = np.sort(values[np.argsort(-counts, kind="stable")[:3]])
    texts = [shown(one.values[value]) if one.values is not None else f"{value:.15g}" for value in first.tolist()]
    return ", ".join(texts) + ", ..." * (len(values) > len(first))


def _numbers_apart(one: Reconciled, role: str, filled: dict[str, NDArray[Any]]) -> list[str]:
    own, made = filled["training"], filled[role]
    # of different numbers, too: most may be one number, such as zero
    ends = [np.quantile(part, [EDGE, 1 - EDGE], method="inverted_cdf") for part in (own, np.unique(own))]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    share = float(((made >= low) & (made <= high)).mean())
    if share >= NOTHING or low == high:
        return []
    few = "none" if share == 0 else "next to none"
    what, below, above = ("dates", "earlier", "later") if one.dates else ("numbers", "lower", "higher")
    sides = [side for side, beyond in ((below, made < low), (above, made > high)) if beyond.mean() >= NOTHING]
    middle = f" (half of them from {_middle(one, made)})" if role == "synthetic" else ""
    return [
        f"column {one.name!r}: {few} of the {role} file's {what} lies among the training file's: they are "
        f"{' or '.join(sides)}{middle}; make them alike and audit again."
    ]


def _middle(one: Reconciled, numbers: NDArray[Any]) -> str:
    """Write the quartiles, roughly."""
    ends = np.quantile(numbers, [0.25, 0.75])
    return " to ".join(
        date_text(np.floor(end)) if one.dates else f"{float(f'{end:.3g}'):.15g}" for end in ends.tolist()
    )
