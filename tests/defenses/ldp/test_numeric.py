"""Mechanisms for continuous columns: expectation, variance, densities, likelihood and histogram, at any epsilon."""

from __future__ import annotations

import math
import pickle
from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate

from defenses.ldp.duchi import Duchi
from defenses.ldp.hybrid import Hybrid
from defenses.ldp.piecewise import Piecewise
from defenses.ldp.square_wave import SquareWave
from defenses.ldp.window import STEP
from privbench.errors import InputError
from privbench.oracles import FrequencyOracle, NumericOracle
from privbench.rng import stream

MECHANISMS = [Duchi, Piecewise, Hybrid, SquareWave]
WINDOWS = [Piecewise, SquareWave]
EPSILONS = [1e-3, 0.1, 0.5, 1, 5, 10, 50, 200]
LOW, HIGH = 17.0, 90.0
VALUES = np.array([17.0, 30.0, 53.5, 88.0, 90.0])


def rng(*key):
    return stream(0, "numeric", *map(str, key))


def all_reports(mechanism, at):
    """Return every report of Duchi's, else a fine grid of reports with those beside every breakpoint."""
    if isinstance(mechanism, Duchi):
        return np.array([0, 1], dtype=np.uint8)
    window = (mechanism.piecewise if isinstance(mechanism, Hybrid) else mechanism).window
    centres = (at - (LOW + HIGH) / 2) / ((HIGH - LOW) / 2)
    edges = np.concatenate([centres - window.half, centres + window.half, [-1 - window.half, 1 + window.half]])
    beside = (np.rint(edges[:, None] / STEP) + np.arange(-2, 3)).ravel() * STEP
    found = np.concatenate([np.linspace(-1 - window.half, 1 + window.half, 4001), beside]).astype(np.float32)
    found = found[np.abs(found) <= 1 + window.half]
    return np.append(found, np.float32([-3, 3])) if isinstance(mechanism, Hybrid) else found


@pytest.mark.parametrize("kind", MECHANISMS)
def test_it_is_a_numeric_oracle_that_pickles(kind):
    mechanism = kind(LOW, HIGH, 1.0)
    assert isinstance(mechanism, NumericOracle)
    assert not isinstance(mechanism, FrequencyOracle)
    assert pickle.loads(pickle.dumps(mechanism)) == mechanism


@pytest.mark.parametrize("epsilon", EPSILONS)
@pytest.mark.parametrize("kind", MECHANISMS)
def test_mean_and_variance_of_reports(kind, epsilon):
    mechanism, n = kind(LOW, HIGH, float(epsilon)), 10**6
    rounding = 0 if kind is Duchi else STEP / 2 * (HIGH - LOW)
    # a probability below 2^-53 is drawn as 2^-53, and a report is rounded
    least = 2.0**-53 * (HIGH - LOW) ** 2 + rounding**2
    rare = mechanism.flip if kind is Duchi else (mechanism.piecewise if kind is Hybrid else mechanism).window.miss
    for value in VALUES[[0, 1, 4]]:
        reports = mechanism.randomise(np.full(n, value), rng=rng(kind, epsilon, value))
        numbers = mechanism.debias(reports)
        variance = float(mechanism.variance(np.array([value]))[0])
        assert abs(numbers.mean() - value) <= 4 * math.sqrt(variance / n) + rounding
        assert mechanism.estimate(reports) == pytest.approx(numbers.mean(), rel=1e-9, abs=1e-6)
        squares = (numbers - value) ** 2
        error = 4 * squares.std() / math.sqrt(n)
        assert squares.mean() <= variance + error + least
        if n * rare > 100:
            assert squares.mean() >= variance - error


@pytest.mark.parametrize("epsilon", [1e-3, 0.1, 1, 5, 10])
@pytest.mark.parametrize("kind", WINDOWS)
def test_density_integrates_to_one_and_to_the_stated_moments(kind, epsilon):
    window = kind(-1.0, 1.0, float(epsilon)).window
    inside = math.exp(epsilon) / (2 * (window.half * math.exp(epsilon) + 1))
    for t in (-1.0, -0.3, 0.0, 1.0):
        ends = [-1 - window.half, t - window.half, t + window.half, 1 + window.half]
        moments = [
            sum(
                integrate.quad(lambda y, k=k: y**k, *piece)[0] * density
                for piece, density in zip(
                    pairwise(ends),
                    (inside / math.exp(epsilon), inside, inside / math.exp(epsilon)),
                    strict=True,
                )
            )
            for k in range(3)
        ]
        assert moments[0] == pytest.approx(1)
        assert moments[1] == pytest.approx(window.slope * t, abs=1e-12)
        expected = (moments[2] - moments[1] ** 2) / window.slope**2
        assert window.variance(np.array(t)) == pytest.approx(expected, rel=1e-6)
        assert inside * 2 * window.half == pytest.approx(1 - window.miss)


