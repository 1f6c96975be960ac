"""An attack's score beside what it is compared with, for everyone, per group, and as the largest gap.

A score is compared with one of three references, which the game fixes:

- ``chance`` (randomised game): the secret was drawn uniformly, so what an adversary without leakage scores is exact.
- ``controls`` (holdout game): the same score on people whose records were not in the training data. Members and
  controls are independent samples: the interval of the difference is Newcombe's hybrid score, or MOVER.
- ``no-report`` (report game): the same attack without the person's report, on the same people. The difference is
  paired: Newcombe's method 10, or MOVER with the correlation of the two answers' influence values.

References
----------
R. Newcombe, Stat. Med. 17, 1998, 873-890 and 2635-2650; G. Zou and A. Donner, Stat. Med. 27, 2008.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from privbench.errors import InputError, unknown
from privbench.scorers.estimate import Codes, Estimate
from privbench.scorers.gaps import largest_gap
from privbench.scorers.intervals import LEVEL, Floats
from privbench.scorers.metrics import metric
from privbench.scorers.mover import mover, paired_correlation
from privbench.scorers.permutation import advantage_gap_p_value
from privbench.scorers.score import Score

__all__ = [
    "Compared", "Groups", "Reference", "advantage", "all_rows", "checked_binary", "checked_members", "compare_with",
]  # fmt: skip

Groups = Mapping[str, tuple[NDArray[np.integer], Sequence[str]]]
Reference = Literal["chance", "controls", "no-report"]


@dataclass(frozen=True, slots=True)
class Compared:
    """A metric on one set of people, and what it is compared with: a number, or another estimate."""

    own: Estimate
    other: Estimate | float | None


def compare_with(own: dict[str, Estimate], other: Mapping[str, Estimate | float] | None) -> dict[str, Compared]:
    """Pair every metric with what it is compared with, where there is something."""
    return {name: Compared(estimate, (other or {}).get(name)) for name, estimate in own.items()}


def advantage(name: str, pair: Compared, *, paired: bool) -> Estimate | None:
    """Return the advantage in a metric with its limits: a shift by a number, or MOVER on two estimates.

    None where there is nothing to compare with; `paired`: both estimates are of the same people, in one order.
    """
    own, other, sign = pair.own, pair.other, metric(name).sign
    if other is None:
        return None
    rho, number = 0.0, other if isinstance(other, float) else other.value
    if paired and isinstance(other, Estimate):
        rho = paired_correlation(own.influence, second=other.influence)

    def limits(level: float) -> tuple[float, float]:
        low, high = other.limits(level) if isinstance(other, Estimate) else (number, number)
        lows, highs = zip(own.limits(level), (low, high), strict=True)
        return mover((sign, -sign), estimates=(own.value, number), lows=lows, highs=highs, correlation=rho)

    return Estimate(sign * (own.value - number), own.n, limits, np.zeros(0))


def _rows(
    compared: dict[str, Compared], *, group: str | None, reference: Reference
) -> tuple[list[Score], dict[str, Estimate]]:
    """Return the score and advantage rows of one set of people, and the estimates for the gaps."""
    rows, kept = [], {}
    for name, pair in compared.items():
        own, other = pair.own, pair.other
        baseline = other.value if isinstance(other, Estimate) else other
        control = baseline if reference == "controls" else None
        gain = advantage(name, pair, paired=reference == "no-report")
        kept[name] = own
        stated = [(name, own)]
        if gain is not None:
            kept[f"{name}_advantage"] = gain
            stated.append((f"{name}_advantage", gain))
        for title, estimate in stated:
            low, high = estimate.limits(LEVEL)
            low, high = min(low, estimate.value), max(high, estimate.value)  # rounding only
            rows.append(Score(title, estimate.value, low, high, estimate.n, group, baseline, control,
                              None if gain is None else gain.value))  # fmt: skip
    return rows, kept


def all_rows(
    compare: Callable[[Codes, Codes], dict[str, Compared]],
    *,
    member: NDArray[np.bool_],
    groups: Groups,
    reference: Reference,
    means: Mapping[str, Floats],
    rng: np.random.Generator | None,
) -> list[Score]:
    """Return the rows for everyone, for every group that holds a member, and every column's gaps.

    Parameters
    ----------
    compare : callable
        Scores the members and controls whose places it is given.
    member, groups, reference
        As in `score_categorical`.
    means : mapping of str to ndarray, shape (T,)
        For some metrics a value a person (less that of the other answer, if paired) of which the metric is the
        mean: their advantage's gap gets a p-value.
    rng : numpy.random.Generator, optional
        For the permutations; no p-values without it.
    """
    if not member.any():
        raise InputError("nobody to score: `member` has no True; at least one target must be a member")
    rows, _ = _rows(compare(np.flatnonzero(member), np.flatnonzero(~member)), group=None, reference=reference)
    for column, (codes, labels) in groups.items():
        kept: dict[str, list[Estimate]] = {}
        for code, label in enumerate(labels):
            mine = codes == code
            people = np.flatnonzero(mine & member)
            if len(people):
                others = np.flatnonzero(mine & ~member)
                more, found = _rows(compare(people, others), group=f"{column}={label}", reference=reference)
                rows += more
                for name, estimate in found.items():
                    kept.setdefault(name, []).append(estimate)
        for name, parts in kept.items():
            gap = largest_gap([part.value for part in parts], limits=[part.limits for part in parts])
            if gap is not None:
                rows.append(Score(f"{name}_gap", *gap, sum(part.n for part in parts), column))
        for name, values in means.items():
            parts = kept.get(f"{name}_advantage", [])
            if rng is None or len(parts) < 2:
                continue
            p = advantage_gap_p_value(values, codes=codes, member=member, rng=rng)
            if p is not None:
                rows.append(
                    Score(f"{name}_advantage_gap_p_value", p, None, None, sum(part.n for part in parts), column)
                )
    return rows


def checked_members(
    people: int, member: ArrayLike, groups: Groups, reference: str, other_answer: bool
) -> NDArray[np.bool_]:
    """Return `member` as booleans once everything that has one entry a person is known to."""
    if reference not in get_args(Reference):
        raise unknown("reference", reference, get_args(Reference))
    inside = np.asarray(member)
    if inside.shape != (people,) or inside.dtype != bool:
        raise InputError(f"`member` must be {people} booleans; got {inside.dtype} of shape {inside.shape}")
    if reference != "controls" and not inside.all():
        raise InputError(f"reference {reference!r} scores members only; got {int((~inside).sum())} controls")
    if reference == "no-report" and not other_answer:
        raise InputError("reference 'no-report' needs the same attack's answer without the release; got None")
    for column, (codes, labels) in groups.items():
        if codes.shape != (people,) or ((codes < 0) | (codes >= len(labels))).any():
            raise InputError(f"group column {column!r} needs {people} codes in [0, {len(labels)})")
    return inside


def checked_binary(values: ArrayLike, n: int, what: str) -> Codes:
    """Return n values as codes once each is known to be 0 or 1; `what` is their name in the message."""
    array = np.asarray(values)
    if array.shape != (n,) or not np.isin(array, (0, 1)).all():
        raise InputError(f"`{what}` must be {n} values, each 0 or 1; got shape {array.shape}")
    return array.astype(np.intp)
