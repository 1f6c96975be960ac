"""SDV's CopulaGAN: CTGAN on numbers whose distributions were fitted first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from defenses.synthetic.sdv_bridge import check_training, synthesize
from privbench.release import SyntheticTable
from privbench.table import Table

__all__ = ["CopulaGan"]


@dataclass(frozen=True)
class CopulaGan:
    """Map each number to a normal one by a fitted distribution, then train CTGAN (SDV): no guarantee is claimed.

    Needs the extra `generators`.

    Parameters
    ----------
    epochs : int
        Passes over the records: some 1.2 s each for 10,000 records of 15 columns on one thread.
    batch_size : int
        Records in a training step, drawn with replacement: a multiple of 10.
    rows : int or None
        How many rows are released; None for as many as there are records.

    References
    ----------
    L. Xu, M. Skoularidou, A. Cuesta-Infante and K. Veeramachaneni, "Modeling Tabular Data using Conditional GAN",
    NeurIPS 2019; the copula step is SDV's own.
    """

    epochs: int = 100
    batch_size: int = 500
    rows: int | None = None

    def __post_init__(self) -> None:
        check_training(epochs=self.epochs, batch_size=self.batch_size, rows=self.rows, together=10)

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        """Return rows drawn from the trained generator.

        Raises
        ------
        InputError
            If there are fewer than two records.
        """
        options = {"epochs": self.epochs, "batch_size": self.batch_size, "enable_gpu": False}
        table = synthesize("CopulaGANSynthesizer", train, rows=self.rows, options=options, rng=rng, fewest=2)
        return SyntheticTable(table, private_records=len(train))
