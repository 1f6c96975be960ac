"""Disparity of a model learnt from reports, when the causes are known: one report of all columns, or one of each.

Model: a confounder C, the group A, a mediator M, and an outcome,

    C ~ B(.35),  A ~ B(.75 if C else .55),  M in {0, 1, 2} with (.5, .4, .1) if A = 0 and (.35, .4, .25) if A = 1,
    Y = .5 C + .75 A + .6 M + N(0, 1),  positive above its lower quartile (.25), median (.5) or upper quartile (.75).

All three columns of each record are randomised by generalised randomised response: separately with eps / 3 each
(uniform) or eps k_j / 7 (k-based, the study's "independent"), or as one of their 12 combinations with the whole eps
(combined). A model learns the label from the reports and decides on clean records. Figures:

- direct disparity: P(positive | A = 1) - P(positive | A = 0);
- conditional disparity: the same among records of equal M, mean of M = 0 and M = 1 (the study leaves M = 2 out);
- of A alone: the same among records of equal C and M, averaged over all records;
- equal opportunity difference: the same among records whose label is positive;
- accuracy, and the share of the seeds whose model decides everybody alike: its disparity of 0 is not fairness.

Set here: the study learns a random forest on nine tenths of 100,000 records; three discrete columns have 12 cells, so
the model here is the majority label of each reported cell, which is what that forest is up to its bootstrap. Clean
records are all of the population: its cells have known probabilities, so no figure has the noise of a test set, and
the label's threshold is the population's quantile. `limit` is the model learnt from infinitely many records. With
--exchanged, C = 1 has P(A = 1) = .55 and C = 0 has .75; only the order above agrees with the study's rates (at the
median .798 of A = 1 are positive, and .42 of A = 1 with M = 0).

Example: python scripts/reproduce/structural_disparity.py --seeds 40
Takes about ten seconds.

References
----------
K. Makhlouf, H. H. Arcolezi, S. Zhioua, G. Ben Brahim and C. Palamidessi, "On the Impact of Multi-dimensional Local
Differential Privacy on Fairness", Data Mining and Knowledge Discovery 2024.
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import product
from math import inf, prod

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import norm, t

from defenses.ldp.grr import Grr
from privbench.errors import InputError, PrivbenchError
from privbench.rng import stream

SHAPE = (2, 2, 3)  # values of C, A and M
# value of each column in each of the 12 cells, C slowest
C, A, M = (np.array(column) for column in zip(*product(*map(range, SHAPE)), strict=True))
CENTRE = 0.5 * C + 0.75 * A + 0.6 * M
MEDIATOR = np.array([[0.5, 0.4, 0.1], [0.35, 0.4, 0.25]])
EPSILONS = (0.1, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 8.0, 16.0)
WAYS = ("uniform", "k-based", "combined")
FIGURES = ("direct", "conditional", "of A alone", "opportunity", "accuracy", "constant")
Floats = NDArray[np.float64]
Setting = tuple[str, float]  # way, epsilon


def main() -> None:
    """Read the arguments, simulate, and print a table a threshold with what is seen in it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=90_000, help="that the model learns from")
    parser.add_argument("--seeds", type=int, default=40, help="at least 2")
    parser.add_argument("--epsilon", type=float, nargs="+", default=list(EPSILONS))
    parser.add_argument("--quantile", type=float, nargs="+", default=[0.25, 0.5, 0.75], help="positive is Y above it")
    parser.add_argument("--exchanged", action="store_true", help="exchange the two probabilities of A = 1")
    given = parser.parse_args()
    started = time.perf_counter()
    try:
        _check(given)
        settings: list[Setting] = [("none", inf), *((way, eps) for eps in given.epsilon for way in WAYS)]
        cells = population(exchanged=given.exchanged)
        positive = np.array([above(cells, quantile) for quantile in given.quantile])
        found = simulate(settings, cells, positive, records=given.records, seeds=given.seeds)
    except PrivbenchError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    print(f"{given.seeds} seeds of {given.records} training records: mean +- half of its 95 % interval [limit]")
    for number, quantile in enumerate(given.quantile):
        print(f"\nPositive: Y above its {quantile:g} quantile\n")
        _print(settings, found[:, number], cells, positive[number])
    print(f"\nThis run took {time.perf_counter() - started:.0f} s.")


def _check(given: argparse.Namespace) -> None:
    if given.records < 1 or given.seeds < 2:
        raise InputError(f"got --records {given.records} --seeds {given.seeds}; allowed: 1 or more, and 2 or more")
    if not all(0 < quantile < 1 for quantile in given.quantile):
        raise InputError(f"--quantile: got {given.quantile}; allowed: numbers between 0 and 1")


def population(*, exchanged: bool = False) -> Floats:
    """Return the probability of each of the 12 cells."""
    without, given = (0.75, 0.55) if exchanged else (0.55, 0.75)
    group = np.where(C == 1, given, without)
    return np.asarray(np.where(C == 1, 0.35, 0.65) * np.where(A == 1, group, 1 - group) * MEDIATOR[A, M])


def above(cells: Floats, quantile: float) -> Floats:
    """Return the probability, in each cell, that Y lies above its quantile in the population."""
    threshold = brentq(lambda y: float(cells @ norm.cdf(y - CENTRE)) - quantile, -20, 20)
    return np.asarray(norm.sf(threshold - CENTRE))


def oracles(way: str, epsilon: float) -> tuple[Grr, ...]:
    """Return the randomisers: of each column, the one of their combinations, or none."""
    if way == "none":
        return ()
    if way == "combined":
        return (Grr(size=prod(SHAPE), epsilon=epsilon),)
    weights = [1 if way == "uniform" else size for size in SHAPE]
    return tuple(Grr(size=k, epsilon=epsilon * w / sum(weights)) for k, w in zip(SHAPE, weights, strict=True))


