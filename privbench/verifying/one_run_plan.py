"""How a claim is tested in one run: canaries, a release, attacks, and how many of the most confident guesses are right.

References
----------
T. Steinke, M. Nasr and M. Jagielski, "Privacy Auditing with One (1) Training Run", NeurIPS 2023.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from privbench import registry
from privbench.claim import Claim
from privbench.contracts import Attack, Defense, Guess, Round
from privbench.dataset import Dataset
from privbench.errors import DoesNotApplyError, InputError, PrivbenchError
from privbench.release import AlteredRows, Release
from privbench.reports import Reports
from privbench.rng import stream
from privbench.scorers.claims import Guesses, one_run_lower_bound, one_run_p_value
from privbench.scorers.intervals import LEVEL
from privbench.verifying.canaries import canary_round
from privbench.verifying.failures import in_one_line

__all__ = ["Counts", "Named", "OneRun", "count_right", "judge", "suited"]

Named = tuple[str, Attack]
Counts = Mapping[str, tuple[Guesses, ...]]

_TABLE = ("closest-record", "linear-reconstruction", "nearest-neighbour")
_ROWS = ("linked-row", "closest-record")


@dataclass(frozen=True, slots=True)
class OneRun:
    """How a claim is tested: all of it is fixed before anything is released.

    Parameters
    ----------
    secrets : tuple of str
        Columns whose values are drawn anew for every canary, and guessed.
    runs : int
        Independent runs, whose counts are added.
    targets, records : int
        Canaries in a run, and records in all.
    share : float
        Of the canaries, in (0, 1]: only the most confident guesses count.
    attacks : tuple of (str, Attack), or None
        Each pays for all (Bonferroni); None for those that suit the release.
    known : tuple of str or None
        As in `canary_round`.
    crafted : bool
        As in `canary_round`.
    """

    secrets: tuple[str, ...]
    runs: int
    targets: int
    records: int
    share: float
    attacks: tuple[Named, ...] | None = None
    known: tuple[str, ...] | None = None
    crafted: bool = True

    def __post_init__(self) -> None:
        if self.runs < 1 or self.targets < 1 or not 0 < self.share <= 1:
            raise InputError(
                f"a test in one run needs runs and targets from 1 and a share above 0 and up to 1; got {self.runs}, "
                f"{self.targets} and {self.share}"
            )

    @property
    def made(self) -> int:
        """How many guesses of a secret count in a run."""
        return max(1, round(self.share * self.targets))

    def play(self, defense: Defense, dataset: Dataset, *, seed: int, time_limit: float | None = None) -> Counts:
        """Release and guess, run after run; return each attack's counts, one entry a run and secret.

        Parameters
        ----------
        defense : Defense
            What is tested.
        dataset : Dataset
            Gives the records that are no canaries.
        seed : int
            Of all streams.
        time_limit : float or None
            Seconds; no run is begun that is not expected to end within it, but for the first.

        Raises
        ------
        DoesNotApplyError
            If no attack applies to the release.
        InputError
            If the defense fails.
        """
        started, found = time.monotonic(), dict[str, list[Guesses]]()
        attacks: tuple[Named, ...] = ()
        for run in range(self.runs):
            spent = time.monotonic() - started
            if run and time_limit is not None and spent * (run + 1) / run > time_limit:
                break
            rng = stream(seed, "one-run", "canaries", str(run))
            round_ = canary_round(
                dataset,
                self.secrets,
                targets=self.targets,
                records=self.records,
                known=self.known,
                crafted=self.crafted,
                rng=rng,
            )
            try:
                release = defense.release(round_.train, rng=stream(seed, "one-run", "defense", str(run)))
            except PrivbenchError:
                raise
            except Exception as error:  # a user's code may raise anything
                raise InputError(
                    f"the defense fails in run {run + 1}: {in_one_line(error)}; it cannot be tested"
                ) from error
            view = round_.view(release, defense=defense)
            if not run:
                attacks = self._applying(release, {name: attack.skip(view) for name, attack in self._of(release)})
            for name, attack in attacks:
                guess = attack.infer(view, rng=stream(seed, "one-run", "attack", name, str(run)))
                guess.check(view)
                ties = stream(seed, "one-run", "ties", name, str(run))
                found.setdefault(name, []).extend(count_right(guess, round_, made=self.made, rng=ties))
        return {name: tuple(counts) for name, counts in found.items()}

    def _of(self, release: Release) -> tuple[Named, ...]:
        return suited(release) if self.attacks is None else self.attacks

    def _applying(self, release: Release, reasons: Mapping[str, str | None]) -> tuple[Named, ...]:
        applying = tuple((name, attack) for name, attack in self._of(release) if reasons[name] is None)
        if not applying:
            said = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
            raise DoesNotApplyError(f"no attack applies to this release ({said}); name others, or take many-runs")
        return applying


def count_right(guess: Guess, round_: Round, *, made: int, rng: np.random.Generator) -> tuple[Guesses, ...]:
    """Count the right ones among the `made` most confident guesses of each secret; ties are broken by `rng`.

    The truth is looked at only once it is settled which guesses count.
    """
    found = []
    for column in round_.truth.schema.columns:
        answer = guess.answers[column.name]
        # the first of an order at random among equals: a guess has no right to the low codes
        shuffled = rng.permutation(column.size)
        said = shuffled[answer[:, shuffled].argmax(axis=1)]
        order = np.lexsort((rng.random(len(answer)), -answer.max(axis=1)))[:made]
        right = int((said == round_.truth[column.name])[order].sum())
        found.append(Guesses(right, len(order), column.size, len(answer)))
    return tuple(found)


def suited(release: Release) -> tuple[Named, ...]:
    """Return the attacks that are tried on a release: the exact likelihood of reports, general ones elsewhere."""
    if isinstance(release, Reports):
        # the secrets are uniform, and so is the prior: this is the best attack there is
        return (("report-bayes", registry.make("attacks", "report-bayes", {"prior": "uniform"})),)
    names = _ROWS if isinstance(release, AlteredRows) else _TABLE
    return tuple((name, registry.make("attacks", name, {})) for name in names)


def judge(counts: Counts, claim: Claim, *, level: float = LEVEL) -> tuple[float, float, str]:
    """Return the p-value of a claim, the lower bound on epsilon, and whose counts say so; each attack pays for all.

    Parameters
    ----------
    counts : mapping of str to tuple of Guesses
        Of each attack.
    claim : Claim
        For the exchange of one record, or local.
    level : float
        Of the lower bound.
    """
    tried = len(counts)
    p_values = {
        name: one_run_p_value(own, epsilon=claim.epsilon, delta=claim.delta) * tried for name, own in counts.items()
    }
    each = 1 - (1 - level) / tried
    bounds = {name: one_run_lower_bound(own, delta=claim.delta, level=each) for name, own in counts.items()}
    best = min(counts, key=lambda name: (p_values[name], -bounds[name]))
    return min(1.0, p_values[best]), max(bounds.values()), best
