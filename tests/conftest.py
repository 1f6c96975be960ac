"""What several tests share: a third party's plugins, as an installed package declares them."""

from __future__ import annotations

import pytest
from joblib.externals.loky import get_reusable_executor

from privbench import registry

TROUBLE = '''
"""Plugins that fail in every way that a plugin can fail."""
import os
import sys
import time
from dataclasses import dataclass

import numpy as np

from privbench.contracts import Guess
from privbench.errors import import_extra
from privbench.release import SyntheticTable


@dataclass(frozen=True)
class Raises:
    """Raise an error."""

    def skip(self, view):
        return None

    def infer(self, view, *, rng):
        raise RuntimeError("the attack broke\\nin two lines")


@dataclass(frozen=True)
class WrongShape:
    """Answer with half of the rows."""

    def skip(self, view):
        return None

    def infer(self, view, *, rng):
        return Guess({s.name: np.full((1, s.size), 1 / s.size) for s in view.secrets})


@dataclass(frozen=True)
class Slow:
    """Wait, then answer at random."""

    seconds: float = 0.3

    def skip(self, view):
        return None

    def infer(self, view, *, rng):
        time.sleep(self.seconds)
        answers = {s.name: rng.dirichlet(np.ones(s.size), size=len(view.targets)) for s in view.secrets}
        return Guess(answers)


@dataclass(frozen=True)
class Dies:
    """End the process."""

    def release(self, train, *, rng):
        os._exit(3)


@dataclass(frozen=True)
class Exits:
    """Call sys.exit."""

    def skip(self, view):
        return None

    def infer(self, view, *, rng):
        sys.exit(0)


@dataclass(frozen=True)
class Kills:
    """End the process while attacking."""

    def skip(self, view):
        return None

    def infer(self, view, *, rng):
        os._exit(3)


@dataclass(frozen=True)
class Spoils:
    """Write into what it was handed."""

    def skip(self, view):
        return None

    def infer(self, view, *, rng):
        view.release.table.arrays["age"] = None


@dataclass(frozen=True)
class ReadsDefense:
    """Look for records that the defense kept."""

    def skip(self, view):
        return None

    def infer(self, view, *, rng):
        raise RuntimeError("the defense kept " + ("the records" if hasattr(view.defense, "train") else "nothing"))


@dataclass(frozen=True)
class Remembers:
    """Keep the records on itself."""

    def release(self, train, *, rng):
        object.__setattr__(self, "train", train)
        return SyntheticTable(train, private_records=len(train))


@dataclass(frozen=True)
class Stumbles:
    """A game that raises an error of its own."""

    natural = True

    def play(self, dataset, secrets, *, rng):
        raise RuntimeError("the game broke")

    def skip(self, release):
        return None


@dataclass(frozen=True)
class Widths:
    """Have a parameter called columns that is no list of names."""

    columns: int = 3

    def release(self, train, *, rng):
        return SyntheticTable(train, private_records=len(train))


@dataclass(frozen=True)
class NotInstalled:
    """Need a package that is not installed."""

    def release(self, train, *, rng):
        import_extra("no_such_package", extra="generators")


@dataclass(frozen=True)
class WrongColumns:
    """Release fewer columns."""

    def release(self, train, *, rng):
        return SyntheticTable(train.select(train.schema.names[:2]), private_records=len(train))
'''

ENTRIES = """
[privbench.attacks]
raises = trouble_plugins:Raises
wrong-shape = trouble_plugins:WrongShape
slow = trouble_plugins:Slow
exits = trouble_plugins:Exits
kills = trouble_plugins:Kills
spoils = trouble_plugins:Spoils
reads-defense = trouble_plugins:ReadsDefense
[privbench.defenses]
dies = trouble_plugins:Dies
remembers = trouble_plugins:Remembers
not-installed = trouble_plugins:NotInstalled
wrong-columns = trouble_plugins:WrongColumns
widths = trouble_plugins:Widths
[privbench.games]
stumbles = trouble_plugins:Stumbles
"""


@pytest.fixture
def trouble(tmp_path_factory, monkeypatch):
    """Put a package of failing plugins on the path, and return its folder."""
    folder = tmp_path_factory.mktemp("trouble")
    (folder / "trouble_plugins.py").write_text(TROUBLE)
    info = folder / "trouble_plugins-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: trouble-plugins\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRIES)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder))  # for worker processes
    _forget()
    yield folder
    _forget()


def _forget() -> None:
    """Let the next look-up, and the next worker process, see what is installed now."""
    registry._entries.cache_clear()
    get_reusable_executor().shutdown(wait=True)
