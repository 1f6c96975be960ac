"""What a user may write for a defense or an attack of their own, turned into an entry like any other.

A function, its reference and a synthesizer stand for entries of their own; an object in a parameter that a plugin lists
under `references` is found, and wrapped so that it travels to worker processes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from privbench import registry
from privbench.errors import InputError
from privbench.given import Given, find

__all__ = ["with_objects"]


def with_objects(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config with every object of the user's that it names or holds ready to travel.

    Parameters
    ----------
    plain : mapping
        The config as it was written.

    Raises
    ------
    InputError
        If a reference leads nowhere, or an object cannot be sent to a worker process.
    """
    ready = dict(plain)
    kinds: tuple[registry.Kind, ...] = ("defenses", "attacks")
    for kind in kinds:
        entries = plain.get(kind)
        if isinstance(entries, list | tuple):
            written = map(_own_generator, entries) if kind == "defenses" else entries
            ready[kind] = [_entry_with_objects(kind, entry) for entry in written]
    return ready


def _own_generator(entry: Any) -> Any:
    """Write out what stands for a generator of the user's: a function, its reference, a synthesizer."""
    if callable(entry):
        return {"name": "callable", "function": entry}
    if hasattr(entry, "fit") and hasattr(entry, "sample"):
        return {"name": "sdv", "synthesizer": entry}
    if isinstance(entry, str) and ":" in entry:
        return {"name": "callable", "function": entry}
    if isinstance(entry, Mapping) and ":" in str(entry.get("name")):
        return {**entry, "name": "callable", "function": entry["name"]}
    return entry


def _entry_with_objects(kind: registry.Kind, entry: Any) -> Any:
    if not isinstance(entry, Mapping) or entry.get("name") not in registry.names(kind):
        return entry
    references = getattr(registry.load(kind, entry["name"]), "references", ())
    travelling = dict(entry)
    for parameter in set(references) & set(entry):
        value = entry[parameter]
        several = value if isinstance(value, list) else [value]
        ready = [_ready(item, f"{kind.removesuffix('s')} {entry['name']!r}: {parameter}") for item in several]
        travelling[parameter] = ready if isinstance(value, list) else ready[0]
    return travelling


def _ready(item: Any, where: str) -> Any:
    """Return a reference's object or an object itself, wrapped; a name that is no reference stays as it is."""
    try:
        if isinstance(item, Given) or (isinstance(item, str) and ":" not in item):
            return item
        return Given.of(find(item), reference=item) if isinstance(item, str) else Given.of(item)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
