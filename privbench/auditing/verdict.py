"""What an audit found, in sentences for people who did not run it.

First stands what makes the audit untrustworthy and what is out already (copies); then the one finding; then how sure it
is, and what to do. No sentence says that a file gives nothing away: an attack that finds nothing shows what it can see.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from privbench.auditing.advice import how_sure, next_steps
from privbench.auditing.findings import Advantage, ColumnFinding, Findings
from privbench.auditing.standing import (
    Standing,
    doubted,
    followed,
    little_to_gain,
    misled,
    overall,
    trust_first,
)
from privbench.report.words import listed, number
from privbench.scorers.leakage_continuous import TOLERANCE

__all__ = ["Verdict", "in_100", "verdict"]

_NAMED = 4


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of an audit.

    Attributes
    ----------
    standing : str
        ``leaks``, ``unclear``, ``none`` (no leakage found) or ``untested``, of the file as a whole.
    first : tuple of str
        What has to be said before any figure; usually nothing.
    found : str
        The finding, one sentence, or a few where more than one column, or single people, are concerned.
    sure : tuple of str
        How sure that is, and what an attack cannot show.
    next : tuple of str
        What to do.
    """

    standing: Standing
    first: tuple[str, ...]
    found: str
    sure: tuple[str, ...]
    next: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """Reservations and finding in one line."""
        return " ".join((*self.first, self.found))


def verdict(findings: Findings) -> Verdict:
    """Return the answer in sentences.

    Parameters
    ----------
    findings : Findings
        Of one audit.
    """
    return Verdict(
        overall(findings),
        tuple(check.sentence for check in trust_first(findings.checks)),
        _found(findings),
        how_sure(findings),
        next_steps(findings),
    )


def in_100(value: float) -> str:
    """Write a share or a difference of shares as so many in 100 people, finer where it is small."""
    return number(100 * value, places=1 if value == 0 or abs(value) >= 0.01 else 2)


def _found(findings: Findings) -> str:
    asked = [column for column in findings.columns if column.advantage is not None]
    if not asked:
        why = next((f" ({column.column}: {column.reason})" for column in findings.columns if column.reason), "")
        return f"No column could be asked{why}, so this audit cannot say what else the file gives away."
    leaking = [column for column in asked if column.advantage is not None and column.advantage.low > 0]
    people = _people(findings)
    if leaking:
        return _leak(findings, leaking, len(asked)) + (f" {people}" if people else "")
    text = _nothing(findings, asked)
    if not people:
        return text
    return f"{people} On average over all people attacked that does not show: {text[:1].lower()}{text[1:]}"


def _people(findings: Findings) -> str:
    """Say how many people are told far better than others, and in what; nothing if nobody is."""
    if not findings.exposed:
        return ""
    counts = Counter(name for one in findings.records for name in one.columns)
    names = [name for name, _ in counts.most_common(_NAMED)]
    where = f" ({'above all ' if len(counts) > _NAMED else ''}{listed(names)})" if names else ""
    who = "1 person of the training file is" if findings.exposed == 1 else None
    text = (
        f"{who or f'{findings.exposed:,} people of the training file are'} guessed right far more confidently than "
        f"people outside with the same values{where}: more than luck explains."
    )
    return f"With that reservation: {text[:1].lower()}{text[1:]}" if doubted(findings) else text


