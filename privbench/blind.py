"""What an attack says without the targets' own reports: the baseline of the game of reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from privbench.contracts import Attack, Guess, View
from privbench.reports import Reports

__all__ = ["guess_without_reports"]


def guess_without_reports(attack: Attack, view: View, *, streams: Callable[[], np.random.Generator]) -> Guess:
    """Return the attack's guess where the targets' own reports do not exist.

    To withhold which reports are theirs is not enough: a model learnt from all reports has learnt from theirs too, and
    finds them again by the columns in the clear. So they are left out, a part of the targets at a time.

    Parameters
    ----------
    attack : Attack
        One that does not skip the view.
    view : View
        As the attack had it, with `rows`.
    streams : callable
        Returns the attack's stream, anew for each part.

    Raises
    ------
    ContractError
        If a guess breaks its contract.
    """
    release, rows = view.release, view.rows
    if rows is None or not isinstance(release, Reports):
        blind = replace(view, rows=None)
        return _checked(attack, blind, streams())
    answers = {
        secret.name: np.empty((len(rows), secret.size) if secret.discrete else len(rows)) for secret in view.secrets
    }
    spread: dict[str, np.ndarray] = {}
    for places, rest in release.left_out(rows):
        blind = replace(view, release=rest, targets=view.targets.take(places), rows=None)
        guess = _checked(attack, blind, streams())
        for name, answer in guess.answers.items():
            answers[name][places] = answer
        for name, width in guess.spread.items():
            spread.setdefault(name, np.empty(len(rows)))[places] = width
    return Guess(answers, spread)


def _checked(attack: Attack, view: View, rng: np.random.Generator) -> Guess:
    guess = attack.infer(view, rng=rng)
    guess.check(view)
    return guess
