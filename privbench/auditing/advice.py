"""How sure an audit is of what it found, and what to do about it, in sentences."""

from __future__ import annotations

from privbench.auditing.findings import Findings
from privbench.auditing.standing import copied, identified, overall, standing
from privbench.report.strongest import TELLING
from privbench.report.words import listed, number

__all__ = ["how_sure", "next_steps"]

_FEW = 4  # columns that can still be left out


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
            "where synthetic rows follow single records, too, and one at or below 0 is not."
        )
    said.append(
        f"Only what these attacks can see is counted ({listed(list(asked.attacks)) or 'none was made'}); somebody with "
        "a better one, or with other files about the same people, may find out more."
    )
    said.append(
        "Figures are means over many people: a few may be exposed while the mean is near 0. Whether somebody is in the "
        "training file at all is a question of its own, and is not asked here."
    )
    return tuple(said)


def next_steps(findings: Findings) -> tuple[str, ...]:
    """Return what to do, the most urgent first."""
    loud = {check.name for check in findings.checks if check.level != "fine"}
    leaking = [column.column for column in findings.columns if standing(column, findings) == "leaks"]
    held = overall(findings) == "leaks"
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
    elif any(check.name == "closeness" and check.level == "alarm" for check in findings.checks):
        steps.append("Find out why rows of the file follow single records, such as a generator trained for too long.")
    if leaking:
        few = (
            f"Coarsen or leave out {listed(leaking)}, or make" if len(leaking) <= _FEW else "So many columns leak: make"
        )
        steps.append(
            f"{few} the file with a generator that learns less from single records (for instance one with a stated "
            "guarantee of differential privacy); then audit it again."
        )
    elif any(
        column.advantage is not None and column.advantage.low <= 0 and column.advantage.high > TELLING
        for column in findings.columns
    ):
        steps.append(
            "Attack more people (--targets, or a larger control file): the intervals are too wide to conclude."
        )
    if all(column.advantage is None for column in findings.columns):
        steps.append("Nothing was tested: see for every column why it was left out, and change the files or the call.")
    elif not held:
        steps.append(
            "Finding nothing is no proof. Weigh who gets the file, what else they may know, and what harm a guess "
            "would do; prefer a generator whose guarantee does not rest on a test."
        )
    steps.append("Audit every new version of the file: another run of the same generator may leak more.")
    return tuple(steps)
