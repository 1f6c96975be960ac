"""What somebody else's code raised, in one line."""

from __future__ import annotations

__all__ = ["in_one_line"]

_LONGEST = 200


def in_one_line(error: BaseException) -> str:
    """Return the kind of an error and what it says, cut where it is long."""
    said = " ".join(f"{type(error).__name__}: {error}".split())
    return said if len(said) <= _LONGEST else f"{said[: _LONGEST - 3]}..."
