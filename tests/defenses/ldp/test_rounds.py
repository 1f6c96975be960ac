"""Rounds: every probability, budget and success against an enumeration of all sequences of reports."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from defenses.ldp.grr import Grr
from defenses.ldp.local_hashing import Blh, Olh
from defenses.ldp.memoised import Memoised
from defenses.ldp.memoised_budgets import memoised
from defenses.ldp.rounds import Fresh
from defenses.ldp.subset_selection import SubsetSelection
from defenses.ldp.unary import Oue, Sue, The
from privbench.errors import InputError
from privbench.oracles import FrequencyOracle
from privbench.rng import stream
from tests.defenses.ldp.channels import PROTOCOLS, as_reports, channel

CHAINS = [(Grr, Grr), *itertools.product((Sue, Oue), repeat=2)]


def sequences(oracle, rounds):
    """Return P[sequence | value] of R reports that are independent given the row of `oracle`'s channel, and places."""
    law, sets = channel(oracle)
    places = np.array(list(itertools.product(range(len(sets)), repeat=rounds)))
    return law[:, places].prod(axis=2), places, sets


def chain_law(oracle):
    """Return P[sequence | value] of memoised reports: the sum over the permanent answers."""
    permanent, answers = channel(oracle.permanent)
    if isinstance(oracle.permanent, Grr):
        given, places, sets = sequences(oracle.instantaneous, oracle.rounds)
        return permanent @ given, places, sets
    # every permanent set of bits is randomised bit by bit
    again = oracle.instantaneous
    once = []
    for remembered in answers:
        one = np.where(remembered, again.p, again.q)
        once.append(np.where(answers, one, 1 - one).prod(axis=1))
    places = np.array(list(itertools.product(range(len(answers)), repeat=oracle.rounds)))
    return permanent @ np.array(once)[:, places].prod(axis=2), places, answers


def stacked(oracle, places, sets):
    return as_reports(oracle, sets)[places]


def priors(size):
    rising = np.arange(1, size + 1) ** 1.5
    return np.full(size, 1 / size), rising / rising.sum(), np.append(0.0, np.full(size - 1, 1 / (size - 1)))


def bayes(law, prior):
    return (prior[:, None] * law).max(axis=0).sum()


@pytest.mark.parametrize("epsilon", [0.5, 2.0])
@pytest.mark.parametrize(("size", "rounds"), [(2, 1), (2, 4), (3, 2), (3, 3)])
@pytest.mark.parametrize("protocol", [Grr, Sue, Oue, The, SubsetSelection])
def test_fresh_rounds_are_those_of_all_sequences(protocol, size, rounds, epsilon):
    once = protocol(size=size, epsilon=epsilon)
    oracle = Fresh(once, rounds)
    assert isinstance(oracle, FrequencyOracle)
    law, places, sets = sequences(once, rounds)
    reports = stacked(once, places, sets)
    likelihood, exact = oracle.log_likelihood(reports), np.log(law).T
    assert likelihood - likelihood[:, :1] == pytest.approx(exact - exact[:, :1], abs=1e-10)
    share = sets[places].mean(axis=1)
    assert oracle.support(reports) == pytest.approx(share)
    assert oracle.counts(reports) == pytest.approx(share.sum(axis=0))
    assert law @ share == pytest.approx(np.where(np.eye(size, dtype=bool), oracle.p, oracle.q), rel=1e-9)
    check_variance(oracle, law, share)
    if protocol is not The:
        assert max_ratio(law) == pytest.approx(oracle.epsilon, rel=1e-9)
    for prior in priors(size):
        found = oracle.success(prior)
        if protocol is SubsetSelection and rounds > 1:
            assert found is None
        else:
            assert found == pytest.approx(bayes(law, prior), rel=1e-10)


@pytest.mark.parametrize("rounds", [1, 2])
@pytest.mark.parametrize(("protocol", "size"), [(Blh, 3), (Olh, 2), (Olh, 3)])
def test_fresh_rounds_of_hashing_are_those_of_all_hashes(protocol, size, rounds):
    once = protocol(size=size, epsilon=1.0)
    law, places, sets = sequences(once, rounds)
    oracle = Fresh(once, rounds)
    for prior in priors(size):
        assert oracle.success(prior) == pytest.approx(bayes(law, prior), rel=1e-10)
    check_variance(oracle, law, sets[places].mean(axis=1))


