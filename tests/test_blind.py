"""The baseline of the game of reports: what an attack says where the targets' own reports do not exist."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from privbench import registry
from privbench.blind import guess_without_reports
from privbench.contracts import Guess
from privbench.errors import ContractError
from privbench.rng import stream
from tests.people import people


@dataclass(frozen=True)
class Watcher:
    """Answer evenly, and remember what was seen."""

    seen: list
    wrong: bool = False

    def skip(self, view):
        return None

    def infer(self, view, *, rng):
        self.seen.append((view, rng.random()))
        width = 2 if self.wrong else 3
        return Guess({"ill": np.full((len(view.targets), width), 1 / width)})


def played(targets, records, **params):
    round_ = registry.make("games", "report", {"targets": targets, "records": records}).play(
        people(records), ("ill",), rng=stream(0)
    )
    release = registry.make("defenses", "ldp", {"epsilon": 2, **params}).release(round_.train, rng=stream(1))
    return round_.view(release)


@pytest.mark.parametrize(("targets", "records", "parts"), [(20, 400, 1), (100, 400, 2), (400, 400, 5), (1, 400, 1)])
def test_the_targets_reports_are_left_out_a_part_at_a_time(targets, records, parts):
    view, seen = played(targets, records), []
    guess = guess_without_reports(Watcher(seen), view, streams=lambda: stream(2))
    guess.check(view)
    assert len(seen) == parts
    assert len({draw for _, draw in seen}) == 1, "every part has the same stream"
    covered = []
    for blind, _ in seen:
        assert blind.rows is None
        (own,) = blind.release.of("ill")
        assert len(own.reports) == records - len(blind.targets)
        assert len(blind.targets) <= max(1, records // 5)
        left = np.setdiff1d(np.arange(records), own.people)
        assert set(left) <= set(view.rows)
        covered += list(left)
        # everybody else's report stays theirs
        places, reports = own.of(own.people)
        assert (reports == view.release.of("ill")[0].reports[own.people]).all()
        assert len(places) == len(own.people)
        assert blind.release.private_records == records
    assert sorted(covered) == sorted(view.rows)


@pytest.mark.parametrize("params", [{"allocation": "sampled", "columns": ("ill", "grade")}, {"surveys": 3}])
def test_people_who_were_not_asked_and_several_surveys_are_no_trouble(params):
    view, seen = played(50, 300, **params), []
    guess_without_reports(Watcher(seen), view, streams=lambda: stream(2))
    for one in seen[0][0].release.reported:
        assert not np.isin(view.rows, one.people).any()
        assert len(one.people) == len(one.reports)


def test_a_broken_guess_is_refused():
    with pytest.raises(ContractError, match=r"guess of 'ill' must have shape"):
        guess_without_reports(Watcher([], wrong=True), played(20, 400), streams=lambda: stream(2))


def test_who_is_in_a_part_depends_on_the_people_alone():
    view = played(100, 300)
    turned = stream(3).permutation(100)
    parts, again = (
        {frozenset(rows[places]) for places, _ in view.release.left_out(rows)}
        for rows in (view.rows, view.rows[turned])
    )
    assert parts == again
