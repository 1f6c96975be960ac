"""The one domain of a column of numbers that stands in several files: ordinal, continuous, or cut into classes.

References
----------
R. J. Hyndman and Y. Fan, "Sample Quantiles in Statistical Packages", The American Statistician, 1996: definition 1,
whose quantiles are values of the sample.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from privbench.datasets.cells import Floats, date_text
from privbench.datasets.number_column import CONTINUOUS_ABOVE
from privbench.datasets.placed import MANY, Placed, identified, left_out, listed, own_values
from privbench.datasets.reconcile import Reconciled
from privbench.datasets.texts import count
from privbench.schema import Column, Kind, Value

__all__ = ["CLASSES", "counts_up", "place_numbers"]

CLASSES = 20
"""Quantile classes of the training file into which a continuous column with missing values is cut."""

FAR = 0.5
"""Of the real range: synthetic numbers further beyond it do not widen a continuous domain."""

Writer = Callable[[float], str]


def place_numbers(one: Reconciled, parts: dict[str, Floats], *, kind: str | None, role: str | None) -> Placed:
    """Give a column of numbers its domain; the arguments are those of `place`, and each role's numbers.

    Whole numbers of which real records have few are ordinal, and any numbers of a label or group. Others are
    continuous; where a cell is missing, or no float holds the range, they are cut into classes.
    """
    name, said, write = one.name, one.said, date_text if one.dates else _short
    seen = {key: np.sort(pd.unique(part[~np.isnan(part)])) for key, part in parts.items()}
    distinct = np.sort(pd.unique(np.concatenate([*seen.values()])))
    missing = {key: np.isnan(part) for key, part in parts.items()}
    gaps = any(mask.any() for mask in missing.values())
    if not len(distinct):
        return left_out(said, "no value in any file")
    if len(distinct) == 1 and not gaps and role is None:
        return left_out(said, f"the value {write(distinct[0])} in every record")
    whole = bool((distinct == np.floor(distinct)).all())
    real = np.unique(np.concatenate([seen[key] for key in seen if key != "synthetic"]))
    if counts_up(seen["training"], parts["training"]) and kind is None and role is None and whole:
        made, found = parts["synthetic"], {key: np.isin(part, seen["synthetic"]) for key, part in parts.items()}
        counted = any(np.array_equal(made, np.arange(len(made)) + first) for first in (0, 1))
        return identified(name, found, parts, said, counted=counted)
    few = kind is None and (whole or role is not None) and len(real) <= CONTINUOUS_ABOVE
    if len(distinct) <= MANY and (few or kind == "ordinal"):
        values: list[Value] = [int(value) if whole else float(value) for value in distinct]
        codes = {key: np.searchsorted(distinct, part).astype(np.int32) for key, part in parts.items()}
        return listed(name, Kind.ORDINAL, values, codes, missing, (*said, *_own_numbers(seen, write)))
    said = (*said, *_beyond(seen, write))
    if not whole and (real == np.floor(real)).all():
        said = (*said, "fractions stand in the synthetic file alone")
    low, high = float(distinct[0]), float(distinct[-1])
    with np.errstate(over="ignore"):
        wide = bool(np.isinf(high - low))
    if not gaps and not wide and kind != "ordinal":
        low, high = _bounds(real, distinct)
        parts, more = _within(parts, low, high, write)
        said = (*said, *more)
        column = Column(name, Kind.CONTINUOUS, low=low, high=high, integer=whole, declared=False)
        return Placed(column, parts, None, said)
    why = "has missing values" if gaps else "spans more than a float" if wide else f"has {len(distinct):,} values"
    return _classes(name, parts, missing, distinct, f"continuous, and {why}", said, write)


def _bounds(real: Floats, distinct: Floats) -> tuple[float, float]:
    """Return bounds that hold all real numbers, and synthetic ones up to half the real range beyond.

    What counts as a near guess is a share of the range: one wild number of the release must not make every guess near.
    """
    width = real[-1] - real[0]
    if width == 0:
        return float(distinct[0]), float(distinct[-1])
    near = distinct[(distinct >= real[0] - FAR * width) & (distinct <= real[-1] + FAR * width)]
    return float(near[0]), float(near[-1])


def _within(parts: dict[str, Floats], low: float, high: float, write: Writer) -> tuple[dict[str, Floats], list[str]]:
    made = parts["synthetic"]
    far = made[(made < low) | (made > high)]
    if not len(far):
        return parts, []
    example = write(far[np.abs(far).argmax()])
    said = f"{count(len(far), 'synthetic number')} far beyond the real ones, as {example}, read as the nearest bound"
    return {**parts, "synthetic": np.clip(made, low, high)}, [said]  # which may be one real person's number


def counts_up(distinct: Floats, numbers: Floats) -> bool:
    """Whether whole numbers are all different though chance would have made some equal: a count of the records.

    Of n numbers drawn from R, n^2 / 2R pairs are expected to be equal; ten or more, and there is none.
    """
    n = len(distinct)
    return n > CONTINUOUS_ABOVE and n == len(numbers) and (distinct[-1] - distinct[0]) < n * n / 20


def _classes(
    name: str, parts: dict[str, Floats], missing: Mapping[str, NDArray[np.bool_]], distinct: Floats, why: str,
    said: tuple[str, ...], write: Writer,
) -> Placed:  # fmt: skip
    """Cut numbers at quantiles of the training file's; every class holds a number of some file.

    Classes are named by their rounded edges, the first and the last by one: no name tells a single person's number.
    """
    train = parts["training"][~missing["training"]]
    shares = np.arange(1, CLASSES) / CLASSES
    edges = np.unique(np.quantile(train if len(train) else distinct, shares, method="inverted_cdf"))
    used, classes = np.unique(np.searchsorted(edges, distinct), return_inverse=True)
    near = [_roughly(edge, write) for edge in edges]
    values: list[Value] = [
        f"up to {near[0]}" if i == 0 else f"above {near[-1]}" if i == len(edges) else f"{near[i - 1]} to {near[i]}"
        for i in used
    ]
    if len({*values}) < len(values):  # edges that are nearly alike
        values = [f"class {i + 1}: {value}" for i, value in enumerate(values)]
    place = np.append(classes, 0).astype(np.int32)
    codes = {key: place[np.searchsorted(distinct, part)] for key, part in parts.items()}
    cut = f"{why}; cut into {len(values)} class{'es' if len(values) > 1 else ''} at quantiles of the training file"
    return listed(name, Kind.ORDINAL, values, codes, missing, (*said, cut))


def _own_numbers(seen: Mapping[str, Floats], write: Writer) -> list[str]:
    new = np.setdiff1d(seen["synthetic"], seen["training"])
    return own_values(
        [write(value) for value in new[:3]], len(new), len(np.setdiff1d(seen["training"], seen["synthetic"]))
    )


def _beyond(seen: Mapping[str, Floats], write: Writer) -> list[str]:
    train, made = seen["training"], seen["synthetic"]
    if not len(train) or not len(made) or (made[0] >= train[0] and made[-1] <= train[-1]):
        return []
    # the training file's own ends are single people's values
    return [f"synthetic numbers from {write(made[0])} to {write(made[-1])}, beyond the range of the training file's"]


def _roughly(value: float, write: Writer) -> str:
    """Write a number to three digits, or a date without its day: so many people have it that it is nobody's."""
    return write(value)[:7] if write is date_text else write(float(f"{value:.3g}"))


def _short(value: float) -> str:
    return f"{value:.6g}" if abs(value) < 1e5 else f"{value:.15g}"
