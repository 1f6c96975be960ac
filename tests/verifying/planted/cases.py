"""The bench of planted bugs: each with its honest version, the size it can have, and the test that has to find it."""

from __future__ import annotations

import math

from defenses.own.function import Function
from defenses.synthetic.zcdp import epsilon_of, rho_of
from privbench.claim import Adjacency
from privbench.schema import Column, Kind
from tests.verifying.planted.case import Case, Size
from tests.verifying.planted.deltas import DomainFromData, Gaussian, Truncated
from tests.verifying.planted.functions import EPSILON, seeded, unseeded
from tests.verifying.planted.histograms import (
    BoundsFromData,
    CountsTwice,
    Histogram,
    NoiseKept,
    NoiseReused,
    NoiseTooSmall,
    OwnGenerator,
    SeededByConstant,
    SkipsLargeCells,
    WrongSensitivity,
)
from tests.verifying.planted.local import Bits, FewSeeds, Genuine, Remembered, Response
from tests.verifying.planted.marginals import Chosen, Columns, CopiesRows, Weighted

__all__ = ["CASES", "Case", "Size"]


def _values(name: str, size: int) -> Column:
    return Column(name, Kind.CATEGORICAL, tuple(f"{name}{place}" for place in range(size)))


_NUMBER = Column("wage", Kind.CONTINUOUS, low=0.0, high=100.0)
_WEIGHT = Column("weight", Kind.CONTINUOUS, low=0, high=40, integer=True)
_TWO = (_values("sex", 2), _values("work", 3))
_THREE = (_values("sex", 2), _values("ill", 2), _values("work", 3))


def _times(factor: float, claimed: float = 1) -> str:
    return f"epsilon {factor * claimed:.3g} for {claimed:g}"


def _off_by_one(k: int) -> str:
    return _times(1 + math.log((k - 1) / (k - 2)))


def _leaking(defense: DomainFromData) -> Size:
    return Size(f"leak of {defense.leak:.2g}", defense)


def _truncated(bound: int) -> Size:
    return Size(f"delta {Truncated(bound=bound).delta:.2g} for 0", Truncated(bound=bound))


def _gaussian(calibrated: float) -> Size:
    defense = Gaussian(calibrated=calibrated)
    return Size(_times(epsilon_of(rho_of(defense.epsilon, calibrated), defense.delta)), defense)


