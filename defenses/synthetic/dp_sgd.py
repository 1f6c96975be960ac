"""Training under differential privacy: how much noise, one noisy start, and noisy steps on Poisson samples.

A deep generator meets the records in two places only. `noisy_shares` gives the distribution of each column with
Gaussian noise: a generator starts there and has relations alone to learn. `train` descends by DP-SGD: every record is
in a batch with the same probability on its own, its gradient is clipped, the sum gets noise. Both stand in one
accountant (privacy loss random variables), and the claim is what it says was spent.

References
----------
M. Abadi et al., "Deep Learning with Differential Privacy", CCS 2016.
S. Gopi, Y. Lee and L. Wutschitz, "Numerical Composition of Differential Privacy", NeurIPS 2021.
A. Yousefpour et al., "Opacus: User-Friendly Differential Privacy Library in PyTorch", 2021.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from defenses.synthetic.coding import Codes, Coding, count
from defenses.synthetic.pure import check_epsilon
from privbench.claim import Adjacency, Claim
from privbench.environment import environment_kept
from privbench.errors import InputError, import_extra
from privbench.release import SyntheticTable
from privbench.rng import seeded_globals
from privbench.schema import Schema
from privbench.simplex import nearest_distribution
from privbench.table import Table
from privbench.threads import one_thread

__all__ = [
    "Plan",
    "Settings",
    "Untrained",
    "blocks",
    "check_training",
    "claim_of",
    "noisy_shares",
    "one_hot",
    "plan",
    "publish",
    "train",
    "undisturbed",
]

# what the start costs beside the steps: its noise multiplier is so many times that of all steps together
_START = 3.0
# where the answer is to be closer than that (epsilon below .05) the tight accountant's grid takes minutes and gigabytes
_FINE = 2.4e-4
# how far below the budget the search for the noise may end
_CLOSE = 0.01


@dataclass(frozen=True, slots=True)
class Plan:
    """How a training spends its budget.

    Parameters
    ----------
    noise : float
        Standard deviation of the noise on a step's sum of gradients, in clipping norms.
    start : float
        The same for the counts of all columns, in their L2 sensitivity.
    rate : float
        Probability of every record to be in a batch.
    steps : int
        How many batches.
    """

    noise: float
    start: float
    rate: float
    steps: int

    @property
    def history(self) -> list[tuple[float, float, int]]:
        """Noise, rate and number of everything that looks at the records, as the accountant takes them."""
        return [(self.noise, self.rate, self.steps), (self.start, 1.0, 1)]


class Settings(Protocol):
    """What every deep generator can be told."""

    @property
    def epsilon(self) -> float:
        """Total budget."""
        ...

    @property
    def delta(self) -> float:
        """Of the budget."""
        ...

    @property
    def epochs(self) -> int:
        """Passes over the records, in expectation."""
        ...

    @property
    def batch_size(self) -> int:
        """Records in a step, in expectation."""
        ...

    @property
    def clip(self) -> float:
        """Largest norm of a record's gradient."""
        ...

    @property
    def learning_rate(self) -> float:
        """Of Adam."""
        ...

    @property
    def bins(self) -> int:
        """Cells of a continuous column."""
        ...

    @property
    def rows(self) -> int | None:
        """How many are released; None for as many as there are records."""
        ...


@dataclass(frozen=True, slots=True)
class Untrained:
    """A generator before its training.

    Parameters
    ----------
    network : torch.nn.Module
        The part that meets the records, as `train` takes it.
    draw : callable
        From a number of rows to the codes ``(d, rows)`` of rows, once the network is trained.
    after : callable
        Called after every step; it must not look at the records.
    """

    network: Any
    draw: Callable[[int], Codes]
    after: Callable[[], None] = lambda: None


def check_training(
    *, epsilon: float, delta: float, counts: Sequence[int], rows: int | None, positive: Sequence[float]
) -> None:
    """Refuse settings that a private training cannot use.

    Raises
    ------
    InputError
        If the budget is none, a count below 1, or a number that must be positive is not.
    """
    check_epsilon(epsilon)
    if not 0 < delta < 1:
        raise InputError(f"delta must be above 0 and below 1, for instance 1e-6; got {delta}")
    if min(counts) < 1 or (rows is not None and rows < 1):
        raise InputError(f"epochs, batch_size, sizes and rows must be at least 1; got {(*counts, rows)}")
    if not all(number > 0 and math.isfinite(number) for number in positive):
        raise InputError(f"clip and learning_rate must be positive; got {tuple(positive)}")


