"""How far a release's marginals are from those of the records behind it, for the quality tests of all generators."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from privbench.datasets import adult as adult_data
from privbench.rng import stream
from privbench.scorers.utility import score_marginals
from privbench.table import Table, bin_count, to_bins

BINS = 20


@lru_cache(maxsize=4)
def adult(n: int = 10_000, seed: int = 0) -> Table:
    """Return n training records of Adult, all 15 columns."""
    records = adult_data.load().records
    return records.take(stream(seed, "quality").permutation(len(records))[:n])


def tvd(release: Table, train: Table) -> dict[int, float]:
    """Return the mean total variation distance of all 1-, 2- and 3-way marginals, by the number of columns."""
    columns = train.schema.columns
    coded = [
        np.column_stack([to_bins(column, table[column.name], bins=BINS) for column in columns])
        for table in (release, train)
    ]
    scores = score_marginals(coded[0], coded[1], [bin_count(column, BINS) for column in columns])
    return {order: score.value for order, score in enumerate(scores, start=1)}
