"""Seconds to find which of a person's columns is genuine among fakes, by the closed form, and how often it is right.

Example: python scripts/bench/genuine_column.py --people 1000 --epsilon 10
The columns have the domain sizes of the census records behind the published figures (ACS employment, Montana), with
shares in proportion to rank^-1.5, as the records themselves are not at hand.
"""

from __future__ import annotations

import argparse
import math
import time

import numpy as np

from attacks.genuine_column import genuine_column
from defenses.ldp.fake_claims import amplified
from defenses.ldp.fakes import Fake, Faked
from defenses.ldp.grr import Grr
from defenses.ldp.one_genuine import randomise_one_genuine
from defenses.ldp.unary import Oue, Sue
from privbench.errors import one_sentence
from privbench.reported_column import ReportedColumn
from privbench.rng import stream
from privbench.schema import Column, Kind

SIZES = (92, 25, 5, 2, 2, 9, 4, 5, 5, 4, 2, 18, 2, 2, 3, 9, 3, 6)
KINDS: tuple[tuple[type[Grr | Sue | Oue], Fake], ...] = ((Grr, "uniform"), (Sue, "zero"), (Oue, "zero"))


def main() -> None:
    """Read the arguments, draw people and their reports, and print a line for each protocol."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--epsilon", type=float, default=10.0, help="published budget of the collection")
    given = parser.parse_args()
    shares = [np.arange(1, size + 1, dtype=np.float64) ** -1.5 for size in SIZES]
    shares = [share / share.sum() for share in shares]
    rng = stream(0, "genuine column")
    codes = [rng.choice(len(share), size=given.people, p=share) for share in shares]
    prior = {f"x{place}": np.asarray(share[None], dtype=np.float64) for place, share in enumerate(shares)}
    budget = amplified(given.epsilon, columns=len(SIZES))
    print(f"{'protocol':8} {'fakes':8} {'milliseconds':>12} {'found':>7}")
    for protocol, fake in KINDS:
        oracles = [Faked(protocol(size=size, epsilon=budget), 1 / len(SIZES), fake) for size in SIZES]
        reports, which = randomise_one_genuine(codes, oracles, rng=rng)
        columns = [Column(f"x{place}", Kind.CATEGORICAL, tuple(range(size))) for place, size in enumerate(SIZES)]
        survey = [ReportedColumn(*one) for one in zip(columns, oracles, reports, strict=True)]
        started = time.perf_counter()
        found = genuine_column(survey, np.arange(given.people), prior)
        seconds = time.perf_counter() - started
        share = float((found.argmax(axis=1) == which).mean()) if given.people else math.nan
        print(f"{protocol.__name__:8} {fake:8} {1000 * seconds:12.1f} {share:7.3f}")


if __name__ == "__main__":
    one_sentence(main)
