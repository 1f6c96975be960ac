"""Which attacks an audit makes, with which settings, and how many released rows each is given.

They are chosen by their power to tell members from controls, each for its seconds: the mean advantage over the columns
of Adult and the seconds of each are printed by ``scripts/bench/audit_calibration.py bootstrap``.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["ATTACKS", "ATTACKS_ALONE", "MANY", "ROWS", "SETTINGS", "WIDEST", "encodes", "rows_for"]

ATTACKS = ("cap", "naive-bayes", "nearest-neighbour", "lightgbm", "random-forest")
"""Cheapest first, so that a time limit cuts off the dear ones."""

ATTACKS_ALONE = ("cap", "nearest-neighbour")
"""Without a control file: each is made many times, and these are quick and see copies best."""

SETTINGS: Mapping[str, Mapping[str, object]] = {"random-forest": {"trees": 10}}
"""Parameters other than an attack's own: of a bootstrap ten trees give away what fifty do, in a fifth of the time."""

ROWS: Mapping[str, int | None] = {
    **dict.fromkeys(("cap", "majority", "naive-bayes", "prior"), None),
    **dict.fromkeys(("closest-record", "nearest-neighbour"), 200_000),
    "lightgbm": 100_000,
}
"""Most released rows that an attack is given, None for all; of a larger release it gets a sample. Others get 50,000."""

MANY = 30_000
"""Most rows of an attack that is made many times."""

WIDEST = 2000
"""Most features that learners are given: the known columns with the most values are left out beyond it."""

_USUAL = 50_000
_CELLS = 60_000_000  # rows times features: in single precision 240 MB, of which a learner makes a copy or two
_CODED = ("cap", "closest-record", "majority", "nearest-neighbour", "prior")


def encodes(attack: str) -> bool:
    """Return whether an attack makes a feature, or a table, of every value of a known column."""
    return attack not in _CODED


def rows_for(attack: str, *, rows: int, features: int) -> int:
    """Return how many of `rows` released rows an attack is given, of so many features each."""
    most = ROWS.get(attack, _USUAL)
    if most is None:
        return rows
    return min(rows, most, max(1, _CELLS // max(1, features)) if encodes(attack) else most)
