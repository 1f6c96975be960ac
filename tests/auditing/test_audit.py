"""The whole audit on files whose answer is known: the training rows themselves, and rows of other people."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from privbench import progress, registry
from privbench.auditing import audit as module
from privbench.auditing import columns
from privbench.auditing.audit import audit
from privbench.auditing.checks import FileChecks
from privbench.auditing.findings import Usefulness
from privbench.contracts import Guess
from privbench.datasets import adult
from privbench.errors import InputError
from privbench.rng import stream

COLUMNS = ["age", "education", "marital-status", "occupation", "hours-per-week", "race", "sex", "income"]
QUICK = ("cap", "nearest-neighbour", "naive-bayes")
ROWS = 700


@pytest.fixture(scope="module")
def people():
    """Return four samples of Adult that share nobody."""
    records = adult.load().records.select(COLUMNS)
    order = stream(0, "audit tests").permutation(len(records))
    return [records.take(order[i * ROWS : (i + 1) * ROWS]).to_frame() for i in range(4)]


@pytest.fixture(autouse=True)
def attacks_alone(monkeypatch):
    """Leave out what other tests are about; a test may put its own checks in `found`."""
    found = {}

    def check(alike, *, rng):
        sizes = [len(alike.train), 0 if alike.control is None else len(alike.control)]
        everyone, nobody = [np.ones(size, bool) for size in sizes], np.zeros(sizes[0], bool)
        return replace(FileChecks((), *everyone, nobody, nobody), **found)

    monkeypatch.setattr(module, "check_files", check)
    monkeypatch.setattr(module, "judge_usefulness", lambda alike, *, seed: Usefulness(()))
    return found


def run(train, synthetic, control=None, **given):
    return audit(train, synthetic, control, **{"attacks": QUICK, "targets": 300, "workers": 1, **given})


def without_clock(findings):
    return replace(findings, asked=replace(findings.asked, seconds=0.0))


def test_the_training_rows_themselves_are_flagged_in_every_column(people):
    result = run(people[0], people[0], people[1])
    for column in result.findings.columns:
        assert column.reason == ""
        assert column.advantage.low > 0, column.column
        assert column.p_value == pytest.approx(1 / 2000)
        assert column.advantage.members == column.advantage.controls == 300
    lows = [column.advantage.low for column in result.findings.columns]
    assert lows == sorted(lows, reverse=True)
    # who knows the rest finds every record again, but for those who are alike in it
    first = next(c for c in result.findings.columns if c.column == "occupation")
    assert first.advantage.value > 0.9
    assert first.advantage.reference < 0.4
    assert first.advantage.advantage == pytest.approx(first.advantage.value - first.advantage.reference)


def test_rows_of_other_people_give_nobody_away(people):
    result = run(people[0], people[2], people[1])
    for column in result.findings.columns:
        assert column.advantage.low <= 0 <= column.advantage.high, column.column
        assert column.p_value > 0.05
    assert all(group.advantage.low <= 0 for group in result.findings.groups)
    assert result.findings.records == ()


def test_intervals_are_wider_the_more_columns_are_asked(people):
    many = {c.column: c.advantage for c in run(*people[:3:2], people[1]).findings.columns}
    one = run(*people[:3:2], people[1], secret="race").findings.columns[0]
    assert one.advantage.value == many["race"].value
    assert one.advantage.low > many["race"].low
    assert one.advantage.high < many["race"].high
    assert one.column == "race"


def test_order_of_rows_and_columns_changes_nothing(people):
    given = [run(people[0], people[0], people[1], targets=200)]
    rng = stream(0, "order")
    moved = [
        part.iloc[rng.permutation(len(part))][list(rng.permutation(COLUMNS))] for part in (*people[:1], *people[:2])
    ]
    given.append(run(*[part.reset_index(drop=True) for part in moved], targets=200))
    first, second = ({c.column: c for c in one.findings.columns} for one in given)
    assert first == second
    groups = [{(g.column, g.group): g for g in one.findings.groups} for one in given]
    assert groups[0] == groups[1]


def test_the_same_seed_gives_the_same_findings_with_one_worker_and_with_two(people):
    given = {"attacks": ("random-forest", "cap"), "secret": ("income", "age"), "targets": 100}
    one, two = (run(*people[:3:2], people[1], workers=workers, **given) for workers in (1, 2))
    assert without_clock(one.findings) == without_clock(two.findings)
    pd.testing.assert_frame_equal(one.frame.drop(columns="seconds"), two.frame.drop(columns="seconds"))
    other = run(*people[:3:2], people[1], seed=1, **given)
    assert other.findings.columns != one.findings.columns


def test_members_and_controls_are_told_apart_by_their_file_alone(people):
    # with the files' parts exchanged the advantage of what was released changes sides
    there = run(people[0], people[0], people[1], attacks="cap").findings.columns
    back = run(people[1], people[0], people[0], attacks="cap").findings.columns
    assert all(column.advantage.low > 0 for column in there)
    assert all(column.advantage.high < 0 for column in back)
    assert all(column.p_value > 0.9 for column in back)


@dataclass(frozen=True)
class ByPlace:
    """Answer the first people with the training file's values in its order."""

    values: tuple[int, ...]

    def skip(self, view):
        return None

    def infer(self, view, *, rng):
        (secret,) = view.secrets
        codes = np.resize(self.values, len(view.targets))
        return Guess({secret.name: np.eye(secret.size)[codes]})