@pytest.mark.parametrize("epsilon", [0.1, 1, 4])
def test_variances_are_those_of_the_papers(epsilon):
    t, s, e = np.linspace(-1, 1, 5), math.exp(epsilon / 2), math.exp(epsilon)
    by_duchi = ((e + 1) / (e - 1)) ** 2 - t**2
    by_piecewise = t**2 / (s - 1) + (s + 3) / (3 * (s - 1) ** 2)
    assert Duchi(-1, 1, epsilon).variance(t) == pytest.approx(by_duchi)
    assert Piecewise(-1, 1, epsilon).variance(t) == pytest.approx(by_piecewise)
    hybrid = Hybrid(-1, 1, epsilon)
    assert hybrid.alpha == (0 if epsilon < 0.61 else pytest.approx(1 - 1 / s))
    assert hybrid.variance(t) == pytest.approx(hybrid.alpha * by_piecewise + (1 - hybrid.alpha) * by_duchi)
    b = (epsilon * e - e + 1) / (2 * e * (e - 1 - epsilon))
    assert SquareWave(-1, 1, epsilon).window.half == pytest.approx(2 * b)


@pytest.mark.parametrize("epsilon", [0.3, 0.6, 0.62, 1, 3])
def test_no_share_of_piecewise_reports_has_a_smaller_worst_variance_than_the_hybrids(epsilon):
    t = np.linspace(-1, 1, 201)
    one, other = Piecewise(-1, 1, epsilon).variance(t), Duchi(-1, 1, epsilon).variance(t)
    best = min((share * one + (1 - share) * other).max() for share in np.linspace(0, 1, 1001))
    assert Hybrid(-1, 1, epsilon).variance(t).max() <= best * (1 + 1e-3)


@pytest.mark.parametrize("epsilon", EPSILONS)
@pytest.mark.parametrize("kind", MECHANISMS)
def test_no_report_is_more_than_e_to_the_epsilon_times_likelier_for_one_number_than_for_another(kind, epsilon):
    mechanism = kind(LOW, HIGH, float(epsilon))
    at = np.union1d(np.linspace(LOW, HIGH, 301), VALUES)
    likelihood = mechanism.log_likelihood(all_reports(mechanism, VALUES), at)
    assert np.isfinite(likelihood).all()
    ratio = np.ptp(likelihood, axis=1).max()
    assert ratio <= epsilon * (1 + 1e-12)
    if kind is not SquareWave or epsilon <= 20:  # a window far narrower than a step never fills one
        assert ratio > min(epsilon, 10) * 0.99


@pytest.mark.parametrize("epsilon", [0.1, 1, 5])
@pytest.mark.parametrize("kind", MECHANISMS)
def test_reports_fall_where_the_likelihood_says(kind, epsilon):
    """The likelihood, summed over equal cells of reports, is the frequency of reports in them, but for one factor."""
    mechanism, n = kind(LOW, HIGH, float(epsilon)), 10**6
    for value in VALUES[[0, 1, 3]]:
        reports = mechanism.randomise(np.full(n, value), rng=rng("cells", kind, epsilon, value))
        if kind is Hybrid:
            bits = np.abs(reports) == 3
            assert abs(bits.mean() - (1 - mechanism.alpha)) <= 4 * 0.5 / math.sqrt(n)
            parts = [(reports[bits], np.float32([-3, 3]), 1)]
            if mechanism.alpha:
                parts.append((reports[~bits], None, mechanism.piecewise.window.half))
        elif kind is Duchi:
            parts = [(reports, np.array([0, 1], dtype=np.uint8), 1)]
        else:
            parts = [(reports, None, mechanism.window.half)]
        for mine, values, half in parts:
            if values is None:
                edges = np.linspace(-1 - half, 1 + half, 41)
                counts = np.histogram(mine, edges)[0]
                fine = np.linspace(-1 - half, 1 + half, 40 * 500 + 1)
                middles = ((fine[1:] + fine[:-1]) / 2).astype(np.float32)
                chance = np.exp(mechanism.log_likelihood(middles, np.array([value])))[:, 0].reshape(40, 500).sum(axis=1)
            else:
                counts = np.array([(mine == value_).sum() for value_ in values])
                chance = np.exp(mechanism.log_likelihood(values, np.array([value])))[:, 0]
            chance = chance / chance.sum()
            spread = np.sqrt(len(mine) * chance * (1 - chance))
            assert (np.abs(counts - len(mine) * chance) <= 4.5 * spread + 1e-3 * len(mine) * chance).all()


