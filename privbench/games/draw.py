"""How every game draws its people from a data set: training records, controls, a population, and who is a target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privbench.dataset import Dataset
from privbench.errors import InputError
from privbench.schema import Schema
from privbench.table import Table

__all__ = ["Draw", "check_people", "draw", "known_columns"]


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """People drawn without replacement: nobody stands in two of these.

    Parameters
    ----------
    train, controls, population : Table
        All columns; secrets set in the schema.
    targets : array of int
        Positions in `train` of the members attacked.
    """

    train: Table
    controls: Table
    population: Table
    targets: NDArray[np.int64]


def check_people(targets: int, population: int) -> None:
    """Refuse numbers of people that no game can draw.

    Raises
    ------
    InputError
        If there is no target, or fewer than no reference records.
    """
    if targets < 1 or population < 0:
        raise InputError(f"targets must be at least 1 and population at least 0; got {targets}, {population}")


def draw(
    dataset: Dataset,
    secrets: tuple[str, ...],
    *,
    records: int | None,
    targets: int,
    controls: int,
    population: int,
    rng: np.random.Generator,
) -> Draw:
    """Draw the people of one round.

    Parameters
    ----------
    dataset : Dataset
        Its `records` are drawn from; its `test` is left alone.
    secrets : tuple of str
        Columns that the adversary wants.
    records : int or None
        Training records; None for all that the controls and the population leave.
    targets, controls, population : int
        How many members are attacked, how many people outside are, and how many reference records are granted.
    rng : Generator
        The only source of randomness.

    Raises
    ------
    InputError
        If the data set has too few records.
    """
    pool = len(dataset.records)
    train_size = pool - controls - population if records is None else records
    needed = train_size + controls + population
    if train_size < 2 or needed > pool:
        raise InputError(
            f"{dataset.name} has {pool} records beside its test records; the game asks for {max(train_size, 2)} "
            f"training records, {controls} controls and a population of {population}; lower 'targets' or 'population', "
            "and lower 'records' or leave it out"
        )
    if not 1 <= targets <= train_size:
        raise InputError(f"targets: got {targets}; allowed: 1 to the {train_size} training records")
    table = dataset.records.with_schema(dataset.records.schema.with_secrets(secrets))
    order = rng.permutation(pool)
    cuts = np.cumsum([train_size, controls, population])
    return Draw(
        train=table.take(order[: cuts[0]]),
        controls=table.take(order[cuts[0] : cuts[1]]),
        population=table.take(order[cuts[1] : cuts[2]]),
        targets=rng.permutation(train_size)[:targets].astype(np.int64),
    )


def known_columns(schema: Schema, secrets: tuple[str, ...], known: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the columns that the adversary knows: those named, or all that are not secrets.

    Raises
    ------
    InputError
        If there is no secret, a name is unknown, or a column is both known and secret.
    """
    if not secrets:
        raise InputError("secrets: none is named; name at least one column that the adversary wants")
    for name in (*secrets, *(known or ())):
        schema[name]
    both = sorted(set(known or ()) & set(secrets))
    if both:
        raise InputError(f"known: column {both[0]!r} is a secret too; leave it out of one of the two")
    return tuple(name for name in schema.names if name not in secrets) if known is None else tuple(known)
