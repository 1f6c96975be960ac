"""Targets whose secrets the adversary knows, made from the release alone, to try attacks on. Not an attack itself.

Rehearsed: the mechanism is public, so it is applied once more, to the released rows. These stand to the new release as
the people in the data stand to the real one: what an attack recovers of the ones it will about recover of the others.
Cross-validated, where the mechanism is unknown, takes too long or does not apply: half of the rows are attacked with
the other half as the release. That shows what an attack learns of the population, not what rows give of themselves; so
it is enough where synthetic rows are differentially private.

References
----------
R. Shokri, M. Stronati, C. Song and V. Shmatikov, "Membership Inference Attacks Against Machine Learning Models", IEEE
S&P 2017 (shadow models); M. Stone, "Cross-Validatory Choice and Assessment of Statistical Predictions", JRSS B, 1974.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from attacks.learner import part
from privbench.contracts import View
from privbench.release import AlteredRows, Release, SyntheticTable
from privbench.table import Table

__all__ = ["Practice", "practise"]

# a mechanism is tried on so small a part of the rows before it is trusted with all of them
_PILOT = 20
# share of the altered columns' cells that a rehearsal must change
_CHANGED = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Practice:
    """A view whose targets' secrets are known.

    Parameters
    ----------
    view : View
        What an attack is tried on.
    truth : Table
        The secrets of its targets, as the real release shows them.
    shown : mapping of str to array of bool
        Whose value of a secret is shown; a blank cell is no truth.
    """

    view: View
    truth: Table
    shown: dict[str, NDArray[np.bool_]]


def practise(view: View, *, targets: int, time_limit: float, rng: np.random.Generator) -> list[Practice]:
    """Return views to practise on, which hold about `targets` people in all.

    A rehearsal grants what the real view does; cross-validation grants neither roster nor rows, as its targets have
    none.

    Parameters
    ----------
    view : View
        A release of rows, at least two.
    targets : int
        How many people are attacked.
    time_limit : float
        Seconds that a rehearsal may take where the mechanism makes synthetic rows, estimated from a twentieth of the
        rows; 0 for no rehearsal of any mechanism. To alter rows is quick, and rehearsed without an estimate.
    rng : Generator
        The only source of randomness.
    """
    release = view.release
    assert isinstance(release, SyntheticTable), "whoever practises has refused other releases"
    rows = rng.permutation(len(release.table))
    repeated = _repeated(view, release.table, time_limit=time_limit, rng=rng)
    if repeated is not None:
        roster = release.table.select(view.targets.schema.names).take(rng.permutation(len(rows)))
        asked = _asked(view, repeated, release, rows[:targets])
        granted = replace(
            asked.view,
            roster=None if view.roster is None else roster,
            rows=None if view.rows is None else rows[:targets],
        )
        return [replace(asked, view=granted)]
    halves = np.array_split(rows, 2)
    each = max(1, targets // 2)
    return [
        _asked(view, part(release, halves[1 - which]), release, halves[which][:each])
        for which in (0, 1)
        if len(halves[0]) and len(halves[1])
    ]


def _repeated(view: View, table: Table, *, time_limit: float, rng: np.random.Generator) -> SyntheticTable | None:
    """Return the mechanism's release of the released rows, or None if it cannot be had in time."""
    altered = isinstance(view.release, AlteredRows)
    if view.defense is None or time_limit <= 0 or (view.release.claim is not None and not altered):
        return None
    train = table.with_schema(table.schema.with_secrets([secret.name for secret in view.secrets]))
    try:
        if not altered:
            pilot = rng.permutation(len(train))[: max(2, len(train) // _PILOT)]
            started = time.perf_counter()
            view.defense.release(train.take(pilot), rng=rng)
            if (time.perf_counter() - started) * _PILOT > time_limit:
                return None
        made = view.defense.release(train, rng=rng)
    except Exception:  # whatever a mechanism raises: it cannot be rehearsed
        return None
    if not isinstance(made, SyntheticTable) or not len(made.table):
        return None
    return None if _does_nothing(view.release, made) else made


def _does_nothing(release: Release, made: SyntheticTable) -> bool:
    """Return whether a mechanism leaves rows that it has altered as they are: then it cannot be rehearsed on them."""
    if not isinstance(release, AlteredRows) or not isinstance(made, AlteredRows) or not release.altered:
        return False
    if len(made.table) != len(release.table) or made.suppressed:
        return False
    changed = [float(np.mean(made.table[name] != release.table[name])) for name in release.altered]
    return float(np.mean(changed)) < _CHANGED


def _asked(view: View, release: SyntheticTable, truth: SyntheticTable, rows: NDArray[np.intp]) -> Practice:
    """Return the view of a release in which some rows of the real one are the targets."""
    table = truth.table
    people = table.select(view.targets.schema.names).take(rows)
    blank = truth.suppressed if isinstance(truth, AlteredRows) else {}
    names = [secret.name for secret in view.secrets]
    shown = {name: ~blank[name][rows] if name in blank else np.ones(len(rows), bool) for name in names}
    asked = replace(view, release=release, targets=people, roster=None, rows=None, scratch=None)
    return Practice(asked, table.select(names).take(rows), shown)
