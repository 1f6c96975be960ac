"""Column after column, each from those before it: a chain of small networks trained with DP-SGD."""

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

__all__ = ["DpAutoregressive"]


@dataclass(frozen=True)
class DpAutoregressive:
    """Train conditional distributions of each column given those before it, with noisy gradients, and draw: DP.

    A likelihood has a gradient that points the same way for most records, which noise harms far less than the game of
    a generator and a critic. The chain starts from noisy one-way distributions, paid from the same budget. Epsilon is
    what the accountant says was spent. Needs the extra `generators`.

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
    hidden : int
        Width of each column's hidden layer.
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
    P. Tiwald et al., "TabularARGN: A Flexible and Efficient Auto-Regressive Framework for Generating High-Fidelity
    Synthetic Data", 2025.
    M. Abadi et al., "Deep Learning with Differential Privacy", CCS 2016.
    """

    epsilon: float = 1.0
    delta: float = 1e-6
    epochs: int = 60
    batch_size: int = 1000
    hidden: int = 32
    clip: float = 1.0
    learning_rate: float = 0.01
    bins: int = 32
    rows: int | None = None

    def __post_init__(self) -> None:
        deep.check_settings(self, sizes=(self.hidden,))

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        """Return rows drawn column after column."""
        return deep.publish(self, train, self._build, rng=rng)

    def _build(self, sizes: tuple[int, ...], shares: list[NDArray[np.float64]]) -> deep.Untrained:
        chain = _chain(sizes, shares, hidden=self.hidden)
        return deep.Untrained(chain, lambda rows: _draw(chain, sizes, rows=rows))


def _chain(sizes: Sequence[int], shares: Sequence[NDArray[np.float64]], *, hidden: int) -> Any:
    """Return the networks: their value is the negative log likelihood of each record, in nats."""
    torch: Any = import_extra("torch", extra="generators")
    nn = torch.nn
    before = np.cumsum((0, *sizes))

    class Chain(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.ModuleList(nn.Linear(max(int(width), 1), hidden) for width in before[:-1])
            self.last = nn.ModuleList(nn.Linear(hidden, size) for size in sizes)
            with torch.no_grad():
                for layer, share in zip(self.last, shares, strict=True):
                    layer.weight.zero_()
                    layer.bias.copy_(torch.from_numpy(np.log(np.maximum(share, 1e-5)).astype(np.float32)))

        def logits(self, column: int, records: Any) -> Any:
            """Return a column's logits from the indicators of those before it; the first has a constant before it."""
            known = records[:, : before[column]] if column else torch.zeros(len(records), 1)
            return self.last[column](torch.tanh(self.first[column](known)))

        def forward(self, records: Any) -> Any:
            return sum(
                -(part * nn.functional.log_softmax(self.logits(column, records), dim=1)).sum(dim=1)
                for column, part in enumerate(blocks(records, sizes))
            )

    return Chain()


def _draw(chain: Any, sizes: Sequence[int], *, rows: int) -> Codes:
    torch: Any = import_extra("torch", extra="generators")
    codes: Codes = np.empty((len(sizes), rows), dtype=np.min_scalar_type(max(sizes) - 1))
    edges = np.cumsum((0, *sizes))
    with torch.no_grad():
        for start in range(0, rows, 10_000):
            here = min(10_000, rows - start)
            records = torch.zeros(here, int(edges[-1]))
            for column in range(len(sizes)):
                drawn = torch.multinomial(chain.logits(column, records).softmax(dim=1), 1)
                records.scatter_(1, drawn + int(edges[column]), 1.0)
                codes[column, start : start + here] = drawn[:, 0].numpy()
    return codes
