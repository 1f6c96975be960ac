"""The process's environment variables, put back after libraries that set their own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["environment_kept"]

_TORCH_CACHE = "TORCHINDUCTOR_CACHE_DIR"


@contextmanager
def environment_kept() -> Iterator[None]:
    """Put the environment back as it was.

    Torch's compiler, for one, makes a cache folder among the temporary files and writes its name into the environment;
    unless the user chose one, it is given a folder that is removed again.
    """
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault(_TORCH_CACHE, folder)
        try:
            yield
        finally:
            for name in os.environ.keys() - before.keys():
                del os.environ[name]
            os.environ.update(before)
