"""A conditional GAN whose critic, the only part that sees records, is trained with DP-SGD."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defenses.synthetic import deep
from defenses.synthetic.coding import Codes
from defenses.synthetic.dp_sgd import blocks
from privbench.errors import import_extra
from privbench.release import SyntheticTable
from privbench.table import Table

__all__ = ["DpCtgan"]

# Gumbel-softmax: low enough that rows are nearly whole, high enough that gradients pass
_TEMPERATURE = 0.3
# how strongly made rows are held to the noisy distributions; of the running average of the generator, what is kept
_ANCHOR = 100.0
_MEMORY = 0.99


@dataclass(frozen=True)
class DpCtgan:
    """Train a generator against a critic whose gradients are clipped and noisy, and draw from the generator: DP.

    As in CTGAN the generator is given a value of one column and must produce a row that has it; here the values are
    drawn from noisy one-way distributions, paid from the same budget, to which the generator is held as well. CTGAN's
    sampling of true records by their values and its critic's judging of ten records together are left out: both break
    the accounting of a single record. Under budgets like 1 or 10 on ten thousand records the critic learns little
    through its noise: relations between columns come out about as in `independent-histogram`. It is here for
    comparison; `dp-autoregressive`, `mst` and `aim` keep more. Epsilon is what the accountant says was spent. Needs
    the extra `generators`.

    Parameters
    ----------
    epsilon : float
        Total budget for one record more or less, positive.
    delta : float
        Above 0 and below 1; a public number, far below one over the number of records.
    epochs : int
        Passes over the records, in expectation.
    batch_size : int
        Records in a step, in expectation.
    hidden, latent : int
        Width of the hidden layers, and of the noise that the generator starts from.
    clip : float
        Largest norm of a record's gradient.
    learning_rate : float
        Of Adam, for both parts.
    bins : int
        Cells into which the domain of a continuous column is cut, equal in width.
    rows : int or None
        How many rows are released; None for as many as there are records.

    References
    ----------
    L. Xu, M. Skoularidou, A. Cuesta-Infante and K. Veeramachaneni, "Modeling Tabular Data using Conditional GAN",
    NeurIPS 2019.
    M. Fang, D. Dhami and K. Kersting, "DP-CTGAN: Differentially Private Medical Data Generation Using CTGANs",
    AIME 2022.
    """

    epsilon: float = 1.0
    delta: float = 1e-6
    epochs: int = 30
    batch_size: int = 500
    hidden: int = 128
    latent: int = 32
    clip: float = 1.0
    learning_rate: float = 0.001
    bins: int = 32
    rows: int | None = None

    def __post_init__(self) -> None:
        deep.check_settings(self, sizes=(self.hidden, self.latent))

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        """Return rows drawn from the generator."""
        return deep.publish(self, train, self._build, rng=rng)

    def _build(self, sizes: tuple[int, ...], shares: list[NDArray[np.float64]]) -> deep.Untrained:
        game = _Game(sizes, shares, self)
        return deep.Untrained(game.critic, game.draw, game.train_generator)


class _Game:
    """The two networks, and the generator's side of their training: it sees noisy distributions and the critic only."""

    def __init__(self, sizes: Sequence[int], shares: Sequence[NDArray[np.float64]], settings: DpCtgan) -> None:
        torch: Any = import_extra("torch", extra="generators")
        self.torch, self.sizes, self.settings = torch, tuple(sizes), settings
        nn, width, hidden = torch.nn, sum(sizes), settings.hidden
        self.shares = torch.from_numpy(np.concatenate(shares).astype(np.float32))
        self.generator = nn.Sequential(
            nn.Linear(settings.latent + width, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, width),
        )
        with torch.no_grad():
            self.generator[4].bias.copy_(self.shares.clamp(min=1e-5).log())
        self.averaged = [parameter.detach().clone() for parameter in self.generator.parameters()]
        self.optimizer = torch.optim.Adam(self.generator.parameters(), lr=settings.learning_rate, betas=(0.5, 0.9))
        make = self.rows_of

        class Critic(nn.Module):  # type: ignore[misc, name-defined]
            """Tell records from made rows; its value is the loss on each record with one made row beside it."""

            def __init__(self) -> None:
                super().__init__()
                self.layers = nn.Sequential(
                    nn.Linear(width, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, hidden), nn.LeakyReLU(0.2)
                )
                self.last = nn.Linear(hidden, 1)

            def judge(self, rows: Any) -> Any:
                return self.last(self.layers(rows))[..., 0]

            def forward(self, records: Any) -> Any:
                with torch.no_grad():
                    made, _, _ = make(len(records))
                scores = self.judge(torch.stack([records, made], dim=1))
                return nn.functional.softplus(-scores[:, 0]) + nn.functional.softplus(scores[:, 1])

        self.critic = Critic()

    def rows_of(self, count: int) -> tuple[Any, Any, Any]:
        """Return nearly whole rows, their logits, and the conditions they were made under."""
        torch = self.torch
        condition = self._conditions(count)
        noise = torch.randn(count, self.settings.latent)
        logits = self.generator(torch.cat([noise, condition], dim=1))
        parts = [
            torch.nn.functional.gumbel_softmax(part, tau=_TEMPERATURE, hard=True) for part in blocks(logits, self.sizes)
        ]
        return torch.cat(parts, dim=1), logits, condition

    def _conditions(self, count: int) -> Any:
        """Return one value of one column a row, drawn from its noisy distribution; nothing else is set."""
        torch = self.torch
        parts = []
        column = torch.randint(len(self.sizes), (count,))
        for place, share in enumerate(blocks(self.shares[None, :], self.sizes)):
            value = torch.multinomial(share[0], count, replacement=True)
            here = torch.nn.functional.one_hot(value, self.sizes[place]).float()
            parts.append(here * (column == place)[:, None])
        return torch.cat(parts, dim=1)

    def train_generator(self) -> None:
        """Make the critic take made rows for records, and the rows keep their conditions and the distributions."""
        nn = self.torch.nn
        made, logits, condition = self.rows_of(self.settings.batch_size)
        wanted = zip(blocks(condition, self.sizes), blocks(logits, self.sizes), strict=True)
        missed = sum(-(part * nn.functional.log_softmax(logit, dim=1)).sum(dim=1) for part, logit in wanted)
        strayed = ((made.mean(dim=0) - self.shares) ** 2).sum()
        loss = (nn.functional.softplus(-self.critic.judge(made)) + missed).mean() + _ANCHOR * strayed
        # its own parameters only: the critic's gradients are the private ones
        gradients = self.torch.autograd.grad(loss, list(self.generator.parameters()))
        for parameter, gradient in zip(self.generator.parameters(), gradients, strict=True):
            parameter.grad = gradient
        self.optimizer.step()
        with self.torch.no_grad():
            for kept, parameter in zip(self.averaged, self.generator.parameters(), strict=True):
                kept.lerp_(parameter, 1 - _MEMORY)

    def draw(self, rows: int) -> Codes:
        """Return rows of the trained generator."""
        torch = self.torch
        codes: Codes = np.empty((len(self.sizes), rows), dtype=np.min_scalar_type(max(self.sizes) - 1))
        with torch.no_grad():
            for parameter, kept in zip(self.generator.parameters(), self.averaged, strict=True):
                parameter.copy_(kept)
            for start in range(0, rows, 10_000):
                made, _, _ = self.rows_of(min(10_000, rows - start))
                for row, part in zip(codes, blocks(made, self.sizes), strict=True):
                    row[start : start + len(made)] = part.argmax(dim=1).numpy()
        return codes
