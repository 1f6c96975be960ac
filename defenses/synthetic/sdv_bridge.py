"""The way to SDV's single-table synthesizers and back: our schema as their metadata, our codes as their values.

SDV samples every fitted synthesizer from one fixed seed; here the state is set from our own generator. Its import
writes a logging configuration into the user's data folder; here that goes to a folder that is removed again.

References
----------
N. Patki, R. Wedge and K. Veeramachaneni, "The Synthetic Data Vault", DSAA 2016. SDV is under the Business Source
License 1.1.
"""

from __future__ import annotations

import copy
import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from privbench.environment import environment_kept
from privbench.errors import InputError, import_extra, unknown
from privbench.rng import seeded_globals
from privbench.schema import Column, Kind, Schema
from privbench.table import Table
from privbench.threads import one_thread

__all__ = ["check_training", "refit", "synthesize"]

_TABLE = "table"


def check_training(*, epochs: int, batch_size: int, rows: int | None, together: int = 1) -> None:
    """Refuse settings that a trained synthesizer cannot use.

    Parameters
    ----------
    epochs, batch_size, rows
        As in the synthesizers.
    together : int
        How many records a critic judges at a time: a batch must be a multiple of it.

    Raises
    ------
    InputError
        If a number is below 1, or the batch size no multiple of `together`.
    """
    if epochs < 1 or (rows is not None and rows < 1):
        raise InputError(f"epochs and rows must be at least 1, got {epochs} and {rows}")
    if batch_size < 1 or batch_size % together:
        needed = f"a multiple of {together}" if together > 1 else "at least 1"
        raise InputError(f"batch_size must be {needed}, got {batch_size}")


def synthesize(
    name: str, train: Table, *, rows: int | None, options: Mapping[str, Any], rng: np.random.Generator, fewest: int = 1
) -> Table:
    """Fit one of SDV's single-table synthesizers and draw rows that conform to the schema.

    Numbers are rounded and clipped to their domain. Global random state, warning filters and thread counts are left as
    they were found.

    Parameters
    ----------
    name : str
        The class in ``sdv.single_table``.
    train : Table
        The records to fit.
    rows : int or None
        How many to draw; None for as many as there are records.
    options : mapping
        Arguments of the class beside the metadata.
    rng : Generator
        The only source of randomness.
    fewest : int
        How many records it needs.

    Raises
    ------
    MissingExtraError
        If SDV is not installed.
    InputError
        If SDV has no such class, or there are too few records for it.
    """
    if len(train) < fewest:
        raise InputError(f"{name} needs at least {fewest} training records, got {len(train)}; give it more")
    with _undisturbed(rng):
        single_table, metadata = _import()
    kinds = [kind for kind in dir(single_table) if kind.endswith("Synthesizer")]
    if name not in kinds:
        raise unknown("synthesizer of SDV", name, kinds)
    with one_thread(), _undisturbed(rng) as seed:
        try:
            synthesizer = getattr(single_table, name)(_describe(metadata, train.schema), **options)
        except TypeError as error:
            raise InputError(f"{name} does not take these options: {error}") from None
        columns = train.schema.columns
        frame = pd.DataFrame({column.name: _outward(column, train[column.name]) for column in columns})
        drawn = _fit_and_draw(synthesizer, frame, table=_TABLE, rows=rows or len(train), seed=seed)
    return Table(train.schema, {column.name: _inward(column, drawn[column.name]) for column in columns})


def refit(synthesizer: Any, frame: pd.DataFrame, *, rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Fit a copy of somebody's synthesizer to a frame and draw rows as it gives them.

    Parameters
    ----------
    synthesizer : object
        A single-table synthesizer of SDV, with metadata and settings of its own, fitted or not.
    frame : DataFrame
        The records to fit, as plain values.
    rows : int
        How many to draw.
    rng : Generator
        The only source of randomness.

    Raises
    ------
    InputError
        If it is no synthesizer of a single table.
    """
    if not all(hasattr(synthesizer, name) for name in ("fit", "sample", "metadata", "reset_sampling")):
        raise InputError(f"synthesizer: {type(synthesizer).__name__} is no single-table synthesizer of SDV")
    with one_thread(), _undisturbed(rng) as seed:
        (table,) = synthesizer.metadata.tables
        drawn = _fit_and_draw(copy.deepcopy(synthesizer), frame, table=table, rows=rows, seed=seed)
    return drawn


def _fit_and_draw(synthesizer: Any, frame: pd.DataFrame, *, table: str, rows: int, seed: int) -> pd.DataFrame:
    synthesizer.fit({table: frame})
    synthesizer.reset_sampling()
    synthesizer._set_random_state(seed)  # there is no public way: a fitted synthesizer has one fixed seed
    drawn: pd.DataFrame = synthesizer.sample(num_rows=rows)[table]
    return drawn


@contextmanager
def _undisturbed(rng: np.random.Generator) -> Iterator[int]:
    """Seed the global generators, silence SDV's advice on metadata and dependencies, and put all of it back."""
    logger = logging.getLogger("sdv")
    level = logger.level
    with environment_kept(), seeded_globals(rng) as seed, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logger.setLevel(logging.ERROR)
        try:
            yield seed
        finally:
            logger.setLevel(level)


def _import() -> tuple[ModuleType, ModuleType]:
    """Import SDV with its log configuration sent to a folder that is removed again."""
    platformdirs: Any = import_extra("platformdirs", extra="generators")
    original = platformdirs.user_data_dir
    try:
        with tempfile.TemporaryDirectory() as folder:
            platformdirs.user_data_dir = lambda *_, **__: folder
            return (
                import_extra("sdv.single_table", extra="generators"),
                import_extra("sdv.metadata", extra="generators"),
            )
    finally:
        platformdirs.user_data_dir = original


def _describe(metadata: Any, schema: Schema) -> Any:
    """Return SDV's description of the columns; nothing is detected from records."""
    columns = {
        column.name: {"sdtype": "numerical" if _is_number(column) else "categorical"} for column in schema.columns
    }
    return metadata.Metadata.load_from_dict({"tables": {_TABLE: {"columns": columns}}})


def _is_number(column: Column) -> bool:
    return not column.discrete or (column.kind is Kind.ORDINAL and None not in column.values)


def _outward(column: Column, array: Any) -> Any:
    """Give SDV numbers, or the codes as text: no value can then be mistaken for another type or for missing."""
    if not _is_number(column):
        return np.array([f"v{code}" for code in range(column.size)], dtype=object)[array]
    return array.astype(np.int64) if column.discrete or column.integer else array


def _inward(column: Column, series: pd.Series) -> Any:
    if not _is_number(column):
        return series.astype(str).str[1:].astype(np.int64).to_numpy()
    numbers = series.to_numpy(dtype=np.float64)
    low, high = (0.0, column.size - 1.0) if column.discrete else (column.low, column.high)
    clipped = np.clip(numbers, low, high)
    return np.round(clipped) if column.discrete or column.integer else clipped
