"""The process's environment variables, put back after libraries that set their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["environment_kept"]


@contextmanager
def environment_kept() -> Iterator[None]:
    """Put the environment back as it was: torch's compiler, for one, writes a cache folder of its own into it."""
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)