def _leak(findings: Findings, leaking: list[ColumnFinding], asked: int) -> str:
    # first those of which the attack says more than anybody could say without the file
    leaking = sorted(leaking, key=_known_anyway)
    first = leaking[0]
    advantage = first.advantage
    assert advantage is not None
    knows = f"someone who knows {_known(findings, first.column)} of a person"
    limits = f"{in_100(advantage.low)} to {in_100(advantage.high)}"
    corrected = f", corrected for {asked} columns" if asked > 1 else ""
    more = f"guesses {first.column} {_right(advantage)} for {in_100(advantage.advantage)} more in 100 people"
    tail = f"({_level(findings)} interval{corrected}: {limits})."
    if findings.asked.reference == "controls":
        compared = "whose records were used than for people whose records were not"
        because = "Because of this file" if not doubted(findings) else "With that reservation: because of this file"
        text = f"{because}, {knows} {more} {compared} {tail}"
    else:
        text = (
            f"With this file, {knows} {more} of the training file than someone who learns from the records of other "
            f"people of that file instead {tail}"
        )
    if others := leaking[1:]:
        named = [f"{one.column} ({in_100(one.advantage.advantage)})" for one in others if one.advantage]
        far = any(one.advantage and one.advantage.metric == "within_tolerance" for one in others[:_NAMED])
        near = f", numbers to within {100 * TOLERANCE:g} % of their range" if far else ""
        text += f" The same is found for {listed(named, most=_NAMED)}{near}."
    if (anyway := [one.column for one in leaking if _known_anyway(one)]) and findings.asked.reference == "controls":
        text += (
            f" In {listed(anyway, most=_NAMED)} people outside are guessed right as often by other means: "
            "there the advantage shows that rows follow single people, not that more can be guessed."
        )
    if findings.asked.reference != "controls" and not followed(findings):
        text += (
            " Rows that are more regular than real records do that, too, without giving anybody away: without a "
            "control file the two cannot be told apart here."
        )
    return text


def _known_anyway(column: ColumnFinding) -> bool:
    """Return whether some attack, or the commonest value, is right of as many outside as the best is of members."""
    if column.advantage is None:
        return False
    outside = [one.reference for _, one in column.attacks]
    return max([*outside, column.majority or 0.0]) >= column.advantage.value


def _nothing(findings: Findings, asked: list[ColumnFinding]) -> str:
    left = [column.column for column in findings.columns if column.advantage is None]
    untested = f" Not asked, so that nothing is said of them: {listed(left, most=_NAMED)}." if left else ""
    short = [column.column for column in asked if column.missed]
    more = " and others" if len(short) > _NAMED else ""
    missed = f" Not all attacks were made on {listed(short[:_NAMED])}{more}." if short else ""
    highest = max(column.advantage.high for column in asked if column.advantage is not None)
    where = f"In none of the {len(asked)} columns asked are" if len(asked) > 1 else f"In column {asked[0].column},"
    bound = f"{in_100(max(highest, 0.0))} in 100 people"
    together = ", all columns together" if len(asked) > 1 else ""
    if findings.asked.reference == "controls":
        who = "people of the training file"
        verb = "surely guessed right more often than people who are not in it"
        text = f"{where} {who} {verb}" if len(asked) > 1 else f"{where} {who} are not {verb}"
        text += ", as far as these attacks can tell"
        if misled(findings):
            return f"{text}; with that reservation no leakage is ruled out.{missed}{untested}"
        beside = "with that reservation " if doubted(findings) else ""
        return (
            f"{text}: {beside}an advantage of more than {bound} is ruled out for them ({_level(findings)} confidence"
            f"{together}).{_little_to_gain(findings, asked)}{missed}{untested}"
        )
    text = f"{where} people of the training file " + ("" if len(asked) > 1 else "are not ")
    return (
        f"{text}guessed right more often with this file than with the records of other people of the training file "
        f"(at most {bound} more, {_level(findings)} confidence{together}); without a control file that does not show "
        f"that nothing leaks.{missed}{untested}"
    )


def _little_to_gain(findings: Findings, asked: list[ColumnFinding]) -> str:
    """Name the columns in which what is ruled out is small by itself, but not beside what there is to gain."""
    full = [column for column in asked if little_to_gain(column)]
    if not full or findings.exposed:  # people who stand out are the finding
        return ""
    names = listed([column.column for column in full], most=_NAMED)
    least = min(column.advantage.reference for column in full if column.advantage is not None)
    outside = f"for {'at least ' if len(full) > 1 else ''}{in_100(least)} in 100 people outside"
    return (
        f" But {names} {'is' if len(full) == 1 else 'are'} guessed right {outside} anyway: there is so little "
        "left to gain there that even so small an advantage would be much of it."
    )


def _known(findings: Findings, column: str) -> str:
    known = findings.asked.known
    if known is None:
        return "all other columns"
    return listed([name for name in known if name != column]) or "nothing else"


def _right(advantage: Advantage) -> str:
    return f"to within {100 * TOLERANCE:g} % of its range" if advantage.metric == "within_tolerance" else "right"


def _level(findings: Findings) -> str:
    level = 100 * findings.asked.level
    return f"{level:g} %" if math.isfinite(level) else "?"
