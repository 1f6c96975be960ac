"""Named random streams from one seed: the only place that makes a generator.

A stream is named by what it is for (the cell's configuration), never by when it is asked for, so the same config gives
the same figures in one process, in many, and after an interruption.

References
----------
NumPy, "Parallel random number generation", SeedSequence.
"""

from __future__ import annotations

import hashlib
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

__all__ = ["seeded_globals", "stream"]


def stream(seed: int, *key: str) -> np.random.Generator:
    """Return the random stream named `key` of the run with this `seed`.

    The name is hashed (SHA-256), so streams of different names are independent and none can be derived from another.

    Parameters
    ----------
    seed : int
        The run's one seed, any integer.
    *key : str
        What the stream is for, for instance ``("attack", "random-forest", ...)``.
    """
    name = "\x1f".join((str(int(seed)), *key)).encode()
    words = np.frombuffer(hashlib.sha256(name).digest(), dtype=np.uint32)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(words.tolist())))


@contextmanager
def seeded_globals(rng: np.random.Generator) -> Iterator[int]:
    """Seed the global generators (random, numpy, torch if it is loaded) from `rng`, and put them back afterwards.

    For libraries that offer no other way. Yields the seed used, for those that take one.
    """
    seed = int(rng.integers(2**31 - 1))
    torch = sys.modules.get("torch")
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002 - saved to be put back
    torch_state = torch.random.get_rng_state() if torch else None
    try:
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - the library inside knows no other
        if torch:
            torch.manual_seed(seed)
        yield seed
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002
        if torch:
            torch.random.set_rng_state(torch_state)
