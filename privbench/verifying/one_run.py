"""Test a differential-privacy claim by one run: many planted coins, of which too many must not be guessed right.

References
----------
T. Steinke, M. Nasr and M. Jagielski, "Privacy Auditing with One (1) Training Run", NeurIPS 2023.
"""
# ruff: noqa: PT028 - what is named a test here tests a claim, and is none of pytest's

from __future__ import annotations

import time
from collections.abc import Sequence

from privbench import registry
from privbench.claim import Adjacency, Claim
from privbench.contracts import Attack, Defense
from privbench.dataset import Dataset
from privbench.errors import InputError
from privbench.scorers.claims import Guesses, largest_success
from privbench.scorers.intervals import LEVEL
from privbench.verifying.canaries import easiest_secret
from privbench.verifying.one_run_plan import Named, OneRun, judge
from privbench.verifying.one_run_power import power_of
from privbench.verifying.power import PowerBy
from privbench.verifying.simulated import Curve
from privbench.verifying.verification import Test

__all__ = ["sizes", "test_one_run"]

# without a number of runs: at most so many, as long as they end within so many seconds
_RUNS, _SECONDS = 10, 4.0


def test_one_run(
    defense: Defense,
    dataset: Dataset,
    claim: Claim,
    *,
    secrets: tuple[str, ...] | None = None,
    runs: int | None = None,
    targets: int | None = None,
    records: int | None = None,
    share: float | None = None,
    attacks: Sequence[str | Attack] | None = None,
    known: tuple[str, ...] | None = None,
    crafted: bool = True,
    seed: int = 0,
    time_limit: float | None = None,
    power: bool = True,
    level: float = LEVEL,
) -> Test:
    """Try to refute a claim by guessing the secrets of canaries.

    Parameters
    ----------
    defense : Defense
        What makes the claim.
    dataset : Dataset
        Gives the records that are no canaries.
    claim : Claim
        As stated; add-remove is converted to the exchange of a record.
    secrets : tuple of str or None
        Columns to guess; None for the one of fewest values among those that the defense names in `columns`, if any.
    runs : int or None
        Independent runs; None for as many as end within 4 seconds, from 1 to 10: the power takes many times as long.
    targets : int or None
        Canaries in each; None for 500, or half of the records if that is less.
    records : int or None
        Records in a run; None for two a canary.
    share : float or None
        Of the canaries that are guessed, fixed before; None for all where the claim is local, as each report tells
        as much as the next, else the most confident quarter.
    attacks : sequence of str or Attack, or None
        None for those that suit the release.
    known, crafted
        As in `canary_round`.
    seed : int
        Of all randomness.
    time_limit : float or None
        Seconds, for the runs and the power together.
    power : bool
        Whether to find out what the test would have caught.
    level : float
        Of the lower bound.

    Raises
    ------
    InputError
        If a number or a name is out of range.
    DoesNotApplyError
        If no attack applies.
    """
    started = time.monotonic()
    schema, pool = dataset.records.schema, len(dataset.records)
    # what a defense is not set to protect may stand in its release as it is
    named = getattr(defense, "columns", None)
    covered: tuple[str, ...] = named if isinstance(named, tuple) else ()
    people, beside = sizes(pool, targets)
    plan = OneRun(
        secrets=secrets or (easiest_secret(schema.select(covered) if covered else schema),),
        runs=_RUNS if runs is None else runs,
        targets=people,
        records=beside if records is None else records,
        share=(1.0 if claim.adjacency is Adjacency.LOCAL else 0.25) if share is None else share,
        attacks=None if attacks is None else _named(attacks),
        known=known,
        crafted=crafted,
    )
    converted = claim.as_replace_one()
    limits = [limit for limit in (time_limit, _SECONDS if runs is None else None) if limit is not None]
    counts = plan.play(defense, dataset, seed=seed, time_limit=min(limits, default=None))
    p_value, bound, attack = judge(counts, converted, level=level)
    seconds = time.monotonic() - started
    event = _said(counts[attack], attack, converted)
    curve: Curve | None = None
    power_by: PowerBy = "not computed"
    if power:
        left = None if time_limit is None else max(0.0, time_limit - seconds)
        curve, power_by, how = power_of(
            plan, defense, dataset, converted, counts, seconds=seconds, left=left, seed=seed, level=level
        )
        event = f"{event}; {how}"
    made = len(counts[attack]) // len(plan.secrets)
    where = Adjacency.LOCAL if claim.adjacency is Adjacency.LOCAL else Adjacency.REPLACE_ONE
    return Test("one-run", p_value, bound, made, seconds, event, converted.epsilon, str(where), curve, power_by)


def sizes(pool: int, targets: int | None) -> tuple[int, int]:
    """Return how many canaries there are in a run and how many records, of as many as the data set has."""
    people = min(500, max(1, pool // 2)) if targets is None else targets
    return people, min(pool, 2 * people)


def _named(attacks: Sequence[str | Attack]) -> tuple[Named, ...]:
    if not attacks:
        raise InputError("attacks: none is named; name one, or leave them out for those that suit the release")
    built = [
        (attack, registry.make("attacks", attack, {})) if isinstance(attack, str) else (type(attack).__name__, attack)
        for attack in attacks
    ]
    # two of one kind are two attacks
    return tuple(
        (name if [n for n, _ in built].count(name) == 1 else f"{name} {i}", a) for i, (name, a) in enumerate(built)
    )


def _said(counts: Sequence[Guesses], attack: str, claim: Claim) -> str:
    right, made = sum(part.correct for part in counts), sum(part.made for part in counts)
    allowed = sum(part.made * largest_success(claim.epsilon, part.values) for part in counts) / made
    chance = sum(part.made / part.values for part in counts) / made
    return (
        f"{right} of {made} secrets guessed right by {attack}: {right / made:.3f}, "
        f"where chance has {chance:.3f} and the claim allows {allowed:.3f} on average"
    )