@lru_cache(maxsize=256)
def plan(*, epsilon: float, delta: float, rate: float, steps: int) -> Plan:
    """Return the least noise whose spent epsilon is below the one asked for, to within a hundredth.

    Parameters
    ----------
    epsilon, delta : float
        The budget under add-remove.
    rate : float
        Sampling probability, in (0, 1].
    steps : int
        How many batches.

    Raises
    ------
    InputError
        If the accountants know of no noise that keeps to the budget.
    """

    def planned(log_noise: float) -> Plan:
        noise = math.exp(log_noise)
        # all steps together are about one Gaussian mechanism of this multiplier
        return Plan(noise, _START * max(noise / (rate * math.sqrt(steps)), 0.3), rate, steps)

    # RDP is quick and never below: its answer has too much noise, and by how much the tight accountant tells
    low, high = math.log(1e-2), math.log(1e6)
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (low, middle) if _rdp(planned(middle), delta) <= epsilon else (middle, high)
    best, low = high, high - math.log(2)
    while best - low > 1e-4:
        middle = (low + best) / 2
        spent = spent_epsilon(planned(middle), delta, close=epsilon / 200)
        low, best = (low, middle) if spent <= epsilon else (middle, best)
        if epsilon * (1 - _CLOSE) <= spent <= epsilon:
            break
    found = planned(best)
    if spent_epsilon(found, delta, close=epsilon / 200) > epsilon:
        raise InputError(
            f"epsilon {epsilon:g} is too small to train with at delta {delta:g}: no amount of noise is known to keep "
            "to it; raise epsilon or delta, or take a generator that counts (mst, independent-histogram)"
        )
    return found


@lru_cache(maxsize=256)
def spent_epsilon(spending: Plan, delta: float, *, close: float) -> float:
    """Return what a plan spends, an upper bound: by privacy loss random variables, to within `close`.

    Where these take too much memory or time, by Renyi divergences, which are never below.
    """
    if close < _FINE:
        return _rdp(spending, delta)
    accountants: Any = _import("opacus.accountants")
    accountant = accountants.PRVAccountant()
    accountant.history = spending.history
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            spent = float(accountant.get_epsilon(delta, eps_error=min(close, 0.01)))
        except (RuntimeError, ValueError, MemoryError):  # where its grid would be too large RDP is right, if loose
            spent = math.inf
    return min(spent, _rdp(spending, delta))


