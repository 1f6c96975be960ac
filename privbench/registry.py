"""Finds plugins by entry point, imports one only when it is used, and builds it from checked parameters.

Built-in plugins are declared in this project's own pyproject.toml, exactly as a third party's are in theirs.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from privbench.errors import ContractError, InputError, unknown

__all__ = [
    "KINDS",
    "Kind",
    "check_parameter",
    "load",
    "make",
    "names",
    "package_of",
    "parameters",
    "parts",
    "takes_sequence",
    "type_text",
]

Kind = Literal["attacks", "defenses", "games", "datasets"]
KINDS: tuple[Kind, ...] = ("attacks", "defenses", "games", "datasets")


@lru_cache
def _entries(kind: Kind) -> Mapping[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=f"privbench.{kind}"):
        other = found.setdefault(entry.name, entry)
        if other.value != entry.value:
            raise InputError(
                f"two installed packages declare the {kind[:-1]} {entry.name!r}: {other.value} and {entry.value}; "
                "uninstall one of them"
            )
    return dict(sorted(found.items()))


def names(kind: Kind) -> tuple[str, ...]:
    """Return the names of all installed plugins of a kind, sorted."""
    return tuple(_entries(kind))


def load(kind: Kind, name: str) -> Any:
    """Import one plugin: a class, or for data sets a function.

    Raises
    ------
    InputError
        If there is no such plugin, or its entry point leads nowhere.
    """
    entries = _entries(kind)
    if name not in entries:
        raise unknown(
            kind[:-1],
            name,
            entries,
            hint=f"See 'privbench list {kind}'. (A new entry point shows once its package is installed again.)",
        )
    entry = entries[name]
    try:
        return entry.load()
    except (ImportError, AttributeError) as error:
        package = package_of(kind, name) or "an unknown package"
        raise InputError(
            f"{kind[:-1]} {name!r} of {package} cannot be imported from {entry.value} ({error}); correct its entry "
            "point and install the package again, or uninstall it"
        ) from error


def package_of(kind: Kind, name: str) -> str:
    """Return the installed distribution that brings a plugin; empty where it has no name."""
    brought = _entries(kind)[name].dist
    return brought.name if brought else ""


def parameters(kind: Kind, name: str) -> dict[str, dataclasses.Field[Any]]:
    """Return a plugin's parameters by name.

    Raises
    ------
    ContractError
        If the plugin is not a frozen dataclass.
    """
    plugin = load(kind, name)
    if not getattr(getattr(plugin, "__dataclass_params__", None), "frozen", False):
        raise ContractError(f"{kind[:-1]} {name!r} ({plugin!r}) must be a frozen dataclass of its parameters")
    return {field.name: field for field in dataclasses.fields(plugin) if field.init}


def check_parameter(kind: Kind, name: str, parameter: str) -> None:
    """Refuse a parameter that a plugin does not have.

    Raises
    ------
    InputError
        With the nearest one that it has.
    """
    known = parameters(kind, name)
    if parameter not in known:
        raise unknown(
            f"parameter of {kind[:-1]} {name!r}", parameter, known, hint=f"See 'privbench list {kind} {name}'."
        )


def type_text(field: dataclasses.Field[Any]) -> str:
    """Return a parameter's type as it is written in the code."""
    return field.type if isinstance(field.type, str) else getattr(field.type, "__name__", str(field.type))


def takes_sequence(kind: Kind, name: str, parameter: str) -> bool:
    """Return whether a parameter's own value is a list, tuple or set, so that a list is not an axis of the grid."""
    hints = typing.get_type_hints(load(kind, name))
    options = typing.get_args(hints[parameter]) or ()
    origins = {
        typing.get_origin(hints[parameter]),
        *(typing.get_origin(option) or option for option in options),
    }
    return bool(origins & {tuple, list, set, frozenset})


def parts(kind: Kind, name: str, given: Mapping[str, object]) -> dict[str, tuple[Any, ...]]:
    """Return the plugins that a plugin is made of, of its own kind, as they are written: a name, or a mapping with one.

    They stand in the parameters that the plugin lists under `parts`, in those given or by default.

    Raises
    ------
    InputError
        If one has no name, or brings code of the user's, which would have to be part of the key.
    """
    found: dict[str, tuple[Any, ...]] = {}
    for parameter in getattr(load(kind, name), "parts", ()):
        default = parameters(kind, name)[parameter].default
        listed = given.get(parameter, default)
        found[parameter] = tuple(listed) if isinstance(listed, list | tuple) else (listed,)
        where = f"{kind[:-1]} {name!r}: {parameter}"
        for written in found[parameter]:
            if hasattr(written, "__dataclass_fields__"):  # built already
                continue
            part = written.get("name") if isinstance(written, Mapping) else written
            if not isinstance(part, str):
                raise InputError(f"{where}: every entry is a name or a mapping with a 'name'; got {written!r}")
            plugin = load(kind, part)
            if getattr(plugin, "references", ()) or "fingerprint" in dir(plugin):
                raise InputError(
                    f"{where}: {part!r} brings code of your own and cannot be a part; list it beside {name!r}"
                )
    return found


def _part(kind: Kind, written: Any) -> Any:
    """Build what a plugin is made of; what is built already stays as it is."""
    if not isinstance(written, str | Mapping):
        return written
    rest = {"name": written} if isinstance(written, str) else dict(written)
    return make(kind, rest.pop("name"), rest)


def make(kind: Kind, name: str, given: Mapping[str, object]) -> Any:
    """Build a plugin, and what it is made of, from parameters that a user wrote.

    Raises
    ------
    InputError
        If a parameter is unknown, missing, of the wrong type, or refused by the plugin.
    """
    import pydantic

    known = parameters(kind, name)
    what = f"{kind[:-1]} {name!r}"
    for parameter, value in given.items():
        check_parameter(kind, name, parameter)
        if isinstance(value, bool) and "bool" not in type_text(known[parameter]):
            raise InputError(f"{what}: {parameter}: got {value!r}, which is no {type_text(known[parameter])}")
    try:
        built = {key: tuple(_part(kind, one) for one in listed) for key, listed in parts(kind, name, given).items()}
        return pydantic.TypeAdapter(load(kind, name)).validate_python({**given, **built})
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        got = f"; got {first['input']!r}" if first["type"] not in ("missing", "value_error") else ""
        raise InputError(
            f"{what}: {place + ': ' if place else ''}{message}{got}. See 'privbench list {kind} {name}'."
        ) from None
    except InputError as error:
        raise InputError(f"{what}: {error}") from None
