"""How much better a person's secret can be inferred because of a release, and what the protection costs, and whom.

`run` plays a whole benchmark from a config, `audit` asks whether a synthetic file is safe, `verify` whether a claim of
differential privacy survives a test; the command line, `privbench`, has the same verbs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from privbench.auditing.audit import audit
    from privbench.errors import one_sentence
    from privbench.result import Result
    from privbench.runner import run
    from privbench.verifying.verify import verify

__all__ = ["Result", "__version__", "audit", "one_sentence", "run", "verify"]
__version__ = "0.1.0"

_HOMES = {
    "Result": "privbench.result",
    "audit": "privbench.auditing.audit",
    "one_sentence": "privbench.errors",
    "run": "privbench.runner",
    "verify": "privbench.verifying.verify",
}


def __getattr__(name: str) -> Any:
    # heavy imports wait until they are used: 'privbench --help' answers at once
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'privbench' has no attribute {name!r}")
