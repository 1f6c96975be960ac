"""The audit page's own words; what it shares with the report of a benchmark stands there."""

from __future__ import annotations

from privbench.report.glossary import GLOSSARY as _REPORT
from privbench.report.words import number

__all__ = ["CHECKS", "GLOSSARY", "ROLES", "check_name", "p_value"]

CHECKS = {
    "no-control": "Control file",
    "control-in-training": "People in both real files",
    "control-differs": "Controls of the same population",
    "control-in-release": "Synthetic file made from the training file",
    "files-differ": "The same columns in all files",
    "copies": "Copies",
    "near-copies": "Near-copies",
    "exact-values": "Exact numbers of single people",
    "identifiers": "Identifiers",
    "linked-rows": "Rows that stand for one person",
    "training-repeats": "One training record a person",
    "control-repeats": "One control record a person",
    "closeness": "Closeness to single records",
    "repeated-row": "Repeated rows",
    "few-rows": "Enough records",
    "small-release": "Enough synthetic rows",
}
"""What was looked at, whatever was found."""


def check_name(name: str) -> str:
    """Return a check's name in words."""
    return CHECKS.get(name, name.replace("-", " ").capitalize())


def p_value(value: float | None) -> str:
    """Write a p-value; none is 0."""
    return "< 0.001" if value is not None and value < 0.001 else number(value)


ROLES = {
    "training": "the real records from which the synthetic file was made",
    "synthetic": "the file that was audited",
    "control": "real records of the same population that were not used in making it",
}
"""What each file is."""

GLOSSARY = (
    ("Training file", "The real records, a row for each person, from which the synthetic file was made."),
    ("Synthetic file (release)", "The artificial records that are to be handed out in place of the real ones."),
    ("Control file", "Real records of the same population that had no part in making the synthetic file. They show "
     "what anybody could guess about people in general."),
    ("Member", "A person of the training file who was attacked."),
    ("Control", "A person of the control file who was attacked."),
    ("Known columns", "What somebody is taken to know about a person already, before looking into the synthetic file."),
    ("Attack", "A method that learns from the synthetic file to guess a column of a person from the known ones."),
    ("Advantage", "How many more in 100 members are guessed right than in 100 controls: 0 if it makes no difference "
     "whether somebody's record was used. Without a control file: than by the same attack on the records of other "
     "people of the training file."),
    ("Interval", "The range, in square brackets, in which the true figure plausibly lies. If it includes 0, the figure "
     "could be chance."),
    ("Corrected for many columns", "Who looks at many figures finds some that are high by luck. The intervals are made "
     "wide enough that all of one table hold at once with the confidence stated."),
    ("p", "How often figures as high as this would be seen if nothing leaked, corrected likewise: small is telling."),
    ("Majority", "How many in 100 members are guessed right by always naming the commonest value (or the middle one) "
     "of the synthetic file, without knowing anything about them."),
    ("Within the tolerance", "A number counts as guessed right if it is off by at most 5 % of the column's range."),
    ("Copy, near-copy", "A row of the training file that stands in the synthetic file as it is, or nearly so."),
    ("Distance of columns, of pairs", "How far the counts of values, or of pairs of values, lie apart in two files: 0 "
     "equal, 1 nothing in common."),
    *((term, dict(_REPORT)[term])
      for term in ("Accuracy, AUC", "Parity difference", "Odds difference", "Prediction entropy")),
)  # fmt: skip
"""Terms in the order in which a reader meets them."""
