"""Usefulness is what calling the scorers by hand gives; bad labels and small files are answered."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from privbench.auditing import usefulness
from privbench.auditing.usefulness import judge_usefulness
from privbench.datasets.alike import Alike
from privbench.downstream import predict
from privbench.judge import group_codes
from privbench.marginals import score_release_marginals
from privbench.release import SyntheticTable
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.scorers.fairness import score_fairness
from privbench.scorers.utility import score_downstream
from privbench.table import Table

SCHEMA = Schema(
    (
        Column("sex", Kind.CATEGORICAL, ("f", "m")),
        Column("race", Kind.CATEGORICAL, ("a", "b", "c")),
        Column("x", Kind.CONTINUOUS, low=0.0, high=1.0),
        Column("income", Kind.CATEGORICAL, ("low", "high")),
    ),
    groups=("sex", "race"),
    label="income",
    positive="high",
)


def people(n, key, schema=SCHEMA, *, honest=True):
    rng = stream(0, "useful", key)
    sex, race, x = rng.integers(0, 2, n), rng.integers(0, 3, n), rng.random(n)
    score = x + 0.3 * sex + 0.2 * rng.standard_normal(n) if honest else rng.random(n)
    return Table(schema, {"sex": sex, "race": race, "x": x, "income": (score > 0.65).astype(int)}, n)


def judged(train, synthetic, control=None, *, seed=3):
    return judge_usefulness(Alike(train, synthetic, control, (), (), MappingProxyType({}), ()), seed=seed)


def test_figures_are_those_of_the_scorers():
    train, synthetic, control = people(900, "t"), people(700, "s"), people(600, "c")
    found = judged(train, synthetic, control)
    for scores, rows in ((found.fidelity, synthetic), (found.fidelity_control, control)):
        assert list(scores) == score_release_marginals(SyntheticTable(rows, 900), train)[:2]
        assert [score.metric for score in scores] == ["tvd_1way", "tvd_2way"]
    own, real = (
        predict("lightgbm", SyntheticTable(rows, 900), control, label="income", seed=3) for rows in (synthetic, train)
    )
    truth = control["income"].astype(np.int64)
    fairness = score_fairness(
        truth == 1,
        own.argmax(axis=1) == 1,
        groups=group_codes(control.select(["sex", "race"])),
        reference_prediction=real.argmax(axis=1) == 1,
        rng=stream(3, "audit", "fairness"),
    )
    assert list(found.downstream) == [*score_downstream(truth, own, reference_probability=real), *fairness]
    assert found.judged_on == "600 records of the control file"


def test_of_a_larger_control_file_as_many_rows_stand_beside_the_release():
    train, synthetic, control = people(900, "t"), people(100, "s"), people(3000, "c")
    found = judged(train, synthetic, control)
    assert {score.n for score in (*found.fidelity, *found.fidelity_control)} == {100}
    # neither is nearer, as both are fresh draws; all of the control file would be
    for own, other in zip(found.fidelity, found.fidelity_control, strict=True):
        assert 0.6 < other.value / own.value < 1.6
    whole = score_release_marginals(SyntheticTable(control, 900), train)
    assert whole[1].value < 0.6 * found.fidelity[1].value
    assert found.judged_on == "3,000 records of the control file"


def test_a_smaller_control_file_leaves_the_distance_of_the_release_as_it_is():
    train, synthetic = people(900, "t"), people(700, "s")
    found = judged(train, synthetic, people(60, "c"))
    assert found.fidelity == judged(train, synthetic).fidelity
    assert [score.n for score in found.fidelity_control] == [60, 60]


def test_without_controls_a_third_of_the_training_file_judges():
    train, synthetic = people(900, "t"), people(700, "s")
    found = judged(train, synthetic)
    assert found.fidelity_control == ()
    order = stream(3, "audit", "held-out").permutation(900)
    real, test = train.take(np.sort(order[300:])), train.take(np.sort(order[:300]))
    own, other = (
        predict("lightgbm", SyntheticTable(rows, 900), test, label="income", seed=3) for rows in (synthetic, real)
    )
    by_hand = score_downstream(test["income"].astype(np.int64), own, reference_probability=other)
    assert list(found.downstream[:2]) == by_hand
    assert found.judged_on.startswith("300 records of the training file, held out from the real model but not from the")


def test_a_release_without_the_relation_is_worth_less():
    train, control = people(900, "t"), people(900, "c")
    good, bad = (judged(train, people(900, "s", honest=honest), control).downstream[1] for honest in (True, False))
    assert good.value > bad.high
    assert good.baseline == bad.baseline
    assert bad.baseline > bad.high


def test_large_files_are_sampled_and_that_is_said(monkeypatch):
    monkeypatch.setattr(usefulness, "ROWS", 200)
    found = judged(people(900, "t"), people(700, "s"), people(600, "c"))
    assert found.judged_on == "200 records of the control file, drawn from its 600"
    assert {score.n for score in (*found.fidelity, *found.fidelity_control)} == {200}
    monkeypatch.setattr(usefulness, "CELLS", 100 * 2 * (4 + 6 + 4))
    assert {score.n for score in judged(people(900, "t"), people(700, "s")).fidelity} == {100}


def test_order_of_rows_changes_no_distance():
    train, synthetic, control = people(300, "t"), people(200, "s"), people(200, "c")
    turned = [table.take(np.arange(len(table))[::-1]) for table in (train, synthetic, control)]
    one, other = judged(train, synthetic, control), judged(*turned)
    for mine, yours in zip(one.fidelity, other.fidelity, strict=True):
        assert yours.value == pytest.approx(mine.value)


def test_no_label_no_model():
    schema = replace(SCHEMA, label=None, positive=None)
    found = judged(*(table.with_schema(schema) for table in (people(90, "t"), people(70, "s"))))
    assert (found.downstream, found.judged_on) == ((), "")
    assert len(found.fidelity) == 2


def test_no_groups_no_fairness():
    schema = replace(SCHEMA, groups=())
    found = judged(*(table.with_schema(schema) for table in (people(300, "t"), people(200, "s"), people(90, "c"))))
    assert [score.metric for score in found.downstream] == ["downstream_accuracy", "downstream_auc"]


def test_a_label_with_one_value_is_said():
    train = people(90, "t")
    constant = train.replace({"income": np.zeros(90, int)})
    found = judged(constant, people(70, "s"), people(60, "c"))
    assert found.downstream == ()
    assert (
        found.judged_on == "nobody: the label 'income' has one value in the training file, so there is nothing to learn"
    )
    assert judged(train, people(70, "s").take(np.zeros(0, int)), people(60, "c")).downstream == ()
    # of a release with one value there is a model, which always answers it
    kept = judged(train, people(70, "s").replace({"income": np.ones(70, int)}), people(60, "c"))
    assert kept.downstream[0].value == pytest.approx((people(60, "c")["income"] == 1).mean())


@pytest.mark.parametrize("control", [None, 2])
def test_tiny_files_are_answered(control):
    train = people(2, "t").replace({"income": np.array([0, 1])})
    found = judged(train, people(1, "s"), None if control is None else people(control, "c"))
    assert len(found.fidelity) == 2
    assert found.downstream == ()
    assert found.judged_on == "nobody: there are too few records to judge a model on"
