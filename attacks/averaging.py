"""Reports of the same value over several rounds: what was supported most often."""

from __future__ import annotations

from dataclasses import dataclass, is_dataclass, replace
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from attacks.report_answer import as_guess, bayes
from attacks.report_prior import reports_of
from privbench.contracts import Guess, View
from privbench.errors import InputError
from privbench.oracles import FrequencyOracle
from privbench.reports import Reports
from privbench.schema import Column

__all__ = ["Averaging"]

Floats = NDArray[np.float64]


@runtime_checkable
class _Repeated(Protocol):
    """A frequency oracle whose reports are of shape ``(n, rounds, ...)``, its p and q those of one round."""

    @property
    def rounds(self) -> int: ...


@dataclass(frozen=True)
class Averaging:
    r"""Count in how many of R rounds a person's reports supported each value, and weigh the counts as independent.

    .. math:: P(v | y) \propto f(v) \left( \frac{p}{q} \right)^{c_v}
        \left( \frac{1 - p}{1 - q} \right)^{R - c_v}

    with the count :math:`c_v`, the probabilities p and q of one round and the shares f estimated from all reports. It
    knows nothing of how rounds hang together. Fresh noise averages out, so that the answer becomes certain and right;
    a remembered answer is found as surely, but is itself noisy, so that the success stays at that of one report of it.
    Several surveys of a column count as rounds too.

    Parameters
    ----------
    rounds : int or None
        The first so many rounds only; None for all.

    References
    ----------
    U. Erlingsson, V. Pihur and A. Korolova, "RAPPOR: Randomized Aggregatable Privacy-Preserving Ordinal Response", CCS
    2014; B. Ding, J. Kulkarni and S. Yekhanin, "Collecting Telemetry Data Privately", NeurIPS 2017.
    """

    rounds: int | None = None

    def __post_init__(self) -> None:
        if self.rounds is not None and self.rounds < 1:
            raise InputError(f"rounds must be at least 1, got {self.rounds}")

    def skip(self, view: View) -> str | None:
        """Return a reason unless each target reported a secret more than once, and which reports are the target's."""
        if not isinstance(view.release, Reports):
            return "it needs randomised reports, and this release has none"
        for secret in view.secrets:
            if secret.name not in view.release.schema:
                return f"the release has no column {secret.name!r}"
            if secret.name in view.release and not secret.discrete:
                return f"it counts how often values were supported, and {secret.name!r} is a number"
        if view.rows is None:
            return "it needs to know which reports are the target's, and this game does not tell"
        if not any(_rounds(view.release, secret) > 1 for secret in view.secrets if secret.name in view.release):
            return "there is one report a person of each secret: nothing to average"
        return None

    def infer(self, view: View, *, rng: np.random.Generator) -> Guess:
        """Return the posterior of every secret given how often its values were supported."""
        release = reports_of(view)
        posterior = {}
        for secret in view.secrets:
            if secret.name in release:
                shares = np.tile(release.marginal(secret.name), (len(view.targets), 1))
                if view.rows is not None:
                    shares = bayes(shares, self._counted(release, secret, view.rows))
                posterior[secret.name] = shares
        return as_guess(view, posterior, cells=1)

    def _counted(self, release: Reports, secret: Column, rows: NDArray[np.integer]) -> Floats:
        """Return what the counts say of each value, ``(T, k)``."""
        left = _rounds(release, secret) if self.rounds is None else self.rounds
        total = np.zeros((len(rows), secret.size))
        for one in release.of(secret.name):
            places, reports = one.of(rows)
            oracle, number = cast(FrequencyOracle, one.oracle), min(left, _number(one.oracle))
            if number == 0 or secret.size == 1:
                break
            if isinstance(oracle, _Repeated) and number < oracle.rounds:
                oracle, reports = _first(oracle, number), reports[:, :number]
            shares = np.asarray(oracle.support(reports), dtype=np.float64)
            hit, miss = _log_ratios(np.asarray(oracle.p), np.asarray(oracle.q))
            total[places] += number * (shares * hit + (1 - shares) * miss)
            left -= number
        return total


def _log_ratios(p: Floats, q: Floats) -> tuple[Floats, Floats]:
    """Return log p / q and log (1 - p) / (1 - q), kept finite where the noise has all but gone."""
    least = np.finfo(float).tiny
    return np.log(np.maximum(p, least) / np.maximum(q, least)), np.log(
        np.maximum(1 - p, least) / np.maximum(1 - q, least)
    )


def _number(oracle: object) -> int:
    return oracle.rounds if isinstance(oracle, _Repeated) else 1


def _rounds(release: Reports, column: Column) -> int:
    return sum(_number(one.oracle) for one in release.of(column.name))


def _first(oracle: Any, rounds: int) -> FrequencyOracle:
    """Return the same randomiser over fewer rounds."""
    if not is_dataclass(oracle) or isinstance(oracle, type):
        raise InputError(f"rounds: {oracle!r} cannot be cut to its first {rounds} rounds; leave rounds out to use all")
    return cast(FrequencyOracle, replace(oracle, rounds=rounds))
