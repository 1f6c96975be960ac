"""DP-SGD: a network descends by noisy sums of clipped gradients of Poisson samples.

Every record is in a batch with the same probability on its own, its gradient is clipped, the sum gets noise. How much
is planned by `defenses.synthetic.accountant`.

References
----------
M. Abadi et al., "Deep Learning with Differential Privacy", CCS 2016.
A. Yousefpour et al., "Opacus: User-Friendly Differential Privacy Library in PyTorch", 2021.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np

from defenses.synthetic.accountant import Plan
from defenses.synthetic.coding import Codes
from privbench.environment import environment_kept
from privbench.errors import import_extra
from privbench.rng import seeded_globals
from privbench.threads import one_thread

__all__ = ["blocks", "one_hot", "train", "undisturbed"]


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
    torch: Any = import_extra("torch", extra="generators")
    clipping: Any = import_extra("opacus.utils.fast_gradient_clipping_utils", extra="generators")
    grad_sample: Any = import_extra("opacus.grad_sample.grad_sample_module_fast_gradient_clipping", extra="generators")
    optimizers: Any = import_extra("opacus.optimizers.optimizer_fast_gradient_clipping", extra="generators")
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
    torch: Any = import_extra("torch", extra="generators")
    edges = torch.from_numpy(np.cumsum((0, *sizes))[:-1].copy())
    return torch.zeros(len(codes), sum(sizes)).scatter_(1, codes + edges, 1.0)


def blocks(wide: Any, sizes: Sequence[int]) -> list[Any]:
    """Return the columns' parts of something ``(b, W)``."""
    return [wide[:, a:b] for a, b in pairwise(np.cumsum((0, *sizes)).tolist())]


@contextmanager
def undisturbed(rng: np.random.Generator) -> Iterator[None]:
    """Train with global generators seeded from `rng`, one thread and no warnings of the libraries; put all back."""
    with environment_kept(), seeded_globals(rng), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import_extra("torch", extra="generators")
        import_extra("opacus.grad_sample", extra="generators")
    with environment_kept(), one_thread(), seeded_globals(rng), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
