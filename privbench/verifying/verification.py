"""What a test of a differential-privacy claim found: tests, their bounds, and the sentence that may be said of them.

A test can refute a claim, never confirm it: where it finds nothing, it says what it would have found.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from privbench.claim import Claim
from privbench.scorers.intervals import LEVEL
from privbench.verifying.power import PowerBy

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

__all__ = ["Test", "Verification"]


@dataclass(frozen=True, slots=True)
class Test:
    """One test of a claim.

    Attributes
    ----------
    method : str
        ``one-run``, ``many-runs`` or ``local``.
    p_value : float
        Of the claim, in [0, 1]: valid whatever the attack was.
    epsilon_lower_bound : float
        At 95 % confidence, at the delta claimed, 0 or more.
    runs : int
        Releases made.
    seconds : float
        Spent.
    event : str
        What told the two possibilities apart, in words.
    claimed : float
        The epsilon that `p_value` belongs to, in the sense of `adjacency`.
    adjacency : str
        In which sense epsilon is meant: of the neighbours that were tested.
    power : tuple of (float, float), or None
        Epsilon, and the probability that this test had refuted the claim if that were the mechanism's, ascending; by
        simulation from confidence limits, so that it is seldom too large. Empty where the test has too little power to
        say, None where it was not computed or is not known.
    power_by : str
        ``simulation``, ``extrapolation``, ``not computed`` or ``not known``.
    """

    __test__: ClassVar[bool] = False  # no test of pytest's

    method: str
    p_value: float
    epsilon_lower_bound: float
    runs: int
    seconds: float
    event: str
    claimed: float
    adjacency: str = "replace-one"
    power: tuple[tuple[float, float], ...] | None = None
    power_by: PowerBy = "not computed"


@dataclass(frozen=True, slots=True, eq=False)
class Verification:
    """What all tests together say of a claim.

    Parameters
    ----------
    claim : Claim
        As it was tested.
    tests : tuple of Test
        At least one.
    frame : DataFrame
        One row a figure, as `privbench.record.Row` says; metrics ``epsilon_lower_bound`` and ``claim_p_value``.
    notes : tuple of str
        What must be known beside it, a sentence each.
    """

    claim: Claim
    tests: tuple[Test, ...]
    frame: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def p_value(self) -> float:
        """Of the claim: the smallest one of the tests times their number (Bonferroni), at most 1."""
        return min(1.0, len(self.tests) * min(test.p_value for test in self.tests))

    @property
    def refuted(self) -> bool:
        """Whether the claim is refuted at the level of 95 %."""
        return self.p_value < 1 - LEVEL

    @property
    def strongest(self) -> Test:
        """The test whose lower bound is the largest beside the epsilon tested; of equals the smaller p-value."""
        return max(self.tests, key=lambda test: (test.epsilon_lower_bound / test.claimed, -test.p_value))

    @property
    def epsilon_lower_bound(self) -> float:
        """The lower bound of the strongest test, at 95 % confidence, in the sense of that test's neighbours."""
        return self.strongest.epsilon_lower_bound

    @property
    def sentence(self) -> str:
        """The answer in one sentence; it never says that anything is safe."""
        if self.refuted:
            # which test speaks: the one that refutes
            test = min(self.tests, key=lambda test: (test.p_value, -test.epsilon_lower_bound))
            return (
                f"the claim is refuted: epsilon is at least {_apart(test.epsilon_lower_bound, test.claimed)} (95 %, "
                f"p-value {_p_value(self.p_value)}), claimed {test.claimed:.4g} ({self._sense(test)})"
            )
        found = [(test, *caught) for test in self.tests if (caught := _caught(test)) is not None]
        if found:
            test, epsilon, probability = min(found, key=lambda one: one[1] / one[0].claimed)
            if test.power_by == "extrapolation":
                return (
                    f"no violation found in the event looked at (claimed {test.claimed:.4g}, {self._sense(test)}); a "
                    f"leak that shows there as this one's does would have been caught above epsilon {_up(epsilon)} "
                    f"with probability {_down(probability)} (extrapolated), another one perhaps not"
                )
            return (
                f"no violation found; this test would have caught epsilon above {_up(epsilon)} with probability "
                f"{_down(probability)} (claimed {test.claimed:.4g}, {self._sense(test)})"
            )
        if any(test.power is not None for test in self.tests):
            told = ", and the test has too little power to say which epsilon it would have caught"
        elif any(test.power_by == "not known" for test in self.tests):
            told = "; what this test would have caught is not known"
        else:
            told = "; what this test would have caught was not computed"
        test = self.strongest
        return f"no violation found{told} (claimed {test.claimed:.4g}, {self._sense(test)})"

    def _sense(self, test: Test) -> str:
        return test.adjacency + (f", delta {self.claim.delta:.3g}" if self.claim.delta else "")

    @property
    def details(self) -> tuple[str, ...]:
        """The claim as it was tested, each test, and what must be known beside it: lines for people."""
        delta = f", delta {self.claim.delta:.3g}" if self.claim.delta else ""
        lines = [f"Claim: epsilon {self.claim.epsilon:.4g}{delta}, {self.claim.adjacency}."]
        for test in self.tests:
            lines.append(
                f"{test.method.capitalize()}: p-value of the claim {_p_value(test.p_value)}; 95 % lower bound on "
                f"epsilon {_apart(test.epsilon_lower_bound, test.claimed)}, claimed {test.claimed:.4g} "
                f"({test.adjacency}); {test.runs:,} {'release' if test.runs == 1 else 'releases'}, "
                f"{test.seconds:.1f} s."
            )
            lines.append(f"  Told by: {test.event}.")
            if test.power and not self.refuted:
                how = {
                    "simulation": "by simulation, the defense run with a larger epsilon than it claims",
                    "extrapolation": "extrapolated from this event alone",
                }[test.power_by]
                caught = ", ".join(f"epsilon {_up(epsilon)} with probability {_down(p)}" for epsilon, p in test.power)
                lines.append(f"  Would have caught ({how}): {caught}.")
        lines += [f"Note: {note}." for note in self.notes]
        lines += [f"Assumed: {sentence}." for sentence in self.claim.assumes]
        return tuple(lines)

    def to_json(self) -> str:
        """Return everything as JSON, for machines."""
        claim = {**asdict(self.claim), "adjacency": str(self.claim.adjacency), "assumes": list(self.claim.assumes)}
        plain: dict[str, Any] = {
            "refuted": self.refuted,
            "sentence": self.sentence,
            "p_value": self.p_value,
            "epsilon_lower_bound": self.epsilon_lower_bound,
            # the bound is one in the sense of its test, which a claim in another sense is no match for
            "claimed": self.strongest.claimed,
            "adjacency": self.strongest.adjacency,
            "claim": claim,
            "tests": [asdict(test) for test in self.tests],
            "notes": list(self.notes),
        }
        return json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False)

    def print(self, console: Console | None = None) -> None:
        """Print the answer, and the tests behind it."""
        from privbench.report.console import standard_console
        from privbench.verifying.terminal import print_answer

        print_answer(self.sentence, self.details, console or standard_console(), alarm=self.refuted)

    def __repr__(self) -> str:
        return f"<Verification: {self.sentence}>"

    def _repr_html_(self) -> str:
        from privbench.verifying.terminal import to_html

        return to_html(self.sentence, self.details)


