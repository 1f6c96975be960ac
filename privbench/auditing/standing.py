"""In one word, what an audit can say of a column and of the whole file, and which checks come before any figure."""

from __future__ import annotations

from typing import Literal

from privbench.auditing.findings import Check, ColumnFinding, Findings
from privbench.report.strongest import TELLING

__all__ = ["Standing", "copied", "doubted", "followed", "foreign", "identified", "overall", "standing", "trust_first"]

Standing = Literal["leaks", "unclear", "none", "untested"]
_TRUST = ("no-control", "control")  # beginnings of the names of checks on which everything else rests
_OUT = ("copies", "near-copies")


def standing(column: ColumnFinding, findings: Findings) -> Standing:
    """Return what can be said of one column.

    Parameters
    ----------
    column : ColumnFinding
        Asked or not.
    findings : Findings
        Of its audit. Without controls a file that gives away less than other people's records may still leak, and one
        that gives away more may only be more regular than real records are; and controls of another population may be
        guessed less often for that reason alone. Either is unclear unless the files themselves show that rows follow
        single records.

    Returns
    -------
    str
        ``leaks`` if the interval lies above 0; ``none`` if it does not and rules out `TELLING`, all attacks made;
        ``unclear`` between them; ``untested`` without a figure.
    """
    if column.advantage is None:
        return "untested"
    compared = findings.asked.reference == "controls"
    if column.advantage.low > 0:
        return "leaks" if (compared and not foreign(findings)) or followed(findings) else "unclear"
    return "none" if compared and not column.missed and column.advantage.high <= TELLING else "unclear"


def overall(findings: Findings) -> Standing:
    """Return what can be said of the whole file.

    An alarm about the release is leakage, one about controls is doubt; and where a check is not fine, nothing found in
    the columns does not make the file one in which nothing was found.
    """
    each = [standing(column, findings) for column in findings.columns]
    alarms = [check for check in findings.checks if check.level == "alarm"]
    out = [check for check in alarms if not _is_trust(check)]
    if findings.asked.reference != "controls":
        # numbered rows repeat between files by themselves, which only a control file shows
        out = [check for check in out if check.name != "identifiers"]
    if "leaks" in each or out:
        return "leaks"
    if not set(each) - {"untested"}:
        return "untested"
    return "none" if "unclear" not in each and all(check.level == "fine" for check in findings.checks) else "unclear"


def trust_first(checks: tuple[Check, ...]) -> tuple[Check, ...]:
    """Return the checks that come before any figure: of the files, whatever their level but fine, and all alarms."""
    first = [check for check in checks if _is_trust(check) or check.name == "files-differ"]
    shown = [check for check in checks if check.level == "alarm" or (check in first and check.level != "fine")]
    return tuple(sorted(shown, key=lambda check: (check.name != "no-control", not _is_trust(check))))


def doubted(findings: Findings) -> bool:
    """Return whether the comparison with controls has to be read with a reservation."""
    return any(_is_trust(check) for check in trust_first(findings.checks))


def foreign(findings: Findings) -> bool:
    """Return whether the controls are surely of another population."""
    return any(check.name == "control-differs" and check.level == "alarm" for check in findings.checks)


def copied(findings: Findings) -> bool:
    """Return whether records of the training file stand in the release, or nearly do, beyond chance."""
    return any(check.name in _OUT and check.level == "alarm" for check in findings.checks)


def followed(findings: Findings) -> bool:
    """Return whether rows of the release follow single records, as copies or by how close they lie."""
    return copied(findings) or any(check.name == "closeness" and check.level != "fine" for check in findings.checks)


def identified(findings: Findings) -> bool:
    """Return whether values that are one person's own stand in the release."""
    return any(check.name == "identifiers" and check.level == "alarm" for check in findings.checks)


def _is_trust(check: Check) -> bool:
    return check.name.startswith(_TRUST)
