"""What a guess, or a model trained on a release, is worth: every scorer that applies, fed with the truth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privbench.contracts import Guess, Reference, Round
from privbench.oracles import FrequencyOracle
from privbench.release import Release
from privbench.reports import Reports
from privbench.schema import Column
from privbench.scorers.calibration import score_calibration, score_coverage
from privbench.scorers.fairness import score_fairness
from privbench.scorers.leakage import score_categorical
from privbench.scorers.leakage_continuous import score_continuous
from privbench.scorers.persons import Persons, persons_categorical, persons_continuous
from privbench.scorers.reported_groups import score_reported_groups
from privbench.scorers.score import Score
from privbench.scorers.utility import score_downstream
from privbench.table import Table

__all__ = ["figures_on_persons", "group_codes", "score_group_reports", "score_guess", "score_model"]


def score_guess(
    secret: Column, guess: Guess, without: Guess | None, round_: Round, release: Release, *, rng: np.random.Generator
) -> list[Score]:
    """Return the leakage that a guess of one secret shows, and whether its stated confidence can be believed.

    Parameters
    ----------
    secret : Column
        One of those guessed.
    guess, without : Guess
        The attack's answer, and that without the release, or the person's report, where the game compares them.
    round_ : Round
        The truth.
    release : Release
        What was attacked.
    rng : Generator
        For permutations.
    """
    return _leakage(secret, guess, without, round_, release, rng=rng) + _confidence(secret, guess, round_)


def figures_on_persons(
    secret: Column,
    guess: Guess,
    without: Guess | None,
    truth: NDArray[Any],
    *,
    member: NDArray[np.bool_],
    reference: Reference,
    rng: np.random.Generator,
) -> Persons:
    """Return the figures on each target of a guess of one secret.

    Parameters
    ----------
    secret, guess, without
        As in `score_guess`.
    truth : ndarray, shape (n,)
        Codes or numbers.
    member : ndarray of bool, shape (n,)
        Who is in the training data.
    reference : str
        What a figure is compared with, as in `Round`.
    rng : Generator
        Draws the decoys: hand the same stream to every attack on a round.
    """
    answer = guess.answers[secret.name]
    other = None if without is None else without.answers[secret.name]
    if secret.discrete:
        return persons_categorical(
            answer, truth, member=member, reference=reference, reference_posterior=other, rng=rng
        )
    return persons_continuous(
        answer,
        guess.spread.get(secret.name),
        truth,
        low=secret.low,
        high=secret.high,
        integer=secret.integer,
        member=member,
        reference=reference,
        reference_guess=None if other is None or without is None else (other, without.spread.get(secret.name)),
    )


def group_codes(table: Table) -> dict[str, tuple[NDArray[np.int64], list[str]]]:
    """Return the protected columns as codes and labels; continuous ones are no groups."""
    return {
        column.name: (
            table[column.name].astype(np.int64),
            [column.label(code) for code in range(column.size)],
        )
        for column in table.schema.columns
        if column.discrete
    }


def score_model(
    release: Release,
    test: Table,
    label: str,
    probability: NDArray[np.float64],
    *,
    real: NDArray[np.float64],
    rng: np.random.Generator,
    streams: Callable[[str], np.random.Generator],
) -> list[Score]:
    """Return how good a model's predictions are, and how fair between the groups of the test records' schema.

    Parameters
    ----------
    release : Release
        What the model was trained on.
    test : Table
        Real records, with the label and its favourable value in their schema.
    label : str
        What was predicted.
    probability, real : array, shape (n, k)
        Of the model, and of the same model trained on real records: the baseline.
    rng : Generator
        For the bootstrap of the fairness figures.
    streams : callable
        As in `score_group_reports`.
    """
    schema = test.schema
    truth = test[label].astype(np.int64)
    scores = score_downstream(truth, probability, reference_probability=real)
    if not schema.groups:
        return scores
    positive = schema[label].code(schema.positive)
    favourable = truth == positive
    answer, other = (guess.argmax(axis=1) == positive for guess in (probability, real))
    groups = group_codes(test.select(schema.groups))
    scores += score_fairness(favourable, answer, groups=groups, reference_prediction=other, rng=rng)
    return scores + score_group_reports(release, test, favourable, answer, reference_prediction=other, streams=streams)


def score_group_reports(
    release: Release,
    test: Table,
    truth: NDArray[np.bool_],
    prediction: NDArray[np.bool_],
    *,
    reference_prediction: NDArray[np.bool_],
    streams: Callable[[str], np.random.Generator],
) -> list[Score]:
    """Return a model's fairness as a collector sees it, who has only a report of each test record's group.

    A protected column that the release has randomised is randomised in the test records too, by its first survey's
    randomiser; each other one is left out, as its groups are known.

    Parameters
    ----------
    release : Release
        What the model was trained on.
    test : Table
        Real records.
    truth, prediction, reference_prediction : array of bool, shape (n,)
        The favourable label; predicted by the model, and by the same model trained on real data.
    streams : callable
        Returns the random stream of a column: hand the same ones to every model, which are then judged on the same
        reports.
    """
    rows: list[Score] = []
    if not isinstance(release, Reports):
        return rows
    for name, (codes, labels) in group_codes(test.select(test.schema.groups)).items():
        oracle = release.of(name)[0].oracle if name in release else None
        if not isinstance(oracle, FrequencyOracle):
            continue
        rng = streams(name)
        rows += score_reported_groups(
            truth,
            prediction,
            support=oracle.support(oracle.randomise(codes, rng=rng)),
            p=oracle.p,
            q=oracle.q,
            labels=labels,
            column=name,
            reference_prediction=reference_prediction,
            rng=rng,
        )
    return rows


def _leakage(
    secret: Column, guess: Guess, without: Guess | None, round_: Round, release: Release, *, rng: np.random.Generator
) -> list[Score]:
    answer, truth = guess.answers[secret.name], round_.truth[secret.name]
    reference = None if without is None else without.answers[secret.name]
    groups = group_codes(round_.groups)
    if secret.discrete:
        # what a game made up, an identity, has no marginal in the release
        known = secret.name in release.schema
        return score_categorical(
            answer,
            truth,
            prior=release.marginal(secret.name) if known else np.full(secret.size, 1 / secret.size),
            member=round_.member,
            groups=groups,
            reference=round_.reference,
            reference_posterior=reference,
            rng=rng,
        )
    return score_continuous(
        answer,
        truth,
        low=secret.low,
        high=secret.high,
        integer=secret.integer,
        member=round_.member,
        groups=groups,
        reference=round_.reference,
        reference_guess=reference,
        rng=rng,
    )


def _confidence(secret: Column, guess: Guess, round_: Round) -> list[Score]:
    answer, truth = guess.answers[secret.name], round_.truth[secret.name]
    if secret.discrete:
        return score_calibration(answer, truth, member=round_.member)
    if secret.name not in guess.spread:
        return []
    return score_coverage(answer, guess.spread[secret.name], truth, member=round_.member)
