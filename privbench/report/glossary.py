"""The report's glossary: the field's terms, explained to people who do not know it."""

from __future__ import annotations

__all__ = ["GLOSSARY"]

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
