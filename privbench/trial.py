"""One trial: a round is played, a release made, and every open cell of it scored and recorded."""

from __future__ import annotations

import json
import pickle
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privbench.atomic import write_atomically
from privbench.blind import guess_without_reports
from privbench.cells import Cell, Trial
from privbench.contracts import Defense, Guess, Round
from privbench.dataset import Dataset
from privbench.downstream import check_label, predict
from privbench.errors import (
    ContractError,
    InputError,
)
from privbench.experiment import Experiment
from privbench.judge import figures_on_persons, score_guess, score_model
from privbench.keys import canonical, code_version, key_of
from privbench.marginals import score_exact_success, score_release_marginals
from privbench.people import figures_to_arrow, targets_to_arrow
from privbench.plugin import Plugin
from privbench.record import Row, Status, failure
from privbench.release import Release, SyntheticTable
from privbench.rng import stream
from privbench.scorers.persons import Persons
from privbench.scorers.score import Score
from privbench.store import Scratch, Store
from privbench.table import Table

__all__ = ["fail", "run_trial"]

# what a plugin may raise and the other cells must survive, a call of sys.exit included
_ANYTHING = (Exception, SystemExit)
# what reading a pickle raises that is not there, was cut short, or belongs to code that has gone
_UNREADABLE = (OSError, EOFError, pickle.UnpicklingError, AttributeError, ImportError, ValueError, TypeError, KeyError)


def run_trial(trial: Trial, experiment: Experiment, store: Store) -> Counter[str]:
    """Play, release, attack, train, score, and write every cell of the trial.

    Whatever a plugin raises becomes a row with its reason; only this process ending ends a trial early.

    Returns
    -------
    Counter
        How many cells ended with which status.

    Raises
    ------
    InputError
        If the data set has changed since the trials were laid out, or the results cannot be written.
    """
    statuses: Counter[str] = Counter()
    dataset = experiment.load_dataset()
    if dataset.sha256 != trial.dataset_sha256:
        raise InputError(f"{dataset.name} changed while the benchmark ran; run it again")
    try:
        round_ = _play(trial.game, trial.secrets, trial.seed, dataset)
        release, seconds = _released(trial, round_, store)
        reason = _sentence(trial.game, trial.game.make().skip(release))
    except _ANYTHING as error:
        status, reason = failure(error)
        return fail(trial, experiment, store, status=status, reason=reason)
    place = _round_key(trial.game, trial.secrets, trial.known, trial.seed, dataset)
    for cell in trial.cells:
        started = time.perf_counter()
        row = _template(trial, cell, dataset, release.claim)
        figures: dict[str, Persons] = {}
        try:
            if reason is not None:
                rows = [replace(row, status="skipped", reason=reason)]
            elif cell.attack is not None:
                rows, figures = _attack(trial, cell.attack, round_, release, row, store.scratch(cell.key))
            elif cell.model is not None:
                rows = _train(trial, cell.model, dataset, release, row)
            else:
                rows = _marginals(release, round_.train, replace(row, seconds=seconds))
        except _ANYTHING as error:
            status, why = failure(error)
            rows = [replace(row, status=status, reason=why, seconds=_since(started))]
        people = None
        if figures:
            store.write_targets(place, lambda: targets_to_arrow(place, round_, dataset))
            people = figures_to_arrow(cell.key, place, round_.member, figures)
        store.write(cell.key, rows, people=people)
        if rows[0].status in ("ok", "skipped"):  # a cell that failed is run again, with what it has kept
            store.scratch(cell.key).clear()
        statuses[rows[0].status] += 1
    return statuses


def fail(trial: Trial, experiment: Experiment, store: Store, *, status: Status, reason: str) -> Counter[str]:
    """Record all cells of a trial with one status and reason."""
    dataset = experiment.load_dataset()
    for cell in trial.cells:
        row = replace(_template(trial, cell, dataset, None), status=status, reason=reason)
        store.write(cell.key, [row])
    return Counter({status: len(trial.cells)})


@lru_cache(maxsize=4)
def _play(game: Plugin, secrets: tuple[str, ...], seed: int, dataset: Dataset) -> Round:
    """Play a game; every defense of a seed faces the same round, so that they are compared on the same people."""
    rng = stream(seed, "game", dataset.name, canonical(secrets), game.identity)
    round_: Round = game.make().play(dataset, secrets, rng=rng)
    return round_


@lru_cache(maxsize=64)
def _round_key(game: Plugin, secrets: tuple[str, ...], known: tuple[str, ...], seed: int, dataset: Dataset) -> str:
    """Hash everything that a round depends on, as a trial's key does for its release."""
    parts = (code_version(), dataset.name, dataset.sha256, _digest(game), secrets, known, seed)
    return key_of(*parts)


@lru_cache(maxsize=16)
def _digest(game: Plugin) -> str:
    """Return a game's digest, which reads its code, once a process."""
    return game.digest


