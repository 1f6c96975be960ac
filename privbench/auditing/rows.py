"""An audit's figures as flat rows, as those of a benchmark: one for every attack, and one for the best of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from privbench.auditing.columns import Answer, Scene
from privbench.auditing.findings import Advantage, ColumnFinding, GroupFinding
from privbench.auditing.judgement import single
from privbench.auditing.lineup import SETTINGS
from privbench.auditing.people import People
from privbench.auditing.scoring import metric_of
from privbench.keys import canonical, code_version, key_of
from privbench.record import Row
from privbench.scorers.intervals import wilson_one

__all__ = ["BEST", "rows_of"]

BEST = "best"
"""The name under which the best attack stands, chosen on one half of the people and scored on the other."""


def rows_of(
    scene: Scene,
    people: People,
    answers: Mapping[str, Sequence[Answer]],
    columns: Sequence[ColumnFinding],
    groups: Sequence[GroupFinding],
    *,
    names: Mapping[str, str],
    sha256: str,
) -> list[Row]:
    """Return a row for each score and each advantage, or with a reason where there is none.

    Those of single attacks have 95 % intervals each, the advantages of the best one intervals that hold together.

    Parameters
    ----------
    scene, people, answers
        What was attacked, and what came of it.
    columns, groups
        What was found with the best attack.
    names : mapping of str to str
        File names by role.
    sha256 : str
        Digest of the training file.
    """
    plain = Row(
        key="",
        code_version=code_version(),
        dataset=names["training"],
        dataset_sha256=sha256,
        known="",
        game="holdout",
        defense=names["synthetic"],
        defense_params="{}",
        seed=scene.seed,
    )

    def row(secret: str, attack: str) -> Row:
        known = canonical(scene.known_of(secret))
        params = canonical(SETTINGS.get(attack, {}))
        parts = (plain.code_version, sha256, names["synthetic"], secret, attack, params, known, scene.seed)
        return replace(plain, key=key_of(*parts), secret=secret, attack=attack, attack_params=params, known=known)

    rows: list[Row] = []
    for secret, given in answers.items():
        metric = metric_of(scene.targets.schema[secret])
        for one in given:
            mine = replace(row(secret, one.attack), seconds=one.seconds)
            if one.status == "ok":
                rows += _two(mine, single(one, metric, people))
            else:
                rows.append(replace(mine, status=one.status, reason=one.reason))
    for found in columns:
        if found.advantage is not None:
            rows += _two(row(found.column, BEST), found.advantage)
        elif found.column not in answers:
            rows.append(replace(row(found.column, BEST), status="skipped", reason=found.reason))
    for group in groups:
        rows += _two(replace(row(group.column, BEST), group=group.group), group.advantage)
    return rows


def _two(row: Row, advantage: Advantage) -> Iterator[Row]:
    """Yield the score of the members and its advantage."""
    low, high = wilson_one(advantage.value * advantage.members, n=advantage.members)
    same = replace(
        row,
        n=advantage.members,
        baseline=advantage.reference,
        control=advantage.reference if advantage.controls else None,
        advantage=advantage.advantage,
    )
    yield replace(same, metric=advantage.metric, value=advantage.value, low=low, high=high)
    yield replace(
        same,
        metric=f"{advantage.metric}_advantage",
        n=advantage.members + advantage.controls,
        value=advantage.advantage,
        low=advantage.low,
        high=advantage.high,
    )
