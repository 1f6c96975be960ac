"""The report's plain words: how numbers are written, what games and measures mean, and the glossary.

The reader is not expected to know the field: a data-protection officer, a steward of data, a person in them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = [
    "GLOSSARY",
    "MEASURES",
    "VERDICTS",
    "GameWords",
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
    """Write an interval, in points unless `places` says that it is of plain numbers; empty where there is none."""
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return "no interval"
    first, last = (points(x) if places is None else number(x, places=places) for x in (low, high))
    return f"[{first}, {last}]"


def listed(names: list[str]) -> str:
    """Join names as a sentence does."""
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

GLOSSARY = (
    (
        "Record",
        "What the data say about one person: one row of the table.",
    ),
    (
        "Secret",
        "The column that the adversary wants to know about a person. The adversary is assumed to know some other "
        "columns of that person already, and how the protection works.",
    ),
    (
        "Release",
        "What is published or handed on in place of the records: an artificial table, altered rows, randomised "
        "answers. A protection (the field says defense) is what makes it.",
    ),
    (
        "Attack",
        "A method that guesses the secret from the release. Real adversaries may know better ones than these.",
    ),
    (
        "Member",
        "A person whose record was in the data that the release was made from.",
    ),
    (
        "Control",
        "A person of the same population whose record was not.",
    ),
    (
        "Game",
        "The experiment: who is attacked, what is known about them, and what is compared with what.",
    ),
    (
        "Baseline",
        "How often the adversary would be right without anything leaking about the person: by chance, on "
        "controls, or without the person's answer, as the game says.",
    ),
    (
        "Advantage",
        "How much more often the adversary is right than the baseline, in percentage points. 0 is no measurable "
        "leakage; if 50 in 100 people are guessed right in place of 40, the advantage is +10.",
    ),
    (
        "Interval",
        "The range, in square brackets, in which the true figure plausibly lies: made so that it holds the truth "
        "95 times in 100. If it includes 0, the figure could be chance.",
    ),
    (
        "Stated confidence",
        "How sure an attack says that it is of a guess. It can be believed if, of the people of whom it is 80 % sure, "
        "it is right about 80 in 100.",
    ),
    (
        "Brier score",
        "The squared error of all the probabilities that an attack states: 0 if it is always sure and right, 2 if it "
        "is always sure and wrong.",
    ),
    (
        "Top ten",
        "Share of people whose true value is among the ten likeliest ones that the attack names.",
    ),
    (
        "Standing out",
        "A person whose secret attacks find out better than luck explains, measured on people, or on made-up values, "
        "about whom the release can give nothing away.",
    ),
    (
        "Run (seed)",
        "One repetition of the whole experiment with other random choices. Figures are means over the runs.",
    ),
    (
        "Epsilon (\N{GREEK SMALL LETTER EPSILON})",
        "The privacy budget of a mathematical guarantee (differential privacy). The smaller, the less a single "
        "record can change what is published. At 0.1 almost nothing; at 1 the odds of any outcome change by a "
        "factor of at most 2.7; at 10 by up to 22,026, which promises little.",
    ),
    (
        "Delta (\N{GREEK SMALL LETTER DELTA})",
        "The probability, roughly, with which that guarantee may fail.",
    ),
    (
        "Adjacency",
        "Which change the guarantee hides: one record exchanged for another (replace-one), one record there or "
        "not (add-remove), or one person's own answer even from the collector (local).",
    ),
    (
        "Accuracy, AUC",
        "How good a prediction model is that was trained on the release, on real people it has not seen. AUC is "
        "the probability of ranking a positive case above a negative one; 0.5 is guessing.",
    ),
    (
        "Parity difference",
        "How much more often the model predicts the favourable outcome in one group than in another. 0 is equal "
        "treatment, unless the prediction entropy is near 0 too.",
    ),
    (
        "Odds difference",
        "The same comparison among people with the same true outcome; opportunity difference looks only at those "
        "whose true outcome is favourable.",
    ),
    (
        "Prediction entropy",
        "Between 0 and 1 bit: how much the model's predictions vary. A model that says the same of everybody has "
        "0, and is equal to all groups only because it is useless.",
    ),
    (
        "Distance of pairs",
        "How far the release's table counts of two columns lie from the true ones: 0 equal, 1 nothing in common.",
    ),
)
"""Terms in the order in which a reader meets them."""
