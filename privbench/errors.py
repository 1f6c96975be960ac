"""The few kinds of error, and the one way to say that a name is unknown.

Every message answers four questions in one sentence: what is wrong, what was received, what is allowed, and what to
do next. The command line prints the message of a `PrivbenchError` and ends with status 2; anything else is a bug.
"""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Callable, Iterable
from types import ModuleType

__all__ = [
    "ContractError",
    "DoesNotApplyError",
    "InputError",
    "MissingExtraError",
    "PrivbenchError",
    "TimeLimitError",
    "import_extra",
    "one_sentence",
    "unknown",
]


class PrivbenchError(Exception):
    """Base of every error that privbench raises on purpose."""


class InputError(PrivbenchError):
    """A file, a config or an argument that cannot be used; the message says which, and what would do."""


class ContractError(PrivbenchError):
    """A plugin broke its contract (a guess of the wrong shape, a release of the wrong columns)."""


class DoesNotApplyError(PrivbenchError):
    """A defense or an attack has nothing to do here; recorded as skipped, the message being the reason."""


class MissingExtraError(PrivbenchError):
    """A plugin needs a package that is not installed; the message has the line that installs it."""


class TimeLimitError(PrivbenchError):
    """A plugin was stopped at its time limit; recorded as timeout."""


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


def one_sentence(main: Callable[[], object]) -> None:
    """Run a program; an error of ours becomes one sentence on standard error and exit status 2, an interrupt 130.

    Parameters
    ----------
    main : callable
        The program, without arguments.
    """
    try:
        main()
    except PrivbenchError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - printing is this function's task
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        print("interrupted; the same command takes up where it stopped", file=sys.stderr)  # noqa: T201
        raise SystemExit(130) from None
