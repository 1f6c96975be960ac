"""The best of many attacks: unbiased, covered, exact, and what is known of it without running."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from privbench.errors import InputError
from privbench.rng import stream
from privbench.scorers.crossfit import cross_fit, halves, interval, picked, step_down

PEOPLE = 200  # members, and as many controls
MEMBER = np.arange(2 * PEOPLE) < PEOPLE


def noise(rng, attacks, *, agree=0.0, lift=0.0):
    """Draw hits of attacks that are right of half of the people, and of more members by a lift."""
    together, alone = rng.standard_normal(2 * PEOPLE), rng.standard_normal((attacks, 2 * PEOPLE))
    place = stats.norm.cdf(np.sqrt(agree) * together + np.sqrt(1 - agree) * alone)
    return (place < 0.5 + lift * MEMBER).astype(float)


def test_the_highest_of_noise_is_biased_and_the_cross_fitted_one_is_not():
    naive, fitted = [], []
    for repeat in range(400):
        rng = stream(repeat, "noise")
        hits = noise(rng, 20)
        naive.append((hits[:, MEMBER].mean(axis=1) - hits[:, ~MEMBER].mean(axis=1)).max())
        second = halves(MEMBER, rng=rng)
        fitted.append(cross_fit([hits], member=MEMBER, second=second, rng=rng, draws=1)[0].advantage)
    # the mean of the largest of twenty standard normal values is 1.867
    assert np.mean(naive) == pytest.approx(1.867 * np.sqrt(0.5 / PEOPLE), rel=0.05)
    assert abs(np.mean(fitted)) < 4 * np.std(fitted) / np.sqrt(400)


@pytest.mark.parametrize("lift", [0.0, 0.1])
def test_intervals_cover_only_once_they_are_wider_by_the_spread(lift):
    repeats, wide, narrow = 1500, 0, 0
    for repeat in range(repeats):
        rng = stream(repeat, "coverage", str(lift))
        hits = noise(rng, 2, lift=lift)
        second = halves(MEMBER, rng=rng)
        fit = cross_fit([hits], member=MEMBER, second=second, rng=rng, draws=199)[0]
        own = picked(hits, fit, second=second)
        for one in (True, False):
            used = fit if one else replace(fit, spread=1.0)
            low, high = interval(used, metric="accuracy", own=own[MEMBER], other=own[~MEMBER])
            covered = low <= lift <= high
            wide, narrow = wide + (covered and one), narrow + (covered and not one)
    least, slack = 0.95, 3 * np.sqrt(0.95 * 0.05 / repeats)
    assert wide / repeats > least - slack
    assert narrow / repeats < least - slack


def test_the_spread_is_what_theory_says():
    # two attacks that have nothing in common: their errors' variance is larger by 1 / pi
    rng = stream(0, "spread")
    member = np.arange(4000) < 2000
    hits = (rng.random((2, 4000)) < 0.5).astype(float)
    fit = cross_fit([hits], member=member, second=halves(member, rng=rng), rng=rng, draws=4000)[0]
    assert fit.spread**2 == pytest.approx(1 + 1 / np.pi, rel=0.08)
    same = cross_fit([hits[[0, 0]]], member=member, second=halves(member, rng=rng), rng=rng, draws=4000)[0]
    assert same.spread**2 == pytest.approx(1, abs=0.08)


def test_of_one_attack_it_is_the_plain_difference_with_newcombes_interval():
    rng = stream(1, "one")
    hits = np.concatenate([np.repeat([1.0, 0.0], [56, 14]), np.repeat([1.0, 0.0], [48, 32])])
    member = np.arange(150) < 70
    second = halves(member, rng=rng)
    fit = cross_fit([hits[None]], member=member, second=second, rng=rng)[0]
    assert fit.chosen == (0, 0)
    assert fit.spread == 1
    assert fit.advantage == pytest.approx(0.2)
    low, high = interval(fit, metric="accuracy", own=hits[member], other=hits[~member])
    # Newcombe 1998, method 10 of independent proportions: 56/70 against 48/80
    assert (low, high) == (pytest.approx(0.0524, abs=1e-4), pytest.approx(0.3339, abs=1e-4))


def test_p_values_are_those_of_enumeration():
    member = np.arange(40) < 20
    second = np.arange(40) % 2 == 1
    hits = np.zeros(40)
    hits[[0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11, 13]] = 1  # of members 6 in the first half, 7 in the second
    hits[[20, 22, 21, 23, 25]] = 1  # of controls 2 and 3
    fit = cross_fit([hits[None]], member=member, second=second, rng=stream(0, "exact"), draws=40_000)[0]
    each = [stats.hypergeom(20, own, 10).pmf(np.arange(11)) for own in (8, 10)]
    exact = np.convolve(*each)[13:].sum()
    assert step_down([fit])[0] == pytest.approx(exact, abs=4 * np.sqrt(exact / 40_000))


def test_no_secret_has_a_small_p_value_more_often_than_stated():
    rejected, repeats = 0, 600
    for repeat in range(repeats):
        rng = stream(repeat, "family")
        secrets = [noise(rng, 3, agree=0.5) for _ in range(4)]
        secrets[1] = np.where(rng.random(secrets[0].shape) < 0.7, secrets[0], secrets[1])  # two go together
        fits = cross_fit(secrets, member=MEMBER, second=halves(MEMBER, rng=rng), rng=rng, draws=199)
        rejected += min(step_down(fits)) <= 0.05
    low, high = 0.05 - 3 * np.sqrt(0.05 * 0.95 / repeats), 0.05 + 3 * np.sqrt(0.05 * 0.95 / repeats)
    assert low < rejected / repeats < high


def test_correction_is_weaker_than_bonferronis_where_secrets_are_one():
    rng = stream(3, "one secret")
    hits = noise(rng, 3, agree=0.5, lift=0.13)
    second = halves(MEMBER, rng=rng)
    alone, *_ = step_down(cross_fit([hits], member=MEMBER, second=second, rng=stream(0, "p")))
    several = step_down(cross_fit([hits] * 5, member=MEMBER, second=second, rng=stream(0, "p")))
    assert several == [alone] * 5
    assert 0.0005 < alone < 0.2


def test_a_clearly_best_attack_is_chosen_on_both_halves():
    rng = stream(4, "best")
    hits = noise(rng, 5)
    hits[3] = rng.random(2 * PEOPLE) < 0.5 + 0.4 * MEMBER
    second = halves(MEMBER, rng=rng)
    fits = cross_fit([hits, noise(rng, 5)], member=MEMBER, second=second, rng=rng)
    assert fits[0].chosen == (3, 3)
    assert (picked(hits, fits[0], second=second) == hits[3]).all()
    first, other = step_down(fits)
    assert first == pytest.approx(1 / 2000)
    assert other > 0.05


def test_each_half_is_scored_by_what_the_other_one_chose():
    member, second = np.array([1, 1, 0, 0, 1, 1, 0, 0], bool), np.arange(8) > 3
    hits = np.array([[1.0, 1, 0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 1, 1, 0, 0]])
    fit = cross_fit([hits], member=member, second=second, rng=stream(0, "swap"), draws=9)[0]
    assert fit.chosen == (1, 0)
    assert picked(hits, fit, second=second).tolist() == [0, 0, 0, 0, 0, 0, 1, 1]
    assert fit.advantage == pytest.approx(-0.5)


def test_halves_have_half_of_the_members_and_of_the_controls():
    member = np.arange(101) < 40
    second = halves(member, rng=stream(0, "halves"))
    assert second[member].sum() == 20
    assert second[~member].sum() in (30, 31)
    assert (second != halves(member, rng=stream(1, "halves"))).any()


def test_what_cannot_be_scored_is_refused():
    rng = stream(0, "refused")
    hits = np.ones((2, 6))
    everyone, some = np.ones(6, bool), np.arange(6) < 3
    for member, second in (
        (everyone, np.arange(6) % 2 == 0),  # no controls
        (some, some),  # a half of members alone
        (some, some[:4]),
    ):
        with pytest.raises(InputError):
            cross_fit([hits], member=member, second=second, rng=rng)
    with pytest.raises(InputError):
        cross_fit([hits[:, :5]], member=some, second=np.arange(6) % 2 == 0, rng=rng)
    assert cross_fit([], member=some, second=some, rng=rng) == []
    assert step_down([]) == []
