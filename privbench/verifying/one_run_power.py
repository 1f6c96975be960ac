"""What a test in one run would have caught: the defense is run with a larger epsilon while it claims the one stated.

That takes defense and attacks as they are. Where the defense has no parameter `epsilon`, or a few repeats do not end in
time, no power is shown: what attacks as strong as theory allows would have caught is exact and costs nothing, but
promises too much of general attacks, so it stands in the test's `event` alone, as what it is.
"""

from __future__ import annotations

import time
from dataclasses import replace

from privbench.claim import Adjacency, Claim
from privbench.contracts import Defense
from privbench.dataset import Dataset
from privbench.errors import PrivbenchError
from privbench.scorers.claims import Guesses, one_run_critical, right_law
from privbench.scorers.intervals import LEVEL, clopper_pearson
from privbench.verifying.asked import stated_on_data
from privbench.verifying.larger import with_epsilon_times
from privbench.verifying.one_run_plan import Counts, OneRun, judge
from privbench.verifying.power import PowerBy
from privbench.verifying.simulated import Curve

__all__ = ["honest_power", "ideal_power", "power_of"]

_IDEAL_FACTORS = (1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0)
# the largest first
_FACTORS = (10.0, 4.0, 2.0)
_REPEATS = 20
_FEWEST = 5
# seconds that honest power may take without a time limit
_SECONDS = 60.0


def power_of(
    plan: OneRun,
    defense: Defense,
    dataset: Dataset,
    claim: Claim,
    counts: Counts,
    *,
    seconds: float,
    left: float | None,
    seed: int,
    level: float = LEVEL,
) -> tuple[Curve | None, PowerBy, str]:
    """Return (epsilon, probability of a refutation) in ascending order, None where not known, how, and it in words.

    Parameters
    ----------
    plan, defense, dataset : OneRun, Defense, Dataset
        The test.
    claim : Claim
        For the exchange of one record, or local.
    counts : mapping
        What the test counted: the numbers of guesses, the right ones do not matter.
    seconds, left : float
        What the test took, and what remains of a time limit.
    seed : int
        Of all randomness.
    level : float
        At which the claim is refuted.
    """
    limit = _SECONDS if left is None else left
    # a power that is cut short is not worth its first repeats
    if seconds * _FEWEST <= limit:
        made = max(len(own) for own in counts.values()) // len(plan.secrets)
        honest = honest_power(replace(plan, runs=made), defense, dataset, claim, seconds=limit, seed=seed, level=level)
        if honest:
            how = (
                "power: of these attacks on the defense run with a larger epsilon than it claims, each probability the "
                "lower limit (95 %) of some repeats"
            )
            return honest, "simulation", how
    ideal = ideal_power(next(iter(counts.values())), claim, tried=len(counts), level=level)
    caught = [one for one in ideal if one[1] >= LEVEL]
    what = f"epsilon {caught[0][0]:.3g} with probability {caught[0][1]:.2f}" if caught else "no epsilon"
    how = (
        "power: not known, as the defense could not be run often enough with a larger epsilon; attacks as strong as "
        f"theory allows would have caught {what}"
    )
    return None, "not known", how


def ideal_power(counts: tuple[Guesses, ...], claim: Claim, *, tried: int = 1, level: float = LEVEL) -> Curve:
    """Return the exact power where each guess is right as often as epsilon allows.

    Parameters
    ----------
    counts : tuple of Guesses
        One entry a run and secret; the right ones do not matter.
    claim : Claim
        For the exchange of one record, or local.
    tried : int
        Attacks that share the level.
    level : float
        At which the claim is refuted.
    """
    each = 1 - (1 - level) / tried
    # entries of one kind are one binomial
    kinds = dict.fromkeys((part.values, part.drawn / part.made) for part in counts)
    together = [
        Guesses(0, sum(made), values, round(sum(made) * ratio))
        for values, ratio in kinds
        if (made := [p.made for p in counts if (p.values, p.drawn / p.made) == (values, ratio)])
    ]
    critical = one_run_critical(together, epsilon=claim.epsilon, delta=claim.delta, level=each)
    curve = []
    for factor in _IDEAL_FACTORS:
        epsilon = factor * claim.epsilon
        caught = 0.0 if critical is None else float(right_law(together, epsilon=epsilon)[critical:].sum())
        curve.append((epsilon, min(1.0, caught)))
    return tuple(curve)


def honest_power(
    plan: OneRun, defense: Defense, dataset: Dataset, claim: Claim, *, seconds: float, seed: int, level: float = LEVEL
) -> Curve:
    """Return how often the test refutes the claim if the defense is run with a larger epsilon; parameters as above.

    The epsilon shown is the claim's times 10, 4 and 2, and so is what the defense then states; the probability is a
    lower limit at 95 %, as twenty refutations in twenty repeats are no promise of the next one. Left out are those for
    which the time does not suffice for five repeats, those below one that was never caught, and all where the defense
    has no such parameter.
    """
    if with_epsilon_times(defense, 1.0) is None:
        return ()
    started, curve = time.monotonic(), list[tuple[float, float]]()
    scale = _scale(defense, dataset, claim, records=plan.records, seed=seed)
    for place, factor in enumerate(_FACTORS):
        begun = time.monotonic()
        slice_ = (seconds - (begun - started)) / (len(_FACTORS) - place)
        caught = repeats = 0
        try:
            if (larger := with_epsilon_times(defense, factor * scale)) is None:
                return ()
            for repeat in range(_REPEATS):
                spent = time.monotonic() - begun
                if spent * (repeat + 1) / max(1, repeat) > (slice_ if repeat >= _FEWEST else seconds):
                    break
                counts = plan.play(larger, dataset, seed=_other_seed(seed, factor, repeat))
                caught += judge(counts, claim)[0] < 1 - level
                repeats += 1
        except PrivbenchError:  # what the defense refuses at this epsilon it may do at a smaller one
            continue
        if repeats >= _FEWEST:
            curve.append((factor * claim.epsilon, _surely(caught, repeats)))
        # what is never caught at this epsilon is not worth the time at a smaller one
        if time.monotonic() - started > seconds or (repeats >= _FEWEST and not caught):
            break
    return tuple(sorted(curve))


def _scale(defense: Defense, dataset: Dataset, claim: Claim, *, records: int, seed: int) -> float:
    """Return how many times its own epsilon a defense has to have to state that of the claim; 1 if it states none."""
    own = stated_on_data(defense, dataset, seed, records=records)
    if own is not None and claim.adjacency is Adjacency.REPLACE_ONE:
        own = own.as_replace_one()
    comparable = own is not None and own.adjacency is claim.adjacency and own.epsilon > 0
    return claim.epsilon / own.epsilon if own is not None and comparable else 1.0


def _surely(caught: int, repeats: int) -> float:
    """Return the Clopper-Pearson limit below which the probability lies in 5 % of all cases."""
    return float(clopper_pearson(caught, n=repeats, level=2 * LEVEL - 1)[0])


def _other_seed(seed: int, factor: float, repeat: int) -> int:
    """Return a seed of its own for a repeat: none is the test's."""
    return (seed + 1) * 1_000_003 + int(factor) * 1_000 + repeat
