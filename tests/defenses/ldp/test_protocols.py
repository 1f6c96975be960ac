"""The discrete protocols against their closed forms, exact enumeration and simulation."""

import itertools
import math
import pickle
import tracemalloc

import numpy as np
import pytest
from scipy.stats import chi2, norm

from defenses.ldp import packed
from defenses.ldp.cells import cells_of
from defenses.ldp.grr import Grr
from defenses.ldp.local_hashing import Blh, Olh
from defenses.ldp.subset_selection import SubsetSelection
from defenses.ldp.unary import Oue, Sue, The
from privbench.errors import InputError
from privbench.oracles import FrequencyOracle
from privbench.rng import stream

UNARY = (Sue, Oue, The)
HASHED = (Blh, Olh)
PROTOCOLS = (Grr, *UNARY, SubsetSelection, *HASHED)
SIZES = (2, 3, 10, 100)
EPSILONS = (0.1, 1.0, 5.0, 10.0)
GRID = [(protocol, size, epsilon) for protocol in PROTOCOLS for size in SIZES for epsilon in EPSILONS]
SOME = [
    (protocol, size, epsilon) for protocol in PROTOCOLS for size, epsilon in ((2, 0.1), (3, 1.0), (10, 5.0), (100, 1.0))
]
EXTREME = (1e-3, 50.0, 200.0, 709.0, 5000.0)


def bound(figures=1):
    """Return the standard errors that the greatest of so many figures exceeds as rarely as a single one exceeds 4."""
    return norm.isf(norm.sf(4) / figures)


def skewed(size):
    """Return probabilities that fall by half from value to value, the last value having none where there are more."""
    shares = 0.5 ** np.arange(size, dtype=np.float64)
    shares[10:] = 0.002
    shares[-1] = 0 if size > 2 else shares[-1]
    return shares / shares.sum()


def priors(size, rng):
    """Return a uniform prior, random ones, one with ties and zeros, and a certain one."""
    tied = np.repeat([3.0, 1.0, 0.0], size)[:size] if size < 3 else np.resize([3.0, 1.0, 1.0, 0.0], size)
    return [np.full(size, 1 / size), *rng.dirichlet(np.ones(size), 3), tied / tied.sum(), np.eye(size)[size - 1]]


# the formulas


@pytest.mark.parametrize(("protocol", "size", "epsilon"), GRID)
def test_p_and_q_are_those_of_the_literature(protocol, size, epsilon):
    grown = math.exp(epsilon)
    width = max(1, round(size / (grown + 1)))
    inner = width * grown + size - width
    cells = 2 if protocol is Blh else round(grown) + 1
    threshold = The(size, epsilon).threshold
    root = math.exp(epsilon / 2)
    expected = {
        Grr: (grown / (grown + size - 1), 1 / (grown + size - 1)),
        Sue: (root / (root + 1), 1 / (root + 1)),
        Oue: (1 / 2, 1 / (grown + 1)),
        The: (1 - math.exp(epsilon * (threshold - 1) / 2) / 2, math.exp(-epsilon * threshold / 2) / 2),
        SubsetSelection: (
            width * grown / inner,
            (width * grown * (width - 1) + (size - width) * width) / ((size - 1) * inner),
        ),
    }.get(protocol, (grown / (grown + cells - 1), 1 / cells))
    oracle = protocol(size=size, epsilon=epsilon)
    assert isinstance(oracle, FrequencyOracle)
    assert (oracle.p, oracle.q) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("epsilon", [1e-3, 0.1, 1.0, 4.0, 10.0, 100.0])
def test_threshold_minimises_the_variance_of_a_value_that_nobody_has(epsilon):
    def variance(threshold):
        miss, false = math.exp(epsilon * (threshold - 1) / 2) / 2, math.exp(-epsilon * threshold / 2) / 2
        return false * (1 - false) / (1 - miss - false) ** 2

    least = min(variance(threshold) for threshold in np.linspace(0.5, 1, 10_001)[1:-1])
    assert 0.5 < The(5, epsilon).threshold < 1
    assert variance(The(5, epsilon).threshold) <= least * (1 + 1e-9)


def test_thresholds_published():
    assert The(10, 1.0).threshold == pytest.approx(0.619, abs=5e-4)
    assert The(10, 4.0).threshold == pytest.approx(0.816, abs=5e-4)