@pytest.mark.parametrize(("first", "every"), [(0.5, 1.0), (2.0, 1.0), (1.0, 3.0)])
@pytest.mark.parametrize(("size", "rounds"), [(2, 1), (2, 3), (3, 2), (3, 3)])
@pytest.mark.parametrize(("permanent", "again"), CHAINS)
def test_memoised_rounds_are_those_of_all_sequences(permanent, again, size, rounds, first, every):
    oracle = Memoised(permanent(size=size, epsilon=first), again(size=size, epsilon=every), rounds)
    assert isinstance(oracle, FrequencyOracle)
    law, places, sets = chain_law(oracle)
    assert law.sum(axis=1) == pytest.approx(np.ones(size))
    reports = stacked(oracle.permanent, places, sets)
    likelihood, exact = oracle.log_likelihood(reports), np.log(law).T
    assert likelihood - likelihood[:, :1] == pytest.approx(exact - exact[:, :1], abs=1e-10)
    share = sets[places].mean(axis=1)
    assert oracle.support(reports) == pytest.approx(share)
    assert oracle.counts(reports) == pytest.approx(share.sum(axis=0))
    assert law @ share == pytest.approx(np.where(np.eye(size, dtype=bool), oracle.p, oracle.q), rel=1e-9)
    check_variance(oracle, law, share)
    assert max_ratio(law) == pytest.approx(oracle.epsilon_of(rounds), rel=1e-9)
    assert oracle.epsilon_first <= oracle.epsilon_of(rounds) * (1 + 1e-12) < oracle.epsilon == first
    for prior in priors(size):
        assert oracle.success(prior) == pytest.approx(bayes(law, prior), rel=1e-10)


def max_ratio(law):
    return max(np.log(law[a] / law[b]).max() for a, b in itertools.permutations(range(len(law)), 2))


def check_variance(oracle, law, share):
    """The estimate is linear in the shares of rounds: its variance is the sum of every person's."""
    mean = law @ share
    person = law @ share**2 - mean**2
    shares = priors(oracle.size)[1]
    exact = shares @ person / (oracle.p - oracle.q) ** 2 / 7
    assert oracle.variance(shares, reports=7) == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("kind", [*(("fresh", protocol) for protocol in PROTOCOLS), *CHAINS])
def test_drawn_reports_estimate_without_bias_at_their_stated_variance(kind):
    repeats, n, size, rounds = 300, 200, 4, 3
    if kind[0] == "fresh":
        oracle = Fresh(kind[1](size=size, epsilon=1.0), rounds)
    else:
        oracle = Memoised(kind[0](size=size, epsilon=3.0), kind[1](size=size, epsilon=2.0), rounds)
    codes = np.repeat(np.arange(size), [20, 40, 60, 80])
    shares = np.bincount(codes) / n
    reports = oracle.randomise(np.tile(codes, repeats), rng=stream(0, "rounds", *map(str, kind)))
    assert reports.shape[:2] == (n * repeats, rounds)
    found = np.array([oracle.estimate(part) for part in np.split(reports, repeats)])
    variance = oracle.variance(shares, reports=n)
    assert (np.abs(found.mean(axis=0) - shares) <= 4 * np.sqrt(variance / repeats)).all()
    assert (np.abs(found.var(axis=0, ddof=1) / variance - 1) <= 4 * np.sqrt(2 / repeats)).all()


@pytest.mark.parametrize(("permanent", "again"), CHAINS)
def test_drawn_sequences_have_the_stated_law(permanent, again):
    """The rounds hang together through the permanent answer: two rounds of one person are not independent."""
    n = 200_000
    oracle = Memoised(permanent(size=2, epsilon=1.0), again(size=2, epsilon=1.5), 2)
    law, places, sets = chain_law(oracle)
    drawn = oracle.randomise(np.ones(n, dtype=int), rng=stream(1, "law", permanent.__name__, again.__name__))
    number = np.stack([oracle.permanent.support(drawn[:, place]) @ [1, 2] for place in range(2)], axis=1) @ [4, 1]
    exact = np.bincount(sets[places] @ [1, 2] @ [4, 1], weights=law[1], minlength=16)
    assert (np.abs(np.bincount(number, minlength=16) / n - exact) <= 4 * np.sqrt(exact * (1 - exact) / n) + 1e-12).all()


def hits(oracle, prior, people, rng):
    """Return how often the likeliest value is right, ties as their share, and the standard error."""
    codes = rng.choice(oracle.size, size=people, p=prior)
    with np.errstate(divide="ignore"):
        score = np.log(prior) + oracle.log_likelihood(oracle.randomise(codes, rng=rng))
    best = score >= score.max(axis=1, keepdims=True) - 1e-9
    right = best[np.arange(people), codes] / best.sum(axis=1)
    return right.mean(), right.std() / math.sqrt(people)


