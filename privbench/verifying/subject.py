"""What is put to the test: a mechanism and a data set, in any of the ways in which they may be given."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from privbench import registry
from privbench.contracts import Defense
from privbench.dataset import Dataset
from privbench.datasets.files import FileOptions, load_file
from privbench.errors import InputError
from privbench.given import find

__all__ = ["dataset_of", "defense_of", "with_rows"]

# rows released by a mechanism that lets them be chosen: then little is lost in drawing them
_ROWS = 400


def dataset_of(spec: str | Path | Mapping[str, Any] | Dataset) -> Dataset:
    """Return the data set that is meant: one of ours by its name, a file, or one at hand."""
    if isinstance(spec, Dataset):
        return spec
    if isinstance(spec, Mapping):
        return load_file(FileOptions.from_mapping(spec))
    if isinstance(spec, Path) or (Path(spec).suffix and spec not in registry.names("datasets")):
        return load_file(FileOptions.from_mapping({"path": str(spec)}))
    dataset: Dataset = registry.load("datasets", spec)()
    return dataset


def defense_of(given: Any, settings: dict[str, Any]) -> tuple[Defense, str, dict[str, Any]]:
    """Return the mechanism, its name, and its parameters as plain values."""
    if isinstance(given, str):
        if "{train}" in given or "{out}" in given:
            return registry.make("defenses", "command", {"command": given, **settings}), "command", settings
        if ":" in given:
            # found once, so that there is a function whose state can be copied
            try:
                function = find(given)
            except SystemExit as error:  # a script that is run as it is loaded
                raise InputError(f"{given} ended the program (exit {error.code or 0}) when it was loaded") from None
            made = registry.make("defenses", "callable", {"function": function, **settings})
            return made, "callable", {"function": given, **settings}
        return registry.make("defenses", given, settings), given, settings
    if hasattr(given, "release"):
        if settings:
            if not dataclasses.is_dataclass(given):
                raise InputError(f"settings: {type(given).__name__} is no dataclass; set its parameters yourself")
            given = dataclasses.replace(given, **settings)  # type: ignore[type-var]
        return given, type(given).__name__, settings
    if callable(given):
        label = getattr(given, "__name__", type(given).__name__)
        return registry.make("defenses", "callable", {"function": given, **settings}), label, settings
    raise InputError(f"defense: got {type(given).__name__}; allowed: a name, a function, a command line or a defense")


def with_rows(defense: Defense, settings: Mapping[str, Any]) -> tuple[Defense, tuple[str, ...]]:
    """Return the mechanism with more rows than records, where it leaves their number open."""
    fields: set[str] = (
        {field.name for field in dataclasses.fields(defense)} if dataclasses.is_dataclass(defense) else set()
    )
    if "rows" not in fields or "rows" in settings or getattr(defense, "rows", 0) is not None:
        return defense, ()
    said = (
        f"in the many runs {_ROWS} rows are released in place of as many as there are records: what is counted, and "
        "not which rows were drawn, is then seen"
    )
    return dataclasses.replace(defense, rows=_ROWS), (said,)  # type: ignore[type-var]
