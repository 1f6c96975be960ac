"""Results on disk: atomic Parquet files a cell, a manifest of the last run, and DuckDB to read them all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from privbench.atomic import write_atomically
from privbench.errors import InputError
from privbench.record import Row, to_arrow, to_frame

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["Scratch", "Store"]


@dataclass(frozen=True, slots=True)
class Scratch:
    """A folder for the unfinished work of one cell, as `privbench.contracts.Scratch` says.

    Parameters
    ----------
    folder : Path
        Made when something is first kept.
    """

    folder: Path

    def load(self, name: str) -> bytes | None:
        """Return what was kept under a name, or None."""
        try:
            return (self.folder / name).read_bytes()
        except OSError:
            return None

    def save(self, name: str, content: bytes) -> None:
        """Keep bytes under a name: a reader sees all of them or none."""
        write_atomically(self.folder / name, lambda half: half.write_bytes(content))

    def clear(self) -> None:
        """Remove everything that was kept."""
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Store:
    """A folder of results.

    Parameters
    ----------
    folder : Path
        ``cells/KEY.parquet`` holds the rows of one finished cell, ``people/KEY.parquet`` its attack's figures on each
        target, ``targets/KEY.parquet`` what is known of the targets of a round, ``run.json`` what the last run was,
        ``releases/`` what defenses published, ``scratch/KEY`` the unfinished work of a cell's attack. The releases are
        pickles: open only folders of your own.
    """

    folder: Path

    def cell(self, key: str) -> Path:
        """Return where a cell's rows are kept."""
        return self.folder / "cells" / f"{key}.parquet"

    def release(self, key: str) -> Path:
        """Return where a release is kept."""
        return self.folder / "releases" / f"{key}.pickle"

    def scratch(self, key: str) -> Scratch:
        """Return where a cell's attack keeps its unfinished work."""
        return Scratch(self.folder / "scratch" / key)

    def people(self, key: str) -> Path:
        """Return where a cell's figures on single people are kept."""
        return self.folder / "people" / f"{key}.parquet"

    def targets(self, key: str) -> Path:
        """Return where it is kept who the targets of a round are."""
        return self.folder / "targets" / f"{key}.parquet"

    def write(self, key: str, rows: Iterable[Row], *, people: pa.Table | None = None) -> None:
        """Keep the rows of a cell, in place of what was there, and before them its figures on single people, if any."""
        if people is not None:
            _write_table(people, self.people(key))
        _write_table(to_arrow(rows), self.cell(key))

    def write_targets(self, key: str, targets: Callable[[], pa.Table]) -> None:
        """Keep who the targets of a round are, unless that is kept already."""
        path = self.targets(key)
        if not _is_whole(path):
            _write_table(targets(), path)

    def finished(self, keys: Iterable[str]) -> set[str]:
        """Return which of these cells need not be run: theirs are figures or a skip, not a failure."""
        frame = self.read(keys, columns=("key", "status"))
        bad = set(frame.loc[~frame["status"].isin(["ok", "skipped"]), "key"])
        return set(frame["key"]) - bad

    def read(self, keys: Iterable[str], *, columns: tuple[str, ...] = ()) -> pd.DataFrame:
        """Return the rows of these cells, sorted by configuration: the same for the same results.

        A file that is damaged counts as absent, and so its cell is run again.
        """
        paths = [str(path) for path in (self.cell(key) for key in sorted(set(keys))) if _is_whole(path)]
        if not paths:
            empty = to_frame([])
            return empty[list(columns)] if columns else empty
        import duckdb

        wanted = ", ".join(columns) if columns else "*"
        order = "" if columns else "ORDER BY game, defense, defense_params, attack, attack_params, model, secret, seed"
        with duckdb.connect() as connection:
            connection.execute("SET threads = 1")
            # file_row_number keeps the rows of a cell in the order in which they were scored
            relation = connection.execute(
                f"SELECT {wanted} FROM (SELECT *, filename, file_row_number FROM "
                "read_parquet($paths, union_by_name = true, filename = true, file_row_number = true)) "
                + (f"{order}, filename, file_row_number" if order else ""),
                {"paths": paths},
            )
            frame = relation.df()
        template = to_frame([])
        frame = frame[list(columns) if columns else list(template.columns)]
        return frame.astype({name: template[name].dtype for name in frame.columns})

    def read_people(self, keys: Iterable[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the figures on single people of these cells, and who the targets of their rounds are.

        A folder of an earlier version has neither: both are empty then, with their columns.

        Returns
        -------
        figures, targets : DataFrame
            Columns as `privbench.people` says.
        """
        from privbench.people import FIGURES, IDENTITY

        figures = _read_tables([self.people(key) for key in sorted(set(keys))], FIGURES)
        targets = _read_tables([self.targets(key) for key in sorted(set(figures["round"]))], IDENTITY)
        return figures, targets

    def write_manifest(self, manifest: dict[str, Any]) -> None:
        """Keep what a run was: its config, its cells, its versions."""
        text = json.dumps(manifest, indent=1, sort_keys=True)
        write_atomically(self.folder / "run.json", lambda path: path.write_text(text, encoding="utf-8"))

    def holds_other(self, config: str) -> bool:
        """Return whether the last run in this folder was of another config."""
        try:
            return self.manifest().get("config") != config
        except InputError:
            return False

    def manifest(self) -> dict[str, Any]:
        """Return what the last run in this folder was.

        Raises
        ------
        InputError
            If the folder holds no run.
        """
        path = self.folder / "run.json"
        if not path.exists():
            raise InputError(f"{self.folder} holds no results (no run.json); make some with: privbench run --out DIR")
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            manifest = None
        if not (isinstance(manifest, dict) and isinstance(manifest.get("keys"), list)):
            raise InputError(f"{path} is damaged; run the benchmark again into this folder: what is finished is kept")
        return manifest

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep the folder to this run for as long as it lasts, and sweep up what a killed one left half written.

        The lock ends with the process, however it ends. Where the system has no such locks there is none.

        Raises
        ------
        InputError
            If another run is writing into the folder, or it cannot be written.
        """
        try:
            file = (self.folder / ".lock").open("wb")
        except OSError as error:
            raise InputError(f"out: {self.folder} cannot be written ({error.strerror}); choose another") from None
        with file:
            if fcntl is not None:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    raise InputError(
                        f"out: another run is writing into {self.folder}; wait for its end, or choose another folder"
                    ) from None
            for half in self.folder.rglob(".*.part"):
                half.unlink(missing_ok=True)
            yield


def _write_table(table: pa.Table, path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    def write(half: Path) -> None:
        # handing pyarrow a path costs as much again as writing the table
        sink = pa.BufferOutputStream()
        parquet.write_table(table, sink)
        half.write_bytes(sink.getvalue())

    write_atomically(path, write)


def _read_tables(paths: Iterable[Path], columns: tuple[str, ...]) -> pd.DataFrame:
    """Return the rows of all files that are whole, as they stand; without any, a table of these columns."""
    import pandas as pd
    import pyarrow as pa
    from pyarrow import parquet

    # not by DuckDB, for which two columns of a user's file may have one name but for capitals
    tables = [parquet.read_table(path) for path in paths if _is_whole(path)]
    if not tables:
        return pd.DataFrame(columns=list(columns))
    # whole numbers that may be absent stay whole numbers
    kinds = {pa.int64(): pd.Int64Dtype()}
    frame: pd.DataFrame = pa.concat_tables(tables, promote_options="default").to_pandas(types_mapper=kinds.get)
    coded = list(frame.select_dtypes("category").columns)
    return frame.astype(dict.fromkeys(coded, "string"))


def _is_whole(path: Path) -> bool:
    """Return whether a file starts and ends as a Parquet file does."""
    try:
        with path.open("rb") as file:
            head = file.read(4)
            file.seek(-4, os.SEEK_END)
            return head == file.read(4) == b"PAR1"
    except OSError:
        return False
