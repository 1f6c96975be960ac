"""The randomisers of single values by name: of discrete columns, and of continuous ones."""

from __future__ import annotations

from typing import Literal

from defenses.ldp.duchi import Duchi
from defenses.ldp.grr import Grr
from defenses.ldp.hybrid import Hybrid
from defenses.ldp.local_hashing import Blh, Olh
from defenses.ldp.piecewise import Piecewise
from defenses.ldp.pure_protocol import PureProtocol
from defenses.ldp.square_wave import SquareWave
from defenses.ldp.subset_selection import SubsetSelection
from defenses.ldp.unary import Oue, Sue, The
from privbench.oracles import NumericOracle
from privbench.schema import Column

__all__ = ["DISCRETE", "NUMERIC", "DiscreteName", "NumericName", "numeric_oracle"]

DiscreteName = Literal["grr", "sue", "oue", "ss", "blh", "olh", "the"]
NumericName = Literal["duchi", "piecewise", "hybrid", "square-wave"]

DISCRETE: dict[DiscreteName, type[PureProtocol]] = {
    "grr": Grr,
    "sue": Sue,
    "oue": Oue,
    "ss": SubsetSelection,
    "blh": Blh,
    "olh": Olh,
    "the": The,
}
"""Randomisers of one of k values: each takes `size` and `epsilon`."""
NUMERIC: dict[NumericName, type[Duchi | Piecewise | Hybrid | SquareWave]] = {
    "duchi": Duchi,
    "piecewise": Piecewise,
    "hybrid": Hybrid,
    "square-wave": SquareWave,
}
"""Randomisers of a number within bounds: each takes `low`, `high` and `epsilon`."""


def numeric_oracle(name: NumericName, column: Column, epsilon: float) -> NumericOracle:
    """Return the randomiser of a continuous column, within the bounds that its schema states."""
    return NUMERIC[name](low=float(column.low), high=float(column.high), epsilon=epsilon)
