"""One attack on one column: what is known of everybody goes in, a figure a person comes out."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from privbench import registry
from privbench.auditing.lineup import MANY, SETTINGS, WIDEST, encodes, rows_for
from privbench.auditing.scoring import hits_of
from privbench.contracts import Attack, Guess, View
from privbench.errors import ContractError
from privbench.judge import figures_on_persons
from privbench.record import Status, failure
from privbench.release import SyntheticTable
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.scorers.intervals import Floats
from privbench.table import Table

__all__ = ["EXCHANGES", "MOST", "Answer", "Scene", "answer", "why_not"]

EXCHANGES = 12
"""How often, without a control file, rows of the release and records of other people change sides."""
MOST = 1000
"""Values of a discrete column beyond which it is not asked."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What all attacks of an audit have in common; all tables have the same columns.

    Attributes
    ----------
    release : Table
        The synthetic rows, in an order that does not depend on the file's.
    targets : Table
        The people attacked, shuffled, their secrets included: an attack is handed the known columns alone.
    member : ndarray of bool, shape (n,)
    others : Table or None
        Records of other people, in place of controls.
    private_records : int
        Rows of the training file.
    known : tuple of str or None
        Declared known columns; None for all but the one asked.
    seed : int
    """

    release: Table
    targets: Table
    member: NDArray[np.bool_]
    others: Table | None
    private_records: int
    known: tuple[str, ...] | None
    seed: int

    def known_of(self, column: str) -> tuple[str, ...]:
        """Return what the adversary knows when it asks for a column, in alphabetical order."""
        names = self.targets.schema.names if self.known is None else self.known
        return tuple(sorted(name for name in names if name != column))


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What one attack made of one column.

    Attributes
    ----------
    attack, column : str
    hits : ndarray, shape (n,)
        How right it is on each person, ties as their share; empty unless `status` is ``ok``.
    other : ndarray, shape (n,), or None
        The same of the attack on other people's records, where there are no controls.
    exchanged : ndarray, shape (EXCHANGES, n), or None
        Then also the difference of the two after rows have changed sides at random.
    probability, baseline : ndarray, shape (n,)
        What it gives to the true value, and gives it on average for controls who have it; empty without controls.
    status : str
        ``ok``, ``skipped``, ``failed``, ``timeout`` or ``unavailable``.
    reason : str
        Why there is no figure.
    note : str
        What was left out; empty if nothing.
    seconds : float
    """

    attack: str
    column: str
    hits: Floats
    other: Floats | None = None
    exchanged: Floats | None = None
    probability: Floats | None = None
    baseline: Floats | None = None
    status: Status = "ok"
    reason: str = ""
    note: str = ""
    seconds: float = 0.0


def why_not(column: Column, release: Table, targets: Table) -> str:
    """Return why a column cannot be asked; empty if it can."""
    values = [np.unique(table[column.name]) for table in (release, targets)]
    if len(np.union1d(*values)) < 2:
        return "it has one value only: there is nothing to guess"
    if column.discrete and column.size > MOST:
        return f"it has {column.size:,} values; a column of more than {MOST:,} is not asked: merge some"
    return ""


def answer(scene: Scene, attack: str, column: str, *, deadline: float | None = None) -> Answer:
    """Make one attack on one column; whatever a plugin raises becomes a reason.

    Parameters
    ----------
    scene : Scene
    attack, column : str
        The attack's name in the registry.
    deadline : float or None
        Seconds since the epoch after which it is not begun.
    """
    nothing = Answer(attack, column, np.zeros(0))
    if deadline is not None and time.time() > deadline:
        return replace(nothing, status="timeout", reason="the time limit was reached before it began")
    started = time.perf_counter()
    try:
        done = _made(scene, attack, scene.targets.schema[column])
    except (Exception, SystemExit) as error:
        status, reason = failure(error)
        done = replace(nothing, status=status, reason=reason)
    return replace(done, seconds=time.perf_counter() - started)


def _made(scene: Scene, name: str, column: Column) -> Answer:
    attack: Attack = registry.make("attacks", name, SETTINGS.get(name, {}))
    known, note = _manageable(scene, name, column)
    targets = scene.targets.select(known)
    truth = scene.targets[column.name]

    def guessed(rows: Table, *stage: str) -> Guess | str:
        view = View(SyntheticTable(rows.select([*known, column.name]), scene.private_records), targets, (column,))
        if (reason := attack.skip(view)) is not None:
            return reason
        guess = attack.infer(view, rng=stream(scene.seed, "audit", column.name, name, *stage))
        if not isinstance(guess, Guess):
            raise ContractError(f"attack {name!r} must return a Guess; got {type(guess).__name__}")
        guess.check(view)
        return guess

    release, thinned = _thinned(scene, scene.release, name, targets.schema)
    note = "; ".join(filter(None, (note, thinned)))
    guess = guessed(release)
    if isinstance(guess, str):
        return Answer(name, column.name, np.zeros(0), status="skipped", reason=guess)
    hits = hits_of(column, guess, truth)
    if scene.others is None:
        decoys = stream(scene.seed, "audit", "decoys")
        each = figures_on_persons(column, guess, None, truth, member=scene.member, reference="controls", rng=decoys)
        return Answer(
            name, column.name, hits, probability=each.probability, baseline=each.probability_baseline, note=note
        )

    def scored(rows: Table, *stage: str) -> Floats:
        made = guessed(rows, *stage)
        if isinstance(made, str):
            raise ContractError(f"attack {name!r} applies to the release, but not to other rows like it: {made}")
        return hits_of(column, made, truth)

    others, _ = _thinned(scene, scene.others, name, targets.schema)
    both, drawn = Table.concat([release, others]), []
    for draw in range(EXCHANGES):
        # the same rows change sides for every attack and column
        order = stream(scene.seed, "audit", "exchange", str(draw)).permutation(len(both))
        sides = [np.sort(side) for side in np.split(order, [len(release)])]
        one, other = (scored(both.take(side), str(draw)) for side in sides)
        drawn.append(one - other)
    return Answer(name, column.name, hits, other=scored(others), exchanged=np.stack(drawn), note=note)


def _manageable(scene: Scene, attack: str, column: Column) -> tuple[tuple[str, ...], str]:
    """Return the known columns that an attack is given: learners not those with thousands of values."""
    known = scene.known_of(column.name)
    if not encodes(attack):
        return known, ""
    schema = scene.targets.schema
    kept, width = set(), 0
    # of all columns alike, whichever is asked
    for name in sorted(scene.known or schema.names, key=lambda name: (_features(schema[name]), name)):
        width += _features(schema[name])
        if width <= WIDEST:
            kept.add(name)
    gone = [name for name in schema.names if name in known and name not in kept]
    note = (
        f"{attack} was not given {', '.join(gone)}, as learners take no more than {WIDEST:,} features" if gone else ""
    )
    return tuple(name for name in known if name in kept), note


def _features(column: Column) -> int:
    return column.size if column.kind is Kind.CATEGORICAL else 1


def _thinned(scene: Scene, rows: Table, attack: str, schema: Schema) -> tuple[Table, str]:
    """Return the released rows that an attack is given, the same ones for every column."""
    number = rows_for(attack, rows=len(rows), features=sum(map(_features, schema.columns)))
    if scene.others is not None:  # made many times
        number = min(number, MANY)
    if number == len(rows):
        return rows, ""
    chosen = stream(scene.seed, "audit", "rows").permutation(len(rows))[:number]
    return rows.take(np.sort(chosen)), f"{attack} learnt from a sample of {number:,} of the {len(rows):,} released rows"
