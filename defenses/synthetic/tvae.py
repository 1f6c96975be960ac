"""SDV's TVAE: a variational autoencoder for tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from defenses.synthetic.sdv_bridge import check_training, synthesize
from privbench.release import SyntheticTable
from privbench.table import Table

__all__ = ["Tvae"]


@dataclass(frozen=True)
class Tvae:
    """Train a variational autoencoder and draw from its decoder (SDV): no guarantee is claimed.

    Needs the extra `generators`.

    Parameters
    ----------
    epochs : int
        Passes over the records: about 0.2 s each for 10,000 records of 15 columns on one thread.
    batch_size : int
        Records in a training step.
    rows : int or None
        How many rows are released; None for as many as there are records.

    References
    ----------
    L. Xu, M. Skoularidou, A. Cuesta-Infante and K. Veeramachaneni, "Modeling Tabular Data using Conditional GAN",
    NeurIPS 2019.
    """

    epochs: int = 300
    batch_size: int = 500
    rows: int | None = None

    def __post_init__(self) -> None:
        check_training(epochs=self.epochs, batch_size=self.batch_size, rows=self.rows)

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        """Return rows drawn from the trained decoder.

        Raises
        ------
        InputError
            If there are fewer than two records.
        """
        options = {"epochs": self.epochs, "batch_size": self.batch_size, "enable_gpu": False}
        table = synthesize("TVAESynthesizer", train, rows=self.rows, options=options, rng=rng, fewest=2)
        return SyntheticTable(table, private_records=len(train))