@pytest.mark.parametrize("rounds", [1, 5, 40])
@pytest.mark.parametrize("protocol", [Grr, Sue, Oue, The, Blh, Olh])
def test_success_over_fresh_rounds_equals_its_closed_form(protocol, rounds):
    oracle = Fresh(protocol(size=6, epsilon=0.7), rounds)
    for prior in (np.full(6, 1 / 6), priors(6)[1]):
        closed = oracle.success(prior)
        if closed is None:
            assert protocol is Grr
            assert rounds == 40
            continue
        found, error = hits(oracle, prior, 20_000, stream(2, "fresh", protocol.__name__, str(rounds)))
        assert abs(found - closed) <= 4 * error


@pytest.mark.parametrize("rounds", [1, 5, 40])
@pytest.mark.parametrize(("permanent", "again"), CHAINS)
def test_success_over_memoised_rounds_equals_its_closed_form(permanent, again, rounds):
    oracle = memoised(permanent, again, size=6, epsilon=2.0, epsilon_first=0.7, rounds=rounds)
    for prior in (np.full(6, 1 / 6), priors(6)[1]):
        closed = oracle.success(prior)
        if closed is None:
            assert permanent is Grr
            assert rounds == 40
            continue
        found, error = hits(oracle, prior, 20_000, stream(3, "memoised", permanent.__name__, again.__name__))
        assert abs(found - closed) <= 4 * error


@pytest.mark.parametrize("protocol", [Grr, Sue, Oue])
def test_averaging_finds_the_value_behind_fresh_noise_and_no_more_than_the_permanent_answer_behind_a_memoised_one(
    protocol,
):
    size, first, people, even = 5, 1.0, 4000, np.full(5, 0.2)
    rounds = (1, 10, 100, 400)
    fresh = [Fresh(protocol(size=size, epsilon=first), number) for number in rounds]
    again = Sue if protocol is Oue else protocol
    kept = [memoised(protocol, again, size=size, epsilon=2.0, epsilon_first=first, rounds=number) for number in rounds]
    ceiling = protocol(size=size, epsilon=2.0).success(even)
    for oracles in (fresh, kept):
        closed = [oracle.success(even) for oracle in oracles]
        assert (np.diff(closed) > -1e-12).all()
        assert closed[0] < closed[1]
        for number, oracle, success in zip(rounds, oracles, closed, strict=True):
            found, error = hits(oracle, even, people, stream(4, "averaging", protocol.__name__, str(number)))
            assert abs(found - success) <= 4 * error + 1 / people
    assert fresh[-1].success(even) > 0.999
    assert ceiling - 1e-3 <= kept[-1].success(even) <= ceiling * (1 + 1e-12)
    assert fresh[-1].epsilon == pytest.approx(400 * first)
    assert kept[-1].epsilon == 2.0
    assert kept[-1].epsilon_of(400) == pytest.approx(2.0, abs=1e-6)


@pytest.mark.parametrize(("permanent", "again"), CHAINS)
def test_steps_for_given_budgets_keep_them(permanent, again):
    for size, epsilon, share in itertools.product((2, 3, 100), (1e-3, 0.5, 2.0, 10.0, 50.0, 200.0), (0.1, 0.4)):
        oracle = memoised(permanent, again, size=size, epsilon=epsilon, epsilon_first=share * epsilon, rounds=3)
        assert oracle.epsilon == epsilon
        assert oracle.epsilon_first == pytest.approx(share * epsilon, rel=1e-9)
        assert 0 <= oracle.q <= oracle.p <= 1


def test_unary_steps_are_those_published():
    """The closed forms of L-OSUE and L-SUE, with e the first budget and E that of all rounds, exponentiated."""
    all_rounds, first = 2.0, 0.8
    big, small = math.exp(all_rounds), math.exp(first)
    osue = memoised(Oue, Sue, size=5, epsilon=all_rounds, epsilon_first=first, rounds=1).instantaneous
    assert osue.p == pytest.approx((1 - small * big) / (small - big - small * big + 1), rel=1e-10)
    # symmetric over symmetric is symmetric: its own p by the definition of the first budget
    sue = memoised(Sue, size=5, epsilon=all_rounds, epsilon_first=first, rounds=1)
    assert sue.p == pytest.approx(math.exp(first / 2) / (1 + math.exp(first / 2)), rel=1e-10)
    assert sue.q == pytest.approx(1 - sue.p, rel=1e-10)


