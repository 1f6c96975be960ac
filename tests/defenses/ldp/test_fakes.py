"""Fakes: every probability, estimate, success and guarantee against an enumeration of all outputs."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from defenses.ldp.fake_claims import amplified, claims
from defenses.ldp.fakes import Faked
from defenses.ldp.grr import Grr
from defenses.ldp.local_hashing import Blh, Olh
from defenses.ldp.one_genuine import randomise_one_genuine
from defenses.ldp.rounds import Fresh
from defenses.ldp.subset_selection import SubsetSelection
from defenses.ldp.unary import Oue, Sue, The
from privbench.errors import InputError
from privbench.oracles import FakedOracle
from privbench.rng import stream
from tests.defenses.ldp.channels import PROTOCOLS, as_reports, bits, channel

KINDS = [
    (protocol, fake)
    for protocol in PROTOCOLS
    for fake in ("uniform", "zero", "random", "prior")
    if not (fake == "uniform" and protocol is not Grr) and not (fake == "zero" and protocol not in (Sue, Oue, The))
]
HASHING = (Blh, Olh)


def prior_of(size):
    weights = np.arange(1, size + 1) ** 1.5
    return tuple(weights / weights.sum())


def faked(protocol, fake, *, size, epsilon, share=0.4):
    return Faked(protocol(size=size, epsilon=epsilon), share, fake, prior_of(size) if fake == "prior" else None)


def laws(oracle):
    """Return P[output | value, genuine], P[output | fake] and the sets supported."""
    genuine, sets = channel(oracle.genuine)
    if oracle.fake == "zero" and oracle.size > 1:
        return genuine, bits(oracle.genuine, None, sets), sets
    weights = np.array(oracle.prior) if oracle.prior else np.full(oracle.size, 1 / oracle.size)
    unrandomised = isinstance(oracle.genuine, Grr)
    return genuine, weights if unrandomised else weights @ genuine, sets


def mixture(oracle):
    genuine, fake, sets = laws(oracle)
    return oracle.share * genuine + (1 - oracle.share) * fake, sets


@pytest.mark.parametrize("epsilon", [0.5, 2.0])
@pytest.mark.parametrize("size", [2, 3, 4])
@pytest.mark.parametrize(("protocol", "fake"), KINDS)
def test_probabilities_are_those_of_all_outputs(protocol, fake, size, epsilon):
    if protocol is Olh and size == 4 and epsilon > 1:
        size = 3
    oracle = faked(protocol, fake, size=size, epsilon=epsilon)
    assert isinstance(oracle, FakedOracle)
    law, sets = mixture(oracle)
    assert law.sum(axis=1) == pytest.approx(np.ones(size))
    supported = law @ sets
    p, q = np.broadcast_to(oracle.p, size), np.broadcast_to(oracle.q, size)
    for value, other in itertools.product(range(size), repeat=2):
        assert supported[value, other] == pytest.approx((p if value == other else q)[other], rel=1e-12)
    # the estimate is linear in the supports: its variance is the sum of every person's
    shares = np.array(prior_of(size))
    gap = oracle.share * (oracle.genuine.p - oracle.genuine.q)
    exact = shares @ (supported * (1 - supported)) / gap**2 / 7
    assert oracle.variance(shares, reports=7) == pytest.approx(exact, rel=1e-12)
    # a marginal report is a channel: its budget, and how often the best guess from it is right
    ratios = [np.log(law[a] / law[b]).max() for a, b in itertools.permutations(range(size), 2)]
    assert oracle.epsilon == pytest.approx(max(ratios), rel=1e-10)
    for prior in (np.full(size, 1 / size), shares, shares[::-1], np.eye(size)[0]):
        assert oracle.success(prior) == pytest.approx((prior[:, None] * law).max(axis=0).sum(), rel=1e-12)


@pytest.mark.parametrize("epsilon", [0.5, 2.0])
@pytest.mark.parametrize(("protocol", "fake"), [kind for kind in KINDS if kind[0] not in HASHING])
def test_likelihoods_are_those_of_all_outputs(protocol, fake, epsilon):
    oracle = faked(protocol, fake, size=4, epsilon=epsilon)
    genuine, fake_law, sets = laws(oracle)
    reports = as_reports(oracle.genuine, sets)
    assert oracle.log_odds(reports) == pytest.approx(np.log(genuine / fake_law).T, abs=1e-12)
    exact = np.log(oracle.share * genuine + (1 - oracle.share) * fake_law).T
    found = oracle.log_likelihood(reports)
    assert found - found[:, :1] == pytest.approx(exact - exact[:, :1], abs=1e-12)


@pytest.mark.parametrize("fake", ["random", "prior"])
@pytest.mark.parametrize("protocol", HASHING)
def test_odds_of_a_hash_are_those_of_its_own_cells(protocol, fake):
    """Given the seed a report is a cell, and a fake's cell is that of a value drawn from the weights."""
    oracle = faked(protocol, fake, size=5, epsilon=1.0)
    reports = oracle.randomise(np.arange(50) % 5, rng=stream(0, "odds"))
    genuine = oracle.genuine
    cell = np.where(oracle.support(reports), genuine.p, (1 - genuine.p) / (genuine.cells - 1))
    fake_law = cell @ oracle.weights
    assert oracle.log_odds(reports) == pytest.approx(np.log(cell / fake_law[:, None]), abs=1e-12)


