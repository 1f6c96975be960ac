"""The few kinds of error, and the one way to say that a name is unknown.

Every message answers four questions in one sentence: what is wrong, what was received, what is allowed, and what to
do next. The command line prints the message of a `PrivbenchError` and ends with status 2; anything else is a bug.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable
from types import ModuleType

__all__ = ["ContractError", "InputError", "MissingExtraError", "PrivbenchError", "import_extra", "unknown"]


class PrivbenchError(Exception):
    """Base of every error that privbench raises on purpose."""


class InputError(PrivbenchError):
    """A file, a config or an argument that cannot be used; the message says which, and what would do."""


class ContractError(PrivbenchError):
    """A plugin broke its contract (a guess of the wrong shape, a release of the wrong columns)."""


class MissingExtraError(PrivbenchError):
    """A plugin needs a package that is not installed; the message has the line that installs it."""


def unknown(what: str, got: object, allowed: Iterable[object], *, hint: str = "") -> InputError:
    """Build the error for a name that does not exist, with the nearest valid spelling.

    Parameters
    ----------
    what : str
        What was named: ``"attack"``, ``"key in the config"``.
    got : object
        The name received.
    allowed : iterable
        The valid names.
    hint : str
        What to do next, appended as a sentence of its own.
    """
    names = [str(name) for name in allowed]
    near = difflib.get_close_matches(str(got), names, n=1, cutoff=0.5)
    shown = ", ".join(names[:20]) + (f" ... ({len(names)} in all)" if len(names) > 20 else "")
    advice = f"did you mean {near[0]!r}?" if near else f"known: {shown or 'none'}."
    return InputError(f"unknown {what} {got!r}; {advice} {hint}".strip())


def import_extra(module: str, *, extra: str) -> ModuleType:
    """Import a module of an optional extra, or say how to install it.

    Raises
    ------
    MissingExtraError
        If the module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise MissingExtraError(
            f"needs the package {module.split('.')[0]!r}, which is not installed; "
            f"install it with: pip install 'privbench[{extra}]'"
        ) from error
