"""What deep generators have alike: their settings, a noisy start, a training under the budget, and the draw.

A deep generator meets the records in two places only. `noisy_shares` gives the distribution of each column with
Gaussian noise: a generator starts there and has relations alone to learn. `defenses.synthetic.dp_sgd` trains it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from defenses.synthetic.accountant import Plan, claim_of, plan
from defenses.synthetic.coding import Codes, Coding, count
from defenses.synthetic.dp_sgd import train, undisturbed
from defenses.synthetic.pure import check_epsilon
from privbench.errors import InputError
from privbench.release import SyntheticTable
from privbench.simplex import nearest_distribution
from privbench.table import Table

__all__ = ["Settings", "Untrained", "check_settings", "noisy_shares", "publish"]


class Settings(Protocol):
    """What every deep generator can be told."""

    @property
    def epsilon(self) -> float:
        """Total budget."""
        ...

    @property
    def delta(self) -> float:
        """Of the budget."""
        ...

    @property
    def epochs(self) -> int:
        """Passes over the records, in expectation."""
        ...

    @property
    def batch_size(self) -> int:
        """Records in a step, in expectation."""
        ...

    @property
    def clip(self) -> float:
        """Largest norm of a record's gradient."""
        ...

    @property
    def learning_rate(self) -> float:
        """Of Adam."""
        ...

    @property
    def bins(self) -> int:
        """Cells of a continuous column."""
        ...

    @property
    def rows(self) -> int | None:
        """How many are released; None for as many as there are records."""
        ...


@dataclass(frozen=True, slots=True)
class Untrained:
    """A generator before its training.

    Parameters
    ----------
    network : torch.nn.Module
        The part that meets the records, as `train` takes it.
    draw : callable
        From a number of rows to the codes ``(d, rows)`` of rows, once the network is trained.
    after : callable
        Called after every step; it must not look at the records.
    """

    network: Any
    draw: Callable[[int], Codes]
    after: Callable[[], None] = lambda: None


def check_settings(settings: Settings, *, sizes: Sequence[int]) -> None:
    """Refuse settings that a private training cannot use.

    Parameters
    ----------
    settings : Settings
        The defense.
    sizes : sequence of int
        Widths of its layers, which must be at least 1.

    Raises
    ------
    InputError
        If the budget is none, a count below 1, or a number that must be positive is not.
    """
    check_epsilon(settings.epsilon)
    if not 0 < settings.delta < 1:
        raise InputError(f"delta must be above 0 and below 1, for instance 1e-6; got {settings.delta}")
    counts, rows = (settings.epochs, settings.batch_size, *sizes, settings.bins), settings.rows
    if min(counts) < 1 or (rows is not None and rows < 1):
        raise InputError(f"epochs, batch_size, sizes and rows must be at least 1; got {(*counts, rows)}")
    positive = (settings.clip, settings.learning_rate)
    if not all(number > 0 and math.isfinite(number) for number in positive):
        raise InputError(f"clip and learning_rate must be positive; got {positive}")


def publish(
    settings: Settings,
    records: Table,
    build: Callable[[tuple[int, ...], list[NDArray[np.float64]]], Untrained],
    *,
    rng: np.random.Generator,
) -> SyntheticTable:
    """Plan the budget, take the noisy start, train, draw: what every deep generator does.

    Parameters
    ----------
    settings : Settings
        The defense.
    records : Table
        The training records.
    build : callable
        From the number of values and the noisy distribution of each column to a generator before its training.
    rng : Generator
        The only source of randomness.
    """
    coding = Coding(records.schema, settings.bins)
    codes, sizes = coding.encode(records), coding.sizes
    rate = min(1.0, settings.batch_size / len(records))
    with undisturbed(rng):
        steps = math.ceil(settings.epochs / rate)
        spending = plan(epsilon=settings.epsilon, delta=settings.delta, rate=rate, steps=steps)
        generator = build(sizes, noisy_shares(codes, sizes, spending, rng=rng))
        train(
            generator.network,
            codes,
            sizes,
            spending,
            clip=settings.clip,
            learning_rate=settings.learning_rate,
            after=generator.after,
        )
        drawn = generator.draw(settings.rows or len(records))
    claim = claim_of(spending, records.schema, epsilon=settings.epsilon, delta=settings.delta)
    return SyntheticTable(coding.decode(drawn, rng=rng), private_records=len(records), claim=claim)


def noisy_shares(
    codes: Codes, sizes: Sequence[int], spending: Plan, *, rng: np.random.Generator
) -> list[NDArray[np.float64]]:
    """Return the distribution of every column, from counts with noise: one record moves one count of each column."""
    scale = spending.start * math.sqrt(len(sizes))
    shares = []
    for column, size in enumerate(sizes):
        noisy = count(codes, (column,), sizes) + rng.normal(0.0, scale, size=size)
        shares.append(nearest_distribution(noisy / max(noisy.sum(), 1.0)))
    return shares