_HISTOGRAMS = (
    Case(
        "noise too small",
        "histogram",
        tuple(Size(_times(factor), NoiseTooSmall(factor=factor)) for factor in (1.25, 1.5, 2, 4, 10)),
        _times(2),
        Histogram(),
        _TWO,
    ),
    Case(
        "add-remove noise for a replace-one claim",
        "histogram",
        (Size(_times(2), WrongSensitivity()),),
        _times(2),
        Histogram(adjacency=Adjacency.ADD_REMOVE),
        _TWO,
    ),
    Case(
        "domain learnt from the data",
        "histogram",
        tuple(_leaking(DomainFromData(threshold=threshold)) for threshold in (12, 9, 6, 3, 1)),
        _leaking(DomainFromData(threshold=3)).label,
        DomainFromData(threshold=3, admitted=True),
        _TWO,
    ),
    Case(
        "bounds learnt from the data",
        "histogram",
        (Size("always", BoundsFromData()),),
        "always",
        Histogram(),
        (_values("sex", 2), _NUMBER),
        runs=600,
    ),
    Case(
        "seeded by a constant",
        "histogram",
        (Size("always", SeededByConstant(epsilon=0.5)),),
        "always",
        Histogram(epsilon=0.5),
        _TWO,
        runs=600,
    ),
    Case(
        "own generator seeded by a constant",
        "histogram",
        (Size("always", OwnGenerator(epsilon=0.5, constant=7)),),
        "always",
        OwnGenerator(epsilon=0.5),
        _TWO,
        runs=2000,
    ),
    Case(
        "function's generator seeded by a constant",
        "histogram",
        (Size("always", Function(seeded, epsilon=EPSILON)),),
        "always",
        Function(unseeded, epsilon=EPSILON),
        _TWO,
        runs=2000,
    ),
    Case(
        "noise drawn once and reused",
        "histogram",
        (Size("for all cells", NoiseReused(epsilon=2.0)),),
        "for all cells",
        Histogram(epsilon=2.0),
        _TWO,
        runs=2000,
    ),
    Case(
        "noise kept from release to release",
        "histogram",
        (Size("always", NoiseKept(epsilon=0.7)),),
        "always",
        Histogram(epsilon=0.7),
        _TWO,
        runs=2000,
    ),
    Case(
        "large cells without noise",
        "histogram",
        tuple(Size(f"from {limit} records", SkipsLargeCells(limit=limit)) for limit in (15, 10, 5)),
        "from 5 records",
        Histogram(),
        _TWO,
        runs=600,
    ),
    Case(
        "record counted twice",
        "histogram",
        tuple(Size(_times((times + 1) / 2), CountsTwice(times=times)) for times in (2, 3, 5)),
        _times(2),
        CountsTwice(times=1),
        _TWO,
    ),
    Case(
        "truncated noise without a delta",
        "histogram",
        tuple(_truncated(bound) for bound in (8, 6, 4, 2)),
        _truncated(4).label,
        Truncated(bound=4, admitted=True),
        _TWO,
    ),
    Case(
        "Gaussian noise of another delta",
        "histogram",
        tuple(_gaussian(delta) for delta in (1e-3, 1e-2, 0.1, 0.3)),
        _gaussian(0.3).label,
        Gaussian(),
        _TWO,
    ),
)
_MARGINALS = (
    Case(
        "epsilon not split over columns",
        "marginals",
        (
            Size(_times(2, 2), Columns(epsilon=2.0, split=False), _TWO),
            Size(_times(3, 2), Columns(epsilon=2.0, split=False)),
        ),
        _times(3, 2),
        Columns(epsilon=2.0),
        _THREE,
        runs=8000,
    ),
    Case(
        "marginal chosen by exact counts",
        "marginals",
        tuple(Size(f"in {share:.0%}", Chosen(exact=share)) for share in (0.1, 0.25, 0.5, 1)),
        "in 100%",
        Chosen(),
        _THREE,
    ),
    Case(
        "weights clipped after the sum",
        "marginals",
        tuple(
            Size(_times(40 / limit), Weighted(("sex", "weight"), limit=limit, clipped=False))
            for limit in (32, 25, 20, 10)
        ),
        _times(4),
        Weighted(("sex", "weight")),
        (_values("sex", 2), _WEIGHT),
        runs=6000,
    ),
    Case(
        "rare cells filled with real rows",
        "marginals",
        (Size("of 1 record", CopiesRows(rare=1)),),
        "of 1 record",
        Histogram(),
        (_values("sex", 2), _NUMBER),
        runs=600,
    ),
)
_LOCAL = (
    Case(
        "randomised response with k off by one",
        "ldp",
        tuple(Size(_off_by_one(k), Response(values=-1), (_values("work", k),)) for k in (20, 10, 6, 4, 3)),
        _off_by_one(4),
        Response(),
        (_values("work", 4),),
        "local",
        2000,
    ),
    Case(
        "epsilon per column not split",
        "ldp",
        (Size(_times(2), Response(split=False)), Size(_times(3), Response(split=False), _THREE)),
        _times(2),
        Response(),
        _TWO,
        "local",
        2000,
    ),
    Case(
        "bits flipped with the budget of both",
        "ldp",
        tuple(Size(_times(factor), Bits(factor=factor)) for factor in (1.1, 1.25, 1.5, 2)),
        _times(2),
        Bits(),
        (_values("work", 4),),
        "local",
        2000,
    ),
    Case(
        "remembered answer bypassed in one round",
        "ldp",
        tuple(Size(f"in {share:.0%}", Remembered(fresh=share)) for share in (0.25, 0.5, 1)),
        "in 100%",
        Remembered(),
        (_values("work", 3),),
        "local",
        2000,
    ),
    Case(
        "fakes that avoid the truth",
        "ldp",
        tuple(Size(f"in {share:.0%}", Genuine(avoiding=share)) for share in (0.75, 0.9, 1)),
        "in 100%",
        Genuine(),
        _TWO,
        "local",
        2000,
    ),
    Case(
        "hash and noise share a seed",
        "ldp",
        tuple(Size(f"{seeds} seeds", FewSeeds(seeds=seeds, shared=True)) for seeds in (64, 16, 4)),
        "4 seeds",
        FewSeeds(),
        (_values("work", 3),),
        "local",
        2000,
    ),
)

CASES: tuple[Case, ...] = (*_HISTOGRAMS, *_MARGINALS, *_LOCAL)
"""All bugs of mechanisms that are cheap to repeat; those of deep generators are in `deep`."""
