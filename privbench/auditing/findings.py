"""What an audit of a synthetic file found, as plain values: the page, the terminal and the JSON all say these.

A *member* is a person of the training file, a *control* one of the control file. Every advantage is a difference
between the two on one metric; without a control file it is the difference between an attack on the release and the same
attack on the records of other people of the training file (`Asked.reference` says which).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from privbench.scorers.score import Score

__all__ = ["Advantage", "Asked", "Check", "ColumnFinding", "Findings", "GroupFinding", "RecordFinding", "SmallGroup",
           "Usefulness"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Advantage:
    """How much better members are inferred than what they are compared with.

    Attributes
    ----------
    metric : str
        ``accuracy``, or ``within_tolerance`` for a continuous column.
    value, reference : float
        The score on the members, and that which it is compared with, both in [0, 1].
    advantage, low, high : float
        ``value - reference`` and its interval, corrected for all comparisons of its table, in [-1, 1].
    members, controls : int
        How many people are behind it; 0 controls where there is no control file.
    """

    metric: str
    value: float
    reference: float
    advantage: float
    low: float
    high: float
    members: int
    controls: int


@dataclass(frozen=True, slots=True)
class ColumnFinding:
    """Whether one column can be inferred better for members.

    Attributes
    ----------
    column, kind : str
        Its name; ``categorical``, ``ordinal`` or ``continuous``.
    chosen : tuple of str
        The attacks chosen on each half of the people and scored on the other; empty if none was made.
    advantage : Advantage or None
        Of the chosen attacks, each on the half it was not chosen on; None where `reason` says why there is none.
    p_value : float or None
        One-sided, of no advantage, corrected for all columns asked.
    majority : float or None
        The score of always saying the value that the release has most often (its median, if continuous), on the same
        members.
    attacks : tuple of (str, Advantage)
        Every attack on all people, at the uncorrected level: for the curious, as the best of them is biased up.
    reason : str
        Why the column was not asked; empty if it was.
    missed : tuple of str
        Attacks that were not made on it, for lack of time or because they failed: the finding says nothing of them.
    """

    column: str
    kind: str
    chosen: tuple[str, ...]
    advantage: Advantage | None
    p_value: float | None
    majority: float | None
    attacks: tuple[tuple[str, Advantage], ...] = ()
    reason: str = ""
    missed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupFinding:
    """The same of the people of one group.

    Attributes
    ----------
    column : str
        The secret.
    group : str
        As ``sex=Female``.
    advantage : Advantage
        Intervals corrected for all groups and columns of the table.
    """

    column: str
    group: str
    advantage: Advantage


@dataclass(frozen=True, slots=True)
class SmallGroup:
    """A group that was to be compared, and has too few people for a figure.

    Attributes
    ----------
    group : str
        As ``sex=Female``.
    members, controls : int
        How many of its people were attacked.
    """

    group: str
    members: int
    controls: int


@dataclass(frozen=True, slots=True)
class RecordFinding:
    """One exposed person of the training file.

    Attributes
    ----------
    record : int
        Number of the record in the training file, 1 the first below the header.
    why : str
        One sentence: copied whole, nearly copied, or inferred.
    columns : tuple of str
        The columns in which the attack gives far more to the person's true value than to that of others who have it.
    probability, baseline : float
        Mean over these columns of what the attack gives to the true value, and of what it gives controls with it.
    rare_in : str
        The known columns in which the fewest training records are like this one.
    """

    record: int
    why: str
    columns: tuple[str, ...]
    probability: float
    baseline: float
    rare_in: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """Something about the three files that has to be said before any figure.

    Attributes
    ----------
    name : str
        ``no-control``, ``control-in-training``, ``control-in-release``, ``control-differs``, ``copies``,
        ``near-copies``, ``exact-values``, ``closeness``, ``identifiers``, ``linked-rows``, ``training-repeats``,
        ``control-repeats``, ``repeated-row``, ``few-rows``, ``small-release`` or ``files-differ``.
    level : str
        ``alarm`` (personal data is out, or the audit cannot be trusted), ``warning``, or ``fine``.
    sentence : str
        What was found, with its figure, for people who did not run it.
    value, low, high : float or None
        The figure itself with its interval, where there is one.
    n : int
        Rows or people behind it.
    """

    name: str
    level: Literal["alarm", "warning", "fine"]
    sentence: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0


@dataclass(frozen=True, slots=True)
class Usefulness:
    """What the release is good for, and for whom.

    Attributes
    ----------
    fidelity : tuple of Score
        ``tvd_1way`` and ``tvd_2way`` of release and training file.
    downstream : tuple of Score
        ``downstream_*`` and fairness figures of a model trained on the release; `baseline` is the same model trained
        on real records, both judged on the same real ones.
    judged_on : str
        Whose records judge the models, as a noun phrase; empty without a label.
    fidelity_control : tuple of Score
        The same distances of control and training file: what two samples of one population differ by.
    """

    fidelity: tuple[Score, ...]
    downstream: tuple[Score, ...] = ()
    judged_on: str = ""
    fidelity_control: tuple[Score, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, of which files.

    Attributes
    ----------
    files : tuple of (str, str, int)
        Role (``training``, ``synthetic``, ``control``), file name without its folder, rows.
    known : tuple of str or None
        The declared known columns; None: all but the one asked.
    secrets, groups, attacks : tuple of str
        Columns asked, protected columns, attacks that were made on one of them at least.
    label : str or None
        What downstream models predict.
    members, controls : int
        How many people of each file were attacked.
    reference : str
        ``controls``, or ``others`` without a control file: records of other people of the training file.
    level : float
        Confidence of all intervals of one table together.
    seed : int
    seconds : float
    version : str
    """

    files: tuple[tuple[str, str, int], ...]
    known: tuple[str, ...] | None
    secrets: tuple[str, ...]
    groups: tuple[str, ...]
    attacks: tuple[str, ...]
    label: str | None
    members: int
    controls: int
    reference: Literal["controls", "others"]
    level: float
    seed: int
    seconds: float
    version: str


@dataclass(frozen=True, slots=True)
class Findings:
    """All that an audit found.

    Attributes
    ----------
    asked : Asked
    checks : tuple of Check
        Alarms first, then warnings, then what was looked at and is fine.
    columns : tuple of ColumnFinding
        Ranked: the highest lower bound first; those not asked last.
    groups : tuple of GroupFinding
        Ranked alike.
    records : tuple of RecordFinding
        The most exposed first, not all of them where they are many.
    usefulness : Usefulness
    notes : tuple of str
        How the files were read and reconciled, a sentence each.
    small_groups : tuple of SmallGroup
        Groups of the protected columns named about which `groups` says nothing.
    exposed : int
        People attacked who are told far better than controls with the same values, beyond luck: all of them, listed or
        not, copied or not; 0 without a control file.
    """

    asked: Asked
    checks: tuple[Check, ...]
    columns: tuple[ColumnFinding, ...]
    groups: tuple[GroupFinding, ...]
    records: tuple[RecordFinding, ...]
    usefulness: Usefulness
    notes: tuple[str, ...]
    small_groups: tuple[SmallGroup, ...] = ()
    exposed: int = 0
