"""From every attack's hits to a finding a column: the best attack, cross-fitted, corrected for all columns asked.

Intervals hold together at the stated confidence (Bonferroni: each of C columns at 1 - (1 - confidence) / C), p-values
are corrected by the step-down maximum over permutations. Without controls the attack with the highest lower bound
counts, and both are corrected for the number of attacks, too: a model that happens to be good is so on both halves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privbench.auditing.columns import Answer, Scene
from privbench.auditing.findings import Advantage, ColumnFinding
from privbench.auditing.people import People
from privbench.auditing.scoring import majority, metric_of
from privbench.rng import stream
from privbench.scorers.compare import Compared, advantage
from privbench.scorers.crossfit import CrossFit, cross_fit, interval, picked, step_down
from privbench.scorers.estimate import proportion
from privbench.scorers.exchanged import exchanged_interval, exchanged_p_value
from privbench.scorers.intervals import LEVEL, Floats

__all__ = ["Judged", "judge_columns", "single"]

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What is known of one column that could be asked, person by person.

    Attributes
    ----------
    column, metric : str
    answers : tuple of Answer
        Those with figures.
    chosen : tuple of int
        Places of the attacks chosen on either half and scored on the other; without controls the best one, twice.
    fit : CrossFit or None
        The choice; None without controls.
    """

    column: str
    metric: str
    answers: tuple[Answer, ...]
    chosen: tuple[int, int]
    fit: CrossFit | None

    def advantage(self, people: People, who: Mask, *, level: float) -> Advantage:
        """Return the advantage among some people, a mask, at a level; without controls corrected for the choice."""
        if self.fit is None:
            level = 1 - (1 - level) / len(self.answers)
            return _beyond_others(self.answers[self.chosen[0]], self.metric, who, level=level)
        hits = picked(np.stack([one.hits for one in self.answers]), self.fit, second=people.second)
        own, other = hits[who & people.member], hits[who & ~people.member]
        return _stated(
            self.metric, own, other, *interval(self.fit, metric=self.metric, own=own, other=other, level=level)
        )


def judge_columns(
    scene: Scene, people: People, answers: Mapping[str, Sequence[Answer]], *, seed: int, level: float = LEVEL
) -> tuple[list[ColumnFinding], list[Judged]]:
    """Choose and score the best attack on every column.

    Parameters
    ----------
    scene, people
        What was attacked.
    answers : mapping of str to sequence of Answer
        For each column asked.
    seed : int
        For the permutations.
    level : float
        Confidence of all intervals together.

    Returns
    -------
    findings : list of ColumnFinding
        The highest lower bound first; those without any figure last.
    judged : list of Judged
        The columns that have one.
    """
    made = {name: tuple(one for one in given if one.status == "ok") for name, given in answers.items()}
    asked = {name: given for name, given in made.items() if given}
    each = 1 - (1 - level) / max(1, len(asked))
    choose = _crossed if scene.others is None else _lone
    judged, p_values = choose(scene, people, asked, seed=seed, level=each)
    everyone = np.ones(len(people.member), bool)
    findings = [
        ColumnFinding(
            column=one.column,
            kind=str(scene.targets.schema[one.column].kind),
            chosen=(one.answers[one.chosen[0]].attack, one.answers[one.chosen[1]].attack),
            advantage=one.advantage(people, everyone, level=each),
            p_value=p_value,
            majority=majority(scene.targets.schema[one.column], scene.release, people.table.take(people.member)),
            attacks=tuple((given.attack, single(given, one.metric, people)) for given in one.answers),
        )
        for one, p_value in zip(judged, p_values, strict=True)
    ]
    findings.sort(key=lambda found: -found.advantage.low if found.advantage else 0.0)
    for name, tried in answers.items():
        if not made[name]:
            why = "; ".join(f"{one.attack}: {one.reason}" for one in tried) or "no attack was made"
            findings.append(ColumnFinding(name, str(scene.targets.schema[name].kind), (), None, None, None, (), why))
    return findings, judged


def single(one: Answer, metric: str, people: People) -> Advantage:
    """Return one attack's advantage on all people with its uncorrected interval."""
    everyone = np.ones(len(people.member), bool)
    if one.exchanged is not None:
        return _beyond_others(one, metric, everyone, level=LEVEL)
    own, other = one.hits[people.member], one.hits[~people.member]
    gain = advantage(metric, Compared(proportion(own), proportion(other)), paired=False)
    assert gain is not None, "there is something to compare with"
    return _stated(metric, own, other, *gain.limits(LEVEL))


def _crossed(
    scene: Scene, people: People, asked: Mapping[str, tuple[Answer, ...]], *, seed: int, level: float
) -> tuple[list[Judged], list[float]]:
    """Choose on one half of the people, and score on the other."""
    hits = [np.stack([one.hits for one in given]) for given in asked.values()]
    fits = cross_fit(hits, member=people.member, second=people.second, rng=stream(seed, "audit", "permutations"))
    judged = [
        Judged(name, metric_of(scene.targets.schema[name]), given, fit.chosen, fit)
        for (name, given), fit in zip(asked.items(), fits, strict=True)
    ]
    return judged, step_down(fits)


def _lone(
    scene: Scene, people: People, asked: Mapping[str, tuple[Answer, ...]], *, seed: int, level: float
) -> tuple[list[Judged], list[float]]:
    """Choose the attack with the highest lower bound, corrected for their number: a model favours both halves alike."""
    judged, p_values = [], []
    everyone = np.ones(len(people.member), bool)
    for name, given in asked.items():
        metric = metric_of(scene.targets.schema[name])
        lows = [_beyond_others(one, metric, everyone, level=1 - (1 - level) / len(given)).low for one in given]
        best = int(np.argmax(lows))
        judged.append(Judged(name, metric, given, (best, best), None))
        p_values.append(min(_p_value(one) for one in given) * len(given) * len(asked))
    return judged, [min(p_value, 1.0) for p_value in p_values]


def _p_value(one: Answer) -> float:
    assert one.other is not None, "without controls other rows are attacked"
    assert one.exchanged is not None, "and rows are exchanged"
    return exchanged_p_value(float((one.hits - one.other).mean()), one.exchanged.mean(axis=1), people=len(one.hits))


def _beyond_others(one: Answer, metric: str, who: Mask, *, level: float) -> Advantage:
    """Return how much more the release tells than other people's records; these are put right for their number."""
    assert one.other is not None, "without controls other rows are attacked"
    assert one.exchanged is not None, "and rows are exchanged"
    drawn = one.exchanged[:, who].mean(axis=1)
    value, other = float(one.hits[who].mean()), float(one.other[who].mean())
    low, high = exchanged_interval(value - other, drawn, people=int(who.sum()), level=level)
    reference = min(max(other + float(drawn.mean()), 0.0), 1.0)
    gain = value - reference
    return Advantage(metric, value, reference, gain, min(low, gain), max(high, gain), int(who.sum()), 0)


def _stated(metric: str, own: Floats, other: Floats, low: float, high: float) -> Advantage:
    value, reference = float(own.mean()), float(other.mean())
    gain = value - reference
    # the limits may miss it by rounding
    return Advantage(metric, value, reference, gain, min(low, gain), max(high, gain), len(own), len(other))