@pytest.mark.parametrize("k", [2, 5, 100])
def test_the_published_step_of_grr_spends_less_than_it_may_above_two_values(k):
    """It solves (p1 p2 + q1 q2) / (p1 q2 + q1 p2) = e, as if no permanent answer were a third value."""
    all_rounds, first = 2.0, 0.8
    small, permanent = math.exp(first), Grr(size=k, epsilon=all_rounds)
    p, q = permanent.p, permanent.q
    published = (small * p - q) / (p * (k - 1) - q + small * p - small * q * (k - 1))
    assert (p * published * (k - 1) + q * (1 - published)) / (
        p * (1 - published) + q * published * (k - 1)
    ) == pytest.approx(small)
    step = Grr(size=k, epsilon=math.log(published * (k - 1) / (1 - published)))
    theirs = Memoised(permanent, step, 1)
    ours = memoised(Grr, size=k, epsilon=all_rounds, epsilon_first=first, rounds=1)
    assert ours.epsilon_first == pytest.approx(first, rel=1e-12)
    if k == 2:
        assert step.epsilon == pytest.approx(ours.instantaneous.epsilon, rel=1e-10)
    else:
        assert theirs.epsilon_first < 0.9 * first
        assert (theirs.variance(np.full(k, 1 / k), reports=1) > 1.4 * ours.variance(np.full(k, 1 / k), reports=1)).all()


def test_budgets_that_no_step_keeps_are_refused():
    for first in (2.0, 3.0, 0.0, -1.0, math.nan):
        with pytest.raises(InputError, match="below that of all rounds"):
            memoised(Grr, size=3, epsilon=2.0, epsilon_first=first, rounds=2)
    # a step that loses half of the bits cannot pass on nearly all of the permanent budget
    with pytest.raises(InputError, match="Oue in every round leaves the first report at most"):
        memoised(Oue, Oue, size=3, epsilon=2.0, epsilon_first=1.99, rounds=2)
    assert memoised(Oue, Sue, size=3, epsilon=2.0, epsilon_first=1.99, rounds=2).epsilon_first == pytest.approx(1.99)


def test_steps_that_do_not_fit_are_refused():
    for permanent, again in ((Grr, Sue), (Sue, Grr), (Sue, The), (Olh, Olh), (SubsetSelection, SubsetSelection)):
        with pytest.raises(InputError, match="allowed: Grr twice"):
            Memoised(permanent(size=3, epsilon=1.0), again(size=3, epsilon=1.0), 2)
    with pytest.raises(InputError, match="over 3 and 4 values"):
        Memoised(Grr(size=3, epsilon=1.0), Grr(size=4, epsilon=1.0), 2)
    for make in (lambda: Fresh(Grr(size=3, epsilon=1.0), 0), lambda: memoised(Sue, size=3, epsilon=2.0,
                 epsilon_first=1.0, rounds=0)):  # fmt: skip
        with pytest.raises(InputError, match="1 or more"):
            make()


@pytest.mark.parametrize("epsilon", [1e-3, 50.0, 200.0])
@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("kind", [*(("fresh", protocol) for protocol in PROTOCOLS), *CHAINS])
def test_extreme_budgets_and_domains_have_finite_figures(kind, size, epsilon):
    if kind[0] == "fresh":
        oracle = Fresh(kind[1](size=size, epsilon=epsilon), 3)
    else:
        oracle = memoised(*kind, size=size, epsilon=epsilon, epsilon_first=epsilon / 2, rounds=3)
    codes = np.arange(64) % size
    reports = oracle.randomise(codes, rng=stream(5, "extreme"))
    shares = np.bincount(codes, minlength=size) / 64
    assert np.isfinite(oracle.log_likelihood(reports)).all()
    assert np.isfinite(oracle.estimate(reports)).all()
    variance = oracle.variance(shares, reports=64)
    assert (np.isfinite(variance) & (variance >= 0)).all()
    found = oracle.success(np.full(size, 1 / size))
    assert found is None or 1 / size - 1e-12 <= found <= 1
    if size == 1:
        assert oracle.estimate(reports) == pytest.approx([1.0])
        assert not np.ptp(oracle.log_likelihood(reports))
    if epsilon == 200.0 and kind[0] in ("fresh", Grr, Sue) and kind[-1] in (Grr, Sue):
        assert oracle.support(reports)[np.arange(64), codes].all()


def test_no_reports_have_no_evidence():
    for oracle in (Fresh(Sue(size=3, epsilon=1.0), 2), memoised(Grr, size=3, epsilon=2.0, epsilon_first=1.0, rounds=2)):
        empty = oracle.randomise(np.zeros(0, dtype=int), rng=stream(6, "empty"))
        assert oracle.estimate(empty) == pytest.approx(np.full(3, 1 / 3))
        assert np.isinf(oracle.variance(np.full(3, 1 / 3), reports=0)).all()
        with pytest.raises(InputError, match="number of reports"):
            oracle.variance(np.full(3, 1 / 3), reports=-1)
        with pytest.raises(InputError, match="codes must be"):
            oracle.randomise(np.array([0, 3]), rng=stream(6, "codes"))
