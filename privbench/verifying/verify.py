"""The one call that puts a differential-privacy claim to the test: `privbench.verify`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Literal

from privbench.claim import Adjacency, Claim
from privbench.contracts import Defense
from privbench.dataset import Dataset
from privbench.errors import InputError, unknown
from privbench.progress import plain_lines
from privbench.scorers.intervals import LEVEL
from privbench.verifying.arms import Arm, arms_for
from privbench.verifying.asked import Asked, stated_on_data, try_on_tiny
from privbench.verifying.copies import Copies
from privbench.verifying.local import test_local
from privbench.verifying.many_runs import FEWEST, test_on
from privbench.verifying.rows import rows_of
from privbench.verifying.subject import dataset_of, defense_of, with_rows
from privbench.verifying.verification import Test, Verification

__all__ = ["METHODS", "Method", "verify"]

Method = Literal["auto", "one-run", "many-runs", "local", "both"]
METHODS: tuple[Method, ...] = ("auto", "one-run", "many-runs", "local", "both")

_RUNS = 20_000
# many runs are made where the fewest fit into so many seconds
_MINUTE = 60.0
# of p-values that do not refute, which are worth another look
_SMALL = 0.2


def verify(
    defense: str | Defense | Callable[..., Any],
    *,
    settings: Mapping[str, Any] | None = None,
    dataset: str | Path | Mapping[str, Any] | Dataset = "adult",
    epsilon: float | None = None,
    delta: float | None = None,
    adjacency: str | None = None,
    method: str = "auto",
    runs: int | None = None,
    targets: int | None = None,
    attacks: Sequence[str] | None = None,
    seed: int = 0,
    time_limit: float | None = None,
    workers: int | None = None,
    power: bool = True,
    quiet: bool = True,
) -> Verification:
    """Test whether a mechanism's claim of differential privacy survives.

    Parameters
    ----------
    defense : str, Defense or callable
        The name of a plugin, ``file.py:function``, a command line with ``{train}`` and ``{out}``, a defense object, or
        a function ``f(train, rng)`` from a DataFrame to a DataFrame.
    settings : mapping, optional
        Parameters of the defense.
    dataset : str, Path, mapping or Dataset
        Gives the schema, and for the one run the records: a data set's name, a file, or what stands under `dataset` in
        a config.
    epsilon, delta, adjacency : optional
        The claim to test, each in place of what the release states of itself.
    method : str
        many-runs (tiny worst-case neighbours, thousands of releases), one-run (secrets drawn at random in one data
        set), local (single persons' reports), both (many-runs or local, and one-run), or auto: local for a local claim,
        many-runs where enough releases fit into about a minute, else one-run.
    runs : int or None
        Releases in total of the many runs; with method one-run its repetitions. None for as many as fit into about a
        minute, which depends on the machine: give a number for figures that another one repeats. What an argument is
        for that was given to no purpose stands in the notes.
    targets : int or None
        Secrets drawn in the one run.
    attacks : sequence of str, optional
        Of the one run.
    seed : int
    time_limit : float or None
        Seconds, about.
    workers : int or None
        Processes of the many runs; figures do not depend on it.
    power : bool
        Whether to say what many runs and local tests would have caught, which takes about as long as they do.
    quiet : bool
        Whether no progress is shown.

    Returns
    -------
    Verification
        Its `sentence` is the answer, `refuted` whether the claim is refuted at 95 %.

    Raises
    ------
    InputError
        If the defense or an argument cannot be used, or nothing is claimed.
    """
    if method not in METHODS:
        raise unknown("method", method, METHODS)
    if adjacency is not None and adjacency not in tuple(Adjacency):
        raise unknown("adjacency", adjacency, tuple(Adjacency))
    if time_limit is not None and not time_limit > 0:
        raise InputError(f"time_limit: got {time_limit}; allowed: a positive number of seconds")
    data = dataset_of(dataset)
    mechanism, name, params = defense_of(defense, dict(settings or {}))
    asked = Asked(epsilon, delta, adjacency)
    say = plain_lines(quiet=quiet)
    started = time.monotonic()
    tiny, notes = with_rows(mechanism, settings or {})
    # taken before anything is released: what is kept from one release is none of the next step's, nor of another call's
    whole, few = Copies.of(mechanism), Copies.of(tiny)
    tiny = few.anew(seed, "many-runs")
    arms: list[Arm] = []
    claim: Claim | None = None
    chosen = method
    if method != "one-run":
        trial = try_on_tiny(few.anew(seed, "trial"), data.records.schema, seed)
        slow = trial is not None and FEWEST * trial[1] > min(_MINUTE, time_limit or _MINUTE)
        if trial is None and method == "auto":
            chosen, notes = "one-run", ("the defense fails on tiny data sets: it is not tested by many runs",)
        elif method == "auto" and slow and asked.complete(trial[0] if trial else None).adjacency != Adjacency.LOCAL:
            chosen, notes = "one-run", ()
        else:
            if trial is not None or epsilon is not None:
                claim = asked.complete(trial[0] if trial else None)
            arms, said = arms_for(
                tiny,
                data.records.schema,
                asked,
                adjacency=None if claim is None else claim.adjacency,
                seed=seed,
            )
            claim = claim or asked.complete(arms[0].claim)
            notes += said
            if method == "auto":
                chosen = "local" if claim.adjacency is Adjacency.LOCAL else "many-runs"
    in_one = claim
    if claim is None or (chosen == "both" and not asked.given):
        in_one = _claimed_in_one_run(asked, whole.anew(seed, "claim"), data, targets, seed)
        claim = claim or in_one
    level = LEVEL if chosen != "both" else 1 - (1 - LEVEL) / 2
    tests: list[Test] = []
    if chosen == "local" and claim.adjacency is not Adjacency.LOCAL:
        raise InputError(f"method local tests a local claim; this one is {claim.adjacency}: leave --method out")
    if chosen != "one-run":
        by_runs = test_local if claim.adjacency is Adjacency.LOCAL and chosen in ("local", "both") else test_on
        tests.append(
            by_runs(
                arms, tiny, runs=runs or _budget(arms, time_limit), seed=seed, level=level, time_limit=time_limit,
                workers=workers, say=say, power=power,
            )
        )  # fmt: skip
    if chosen in ("one-run", "both"):
        left = None if time_limit is None else max(1.0, time_limit - (time.monotonic() - started))
        repeated = runs if method == "one-run" else None  # else they were meant for the many runs
        one = whole.anew(seed, "one-run")
        tests.append(_one_run(one, data, in_one or claim, repeated, targets, attacks, seed, left, level))
    notes += tuple(_unused(method, chosen, runs, targets, attacks))
    if any(1 - level <= test.p_value < _SMALL and test.runs > 1 for test in tests):
        notes += (
            "a p-value is small without refuting the claim: make several times as many releases (--runs) before you "
            "rely on it",
        )
    frame = rows_of(tests, claim, data, defense=name, params=params, seed=seed)
    return Verification(claim, tuple(tests), frame, notes)


def _unused(
    method: str, chosen: str, runs: int | None, targets: int | None, attacks: Sequence[str] | None
) -> Iterator[str]:
    """Say which arguments the tests that were made have no use for."""
    if runs is not None and chosen == "one-run" and method != "one-run":
        yield f"runs {runs} was meant for many runs, and the one run is not repeated so often: --method one-run sets it"
    if chosen not in ("one-run", "both"):
        for name, value in (("targets", targets), ("attacks", None if attacks is None else ", ".join(attacks))):
            if value is not None:
                yield f"{name} {value} is for the one run, which was not made: --method one-run or both makes it"


def _budget(arms: Sequence[Arm], time_limit: float | None) -> int:
    """Return how many releases fit: 20,000, 10,000, 5,000, 2,000 or the fewest."""
    seconds = min(_MINUTE, time_limit or _MINUTE)
    cost = median(arm.seconds for arm in arms)
    return next((runs for runs in (_RUNS, _RUNS // 2, _RUNS // 4, _RUNS // 10) if runs * cost <= seconds), FEWEST)


def _claimed_in_one_run(asked: Asked, defense: Defense, data: Dataset, targets: int | None, seed: int) -> Claim:
    from privbench.verifying.one_run import sizes

    _, records = sizes(len(data.records), targets)
    return asked.complete(stated_on_data(defense, data, seed, records=records))


def _one_run(
    defense: Defense, data: Dataset, claim: Claim, runs: int | None, targets: int | None,
    attacks: Sequence[str] | None, seed: int, time_limit: float | None, level: float,
) -> Test:  # fmt: skip
    from privbench.verifying.one_run import test_one_run

    return test_one_run(
        defense, data, claim, runs=runs, targets=targets, attacks=attacks, seed=seed, time_limit=time_limit, level=level
    )
