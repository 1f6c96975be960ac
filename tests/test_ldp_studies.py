"""The two studies of what randomised reports do to fairness, under scripts/reproduce: small runs, known answers."""

from __future__ import annotations

import importlib.util
import json
import sys
from math import inf, log
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind_from_stats

from privbench.rng import stream

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts" / "reproduce"
SIZES = {"age": 6, "hours": 3, "native-country": 4, "gender": 2, "race": 3, "income": 2}


def module(name):
    found = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    loaded = importlib.util.module_from_spec(found)
    sys.modules[name] = loaded  # dataclasses look their module up
    found.loader.exec_module(loaded)
    return loaded


fairness, structural = module("ldp_fairness"), module("structural_disparity")
WAYS = [("none", inf), *((way, epsilon) for way in structural.WAYS for epsilon in (0.1, 1.0, 5.0))]


def test_population_is_the_models():
    cells = structural.population()
    assert cells.sum() == pytest.approx(1, abs=1e-12)
    assert cells[structural.A == 1].sum() == pytest.approx(0.65 * 0.55 + 0.35 * 0.75)
    assert cells[(structural.A == 1) & (structural.M == 2)].sum() == pytest.approx(0.62 * 0.25)
    exchanged = structural.population(exchanged=True)
    assert exchanged[structural.A == 1].sum() == pytest.approx(0.65 * 0.75 + 0.35 * 0.55)
    for quantile in (0.25, 0.5, 0.75):
        assert cells @ structural.above(cells, quantile) == pytest.approx(1 - quantile, abs=1e-9)


def test_without_noise_the_rates_are_the_published_ones():
    cells = structural.population()
    positive = structural.above(cells, 0.5)
    decision = structural.limit(cells, positive, ())
    A, M = structural.A, structural.M
    # published, from 100,000 records: .7977 of A = 1, .1 to .14 of A = 0, .4203 and 0 where M = 0
    assert np.average(decision[A == 1], weights=cells[A == 1]) == pytest.approx(0.7977, abs=0.005)
    assert np.average(decision[A == 0], weights=cells[A == 0]) == pytest.approx(0.1, abs=0.005)
    assert np.average(decision[(A == 1) & (M == 0)], weights=cells[(A == 1) & (M == 0)]) == pytest.approx(
        0.42, abs=0.01
    )
    assert not decision[(A == 0) & (M == 0)].any()


@pytest.mark.parametrize(("way", "epsilon"), WAYS[1:])
def test_the_joint_likelihood_ratio_is_exactly_epsilon(way, epsilon):
    flow = structural.transition(structural.oracles(way, epsilon))
    assert flow.sum(axis=1) == pytest.approx(1, abs=1e-12)
    assert log((flow.max(axis=0) / flow.min(axis=0)).max()) == pytest.approx(epsilon, abs=1e-9)


@pytest.mark.parametrize(("way", "epsilon"), WAYS)
def test_reports_follow_the_transition_matrix(way, epsilon):
    n, by = 200_000, structural.oracles(way, epsilon)
    reports = structural.reported(np.full(n, 7), by, rng=stream(1, "test", way, str(epsilon)))
    expected = structural.transition(by)[7]
    error = np.bincount(reports, minlength=12) / n - expected
    assert np.all(np.abs(error) <= 4.5 * np.sqrt(expected * (1 - expected) / n) + 1e-12)


def test_disparity_of_known_decisions():
    cells = structural.population()
    positive = structural.above(cells, 0.5)
    by_group = structural.figures(structural.A == 1, cells, positive)
    assert by_group[[0, 1, 2, 3, 5]] == pytest.approx([1, 1, 1, 1, 0])
    direct, conditional, alone, _, _, _ = structural.figures(structural.C == 1, cells, positive)
    assert direct == pytest.approx(0.35 * 0.75 / 0.62 - 0.35 * 0.25 / 0.38)
    assert conditional == pytest.approx(direct)  # M depends on C through A only
    assert alone == pytest.approx(0)
    assert structural.figures(np.ones(12, dtype=bool), cells, positive) == pytest.approx([0, 0, 0, 0, 0.5, 1])


def test_many_records_decide_as_the_limit():
    cells = structural.population()
    positive = structural.above(cells, 0.25)[None]
    settings = [("none", inf), ("combined", 3.0), ("k-based", 16.0)]
    found = structural.simulate(settings, cells, positive, records=100_000, seeds=2)
    for values, (way, epsilon) in zip(found[:, 0], settings, strict=True):
        exact = structural.figures(
            structural.limit(cells, positive[0], structural.oracles(way, epsilon)), cells, positive[0]
        )
        assert values == pytest.approx(np.tile(exact, (2, 1)))


