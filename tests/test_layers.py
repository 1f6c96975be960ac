"""Imports go one way: every module imports only from floors below its own, and plugins only the ground floors."""

from __future__ import annotations

import ast
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# from the ground up; a module may import from lower floors, and from its own floor only inside one package
FLOORS = [
    ["environment", "errors", "oracles", "rng", "simplex", "threads"],
    ["atomic", "given", "schema"],
    ["reported_column", "table"],
    ["claim", "dataset"],
    ["release", "reports"],
    ["contracts"],
    ["registry", "games", "scorers", "datasets", "downstream"],
    ["blind", "cards", "code_digest", "entries", "judge", "keys", "marginals", "people", "record"],
    ["plugin", "store"],
    ["cells", "report"],
    ["experiment", "progress", "result"],
    ["manifest", "trial"],
    ["runner"],
    ["auditing", "verifying"],
    ["cli"],
    ["__main__"],
]
HEIGHT = {name: height for height, floor in enumerate(FLOORS) for name in floor}
# what a plugin may import, built-in or not
GROUND = {
    *("contracts", "oracles", "release", "reported_column", "reports", "table", "schema", "claim", "rng", "errors"),
    *("environment", "given", "simplex", "threads"),
}


def modules(package: str) -> list[Path]:
    return sorted(path for path in (ROOT / package).rglob("*.py") if path.name != "__init__.py")


def imported(path: Path) -> set[str]:
    """Return the dotted names that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def core_parts(path: Path) -> set[str]:
    """Return the first names below privbench that a file imports; the package's own constants do not count."""
    names = {name.split(".")[1] for name in imported(path) if name.startswith("privbench.")}
    return names - {"__version__"}


@pytest.mark.parametrize("path", modules("privbench"), ids=lambda path: str(path.relative_to(ROOT)))
def test_core_imports_only_from_lower_floors(path):
    own = path.relative_to(ROOT / "privbench").parts[0].removesuffix(".py")
    assert own in HEIGHT, f"{own} has no floor: give it one in this test and in the design"
    for part in core_parts(path):
        assert part in HEIGHT, f"{path.name} imports {part}, which has no floor"
        assert part == own or HEIGHT[part] < HEIGHT[own], f"{own} (floor {HEIGHT[own]}) imports {part} upward"
    assert not any(name.split(".")[0] in ("attacks", "defenses") for name in imported(path))


@pytest.mark.parametrize("package", ["attacks", "defenses"])
def test_plugins_import_only_the_ground_and_never_each_other(package):
    other = {"attacks": "defenses", "defenses": "attacks"}[package]
    for path in modules(package):
        assert core_parts(path) <= GROUND, f"{path.name} reaches into the core: {core_parts(path) - GROUND}"
        assert not any(name.split(".")[0] == other for name in imported(path))


def test_attacks_do_not_import_one_another():
    """What several need stands in modules of its own, which are no attacks."""
    methods = {point.value.partition(":")[0] for point in entry_points(group="privbench.attacks")}
    for path in modules("attacks"):
        assert not any(name.startswith(method + ".") for name in imported(path) for method in methods), path.name


def test_no_circle_between_modules():
    graph = {}
    for package in ("privbench", "attacks", "defenses"):
        for path in (ROOT / package).rglob("*.py"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            graph[name] = imported(path)
    edges = {
        name: {
            other for other in graph if other != name and any(i == other or i.startswith(other + ".") for i in names)
        }
        # importing a.b.c names its packages too; only the longest match is the module meant
        for name, names in graph.items()
    }
    edges = {
        name: {o for o in others if not any(p != o and p.startswith(o + ".") for p in others)} - {"privbench"}
        for name, others in edges.items()
    }
    done, path = set(), []

    def visit(name):
        assert name not in path, f"circle: {' -> '.join([*path[path.index(name) :], name])}"
        if name in done:
            return
        path.append(name)
        for other in sorted(edges[name]):
            visit(other)
        path.pop()
        done.add(name)

    for name in sorted(edges):
        visit(name)
    assert len(done) == len(graph)
