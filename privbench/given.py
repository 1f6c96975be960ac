"""Python objects that a config holds or names: how they are found, shown, told apart, and sent to other processes.

A function in a file is named ``file.py:function``, one in an installed module ``module:function``; in Python the object
itself may stand in the config. It travels as a pickle of its code, so that a worker need not find the file again.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from privbench.errors import InputError, unknown

__all__ = ["Given", "find"]


@dataclass(frozen=True, slots=True)
class Given:
    """An object on its way.

    Parameters
    ----------
    label : str
        What tables and reports show: its reference, or its name with the first digits of its digest.
    digest : str
        Of what it does: its source with what it captured, or its pickle. A cell's key rests on it.
    pickled : bytes
        The object itself.
    """

    label: str
    digest: str
    pickled: bytes = field(repr=False)

    @classmethod
    def of(cls, item: Any, *, reference: str | None = None) -> Given:
        """Wrap an object.

        Parameters
        ----------
        item : object
            A function, lambda and closure included, or any other object that can be pickled.
        reference : str, optional
            How a config named it.

        Raises
        ------
        InputError
            If it cannot be pickled.
        """
        import cloudpickle

        try:
            pickled: bytes = cloudpickle.dumps(item)
        except Exception as error:  # whatever an object's own pickling raises
            raise InputError(
                f"{item!r} cannot be sent to a worker process ({type(error).__name__}: {error}); "
                "give a function that holds no open file, lock or connection"
            ) from None
        digest = _digest(item, pickled)
        name = getattr(item, "__qualname__", type(item).__qualname__).rpartition(".")[2]
        return cls(reference or f"{name}@{digest[:8]}", digest, pickled)

    def load(self) -> Any:
        """Return the object."""
        import pickle

        return pickle.loads(self.pickled)


def find(reference: str) -> Any:
    """Return the object that ``file.py:name`` or ``module:name`` stands for.

    Raises
    ------
    InputError
        If the text is no reference, or the file, module or name does not exist or cannot be loaded.
    """
    place, colon, name = reference.rpartition(":")
    if not colon or not place or not name.isidentifier():
        raise InputError(f"got {reference!r}; allowed: 'file.py:name' or 'module:name'")
    try:
        module = _load_file(Path(place)) if place.endswith(".py") else importlib.import_module(place)
    except InputError:
        raise
    except Exception as error:  # a user's module may raise anything
        raise InputError(f"{place} cannot be loaded: {type(error).__name__}: {error}") from error
    if not hasattr(module, name):
        public = [n for n in vars(module) if not n.startswith("_")]
        raise unknown(f"name in {place}", name, public)
    return getattr(module, name)


def _load_file(path: Path) -> ModuleType:
    """Import a file under a name of its own; it and what it imports from its folder are then pickled by value."""
    import cloudpickle

    if not path.is_file():
        raise InputError(f"{path} does not exist; a file is named from the folder in which the command runs")
    text = path.read_bytes()
    name = f"privbench_given_{hashlib.sha256(str(path.resolve()).encode() + text).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None, "a file ending in .py has a loader"
    assert spec.loader is not None, "a file ending in .py has a loader"
    module = importlib.util.module_from_spec(spec)
    before = set(sys.modules)
    sys.modules[name] = module
    folder = path.resolve().parent
    try:
        with _first_in_path(folder):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    for other in set(sys.modules) - before:
        home = getattr(sys.modules[other], "__file__", None)
        if home is not None and Path(home).resolve().parent == folder:
            cloudpickle.register_pickle_by_value(sys.modules[other])
    return module


@contextmanager
def _first_in_path(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _digest(item: Any, pickled: bytes) -> str:
    """Return a digest that follows a function's file and what it captured; of any other object that of its pickle."""
    import cloudpickle

    content = [pickled]
    if inspect.isfunction(item):
        source = inspect.getsourcefile(item)
        if source is not None and Path(source).is_file():
            captured = [cell.cell_contents for cell in item.__closure__ or ()]
            code = item.__code__.co_code + repr((item.__qualname__, item.__code__.co_consts)).encode()
            plain = b"" if b" at 0x" in code else code
            kept = cloudpickle.dumps((captured, item.__defaults__, item.__kwdefaults__))
            content = [Path(source).read_bytes(), item.__qualname__.encode(), plain, kept]
    return hashlib.sha256(b"\x1f".join(content)).hexdigest()
