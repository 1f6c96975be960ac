"""Several attacks' posteriors pooled into one, each trusted as far as it proved right in practice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from attacks.learner import skip_without_rows
from attacks.pool import pool, pool_numbers, weights, weights_of_numbers
from attacks.practice import Practice, practise
from privbench.contracts import Attack, Guess, View
from privbench.errors import DoesNotApplyError, InputError, TimeLimitError

__all__ = ["Ensemble"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ensemble:
    """Pool the posteriors of other attacks, weighted by what they recover of the released rows themselves.

    Practice comes from the release alone. Where the mechanism is known, not private and fast enough, it is applied to
    the released rows once more and the attacks guess those rows' secrets from what comes out: so a method that
    remembers rows is trusted where a release gives rows away, and one that smooths where it does not. Otherwise half of
    the rows are guessed from the other half. The pool is the product of the posteriors, each to the power of its
    weight; the weights are those that make the secrets of the practice rows most probable. With a single attack that is
    its calibration.

    Parameters
    ----------
    attacks : tuple
        Attacks by name, or mappings with a name and parameters. Those that do not apply to a release, or to the
        practice that it allows (cross-validation grants no roster), or run out of time, are left out.
    targets : int
        Rows that are guessed in practice.
    time_limit : float
        Seconds that a rehearsal may take where the mechanism makes synthetic rows, estimated from a twentieth of the
        rows: on a slow machine one near this limit may be left out. 0 for no rehearsal of any mechanism.

    References
    ----------
    D. Wolpert, "Stacked Generalization", Neural Networks 5, 1992; G. Hinton, "Training Products of Experts by
    Minimizing Contrastive Divergence", Neural Computation 14, 2002; the rehearsal is this project's own.
    """

    parts: ClassVar[tuple[str, ...]] = ("attacks",)

    attacks: tuple[Any, ...] = (
        "belief-propagation",
        {"name": "random-forest", "leaf": 3},
        "naive-bayes",
        "lightgbm",
        {"name": "nearest-neighbour", "neighbours": 10},
    )
    targets: int = 1000
    time_limit: float = 30.0

    def __post_init__(self) -> None:
        if not self.attacks:
            raise InputError("attacks: none is given; name at least one")
        if self.targets < 1 or self.time_limit < 0:
            raise InputError(
                f"targets must be at least 1 and time_limit at least 0; got {self.targets} and {self.time_limit}"
            )

    def skip(self, view: View) -> str | None:
        """Return a reason unless the release is a table with a row, and one of the attacks applies to it."""
        reason = skip_without_rows(view, "an ensemble")
        if reason is None and not self._that_apply(view):
            return f"none of its {len(self.attacks)} attacks applies to this release"
        return reason

    def infer(self, view: View, *, rng: np.random.Generator) -> Guess:
        """Return the pooled posteriors; for a continuous secret the weighted mean, with its error in practice."""
        view = replace(view, scratch=None)  # it has room for the work of one attack
        attacks = self._that_apply(view)
        rounds = practise(view, targets=self.targets, time_limit=self.time_limit, rng=rng)
        answered = [(_guesses(attack, [*(each.view for each in rounds), view], rng)) for attack in attacks]
        whole = [guesses for guesses in answered if guesses is not None]
        if not whole:  # none could be tried: those that apply weigh alike
            rounds = []
            whole = [guesses for attack in attacks if (guesses := _guesses(attack, [view], rng)) is not None]
        if not whole:
            raise DoesNotApplyError(f"none of its {len(attacks)} attacks could answer in time")
        tried = [list(guesses) for guesses in zip(*(guesses[:-1] for guesses in whole), strict=True)]
        final = [guesses[-1] for guesses in whole]
        answers: dict[str, Floats] = {}
        spread: dict[str, Floats] = {}
        for secret in view.secrets:
            mine = [guess.answers[secret.name] for guess in final]
            truth, said = _in_practice(rounds, tried, final, secret.name)
            if secret.discrete:
                marginal = view.release.marginal(secret.name)
                answers[secret.name] = pool(mine, marginal, weights(said, truth.astype(np.intp), marginal))
            else:
                trust, missed = weights_of_numbers(said, truth, secret.range)
                answers[secret.name] = pool_numbers(mine, trust)
                # who has not practised knows no more than the domain
                apart = missed if len(truth) else secret.range / np.sqrt(12)
                spread[secret.name] = np.full(len(view.targets), apart)
        return Guess(answers, spread)

    def _that_apply(self, view: View) -> list[Attack]:
        for attack in self.attacks:
            if not isinstance(attack, Attack):
                raise InputError(f"attacks: {attack!r} is not built; make the ensemble with privbench.registry.make")
        return [attack for attack in self.attacks if attack.skip(view) is None]


def _guesses(attack: Attack, views: Sequence[View], rng: np.random.Generator) -> list[Guess] | None:
    """Return an attack's guesses of several views, or None where one does not suit it or takes too long."""
    if any(attack.skip(view) is not None for view in views):
        return None
    try:
        return [attack.infer(view, rng=rng) for view in views]
    except (DoesNotApplyError, TimeLimitError):
        return None


def _in_practice(
    rounds: Sequence[Practice], tried: Sequence[Sequence[Guess]], final: Sequence[Guess], secret: str
) -> tuple[NDArray[Any], list[Floats]]:
    """Return the true values of all rounds that are shown, and what each attack said of these people."""
    truth, said = [np.empty(0)], [[guess.answers[secret][:0]] for guess in final]
    for each, guesses in zip(rounds, tried, strict=True):
        shown = each.shown[secret]
        truth.append(each.truth[secret][shown])
        for parts, guess in zip(said, guesses, strict=True):
            parts.append(guess.answers[secret][shown])
    return np.concatenate(truth), [np.concatenate(parts) for parts in said]
