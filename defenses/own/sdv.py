"""A generator that is a synthesizer of SDV, by the name of its class or as an object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from defenses.own.conform import conform
from defenses.synthetic.sdv_bridge import refit, synthesize
from privbench.errors import InputError
from privbench.given import find
from privbench.release import SyntheticTable
from privbench.table import Table

__all__ = ["Sdv"]


@dataclass(frozen=True)
class Sdv:
    """Fit any single-table synthesizer of SDV and draw from it, with a seed of our own: no guarantee is claimed.

    An object keeps its settings and its metadata; a copy of it is fitted to the training records. A class named here
    gets the description of the columns from the schema. Needs the extra `generators`.

    Parameters
    ----------
    synthesizer : str or object
        A class in ``sdv.single_table``, as ``GaussianCopulaSynthesizer``, or ``file.py:name`` of an object; in Python
        also the object itself.
    options : mapping
        Arguments of a class that is named, beside the metadata.
    rows : int or None
        How many rows are released; None for as many as there are records.
    repair : bool
        Round numbers of a column of whole numbers, and move numbers beyond its bounds to them, instead of refusing;
        for an object or a reference to one.

    References
    ----------
    N. Patki, R. Wedge and K. Veeramachaneni, "The Synthetic Data Vault", DSAA 2016.
    """

    references: ClassVar[tuple[str, ...]] = ("synthesizer",)

    synthesizer: Any
    options: Mapping[str, Any] = field(default_factory=dict)
    rows: int | None = None
    repair: bool = False

    def __post_init__(self) -> None:
        if self.rows is not None and self.rows < 1:
            raise InputError(f"rows must be at least 1, got {self.rows}")
        if self.options and not isinstance(self.synthesizer, str | type):
            raise InputError("options go with the name of a class; an object has its settings already")

    def release(self, train: Table, *, rng: np.random.Generator) -> SyntheticTable:
        """Return rows drawn from the fitted synthesizer.

        Raises
        ------
        InputError
            If there is no such synthesizer, or its rows are none of these columns.
        """
        rows, wanted = self.rows or len(train), self.synthesizer
        if isinstance(wanted, type):  # as good as its name
            wanted = wanted.__name__
        if isinstance(wanted, str) and ":" not in wanted:
            table = synthesize(wanted, train, rows=rows, options=self.options, rng=rng)
        else:
            item = find(wanted) if isinstance(wanted, str) else wanted
            frame = refit(item, train.to_frame(), rows=rows, rng=rng)
            table = conform(frame, train.schema, source=f"the synthesizer {type(item).__name__}", repair=self.repair)
        return SyntheticTable(table, private_records=len(train))
