"""What a step of DP-SGD does to gradients."""

from __future__ import annotations

import math
from importlib.util import find_spec

import numpy as np
import pytest

from defenses.synthetic import dp_sgd
from defenses.synthetic.accountant import Plan
from privbench.rng import stream

pytestmark = pytest.mark.skipif(find_spec("opacus") is None, reason="the extra `generators` is not installed")


class TestSteps:
    """One linear layer and plain descent in place of Adam: then a step is the clipped, noisy mean itself."""

    SIZES = (2, 3)

    def run(self, monkeypatch, spending, *, records=50, clip=1.0, scale=100.0, seed=0):
        """Return the change of the weights over all steps, and the sizes of the batches."""
        import torch

        batches = []

        class Layer(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.linear = torch.nn.Linear(5, 4, bias=False)

            def forward(self, rows):
                batches.append(len(rows))
                return scale * self.linear(rows).sum(dim=1)

        monkeypatch.setattr(torch.optim, "Adam", lambda parameters, lr: torch.optim.SGD(parameters, lr=lr))
        codes = np.zeros((2, records), dtype=np.uint8)
        with dp_sgd.undisturbed(stream(seed, "steps")):
            layer = Layer()
            before = layer.linear.weight.detach().numpy().copy()
            dp_sgd.train(layer, codes, self.SIZES, spending, clip=clip, learning_rate=1.0)
            return layer.linear.weight.detach().numpy() - before, np.array(batches)

    @pytest.mark.parametrize("clip", [0.5, 2.0])
    def test_a_record_moves_the_weights_by_its_clipped_gradient(self, monkeypatch, clip):
        moved, _ = self.run(monkeypatch, Plan(1e-9, 1.0, rate=1.0, steps=1), clip=clip)
        # the records are alike: the mean gradient is that of one, of norm 100 sqrt(8) before clipping
        assert np.linalg.norm(moved) == pytest.approx(clip, rel=1e-3)

    def test_gradients_below_the_norm_stay(self, monkeypatch):
        moved, _ = self.run(monkeypatch, Plan(1e-9, 1.0, rate=1.0, steps=1), clip=10.0, scale=1.0)
        assert np.linalg.norm(moved) == pytest.approx(math.sqrt(8), rel=1e-3)

    def test_noise_has_the_planned_size(self, monkeypatch):
        draws = np.stack([self.run(monkeypatch, Plan(3.0, 1.0, 1.0, 1), clip=2.0, seed=s)[0] for s in range(150)])
        # columns of the layer that no record touches get noise alone: noise times clip over the expected batch
        idle = draws[:, :, [1, 3, 4]]
        assert idle.std() == pytest.approx(3.0 * 2.0 / 50, rel=0.08)
        assert abs(idle.mean()) < 4 * idle.std() / math.sqrt(idle.size)

    def test_every_record_is_in_a_batch_on_its_own(self, monkeypatch):
        _, batches = self.run(monkeypatch, Plan(1.0, 1.0, rate=0.1, steps=400), records=200)
        # binomial of 200 and .1, not 20 each time
        assert batches.mean() == pytest.approx(20, abs=4 * math.sqrt(18 / 400))
        assert batches.var() == pytest.approx(18, rel=0.3)

    def test_an_empty_batch_is_a_noisy_step_too(self, monkeypatch):
        moved, batches = self.run(monkeypatch, Plan(1.0, 1.0, rate=1e-6, steps=3), records=5)
        assert (batches == 0).all()
        assert np.linalg.norm(moved) > 0.1
