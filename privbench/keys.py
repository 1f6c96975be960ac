"""Keys: a hash of everything that figures depend on, so that what was measured is found again and nothing else is."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from privbench import __version__
from privbench.errors import InputError
from privbench.given import Given

__all__ = ["canonical", "code_version", "key_of"]

# the libraries of the core that figures come from; a plugin's own are part of its digest
_LIBRARIES = ("numpy", "pandas", "scipy", "scikit-learn", "lightgbm", "fairlearn")


@lru_cache
def code_version() -> str:
    """Return the package's version and a digest of what figures depend on: the core's code, its libraries' versions."""
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).parts
        if parts[0] not in ("report", "cli.py", "__init__.py", "atomic.py", "store.py"):
            digest.update("/".join(parts).encode() + path.read_bytes())
    digest.update(repr([(name, version(name)) for name in _LIBRARIES]).encode())
    return f"{__version__}+{digest.hexdigest()[:8]}"


def canonical(value: object) -> str:
    """Return canonical JSON: the same text for the same value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_json)


def _json(value: Any) -> Any:
    if isinstance(value, Given):
        return value.label
    if isinstance(value, set | frozenset):
        return sorted(value, key=canonical)  # a set's own order changes from one process to the next
    raise InputError(f"a config names its plugins and holds plain values here; got {value!r}")


def key_of(*parts: object) -> str:
    """Return 32 hexadecimal digits that are the same for the same parts.

    Parameters
    ----------
    *parts : object
        What `canonical` can write.

    Raises
    ------
    InputError
        If a part is no plain value.
    """
    return hashlib.sha256(canonical(parts).encode()).hexdigest()[:32]
