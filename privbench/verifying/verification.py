"""What a test of a differential-privacy claim found: tests, their bounds, and the sentence that may be said of them.

A test can refute a claim, never confirm it: where it finds nothing, it says what it would have found.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from privbench.claim import Claim

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

__all__ = ["LEVEL", "Test", "Verification"]

LEVEL = 0.95


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
    power : tuple of (float, float)
        Epsilon, and the probability that this test had refuted the claim if that were the mechanism's, ascending; of
        the one run a lower limit (95 %) of that probability.
    claimed : float or None
        The epsilon that `p_value` belongs to, in the sense of `adjacency`; None for the claim's as replace-one.
    adjacency : str
        In which sense epsilon is meant: of the neighbours that were tested.
    """

    __test__: ClassVar[bool] = False  # no test of pytest's

    method: str
    p_value: float
    epsilon_lower_bound: float
    runs: int
    seconds: float
    event: str
    power: tuple[tuple[float, float], ...] = ()
    claimed: float | None = None
    adjacency: str = "replace-one"


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
        return max(self.tests, key=lambda test: (test.epsilon_lower_bound / self.claimed(test), -test.p_value))

    @property
    def epsilon_lower_bound(self) -> float:
        """The lower bound of the strongest test, at 95 % confidence, in the sense of that test's neighbours."""
        return self.strongest.epsilon_lower_bound

    def claimed(self, test: Test) -> float:
        """Return the epsilon that is claimed for the neighbours of a test."""
        return self.claim.as_replace_one().epsilon if test.claimed is None else test.claimed

    @property
    def sentence(self) -> str:
        """The answer in one sentence; it never says that anything is safe."""
        delta = f", delta {self.claim.delta:.3g}" if self.claim.delta else ""
        if self.refuted:
            # which test speaks: the one that refutes
            test = min(self.tests, key=lambda test: (test.p_value, -test.epsilon_lower_bound))
            return (
                f"the claim is refuted: epsilon is at least {test.epsilon_lower_bound:.3g} (95 %), "
                f"claimed {self.claimed(test):.3g} ({test.adjacency}{delta})"
            )
        found = [(test, *caught) for test in self.tests if (caught := _caught(test)) is not None]
        if not found:
            return (
                "no violation found, and the test has too little power to say which epsilon it would have caught "
                f"(claimed {self.claimed(self.strongest):.3g}, {self.strongest.adjacency}{delta})"
            )
        test, epsilon, probability = min(found, key=lambda one: one[1] / self.claimed(one[0]))
        return (
            f"no violation found; this test would have caught epsilon above {epsilon:.3g} with probability "
            f"{probability:.2f} (claimed {self.claimed(test):.3g}, {test.adjacency}{delta})"
        )

    @property
    def details(self) -> tuple[str, ...]:
        """The claim as it was tested, each test, and what must be known beside it: lines for people."""
        delta = f", delta {self.claim.delta:.3g}" if self.claim.delta else ""
        lines = [f"Claim: epsilon {self.claim.epsilon:.4g}{delta}, {self.claim.adjacency}."]
        for test in self.tests:
            p_value = "below 0.001" if test.p_value < 0.001 else f"{test.p_value:.3f}"
            lines.append(
                f"{test.method.capitalize()}: p-value of the claim {p_value}; 95 % lower bound on epsilon "
                f"{test.epsilon_lower_bound:.3g}, claimed {self.claimed(test):.3g} ({test.adjacency}); "
                f"{test.runs:,} {'release' if test.runs == 1 else 'releases'}, {test.seconds:.1f} s."
            )
            lines.append(f"  Told by: {test.event}.")
            caught = ", ".join(f"epsilon {epsilon:.3g} with probability {share:.2f}" for epsilon, share in test.power)
            if caught and not self.refuted:
                lines.append(f"  Would have caught: {caught}.")
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
            "claim": claim,
            "tests": [{**asdict(test), "claimed": self.claimed(test)} for test in self.tests],
            "notes": list(self.notes),
        }
        return json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False)

    def print(self, console: Console | None = None) -> None:
        """Print the answer, and the tests behind it."""
        import rich.console

        from privbench.verifying.terminal import print_answer

        width = None if sys.stdout.isatty() else 120
        print_answer(self.sentence, self.details, console or rich.console.Console(width=width), alarm=self.refuted)

    def __repr__(self) -> str:
        return f"<Verification: {self.sentence}>"

    def _repr_html_(self) -> str:
        from privbench.verifying.terminal import to_html

        return to_html(self.sentence, self.details)


def _caught(test: Test) -> tuple[float, float] | None:
    """Return the smallest epsilon that was surely caught, with its probability; the largest there is if none was."""
    sure = [one for one in test.power if one[1] >= LEVEL]
    if sure:
        return min(sure)
    some = [one for one in test.power if one[1] > 1 - LEVEL]
    return max(some, key=lambda one: one[1]) if some else None