@pytest.mark.parametrize(("protocol", "size", "epsilon"), GRID)
def test_success_under_a_uniform_prior_has_the_known_form(protocol, size, epsilon):
    oracle = protocol(size=size, epsilon=epsilon)
    p, q, grown = oracle.p, oracle.q, math.exp(epsilon)
    if protocol is Grr:
        expected = grown / (grown + size - 1)
    elif protocol is SubsetSelection:
        expected = grown / (oracle.width * grown + size - oracle.width)
    else:
        expected = (1 - p) * (1 - q) ** (size - 1) / size + p * (1 - (1 - q) ** size) / (size * q)
    assert oracle.success(np.full(size, 1 / size)) == pytest.approx(expected, rel=1e-12)


# exact enumeration at small k


def outputs(oracle):
    """Return every report of a protocol, and log P[report | value] of each, ``(reports, k)``, from its definition."""
    size, p, q = oracle.size, oracle.p, oracle.q
    if isinstance(oracle, Grr):
        return np.arange(size), np.log(np.where(np.eye(size, dtype=bool), p, q))
    if isinstance(oracle, SubsetSelection):
        sets = list(itertools.combinations(range(size), oracle.width))
        bits = np.array([[value in one for value in range(size)] for one in sets])
        inside = p / math.comb(size - 1, oracle.width - 1)
        return np.packbits(bits, axis=1), np.log(np.where(bits, inside, (1 - p) / math.comb(size - 1, oracle.width)))
    bits = np.array(list(itertools.product((False, True), repeat=size)))
    return np.packbits(bits, axis=1), log_of_bits(bits, p, q)


def log_of_bits(bits, p, q):
    others = bits.sum(axis=1, keepdims=True) - bits
    own = np.where(bits, math.log(p), math.log1p(-p))
    return own + others * math.log(q) + (bits.shape[1] - 1 - others) * math.log1p(-q)


@pytest.mark.parametrize("epsilon", [1e-3, 0.1, 1.0, 5.0, 10.0])
@pytest.mark.parametrize("size", [2, 3, 5])
@pytest.mark.parametrize("protocol", [Grr, *UNARY, SubsetSelection])
def test_no_report_tells_two_values_apart_by_more_than_epsilon(protocol, size, epsilon):
    oracle = protocol(size=size, epsilon=epsilon)
    reports, exact = outputs(oracle)
    assert np.exp(exact).sum(axis=0) == pytest.approx(np.ones(size), rel=1e-12)
    spread = np.ptp(exact, axis=1)
    assert spread.max() <= epsilon + 1e-9
    if protocol is not The:
        assert spread.max() == pytest.approx(epsilon, rel=1e-9)
    said = oracle.log_likelihood(reports)
    np.testing.assert_allclose(said - said[:, :1], exact - exact[:, :1], atol=1e-9)


@pytest.mark.parametrize("epsilon", [1e-3, 0.1, 1.0, 5.0, 10.0])
@pytest.mark.parametrize("protocol", HASHED)
def test_no_cell_tells_two_values_apart_by_more_than_epsilon_given_the_public_seed(protocol, epsilon):
    oracle = protocol(size=5, epsilon=epsilon)
    seeds = stream(0, "seeds").integers(0, 2**32, size=20, dtype=np.uint32)
    for seed in seeds:
        own = cells_of(np.full(5, seed), np.arange(5), cells=oracle.cells)
        cells = np.unique(own) if oracle.cells > 5 else np.arange(oracle.cells)
        # P[cell | value], the seed being public and drawn without a look at the value
        exact = np.log(np.where(own == cells[:, None], oracle.p, (1 - oracle.p) / (oracle.cells - 1)))
        assert np.ptp(exact, axis=1).max() <= epsilon + 1e-9
        reports = np.column_stack([np.full(len(cells), seed), cells]).astype(np.uint32)
        said = oracle.log_likelihood(reports)
        np.testing.assert_allclose(said - said[:, :1], exact - exact[:, :1], atol=1e-9)


