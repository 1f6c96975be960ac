"""Three files of an audit held to one schema: training, synthetic, and perhaps control.

Nothing that differs between them stops the audit if it can be reconciled, and everything reconciled, left out or
missing is said. The rules stand in reconcile.py (values) and domains.py (domains), beside this file.

References
----------
M. Giomi et al., "A Unified Framework for Quantifying Privacy Risk in Synthetic Data", PoPETs 2023: the three files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from privbench.datasets.alike_options import AlikeOptions
from privbench.datasets.apart import apart
from privbench.datasets.cells import take_apart
from privbench.datasets.csvfile import blanks_noted, check_names
from privbench.datasets.date_layouts import refuse_misdated
from privbench.datasets.domains import place
from privbench.datasets.files import read_frame
from privbench.datasets.infer import check_roles
from privbench.datasets.placed import Identifier, Placed
from privbench.datasets.reconcile import Reconciled, reconcile
from privbench.datasets.row_hashes import RowHashes
from privbench.datasets.shared_columns import SharedColumns, shared_columns
from privbench.errors import InputError, unknown
from privbench.schema import Schema
from privbench.table import Table

__all__ = ["Alike", "AlikeOptions", "Identifier", "read_alike"]

_PLAIN = AlikeOptions()

FEW = 10
"""Records below which a note says that hardly anything can be found."""


@dataclass(frozen=True, slots=True, eq=False)
class Alike:
    """Three files under one schema.

    Attributes
    ----------
    train, synthetic : Table
        Rows in the order of their files; the schema has `groups`, `label` and `positive`, no secrets.
    control : Table or None
    names : tuple of (str, str)
        Role (``training``, ``synthetic``, ``control``) and the file's name without its folder, or ``DataFrame``.
    notes : tuple of str
        A sentence on everything reconciled, left out, missing or extra.
    whole : mapping of str to array of uint64
        For each role a hash a row over all columns that the files share, identifiers included.
    identifiers : tuple of Identifier
    apart : tuple of str
        Columns in which the synthetic (or control) file has next to nothing in common with the training file, so that
        what is asked of them says nothing.
    loud : tuple of str
        Sentences to be said before any result: on columns that are apart, and on those that a file lacks.
    """

    train: Table
    synthetic: Table
    control: Table | None
    names: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    whole: Mapping[str, NDArray[np.uint64]]
    identifiers: tuple[Identifier, ...]
    apart: tuple[str, ...] = ()
    loud: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _File:
    """One file as it was read: where to say it stands, its name, its rows, and the columns not yet taken."""

    where: str
    name: str
    rows: int
    columns: dict[str, pd.Series[Any]]


def read_alike(
    train: str | Path | pd.DataFrame,
    synthetic: str | Path | pd.DataFrame,
    control: str | Path | pd.DataFrame | None = None,
    *,
    options: AlikeOptions = _PLAIN,
) -> Alike:
    """Read three files and hold them to one schema.

    Parameters
    ----------
    train, synthetic, control : path or DataFrame
        CSV (.csv, .csv.gz), Parquet or a frame; at least two records each. The order of columns does not matter.
    options : AlikeOptions
        Roles, kinds not to be inferred, and how CSV files are written.

    Returns
    -------
    Alike

    Raises
    ------
    InputError
        Naming the file: if one cannot be read as it stands, they share no column, a role names none, or the control
        file has the training file's records.
    """
    given = {"training": train, "synthetic": synthetic} | ({} if control is None else {"control": control})
    notes: list[str] = []
    read: dict[str, _File] = {}
    for role, source in given.items():
        read[role], said = _read(role, source, options)
        notes += said
    shared = _shared(read, options)
    notes += shared.notes
    strange: dict[str, list[str]] = {}
    hashes = RowHashes({role: file.rows for role, file in read.items()})
    placed: dict[str, Placed] = {}
    for name in shared.names:
        one = _reconciled(name, read, options)
        hashes.add(one)
        roles = [key for key, named in options.of_file("").named() if named == name and key in {"label", "groups"}]
        placed[name] = place(one, kind=_kind(name, options), role=roles[0] if roles else None)
        notes += [f"column {name!r}: {sentence}." for sentence in placed[name].said]
        if aloud := apart(one, placed[name]):
            strange[name] = aloud
    whole = hashes.rows
    _refuse_useless(read, whole, placed, options)
    schema, said = _schema(placed, options, read["training"].where)
    tables = {role: _table(schema, placed, role, file.rows) for role, file in read.items()}
    return Alike(
        train=tables["training"],
        synthetic=tables["synthetic"],
        control=tables.get("control"),
        names=tuple((role, file.name) for role, file in read.items()),
        notes=(*notes, *said, "Domains and bounds of all columns are read off the files."),
        whole=MappingProxyType(whole),
        identifiers=tuple(one.identifier for one in placed.values() if one.identifier is not None),
        apart=tuple(strange),
        loud=(*shared.loud, *(sentence for aloud in strange.values() for sentence in aloud)),
    )


def _read(role: str, source: str | Path | pd.DataFrame, options: AlikeOptions) -> tuple[_File, list[str]]:
    if isinstance(source, pd.DataFrame):
        where, name, said = f"the {role} DataFrame", "DataFrame", []
        given = list(source.columns)
        for one in given:
            if not isinstance(one, str):
                raise InputError(f"{where}: column name {one!r} is no text; give every column a name")
        check_names(where, names := [one.strip() for one in given])
        said = blanks_noted(given)
        columns = {one: source.iloc[:, place] for place, one in enumerate(names)}
        rows = len(source)
    else:
        where, name = str(source), Path(source).name
        frame, read = read_frame(source, text=options.categorical, dialect=options.dialect)
        columns, rows, said = {str(one): frame[one] for one in frame.columns}, len(frame), list(read)
    if options.dates is not None:
        said = [*said, *refuse_misdated(columns, options.dates, where, text=options.categorical)]
    if rows < 2 or not columns:
        has = "no column" if not columns else "no record" if rows == 0 else "one record"
        raise InputError(f"{where}: has {has}; at least two records are needed, check that the file is complete")
    if rows < FEW:
        said = [*said, f"has {rows} records, on which hardly anything can be found."]
    return _File(where, name, rows, columns), [f"{role} file: {note}" for note in said]


def _shared(read: Mapping[str, _File], options: AlikeOptions) -> SharedColumns:
    """Return what columns the files share; some, and all that have a role."""
    shared = shared_columns({role: file.columns for role, file in read.items()})
    common = shared.names
    if not common:
        first, *others = [file.where for file in read.values()]
        raise InputError(
            f"{first}: shares no column with {' and '.join(others)}; all files must name their columns alike"
        )
    for key, name in options.of_file("").named():
        lacking = [file.where for file in read.values() if name not in file.columns]
        if 0 < len(lacking) < len(read):
            raise InputError(f"{lacking[0]}: lacks column {name!r}, named under {key!r}; allowed: {', '.join(common)}")
        if lacking:
            raise unknown(f"column under {key!r} for {read['training'].where}", name, common)
    return shared


def _kind(name: str, options: AlikeOptions) -> str | None:
    return next((kind for kind in ("continuous", "categorical", "ordinal") if name in getattr(options, kind)), None)


def _reconciled(name: str, read: Mapping[str, _File], options: AlikeOptions) -> Reconciled:
    """Reconcile one column, and let go of it: a file of a million records is not held twice."""
    where = {role: f"{file.where}, column {name!r}" for role, file in read.items()}
    cells = {role: take_apart(file.columns.pop(name), where=where[role]) for role, file in read.items()}
    return reconcile(name, cells, where=where, kind=_kind(name, options), layout=options.dates)


def _refuse_useless(
    read: Mapping[str, _File],
    whole: Mapping[str, NDArray[np.uint64]],
    placed: Mapping[str, Placed],
    options: AlikeOptions,
) -> None:
    """Refuse a control file that is the training file, files without a column to audit, and roles of none."""
    if "control" in whole and np.array_equal(np.sort(whole["control"]), np.sort(whole["training"])):
        raise InputError(
            f"{read['control'].where}: holds the same records as {read['training'].where}, so that nothing tells "
            "people in the training file from others; give records of people who were not in it, or no control file"
        )
    everyone = ", ".join(file.where for file in read.values())
    if all(one.column is None for one in placed.values()):
        raise InputError(
            f"{everyone}: no column that all share can be audited, as each is an identifier, or has one value or none "
            f"({', '.join(placed)}); check that the files are complete"
        )
    for key, name in options.of_file("").named():
        if key in {"label", "groups"} and placed[name].column is None:
            raise InputError(
                f"{everyone}, column {name!r}: has no value, so it cannot stand under {key!r}; choose another"
            )


def _schema(placed: Mapping[str, Placed], options: AlikeOptions, where: str) -> tuple[Schema, list[str]]:
    columns = tuple(one.column for one in placed.values() if one.column is not None)
    schema = Schema(columns, groups=options.groups, label=options.label)
    positive, said = check_roles(schema, options.of_file(where), where)
    if options.label is None or options.positive is not None:
        return replace(schema, positive=positive), said
    # the last value may be one that the synthetic file made up
    label, arrays = schema[options.label], placed[options.label].arrays
    real = [value for value in (label.values[code] for code in np.unique(arrays["training"])) if value is not None]
    if len(real) < 2:
        has = f"the one value {real[0]!r}" if real else "no value"
        raise InputError(f"{where}, column {label.name!r}: has {has}; a label needs two or more, choose another column")
    # a value that real records alone have may be one person's
    public = label.code(real[-1]) in arrays["synthetic"]
    which = f"{real[-1]!r}, the last" if public else "the last of the training file's, which the release lacks"
    note = f"column {label.name!r}: the favourable value is {which}; `positive` overrides it."
    return replace(schema, positive=real[-1]), [note]


def _table(schema: Schema, placed: Mapping[str, Placed], role: str, rows: int) -> Table:
    arrays = {}
    for name in schema.names:
        array = np.ascontiguousarray(placed[name].arrays[role])
        array.flags.writeable = False  # so that the table takes it as it is, without a copy
        arrays[name] = array
    return Table(schema, arrays, rows)
