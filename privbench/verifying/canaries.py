"""Records that a test plants to be found again: what is known of each is drawn evenly over the domains.

A record drawn so stands far from real ones, and from its like: whatever a release has near it, it has from that record.
Nothing but the public domains says what canaries look like, and their secrets are fresh uniform draws, independent of
everything else: whatever is chosen about a record before, the number of right guesses keeps its bound.

References
----------
N. Carlini, C. Liu, U. Erlingsson, J. Kos and D. Song, "The Secret Sharer", USENIX Security 2019; T. Steinke, M. Nasr
and M. Jagielski, "Privacy Auditing with One (1) Training Run", NeurIPS 2023.
"""

from __future__ import annotations

import numpy as np

from privbench.contracts import Round
from privbench.dataset import Dataset
from privbench.errors import ContractError, InputError
from privbench.games.draw import known_columns
from privbench.games.randomised import Randomised
from privbench.schema import Schema

__all__ = ["canary_round", "easiest_secret"]


def easiest_secret(schema: Schema) -> str:
    """Return the discrete column with the fewest values, the first of equals: its guesses are the least ambiguous.

    Raises
    ------
    InputError
        If no column has two values or more.
    """
    columns = [column for column in schema.columns if column.discrete and column.size > 1]
    if not columns:
        raise InputError(
            f"a test in one run guesses a column with a list of two values or more; got {', '.join(schema.names)}; "
            "declare one categorical or ordinal, or take method many-runs"
        )
    return min(columns, key=lambda column: column.size).name


def canary_round(
    dataset: Dataset,
    secrets: tuple[str, ...],
    *,
    targets: int,
    records: int,
    known: tuple[str, ...] | None = None,
    crafted: bool = True,
    rng: np.random.Generator,
) -> Round:
    """Play the `randomised` game with canaries as the targets.

    Everything but their secrets is granted: what is known of every record, and where the canaries' records stand.

    Parameters
    ----------
    dataset : Dataset
        Gives the other records.
    secrets : tuple of str
        Columns to be guessed, all discrete.
    targets : int
        How many canaries.
    records : int
        How many records the defense sees, canaries included.
    known : tuple of str or None
        Columns granted; None for every column that is not a secret.
    crafted : bool
        Draw what is known of a canary evenly over the domains; False leaves it as some record of the data set has it,
        for data in which each record stands alone already.
    rng : Generator
        The only source of randomness.

    Raises
    ------
    InputError
        If the data set is too small, a column does not exist, or a secret is continuous.
    """
    schema = dataset.records.schema
    given = known_columns(schema, secrets, known)
    for name in secrets:
        if not schema[name].discrete:
            raise InputError(
                f"secrets: {name!r} is continuous, and right guesses are counted; name a categorical or ordinal column"
            )
    if not crafted:
        return Randomised(targets=targets, records=records, known=given, rows=True).play(dataset, secrets, rng=rng)
    # the same game with every column drawn evenly, of which only the secrets are then withheld
    drawn = Randomised(targets=targets, records=records, known=(), rows=True).play(dataset, schema.names, rng=rng)
    if drawn.rows is None:
        raise ContractError("the game was asked for the rows of its targets and grants none")
    train = drawn.train.with_schema(schema.with_secrets(secrets))
    people = train.take(drawn.rows)
    return Round(
        train=train,
        targets=people.select(given),
        truth=people.select(secrets),
        groups=people.select(schema.groups),
        member=drawn.member,
        reference="chance",
        roster=train.select(given).take(rng.permutation(len(train))),
        rows=drawn.rows,
    )
