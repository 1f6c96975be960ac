"""What a reader wants to know of a plugin, read off its docstring and its fields."""

from __future__ import annotations

import dataclasses
import inspect
import re
from dataclasses import dataclass
from typing import Any

from privbench import registry

__all__ = ["Card", "card_of"]


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


def card_of(kind: registry.Kind, name: str) -> Card:
    """Return what a plugin's docstring and fields say of it."""
    plugin = registry.load(kind, name)
    doc = inspect.getdoc(plugin) or ""
    meanings = _described(_section(doc, "Parameters"))
    fields = registry.parameters(kind, name).values() if inspect.isclass(plugin) else ()
    return Card(
        name=name,
        summary=" ".join(doc.split("\n\n")[0].split()),
        parameters=tuple((f.name, registry.type_text(f), _default_text(f), meanings.get(f.name, "")) for f in fields),
        source=" ".join(_section(doc, "References").split()),
        package=registry.package_of(kind, name),
    )


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


def _default_text(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        # an enumeration's value is what a config has
        return repr(str(field.default) if isinstance(field.default, str) else field.default)
    return "required" if field.default_factory is dataclasses.MISSING else repr(field.default_factory())
