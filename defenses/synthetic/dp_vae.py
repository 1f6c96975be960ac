"""A variational autoencoder trained with DP-SGD."""

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

__all__ = ["DpVae"]


@dataclass(frozen=True)
class DpVae:
    """Train a variational autoencoder with noisy, clipped gradients and draw from its decoder: DP.

    The decoder starts from noisy one-way distributions, paid from the same budget, so that the noisy steps have only
    relations to learn. Epsilon is what the accountant says was spent. Needs the extra `generators`.

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
        Width of the hidden layers, and of the code between encoder and decoder.
    clip : float
        Largest norm of a record's gradient.
    learning_rate : float
        Of Adam.
    bins : int
        Cells into which the domain of a continuous column is cut, equal in width.
    rows : int or None
        How many rows are released; None for as many as there are records.

    References
    ----------
    D. Kingma and M. Welling, "Auto-Encoding Variational Bayes", ICLR 2014.
    M. Abadi et al., "Deep Learning with Differential Privacy", CCS 2016.
    """

    epsilon: float = 1.0
    delta: float = 1e-6
    epochs: int = 60
    batch_size: int = 1000
    hidden: int = 64
    latent: int = 16
    clip: float = 1.0
    learning_rate: float = 0.005
    bins: int = 32
    rows: int | None = None

    def __post_init__(self) -> None:
        deep.check_settings(self, sizes=(self.hidden, self.latent))

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        """Return rows drawn from the decoder."""
        return deep.publish(self, train, self._build, rng=rng)

    def _build(self, sizes: tuple[int, ...], shares: list[NDArray[np.float64]]) -> deep.Untrained:
        model = _model(sizes, shares, hidden=self.hidden, latent=self.latent)
        return deep.Untrained(model, lambda rows: _draw(model, sizes, rows=rows, latent=self.latent))


def _model(sizes: Sequence[int], shares: Sequence[NDArray[np.float64]], *, hidden: int, latent: int) -> Any:
    """Return the autoencoder: its value is the negative evidence bound of each record, in nats."""
    torch: Any = import_extra("torch", extra="generators")
    nn, width = torch.nn, sum(sizes)

    class Autoencoder(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.encoder = nn.Sequential(nn.Linear(width, hidden), nn.Tanh(), nn.Linear(hidden, 2 * latent))
            self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.Tanh(), nn.Linear(hidden, width))
            with torch.no_grad():
                start = np.log(np.maximum(np.concatenate(shares), 1e-5))
                self.decoder[2].bias.copy_(torch.from_numpy(start.astype(np.float32)))

        def forward(self, records: Any) -> Any:
            mean, log_variance = self.encoder(records).chunk(2, dim=1)
            # a loss that overflows has a gradient that no clipping bounds
            mean, log_variance = mean.clamp(-1e3, 1e3), log_variance.clamp(-20, 20)
            code = mean + torch.randn_like(mean) * torch.exp(log_variance / 2)
            logits = self.decoder(code)
            missed = sum(
                -(part * nn.functional.log_softmax(logit, dim=1)).sum(dim=1)
                for part, logit in zip(blocks(records, sizes), blocks(logits, sizes), strict=True)
            )
            return missed + (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=1) / 2

    return Autoencoder()


def _draw(model: Any, sizes: Sequence[int], *, rows: int, latent: int) -> Codes:
    torch: Any = import_extra("torch", extra="generators")
    codes: Codes = np.empty((len(sizes), rows), dtype=np.min_scalar_type(max(sizes) - 1))
    with torch.no_grad():
        for start in range(0, rows, 10_000):
            here = min(10_000, rows - start)
            logits = model.decoder(torch.randn(here, latent))
            for row, logit in zip(codes, blocks(logits, sizes), strict=True):
                row[start : start + here] = torch.multinomial(logit.softmax(dim=1), 1)[:, 0].numpy()
    return codes
