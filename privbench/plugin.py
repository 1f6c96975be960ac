"""A plugin by name with its parameters, and the grid of them that the entries of a config stand for."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from privbench import registry
from privbench.code_digest import code_digest
from privbench.errors import InputError
from privbench.given import Given
from privbench.keys import canonical

__all__ = ["Plugin", "grid"]


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin by name, with the parameters given to it.

    Parameters
    ----------
    kind : str
        attacks, defenses or games.
    name : str
        As in the registry.
    params : str
        Canonical JSON of the parameters given; of an object its label.
    objects : tuple of (str, Given)
        Parameters whose value is an object.
    """

    kind: registry.Kind
    name: str
    params: str = "{}"
    objects: tuple[tuple[str, Given], ...] = ()

    def make(self) -> Any:
        """Build it."""
        objects = {name: given.load() for name, given in self.objects}
        return registry.make(self.kind, self.name, {**json.loads(self.params), **objects})

    @property
    def identity(self) -> str:
        """Name and parameters: what a random stream is named by."""
        return f"{self.name}{self.params}"

    @property
    def digest(self) -> str:
        """Name, parameters, code, and what else it says that it depends on: what a cell's key is made of."""
        parts = [given.digest for _, given in self.objects]
        if "fingerprint" in dir(registry.load(self.kind, self.name)):
            parts.append(str(self.make().fingerprint))
        code = code_digest(self.kind, self.name, json.loads(self.params))
        return "".join([self.identity, code, *parts])


def grid(kind: registry.Kind, entries: Iterable[str | Mapping[str, Any]]) -> tuple[Plugin, ...]:
    """Return the plugins that entries stand for, each built once to check its parameters.

    Parameters
    ----------
    kind : str
        attacks, defenses or games.
    entries : iterable of str or mapping
        As in a config: a name, or a mapping with a name and parameters, in which a list is an axis of the grid.

    Raises
    ------
    InputError
        At the first name, parameter or value that is not valid, or if two of them are the same plugin.
    """
    found: list[Plugin] = []
    built: list[Any] = []
    for entry in entries:
        for plugin in _expand(kind, entry):
            made = plugin.make()
            if made in built:
                twin = found[built.index(made)].identity
                same = "" if twin == plugin.identity else f" (once as {twin})"
                raise InputError(f"{kind}: {plugin.identity} is listed twice{same}; leave one of the two out")
            found.append(plugin)
            built.append(made)
    return tuple(found)


def _expand(kind: registry.Kind, entry: str | Mapping[str, Any]) -> Iterator[Plugin]:
    """Expand one entry of the config: a name, or a mapping in which a list is an axis of the grid."""
    given = {"name": entry} if isinstance(entry, str) else dict(entry)
    name = given.pop("name", None)
    if not isinstance(name, str):
        raise InputError(f"{kind}: every entry is a name or a mapping with a 'name'; got {entry!r}")
    for parameter in given:
        registry.check_parameter(kind, name, parameter)
    axes = {}
    for parameter, value in given.items():
        inner = isinstance(value, list) and all(isinstance(item, list) for item in value)
        is_axis = isinstance(value, list) and (inner or not registry.takes_sequence(kind, name, parameter))
        if is_axis and not value:
            raise InputError(f"{kind}: {name}: {parameter} is an empty list; give at least one value")
        axes[parameter] = value if is_axis else [value]
    for values in itertools.product(*axes.values()):
        params = {key: _plain(value) for key, value in zip(axes, values, strict=True)}
        objects = tuple((key, value) for key, value in params.items() if isinstance(value, Given))
        yield Plugin(kind, name, canonical(params), objects)


def _plain(value: object) -> object:
    """Write 1.0 as 1, within lists and mappings too: one setting has one name, and so one random stream."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