@pytest.mark.parametrize(("protocol", "fake"), KINDS)
def test_drawn_reports_have_the_stated_law(protocol, fake):
    n, size, value = 200_000, 3, 1
    oracle = faked(protocol, fake, size=size, epsilon=1.0)
    reports = oracle.randomise(np.full(n, value), rng=stream(1, "law", protocol.__name__, fake))
    law, sets = mixture(oracle)
    number = 1 << np.arange(size)
    exact = np.bincount(sets @ number, weights=law[value], minlength=2**size)
    drawn = np.bincount(oracle.support(reports) @ number, minlength=2**size) / n
    assert (np.abs(drawn - exact) <= 4 * np.sqrt(exact * (1 - exact) / n) + 1e-12).all()


@pytest.mark.parametrize(("protocol", "fake"), KINDS)
def test_estimates_are_unbiased_with_their_stated_variance(protocol, fake):
    repeats, n, size = 400, 300, 4
    oracle = faked(protocol, fake, size=size, epsilon=2.0)
    codes = np.repeat(np.arange(size), [30, 60, 90, 120])
    shares = np.bincount(codes) / n
    reports = oracle.randomise(np.tile(codes, repeats), rng=stream(2, "estimate", protocol.__name__, fake))
    found = np.array([oracle.estimate(part) for part in np.split(reports, repeats)])
    variance = oracle.variance(shares, reports=n)
    assert (np.abs(found.mean(axis=0) - shares) <= 4 * np.sqrt(variance / repeats)).all()
    assert (np.abs(found.var(axis=0, ddof=1) / variance - 1) <= 4 * np.sqrt(2 / repeats)).all()


def test_one_column_of_every_person_is_genuine():
    """The joint law of a person's reports is the mixture over which one is."""
    n, sizes, record = 300_000, (2, 3), (1, 0)
    oracles = [Faked(Grr(size=size, epsilon=1.5), 0.5, "uniform") for size in sizes]
    columns = [np.full(n, value) for value in record]
    reports, which = randomise_one_genuine(columns, oracles, rng=stream(3, "one"))
    assert abs(which.mean() - 0.5) <= 4 * 0.5 / math.sqrt(n)
    drawn = np.bincount(reports[0].astype(int) * 3 + reports[1], minlength=6) / n
    exact = record_law(oracles)[3]
    assert (np.abs(drawn - exact) <= 4 * np.sqrt(exact * (1 - exact) / n)).all()


def test_which_is_genuine_is_all_that_the_genuine_column_has_of_its_own():
    oracles = [Faked(Sue(size=3, epsilon=50.0), 0.5, "zero") for _ in range(2)]
    columns = [np.full(1000, 2), np.full(1000, 1)]
    reports, which = randomise_one_genuine(columns, oracles, rng=stream(4, "which"))
    for place, value in enumerate((2, 1)):
        support = oracles[place].support(reports[place])
        assert support[which == place, value].all()
        assert not support[which != place].any()


def record_law(oracles):
    """Return P[all reports | record] over all records and outputs: rows are records, the last column fastest."""
    parts = [laws(oracle)[:2] for oracle in oracles]
    rows = []
    for record in itertools.product(*(range(oracle.size) for oracle in oracles)):
        total = 0.0
        for genuine, oracle in enumerate(oracles):
            factors = [
                part[0][value] if place == genuine else part[1]
                for place, (part, value) in enumerate(zip(parts, record, strict=True))
            ]
            product = factors[0]
            for factor in factors[1:]:
                product = np.multiply.outer(product, factor)
            total = total + oracle.share * product.ravel()
        rows.append(total)
    law = np.array(rows)
    return law[:, law.any(axis=0)]


def enumerated_claims(oracles):
    logs = np.log(record_law(oracles))
    records = np.array(list(itertools.product(*(range(oracle.size) for oracle in oracles))))
    ratio = (logs[:, None] - logs[None]).max(axis=2)
    differ = records[:, None] != records[None]
    columns = [ratio[differ[..., place] & (differ.sum(axis=2) == 1)].max(initial=0.0) for place in range(len(oracles))]
    return ratio.max(), columns


