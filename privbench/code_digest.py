"""A digest of a plugin's code and of the libraries that it uses: what of it a cell's key is made of."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import packages_distributions, version
from pathlib import Path

from privbench import registry

__all__ = ["code_digest"]


def code_digest(kind: registry.Kind, name: str, given: Mapping[str, object] | None = None) -> str:
    """Return a digest of the plugin's module, of what it imports from its own package, and of its libraries' versions.

    Data files that a plugin reads are not part of it. With `given`, its parameters, the other plugins that it is made
    of are.
    """
    module = registry.load(kind, name).__module__
    digest = hashlib.sha256()
    sources: dict[str, Path] = {}
    libraries: set[str] = set()
    _collect(module, module.split(".")[0], sources, libraries)
    for written in [one for listed in registry.parts(kind, name, given or {}).values() for one in listed]:
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