def test_the_structural_script_says_what_it_saw(monkeypatch, capsys):
    arguments = ["--records", "2000", "--seeds", "3", "--epsilon", "0.1", "16", "--quantile", "0.25"]
    monkeypatch.setattr(sys, "argv", ["structural_disparity.py", *arguments])
    structural.main()
    printed = capsys.readouterr().out
    assert "combined against none: less at eps 0.1" in printed
    assert "combined against uniform: no difference" in printed
    monkeypatch.setattr(sys, "argv", ["structural_disparity.py", "--quantile", "1"])
    with pytest.raises(SystemExit) as stopped:
        structural.main()
    assert stopped.value.code == 2
    assert "--quantile: got [1.0]" in capsys.readouterr().err


def test_allocations_spend_the_budget():
    for budget in fairness.BUDGETS:
        epsilons = fairness.Cell("GRR", budget, 3.0).epsilons(SIZES)
        assert sum(epsilons.values()) == pytest.approx(3, abs=1e-12)
        assert list(epsilons) == list(fairness.RANDOMISED)
    assert epsilons["age"] == pytest.approx(3 * epsilons["gender"])
    assert fairness.Cell("none", "none", inf).epsilons(SIZES) == {}


def test_metrics_of_eight_people_counted_by_hand():
    group = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    label = np.array([1, 1, 0, 0, 1, 1, 1, 0])
    decision = np.array([1, 0, 0, 0, 1, 1, 0, 1])
    found = fairness.metrics(label, decision, group)
    assert found == pytest.approx(
        {"acc": 5 / 8, "f1": 2 / 3, "auc": (3 / 5 + 2 / 3) / 2, "SPD": 1 / 2, "DI": 1 / 3, "EOD": 1 / 6, "OAD": -1 / 4}
    )


@pytest.fixture
def study(tmp_path):
    rng = stream(0, "test", "ldp-studies")
    frame = pd.DataFrame({name: rng.integers(0, size, 500) for name, size in SIZES.items()})
    frame["income"] = (frame["gender"] + rng.random(500) > 0.9).astype(int)
    frame.to_csv(tmp_path / "people.csv", index=False)
    cells = [("SUE", "uniform", 4.0), ("OLH", "k_based", 50.0), ("none", "none", inf)]
    lines = [
        {"protocol": p, "budget": b, "epsilon": e}
        | dict.fromkeys(fairness.METRICS, 0.5)
        | {f"{name}_sd": 0.1 for name in fairness.METRICS}
        for p, b, e in cells
    ]
    pd.DataFrame(lines).to_csv(tmp_path / "published.csv", index=False)
    return [str(tmp_path / "people.csv"), str(tmp_path / "published.csv"), "--out", str(tmp_path / "out")]


def test_the_fairness_script_compares_and_resumes(study, monkeypatch, capsys):
    arguments = [*study, "--seeds", "2", "--workers", "1", "--trees", "5"]
    monkeypatch.setattr(sys, "argv", ["ldp_fairness.py", *arguments])
    fairness.main()
    first = capsys.readouterr().out
    assert "6 fits, 0 of them there already" in first
    assert "All 2 private cells" in first
    out = Path(study[-1])
    table = pd.read_csv(out / "compared.csv", index_col=0)
    assert list(table.index) == ["SUE-uniform-4", "OLH-k_based-50", "none-none-inf"]
    own = [json.loads(path.read_text())["SPD"] for path in sorted(out.glob("*/SUE-uniform-4/*.json"))]
    assert len(own) == 2
    expected = ttest_ind_from_stats(np.mean(own), np.std(own, ddof=1), 2, 0.5, 0.1, 20).statistic
    assert table.loc["SUE-uniform-4", "SPD se"] == pytest.approx(expected, abs=1e-4)
    fairness.main()
    second = capsys.readouterr().out
    assert "6 fits, 6 of them there already" in second
    assert pd.read_csv(out / "compared.csv", index_col=0).equals(table)


def test_a_lossless_report_learns_what_clean_records_teach(study):
    codes, sizes, _ = fairness.read(Path(study[0]))
    clean = fairness.fit(fairness.Cell("none", "none", inf), 0, codes, sizes, trees=5)
    for protocol in ("GRR", "SUE", "SS"):
        assert fairness.fit(fairness.Cell(protocol, "uniform", 400.0), 0, codes, sizes, trees=5) == clean


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"gender": None}, "has no column 'gender'"),
        ({"race": 7}, "column 'race'"),
    ],
)
def test_other_records_are_refused(study, monkeypatch, capsys, change, said):
    frame = pd.read_csv(study[0])
    for name, value in change.items():
        frame = frame.drop(columns=name) if value is None else frame.assign(**{name: value})
    frame.to_csv(study[0], index=False)
    monkeypatch.setattr(sys, "argv", ["ldp_fairness.py", *study])
    with pytest.raises(SystemExit) as stopped:
        fairness.main()
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


def test_cells_that_do_not_exist_are_refused(study, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["ldp_fairness.py", *study, "--cells", "RAPPOR-*"])
    with pytest.raises(SystemExit):
        fairness.main()
    assert "nothing matches RAPPOR-*; cells are named such as SUE-uniform-4" in capsys.readouterr().err
