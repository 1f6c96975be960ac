"""A mechanism pickled without the generators that it brings along, each of which is put in anew when it is loaded.

Pickled with the rest, a generator would start again in the same state in every copy. One whose seed came from the
operating system would never be met there again: in each copy it is another one. One whose seed its author chose repeats
its noise in every program that uses it, and so it does in every copy. The two are told apart by the seed's length, so
that a constant of more than 64 bits passes for one of the operating system's.

References
----------
NumPy, "Parallel random number generation" (without a seed, SeedSequence takes 128 bits from the operating system).
"""

from __future__ import annotations

import copy
import io
import pickle
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import cloudpickle
import numpy as np

__all__ = ["Pickled"]

# longer than any seed that is written by hand, and the operating system's is no longer than that once in 2^64
_CHOSEN_BITS = 64
# a function may be bound to one of these: a copy has to use that of its process, which is seeded for each release
_OF_THE_PROCESS = {"random": random._inst, "numpy": np.random.mtrand._rand}


@dataclass(frozen=True, slots=True)
class Pickled:
    """An object's pickle, and its generators.

    Parameters
    ----------
    content : bytes
        All but the generators.
    generators : tuple
        Those of numpy, each a BitGenerator or a RandomState, as they were. What else draws is a part of the content.
    """

    content: bytes
    generators: tuple[Any, ...]

    @classmethod
    def of(cls, item: Any, *, by_value: bool) -> Pickled:
        """Pickle an object.

        Parameters
        ----------
        item : object
        by_value : bool
            Whether a function that it holds is taken with its code and all that it refers to in its module, which are
            else those of each process.
        """
        file = io.BytesIO()
        pickler = _Pickler(file, _modules(item) if by_value else ())
        pickler.dump(item)
        return cls(file.getvalue(), tuple(copy.deepcopy(one) for one in pickler.generators))

    @property
    def repeats(self) -> bool:
        """Whether a generator has a seed that its author chose."""
        return not all(_by_the_system(one) for one in self.generators)

    def load(self, rng: Callable[[int], np.random.Generator]) -> Any:
        """Return the object, with fresh generators in place of those that the operating system had seeded.

        Parameters
        ----------
        rng : callable
            From a generator's place among all to the randomness from which it is seeded.
        """
        made = [
            _another(one, rng(place)) if _by_the_system(one) else copy.deepcopy(one)
            for place, one in enumerate(self.generators)
        ]
        return _Unpickler(self.content, made).load()


def _modules(item: Any) -> tuple[str, ...]:
    """Return the modules of the functions that an object holds."""
    held = getattr(item, "__dict__", {}).values()
    return tuple(one.__module__ for one in held if isinstance(one, FunctionType) and one.__module__ in sys.modules)


class _Pickler(cloudpickle.CloudPickler):  # type: ignore[misc]
    def __init__(self, file: io.BytesIO, modules: Sequence[str]) -> None:
        super().__init__(file)
        self.generators: list[Any] = []
        self._modules = modules

    def persistent_id(self, item: Any) -> str | int | None:
        """Return what stands for a generator: its place, or a name of the process's own."""
        if not isinstance(item, np.random.BitGenerator | np.random.RandomState | random.Random):
            return None
        for name, known in _OF_THE_PROCESS.items():
            if item is known:
                return name
        if isinstance(item, random.Random):  # whether it was seeded cannot be told
            return None
        for place, known in enumerate(self.generators):
            if item is known:
                return place
        self.generators.append(item)
        return len(self.generators) - 1

    def reducer_override(self, item: Any) -> Any:
        """Return how an object is pickled: a function of these modules as one that is found under no name."""
        if isinstance(item, FunctionType) and item.__module__ in self._modules:
            item = _same(item)
        return super().reducer_override(item)


class _Unpickler(pickle.Unpickler):
    def __init__(self, content: bytes, generators: Sequence[Any]) -> None:
        super().__init__(io.BytesIO(content))
        self._generators = generators

    def persistent_load(self, place: str | int) -> Any:
        """Return the generator that was left out."""
        return _OF_THE_PROCESS[place] if isinstance(place, str) else self._generators[place]


def _same(function: FunctionType) -> FunctionType:
    code, names = function.__code__, function.__globals__
    made = FunctionType(code, names, function.__name__, function.__defaults__, function.__closure__)
    for name in ("__kwdefaults__", "__qualname__", "__module__", "__doc__"):
        setattr(made, name, getattr(function, name))
    made.__dict__.update(function.__dict__)
    return made


def _bits(generator: Any) -> Any:
    return generator if isinstance(generator, np.random.BitGenerator) else generator._bit_generator


def _by_the_system(generator: Any) -> bool:
    """Return whether the operating system chose the seed."""
    entropy = getattr(_bits(generator).seed_seq, "entropy", None)
    return isinstance(entropy, int) and entropy.bit_length() > _CHOSEN_BITS


def _another(generator: Any, rng: np.random.Generator) -> Any:
    """Return a generator of the same kind, whose seed is as long as the operating system's."""
    seed = np.random.SeedSequence(int.from_bytes(rng.bytes(16), "little") | 1 << 127)
    bits = type(_bits(generator))(seed)
    return bits if isinstance(generator, np.random.BitGenerator) else np.random.RandomState(bits)
