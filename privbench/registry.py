"""Finds plugins by entry point, imports one only when it is used, and builds it from checked parameters.

Built-in plugins are declared in this project's own pyproject.toml, exactly as a third party's are in theirs.
"""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import importlib.util
import inspect
import re
import sys
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points, packages_distributions, version
from pathlib import Path
from typing import Any, Literal

from privbench.errors import ContractError, InputError, unknown

__all__ = [
    "KINDS",
    "Card",
    "Kind",
    "card",
    "code_digest",
    "load",
    "make",
    "names",
    "parameters",
    "parts",
    "takes_sequence",
]

Kind = Literal["attacks", "defenses", "games", "datasets"]
KINDS: tuple[Kind, ...] = ("attacks", "defenses", "games", "datasets")


@dataclass(frozen=True, slots=True)
class Card:
    """What a reader wants to know of a plugin.

    Parameters
    ----------
    name : str
        As it is written in a config.
    summary : str
        One sentence.
    parameters : tuple of (name, type, default, meaning)
        Default is "required" where there is none.
    source : str
        The publication or data behind it.
    package : str
        The installed distribution that brings it.
    """

    name: str
    summary: str
    parameters: tuple[tuple[str, str, str, str], ...]
    source: str
    package: str


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
        package = entry.dist.name if entry.dist else "an unknown package"
        raise InputError(
            f"{kind[:-1]} {name!r} of {package} cannot be imported from {entry.value} ({error}); correct its entry "
            "point and install the package again, or uninstall it"
        ) from error


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


def takes_sequence(kind: Kind, name: str, parameter: str) -> bool:
    """Return whether a parameter's own value is a list or mapping, so that a list is not an axis of the grid."""
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
        if parameter not in known:
            raise unknown(f"parameter of {what}", parameter, known, hint=f"See 'privbench list {kind} {name}'.")
        if isinstance(value, bool) and "bool" not in _type_text(known[parameter]):
            raise InputError(f"{what}: {parameter}: got {value!r}, which is no {_type_text(known[parameter])}")
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


def card(kind: Kind, name: str) -> Card:
    """Return what a plugin's docstring and fields say of it."""
    plugin = load(kind, name)
    doc = inspect.getdoc(plugin) or ""
    meanings = _described(_section(doc, "Parameters"))
    fields = parameters(kind, name).values() if inspect.isclass(plugin) else ()
    entry = _entries(kind)[name]
    return Card(
        name=name,
        summary=" ".join(doc.split("\n\n")[0].split()),
        parameters=tuple((f.name, _type_text(f), _default_text(f), meanings.get(f.name, "")) for f in fields),
        source=" ".join(_section(doc, "References").split()),
        package=entry.dist.name if entry.dist else "",
    )


def code_digest(kind: Kind, name: str, given: Mapping[str, object] | None = None) -> str:
    """Return a digest of the plugin's module, of what it imports from its own package, and of its libraries' versions.

    Data files that a plugin reads are not part of it. With `given`, its parameters, the other plugins that it is made
    of are.
    """
    module = load(kind, name).__module__
    digest = hashlib.sha256()
    sources: dict[str, Path] = {}
    libraries: set[str] = set()
    _collect(module, module.split(".")[0], sources, libraries)
    for written in [one for listed in parts(kind, name, given or {}).values() for one in listed]:
        rest = {"name": written} if isinstance(written, str) else dict(written)
        digest.update(code_digest(kind, rest.pop("name"), rest).encode())
    for path in sorted(sources.values()):
        digest.update(path.read_bytes())
    for library in sorted(libraries):
        digest.update(f"{library} {_version(library)}".encode())
    return digest.hexdigest()[:16]


def _collect(module: str, package: str, sources: dict[str, Path], libraries: set[str]) -> None:
    """Add the files of `module` and of its imports within `package`, and the other packages that they import.

    Imports within functions and by `import_extra` count too.
    """
    spec = None if module in sources else importlib.util.find_spec(module)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return
    sources[module] = Path(spec.origin)
    parent = module.rpartition(".")[0]
    anchor = module if spec.submodule_search_locations else parent
    imported = [parent] if parent else []
    for node in ast.walk(ast.parse(sources[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            whole = importlib.util.resolve_name(base, anchor) if node.level else base
            imported += [whole, *(f"{whole}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "import_extra":
            imported += [str(first.value) for first in node.args[:1] if isinstance(first, ast.Constant)]
    for name in imported:
        top = name.split(".")[0]
        if top == package != "privbench" and _exists(name):
            _collect(name, package, sources, libraries)
        # the core is part of every key already, by its version and digest
        elif top not in sys.stdlib_module_names and top not in (package, "privbench"):
            libraries.add(top)


def _version(package: str) -> str:
    """Return the version of the distribution that brings a package; empty where none is installed."""
    return ",".join(version(name) for name in sorted(set(_distributions().get(package, ()))))


@lru_cache
def _distributions() -> Mapping[str, list[str]]:
    return packages_distributions()


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _section(doc: str, title: str) -> str:
    match = re.search(rf"^{title}\n-+\n(.*?)(?=^\w[^\n]*\n-+\n|\Z)", doc, flags=re.MULTILINE | re.DOTALL)
    return match.group(1).strip("\n") if match else ""


def _described(section: str) -> dict[str, str]:
    meanings: dict[str, str] = {}
    current: list[str] = []
    for line in section.splitlines():
        if line and not line[0].isspace():
            current = [name.strip() for name in line.split(":")[0].split(",")]
        else:
            for name in current:
                meanings[name] = f"{meanings.get(name, '')} {line.strip()}".strip()
    return meanings


def _type_text(field: dataclasses.Field[Any]) -> str:
    return field.type if isinstance(field.type, str) else getattr(field.type, "__name__", str(field.type))


def _default_text(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        # an enumeration's value is what a config has
        return repr(str(field.default) if isinstance(field.default, str) else field.default)
    return "required" if field.default_factory is dataclasses.MISSING else repr(field.default_factory())