@pytest.mark.parametrize("epsilon", [*EPSILONS, 600, 2000])
@pytest.mark.parametrize("kind", WINDOWS)
def test_a_rounded_report_from_the_window_never_speaks_against_its_own_number(kind, epsilon):
    mechanism = kind(LOW, HIGH, float(epsilon))
    half = mechanism.window.half
    values = rng("own", kind, epsilon).uniform(LOW, HIGH, 400)
    centres = (values - (LOW + HIGH) / 2) / ((HIGH - LOW) / 2)
    for edge in (-half, half):
        reports = (np.rint((centres + edge) / STEP) * STEP).astype(np.float32)
        likelihood = mechanism.log_likelihood(reports, values)
        assert (np.diag(likelihood) > -min(epsilon, 700) * (1 - 1e-12)).all()  # that of all but the window


@pytest.mark.parametrize("epsilon", EPSILONS)
@pytest.mark.parametrize("kind", MECHANISMS)
def test_no_number_makes_a_report_likelier_than_the_likeliest(kind, epsilon):
    mechanism = kind(LOW, HIGH, float(epsilon))
    grid = np.linspace(LOW, HIGH, 2_001)
    sent = mechanism.randomise(rng("likeliest", kind).uniform(LOW, HIGH, 300), rng=rng("sent", kind, epsilon))
    for reports in (sent, all_reports(mechanism, VALUES)[-100:]):
        own = mechanism.likeliest(reports)
        assert own.shape == reports.shape
        assert ((own >= LOW) & (own <= HIGH)).all()
        best = np.concatenate(
            [np.diag(mechanism.log_likelihood(reports, own))[:, None], mechanism.log_likelihood(reports, grid)], axis=1
        )
        assert (best[:, 0] >= best.max(axis=1) - 1e-9).all()
        # where the report says anything at all of the number
        assert (best[:, 0] > best.min(axis=1)).all()


@pytest.mark.parametrize("epsilon", [0.1, 1, 5, 50])
@pytest.mark.parametrize("kind", WINDOWS)
def test_the_likeliest_number_is_the_centre_of_the_numbers_whose_window_holds_the_report(kind, epsilon):
    mechanism = kind(-3.0, 5.0, float(epsilon))
    reports = np.float32([-1 - mechanism.window.half, -1, -0.25, 0, 0.5, 1, 1 + mechanism.window.half])
    assert mechanism.likeliest(reports) == pytest.approx(np.array([-3, -3, 0, 1, 3, 5, 5]))


@pytest.mark.parametrize("epsilon", [1e-3, 1, 8, 50, 200])
@pytest.mark.parametrize("kind", MECHANISMS)
def test_reports_are_compact_and_within_their_range(kind, epsilon):
    mechanism = kind(LOW, HIGH, float(epsilon))
    reports = mechanism.randomise(rng("range").uniform(LOW, HIGH, 20_000), rng=rng(kind, epsilon))
    assert reports.dtype == (np.uint8 if kind is Duchi else np.float32)
    if kind is Duchi:
        assert set(np.unique(reports)) == {0, 1}
        return
    half = (mechanism.piecewise if kind is Hybrid else mechanism).window.half
    inside = reports[np.abs(reports) != 3] if kind is Hybrid else reports
    assert (np.abs(inside) <= 1 + half).all()
    # all multiples of one step, so that the low bits of a report tell nothing of the number
    assert (inside.astype(np.float64) / STEP == np.rint(inside.astype(np.float64) / STEP)).all()


@pytest.mark.parametrize("kind", MECHANISMS)
def test_one_possible_number(kind):
    mechanism = kind(5.0, 5.0, 1.0)
    reports = mechanism.randomise(np.full(100, 5.0), rng=rng("one", kind))
    assert (mechanism.debias(reports) == 5).all()
    assert mechanism.estimate(reports) == 5
    assert mechanism.variance(np.array([5.0])) == 0
    assert (np.ptp(mechanism.log_likelihood(reports, np.array([5.0, 5.0])), axis=1) == 0).all()
    assert (mechanism.likeliest(reports) == 5).all()
    assert len(np.unique(reports)) > 1  # the report itself tells of no number, and so stays random


@pytest.mark.parametrize("kind", MECHANISMS)
def test_bounds_of_any_size(kind):
    for low, high in ((-1e308, 1e308), (1e9, 1e9 + 1), (-1e-300, 1e-300)):
        mechanism = kind(low, high, 4.0)
        reports = mechanism.randomise(np.full(10**5, low / 2 + high / 2), rng=rng("size", kind, low))
        spread = math.sqrt(mechanism.window.variance(np.zeros(1))[0]) if kind in WINDOWS else 1.1
        error = (mechanism.estimate(reports) - (low / 2 + high / 2)) / (high / 2 - low / 2)
        assert abs(error) <= 4 * spread / math.sqrt(10**5)


