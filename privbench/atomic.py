"""Files that stand whole or not at all, whenever a process ends."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from privbench.errors import InputError

__all__ = ["write_atomically", "write_private"]


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path`, then move it there whole: a reader sees the old file or the new one.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    if not path.name:
        raise InputError(f"{path} is a folder, where a file is to be written; give the file's name, too")
    half = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(half)
        with half.open("rb+") as file:
            os.fsync(file.fileno())
        half.replace(path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror or error}); make room or choose another place, and start "
            "again: what is finished is kept"
        ) from None
    finally:
        with suppress(OSError):
            half.unlink(missing_ok=True)


def write_private(path: Path, text: str | None) -> None:
    """Write a file that only its owner can read; without a text remove one that stands there, if that is allowed.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    if text is None:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        return

    def write(half: Path) -> None:
        half.touch(mode=0o600)
        half.write_bytes(text.encode())

    write_atomically(path, write)
