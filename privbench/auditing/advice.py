"""How sure an audit is of what it found, what it says nothing about, and what to do, in sentences."""

from __future__ import annotations

from privbench.auditing.findings import Findings
from privbench.auditing.standing import (
    comparable,
    copied,
    identified,
    misled,
    overall,
    ruled_out,
    standing,
)
from privbench.report.words import listed, number

__all__ = ["how_sure", "next_steps", "small_groups"]

_FEW = 4  # columns that can still be left out
_GROUPS = 10


def how_sure(findings: Findings) -> tuple[str, ...]:
    """Return what the intervals say, whom they are about, and what an attack cannot show."""
    asked = findings.asked
    compared = asked.reference == "controls"
    figures = [column for column in findings.columns if column.advantage is not None]
    null = "if nothing leaked" if compared else "if the synthetic rows were records like those of other people"
    said = []
    if figures:
        error = number(100 * (1 - asked.level), places=0)
        said.append(
            f"The intervals hold for all {len(figures)} columns of the table together: {null}, at most {error} in 100 "
            "such audits would show any column above 0."
            if len(figures) > 1
            else f"{null[0].upper()}{null[1:]}, at most {error} in 100 such audits would show this column above 0."
        )
        said.append(
            "For each half of the people attacked, the attack was chosen on the other half, so that a lucky choice "
            "among attacks does not count as leakage."
            if compared
            else "The attack shown is the one with the highest lower end; intervals are wider for the number of "
            "attacks, so that a lucky choice among them does not count."
        )
    if compared:
        said.append(
            f"{asked.members:,} people of the training file and {asked.controls:,} of the control file were attacked. "
            "Whatever works on both is knowledge about people in general, and is not counted. That holds only as far "
            "as the control file is from the same population and was not used in making the synthetic file."
        )
    else:
        said.append(
            f"{asked.members:,} people of the training file were attacked. There was no control file, so leakage about "
            "single people cannot be separated from knowledge about people in general: a figure above 0 is telling "
            "where records are surely copied, too, and one at or below 0 is not."
        )
    said.append(
        f"Only what these attacks can see is counted ({listed(list(asked.attacks)) or 'none was made'}); somebody with "
        "a better one, or with other files about the same people, may find out more."
    )
    said.append(
        "Figures are means over many people: a few may be exposed while the mean is near 0. Whether somebody is in the "
        "training file at all is a question of its own, which only the checks of copies and closeness touch here."
    )
    return tuple(said)


def small_groups(findings: Findings) -> str:
    """Name the groups that have too few people for a figure; nothing if there are none."""
    small = findings.small_groups
    if not small:
        return ""
    beside = findings.asked.reference == "controls"
    named = [
        f"{one.group} (members: {one.members:,}{f', controls: {one.controls:,}' if beside else ''})" for one in small
    ]
    return f"Nothing is said of these groups, of which too few people were attacked: {listed(named, most=_GROUPS)}."


def next_steps(findings: Findings) -> tuple[str, ...]:
    """Return what to do, the most urgent first."""
    loud = {check.name for check in findings.checks if check.level != "fine"}
    leaking = [column.column for column in findings.columns if standing(column, findings) == "leaks"]
    held, people = overall(findings) == "leaks", findings.exposed > 0
    found = people or any(one.advantage is not None and one.advantage.low > 0 for one in findings.columns)
    steps = ["Do not hand the file out as it is."] if held else []
    if findings.asked.reference != "controls":
        steps.append(
            "Set some records aside before the synthetic file is made, and give them as the control file: only then "
            "can leakage be told from general knowledge."
        )
    if "control-in-training" in loud:
        steps.append(
            "Take a control file without people of the training file: those found were left out of the comparison, "
            "which leaves fewer people for it."
        )
    if "control-in-release" in loud:
        steps.append(
            "Make sure which file is which (--train, --control), and that the synthetic file was made without the "
            "control file; then audit again."
        )
    if "control-differs" in loud:
        steps.append(
            "Take control records from the same population, period and source as the training file, best by drawing "
            "both from one file at random: as it is, a difference between the files may look like leakage, or hide it."
        )
    if identified(findings):
        steps.append("Leave columns that identify people out of it, or number its rows anew.")
    if copied(findings):
        steps.append(
            "Look at the rows listed as copied, and find out why the generator repeats records: deleting the copies "
            "alone leaves what it knows about rare people."
        )
    elif comparable(findings) and any(one.name == "closeness" and one.level == "alarm" for one in findings.checks):
        steps.append("Find out why rows of the file follow single records, such as a generator trained for too long.")
    if people:
        steps.append(
            "Look up the people listed as guessed right far more confidently, and what they have in common, often a "
            "rare value: make such values coarser, or leave them out."
        )
    if leaking or (people and held):
        few = "So many columns leak: make" if len(leaking) > _FEW else "Make"
        if 0 < len(leaking) <= _FEW:
            few = f"Coarsen or leave out {listed(leaking)}, or make"
        steps.append(
            f"{few} the file with a generator that learns less from single records (for instance one with a stated "
            "guarantee of differential privacy); then audit it again."
        )
    elif (
        not misled(findings)
        and overall(findings) != "none"
        and any(
            column.advantage is not None and column.advantage.low <= 0 and not ruled_out(column.advantage)
            for column in findings.columns
        )
    ):
        steps.append(
            "Attack more people (--targets, or a larger control file): the intervals are too wide to conclude."
        )
    if any(column.missed for column in findings.columns):
        steps.append(
            "Give the audit more time (--time-limit), or see in the notes why attacks were not made: what they would "
            "have found is not known."
        )
    if all(column.advantage is None for column in findings.columns):
        steps.append("Nothing was tested: see for every column why it was left out, and change the files or the call.")
    elif not held and not found:
        steps.append(
            "Finding nothing is no proof. Weigh who gets the file, what else they may know, and what harm a guess "
            "would do; prefer a generator whose guarantee does not rest on a test."
        )
    steps.append("Audit every new version of the file: another run of the same generator may leak more.")
    return tuple(steps)