def test_a_cheat_who_goes_by_places_finds_nothing(people, monkeypatch):
    values = tuple(pd.Categorical(people[0]["occupation"].astype(str)).codes.tolist())
    make = registry.make
    monkeypatch.setattr(
        registry, "make", lambda kind, name, given: ByPlace(values) if name == "cap" else make(kind, name, given)
    )
    found = run(people[0], people[2], people[1], attacks="cap", secret="occupation", targets=ROWS).findings.columns[0]
    assert found.advantage.value < 0.25
    assert found.p_value > 0.01


def test_without_a_control_file_the_yardstick_is_other_people(people):
    train = pd.concat(people[:2], ignore_index=True)
    leak = run(train, train, targets=200).findings
    assert leak.asked.reference == "others"
    assert (leak.asked.members, leak.asked.controls) == (200, 0)
    assert all(column.advantage.controls == 0 for column in leak.columns)
    assert sum(column.advantage.low > 0 for column in leak.columns) >= 6
    assert all(column.p_value < 0.05 for column in leak.columns if column.advantage.low > 0)
    none = run(train, pd.concat(people[2:], ignore_index=True), targets=200).findings
    assert all(column.advantage.low <= 0 for column in none.columns)
    # at most one record in five is attacked: the others are what it is compared with
    assert run(people[0], people[2], secret="sex").findings.asked.members == ROWS // 5


def test_known_columns_are_all_that_is_known(people, monkeypatch):
    seen = []
    make = registry.make

    @dataclass(frozen=True)
    class Looks:
        def skip(self, view):
            seen.append((view.targets.schema.names, tuple(s.name for s in view.secrets)))
            return make("attacks", "majority", {}).skip(view)

        def infer(self, view, *, rng):
            return make("attacks", "majority", {}).infer(view, rng=rng)

    monkeypatch.setattr(registry, "make", lambda *given: Looks())
    findings = run(*people[:3:2], people[1], known=["sex", "age"]).findings
    assert set(seen) == {(("age", "sex"), (name,)) for name in COLUMNS if name not in ("sex", "age")}
    assert findings.asked.known == ("sex", "age")
    seen.clear()
    run(*people[:3:2], people[1], secret="income")
    assert set(seen) == {(tuple(sorted(set(COLUMNS) - {"income"})), ("income",))}


def test_groups_are_those_named_or_those_of_few_values(people):
    named = run(people[0], people[0], people[1], group="sex", secret=["occupation", "age"]).findings
    assert {(g.column, g.group) for g in named.groups} == {
        (column, f"sex={value}") for column in ("occupation", "age") for value in ("Female", "Male")
    }
    for group in named.groups:
        assert group.advantage.members + group.advantage.controls < 600
        assert group.advantage.low > 0
    by_column = [[g.advantage for g in named.groups if g.column == c] for c in ("occupation", "age")]
    for column, parts in zip(("occupation", "age"), by_column, strict=True):
        whole = next(c.advantage for c in named.columns if c.column == column)
        assert sum(part.members * part.value for part in parts) == pytest.approx(300 * whole.value)
        assert sum(part.members for part in parts) == 300
    found = {g.group for g in run(people[0], people[0], people[1], secret="age").findings.groups}
    assert {"sex=Female", "sex=Male", "race=White", "income=<=50K"} <= found
    assert "race=Other" not in found  # fewer than fifty people
    own = run(people[0], people[0], people[1], secret="sex", group="sex").findings
    assert own.groups == ()