def _caught(test: Test) -> tuple[float, float] | None:
    """Return the smallest epsilon that was surely caught, with its probability; the likeliest caught if none was."""
    power = test.power or ()
    if sure := [one for one in power if one[1] >= LEVEL]:
        return min(sure)
    some = [one for one in power if one[1] > 1 - LEVEL]
    return max(some, key=lambda one: one[1]) if some else None


def _up(epsilon: float) -> str:
    """Return three digits of what is promised to be caught, not rounded below it."""
    return f"{float(Context(prec=3, rounding=ROUND_CEILING).create_decimal(str(epsilon))):.3g}"


def _down(probability: float) -> str:
    """Return two decimals, not rounded above what is promised."""
    return str(Decimal(str(probability)).quantize(Decimal("0.01"), rounding=ROUND_FLOOR))


def _apart(bound: float, claimed: float) -> str:
    """Return a lower bound, rounded down, with three digits or as many as keep it on its side of the claim."""
    shown_claim = float(f"{claimed:.4g}")
    for digits in range(3, 9):
        shown = float(Context(prec=digits, rounding=ROUND_FLOOR).create_decimal(str(bound)))
        if shown != shown_claim and (shown > shown_claim) == (bound > claimed):
            break
    return f"{shown:.{digits}g}"


def _p_value(p_value: float) -> str:
    return "below 0.001" if p_value < 0.001 else f"{p_value:.3g}"
