"""One thread a library for as long as a piece of work lasts: figures and times then do not depend on the machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

__all__ = ["one_thread"]


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit the libraries loaded by now (BLAS, OpenMP, torch) to one thread, and put their counts back."""
    torch = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch else None
    with _controller(len(sys.modules)).limit(limits=1):
        if torch:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            if torch:
                torch.set_num_threads(threads)


@lru_cache(maxsize=1)
def _controller(modules: int) -> Any:
    """Return the control of all libraries loaded, looked for again once more modules are: that takes milliseconds."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
