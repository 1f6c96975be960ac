"""The known mechanism, repeated with the targets' secrets set at random: which of its releases is the real one like."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from attacks.even import drawn_evenly
from attacks.ladder import canonical
from attacks.learner import skip_without_rows
from attacks.links import Links
from attacks.release_features import WHOLE
from attacks.shadow_model import Shadows, learn_secret
from attacks.shadow_release import QUERIES, ShadowRelease, Studio
from privbench.contracts import Guess, View
from privbench.errors import InputError, TimeLimitError
from privbench.threads import one_thread

__all__ = ["Shadow"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# shadows without which nothing is learnt, if so many are asked for
_FEWEST = 20


@dataclass(frozen=True)
class Shadow:
    """Publish again and again what the training records may have been, and learn how a secret shows in a release.

    The adversary makes up training records (known columns of the roster, else a population or released rows; all else
    as in released rows that resemble them), gives every target a secret drawn evenly, and applies the mechanism, whose
    code and parameters are public. All targets' secrets are drawn at once and independently, so that every such shadow
    release serves all targets. What the releases look like as a whole, and how many rows share known values and each
    secret with a target, is then weighed so that the secrets of the shadows are told best; the real release is judged
    with the same weights.

    Parameters
    ----------
    shadows : int
        How many shadow releases are made, at least 4.
    time_limit : float
        Seconds for making them. Before each it is reckoned from those made whether it can be; if not, those that there
        are must do, and with fewer than 20, or than `shadows`, the attack is recorded as out of time. How many fit then
        depends on the machine; leave time enough to make all, and figures do not.
    features : tuple of str
        What is looked at: naive, histogram, correlation (of the release as a whole), queries (aimed at each target).
    prior : str
        How common each value is held to be before the release is looked at. conditional: as in released rows like the
        target; uniform: every value alike; auto: uniform if the mix of secrets near the targets is beyond doubt more
        even than near other rows' people, else conditional.

    References
    ----------
    T. Stadler, B. Oprisanu and C. Troncoso, "Synthetic Data - Anonymisation Groundhog Day", USENIX Security 2022;
    F. Houssiau et al., "TAPAS: a Toolbox for Adversarial Privacy Auditing of Synthetic Data", 2022; T. Steinke, M. Nasr
    and M. Jagielski, "Privacy Auditing with One (1) Training Run", NeurIPS 2023 (all secrets drawn at once).
    """

    shadows: int = 100
    time_limit: float = 300.0
    features: tuple[str, ...] = (*WHOLE, QUERIES)
    prior: Literal["auto", "conditional", "uniform"] = "auto"

    def __post_init__(self) -> None:
        if self.shadows < 4 or not self.time_limit > 0:
            raise InputError(
                f"shadows must be at least 4 and time_limit positive; got {self.shadows} and {self.time_limit:g}"
            )
        if not self.features or (odd := set(self.features) - {*WHOLE, QUERIES}):
            got = ", ".join(sorted(odd)) if self.features else "none"
            raise InputError(f"features: got {got}; allowed: {', '.join((*WHOLE, QUERIES))}")

    def skip(self, view: View) -> str | None:
        """Return a reason unless the mechanism is known, its release a table with a row, and something known."""
        if view.defense is None:
            return "it repeats the mechanism, and which one made this release is not known"
        if not view.targets.schema.names:
            return "it tells targets apart by their known columns, and none is known"
        return skip_without_rows(view, "a comparison of releases")

    def infer(self, view: View, *, rng: np.random.Generator) -> Guess:
        """Return the posterior of every secret; for a continuous one its mean and spread.

        Raises
        ------
        TimeLimitError
            If not even the fewest shadow releases can be made in time.
        """
        # everything is drawn for an order of the targets' own, so that how they come does not matter
        order = canonical(view.targets)
        asked = replace(view, targets=view.targets.take(order))
        with one_thread():
            studio = Studio(asked, self.features, self.shadows, rng)
            made = self._make(asked, studio, rng)
            answers: dict[str, Floats] = {}
            spread: dict[str, Floats] = {}
            for place, secret in enumerate(view.secrets):
                posterior = _posterior(studio, made, place, self.prior)
                answer, apart = studio.cells[secret].answer(posterior)
                answers[secret.name] = answer[np.argsort(order)]
                if apart is not None:
                    spread[secret.name] = apart[np.argsort(order)]
        return Guess(answers, spread)

    def _make(self, view: View, studio: Studio, rng: np.random.Generator) -> list[ShadowRelease]:
        """Make shadow releases, or load those made before, as long as there is time."""
        assert view.defense is not None, "skip() refuses a mechanism that is not known"
        fewest = min(self.shadows, max(_FEWEST, 2 * max(cells.size for cells in studio.cells.values())))
        streams = rng.spawn(self.shadows)
        made: dict[int, ShadowRelease] = {}
        for number in range(self.shadows if view.scratch is not None else 0):
            content = None if view.scratch is None else view.scratch.load(_name(number))
            if content is not None and (kept := ShadowRelease.load(content, studio)) is not None:
                made[number] = kept
        started, last = time.perf_counter(), [shadow.seconds for shadow in made.values()]
        if not made:
            for seconds in studio.try_out(view.defense, rng):
                self._check(started, seconds, 0, fewest)
        for number, stream in enumerate(streams):
            if number in made:
                continue
            mean = float(np.mean(last)) if last else 0.0
            self._check(started, mean, len(made), fewest)
            if len(made) >= fewest and time.perf_counter() - started + mean > self.time_limit:
                break
            begun = time.perf_counter()
            shadow = studio.make(view.defense, stream)
            made[number] = replace(shadow, seconds=time.perf_counter() - begun)
            last.append(made[number].seconds)
            if view.scratch is not None:
                view.scratch.save(_name(number), made[number].dump())
        return [made[number] for number in sorted(made)]

    def _check(self, started: float, seconds: float, made: int, fewest: int) -> None:
        """Refuse to go on where the fewest shadows would take too long."""
        spent = time.perf_counter() - started
        if made < fewest and spent + seconds * (fewest - made) > self.time_limit:
            missing, left = fewest - made, max(0.0, self.time_limit - spent)
            raise TimeLimitError(
                f"{fewest} shadow releases are needed and {made} are made; {missing} more take about "
                f"{missing * seconds:,.0f} s, at {seconds:.2g} s each, and {left:,.0f} s are left of a time_limit of "
                f"{self.time_limit:g} s: raise it, or leave shadow out for this mechanism"
            )


def _name(number: int) -> str:
    return f"shadow-{number:05d}.npz"


def _posterior(studio: Studio, made: Sequence[ShadowRelease], place: int, prior: str) -> Floats:
    """Return the probabilities of a secret's cells for every target."""
    from scipy.special import softmax

    secret = list(studio.cells)[place]
    there = studio.records.places >= 0
    usual = studio.known.usual[secret] / studio.known.usual[secret].sum(axis=1, keepdims=True)
    even = prior == "uniform" or (prior == "auto" and drawn_evenly(*Links(studio.known, None).mixes(secret)))
    likely = np.zeros_like(usual)
    if there.any():
        shadows = Shadows(
            cell=np.stack([shadow.cells[place][there] for shadow in made]),
            counts=np.stack([shadow.counts[place] for shadow in made]),
            combination=studio.combinations.of_row[there],
            whole=np.stack([shadow.whole for shadow in made]),
            real=(studio.real.counts[place], studio.real.whole),
        )
        # one who is not on the roster leaves no trace
        likely[there] = learn_secret(shadows)
    logs = likely if even else likely + np.log(usual)
    posterior = softmax(logs, axis=1)
    # people with the same known columns cannot be told apart
    group = studio.combinations.of_row
    mean = np.stack([np.bincount(group, weights=column) for column in posterior.T], axis=1)
    return np.asarray((mean / np.bincount(group)[:, None])[group], dtype=np.float64)