def test_groups_that_are_named_and_too_small_are_listed_with_their_counts(people):
    train, release, control = (part.copy() for part in people[:3])
    control.loc[control.index[:3], "race"] = "Martian"  # nobody of the training file is one
    found = run(train, release, control, group="race", secret="sex").findings
    races = train["race"].value_counts()
    told = {one.group: (one.members, one.controls) for one in found.small_groups}
    compared = {one.group for one in found.groups}
    assert told
    assert {*told, *compared} == {f"race={value}" for value in races.index}
    assert not {*told} & compared
    assert all(min(counts) < 20 for counts in told.values())
    everyone = sum(one.advantage.members for one in found.groups) + sum(members for members, _ in told.values())
    assert everyone == 300
    assert run(train, release, control, secret="sex").findings.small_groups == ()


def test_the_most_exposed_are_copies_first_then_who_is_inferred(people, attacks_alone):
    copied = np.zeros(ROWS, bool)
    copied[[5, 17]] = True
    attacks_alone["copied"] = copied
    attacks_alone["usual"] = (0.25, 0.5)
    findings = run(people[0], people[0], people[1]).findings
    listed = findings.records
    assert {one.record for one in listed[:2]} == {6, 18}
    assert all(one.probability == 1 and one.baseline == 0.25 for one in listed[:2])
    assert 100 <= len(listed) <= 102  # a hundred of each kind, nobody twice
    assert len({one.record for one in listed}) == len(listed)
    assert findings.exposed > 102
    for one in listed[2:]:
        assert one.columns
        assert one.probability > one.baseline + 0.2
        assert one.rare_in