def reported(codes: NDArray[np.intp], by: tuple[Grr, ...], *, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return the cell that each record reports."""
    if not by:
        return codes
    if len(by) == 1:
        return by[0].randomise(codes, rng=rng).astype(np.intp)
    columns = zip(by, np.unravel_index(codes, SHAPE), strict=True)
    return np.ravel_multi_index([oracle.randomise(column, rng=rng) for oracle, column in columns], SHAPE)


def transition(by: tuple[Grr, ...]) -> Floats:
    """Return P[reported cell | cell], ``(12, 12)``, rows summing to 1."""
    if not by:
        return np.eye(prod(SHAPE))
    whole: Floats = np.ones((1, 1))
    for oracle in by:
        whole = np.asarray(np.kron(whole, np.where(np.eye(oracle.size, dtype=bool), oracle.p, oracle.q)), np.float64)
    return whole


def limit(cells: Floats, positive: Floats, by: tuple[Grr, ...]) -> NDArray[np.bool_]:
    """Return the decision in each cell of a model that learnt from infinitely many reports."""
    flow = cells[:, None] * transition(by)
    return np.asarray(positive @ flow > 0.5 * flow.sum(axis=0))


def figures(decision: NDArray[np.bool_], cells: Floats, positive: Floats) -> Floats:
    """Return the figures named in `FIGURES` of one model, over the population of clean records."""
    members = [group == A for group in (0, 1)]

    def gap(weight: Floats) -> float:
        first, second = (float(np.average(decision[of], weights=weight[of])) for of in members)
        return second - first

    conditional = np.mean([gap(cells * (m == M)) for m in (0, 1)])
    strata = {(c, m): (c == C) & (m == M) for c, m in product(range(2), range(3))}
    alone = sum(float(cells[of].sum()) * gap(np.where(of, 1.0, 0.0)) for of in strata.values())
    accuracy = cells @ np.where(decision, positive, 1 - positive)
    constant = float(decision.all() or not decision.any())
    return np.array([gap(cells), conditional, alone, gap(cells * positive), accuracy, constant])


def simulate(settings: list[Setting], cells: Floats, positive: Floats, *, records: int, seeds: int) -> Floats:
    """Return the figures, ``(settings, thresholds, seeds, figures)``; all settings of a seed share its records."""
    found = np.empty((len(settings), len(positive), seeds, len(FIGURES)))
    for seed in range(seeds):
        rng = stream(seed, "reproduce", "structural-disparity")
        codes = rng.choice(len(cells), size=records, p=cells)
        draw = rng.random(records)
        for place, (way, epsilon) in enumerate(settings):
            reports = reported(codes, oracles(way, epsilon), rng=rng)
            total = np.bincount(reports, minlength=len(cells))
            for number, chance in enumerate(positive):
                ones = np.bincount(reports[draw < chance[codes]], minlength=len(cells))
                # a cell that nobody reported is decided as all records together would be
                decision = np.where(total > 0, 2 * ones > total, 2 * ones.sum() > records)
                found[place, number, seed] = figures(decision, cells, chance)
    return found


def _print(settings: list[Setting], found: Floats, cells: Floats, positive: Floats) -> None:
    """Print one threshold's table, and at which budgets two ways differ by more than their paired interval."""
    lines = []
    for (way, epsilon), values in zip(settings, found, strict=True):
        by = oracles(way, epsilon)
        exact = figures(limit(cells, positive, by), cells, positive)
        kept = transition(by)[0].reshape(SHAPE)[:, 0].sum()
        means, halves = _interval(values)
        shown = [f"{m:.3f} +-{h:.3f} [{x:.3f}]" for m, h, x in zip(means, halves, exact, strict=True)][:-1]
        lines.append((epsilon, way, f"{kept:.3f}", *shown, f"{means[-1]:.0%}"))
    columns = ["epsilon", "way", "P[A kept]", *FIGURES]
    print(pd.DataFrame(lines, columns=columns).to_string(index=False))
    print(
        "\nDirect disparity, where the difference exceeds its 95 % interval (same records, same seeds; * most of these "
        "models decide everybody alike):"
    )
    place = {setting: number for number, setting in enumerate(settings)}
    epsilons = list(dict.fromkeys(epsilon for way, epsilon in settings if way != "none"))
    for way, other in (*((way, "none") for way in WAYS), ("combined", "uniform"), ("combined", "k-based")):
        seen: dict[str, list[str]] = {"less": [], "more": []}
        for epsilon in epsilons:
            theirs = found[place["none", inf] if other == "none" else place[other, epsilon]]
            mean, half = _interval(np.abs(found[place[way, epsilon]]) - np.abs(theirs))
            if abs(mean[0]) > half[0]:
                alike = found[place[way, epsilon], :, -1].mean() > 0.5
                seen["less" if mean[0] < 0 else "more"].append(f"{epsilon:g}{'*' if alike else ''}")
        text = "; ".join(f"{verdict} at eps {', '.join(at)}" for verdict, at in seen.items() if at)
        print(f"  {way} against {other}: {text or 'no difference'}")


def _interval(values: Floats) -> tuple[Floats, Floats]:
    """Return the mean over seeds and half the width of its 95 % interval, by figure."""
    seeds = len(values)
    half = t.ppf(0.975, seeds - 1) * values.std(axis=0, ddof=1) / np.sqrt(seeds)
    return np.asarray(values.mean(axis=0)), np.asarray(half)


if __name__ == "__main__":
    main()
