"""Results on disk: one atomic Parquet file a cell, a manifest of the last run, and DuckDB to read them all."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from privbench.errors import InputError
from privbench.record import Row, to_frame

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Store", "write_atomically"]


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path`, then move it there whole: a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        write(half)
        with half.open("rb+") as file:
            os.fsync(file.fileno())
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Store:
    """A folder of results.

    Parameters
    ----------
    folder : Path
        ``cells/KEY.parquet`` holds the rows of one finished cell, ``run.json`` what the last run was,
        ``releases/`` what defenses published. The releases are pickles: open only folders of your own.
    """

    folder: Path

    def cell(self, key: str) -> Path:
        """Return where a cell's rows are kept."""
        return self.folder / "cells" / f"{key}.parquet"

    def release(self, key: str) -> Path:
        """Return where a release is kept."""
        return self.folder / "releases" / f"{key}.pickle"

    def write(self, key: str, rows: Iterable[Row]) -> None:
        """Keep the rows of a cell, in place of what was there."""
        frame = to_frame(rows)
        write_atomically(self.cell(key), lambda path: frame.to_parquet(path, index=False))

    def finished(self, keys: Iterable[str]) -> set[str]:
        """Return which of these cells need not be run: theirs are figures or a skip, not a failure."""
        wanted = set(keys)
        frame = self.read(wanted, columns=("key", "status"))
        bad = set(frame.loc[~frame["status"].isin(["ok", "skipped"]), "key"])
        return set(frame["key"]) - bad

    def read(self, keys: Iterable[str], *, columns: tuple[str, ...] = ()) -> pd.DataFrame:
        """Return the rows of these cells, sorted by configuration: the same for the same results."""
        paths = [str(path) for path in (self.cell(key) for key in sorted(set(keys))) if path.exists()]
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

    def write_manifest(self, manifest: dict[str, Any]) -> None:
        """Keep what a run was: its config, its cells, its versions."""
        text = json.dumps(manifest, indent=1, sort_keys=True)
        write_atomically(self.folder / "run.json", lambda path: path.write_text(text, encoding="utf-8"))

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
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return manifest