@pytest.mark.parametrize("sizes", [(2, 2), (2, 4), (3, 3), (1, 3), (2, 3, 2)])
@pytest.mark.parametrize(("protocol", "fake"), KINDS)
def test_claims_are_the_worst_case_over_all_records_and_outputs(protocol, fake, sizes):
    if protocol is Olh and 4 in sizes:
        sizes = (2, 3)
    if protocol in HASHING and len(sizes) == 3:
        sizes = (2, 2, 1)
    count = len(sizes)
    genuine = amplified(0.5 if protocol in HASHING else 1.0, columns=count)
    oracles = [faked(protocol, fake, size=size, epsilon=genuine, share=1 / count) for size in sizes]
    record, columns = enumerated_claims(oracles)
    found = claims(oracles)
    assert found.record == pytest.approx(record, rel=1e-10)
    assert found.columns == pytest.approx(columns, rel=1e-10, abs=1e-12)
    assert found.one_column == max(found.columns)


def published(protocol, fake, sizes, epsilon):
    count = len(sizes)
    genuine = amplified(epsilon, columns=count)
    return genuine, claims([faked(protocol, fake, size=size, epsilon=genuine, share=1 / count) for size in sizes])


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 5.0])
@pytest.mark.parametrize(("protocol", "fake"), [kind for kind in KINDS if kind[0] is not The])
def test_the_published_budget_does_not_hold_for_a_record(protocol, fake, epsilon):
    """All columns can point the same way: the record has the budget of the genuine report."""
    if protocol is Olh and epsilon == 5.0:
        epsilon = 2.0
    genuine, found = published(protocol, fake, (4, 4, 4), epsilon)
    assert found.record == pytest.approx(genuine, rel=1e-12)
    assert genuine > epsilon


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 5.0])
def test_the_published_budget_holds_for_a_change_of_one_column_in_some_cases_only(epsilon):
    for protocol in (Sue, Oue):
        for sizes in ((4, 4, 4), (2, 10, 100)):
            assert published(protocol, "zero", sizes, epsilon)[1].one_column == pytest.approx(epsilon, rel=1e-12)
        assert published(protocol, "random", (4, 4, 4), epsilon)[1].one_column > 1.02 * epsilon
    assert published(Grr, "uniform", (4, 4, 4), epsilon)[1].one_column == pytest.approx(epsilon, rel=1e-12)
    found = published(Grr, "uniform", (2, 10, 100), epsilon)[1]
    assert found.columns[2] > 1.05 * epsilon
    assert found.columns[0] < epsilon
    assert published(Grr, "prior", (4, 4, 4), epsilon)[1].one_column > 1.05 * epsilon


def test_the_budget_of_the_genuine_report_is_what_a_record_has_without_amplification():
    for protocol, fake in KINDS:
        oracles = [faked(protocol, fake, size=size, epsilon=1.0, share=0.5) for size in (3, 5)]
        worst = oracles[0].genuine.log_ratio if protocol is The else 1.0
        assert claims(oracles).record == pytest.approx(worst, rel=1e-12)


def test_amplified_is_the_formula_and_does_not_overflow():
    for epsilon, columns in itertools.product([1e-3, 0.5, 1.0, 5.0, 50.0], [1, 2, 18]):
        exact = math.log(columns * (math.exp(epsilon) - 1) + 1)
        assert amplified(epsilon, columns=columns) == pytest.approx(exact, rel=1e-12)
    assert amplified(800.0, columns=10) == pytest.approx(800 + math.log(10))
    for epsilon, columns in ((0.0, 2), (math.nan, 2), (1.0, 0)):
        with pytest.raises(InputError, match="epsilon must be positive"):
            amplified(epsilon, columns=columns)


@pytest.mark.parametrize("epsilon", [1e-3, 50.0, 200.0])
@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize(("protocol", "fake"), KINDS)
def test_extreme_budgets_and_domains_have_finite_figures(protocol, fake, size, epsilon):
    oracle = faked(protocol, fake, size=size, epsilon=epsilon)
    codes = np.arange(64) % size
    reports = oracle.randomise(codes, rng=stream(5, "extreme"))
    shares = np.bincount(codes, minlength=size) / 64
    for figure in (oracle.log_odds(reports), oracle.log_likelihood(reports), oracle.estimate(reports)):
        assert np.isfinite(figure).all()
    assert np.isfinite(oracle.variance(shares, reports=64)).all()
    assert (oracle.variance(shares, reports=64) >= 0).all()
    prior = np.array(prior_of(size))
    assert prior.max() - 1e-12 <= oracle.success(prior) <= 1
    assert 0 <= oracle.epsilon <= epsilon
    found = claims([Faked(oracle.genuine, 0.5, oracle.fake, oracle.prior)] * 2)
    assert found.record <= epsilon * (1 + 1e-12)
    if size == 1:
        assert not oracle.log_odds(reports).any()
        assert oracle.estimate(reports) == pytest.approx([1.0])
        assert found.record == 0