def _rdp(spending: Plan, delta: float) -> float:
    analysis: Any = _import("opacus.accountants.analysis.rdp")
    orders = [1 + x / 10 for x in range(1, 100)] + list(range(11, 64)) + [2**power for power in range(6, 14)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        curve = sum(
            analysis.compute_rdp(q=rate, noise_multiplier=noise, steps=steps, orders=orders)
            for noise, rate, steps in spending.history
        )
        return float(analysis.get_privacy_spent(orders=orders, rdp=curve, delta=delta)[0])


def claim_of(spending: Plan, schema: Schema, *, epsilon: float, delta: float) -> Claim:
    """Return the guarantee of a training that went as planned, as the accountant has it."""
    said = [
        "the number of records is public: it sets the sampling rate and the number of rows, so one record more or less "
        "stays hidden but for that number",
        "noise and samples come from generators that are not cryptographic, in floating point: "
        "the attack on the low bits of a float is not excluded",
    ]
    if undeclared := schema.undeclared():
        said.append(f"the domains of {', '.join(undeclared)} are public, though they were read off the file")
    spent = spent_epsilon(spending, delta, close=epsilon / 200)
    return Claim(spent, delta, Adjacency.ADD_REMOVE, tuple(said))


def publish(
    settings: Settings,
    records: Table,
    build: Callable[[tuple[int, ...], list[NDArray[np.float64]]], Untrained],
    *,
    rng: np.random.Generator,
) -> SyntheticTable:
    """Plan the budget, take the noisy start, train, draw: what every deep generator does.

    Parameters
    ----------
    settings : Settings
        The defense.
    records : Table
        The training records.
    build : callable
        From the number of values and the noisy distribution of each column to a generator before its training.
    rng : Generator
        The only source of randomness.
    """
    coding = Coding(records.schema, settings.bins)
    codes, sizes = coding.encode(records), coding.sizes
    rate = min(1.0, settings.batch_size / len(records))
    with undisturbed(rng):
        steps = math.ceil(settings.epochs / rate)
        spending = plan(epsilon=settings.epsilon, delta=settings.delta, rate=rate, steps=steps)
        generator = build(sizes, noisy_shares(codes, sizes, spending, rng=rng))
        train(
            generator.network,
            codes,
            sizes,
            spending,
            clip=settings.clip,
            learning_rate=settings.learning_rate,
            after=generator.after,
        )
        drawn = generator.draw(settings.rows or len(records))
    claim = claim_of(spending, records.schema, epsilon=settings.epsilon, delta=settings.delta)
    return SyntheticTable(coding.decode(drawn, rng=rng), private_records=len(records), claim=claim)


def noisy_shares(
    codes: Codes, sizes: Sequence[int], spending: Plan, *, rng: np.random.Generator
) -> list[NDArray[np.float64]]:
    """Return the distribution of every column, from counts with noise: one record moves one count of each column."""
    scale = spending.start * math.sqrt(len(sizes))
    shares = []
    for column, size in enumerate(sizes):
        noisy = count(codes, (column,), sizes) + rng.normal(0.0, scale, size=size)
        shares.append(nearest_distribution(noisy / max(noisy.sum(), 1.0)))
    return shares


def train(
    model: Any,
    codes: Codes,
    sizes: Sequence[int],
    spending: Plan,
    *,
    clip: float,
    learning_rate: float,
    after: Callable[[], None] = lambda: None,
) -> None:
    """Descend with DP-SGD (Adam on the noisy sums).

    Parameters
    ----------
    model : torch.nn.Module
        Gives one loss for every record of a batch of one-hot records ``(b, W)``, each from its own record alone.
    codes : array of int, shape (d, n)
        The records.
    sizes : sequence of int
        Number of values of each column.
    spending : Plan
        Noise, sampling rate and number of steps.
    clip : float
        Largest norm of a record's gradient.
    learning_rate : float
        Of Adam.
    after : callable
        Called after every step; it must not look at the records.
    """
    torch: Any = _import("torch")
    clipping: Any = _import("opacus.utils.fast_gradient_clipping_utils")
    grad_sample: Any = _import("opacus.grad_sample.grad_sample_module_fast_gradient_clipping")
    optimizers: Any = _import("opacus.optimizers.optimizer_fast_gradient_clipping")
    records = codes.shape[1]
    # norms of records' gradients without the gradients themselves (ghost clipping): five times as fast
    private = grad_sample.GradSampleModuleFastGradientClipping(
        model, max_grad_norm=clip, use_ghost_clipping=True, loss_reduction="sum"
    )
    optimizer = optimizers.DPOptimizerFastGradientClipping(
        torch.optim.Adam(model.parameters(), lr=learning_rate),
        noise_multiplier=spending.noise,
        max_grad_norm=clip,
        expected_batch_size=max(spending.rate * records, 1.0),
    )
    held = torch.from_numpy(np.ascontiguousarray(codes.T.astype(np.int64)))
    for _ in range(spending.steps):
        # an empty batch makes a noisy step too: to skip it would tell that it was empty
        batch = held[torch.rand(records, dtype=torch.float64) < spending.rate]
        optimizer.zero_grad()
        losses = private(one_hot(batch, sizes))
        clipping.DPTensorFastGradientClipping(private, optimizer, losses, loss_reduction="sum").backward()
        optimizer.step()
        # what is computed with the model meanwhile is nobody's gradient
        private.disable_hooks()
        after()
        private.enable_hooks()
    private.remove_hooks()


def one_hot(codes: Any, sizes: Sequence[int]) -> Any:
    """Return the indicators ``(b, W)`` of codes ``(b, d)``, column beside column."""
    torch: Any = _import("torch")
    edges = torch.from_numpy(np.cumsum((0, *sizes))[:-1].copy())
    return torch.zeros(len(codes), sum(sizes)).scatter_(1, codes + edges, 1.0)


def blocks(wide: Any, sizes: Sequence[int]) -> list[Any]:
    """Return the columns' parts of something ``(b, W)``."""
    return [wide[:, a:b] for a, b in pairwise(np.cumsum((0, *sizes)).tolist())]


@contextmanager
def undisturbed(rng: np.random.Generator) -> Iterator[None]:
    """Train with global generators seeded from `rng`, one thread and no warnings of the libraries; put all back."""
    with environment_kept(), seeded_globals(rng):
        _import("torch")
        _import("opacus.grad_sample")
    with environment_kept(), one_thread(), seeded_globals(rng), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _import(module: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_extra(module, extra="generators")