@pytest.mark.parametrize("kind", MECHANISMS)
def test_nobody(kind):
    mechanism = kind(0.0, 10.0, 1.0)
    reports = mechanism.randomise(np.empty(0), rng=rng("nobody"))
    assert len(reports) == len(mechanism.debias(reports)) == 0
    assert mechanism.estimate(reports) == 5
    assert mechanism.log_likelihood(reports, np.array([1.0, 2.0])).shape == (0, 2)


@pytest.mark.parametrize("bad", [math.nan, 16.999, 90.1, math.inf])
@pytest.mark.parametrize("kind", MECHANISMS)
def test_numbers_out_of_bounds_are_refused(kind, bad):
    mechanism = kind(LOW, HIGH, 1.0)
    with pytest.raises(InputError, match=r"place [12] of \d.*allowed: numbers from 17 to 90"):
        mechanism.randomise(np.array([20.0, bad, 30.0]), rng=rng("bad"))


@pytest.mark.parametrize("kind", MECHANISMS)
@pytest.mark.parametrize(
    ("low", "high", "epsilon"),
    [(1, 0, 1), (0, math.inf, 1), (math.nan, 1, 1), (0, 1, 0), (0, 1, -1), (0, 1, math.nan), (0, 1, math.inf)],
)
def test_bad_parameters_are_refused(kind, low, high, epsilon):
    with pytest.raises(InputError, match=r"declare low and high|must be a positive number"):
        kind(low, high, epsilon)


@pytest.mark.parametrize("kind", MECHANISMS)
def test_same_stream_same_reports(kind):
    mechanism, values = kind(LOW, HIGH, 1.0), np.linspace(LOW, HIGH, 50)
    one, other = (mechanism.randomise(values, rng=rng("same", kind)) for _ in range(2))
    assert (one == other).all()


@pytest.mark.parametrize("epsilon", [0.2, 1, 6, 50])
def test_cells_of_reports_have_the_chances_of_simulated_ones(epsilon):
    window, n = SquareWave(0, 1, float(epsilon)).window, 400_000
    edges = np.linspace(-1 - window.half, 1 + window.half, 13)
    passed = window.cumulative(edges, cells=5)
    assert passed[0] == pytest.approx(0, abs=1e-12)
    assert passed[-1] == pytest.approx(1)
    for cell in range(5):
        numbers = rng("cell", epsilon, cell).uniform(-1 + 0.4 * cell, -0.6 + 0.4 * cell, n)
        counts = np.histogram(window.randomise(numbers, rng=rng("draw", epsilon, cell)), edges)[0]
        chance = np.diff(passed[:, cell])
        assert (np.abs(counts - n * chance) <= 4.5 * np.sqrt(n * chance) + 1e-3 * n * chance + 1).all()


@pytest.mark.parametrize("smooth", [True, False])
def test_histogram_nears_the_distribution_as_reports_become_many(smooth):
    mechanism, cells = SquareWave(0.0, 1.0, 2.0), 32
    errors = []
    for n in (3_000, 300_000):
        values = rng("beta", n).beta(2, 5, n)
        shares = mechanism.histogram(mechanism.randomise(values, rng=rng("report", n)), cells, smooth=smooth)
        assert shares.min() >= 0
        assert shares.sum() == pytest.approx(1)
        errors.append(np.abs(np.cumsum(shares - np.histogram(values, cells, (0, 1))[0] / n)).mean())
    assert errors[1] < errors[0] / (1.2 if smooth else 2)  # smoothing leaves a bias that does not shrink
    assert errors[1] < (0.01 if smooth else 0.003)


def test_histogram_with_hardly_any_noise_is_the_empirical_one():
    mechanism = SquareWave(0.0, 1.0, 200.0)
    values = rng("clear").beta(2, 5, 200_000)
    shares = mechanism.histogram(mechanism.randomise(values, rng=rng("clear", 1)), 20, smooth=False)
    assert np.abs(shares - np.histogram(values, 20, (0, 1))[0] / len(values)).max() < 0.002


def test_histogram_of_odd_requests():
    mechanism = SquareWave(0.0, 1.0, 1.0)
    assert (mechanism.histogram(np.empty(0, np.float32), 4) == 0.25).all()
    assert mechanism.histogram(np.float32([0.5]), 1) == pytest.approx([1.0])
    with pytest.raises(InputError, match="at least one cell"):
        mechanism.histogram(np.float32([0.5]), 0)


def test_smoothing_suits_smooth_columns_and_little_budget():
    """The paper's finding: at epsilon 1 EM fits noise, EMS does not."""
    mechanism, n, cells = SquareWave(0.0, 1.0, 1.0), 50_000, 128
    values = rng("smooth").beta(5, 2, n)
    reports, true = mechanism.randomise(values, rng=rng("smooth", 1)), np.histogram(values, cells, (0, 1))[0] / n
    error = {s: np.abs(mechanism.histogram(reports, cells, smooth=s) - true).sum() for s in (True, False)}
    assert error[True] < error[False] / 2
