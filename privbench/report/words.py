"""The report's plain words: how numbers are written, and what games and measures mean.

The reader is not expected to know the field: a data-protection officer, a steward of data, a person in them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "MEASURES",
    "RATES",
    "VERDICTS",
    "GameWords",
    "begun",
    "game_words",
    "interval",
    "listed",
    "number",
    "percent",
    "points",
]

_MINUS = "\N{MINUS SIGN}"
_NONE = "\N{EN DASH}"


def number(value: float | None, *, places: int = 3, sign: bool = False) -> str:
    """Write a number with a true minus sign; a dash where there is none."""
    if value is None or math.isnan(value):
        return _NONE
    text = f"{value:{'+' if sign else ''},.{places}f}"
    if not text.strip("+-0.,"):
        text = f"{0:.{places}f}"  # neither +0.0 nor -0.0
    return text.replace("-", _MINUS)


def points(value: float | None) -> str:
    """Write a difference of shares in percentage points, with its sign."""
    return number(None if value is None else 100 * value, places=1, sign=True)


def percent(value: float | None) -> str:
    """Write a share in percent."""
    text = number(None if value is None else 100 * value, places=1)
    return text if text == _NONE else f"{text}\N{NO-BREAK SPACE}%"


def interval(low: float | None, high: float | None, *, places: int | None = None) -> str:
    """Write an interval, in points unless `places` says that it is of plain numbers, or that there is none."""
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return "no interval"
    first, last = (points(x) if places is None else number(x, places=places) for x in (low, high))
    return f"[{first}, {last}]"


def begun(sentence: str) -> str:
    """Begin a sentence with a capital letter."""
    return sentence[:1].upper() + sentence[1:]


def listed(names: Sequence[str], *, most: int | None = None) -> str:
    """Join names as a sentence does; of more than `most` the first, and how many more there are."""
    if most is not None and len(names) > most:
        names = [*names[:most], f"{len(names) - most} more"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


@dataclass(frozen=True, slots=True)
class GameWords:
    """A game in plain words.

    Parameters
    ----------
    title : str
        What is tested, as a heading.
    text : str
        How, in two or three sentences.
    baseline : str
        What the advantage is counted from.
    """

    title: str
    text: str
    baseline: str


_GAMES = {
    "randomised": GameWords(
        "Does the release give away single records?",
        "Before the data were handed to the protection, the secret of every person attacked was replaced by a random "
        "draw in which all values are equally likely. Nothing else about the person hints at that value any more, so "
        "whoever guesses it more often than chance has learned it from that person's own record in the release.",
        "chance: one over the number of possible values",
    ),
    "holdout": GameWords(
        "Are people in the data worse off than people who are not?",
        "The same attack is run on people whose records were used (members) and on people of the same population whose "
        "records were not (controls). What works on controls is general knowledge that anyone could have. Only what "
        "works better on members counts as leakage.",
        "the same attack's success on people who are not in the data (controls)",
    ),
    "report": GameWords(
        "What does the collector learn from a person's own randomised answer?",
        "Every person's answer is randomised before it leaves their hands. Here the collector, who sees a person's "
        "own randomised answer, guesses the true one. It is compared with the same attack without that answer.",
        "the same attack without the person's answer",
    ),
    "reidentify": GameWords(
        "Can randomised answers be traced back to a person?",
        "The answers are known under a pseudonym only. Here somebody with a roster of people, true values included, "
        "looks for the person whose answers these are. What is guessed is the person's place in the roster.",
        "chance: one over the number of people in the roster",
    ),
}


def game_words(game: str) -> GameWords:
    """Return the words of a game by its label; a game of somebody else's package has general ones."""
    name = game.split(" ")[0]
    return _GAMES.get(
        name,
        GameWords(
            f"The game {name}",
            "This game comes from another package; its documentation says who is attacked and what the attack's "
            "success is compared with.",
            "what this game says can be guessed without the release",
        ),
    )


VERDICTS = {
    "leaks": ("\N{BLACK UP-POINTING TRIANGLE}", "leakage found"),
    "unclear": ("?", "unclear"),
    "none": ("\N{WHITE CIRCLE}", "no leakage found"),
    "untested": (_NONE, "no figure"),
}
"""Sign and words of a verdict; none of them says that a release is private."""

MEASURES = {
    "downstream_accuracy": "Accuracy",
    "downstream_auc": "AUC",
    "demographic_parity_difference": "Parity difference",
    "demographic_parity_ratio": "Parity ratio",
    "equalized_odds_difference": "Odds difference",
    "equal_opportunity_difference": "Opportunity difference",
    "prediction_entropy": "Prediction entropy",
    "tvd_2way": "Distance of pairs",
}
"""Short headings of measures."""

RATES = {
    "group_selection_rate": "Predicted favourable",
    "group_true_positive_rate": "True positive rate",
    "group_false_positive_rate": "False positive rate",
    "group_accuracy": "Accuracy",
}
"""Short headings of what is given for each group."""
