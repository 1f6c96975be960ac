"""Training with noisy gradients, with one planted bug each, and the honest training: what is published is every step.

Synthetic rows tell little of a training: a network mixes many records, and drawing adds noise of its own. The guarantee
of DP-SGD covers all that is published here, though: the noisy gradient of every step, and what else a bug lets out.
The model is a softmax regression of a person's secret on who they are, so each record has parameters of its own, and
hundreds of canaries are planted in one run without being in each other's way. The honest version is trained by
`defenses.synthetic.dp_sgd` as every deep generator is; a bug changes one step of it and claims the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defenses.synthetic import dp_sgd
from defenses.synthetic.accountant import Plan, claim_of, plan
from defenses.synthetic.coding import Codes, Coding
from privbench.claim import Claim
from privbench.contracts import Guess, View, each_secret
from privbench.dataset import Dataset
from privbench.release import SyntheticTable
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table
from privbench.verifying.one_run import test_one_run
from tests.verifying.planted.cases import Size

__all__ = [
    "DEEP_CASES",
    "BatchMeans",
    "DeepCase",
    "LastStepBare",
    "MeanClipped",
    "NoSampling",
    "NoiseTooSmall",
    "ReadSteps",
    "Training",
    "people",
]

Floats = NDArray[np.float64]

# the loss is so steep that every record's gradient is longer than it may be
_STEEP = 10.0


@dataclass(frozen=True, eq=False)
class Published(SyntheticTable):
    """What a training lets out: step by step two numbers a person, those of either value of the secret.

    Parameters
    ----------
    steps : array of shape (s, n, 2)
        Gradients, and what else there is of this shape.
    """

    steps: Floats = field(default_factory=lambda: np.zeros((0, 0, 2)))


@dataclass(frozen=True)
class Training:
    """Train a softmax regression with noisy gradients, and publish these: honest.

    Parameters
    ----------
    epsilon, delta : float
        What is claimed, for one record more or less.
    rate : float
        Probability of a record to be in a batch.
    batches : int
        Steps.
    clip : float
        Largest norm of a record's gradient.
    """

    epsilon: float = 1.0
    delta: float = 1e-6
    rate: float = 0.1
    batches: int = 10
    clip: float = 1.0

    def release(self, train: Table, *, rng: np.random.Generator) -> Published:
        coding = Coding(train.schema, 2)
        codes = coding.encode(train)
        with dp_sgd.undisturbed(rng):
            spending = plan(epsilon=self.epsilon, delta=self.delta, rate=self.rate, steps=self.batches)
            steps = np.stack(self.steps(codes, coding.sizes, spending))
        claim = claim_of(spending, train.schema, epsilon=self.epsilon, delta=self.delta)
        return Published(train.take(np.arange(0)), len(train), claim, steps)

    def steps(self, codes: Codes, sizes: tuple[int, ...], spending: Plan) -> list[Floats]:
        """Train, and return what is published."""
        return self._trained(_network(sizes), codes, sizes, spending)

    def _trained(self, network: Any, codes: Codes, sizes: tuple[int, ...], spending: Plan) -> list[Floats]:
        gradients: list[Floats] = []
        usual = spending.rate * codes.shape[1]  # a step's gradient is divided by it
        dp_sgd.train(
            network,
            codes,
            sizes,
            spending,
            clip=self.clip,
            learning_rate=0.01,
            after=lambda: gradients.append(network.weight.weight.grad.numpy().T.astype(np.float64) * usual),
        )
        return gradients


@dataclass(frozen=True)
class NoiseTooSmall(Training):
    """The noise is smaller than planned by a factor: a variance taken for a standard deviation, a norm forgotten."""

    factor: float = 4.0

    def steps(self, codes: Codes, sizes: tuple[int, ...], spending: Plan) -> list[Floats]:
        return super().steps(codes, sizes, replace(spending, noise=spending.noise / self.factor))


@dataclass(frozen=True)
class NoSampling(Training):
    """The accountant has every record in a batch with probability `rate`; it is in more of them, up to all."""

    taken: float = 1.0

    def steps(self, codes: Codes, sizes: tuple[int, ...], spending: Plan) -> list[Floats]:
        return super().steps(codes, sizes, replace(spending, rate=self.taken))


@dataclass(frozen=True)
class LastStepBare(Training):
    """The last steps go by a code path that adds no noise."""

    bare: int = 1

    def steps(self, codes: Codes, sizes: tuple[int, ...], spending: Plan) -> list[Floats]:
        first, second = _network(sizes), _network(sizes)
        done = self._trained(first, codes, sizes, replace(spending, steps=spending.steps - self.bare))
        second.weight.weight.data.copy_(first.weight.weight.data)
        return done + self._trained(second, codes, sizes, replace(spending, noise=0.0, steps=self.bare))


@dataclass(frozen=True)
class BatchMeans(Training):
    """A normalising layer keeps running means of what passes it, which are published beside the gradients, bare."""

    momentum: float = 0.1

    def steps(self, codes: Codes, sizes: tuple[int, ...], spending: Plan) -> list[Floats]:
        network = _network(sizes, momentum=self.momentum)
        return [*self._trained(network, codes, sizes, spending), network.means.numpy().astype(np.float64)]


@dataclass(frozen=True)
class MeanClipped(Training):
    """The mean of a batch is clipped in place of each record's gradient, the noise is that for clipped records."""

    def steps(self, codes: Codes, sizes: tuple[int, ...], spending: Plan) -> list[Floats]:
        import torch

        network = _network(sizes)
        held = torch.from_numpy(np.ascontiguousarray(codes.T.astype(np.int64)))
        weight, usual = network.weight.weight, spending.rate * len(held)
        gradients: list[Floats] = []
        for _ in range(spending.steps):
            batch = held[torch.rand(len(held), dtype=torch.float64) < spending.rate]
            weight.grad = torch.zeros_like(weight)
            if len(batch):
                (network(dp_sgd.one_hot(batch, sizes)).sum() / usual).backward()
            mean = weight.grad * min(1.0, self.clip / (float(weight.grad.norm()) + 1e-12))
            mean += torch.randn_like(mean) * spending.noise * self.clip / usual
            weight.data -= 0.01 * mean
            gradients.append((mean * usual).numpy().T.astype(np.float64))
        return gradients


