"""A report that is genuine with a known probability, else a fake, uniform or realistic: the law of both together.

References
----------
H. Arcolezi, J.-F. Couchot, B. Al Bouna and X. Xiao, "Random Sampling Plus Fake Data: Multidimensional Frequency
Estimates With Local Differential Privacy", CIKM 2021 (RS+FD).
H. Arcolezi, S. Gambs, J.-F. Couchot and C. Palamidessi, "On the Risks of Collecting Multidimensional Data Under Local
Differential Privacy", VLDB 2023 (RS+RFD).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from defenses.ldp import frequency, packed
from defenses.ldp.domain import checked_codes, checked_prior
from defenses.ldp.fake_success import success
from defenses.ldp.grr import Grr
from defenses.ldp.pure_protocol import PureProtocol
from defenses.ldp.support_law import log_mixed, log_zero, widths
from defenses.ldp.unary import UnaryEncoding
from privbench.errors import InputError

__all__ = ["Fake", "Faked"]

Floats = NDArray[np.float64]

Fake = Literal["uniform", "zero", "random", "prior"]


@dataclass(frozen=True)
class Faked:
    r"""A report that is genuine with a known probability s, else a fake that does not see the value.

    A fake supports value v with probability :math:`F_v`, so a report supports it with
    :math:`p_v = s p + (1 - s) F_v` if it is the true one, else with :math:`q_v = s q + (1 - s) F_v`, and

    .. math:: \hat f_v = \frac{C_v / n - q_v}{s (p - q)}

    is unbiased. With one value in the domain a fake is what the genuine report would be.

    Parameters
    ----------
    genuine : Grr, Sue, Oue, The, SubsetSelection, Blh or Olh
        The randomiser of a genuine report.
    share : float
        Probability that a report is genuine, s, in (0, 1]; with d columns 1 / d.
    fake : str
        uniform: a uniform value, unrandomised (GRR; it is the same as `random` there). zero: the randomised zero vector
        (unary encodings). random: a uniform value, randomised. prior: a value of `prior`, randomised, but not by GRR.
    prior : tuple of float, optional
        Public probabilities of the k values, all positive: a value that no fake has would give the genuine away. Never
        an estimate from the private records, which would be a release of its own.

    Raises
    ------
    InputError
        If the fakes do not fit the protocol, or share or prior is out of range.

    References
    ----------
    Arcolezi et al., CIKM 2021 (uniform, zero, random) and VLDB 2023 (prior).
    """

    genuine: PureProtocol
    share: float
    fake: Fake
    prior: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.genuine, PureProtocol):
            raise InputError(f"fakes: got {self.genuine!r}; allowed: one report of GRR, SUE, OUE, THE, SS, BLH or OLH")
        if not 0 < self.share <= 1:
            raise InputError(f"fakes: share is the probability of a genuine report, in (0, 1]; got {self.share}")
        grr, unary = isinstance(self.genuine, Grr), isinstance(self.genuine, UnaryEncoding)
        fitting = [*(["uniform"] if grr else []), *(["zero"] if unary else []), "random", "prior"]
        if self.fake not in fitting:
            name = type(self.genuine).__name__
            raise InputError(f"fakes: got {self.fake!r} for {name}; allowed for this protocol: {', '.join(fitting)}")
        if (self.prior is None) is (self.fake == "prior"):
            raise InputError("fakes: 'prior' needs a public prior, and no other kind takes one; give both or neither")
        if self.prior is not None:
            checked_prior(np.array(self.prior), size=self.size)
            if min(self.prior) <= 0:
                raise InputError(
                    f"fakes: the prior of value {int(np.argmin(self.prior))} is 0: a report of it would be genuine for "
                    "certain; add a small share to every value"
                )

    @property
    def size(self) -> int:
        """Number of values, k."""
        return self.genuine.size

    @property
    def epsilon(self) -> float:
        """Budget that this column's report spends on its value if the person's other reports are not seen.

        The greatest log ratio of s P[report | v] + (1 - s) P[report | fake] over two values v; what all reports of a
        person reveal together is in `fake_claims`.
        """
        if self.size == 1:
            return 0.0
        ratio, fake = self.genuine.log_ratio, self.log_fake_range[0]
        return float(self._mix(ratio, fake) - self._mix(0.0, fake))

    @property
    def weights(self) -> Floats:
        """How probable each value is as that of a fake, ``(k,)``."""
        if self.prior is None:
            return np.full(self.size, 1 / self.size)
        return np.array(self.prior) / math.fsum(self.prior)

    @property
    def fake_support(self) -> float | Floats:
        """Probability that a fake supports a value, F; one a value, ``(k,)``, under a prior."""
        genuine = self.genuine
        if self.size > 1 and self.fake == "zero":
            return genuine.q
        if self.prior is None:
            return genuine.q + (genuine.p - genuine.q) / self.size
        return self.weights if isinstance(genuine, Grr) else genuine.q + (genuine.p - genuine.q) * self.weights

    @property
    def p(self) -> float | Floats:
        """Probability that a report, genuine or fake, supports the true value; ``(k,)`` under a prior."""
        return self.share * self.genuine.p + (1 - self.share) * self.fake_support

    @property
    def q(self) -> float | Floats:
        """Probability that a report, genuine or fake, supports a given other value; ``(k,)`` under a prior."""
        return self.share * self.genuine.q + (1 - self.share) * self.fake_support

    @property
    def log_fake_range(self) -> tuple[float, float]:
        """Extremes of log P[report | fake] - log P[report | a value that it does not support]; of two values or more.

        Over the reports that support some value and leave another one out.
        """
        if self.fake == "zero" and isinstance(self.genuine, UnaryEncoding):
            return (log_zero(self.genuine),) * 2
        least, most = (min(max(width, 1), self.size - 1) for width in widths(self.genuine))
        rising = np.sort(self.weights)
        sets = np.array([rising[:least].sum(), rising[self.size - most :].sum()])
        low, high = self._log_fake_of(sets)
        return float(low), float(high)

    def randomise(self, codes: NDArray[np.integer], *, rng: np.random.Generator) -> NDArray[Any]:
        """Return one report for each of `n` codes, each genuine or not on its own."""
        return self.randomise_some(codes, rng.random(len(codes)) < self.share, rng=rng)

    def randomise_some(
        self, codes: NDArray[np.integer], genuine: NDArray[np.bool_], *, rng: np.random.Generator
    ) -> NDArray[Any]:
        """Return one report for each of `n` codes, genuine where told, else a fake."""
        true = checked_codes(codes, size=self.size)
        told = self.genuine.randomise(true[genuine], rng=rng)
        reports = np.empty((len(true), *told.shape[1:]), dtype=told.dtype)
        reports[genuine] = told
        reports[~genuine] = self.fakes(len(true) - len(told), rng=rng)
        return reports

    def fakes(self, count: int, *, rng: np.random.Generator) -> NDArray[Any]:
        """Return fake reports, drawn without any person's value."""
        if self.size > 1 and self.fake == "zero":
            return packed.bernoulli_rows(count, self.size, self.genuine.q, rng=rng)
        if self.prior is None:
            drawn = rng.integers(0, self.size, size=count)
        else:
            # up to the last but one, so that rounding cannot lead beyond the last value
            drawn = np.searchsorted(np.cumsum(self.weights)[:-1], rng.random(count), side="right")
        if isinstance(self.genuine, Grr):
            return drawn.astype(np.min_scalar_type(self.size - 1))
        return self.genuine.randomise(drawn, rng=rng)

    def support(self, reports: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which values each report supports, ``(n, k)``."""
        return self.genuine.support(reports)

    def counts(self, reports: NDArray[Any]) -> Floats:
        """Return how many reports support each value, ``(k,)``."""
        return self.genuine.counts(reports)

    def log_odds(self, reports: NDArray[Any]) -> Floats:
        """Return log P[report | value, genuine] - log P[report | fake], ``(n, k)``."""
        support = self.support(reports)
        return np.where(support, self.genuine.log_ratio, 0.0) - self._log_fake(support)[:, None]

    def log_likelihood(self, reports: NDArray[Any]) -> Floats:
        """Return log P[report | value] up to a constant a report, ``(n, k)``, whether it is genuine being unknown."""
        support = self.support(reports)
        return self._mix(np.where(support, self.genuine.log_ratio, 0.0), self._log_fake(support)[:, None])

    def estimate(self, reports: NDArray[Any]) -> Floats:
        """Return the unbiased estimate of the values' shares, ``(k,)``; uniform if there is no report."""
        n = len(reports)
        genuine = (self.counts(reports) - n * (1 - self.share) * self.fake_support) / self.share
        return frequency.estimate(genuine, reports=n, p=self.genuine.p, q=self.genuine.q)

    def variance(self, shares: Floats, *, reports: int) -> Floats:
        r"""Return the variance of the estimate given the shares of those who report, ``(k,)``.

        .. math:: \frac{f_v p_v (1 - p_v) + (1 - f_v) q_v (1 - q_v)}{n s^2 (p - q)^2}
        """
        if reports < 0:
            raise InputError(f"the number of reports must be 0 or more; got {reports}")
        share, p, q = np.clip(np.asarray(shares, dtype=np.float64), 0, 1), self.p, self.q
        gap = self.share * (self.genuine.p - self.genuine.q)
        one = (share * (p * (1 - p)) + (1 - share) * (q * (1 - q))) / gap**2
        return np.where(one > 0, np.inf, 0.0) if reports == 0 else one / reports

    def success(self, prior: Floats) -> float | None:
        """Return how often the best guess from one report is right, values drawn from `prior`; see `fake_success`."""
        return success(
            checked_prior(prior, size=self.size),
            genuine=self.genuine,
            share=self.share,
            zero=self.fake == "zero",
            weights=None if self.prior is None else self.weights,
        )

    def _log_fake(self, support: NDArray[np.bool_]) -> Floats:
        """Return log P[report | fake] - log P[report | a value that it does not support], ``(n,)``."""
        if self.size > 1 and self.fake == "zero" and isinstance(self.genuine, UnaryEncoding):
            return np.full(len(support), log_zero(self.genuine))
        return self._log_fake_of(support @ self.weights)

    def _log_fake_of(self, weight: Floats) -> Floats:
        """Return `_log_fake` of the weight of the supported values."""
        ratio = self.genuine.log_ratio
        if self.prior is not None and isinstance(self.genuine, Grr):
            return np.log(weight) + ratio - math.log(self.genuine.p)
        return log_mixed(weight, ratio)

    def _mix(self, genuine: float | Floats, fake: float | Floats) -> Floats:
        """Return log(s e^genuine + (1 - s) e^fake)."""
        if self.share == 1:
            return np.asarray(genuine, dtype=np.float64) + 0 * np.asarray(fake)
        return np.asarray(np.logaddexp(math.log(self.share) + genuine, math.log1p(-self.share) + fake))