def _released(trial: Trial, round_: Round, store: Store) -> tuple[Release, float]:
    """Return the trial's release and the seconds that making it took, from the cache where it stands there whole."""
    path = store.release(trial.key)
    with suppress(*_UNREADABLE):
        cached: tuple[Release, float] = pickle.loads(path.read_bytes())
        return cached
    defense: Defense = trial.defense.make()
    started = time.perf_counter()
    release = defense.release(
        round_.train, rng=stream(trial.seed, "defense", trial.game.identity, trial.defense.identity)
    )
    seconds = _since(started)
    if not isinstance(release, Release):
        raise ContractError(f"defense {trial.defense.name!r} must return a release; got {type(release).__name__}")
    if release.schema.columns != round_.train.schema.columns:
        raise ContractError(
            f"defense {trial.defense.name!r} must release the columns of the training records, with their domains; "
            f"got {', '.join(release.schema.names)}"
        )
    claim = None if release.claim is None else asdict(release.claim)
    note = json.dumps({"defense": trial.defense.name, "params": trial.defense.params, "claim": claim})
    # the note first: where a release stands, its note does too
    write_atomically(path.with_suffix(".json"), lambda half: half.write_text(note, encoding="utf-8"))
    write_atomically(path, lambda half: half.write_bytes(pickle.dumps((release, seconds), protocol=5)))
    return release, seconds


def _attack(
    trial: Trial, plugin: Plugin, round_: Round, release: Release, row: Row, scratch: Scratch
) -> tuple[list[Row], dict[str, Persons]]:
    """Return an attack's rows, and for each secret its figures on every target, none if it does not apply."""
    attack = plugin.make()
    # built anew: the instance that saw the records may have kept some of them
    defense: Defense = trial.defense.make()
    view = round_.view(release, defense=defense, scratch=scratch)
    if (reason := _sentence(plugin, attack.skip(view))) is not None:
        return [replace(row, status="skipped", reason=reason)], {}
    name = ("attack", trial.game.identity, trial.defense.identity, plugin.identity)
    started = time.perf_counter()
    guess = attack.infer(view, rng=stream(trial.seed, *name))
    seconds = _since(started)
    if not isinstance(guess, Guess):
        raise ContractError(f"attack {plugin.name!r} must return a Guess; got {type(guess).__name__}")
    guess.check(view)
    without: Guess | None = None
    if round_.reference == "no-report":
        without = guess_without_reports(attack, view, streams=lambda: stream(trial.seed, *name))
    rows: list[Row] = []
    figures = {}
    for secret in view.secrets:
        scores = score_guess(secret, guess, without, round_, release, rng=stream(trial.seed, "gap", *name, secret.name))
        rows += [replace(_row(row, score), secret=secret.name, seconds=seconds) for score in scores]
        # one stream for all attacks and defenses of a round: a person's decoy is the same value for all
        decoys = stream(trial.seed, "decoy", trial.game.identity, secret.name)
        figures[secret.name] = figures_on_persons(
            secret,
            guess,
            without,
            round_.truth[secret.name],
            member=round_.member,
            reference=round_.reference,
            rng=decoys,
        )
    return rows, figures


def _train(
    trial: Trial,
    model: str,
    dataset: Dataset,
    release: Release,
    row: Row,
) -> list[Row]:
    schema = dataset.test.schema
    if (reason := check_label(release, schema.label)) is not None or schema.label is None:
        return [replace(row, status="skipped", reason=reason)]
    started = time.perf_counter()
    probability = predict(model, release, dataset.test, label=schema.label, seed=trial.seed)
    seconds = _since(started)
    real = _predict_real(model, trial.game, trial.secrets, trial.seed, dataset)
    name = (trial.game.identity, trial.defense.identity)
    scores = score_model(
        release,
        dataset.test,
        schema.label,
        probability,
        real=real,
        rng=stream(trial.seed, "fairness", *name, model),
        streams=lambda column: stream(trial.seed, "test-groups", *name, column),
    )
    return [replace(_row(row, score), seconds=seconds) for score in scores]


@lru_cache(maxsize=8)
def _predict_real(
    model: str, game: Plugin, secrets: tuple[str, ...], seed: int, dataset: Dataset
) -> NDArray[np.float64]:
    """Train the model on the real training records: the baseline of every defense of this round."""
    train = _play(game, secrets, seed, dataset).train
    label = train.schema.label
    if label is None:
        raise ContractError("a data set without a label has no downstream model")
    return predict(model, SyntheticTable(train, len(train)), dataset.test, label=label, seed=seed)


def _marginals(release: Release, train: Table, row: Row) -> list[Row]:
    rows = [_row(row, score) for score in score_release_marginals(release, train)]
    for name, scores in score_exact_success(release, train).items():
        rows += [_row(replace(row, secret=name), score) for score in scores]
    return rows


def _template(trial: Trial, cell: Cell, dataset: Dataset, claim: Any) -> Row:
    return Row(
        key=cell.key,
        code_version=code_version(),
        dataset=dataset.name,
        dataset_sha256=dataset.sha256,
        secret=trial.secrets[0] if len(trial.secrets) == 1 and cell.attack else None,
        known=canonical(trial.known),
        game=trial.game_label,
        defense=trial.defense.name,
        defense_params=trial.defense.params,
        epsilon=None if claim is None else claim.epsilon,
        delta=None if claim is None else claim.delta,
        attack=cell.attack.name if cell.attack else None,
        attack_params=cell.attack.params if cell.attack else None,
        model=cell.model,
        seed=trial.seed,
    )


def _row(template: Row, score: Score) -> Row:
    return replace(template, **{name: getattr(score, name) for name in Score.__slots__})


def _sentence(plugin: Plugin, reason: object) -> str | None:
    """Hold what a plugin's `skip` returned to its contract."""
    if reason is None or (isinstance(reason, str) and reason.strip()):
        return reason
    raise ContractError(f"{plugin.name!r}: skip() must return a sentence or None; got {reason!r}")


def _since(started: float) -> float:
    return time.perf_counter() - started
