"""The pairs of neighbours on which a mechanism's claim can be tested, found by trying it on each.

A claim between records that are exchanged is tested on exchanged ones; one about a record more or less on both kinds,
the exchange with the converted claim, unless the number of records is public; a local one on single persons' records.
What is collected in the clear is no part of any claim.

References
----------
Z. Ding, Y. Wang, G. Wang, D. Zhang and D. Kifer, "Detecting Violations of Differential Privacy", CCS 2018.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from privbench.claim import Adjacency, Claim
from privbench.contracts import Defense
from privbench.errors import InputError, PrivbenchError
from privbench.release import AlteredRows, Release, SyntheticTable
from privbench.reports import Reports
from privbench.rng import stream
from privbench.schema import Schema
from privbench.verifying.asked import NOTHING, Asked
from privbench.verifying.copies import Copies
from privbench.verifying.events import promise
from privbench.verifying.failures import in_one_line
from privbench.verifying.neighbours import Pair, column_sets, neighbours, single_records
from privbench.verifying.outcomes import Outcomes

__all__ = ["Arm", "arms_for"]

_PUBLIC = "number of records is public"


@dataclass(slots=True, eq=False)
class Arm:
    """A pair of neighbours, what is claimed for it, and the runs made so far.

    Parameters
    ----------
    pair : Pair
    claim : Claim
        About these neighbours.
    seconds : float
        One release.
    copies : Copies
        Of the mechanism, for the runs.
    cut : int or None
        To how many rows releases are cut, as their number alone would tell the number of records.
    """

    pair: Pair
    claim: Claim
    seconds: float
    copies: Copies
    cut: int | None = None
    chunks: int = 0
    first: list[Outcomes] = field(default_factory=list)
    second: list[Outcomes] = field(default_factory=list)

    @property
    def runs(self) -> tuple[Outcomes, Outcomes]:
        """All runs so far, on either data set."""
        return Outcomes.concat(self.first), Outcomes.concat(self.second)

    @property
    def promise(self) -> float:
        """The lower bound that the runs so far suggest, beside the claim."""
        return promise(*self.runs, delta=self.claim.delta) / self.claim.epsilon


def arms_for(
    defense: Defense, schema: Schema, asked: Asked = NOTHING, *, adjacency: Adjacency | None, seed: int
) -> tuple[list[Arm], tuple[str, ...]]:
    """Return the neighbours on which a claim can be tested, and what must be said of their choice.

    Parameters
    ----------
    defense : Defense
        The mechanism.
    schema : Schema
        Of the data set.
    asked : Asked
        What of the claim was given; the rest is what each release says of itself, which may depend on the number of
        records.
    adjacency : Adjacency or None
        Of the claim; None to find out.
    seed : int

    Notes
    -----
    The mechanism is taken for the runs as it is before it is tried here.

    Raises
    ------
    InputError
        If the mechanism fails on all neighbours, or nothing is claimed.
    """
    copies = Copies.of(defense)
    fixed = getattr(defense, "columns", None)
    sets = column_sets(schema, fixed if isinstance(fixed, tuple) else ())
    notes: dict[str, None] = {}
    arms: list[Arm] = []
    errors: list[BaseException] = []
    failed: dict[tuple[str, ...], BaseException] = {}
    widest = max((len(names) for names in sets), default=0)
    for names in (*sets, None):
        # all columns only where the mechanism does not work on a few
        if names is None and any(len(arm.pair.first.schema.names) >= widest for arm in arms):
            break
        part = _covered(defense, schema.select(names or schema.names), seed=seed)
        if part is None:
            continue
        for pair in _pairs(part, adjacency):
            try:
                if (arm := _arm(defense, pair, asked, copies, notes, seed=seed)) is not None:
                    arms.append(arm)
            except Exception as error:  # a user's code may raise anything
                errors.append(error)
                failed.setdefault(part.names, error)
    if not arms:
        raise _no_pair(errors)
    if failed:
        notes[_partly(failed, arms)] = None
    copies = copies.after(defense, arms[0].pair.first, seed=seed)
    if copies.why:
        notes[copies.why] = None
    for arm in arms:
        arm.copies = copies
    return arms, tuple(notes)


def _partly(failed: Mapping[tuple[str, ...], BaseException], arms: Sequence[Arm]) -> str:
    """Say on which columns the mechanism fails, and that the answer is about others."""
    names, error = max(failed.items(), key=lambda one: len(one[0]))
    tested = " and ".join(dict.fromkeys(f"({', '.join(arm.pair.first.schema.names)})" for arm in arms))
    return (
        f"the defense fails on some tiny data sets, as of the columns {', '.join(names)} "
        f"({in_one_line(error)}): only what works, of the columns {tested}, was tested"
    )


def _covered(defense: Defense, schema: Schema, *, seed: int) -> Schema | None:
    """Return the columns that are randomised where others are collected in the clear, which no claim is about."""
    pair = next(single_records(schema))
    for train in (pair.first, pair.second):  # it may fail on one of the two records
        try:
            release = defense.release(train, rng=stream(seed, "verify covered", pair.name))
        except Exception:  # it will fail again where that is looked at
            continue
        if not isinstance(release, Reports) or not release.clear.schema.names:
            return schema
        names = [name for name in schema.names if name not in release.clear.schema]
        return schema.select(names) if names else None
    return schema


def _no_pair(errors: Sequence[BaseException]) -> BaseException:
    if not errors:
        return InputError("the defense claims no guarantee; give --epsilon (and --delta, --adjacency) to test one")
    first = errors[0]
    if isinstance(first, PrivbenchError):
        return first
    return InputError(f"the defense fails on every tiny data set: {in_one_line(first)}; it cannot be tested")


def _pairs(schema: Schema, adjacency: Adjacency | None) -> Iterator[Pair]:
    if adjacency in (None, Adjacency.LOCAL):
        yield from single_records(schema)
    if adjacency is not Adjacency.LOCAL:
        yield from neighbours(schema, adjacency=Adjacency.REPLACE_ONE)
    if adjacency in (None, Adjacency.ADD_REMOVE):
        yield from neighbours(schema, adjacency=Adjacency.ADD_REMOVE)


def _arm(
    defense: Defense, pair: Pair, asked: Asked, copies: Copies, notes: dict[str, None], *, seed: int
) -> Arm | None:
    """Try one pair; None where the claim says nothing about such neighbours.

    What fails on one of the two data sets alone is kept: that tells them apart.
    """
    made: list[Release] = []
    errors: list[Exception] = []
    seconds = math.inf
    for which, train in enumerate((pair.first, pair.second, pair.first)):
        started = time.perf_counter()
        try:
            made.append(defense.release(train, rng=stream(seed, "verify trial", pair.name, str(which))))
        except Exception as error:
            errors.append(error)
        seconds = min(seconds, time.perf_counter() - started)
    if not made:
        raise errors[0]
    stated = [release.claim for release in made if release.claim is not None]
    tested = asked.complete(max(stated, key=lambda one: (one.epsilon, one.delta), default=None))
    fits = {
        Adjacency.REPLACE_ONE: (Adjacency.REPLACE_ONE,),
        Adjacency.ADD_REMOVE: (Adjacency.REPLACE_ONE, Adjacency.ADD_REMOVE),
        Adjacency.LOCAL: (Adjacency.LOCAL,),
    }
    if pair.adjacency not in fits[tested.adjacency]:
        return None
    cut = None
    if pair.adjacency is Adjacency.ADD_REMOVE:
        said = tested.assumes or next((one.assumes for one in stated), ())
        if any(_PUBLIC in sentence for sentence in said):
            notes["the number of records is public, by the claim's own word: records are exchanged, none is added"] = (
                None
            )
            return None
        if any(isinstance(release, AlteredRows) for release in made):
            notes["the records' own rows are released, which tells their number: it is taken as public"] = None
            return None
        cut = _cut(defense, pair, seed=seed)
        if cut is not None:
            notes[
                "as many rows are released as there are records, which tells their number: it is taken as public, and "
                "releases are cut to one number of rows where a record is added"
            ] = None
    if tested.adjacency is Adjacency.ADD_REMOVE and pair.adjacency is Adjacency.REPLACE_ONE:
        tested = tested.as_replace_one()
    return Arm(pair, tested, seconds, copies, cut)


def _cut(defense: Defense, pair: Pair, *, seed: int) -> int | None:
    """Return to how many rows to cut, if their number is the number of records and nothing else."""
    counts = []
    for which, train in enumerate((pair.first, pair.second) * 3):
        try:
            release = defense.release(train, rng=stream(seed, "verify rows", pair.name, str(which)))
        except Exception:
            return None
        if not isinstance(release, SyntheticTable) or isinstance(release, AlteredRows):
            return None
        counts.append(len(release.table))
    own = [len(pair.first), len(pair.second)] * 3
    return min(own) if counts == own else None
