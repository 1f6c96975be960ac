"""In one word, what an audit can say of a column and of the whole file, and which checks come before any figure."""

from __future__ import annotations

from typing import Literal

from privbench.auditing.findings import Advantage, Check, ColumnFinding, Findings
from privbench.report.strongest import TELLING

__all__ = ["SEVERAL", "Standing", "comparable", "copied", "doubted", "followed", "identified",
           "little_to_gain", "misled", "overall", "ruled_out", "standing", "tolerated", "trust_first"]  # fmt: skip

Standing = Literal["leaks", "unclear", "none", "untested"]
SEVERAL = 3
"""People told apart from outsiders beyond luck of whom fewer are no finding: with far more controls than members, luck
alone lists somebody in a tenth of the audits, three people in fewer than one of a hundred."""
_TRUST = ("no-control", "control")  # beginnings of the names of checks on which everything else rests
_ALONE = ("copies", "exact-values", "linked-rows")  # without controls they are judged by training file and release


def standing(column: ColumnFinding, findings: Findings) -> Standing:
    """Return what can be said of one column.

    Parameters
    ----------
    column : ColumnFinding
        Asked or not.
    findings : Findings
        Of its audit. Without controls a file that gives away less than other people's records may still leak, and one
        that gives away more may only be more regular than real records are; and controls of another population may be
        guessed less often for that reason alone. Either is unclear unless the other two files show by themselves that
        rows were made from single records.

    Returns
    -------
    str
        ``leaks`` if the interval lies above 0; ``none`` if it does not and `ruled_out`, all attacks made, and no alarm
        is about the controls; ``unclear`` between them; ``untested`` without a figure.
    """
    if column.advantage is None:
        return "untested"
    if column.advantage.low > 0:
        return "leaks" if comparable(findings) or followed(findings) else "unclear"
    sure = comparable(findings) and not misled(findings) and not column.missed
    return "none" if sure and ruled_out(column.advantage) else "unclear"


def overall(findings: Findings) -> Standing:
    """Return what can be said of the whole file.

    An alarm about the release is leakage, as are `SEVERAL` people or more who are told far better than controls; an
    alarm about controls is doubt. Where a check is not fine, somebody is told better or an attack was not made, nothing
    found in the columns does not make the file one in which nothing was found. Columns with little to gain do not hold
    it back where others were tested: what they can give away is single people, who are looked for by themselves.
    """
    each = [standing(column, findings) for column in findings.columns]
    people = findings.exposed
    if "leaks" in each or _out(findings) or (people >= SEVERAL and comparable(findings)):
        return "leaks"
    if not set(each) - {"untested"}:
        return "untested"
    missed = any(column.missed for column in findings.columns)
    fine = all(check.level == "fine" for check in findings.checks)
    held = any(
        said == "unclear" and not little_to_gain(column) for said, column in zip(each, findings.columns, strict=True)
    )
    return "none" if fine and "none" in each and not (missed or people or held) else "unclear"


def tolerated(advantage: Advantage) -> float:
    """Return the advantage that may remain possible where nothing is found: `TELLING`, or half of what can be gained.

    Where people are guessed right anyway, as with a rare value that hardly anybody has, a small advantage is all there
    can be.
    """
    return min(TELLING, (1 - advantage.reference) / 2)


def ruled_out(advantage: Advantage) -> bool:
    """Return whether a telling advantage is ruled out."""
    return advantage.high <= tolerated(advantage)


def little_to_gain(column: ColumnFinding) -> bool:
    """Return whether what is ruled out in a column is small by itself, but not beside what there is to gain."""
    one = column.advantage
    return one is not None and one.low <= 0 and one.high <= TELLING and not ruled_out(one)


def trust_first(checks: tuple[Check, ...]) -> tuple[Check, ...]:
    """Return the checks that come before any figure: of the files, whatever their level but fine, and all alarms.

    An alarm that only controls of another population give is none to begin with.
    """
    first = [check for check in checks if _is_trust(check) or check.name == "files-differ"]
    shown = [
        check
        for check in checks
        if (check in first and check.level != "fine")
        or (check.level == "alarm" and (check.name in _ALONE or not _foreign(checks)))
    ]
    return tuple(sorted(shown, key=lambda check: (check.name != "no-control", not _is_trust(check))))


def doubted(findings: Findings) -> bool:
    """Return whether the comparison with controls has to be read with a reservation."""
    return any(_is_trust(check) for check in trust_first(findings.checks))


def misled(findings: Findings) -> bool:
    """Return whether an alarm is about the controls, so that finding nothing beside them says nothing."""
    return any(_is_trust(check) and check.level == "alarm" for check in findings.checks)


def comparable(findings: Findings) -> bool:
    """Return whether there are controls, and none that are surely of another population."""
    return findings.asked.reference == "controls" and not _foreign(findings.checks)


def copied(findings: Findings) -> bool:
    """Return whether records of the training file stand in the release, or nearly do, beyond chance."""
    names = ("copies", "near-copies") if comparable(findings) else ("copies",)
    return any(check.name in names and check.level == "alarm" for check in findings.checks)


def followed(findings: Findings) -> bool:
    """Return whether rows of the release are made from single records, as training file and release show alone."""
    return any(check.name in _ALONE and check.level == "alarm" for check in findings.checks)


def identified(findings: Findings) -> bool:
    """Return whether values that are one person's own stand in the release."""
    return any(check.name == "identifiers" and check.level == "alarm" for check in findings.checks)


def _out(findings: Findings) -> bool:
    """Return whether an alarm about the release is leakage: one that rests on controls only where they can be used."""
    if not comparable(findings):
        return followed(findings)
    return any(check.level == "alarm" and not _is_trust(check) for check in findings.checks)


def _foreign(checks: tuple[Check, ...]) -> bool:
    return any(check.name == "control-differs" and check.level == "alarm" for check in checks)


def _is_trust(check: Check) -> bool:
    return check.name.startswith(_TRUST)