@pytest.mark.parametrize("epsilon", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("size", [2, 3, 5])
@pytest.mark.parametrize("protocol", [Grr, *UNARY, SubsetSelection])
def test_reports_are_drawn_from_the_stated_distribution(protocol, size, epsilon):
    oracle, rng, n = protocol(size=size, epsilon=epsilon), stream(1, protocol.__name__, str(size), str(epsilon)), 20_000
    reports, exact = outputs(oracle)
    for value in range(size):
        drawn = oracle.randomise(np.full(n, value), rng=rng).reshape(n, -1)[:, 0]
        seen = np.bincount(drawn, minlength=256)[reports.reshape(len(reports), -1)[:, 0]]
        expected = n * np.exp(exact[:, value])
        assert seen.sum() == n
        distance = ((seen - expected) ** 2 / expected).sum()
        assert distance < chi2.isf(norm.sf(4), len(reports) - 1)


@pytest.mark.parametrize("epsilon", [1e-3, 0.5, 1.0, 5.0, 30.0])
@pytest.mark.parametrize("size", [2, 3, 4, 7])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_success_equals_a_brute_force_bayes_attack(protocol, size, epsilon):
    oracle = protocol(size=size, epsilon=epsilon)
    if protocol in HASHED:
        bits = np.array(list(itertools.product((False, True), repeat=size)))
        exact = log_of_bits(bits, oracle.p, oracle.q)
    else:
        with np.errstate(divide="ignore"):
            exact = outputs(oracle)[1]
    for prior in priors(size, stream(2, protocol.__name__)):
        right = (prior * np.exp(exact)).max(axis=1).sum()
        assert oracle.success(prior) == pytest.approx(right, rel=1e-9)


# simulation


def simulate(protocol, size, epsilon, *, batches, batch):
    """Hold p, q, estimate, variance and success against reports of people of a fixed composition."""
    oracle, rng = protocol(size=size, epsilon=epsilon), stream(3, protocol.__name__, str(size), str(epsilon))
    n, wanted = batches * batch, skewed(size)
    # every batch has the same people: only the reports differ
    codes = np.tile(np.sort(rng.choice(size, size=batch, p=wanted)), batches)
    shares = np.bincount(codes, minlength=size) / n
    reports = oracle.randomise(codes, rng=rng)
    support = oracle.support(reports)
    own = support[np.arange(n), codes]
    assert abs(own.mean() - oracle.p) <= bound() * math.sqrt(oracle.p * (1 - oracle.p) / n)
    others = (support.sum(axis=1) - own) / (size - 1)
    assert abs(others.mean() - oracle.q) <= bound() * max(others.std(), math.sqrt(oracle.q / size / n)) / math.sqrt(n)
    estimate, variance = oracle.estimate(reports), oracle.variance(shares, reports=n)
    np.testing.assert_array_equal(oracle.counts(reports), support.sum(axis=0))
    assert np.abs((estimate - shares) / np.sqrt(variance)).max() <= bound(size)
    estimates = np.array([oracle.estimate(reports[start : start + batch]) for start in range(0, n, batch)])
    ratio = ((estimates - shares) ** 2).mean(axis=0) / (variance * batches)
    # of a mean of squares the relative standard error is sqrt((kurtosis - 1) / batches)
    error = np.sqrt(np.maximum(2, ((estimates - shares) ** 4).mean(axis=0) / (variance * batches) ** 2 - 1) / batches)
    assert abs(ratio.mean() - 1) <= bound() * error.max()
    for prior in (wanted, np.full(size, 1 / size)):
        truth = rng.choice(size, size=n, p=prior)
        reports = oracle.randomise(truth, rng=rng)
        right = sum(hits(oracle, prior, truth[block], reports[block]) for block in packed.blocks(n, width=8)) / n
        success = oracle.success(prior)
        assert abs(right - success) <= bound() * math.sqrt(success * (1 - success) / n) + 1e-12


def hits(oracle, prior, truth, reports):
    """Return how often the value that is likeliest given the report is the true one."""
    with np.errstate(divide="ignore"):
        return np.count_nonzero((np.log(prior) + oracle.log_likelihood(reports)).argmax(axis=1) == truth)


@pytest.mark.parametrize(("protocol", "size", "epsilon"), SOME)
def test_simulation_of_some(protocol, size, epsilon):
    simulate(protocol, size, epsilon, batches=200, batch=500)


@pytest.mark.slow
@pytest.mark.parametrize(("protocol", "size", "epsilon"), GRID)
def test_simulation_of_all_with_a_million_reports(protocol, size, epsilon):
    simulate(protocol, size, epsilon, batches=1000, batch=1000)


def test_a_sample_of_people_adds_the_variance_of_sampling():
    rng, shares, batches, batch = stream(4, "sampled people"), np.array([0.6, 0.3, 0.1]), 2000, 300
    oracle = Grr(size=3, epsilon=2.0)
    estimates = np.array(
        [oracle.estimate(oracle.randomise(rng.choice(3, size=batch, p=shares), rng=rng)) for _ in range(batches)]
    )
    expected = oracle.variance(shares, reports=batch) + shares * (1 - shares) / batch
    assert np.abs(estimates.var(axis=0) / expected - 1).max() <= bound(3) * math.sqrt(2 / batches)
    assert (estimates.var(axis=0) > 1.2 * oracle.variance(shares, reports=batch)).all()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_one_observed_value(protocol):
    oracle, rng = protocol(size=10, epsilon=1.0), stream(5, protocol.__name__)
    estimate = oracle.estimate(oracle.randomise(np.full(20_000, 3), rng=rng))
    certain = np.eye(10)[3]
    error = np.sqrt(oracle.variance(certain, reports=20_000))
    assert np.abs((estimate - certain) / error).max() <= bound(10)
    assert oracle.success(certain) == 1


# odd input


@pytest.mark.parametrize("epsilon", [1.0, *EXTREME])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_one_value_has_nothing_to_hide(protocol, epsilon):
    oracle, rng = protocol(size=1, epsilon=epsilon), stream(6, "one value")
    assert (oracle.p, oracle.q) == (1, 0)
    assert oracle.success(np.ones(1)) == 1
    for n in (0, 1, 1000):
        reports = oracle.randomise(np.zeros(n, dtype=np.int64), rng=rng)
        assert oracle.estimate(reports).tolist() == [1.0]
        assert oracle.variance(np.ones(1), reports=n).tolist() == [0.0]
        assert oracle.support(reports).all()
        assert oracle.log_likelihood(reports).shape == (n, 1)


@pytest.mark.parametrize("epsilon", EXTREME)
@pytest.mark.parametrize("size", [2, 10, 300])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_extreme_budgets(protocol, size, epsilon):
    oracle, rng, n = protocol(size=size, epsilon=epsilon), stream(7, protocol.__name__), 3000
    codes = rng.choice(size, size=n, p=skewed(size))
    shares = np.bincount(codes, minlength=size) / n
    reports = oracle.randomise(codes, rng=rng)
    assert 0 <= oracle.q < oracle.p <= 1
    estimate, variance = oracle.estimate(reports), oracle.variance(shares, reports=n)
    assert (variance >= 0).all()
    assert (np.abs(estimate - shares) <= bound(size) * np.sqrt(variance) + 1e-12).all()
    likelihood = oracle.log_likelihood(reports)
    assert np.isfinite(likelihood).all()
    assert np.ptp(likelihood) <= epsilon
    success = oracle.success(shares)
    assert shares.max() - 1e-12 <= success <= 1 + 1e-12
    if epsilon < 1:
        assert success < shares.max() + 0.01
    elif protocol in (Grr, Sue, SubsetSelection):
        assert success == pytest.approx(1, abs=1e-9)
    elif protocol is Blh:
        assert oracle.p == pytest.approx(1)
    else:
        # half of these reports are lies, or a third of them, however great the budget
        assert oracle.p == pytest.approx(2 / 3 if protocol is The else 1 / 2, abs=0.02)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nobody_reports(protocol):
    oracle = protocol(size=4, epsilon=1.0)
    for codes in (np.zeros(0, dtype=np.int32), np.array([])):
        reports = oracle.randomise(codes, rng=stream(8, "nobody"))
        assert len(reports) == 0
        assert oracle.support(reports).shape == oracle.log_likelihood(reports).shape == (0, 4)
        assert oracle.counts(reports).tolist() == [0.0] * 4
        assert oracle.estimate(reports).tolist() == [0.25] * 4
    assert np.isinf(oracle.variance(np.full(4, 0.25), reports=0)).all()


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ([0, 4, 9], r"from 0 to 3; got 4 \(person 2\)"),
        ([3, 2, -1, -5], r"from 0 to 3; got -1 \(person 3\)"),
        ([0.0, math.nan, 1.0], "from 0 to 3; got float64 values such as nan"),
        ([0.0, 1.0], "from 0 to 3; got float64 values such as 0.0"),
        ([True, False], "from 0 to 3; got bool values"),
        ([[0], [1]], r"one value a person, of shape \(n,\); got an array of shape \(2, 1\)"),
    ],
)
def test_what_is_no_code_is_refused(protocol, codes, said):
    with pytest.raises(InputError, match=said):
        protocol(size=4, epsilon=1.0).randomise(np.array(codes), rng=stream(9, "codes"))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("size", "epsilon", "said"),
    [
        (0, 1.0, "size is the number of values, a whole number from 1; got 0"),
        (2.5, 1.0, "got 2.5"),
        (2, 0.0, "epsilon must be a positive number; got 0"),
        (2, -1.0, "got -1"),
        (2, math.nan, "got nan"),
        (2, math.inf, "got inf"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(protocol, size, epsilon, said):
    with pytest.raises(InputError, match=said):
        protocol(size=size, epsilon=epsilon)


@pytest.mark.parametrize("prior", [[0.5, 0.5], [0.5, 0.6, -0.1], [0.2, 0.2, 0.2], [0.5, 0.5, math.nan]])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_no_prior_is_refused(protocol, prior):
    with pytest.raises(InputError, match="a prior must be 3 probabilities that sum to 1"):
        protocol(size=3, epsilon=1.0).success(np.array(prior))


def test_a_negative_number_of_reports_is_refused():
    with pytest.raises(InputError, match="0 or more; got -1"):
        Grr(size=3, epsilon=1.0).variance(np.full(3, 1 / 3), reports=-1)


# the form of the reports


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("size", [2, 9, 300])
def test_reports_are_compact_plain_arrays(protocol, size):
    oracle, codes = protocol(size=size, epsilon=1.0), np.arange(1000, dtype=np.int32) % size
    reports = oracle.randomise(codes, rng=stream(10, "form"))
    width = {Grr: (), Blh: (2,), Olh: (2,)}.get(protocol, (-(-size // 8),))
    kind = {Grr: np.uint8 if size <= 256 else np.uint16, Blh: np.uint32, Olh: np.uint32}.get(protocol, np.uint8)
    assert (reports.shape, reports.dtype) == ((1000, *width), kind)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(reports)), reports)
    np.testing.assert_array_equal(oracle.randomise(codes, rng=stream(10, "form")), reports)
    assert pickle.loads(pickle.dumps(oracle)) == oracle
    support = oracle.support(reports)
    assert (support.shape, support.dtype) == ((1000, size), np.bool_)
    if kind is np.uint8 and protocol is not Grr:
        np.testing.assert_array_equal(np.packbits(support, axis=1), reports)
    if protocol is SubsetSelection:
        assert set(support.sum(axis=1)) == {oracle.width}


@pytest.mark.parametrize("epsilon", [1e-3, 1.0, 6.0])
@pytest.mark.parametrize("size", [2, 3, 5, 64, 1001])
def test_every_subset_has_its_width_whatever_the_start(size, epsilon):
    oracle, rng = SubsetSelection(size=size, epsilon=epsilon), stream(11, str(size), str(epsilon))
    support = oracle.support(oracle.randomise(rng.integers(0, size, size=2000), rng=rng))
    assert (support.sum(axis=1) == oracle.width).all()
    assert 1 <= oracle.width < size


def test_kinds_of_codes_do_not_matter():
    codes = stream(12, "codes").integers(0, 100, size=70_001)
    strided = np.repeat(codes, 2)[::2]
    for protocol in PROTOCOLS:
        oracle = protocol(size=100, epsilon=1.0)
        first = oracle.randomise(codes, rng=stream(12, "draws"))
        for same in (
            codes.astype(np.int8),
            codes.astype(np.uint16),
            codes.astype(np.int32),
            codes.astype(">i4"),
            strided,
        ):
            np.testing.assert_array_equal(oracle.randomise(same, rng=stream(12, "draws")), first)
        np.testing.assert_array_equal(oracle.counts(first), oracle.support(first).sum(axis=0))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_memory_beside_the_reports_is_bounded(protocol):
    oracle, codes = protocol(size=100, epsilon=1.0), np.zeros(400_000, dtype=np.int32)
    tracemalloc.start()
    reports = oracle.randomise(codes, rng=stream(13, "memory"))
    oracle.estimate(reports)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # one report, unpacked, would have 100 bytes
    assert peak - reports.nbytes < 12e6