def test_copies_hide_nobody_who_stands_out(people, attacks_alone):
    before = run(people[0], people[0], people[1], secret="occupation").findings
    attacks_alone |= {"copied": np.arange(ROWS) < ROWS // 2, "usual": (0.0, 0.0)}
    after = run(people[0], people[0], people[1], secret="occupation").findings
    assert after.exposed == before.exposed > 0
    assert len(after.records) > 100


def test_people_whom_the_checks_leave_out_are_not_attacked(people, attacks_alone):
    some = np.arange(ROWS) % 3 == 0
    attacks_alone |= {"members": some, "controls": ~some}
    both = pd.concat([people[1][:ROWS], people[0]], ignore_index=True)[:ROWS]
    findings = run(people[0], people[0], both, targets=ROWS).findings
    assert (findings.asked.members, findings.asked.controls) == (some.sum(), (~some).sum())
    assert all(one.record % 3 == 1 for one in findings.records)


def test_columns_that_cannot_be_asked_say_why(people, monkeypatch):
    monkeypatch.setattr(columns, "MOST", 10)
    parts = [part.assign(name=[f"{place} {i}" for i in range(ROWS)]) for place, part in enumerate(people[:3])]
    findings = run(parts[0], parts[2], parts[1], secret=["name", "education", "sex"]).findings
    assert findings.columns[0].column == "sex"
    reasons = {one.column: one.reason for one in findings.columns}
    assert "value of its own" in reasons["name"]
    assert "16 values" in reasons["education"]
    assert reasons["sex"] == ""
    assert set(findings.asked.secrets) == set(reasons)
    # a column that is not named is listed with its reason all the same
    assert {one.column for one in run(parts[0], parts[2], parts[1]).findings.columns} == {*COLUMNS, "name"}
    few = run(people[0], people[2], people[1][:15]).findings
    assert all("15 controls" in one.reason and one.advantage is None for one in few.columns)
    assert few.groups == few.records == ()


def test_attacks_that_fail_are_named_and_the_others_count(people, trouble):
    findings = run(
        *people[:3:2], people[1], secret=["sex", "age"], attacks=["cap", "raises", "linear-reconstruction"]
    ).findings
    assert all(one.chosen == ("cap", "cap") for one in findings.columns)
    told = " ".join(findings.notes)
    assert re.search(
        r"raises was not made \(RuntimeError: the attack broke in two lines \(\w+\.py, line \d+\)\) on", told
    )
    assert "linear-reconstruction was not made" in told
    assert findings.asked.attacks == ("cap",)
    none = run(*people[:3:2], people[1], secret="sex", attacks="raises")
    assert "the attack broke" in none.findings.columns[0].reason
    assert none.frame["status"].tolist() == ["failed"]


def test_a_worker_that_dies_is_a_reason(people, trouble):
    findings = run(*people[:3:2], people[1], secret=["sex", "age"], attacks="kills", workers=2)
    assert "kills" in findings.findings.columns[0].reason


def test_what_the_time_limit_cuts_off_is_named(people):
    findings = run(*people[:3:2], people[1], time_limit=1e-9).findings
    assert all(one.advantage is None and "time limit" in one.reason for one in findings.columns)
    assert any("time limit" in note and "cap" in note for note in findings.notes)
    assert any("usefulness" in note for note in findings.notes)
    assert findings.asked.attacks == ()


def test_a_large_release_is_thinned_for_learners_and_that_is_said(people, monkeypatch):
    from privbench.auditing import lineup

    monkeypatch.setattr(lineup, "_USUAL", 200)
    findings = run(people[0], people[0], people[1], secret="sex", attacks=["cap", "random-forest"]).findings
    assert "random-forest learnt from a sample of 200 of the 700 released rows." in findings.notes
    seen = dict(findings.columns[0].attacks)
    assert seen["cap"].value > seen["random-forest"].value


def test_columns_too_wide_for_learners_are_left_out_and_that_is_said(people, monkeypatch):
    monkeypatch.setattr(columns, "WIDEST", 20)
    findings = run(people[0], people[0], people[1], secret="sex", attacks=["cap", "naive-bayes"]).findings
    assert any(
        note.startswith("naive-bayes was not given education") and "occupation" in note for note in findings.notes
    )
    assert not any("cap was not given" in note for note in findings.notes)
    assert len(findings.columns[0].attacks) == 2


@pytest.mark.parametrize(("step", "lines"), [(3.0, 2), (0.0, 0)])
def test_progress_is_said_on_standard_error_once_in_a_while(people, monkeypatch, capsys, step, lines):
    clock = SimpleNamespace(monotonic=partial(next, count(step=step)))
    monkeypatch.setattr(progress, "time", clock)
    run(*people[:3:2], people[1], secret=["sex", "age"], attacks="cap", quiet=False)
    said = capsys.readouterr()
    assert said.out == ""
    assert [line.split(":")[0] for line in said.err.splitlines()] == ["[1/2] cap on age", "[2/2] cap on sex"][:lines]


def test_the_frame_has_a_row_for_every_attack_and_for_the_best(people):
    result = run(people[0], people[0], people[1], secret=["sex", "age"], group="sex")
    frame = result.frame
    assert set(frame["attack"]) == {*QUICK, "best"}
    everyone = frame[frame["group"].isna()]
    assert len(everyone) == 2 * 2 * (len(QUICK) + 1)
    best = everyone[(everyone["attack"] == "best") & (everyone["metric"] == "accuracy_advantage")].iloc[0]
    found = next(one.advantage for one in result.findings.columns if one.column == "sex")
    assert (best["value"], best["low"], best["high"], best["n"]) == (found.advantage, found.low, found.high, 600)
    assert (frame["low"] <= frame["value"]).all()
    assert (frame["value"] <= frame["high"]).all()
    assert frame["game"].eq("holdout").all()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"secret": "incme"}, "did you mean 'income'"),
        ({"known": ["agee"]}, "did you mean 'age'"),
        ({"group": "sexx"}, "did you mean 'sex'"),
        ({"attacks": "forest"}, "random-forest"),
        ({"secret": "age", "known": "age"}, "secret too"),
        ({"secret": ["age", "age"]}, "twice"),
        ({"known": COLUMNS}, "nothing is left"),
        ({"known": []}, "known: nothing is named"),
        ({"secret": ()}, "secret: nothing is named"),
        ({"group": []}, "group: nothing is named"),
        ({"attacks": []}, "attacks: nothing is named"),
        ({"targets": 19}, "20"),
        ({"targets": 50.0}, "whole numbers"),
        ({"seed": "x"}, "seed"),
        ({"workers": 0}, "workers"),
        ({"time_limit": 0}, "time_limit"),
        ({"secret": [1]}, "secret"),
    ],
)
def test_bad_arguments_are_refused_before_any_work(people, monkeypatch, given, told):
    monkeypatch.setattr(module, "answers", lambda *given, **named: pytest.fail("work was done"))
    with pytest.raises(InputError, match=told):
        run(*people[:3:2], people[1], **given)
