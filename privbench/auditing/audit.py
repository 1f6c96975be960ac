"""Is this synthetic file safe? The whole audit as one call: files, checks, attacks, groups, people, usefulness."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from privbench import __version__
from privbench.auditing.arguments import Arguments, Names, listed
from privbench.auditing.checks import check_files
from privbench.auditing.columns import Answer, Scene, why_not
from privbench.auditing.exposed import record_findings
from privbench.auditing.findings import Asked, ColumnFinding, Findings, Usefulness
from privbench.auditing.groups import group_findings
from privbench.auditing.judgement import judge_columns
from privbench.auditing.people import People, by_values, draw_people
from privbench.auditing.pool import answers
from privbench.auditing.result import AuditResult
from privbench.auditing.rows import rows_of
from privbench.auditing.usefulness import judge_usefulness
from privbench.datasets.alike import Alike, AlikeOptions, read_alike
from privbench.record import to_frame
from privbench.rng import stream
from privbench.scorers.intervals import LEVEL

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["audit"]


def audit(
    train: str | Path | pd.DataFrame,
    synthetic: str | Path | pd.DataFrame,
    control: str | Path | pd.DataFrame | None = None,
    *,
    secret: Names = None,
    known: Names = None,
    group: Names = None,
    label: str | None = None,
    attacks: Names = None,
    targets: int = 2000,
    seed: int = 0,
    time_limit: float | None = None,
    workers: int | None = None,
    options: AlikeOptions | None = None,
    quiet: bool = True,
) -> AuditResult:
    """Ask whether anyone could infer a column better of people in the training file than of people who were not.

    For every column somebody who knows the others, or those declared, attacks members and controls in one shuffled
    batch. The best attack is chosen on one half of the people and scored on the other, and the other way round; the
    advantage is its score on members less that on controls. All intervals of a table hold together at 95 %.

    Without a control file each attack is compared with itself on the training records of people who are not attacked,
    and rows of the two change sides at random to see what chance does (`privbench.scorers.exchanged`):
    what can be found then is that the release tells more of these people than real records of other people do. That
    misses what a release gives away in place of what it fails to tell of the population, so nothing found says little.

    Parameters
    ----------
    train, synthetic, control : path or DataFrame
        Records that the release was made from, the release, and records of the same population that it was not made
        from. CSV (.csv, .csv.gz) or Parquet.
    secret : str, sequence of str or None
        Columns that the adversary wants; None for every column that is not declared known.
    known : str, sequence of str or None
        Columns that it knows; None for all but the one it asks for.
    group : str, sequence of str or None
        Protected columns; None: every column of few values makes groups.
    label : str or None
        What downstream models predict.
    attacks : str, sequence of str or None
        Names as in ``privbench list attacks``; None for those in `privbench.auditing.lineup`.
    targets : int
        Members attacked, and controls, at least 20; fewer where the files have fewer.
    seed : int
        The same seed gives the same findings, with any number of workers and whatever the order of rows and columns,
        but for the check whether rows stand in the places of people.
    time_limit : float or None
        Seconds for the whole audit: attacks not begun by then are named, those under way are ended. What is found
        then depends on the machine's speed.
    workers : int or None
        Processes, each with one thread; None for one a core.
    options : AlikeOptions or None
        How files are written and columns to be read.
    quiet : bool
        Show no progress on standard error.

    Returns
    -------
    AuditResult
        Its `findings` in plain values, and a `frame` with a row a figure.

    Raises
    ------
    InputError
        If a file or an argument cannot be used; nothing is attacked then.

    References
    ----------
    M. Giomi, F. Boenisch, C. Wehmeyer and B. Tasnádi, "A Unified Framework for Quantifying Privacy Risk in Synthetic
    Data", PoPETs 2023 (members and controls); V. Chernozhukov et al., "Double/debiased machine learning", The
    Econometrics Journal 21, 2018 (cross-fitting).
    """
    started, begun = time.perf_counter(), time.time()
    given = Arguments.of(
        secret=secret,
        known=known,
        attacks=attacks,
        targets=targets,
        seed=seed,
        workers=workers,
        time_limit=time_limit,
        control=control is not None,
    )
    read = options or AlikeOptions()
    read = replace(read, label=read.label if label is None else label, groups=listed("group", group) or read.groups)
    alike = read_alike(train, synthetic, control, options=read)
    asked, declared = given.asked(alike), given.known or None
    checked = check_files(alike, rng=stream(seed, "audit", "checks"))
    people = draw_people(
        alike.train,
        alike.control,
        members=checked.members,
        controls=checked.controls,
        targets=targets,
        seed=seed,
    )
    scene = Scene(
        release=alike.synthetic.take(by_values(alike.synthetic)),
        targets=people.table,
        member=people.member,
        others=people.others,
        private_records=len(alike.train),
        known=declared,
        seed=seed,
    )
    reasons = {name: _reason(name, alike, scene, people) for name in asked}
    able = [name for name in asked if not reasons[name]]
    deadline = None if time_limit is None else begun + time_limit
    found = answers(scene, able, given.attacks, workers=workers, deadline=deadline, quiet=quiet)
    columns, judged = judge_columns(scene, people, found, seed=seed)
    columns = [replace(one, missed=_missed(found[one.column])) for one in columns]
    columns += [_unasked(name, alike, why) for name, why in reasons.items() if why]
    by_group, small = group_findings(judged, people, read.groups, alike.train)
    records, exposed = record_findings(
        alike.train, checked, judged, people,
        known=declared, secrets=asked, seed=seed,
    )  # fmt: skip
    late = deadline is not None and time.time() > deadline
    usefulness = Usefulness(()) if late else judge_usefulness(alike, seed=seed)
    rows = rows_of(scene, people, found, columns, by_group, names=dict(alike.names), sha256=alike.train.sha256)
    sizes = {"training": len(alike.train), "synthetic": len(alike.synthetic), "control": len(alike.control or ())}
    findings = Findings(
        asked=Asked(
            files=tuple((role, name, sizes[role]) for role, name in alike.names),
            known=declared,
            secrets=asked,
            groups=read.groups,
            attacks=_made(given.attacks, found),
            label=read.label,
            members=int(people.member.sum()),
            controls=int((~people.member).sum()),
            reference="others" if control is None else "controls",
            level=LEVEL,
            seed=seed,
            seconds=time.perf_counter() - started,
            version=__version__,
        ),
        checks=checked.checks,
        columns=tuple(columns),
        groups=by_group,
        records=records,
        exposed=exposed,
        usefulness=usefulness,
        notes=(*alike.notes, _sampled(people, alike), *_notes(found, time_limit, late)),
        small_groups=small,
    )
    return AuditResult(findings, to_frame(rows))


def _reason(name: str, alike: Alike, scene: Scene, people: People) -> str:
    if name not in scene.targets.schema:
        return "it has a value of its own for nearly everybody, which nobody guesses: see what is copied"
    if name in alike.apart:
        return "the files do not write its values alike, so that nobody can be guessed right or wrong"
    return people.reason or why_not(scene.targets.schema[name], scene.release, scene.targets)


def _made(attacks: tuple[str, ...], found: Mapping[str, tuple[Answer, ...]]) -> tuple[str, ...]:
    """Return the attacks that were made on a column at least."""
    made = {one.attack for given in found.values() for one in given if one.status == "ok"}
    return tuple(name for name in attacks if name in made)


def _missed(given: tuple[Answer, ...]) -> tuple[str, ...]:
    """Return the attacks that should have been made on a column, and were not; those that do not apply are none."""
    return tuple(one.attack for one in given if one.status not in ("ok", "skipped"))


def _unasked(name: str, alike: Alike, why: str) -> ColumnFinding:
    kind = str(alike.train.schema[name].kind) if name in alike.train.schema else "categorical"
    return ColumnFinding(name, kind, (), None, None, None, (), why)


def _sampled(people: People, alike: Alike) -> str:
    """Say who was attacked."""
    members, controls = int(people.member.sum()), int((~people.member).sum())
    beside = "" if alike.control is None else f" and {controls:,} of the {len(alike.control):,} control records"
    return f"{members:,} of the {len(alike.train):,} training records{beside} were attacked, drawn at random."


def _notes(found: Mapping[str, tuple[Answer, ...]], time_limit: float | None, late: bool) -> list[str]:
    """Say which attacks were not made and why, and what they were not given, a sentence for all columns alike."""
    why: dict[str, list[str]] = {}
    for column, given in found.items():
        for one in given:
            if one.note:
                why.setdefault(f"{one.note}.", [])
            if one.status == "timeout" and time_limit is not None:
                why.setdefault(f"The time limit of {time_limit:g} s ended before {one.attack} was made on", []).append(
                    column
                )
            elif one.status != "ok":
                why.setdefault(f"{one.attack} was not made ({one.reason}) on", []).append(column)
    said = [f"{text} {', '.join(columns)}." if columns else text for text, columns in why.items()]
    return said + (["The time limit ended before usefulness was judged."] if late else [])