def test_only_genuine_reports_are_the_protocol_itself():
    genuine = Oue(size=5, epsilon=1.0)
    oracle = Faked(genuine, 1.0, "zero")
    codes = np.arange(1000) % 5
    reports = oracle.randomise(codes, rng=stream(6, "all"))
    prior = np.array(prior_of(5))
    assert oracle.estimate(reports) == pytest.approx(genuine.estimate(reports))
    assert oracle.variance(prior, reports=9) == pytest.approx(genuine.variance(prior, reports=9))
    assert oracle.success(prior) == pytest.approx(genuine.success(prior))
    assert oracle.epsilon == pytest.approx(genuine.epsilon)
    likelihood = oracle.log_likelihood(reports)
    assert likelihood - likelihood[:, :1] == pytest.approx(
        genuine.log_likelihood(reports) - genuine.log_likelihood(reports)[:, :1]
    )


def test_success_with_many_values_has_a_closed_form_or_says_that_it_has_none():
    prior = np.array(prior_of(40))
    for protocol in PROTOCOLS:
        oracle = faked(protocol, "random", size=40, epsilon=2.0)
        codes = stream(7, "many").choice(40, size=100_000, p=prior)
        reports = oracle.randomise(codes, rng=stream(8, "many", protocol.__name__))
        score = np.log(prior) + oracle.log_likelihood(reports)
        # of equally likely values each is as good a guess
        best = score >= score.max(axis=1, keepdims=True) - 1e-9
        hits = best[np.arange(len(codes)), codes] / best.sum(axis=1)
        assert abs(hits.mean() - oracle.success(prior)) <= 4 * hits.std() / math.sqrt(len(codes))
        assert faked(protocol, "prior", size=40, epsilon=2.0).success(np.full(40, 1 / 40)) is not None
    assert faked(Sue, "prior", size=40, epsilon=2.0).success(prior) is None
    assert faked(Grr, "prior", size=40, epsilon=2.0).success(prior) is not None


def test_no_reports_and_wrong_input():
    oracle = faked(Sue, "random", size=3, epsilon=1.0)
    empty = oracle.randomise(np.zeros(0, dtype=int), rng=stream(9, "empty"))
    assert oracle.estimate(empty) == pytest.approx(np.full(3, 1 / 3))
    assert np.isinf(oracle.variance(np.full(3, 1 / 3), reports=0)).all()
    with pytest.raises(InputError, match="number of reports"):
        oracle.variance(np.full(3, 1 / 3), reports=-1)
    with pytest.raises(InputError, match="codes must be"):
        oracle.randomise(np.array([0, 3]), rng=stream(9, "codes"))
    with pytest.raises(InputError, match="allowed for this protocol: zero, random, prior"):
        Faked(Sue(size=3, epsilon=1.0), 0.5, "uniform")
    with pytest.raises(InputError, match="allowed for this protocol: random, prior"):
        Faked(SubsetSelection(size=3, epsilon=1.0), 0.5, "zero")
    with pytest.raises(InputError, match="allowed: one report of GRR"):
        Faked(Fresh(Sue(size=3, epsilon=1.0), 2), 0.5, "random")
    with pytest.raises(InputError, match="share is the probability"):
        Faked(Sue(size=3, epsilon=1.0), 0.0, "zero")
    with pytest.raises(InputError, match="public prior"):
        Faked(Sue(size=3, epsilon=1.0), 0.5, "prior")
    with pytest.raises(InputError, match="a prior must be 3 probabilities"):
        Faked(Sue(size=3, epsilon=1.0), 0.5, "prior", (0.5, 0.5))
    with pytest.raises(InputError, match="prior of value 2 is 0"):
        Faked(Grr(size=3, epsilon=1.0), 0.5, "prior", (0.5, 0.5, 0.0))
    with pytest.raises(InputError, match=r"share must be 0\.5"):
        randomise_one_genuine([np.zeros(2, int)] * 2, [oracle] * 2, rng=stream(9, "share"))
    with pytest.raises(InputError, match="one oracle a column"):
        randomise_one_genuine([np.zeros(2, int)], [oracle] * 2, rng=stream(9, "share"))
    with pytest.raises(InputError, match="shares must sum to 1"):
        claims([oracle, oracle])


def test_every_protocol_is_in_one_form():
    """What the closed forms rest on: the probability of a set is a weight by its size, e^lambda if it has the value."""
    for protocol in PROTOCOLS:
        oracle = protocol(size=3, epsilon=1.0)
        law, sets = channel(oracle)
        ratio = oracle.log_ratio
        weight = law / np.exp(ratio * sets.T)
        for count in range(4):
            same = weight[:, sets.sum(axis=1) == count]
            assert same.size == 0 or np.ptp(same) <= 1e-12