def _network(sizes: Iterable[int], *, momentum: float | None = None) -> Any:
    """Return the regression: its value is the negative log likelihood of each record's secret, times a constant."""
    import torch
    from torch import nn

    people, values = sizes

    class Regression(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Linear(people, values, bias=False)
            nn.init.zeros_(self.weight.weight)
            self.means = torch.zeros(people, values)

        def forward(self, records: Any) -> Any:
            who, secret = dp_sgd.blocks(records, (people, values))
            if momentum is not None:
                self.means = (1 - momentum) * self.means + momentum * (who.T @ secret) / max(len(records), 1)
            return -_STEEP * (secret * torch.log_softmax(self.weight(who), dim=1)).sum(dim=1)

    return Regression()


@dataclass(frozen=True)
class ReadSteps:
    """The likelihood of what was published of each canary, in which the noise of every step is taken from the step.

    A canary that is in the batch moves the difference d of its two numbers by +-a, a = sqrt(2) clip; else d is noise
    alone: P[d | secret] = (1 - rate) N(d; 0, s^2) + rate N(d; +-a, s^2). The noise s is the median of abs(d): a step
    without noise shows as one where most differences are 0.
    """

    def skip(self, view: View) -> str | None:
        return None if isinstance(view.release, Published) else "it reads the steps of a training"

    def infer(self, view: View, *, rng: np.random.Generator) -> Guess:
        assert isinstance(view.release, Published)
        assert isinstance(view.defense, Training)
        who = view.targets["who"]
        # the gradient of the own value's number is negative, the mean of what passed is positive
        every = view.release.steps[:, :, 0] - view.release.steps[:, :, 1]
        d, beside = every[: view.defense.batches], every[view.defense.batches :]
        s = np.maximum(np.median(np.abs(d), axis=1, keepdims=True) / 0.6745, 1e-6)
        a, rate = math.sqrt(2) * view.defense.clip, view.defense.rate
        near = [np.log(rate) - (d - side * a) ** 2 / (2 * s**2) for side in (1, -1)]
        alone = np.log(1 - rate) - d**2 / (2 * s**2)
        odds = (np.logaddexp(near[0], alone) - np.logaddexp(near[1], alone)).sum(axis=0)
        # what has no noise is taken at its word
        odds = odds - 50 * np.sign(beside).sum(axis=0)
        one = 1 / (1 + np.exp(-np.clip(odds[who], -500, 500)))
        return each_secret(view, lambda secret: np.stack([1 - one, one], axis=1))


@lru_cache
def people(records: int) -> Dataset:
    """Return people who are all known by name, with a secret of two values."""
    names = tuple(f"p{place}" for place in range(records))
    schema = Schema((Column("who", Kind.CATEGORICAL, names), Column("ill", Kind.CATEGORICAL, ("no", "yes"))))
    rng = stream(0, "deep")
    table = Table(schema, {"who": np.arange(records), "ill": rng.integers(2, size=records)})
    return Dataset("deep", table, table.take(np.arange(2)), source="made up")


@dataclass(frozen=True)
class DeepCase:
    """A bug of a training, and the test that has to find it: what `Case` is for mechanisms that are cheap to repeat.

    Parameters
    ----------
    name : str
        For the command line and the table.
    sizes : tuple of Size
        From the smallest violation to the largest.
    stated : str
        Label of the size that has to be caught, in 95 % of all tests.
    honest : Training
        The same without the bug, which has to pass.
    runs, targets : int
        Trainings in a test, and canaries in each.
    share : float
        Of the canaries that are guessed.
    """

    name: str
    sizes: tuple[Size, ...]
    stated: str
    honest: Training = Training()
    runs: int = 4
    targets: int = 500
    share: float = 0.1
    family: str = "deep"
    method: str = "one-run"

    @property
    def buggy(self) -> Size:
        """The bug of the stated size."""
        return next(size for size in self.sizes if size.label == self.stated)

    @property
    def claim(self) -> Claim:
        """What both versions claim."""
        claim = self.honest.release(self.dataset().records, rng=stream(0, "claim")).claim
        assert claim is not None
        return claim

    def dataset(self, size: Size | None = None) -> Dataset:
        """Return the data set, the same for all."""
        return people(self.targets)

    def test(self, size: Size | None, *, seed: int) -> dict[str, Any]:
        """Test the claim of a size of the bug, None for the honest version, and return what is told of it."""
        test = test_one_run(
            self.honest if size is None else size.defense,
            self.dataset(),
            self.claim,
            secrets=("ill",),
            runs=self.runs,
            targets=self.targets,
            records=self.targets,
            share=self.share,
            attacks=(ReadSteps(),),
            crafted=False,
            seed=seed,
            power=False,
        )
        return {
            "p_value": test.p_value,
            "epsilon_lower_bound": test.epsilon_lower_bound,
            "runs": test.runs,
            "seconds": test.seconds,
            "event": test.event,
        }


DEEP_CASES = (
    DeepCase(
        "noise of the steps too small",
        tuple(Size(f"by {factor:g}", NoiseTooSmall(factor=factor)) for factor in (1.5, 2, 3, 4, 10)),
        "by 4",
    ),
    DeepCase(
        "more batches than accounted for",
        tuple(Size(f"{taken:.0%} in place of 10%", NoSampling(taken=taken)) for taken in (0.2, 0.3, 0.5, 1.0)),
        "100% in place of 10%",
    ),
    DeepCase("mean of a batch clipped, not records", (Size("always", MeanClipped()),), "always"),
    DeepCase(
        "last steps without noise",
        tuple(Size(f"{bare} of 10", LastStepBare(bare=bare)) for bare in (1, 2, 5)),
        "1 of 10",
    ),
    DeepCase("means of a layer outside the budget", (Size("always", BatchMeans()),), "always"),
)
"""Bugs of trainings; what they publish is read step by step."""
